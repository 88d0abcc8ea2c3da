// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/api/membership_test.cc - others come, go, die and are expelled, and so are we; played by the loopback medium.
//
// The medium's control extension lets the test be the other members, each change at a position of the real order; so what a handle is
// told can be compared line by line.
#include <gmock/gmock.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "bus/runtime/handle.h"
#include "bus/runtime/handle_table.h"
#include "plugins/loopback/control.h"
#include "tests/unit/api/story.h"

namespace evs::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Medium {
 public:
  explicit Medium(const Story& story) {
    runtime::Bus& bus = *runtime::handle_table::slot_of(story.handle).handle.load()->bus;
    transport_ = bus.transport();
    control_ = bus.extension<evs_loopback_control>(EVS_EXTENSION_LOOPBACK_CONTROL);
    me = bus.self().nodeid;
  }
  uint32_t comes(int32_t pid) {
    uint32_t nodeid = 0;
    EXPECT_EQ(control_->member_join(transport_, pid, &nodeid), EVS_P_OK);
    return nodeid;
  }
  void goes(uint32_t nodeid, int32_t reason) { EXPECT_EQ(control_->member_go(transport_, nodeid, reason), EVS_P_OK); }
  void joins(uint32_t nodeid, const char* name, uint64_t position = 1) {
    const evs_group key = group(name);
    EXPECT_EQ(control_->member_group(transport_, nodeid, reinterpret_cast<const evs_plugin_group*>(&key), position, UINT64_MAX), EVS_P_OK);
  }
  // A record of another process's host.
  void records(uint32_t nodeid, groups::ControlType type, const char* name) {
    const evs_group key = group(name);
    const groups::ControlBytes bytes = groups::encode({type, 4711, 1, 1});
    append(nodeid, EVS_FRAME_CONTROL, key, bytes.data(), bytes.size());
  }
  void says(uint32_t nodeid, const char* name, std::string_view text) {
    append(nodeid, EVS_FRAME_MESSAGE, group(name), text.data(), text.size());
  }
  void fail() { control_->fail(transport_); }

  uint32_t me = 0;

 private:
  void append(uint32_t nodeid, uint32_t kind, const evs_group& key, const void* data, size_t size) {
    const iovec part{const_cast<void*>(data), size};
    evs_append frame{};
    frame.struct_size = sizeof frame;
    frame.kind = kind;
    frame.guarantee = EVS_TYPE_AGREED;
    frame.group_count = 1;
    frame.groups = reinterpret_cast<const evs_plugin_group*>(&key);
    frame.iov = &part;
    frame.iov_count = 1;
    frame.size = size;
    uint64_t position = 0;
    EXPECT_EQ(control_->member_append(transport_, nodeid, &frame, &position), EVS_P_OK);
  }
  evs_transport* transport_;
  const evs_loopback_control* control_;
};

std::string s(uint32_t number) { return std::to_string(number); }

TEST(Membership, EachChangeIsATransitionalAndARegularConfiguration) {
  Story story({.extended = true}), old;
  ASSERT_EQ(story.join("a"), CS_OK);
  ASSERT_EQ(old.join("a"), CS_OK);
  story.told();
  old.told();
  Medium medium(story);
  const std::string me = s(medium.me);
  const uint32_t b = medium.comes(4712);
  medium.says(b, "a", "hello");
  medium.goes(b, EVS_MEMBER_DIED);
  EXPECT_THAT(story.told(), ElementsAre("trans " + me, "regular " + me + " " + s(b) + " +" + s(b), "msg hello",
                                        "trans " + me + " -" + s(b), "regular " + me));
  EXPECT_THAT(old.told(), ElementsAre("conf " + me, "conf " + me + " " + s(b) + " +" + s(b), "msg hello",
                                      "conf " + me + " -" + s(b), "conf " + me));
}

TEST(Membership, AnIdleHandleHearsMergedChanges) {
  Story story({.extended = true});
  story.told();
  Medium medium(story);
  int fd = -1;
  ASSERT_EQ(evs_fd_get(story.handle, &fd), CS_OK);
  story.told();
  const std::string me = s(medium.me);
  const uint32_t b = medium.comes(4712), c = medium.comes(4713);
  pollfd wish{fd, POLLIN, 0};
  EXPECT_EQ(poll(&wish, 1, 5000), 1);  // nobody reads for it, so the service thread rings
  Lines lines;
  while (lines.size() < 2 || lines.back().find(s(c)) == std::string::npos) {
    const Lines more = story.told();
    lines.insert(lines.end(), more.begin(), more.end());
  }
  EXPECT_EQ(lines.front().rfind("trans", 0), 0u);
  EXPECT_EQ(lines.back().rfind("regular", 0), 0u);
  medium.goes(b, EVS_MEMBER_LEFT);
  medium.goes(c, EVS_MEMBER_LEFT);
  ASSERT_EQ(story.join("a"), CS_OK);  // it watches from here on; what it missed comes first
  const Lines after = story.told();
  ASSERT_GE(after.size(), 2u);
  const bool at_once = after.front() == "trans merged " + me + " -" + s(b) + " -" + s(c);
  const bool in_two = after.front() == "trans " + me + " " + s(c) + " -" + s(b);
  EXPECT_TRUE(at_once || in_two) << after.front();
}

TEST(Membership, GroupChangesOfOthers) {
  Story story({.extended = true});
  Medium medium(story);
  const uint32_t b = medium.comes(4712);
  medium.joins(b, "a");  // before us
  ASSERT_EQ(story.join("a"), CS_OK);
  const uint32_t c = medium.comes(4713);
  medium.records(c, groups::ControlType::join, "a");
  medium.records(c, groups::ControlType::join, "else");
  medium.goes(b, EVS_MEMBER_DIED);
  medium.records(c, groups::ControlType::leave, "a");
  Lines changes;
  for (const auto& line : story.told())
    if (line.rfind("group", 0) == 0) changes.push_back(line);
  EXPECT_THAT(changes, ElementsAre("group a " + s(medium.me) + " joined", "group a " + s(c) + " joined",
                                   "group a " + s(b) + " died", "group a " + s(c) + " left"));
}

TEST(Expelled, LonelyThenAllUnderANewNodeid) {
  Story story({.extended = true}), idle({.extended = true}), sender;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  idle.told();
  Medium medium(story);
  const uint32_t b = medium.comes(4712), old = medium.me;
  story.told();
  while (idle.told().empty()) {
  }
  medium.says(b, "a", "unread");
  medium.goes(old, EVS_MEMBER_EXPELLED);
  ASSERT_EQ(sender.say_to({"a"}, "under the new name"), CS_OK);  // the first call afterwards rejoins
  const uint32_t now = Medium(story).me;
  EXPECT_NE(now, old);
  Lines lines = story.told();
  ASSERT_GE(lines.size(), 3u);
  EXPECT_EQ(lines[0], "trans expelled " + s(old) + " -" + s(b));
  EXPECT_EQ(lines[1].rfind("regular", 0), 0u);
  EXPECT_NE(lines[1].find("+" + s(now)), std::string::npos) << lines[1];
  EXPECT_NE(lines[1].find("+" + s(b)), std::string::npos) << lines[1];
  EXPECT_EQ(lines.back(), "msg under the new name");
  lines = idle.told();
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines[0], "trans expelled " + s(old) + " -" + s(b));
  EXPECT_EQ(story.say("again"), CS_OK);
  EXPECT_THAT(story.told(), ElementsAre("msg again"));
  evs_status_t status{};
  status.struct_size = sizeof status;
  ASSERT_EQ(evs_status(story.handle, &status), CS_OK);
  EXPECT_EQ(status.expulsions, 1u);
  EXPECT_GE(status.lost_messages, 1u);
  EXPECT_EQ(status.nodeid, now);
}

TEST(Expelled, ADispatchThatBlocksLearnsOfIt) {
  Story story({.extended = true});
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  Medium medium(story);
  std::thread waiting([&] { EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK); });
  medium.goes(medium.me, EVS_MEMBER_EXPELLED);
  waiting.join();
  const Lines lines = story.take();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "trans expelled " + s(medium.me));
}

TEST(Failed, AFailedMediumIsALibraryErrorAndOneLine) {
  static std::atomic<int> lines;
  lines = 0;
  Story story({.log = [](void*, int level, const char*, size_t) { lines += level >= EVS_LOG_ERROR; }});
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  std::thread waiting([&] { EXPECT_EQ(story.dispatch(CS_DISPATCH_BLOCKING), CS_ERR_LIBRARY); });
  Medium(story).fail();
  waiting.join();
  EXPECT_EQ(story.say("x"), CS_ERR_LIBRARY);
  EXPECT_EQ(story.join("b"), CS_ERR_LIBRARY);
  EXPECT_EQ(story.dispatch(), CS_ERR_LIBRARY);
  EXPECT_EQ(evs_finalize(std::exchange(story.handle, 0)), CS_OK);
  EXPECT_EQ(lines, 1);
}

// The bus stays closed while a handle of this process has it, however long ago it failed; then it is opened anew.
TEST(Failed, ANewHandleIsRefusedUntilTheOldOnesAreGone) {
  Story first, second;
  ASSERT_EQ(first.join("a"), CS_OK);
  Medium(first).fail();
  ASSERT_EQ(first.say("x"), CS_ERR_LIBRARY);
  for (Story* remaining : {&first, &second}) {
    Story refused;
    EXPECT_EQ(refused.result, CS_ERR_LIBRARY);
    EXPECT_THAT(refused.error, HasSubstr("closed in this process; finalize all its handles first"));
    EXPECT_EQ(remaining->dispatch(), CS_ERR_LIBRARY);
    EXPECT_EQ(evs_finalize(std::exchange(remaining->handle, 0)), CS_OK);
  }
  Story anew;
  ASSERT_EQ(anew.result, CS_OK) << anew.error;
  ASSERT_EQ(anew.join("a"), CS_OK);
  ASSERT_EQ(anew.say("x"), CS_OK);
  EXPECT_THAT(anew.messages(), ElementsAre("x"));
}

}  // namespace
}  // namespace evs::test
