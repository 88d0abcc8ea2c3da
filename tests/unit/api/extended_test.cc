// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/api/extended_test.cc - what evs adds: messages with all that is known of them, room, batches, waits, figures.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <thread>

#include "tests/unit/api/story.h"

namespace evs::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

evs_status_t status_of(const Story& story) {
  evs_status_t status{};
  status.struct_size = sizeof status;
  EXPECT_EQ(evs_status(story.handle, &status), CS_OK);
  return status;
}

TEST(Extended, AMessageTellsWhereItComesFrom) {
  Story story({.extended = true});
  ASSERT_EQ(story.result, CS_OK) << story.error;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  const evs_status_t status = status_of(story);
  story.on_message = [&] {
    const evs_message_t& message = story.last_message;
    EXPECT_EQ(message.nodeid, status.nodeid);
    EXPECT_EQ(message.pid, getpid());
    EXPECT_EQ(message.guarantee, EVS_TYPE_AGREED);
    ASSERT_EQ(message.group_entries, 2u);
    EXPECT_STREQ(message.groups[1].key, "b");
    EXPECT_EQ(message.configuration.seq, status.configuration.seq);
    EXPECT_EQ(message.configuration.nodeid, status.configuration.nodeid);
  };
  EXPECT_EQ(story.say_to({"a", "b"}, "1"), CS_OK);
  EXPECT_EQ(story.dispatch(), CS_OK);
  const uint64_t first = story.last_message.sequence;
  EXPECT_EQ(story.say_to({"a", "b"}, "2"), CS_OK);
  EXPECT_EQ(story.dispatch(), CS_OK);
  EXPECT_GT(story.last_message.sequence, first);
  EXPECT_THAT(story.take(), ElementsAre("msg 1", "msg 2"));
}

TEST(Extended, JoinsAndLeavesOfAProcessAreTold) {
  Story story({.extended = true});
  ASSERT_EQ(story.join("a"), CS_OK);
  const std::string me = std::to_string(status_of(story).nodeid);
  EXPECT_THAT(story.told(), ElementsAre("regular " + me + " +" + me, "group a " + me + " joined"));
  Story other({.extended = true});
  ASSERT_EQ(other.join("a"), CS_OK);  // the process is in the group already: no change of it
  other.told();
  EXPECT_THAT(story.told(), IsEmpty());
  ASSERT_EQ(story.leave("a"), CS_OK);
  EXPECT_THAT(story.told(), IsEmpty());
  EXPECT_THAT(other.told(), IsEmpty());
  ASSERT_EQ(other.leave("a"), CS_OK);
  EXPECT_THAT(other.told(), ElementsAre("group a " + me + " left"));
}

TEST(Extended, GroupMembers) {
  Story story;
  const evs_group key = group("a");
  evs_member_t members[4];
  size_t entries = 4;
  const cs_error_t answer = evs_group_members(story.handle, &key, members, &entries);
  if (answer == CS_ERR_NOT_SUPPORTED) GTEST_SKIP() << "this transport keeps no groups";
  ASSERT_EQ(answer, CS_OK);
  EXPECT_EQ(entries, 0u);
  ASSERT_EQ(story.join("a"), CS_OK);
  entries = 4;
  ASSERT_EQ(evs_group_members(story.handle, &key, members, &entries), CS_OK);
  ASSERT_EQ(entries, 1u);
  EXPECT_EQ(members[0].nodeid, status_of(story).nodeid);
  EXPECT_EQ(members[0].pid, getpid());
  ASSERT_EQ(story.leave("a"), CS_OK);
  entries = 4;
  ASSERT_EQ(evs_group_members(story.handle, &key, members, &entries), CS_OK);
  EXPECT_EQ(entries, 0u);
  EXPECT_EQ(evs_group_members(story.handle, nullptr, members, &entries), CS_ERR_INVALID_PARAM);
}

TEST(Extended, RoomIsToldOnceAfterTryAgain) {
  Story sender({.extended = true}), reader;
  ASSERT_EQ(reader.join("a"), CS_OK);
  sender.told();
  const std::string text(50'000, 'x');
  while (sender.say_to({"a"}, text) == CS_OK) {
  }
  EXPECT_GE(status_of(sender).try_again, 1u);
  EXPECT_THAT(sender.told(), IsEmpty());
  while (!reader.messages().empty()) {
  }
  EXPECT_THAT(sender.told(), ElementsAre("room"));
  EXPECT_THAT(sender.told(), IsEmpty());
  EXPECT_EQ(sender.say_to({"a"}, text), CS_OK);
}

TEST(Extended, RoomWakesABlockedDispatch) {
  Story sender({.extended = true}), reader;
  ASSERT_EQ(reader.join("a"), CS_OK);
  sender.told();
  const std::string text(50'000, 'x');
  while (sender.say_to({"a"}, text) == CS_OK) {
  }
  std::thread waiting([&] { EXPECT_EQ(sender.dispatch(CS_DISPATCH_ONE), CS_OK); });
  while (!reader.messages().empty()) {
  }
  waiting.join();
  EXPECT_THAT(sender.take(), ElementsAre("room"));
}

TEST(Wait, SendsWhenThereIsRoom) {
  Story sender, reader;
  ASSERT_EQ(reader.join("a"), CS_OK);
  const evs_group key = group("a");
  std::string text(50'000, 'x');
  const iovec part{text.data(), text.size()};
  cs_error_t answer;
  size_t sent = 0;
  while ((answer = evs_mcast_wait(sender.handle, EVS_TYPE_AGREED, &key, 1, &part, 1, 1'000'000)) == CS_OK) ++sent;
  EXPECT_EQ(answer, CS_ERR_TIMEOUT);
  std::thread waiting(
      [&] { EXPECT_EQ(evs_mcast_wait(sender.handle, EVS_TYPE_AGREED, &key, 1, &part, 1, UINT64_MAX), CS_OK); });
  size_t got = 0;
  while (got < sent + 1) got += reader.messages().size();
  waiting.join();
  EXPECT_EQ(got, sent + 1);
}

// Nothing changes while the reader stands still; so there is nothing to look at either, for this thread and for the service thread.
TEST(Wait, ForAReaderThatStandsStillCostsNoProcessorTime) {
  Story sender, reader;
  ASSERT_EQ(reader.join("a"), CS_OK);
  const evs_group key = group("a");
  std::string text(50'000, 'x');
  const iovec part{text.data(), text.size()};
  while (sender.say_to({"a"}, text) == CS_OK) {
  }
  constexpr uint64_t kWait = 300'000'000;
  const auto spent = [] {
    rusage used{};
    EXPECT_EQ(getrusage(RUSAGE_SELF, &used), 0);
    const auto ns = [](const timeval& time) { return static_cast<uint64_t>(time.tv_sec * 1'000'000 + time.tv_usec) * 1000; };
    return ns(used.ru_utime) + ns(used.ru_stime);
  };
  const uint64_t before = spent();
  EXPECT_EQ(evs_mcast_wait(sender.handle, EVS_TYPE_AGREED, &key, 1, &part, 1, kWait), CS_ERR_TIMEOUT);
  EXPECT_LT(spent() - before, kWait / 2);
}

TEST(Wait, InAnOwnCallbackItIsBusy) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  std::string text(50'000, 'x');
  const iovec part{text.data(), text.size()};
  cs_error_t answer = CS_OK;
  bool first = true;
  story.on_message = [&] {
    if (!std::exchange(first, false)) return;
    while ((answer = evs_mcast_wait(story.handle, EVS_TYPE_AGREED, nullptr, 0, &part, 1, UINT64_MAX)) == CS_OK) {
    }
  };
  ASSERT_EQ(story.say("go"), CS_OK);
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
  EXPECT_EQ(answer, CS_ERR_BUSY);
}

TEST(Batch, SendsInOrderAndTellsHowMany) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  const evs_group key = group("a");
  const iovec one{const_cast<char*>("1"), 1}, two{const_cast<char*>("2"), 1};
  const evs_outgoing_t messages[] = {{nullptr, 0, &one, 1, EVS_TYPE_AGREED}, {&key, 1, &two, 1, EVS_TYPE_SAFE}, {&key, 1, &one, 1, 9}};
  size_t sent = 99;
  EXPECT_EQ(evs_mcast_batch(story.handle, messages, 3, &sent), CS_ERR_INVALID_PARAM);
  EXPECT_EQ(sent, 2u);
  EXPECT_THAT(story.messages(), ElementsAre("1", "2"));
  EXPECT_EQ(evs_mcast_batch(story.handle, nullptr, 0, &sent), CS_OK);
  EXPECT_EQ(sent, 0u);
}

TEST(Figures, StructsAreTrimmedToTheCaller) {
  Story story;
  evs_status_t status{};
  status.members = 77;
  status.struct_size = 8;  // an older caller: nodeid and no more
  EXPECT_EQ(evs_status(story.handle, &status), CS_OK);
  EXPECT_NE(status.nodeid, 0u);
  EXPECT_EQ(status.members, 77u);
  status.struct_size = 0;
  EXPECT_EQ(evs_status(story.handle, &status), CS_ERR_INVALID_PARAM);
  evs_limits_t limits{};
  limits.struct_size = sizeof limits + 100;
  EXPECT_EQ(evs_limits(story.handle, &limits), CS_OK);
  EXPECT_EQ(limits.struct_size, sizeof limits);
  EXPECT_EQ(limits.handles, uint32_t{EVS_MAX_HANDLES});
  EXPECT_EQ(limits.groups_per_call, uint32_t{EVS_MAX_GROUPS_PER_CALL});
}

}  // namespace
}  // namespace evs::test
