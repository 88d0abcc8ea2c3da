// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/sealing/sealing_test.cc - stories of senders: what they say is heard once, and nothing else is.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "tests/unit/sealing/sealing_world.h"

namespace evs::runtime::sealing {
namespace {

TEST(Sealing, WhatGoesOutComesBackFromTwoPlacesOfABuffer) {
  Station a({}), b({.host = 2});
  Letter in_place(40 + 5 + 16), apart(100);
  const Letter packet = text("hello");
  std::copy(packet.begin(), packet.end(), in_place.begin() + 40);
  ToSeal both[] = {{Bytes(in_place).subspan(40, 5), in_place}, {packet, apart}};
  ASSERT_EQ(a.sealing->seal(both), SealStatus::ok);
  EXPECT_EQ(packet, text("hello"));  // what the core keeps stays as it is
  in_place.resize(both[0].size);
  apart.resize(both[1].size);
  EXPECT_EQ(words(in_place).find("hello"), std::string::npos);
  for (const Letter& letter : {in_place, apart}) {
    EXPECT_EQ(b.hear(letter), Refusal::none);
    EXPECT_EQ(words(b.last), "hello");
  }
  EXPECT_EQ(counter_of(apart), counter_of(in_place) + 1);
}

TEST(Sealing, InTheClearInOnePlaceToo) {
  Station a({.keys = {}}), b({.host = 2, .keys = {}});
  Letter room(40 + 5);
  const Letter packet = text("hello");
  std::copy(packet.begin(), packet.end(), room.begin() + 40);
  ToSeal item{Bytes(room).subspan(40, 5), room};
  ASSERT_EQ(a.sealing->seal({&item, 1}), SealStatus::ok);
  EXPECT_EQ(b.hear(room), Refusal::none);
  EXPECT_EQ(words(b.last), "hello");
  EXPECT_EQ(b.hear(room), Refusal::none);  // nothing is remembered: whoever sends in the clear leaves that to the core
  EXPECT_EQ(b.sealing->senders(), 0u);
}

TEST(Sealing, ABatchGoesOnBehindWhatIsRefused) {
  Station a({}), b({.host = 2}), stranger({.host = 3, .keys = Keyring(kForeign)});
  std::vector<Letter> letters = {a.say("1"), stranger.say("?"), a.say("2"), text("noise"), a.say("3")};
  std::vector<ToOpen> batch;
  for (Letter& letter : letters) batch.push_back({letter});
  EXPECT_EQ(b.sealing->open(kSecond, batch), 3u);
  EXPECT_EQ(batch[1].refusal, Refusal::tag);
  EXPECT_EQ(batch[3].refusal, Refusal::too_short);
  EXPECT_EQ(batch[4].packet.size(), 1u);
  EXPECT_EQ(b.sealing->counts().opened, 3u);
}

TEST(Sealing, BusesOfOneKeyKeepApart) {
  Station a({.bus = "one"}), same({.host = 2, .bus = "one"}), other({.host = 3, .bus = "two"});
  const Letter letter = a.say("x");
  EXPECT_EQ(same.hear(letter), Refusal::none);
  EXPECT_EQ(other.hear(letter), Refusal::tag);
  EXPECT_EQ(other.sealing->senders(), 0u);
}

TEST(Sealing, OurOwnPacketsComeBackUnopened) {
  Station a({});
  EXPECT_EQ(a.hear(a.say("x")), Refusal::echo);
  EXPECT_EQ(a.sealing->senders(), 0u);
  EXPECT_TRUE(a.notices().empty());
}

TEST(Replay, NothingIsHeardTwice) {
  Station a({}), b({.host = 2});
  std::vector<Letter> letters;
  for (int i = 0; i < 300; ++i) letters.push_back(a.say(std::to_string(i)));
  test::Dice dice(7);
  for (size_t i = letters.size() - 1; i > 0; --i) std::swap(letters[i], letters[dice.below(i + 1)]);
  for (const Letter& letter : letters) EXPECT_EQ(b.hear(letter), Refusal::none);  // in any order
  for (const Letter& letter : letters) EXPECT_EQ(b.hear(letter), Refusal::replay);
  EXPECT_EQ(b.count(Refusal::replay), 300u);
  EXPECT_TRUE(b.notices().empty());
}

TEST(Replay, AsFarAsTheWindowAndNotBeyond) {
  Station a({}), b({.host = 2});
  std::vector<Letter> letters;
  for (uint64_t i = 0; i <= kWindowPackets; ++i) letters.push_back(a.say("x"));
  EXPECT_EQ(b.hear(letters.back()), Refusal::none);
  EXPECT_EQ(b.hear(letters.front()), Refusal::replay);  // kWindowPackets before it: too old, though never heard
  EXPECT_EQ(b.hear(letters[1]), Refusal::none);
  EXPECT_EQ(b.hear(letters[1]), Refusal::replay);
}

TEST(Replay, SuperPacketsOvertakeEachOther) {
  Station a({}), b({.host = 2});
  std::vector<std::vector<Letter>> super(64);
  for (auto& segments : super)
    for (uint64_t i = 0; i < kSegments; ++i) segments.push_back(a.say("x"));
  std::reverse(super.begin(), super.end());  // as bad as 64 of them on their way can be
  for (const auto& segments : super)
    for (const Letter& letter : segments) ASSERT_EQ(b.hear(letter), Refusal::none);
}

// Against a set of all that was ever marked.
TEST(Replay, TheWindowIsWhatASetWouldSay) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    test::Dice dice(seed);
    ReplayWindow window;
    std::set<uint64_t> marked;
    uint64_t newest = 0;
    for (int i = 0; i < 20'000; ++i) {
      const uint64_t reach = dice.one_in(50) ? 3 * kWindowPackets : dice.one_in(3) ? kWindowPackets + 100 : 70;
      const uint64_t base = newest > reach ? newest - reach : 0;
      const uint64_t counter = base + dice.below(2 * reach + 1);
      const bool fresh = counter != 0 && marked.count(counter) == 0 && (counter > newest || newest - counter < kWindowPackets);
      ASSERT_EQ(window.is_fresh(counter), fresh) << counter << " with " << newest;
      if (!fresh) continue;
      window.mark(counter);
      marked.insert(counter);
      newest = std::max(newest, counter);
    }
  }
}

TEST(Replay, TheEndOfTheCounter) {
  Station a({.first_counter = UINT64_MAX - 1}), b({.host = 2});
  EXPECT_EQ(b.hear(a.say("last")), Refusal::none);
  Letter room(100);
  const Letter packet = text("x");
  ToSeal item{packet, room};
  EXPECT_EQ(a.sealing->seal({&item, 1}), SealStatus::exhausted);
  EXPECT_EQ(item.size, 0u);
}

TEST(Lives, TheNewerOneIsHeardAndTheOlderOneNoMore) {
  Station first({.life = {1000, 9}}), second({.life = {1001, 4}}), b({.host = 2});
  const Letter early = first.say("early"), late = first.say("late");
  EXPECT_EQ(b.hear(early), Refusal::none);
  EXPECT_EQ(b.hear(second.say("I am back")), Refusal::none);
  EXPECT_EQ(b.sender.nonce, 4u);
  EXPECT_EQ(b.hear(early), Refusal::old_life);
  EXPECT_EQ(b.hear(late), Refusal::old_life);
  EXPECT_EQ(b.hear(second.say("still here")), Refusal::none);
  EXPECT_EQ(b.sealing->senders(), 1u);
  EXPECT_EQ(b.count(Refusal::old_life), 2u);
}

TEST(Lives, WhoCannotProveItEndsNoLife) {
  Station a({}), b({.host = 2}), forger({.life = {5000, 1}, .keys = Keyring(kForeign)});
  EXPECT_EQ(b.hear(a.say("1")), Refusal::none);
  EXPECT_EQ(b.hear(forger.say("I am host 1 now")), Refusal::tag);
  EXPECT_EQ(b.hear(a.say("2")), Refusal::none);
}

TEST(Lives, OurOwnFormerLifeDoesNotComeBack) {
  Station former({.life = {1000, 1}}), now({.life = {1001, 2}}), namesake({.life = {1002, 3}});
  EXPECT_EQ(now.hear(former.say("a recording")), Refusal::old_life);
  EXPECT_EQ(now.hear(namesake.say("a second machine")), Refusal::none);  // the core says that there are two
  EXPECT_EQ(now.sender, (ordering::Host{1, 3}));
}

TEST(Lives, ALifeFollowsAlsoWhenTheClockWentBack) {
  EXPECT_EQ(next_life(5000, 0, 7), (Life{5000, 7}));
  EXPECT_EQ(next_life(5000, 4000, 7), (Life{5000, 7}));
  EXPECT_EQ(next_life(5000, 5000, 7), (Life{5001, 7}));
  EXPECT_EQ(next_life(5000, 9000, 7), (Life{9001, 7}));
}

TEST(Nonces, NoTwoLivesHaveTheSameKeys) {
  // The same counter, host and packet: what differs is the life alone, and the last differs in nothing.
  const Letter packet(64);
  std::set<std::string> bodies;
  for (const Who& run : {Who{.life = {1, 1}}, Who{.life = {1, 2}}, Who{.life = {2, 1}}, Who{.host = 2, .life = {1, 1}}, Who{.life = {1, 1}, .keys = Keyring(kForeign)},
                         Who{.life = {1, 1}}}) {
    Station a(run);
    const Letter letter = a.say(packet);
    bodies.insert(words(letter).substr(kHeaderBytes));
  }
  EXPECT_EQ(bodies.size(), 5u);
}

TEST(Nonces, AChildCannotSeal) {
  Station a({}), b({.host = 2});
  const Letter from_b = b.say("x");
  EXPECT_EQ(counter_of(a.say("parent")), 1u);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Letter room(100);
    const Letter packet = text("child");
    ToSeal item{packet, room};
    const bool refused = a.sealing->seal({&item, 1}) == SealStatus::forked && item.size == 0;
    const bool opens = a.hear(from_b) == Refusal::none;
    _exit(refused && opens ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(counter_of(a.say("parent")), 2u);
  EXPECT_EQ(b.hear(a.say("goes on")), Refusal::none);
}

TEST(Nonces, ThereAreNoCopies) {
  static_assert(!std::is_copy_constructible_v<Sealing> && !std::is_copy_assignable_v<Sealing>);
  static_assert(!std::is_move_constructible_v<Sealing> && !std::is_move_assignable_v<Sealing>);
}

TEST(Nonces, AcrossTheEndOfAStretch) {
  const uint64_t border = uint64_t{1} << kStretchBits;
  Station a({.first_counter = border - 200}), b({.host = 2});
  std::vector<Letter> letters;
  for (int i = 0; i < 400; ++i) letters.push_back(a.say(std::to_string(i)));
  // Both sides of the border by turns, and then again.
  for (size_t i = 0; i < 200; ++i)
    for (const size_t each : {199 - i, 200 + i}) {
      ASSERT_EQ(b.hear(letters[each]), Refusal::none) << each;
      ASSERT_EQ(words(b.last), std::to_string(each));
    }
  for (const Letter& letter : letters) EXPECT_EQ(b.hear(letter), Refusal::replay);
}

TEST(Beginning, AHostWithoutAnIdIsRefused) {
  for (const HostId host : {0u, 1u << 20}) {
    Settings settings;
    settings.host = host;
    settings.keys = Keyring(kOld);
    const auto made = Sealing::begin(settings);
    ASSERT_FALSE(made.ok());
    EXPECT_NE(made.error().find("from 1 to 1048575"), std::string::npos);
  }
}

}  // namespace
}  // namespace evs::runtime::sealing
