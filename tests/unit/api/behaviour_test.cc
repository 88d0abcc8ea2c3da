// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/api/behaviour_test.cc - the behaviour that old programs rely on, promise by promise.
#include <gmock/gmock.h>

#include "tests/unit/api/story.h"

namespace evs::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Initialize, AConfigurationIsPendingAtOnce) {
  Story story;
  ASSERT_EQ(story.result, CS_OK) << story.error;
  unsigned int me = 0;
  ASSERT_EQ(evs_membership_get(story.handle, &me, nullptr, nullptr), CS_OK);
  const std::string id = std::to_string(me);
  EXPECT_THAT(story.told(), ElementsAre("conf " + id + " +" + id));
  EXPECT_THAT(story.told(), IsEmpty());
}

TEST(Initialize, WithoutCallbacksNothingIsCalled) {
  Story story({.silent = true});
  ASSERT_EQ(story.result, CS_OK) << story.error;
  EXPECT_EQ(story.join("a"), CS_OK);
  EXPECT_EQ(story.say("x"), CS_OK);
  EXPECT_EQ(story.dispatch(), CS_OK);
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE_NONBLOCKING), CS_ERR_TRY_AGAIN);
}

TEST(Initialize, ANullHandlePointerIsRefused) {
  EXPECT_EQ(evs_initialize(nullptr, nullptr), CS_ERR_INVALID_PARAM);
  evs_handle_t handle = 0;
  EXPECT_EQ(evs_initialize_ex(nullptr, nullptr), CS_ERR_INVALID_PARAM);
  EXPECT_EQ(evs_initialize_ex(&handle, nullptr), CS_ERR_INVALID_PARAM);
}

TEST(BadHandle, EveryCallSaysSo) {
  evs_handle_t closed = 0;
  {
    Story story;
    ASSERT_EQ(story.result, CS_OK) << story.error;
    closed = story.handle;
  }
  for (const evs_handle_t bad : {evs_handle_t{0}, closed, evs_handle_t{12345}, ~evs_handle_t{0}}) {
    const evs_group key = group("a");
    const iovec part{const_cast<char*>("x"), 1};
    void* context;
    int fd;
    size_t sent;
    size_t entries = 0;
    evs_limits_t limits{};
    evs_status_t status{};
    evs_outgoing_t out{&key, 1, &part, 1, EVS_TYPE_AGREED};
    EXPECT_EQ(evs_finalize(bad), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_fd_get(bad, &fd), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_context_get(bad, &context), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_context_set(bad, nullptr), CS_ERR_BAD_HANDLE);
    for (const auto how : {CS_DISPATCH_ONE, CS_DISPATCH_ALL, CS_DISPATCH_BLOCKING, CS_DISPATCH_ONE_NONBLOCKING})
      EXPECT_EQ(evs_dispatch(bad, how), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_join(bad, &key, 1), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_leave(bad, &key, 1), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_mcast_joined(bad, EVS_TYPE_AGREED, &part, 1), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_mcast_groups(bad, EVS_TYPE_AGREED, &key, 1, &part, 1), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_membership_get(bad, nullptr, nullptr, nullptr), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_mcast_wait(bad, EVS_TYPE_AGREED, &key, 1, &part, 1, 0), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_mcast_batch(bad, &out, 1, &sent), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_group_members(bad, &key, nullptr, &entries), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_limits(bad, &limits), CS_ERR_BAD_HANDLE);
    EXPECT_EQ(evs_status(bad, &status), CS_ERR_BAD_HANDLE);
  }
}

TEST(Dispatch, OneCallsOneAndLeavesTheRest) {
  Story story;
  ASSERT_EQ(story.result, CS_OK) << story.error;
  ASSERT_EQ(story.join("a"), CS_OK);
  for (const char* text : {"1", "2", "3"}) ASSERT_EQ(story.say(text), CS_OK);
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
  EXPECT_EQ(story.take().size(), 1u);  // the configuration
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
  EXPECT_THAT(story.take(), ElementsAre("msg 1"));
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE_NONBLOCKING), CS_OK);
  EXPECT_THAT(story.take(), ElementsAre("msg 2"));
  EXPECT_THAT(story.told(), ElementsAre("msg 3"));
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE_NONBLOCKING), CS_ERR_TRY_AGAIN);
}

TEST(Dispatch, UnknownFlagsAreRefused) {
  Story story;
  for (const int flags : {0, 5, -1}) EXPECT_EQ(story.dispatch(static_cast<cs_dispatch_flags_t>(flags)), CS_ERR_INVALID_PARAM);
}

TEST(Join, TwiceWantsTwoLeavesAndDeliversOnce) {
  Story story;
  EXPECT_EQ(story.join("a"), CS_OK);
  EXPECT_EQ(story.join("a"), CS_OK);
  EXPECT_EQ(story.say("once"), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("once"));
  EXPECT_EQ(story.leave("a"), CS_OK);
  EXPECT_EQ(story.say("still"), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("still"));
  EXPECT_EQ(story.leave("a"), CS_OK);
  EXPECT_EQ(story.say("gone"), CS_OK);
  EXPECT_EQ(story.say_to({"a"}, "gone"), CS_OK);
  EXPECT_THAT(story.messages(), IsEmpty());
  EXPECT_EQ(story.leave("a"), CS_ERR_NOT_EXIST);
}

TEST(Join, CountsAndPointers) {
  Story story;
  std::vector<evs_group> many;
  for (int i = 0; i < 51; ++i) many.push_back(group("g" + std::to_string(i)));
  EXPECT_EQ(evs_join(story.handle, many.data(), 51), CS_ERR_TOO_MANY_GROUPS);
  EXPECT_EQ(evs_join(story.handle, many.data(), 50), CS_OK);
  EXPECT_EQ(evs_join(story.handle, many.data() + 50, 1), CS_OK);
  EXPECT_EQ(evs_join(story.handle, nullptr, 0), CS_OK);
  EXPECT_EQ(evs_leave(story.handle, nullptr, 0), CS_OK);
  EXPECT_EQ(evs_join(story.handle, nullptr, 1), CS_ERR_INVALID_PARAM);
  EXPECT_EQ(evs_leave(story.handle, nullptr, 1), CS_ERR_INVALID_PARAM);
  EXPECT_EQ(story.say_to({"g7", "g50"}, "once"), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("once"));
}

TEST(Join, AThousandGroups) {
  Story story;
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(story.join("g" + std::to_string(i)), CS_OK) << i;
  EXPECT_EQ(story.say_to({"g999"}, "last"), CS_OK);
  EXPECT_EQ(story.say_to({"g1000"}, "none"), CS_OK);
  EXPECT_EQ(story.say_to({"g0"}, "first"), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("last", "first"));
  evs_status_t status{};
  status.struct_size = sizeof status;
  ASSERT_EQ(evs_status(story.handle, &status), CS_OK);
  EXPECT_EQ(status.joined_groups, 1000u);
  EXPECT_EQ(status.sent_messages, 3u);
  EXPECT_EQ(status.delivered_messages, 2u);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(story.leave("g" + std::to_string(i)), CS_OK) << i;
}

TEST(Join, TheKeyIs32BytesComparedWhole) {
  Story story;
  evs_group one{}, other{};
  std::memset(one.key, 0, 32);
  other = one;
  other.key[31] = 1;
  ASSERT_EQ(evs_join(story.handle, &one, 1), CS_OK);
  const iovec part{const_cast<char*>("x"), 1};
  EXPECT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_AGREED, &other, 1, &part, 1), CS_OK);
  EXPECT_THAT(story.messages(), IsEmpty());
  EXPECT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_AGREED, &one, 1, &part, 1), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("x"));
}

TEST(Leave, LeavesThoseBeforeTheOneThatIsNotJoined) {
  Story story;
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(story.join(name), CS_OK);
  const evs_group keys[] = {group("a"), group("x"), group("b")};
  EXPECT_EQ(evs_leave(story.handle, keys, 3), CS_ERR_NOT_EXIST);
  EXPECT_EQ(story.say_to({"a"}, "a"), CS_OK);
  EXPECT_EQ(story.say_to({"b"}, "b"), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("b"));
}

TEST(Send, JoinedToNoGroupReachesNobody) {
  Story story;
  EXPECT_EQ(story.say("x"), CS_OK);
  EXPECT_THAT(story.messages(), IsEmpty());
}

TEST(Send, ToGroupsOfOthersReachesThemAndNotTheSender) {
  Story sender, receiver;
  ASSERT_EQ(receiver.join("theirs"), CS_OK);
  ASSERT_EQ(sender.join("mine"), CS_OK);
  EXPECT_EQ(sender.say_to({"theirs"}, "x"), CS_OK);
  EXPECT_THAT(sender.messages(), IsEmpty());
  EXPECT_THAT(receiver.messages(), ElementsAre("x"));
}

TEST(Send, EmptyMessagesAreDelivered) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  const iovec empty{nullptr, 0};
  EXPECT_EQ(evs_mcast_joined(story.handle, EVS_TYPE_FIFO, nullptr, 0), CS_OK);
  EXPECT_EQ(evs_mcast_joined(story.handle, EVS_TYPE_SAFE, &empty, 1), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("", ""));
}

TEST(Send, TheIovecIsOneMessage) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  const iovec parts[] = {{const_cast<char*>("one "), 4}, {nullptr, 0}, {const_cast<char*>("two"), 3}};
  EXPECT_EQ(evs_mcast_joined(story.handle, EVS_TYPE_AGREED, parts, 3), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("one two"));
}

TEST(Send, BadArgumentsAreRefused) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  const evs_group key = group("a");
  const iovec part{const_cast<char*>("x"), 1};
  for (const int guarantee : {-1, 4, 99}) {
    EXPECT_EQ(evs_mcast_joined(story.handle, static_cast<evs_guarantee_t>(guarantee), &part, 1), CS_ERR_INVALID_PARAM);
    EXPECT_EQ(evs_mcast_groups(story.handle, static_cast<evs_guarantee_t>(guarantee), &key, 1, &part, 1), CS_ERR_INVALID_PARAM);
  }
  EXPECT_EQ(evs_mcast_joined(story.handle, EVS_TYPE_AGREED, nullptr, 1), CS_ERR_INVALID_PARAM);
  EXPECT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_AGREED, nullptr, 1, &part, 1), CS_ERR_INVALID_PARAM);
  EXPECT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_AGREED, nullptr, 0, &part, 1), CS_OK);
  EXPECT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_AGREED, &key, 0, &part, 1), CS_OK);
  EXPECT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_AGREED, &key, EVS_MAX_GROUPS_PER_HANDLE + 1, &part, 1), CS_ERR_TOO_MANY_GROUPS);
  EXPECT_THAT(story.messages(), IsEmpty());
}

TEST(Send, EachGuaranteeIsDeliveredInOneOrder) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  Lines sent;
  for (int i = 0; i < 40; ++i) {
    sent.push_back(std::to_string(i));
    const iovec part{sent.back().data(), sent.back().size()};
    ASSERT_EQ(evs_mcast_joined(story.handle, static_cast<evs_guarantee_t>(i % 4), &part, 1), CS_OK);
  }
  EXPECT_EQ(story.messages(), sent);
}

TEST(Send, SizesUpToTheLimit) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  evs_limits_t limits{};
  limits.struct_size = sizeof limits;
  ASSERT_EQ(evs_limits(story.handle, &limits), CS_OK);
  EXPECT_GE(limits.message_bytes, 1'048'500u);
  for (const size_t size : {size_t{1}, size_t{63}, size_t{4096}, size_t{65536}, size_t{300'000}, size_t{limits.message_bytes}}) {
    std::string text(size, 'x');
    for (size_t i = 0; i < size; i += 997) text[i] = static_cast<char>('a' + i % 26);
    ASSERT_EQ(story.say(text), CS_OK) << size;
    const Lines got = story.messages();
    ASSERT_EQ(got.size(), 1u);
    EXPECT_TRUE(got.front() == text) << size;
  }
  std::string big(limits.message_bytes + 1, 'x');
  EXPECT_EQ(story.say(big), CS_ERR_TOO_BIG);
  const iovec overflow[] = {{big.data(), SIZE_MAX}, {big.data(), 2}};
  EXPECT_EQ(evs_mcast_joined(story.handle, EVS_TYPE_AGREED, overflow, 2), CS_ERR_TOO_BIG);
  EXPECT_EQ(story.say("after"), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("after"));
}

TEST(Send, AFullRingIsTryAgainAndNothingIsLost) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  const std::string text(50'000, 'x');
  size_t sent = 0;
  cs_error_t answer;
  while ((answer = story.say(text)) == CS_OK && sent < 100'000) ++sent;
  EXPECT_EQ(answer, CS_ERR_TRY_AGAIN);
  size_t got = 0;
  for (Lines some = story.messages(); !some.empty(); some = story.messages()) got += some.size();
  EXPECT_EQ(got, sent);
  EXPECT_EQ(story.say("again"), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("again"));
}

TEST(Order, AMessageIsDeliveredByWhatIsJoinedAtItsPlace) {
  Story story;
  EXPECT_EQ(story.say_to({"a"}, "before"), CS_OK);
  EXPECT_EQ(story.join("a"), CS_OK);
  EXPECT_EQ(story.say("inside"), CS_OK);
  EXPECT_EQ(story.leave("a"), CS_OK);
  EXPECT_EQ(story.say_to({"a"}, "after"), CS_OK);
  EXPECT_EQ(story.join("a"), CS_OK);
  EXPECT_EQ(story.say("again"), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("inside", "again"));
}

TEST(Membership, RoomOnEntryCountOnReturn) {
  Story story;
  unsigned int me = 0, members[4] = {};
  size_t entries = 4;
  ASSERT_EQ(evs_membership_get(story.handle, &me, members, &entries), CS_OK);
  EXPECT_EQ(entries, 1u);
  EXPECT_EQ(members[0], me);
  EXPECT_NE(me, 0u);
  entries = 0;
  members[0] = 77;
  EXPECT_EQ(evs_membership_get(story.handle, nullptr, members, &entries), CS_OK);
  EXPECT_EQ(entries, 1u);
  EXPECT_EQ(members[0], 77u);
  EXPECT_EQ(evs_membership_get(story.handle, nullptr, nullptr, nullptr), CS_OK);
}

TEST(Context, TravelsWithTheHandle) {
  Story story;
  void* got = nullptr;
  ASSERT_EQ(evs_context_get(story.handle, &got), CS_OK);
  EXPECT_EQ(got, &story);
  EXPECT_EQ(evs_context_set(story.handle, &got), CS_OK);
  EXPECT_EQ(evs_context_get(story.handle, &got), CS_OK);
  EXPECT_EQ(got, &got);
  EXPECT_EQ(evs_context_get(story.handle, nullptr), CS_ERR_INVALID_PARAM);
}

TEST(Strerror, NamesEachCode) {
  EXPECT_STREQ(cs_strerror(CS_OK), "CS_OK");
  EXPECT_STREQ(cs_strerror(CS_ERR_TRY_AGAIN), "CS_ERR_TRY_AGAIN");
  EXPECT_STREQ(cs_strerror(CS_ERR_SECURITY), "CS_ERR_SECURITY");
  EXPECT_STREQ(cs_strerror(static_cast<cs_error_t>(29)), "unknown error");
}

}  // namespace
}  // namespace evs::test
