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
  ASSERT_THAT(refused.error, HasSubstr("get_extension threw"));  // else the name is still taken, and the next one waits
  EXPECT_THAT(refused.error, HasSubstr("evs-transport-throws-extension.so"));
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

// Without its descriptor the medium would be deaf, and nobody would know.
TEST_F(Throwing, FromTheServiceThreadsFdClosesTheBusAndNamesThePlugin) {
  static std::atomic<uint32_t> told;
  told = 0;
  Story::Wishes wishes = over("throws-fd");
  wishes.log = [](void*, int, const char* text, size_t length) {
    const std::string_view line(text, length);
    if (line.find("fd threw an exception") == std::string_view::npos || line.find("evs-transport-throws-fd.so") == std::string_view::npos)
      return;
    ++told;
    told.notify_all();
  };
  Story story(wishes);
  told.wait(0);
  if (story.result == CS_OK) {  // it may have thrown before or after the handle was there
    EXPECT_EQ(evs_dispatch(story.handle, CS_DISPATCH_BLOCKING), CS_ERR_LIBRARY);
    EXPECT_EQ(evs_finalize(std::exchange(story.handle, 0)), CS_OK);
  } else {
    EXPECT_EQ(story.result, CS_ERR_LIBRARY);
  }
  Story good(over("good"));
  EXPECT_EQ(good.result, CS_OK) << good.error;
}

}  // namespace
}  // namespace evs::test
