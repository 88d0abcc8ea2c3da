// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/throwing_test.cc - an application whose plugin throws where the host asks on its own account: for
// extensions, and for a descriptor to sleep on. The application lives, and is told or served.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/api/story.h"

namespace evs::test {
namespace {

using testing::HasSubstr;

// A handle on a bus whose transport is one of bad_plugins/.
class Throwing : public testing::Test {
 protected:
  static Story::Wishes over(const std::string& plugin) {
    static std::string path;
    path = std::string(EVS_BAD_PLUGIN_DIR "/evs-transport-").append(plugin).append(".so");
    return {.bus = "throwing", .parameters = {{"local.transport", path.c_str()}}};
  }
};

// The host looks up which keys the plugin takes before it creates anything.
TEST_F(Throwing, FromGetExtensionIsAFailureToOpenAndTheNameIsFreeAfterwards) {
  Story refused(over("throws-extension"));
  EXPECT_EQ(refused.result, CS_ERR_LIBRARY);
  ASSERT_THAT(refused.error, HasSubstr("get_extension()"));  // else the name is still taken, and the next one waits
  Story good(over("good"));
  EXPECT_EQ(good.result, CS_OK) << good.error;
}

TEST_F(Throwing, FromAnOpenInstancesGetExtensionIsAnExtensionThatItDoesNotHave) {
  Story story(over("throws-later"));
  ASSERT_EQ(story.result, CS_OK) << story.error;
  const evs_group key = group("a");
  size_t entries = 0;
  EXPECT_EQ(evs_group_members(story.handle, &key, nullptr, &entries), CS_ERR_NOT_SUPPORTED);
}

TEST_F(Throwing, FromTheServiceThreadsFdIsNoDescriptor) {
  static std::atomic<uint32_t> asked;
  asked = 0;
  Story::Wishes wishes = over("throws-later");
  wishes.log = [](void*, int, const char* text, size_t length) {
    if (std::string_view(text, length).find("about to throw") == std::string_view::npos) return;
    ++asked;
    asked.notify_all();
  };
  Story story(wishes);
  ASSERT_EQ(story.result, CS_OK) << story.error;
  asked.wait(0);
  Story second(over("throws-later"));
  EXPECT_EQ(second.result, CS_OK) << second.error;
  // The last one waits for the service thread, which has thrown by then and goes on.
  EXPECT_EQ(evs_finalize(std::exchange(second.handle, 0)), CS_OK);
  EXPECT_EQ(evs_finalize(std::exchange(story.handle, 0)), CS_OK);
}

}  // namespace
}  // namespace evs::test
