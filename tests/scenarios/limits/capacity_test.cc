// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/capacity_test.cc - how much goes in, and what the first one too many is told: handles, groups,
// bytes.
#include <gmock/gmock.h>

#include <memory>
#include <thread>

#include "tests/scenarios/limits/census.h"
#include "tests/scenarios/limits/peer_process.h"
#include "tests/unit/api/story.h"

namespace evs::limits {
namespace {

using test::Story;
using testing::HasSubstr;

TEST(Handles, TwoHundredFiftySixAndNotOneMore) {
  const Census before = Census::take();
  {
    std::vector<std::unique_ptr<Story>> open;
    for (int i = 0; i < EVS_MAX_HANDLES; ++i) {
      open.push_back(std::make_unique<Story>());
      ASSERT_EQ(open.back()->result, CS_OK) << "handle " << i << ": " << open.back()->error;
      ASSERT_EQ(open.back()->join("all"), CS_OK);
    }
    Story refused;
    EXPECT_EQ(refused.result, CS_ERR_NO_RESOURCES);
    EXPECT_THAT(refused.error, HasSubstr("256 handles"));

    // The refusal disturbed none of them: one message reaches each handle, once.
    ASSERT_EQ(open.front()->say("to all"), CS_OK);
    for (auto& story : open) EXPECT_EQ(story->messages(), test::Lines{"to all"});

    open[17].reset();
    Story in_its_place;
    EXPECT_EQ(in_its_place.result, CS_OK) << in_its_place.error;
  }
  EXPECT_EQ(Census::take(), before);
}

TEST(Groups, AThousandInTwentyCalls) {
  Story story;
  ASSERT_EQ(story.result, CS_OK) << story.error;
  PeerProcess peer;
  ASSERT_THAT(peer.ask("open " + test::directory() + " story"), HasSubstr("CS_OK"));
  std::vector<evs_group> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back(test::group("group " + std::to_string(i)));
  for (int call = 0; call < 20; ++call) ASSERT_EQ(evs_join(story.handle, &keys[call * 50], 50), CS_OK);
  EXPECT_EQ(evs_join(story.handle, keys.data(), 51), CS_ERR_TOO_MANY_GROUPS);
  story.told();

  evs_status_t status{};
  status.struct_size = sizeof status;
  ASSERT_EQ(evs_status(story.handle, &status), CS_OK);
  EXPECT_EQ(status.joined_groups, 1000u);

  // mcast_joined names all thousand; it is delivered once.
  ASSERT_EQ(story.say("to a thousand"), CS_OK);
  EXPECT_EQ(story.messages(), test::Lines{"to a thousand"});
  // Each of them reaches the handle, from outside too.
  for (int i = 0; i < 1000; ++i) {
    const iovec part{keys[i].key, 32};
    ASSERT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_FIFO, &keys[i], 1, &part, 1), CS_OK);
  }
  EXPECT_EQ(story.messages().size(), 1000u);
  for (int call = 0; call < 20; ++call) ASSERT_EQ(evs_leave(story.handle, &keys[call * 50], 50), CS_OK);
  ASSERT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_FIFO, &keys[0], 1, nullptr, 0), CS_OK);
  EXPECT_EQ(story.messages(), test::Lines{});
  EXPECT_EQ(peer.ask("told").substr(0, 5), "CS_OK");
}

TEST(Groups, UpToTheLimitOfAHandle) {
  Story story;
  std::vector<evs_group> keys;
  for (int i = 0; i <= EVS_MAX_GROUPS_PER_HANDLE; ++i) keys.push_back(test::group(std::to_string(i)));
  for (size_t done = 0; done < EVS_MAX_GROUPS_PER_HANDLE;) {
    const size_t count = std::min<size_t>(50, EVS_MAX_GROUPS_PER_HANDLE - done);
    ASSERT_EQ(evs_join(story.handle, &keys[done], count), CS_OK);
    done += count;
    story.told();
  }
  EXPECT_EQ(evs_join(story.handle, &keys.back(), 1), CS_ERR_TOO_MANY_GROUPS);
  const std::string largest(1 << 20, 'x');
  ASSERT_EQ(story.say(largest), CS_OK);  // the largest record there is: the most groups and the most bytes
  EXPECT_EQ(story.messages(), test::Lines{largest});
  EXPECT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_SAFE, keys.data(), keys.size(), nullptr, 0),
            CS_ERR_TOO_MANY_GROUPS);
}

std::string self_certifying(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = static_cast<uint32_t>(size) * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST(Sizes, FromNothingToTheLimit) {
  Story story;
  ASSERT_EQ(story.join("sizes"), CS_OK);
  story.told();
  evs_limits_t limits{};
  limits.struct_size = sizeof limits;
  ASSERT_EQ(evs_limits(story.handle, &limits), CS_OK);
  const size_t most = limits.message_bytes;
  EXPECT_GE(most, 1048500u) << "programs of old rely on it";

  // Around each unit of the ring, each page and each power of two; two laps and more of the ring in sum.
  std::vector<size_t> sizes{0, 1, 1048499, 1048500, 1048501, most - 1, most};
  for (size_t unit = 1; unit < most; unit *= 2)
    for (const size_t size : {unit - 1, unit, unit + 1, unit + 31}) sizes.push_back(std::min(size, most));
  for (const size_t size : sizes) {
    const std::string text = self_certifying(size);
    ASSERT_EQ(story.say(text), CS_OK) << size;
    const test::Lines got = story.messages();
    ASSERT_EQ(got.size(), 1u) << size;
    ASSERT_TRUE(got[0] == text) << size << " bytes arrived as " << got[0].size();
  }
  const std::string too_big(most + 1, 'x');
  for (int turn = 0; turn < 3; ++turn) EXPECT_EQ(story.say(too_big), CS_ERR_TOO_BIG);
  const iovec absurd[2] = {{nullptr, SIZE_MAX}, {nullptr, 2}};
  EXPECT_EQ(evs_mcast_joined(story.handle, EVS_TYPE_AGREED, absurd, 2), CS_ERR_TOO_BIG) << "the sum wraps";
  ASSERT_EQ(story.say("and the handle goes on"), CS_OK);
  EXPECT_EQ(story.messages(), test::Lines{"and the handle goes on"});
}

TEST(Sizes, AnotherLimitHoldsForAllOfTheBus) {
  Story::Wishes wishes;
  wishes.bus = "small";
  wishes.parameters = {{"local.message_limit", "4KiB"}, {"local.ring_size", "1MiB"}, {"local.max_processes", "4"}};
  Story story(wishes);
  ASSERT_EQ(story.result, CS_OK) << story.error;
  ASSERT_EQ(story.join("g"), CS_OK);
  story.told();
  EXPECT_EQ(story.say(std::string(4096, 'x')), CS_OK);
  EXPECT_EQ(story.say(std::string(4097, 'x')), CS_ERR_TOO_BIG);
  EXPECT_EQ(story.messages().size(), 1u);

  // A peer asks for a larger limit: the segment's holds, for it as well.
  PeerProcess peer;
  ASSERT_THAT(peer.ask("open " + test::directory() + " small"), HasSubstr("CS_OK"));
  EXPECT_EQ(peer.ask("send g " + std::string(4096, 'y')), "CS_OK");
  EXPECT_EQ(peer.ask("send g " + std::string(4097, 'y')), "CS_ERR_TOO_BIG");
  EXPECT_EQ(story.messages(), test::Lines{std::string(4096, 'y')});
}

// A ring of which the largest record, and the rest of a lap that it may take with it, leave little: an idle reader's cursor that has fallen behind
// by less than a quarter stands in the way, and nothing that comes is for it. Its process passes what it does not want, and nobody is expelled.
TEST(Sizes, TheLargestRecordFindsRoomBehindAnIdleReader) {
  Story::Wishes wishes;
  wishes.bus = "idle";
  wishes.parameters = {{"local.ring_size", "1MiB"}, {"local.message_limit", "320KiB"}, {"local.max_processes", "2"}, {"local.slow_reader_timeout", "1h"}};
  Story story(wishes);
  ASSERT_EQ(story.result, CS_OK) << story.error;
  PeerProcess idle;
  ASSERT_THAT(idle.ask("open " + test::directory() + " idle"), HasSubstr("CS_OK"));
  ASSERT_EQ(idle.ask("join silence"), "CS_OK");
  ASSERT_THAT(idle.ask("told"), HasSubstr("conf 1 2"));
  const auto wait = [&](const std::vector<evs_group>& groups, size_t size) {
    std::string text(size, 'x');
    const iovec part{text.data(), text.size()};
    return evs_mcast_wait(story.handle, EVS_TYPE_AGREED, groups.data(), groups.size(), &part, 1, 20'000'000'000);
  };
  const auto used = [&] {
    evs_status_t status{};
    status.struct_size = sizeof status;
    EXPECT_EQ(evs_status(story.handle, &status), CS_OK);
    return status.ring_used_bytes;
  };
  std::vector<evs_group> most;
  for (int i = 0; i < EVS_MAX_GROUPS_PER_HANDLE; ++i) most.push_back(test::group(std::to_string(i)));
  for (int lap = 0; lap < 4; ++lap) {
    for (int i = 0; i < 50; ++i) ASSERT_EQ(wait({test::group("g")}, 4000), CS_OK) << lap << ", " << i;
    ASSERT_EQ(wait(most, 320 << 10), CS_OK) << lap;
    while (used() != 0) std::this_thread::yield();  // the idle one's cursor goes on from here, wherever it was passed to before
  }
  ASSERT_EQ(story.say_to({"silence"}, "broken"), CS_OK);
  EXPECT_THAT(idle.ask("told"), HasSubstr("CS_OK | msg broken")) << "it heard of no expulsion before";
}

TEST(Processes, AsManyAsTheBusHasPlacesFor) {
  Story::Wishes wishes;
  wishes.bus = "crowded";
  wishes.parameters = {{"local.max_processes", "3"}};
  Story story(wishes);
  ASSERT_EQ(story.result, CS_OK) << story.error;
  PeerProcess second, third, fourth;
  const std::string open = "open " + test::directory() + " crowded";
  ASSERT_THAT(second.ask(open), HasSubstr("CS_OK"));
  ASSERT_THAT(third.ask(open), HasSubstr("CS_OK"));
  const std::string refused = fourth.ask(open);
  EXPECT_THAT(refused, HasSubstr("CS_ERR_NO_RESOURCES"));
  EXPECT_THAT(refused, HasSubstr("max_processes"));
  // A killed one's place is free again once its leave is in order, and not before. (All three are seen first: a handle
  // that joined no group hears of several changes as of one.)
  const auto dispatch_until = [&story](const std::string& start) {
    while (story.lines.empty() || story.lines.back().rfind(start, 0) != 0)
      ASSERT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
  };
  dispatch_until("conf 1 2 3");
  third.kill(SIGKILL);
  third.end();
  dispatch_until("conf 1 2 -3");
  dispatch_until("conf 1 2");
  EXPECT_THAT(fourth.ask(open), HasSubstr("CS_OK"));
}

}  // namespace
}  // namespace evs::limits
