// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/sealing/hostile_test.cc - somebody without the key, who sends what he likes; and somebody with too many hosts.
#include <openssl/err.h>

#include "tests/unit/sealing/sealing_world.h"

namespace evs::runtime::sealing {
namespace {

Letter forged(test::Dice& dice, size_t bytes) {
  Letter letter(bytes);
  for (std::byte& each : letter) each = static_cast<std::byte>(dice.next());
  const Header header{Form::sealed, 1, static_cast<HostId>(dice.between(1, ordering::kMaxHostId)), {dice.next(), dice.next()}, dice.between(1, UINT64_MAX)};
  write_header(letter.data(), header);
  return letter;
}

TEST(Hostile, AMillionForgedSendersTakeNoPlace) {
  Station a({}), b({.host = 2});
  ASSERT_EQ(b.hear(a.say("x")), Refusal::none);
  test::Dice dice(1);
  constexpr int kForged = 1'000'000;
  for (int i = 0; i < kForged; ++i) {
    Letter letter = forged(dice, 100);
    ToOpen item{letter};
    ASSERT_EQ(b.sealing->open(kSecond, {&item, 1}), 0u);
    if (i % 1000 == 0) {
      ASSERT_EQ(b.hear(a.say("still heard")), Refusal::none);
    }
  }
  EXPECT_EQ(b.count(Refusal::tag) + b.count(Refusal::old_life), static_cast<uint64_t>(kForged));
  EXPECT_EQ(b.sealing->senders(), 1u);
  EXPECT_LE(b.notices().size(), 10u);
}

TEST(Hostile, ForgedPacketsOfALiveHostDoNotTouchIt) {
  Station a({}), b({.host = 2});
  test::Dice dice(2);
  for (int i = 0; i < 1000; ++i) {
    const Letter good = a.say("x");
    Letter bad = good;
    // Further on in the counter, another stretch, another life: whatever the header says.
    const size_t at = dice.between(16, bad.size() - 1);
    bad[at] ^= static_cast<std::byte>(dice.between(1, 255));
    EXPECT_NE(b.hear(bad), Refusal::none);
    EXPECT_EQ(b.hear(good), Refusal::none);
  }
}

TEST(Hostile, OpenSslsListOfErrorsStaysAsTheApplicationLeftIt) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 42);
  const unsigned long theirs = ERR_peek_last_error();
  Station a({}), b({.host = 2}), c({.host = 3, .keys = Keyring(kForeign)});
  b.hear(a.say("x"));
  b.hear(c.say("x"));
  EXPECT_EQ(b.count(Refusal::tag), 1u);
  EXPECT_TRUE(b.sealing->reload(keys_of(kNew, kOld)).ok());
  EXPECT_EQ(ERR_peek_error(), theirs);
  EXPECT_EQ(ERR_peek_last_error(), theirs);
  ERR_clear_error();
}

TEST(Table, AFullOneRefusesNewcomersAndKeepsWhoIsThere) {
  Station b({.host = 1000, .most_senders = 8});
  std::vector<Station> hosts;
  for (HostId host = 1; host <= 9; ++host) hosts.emplace_back(Who{.host = host});
  for (HostId host = 0; host < 8; ++host) EXPECT_EQ(b.hear(hosts[host].say("x"), kSecond * (host + 1)), Refusal::none);
  EXPECT_EQ(b.hear(hosts[8].say("x"), kSecond * 20), Refusal::table_full);
  EXPECT_EQ(b.sealing->senders(), 8u);
  EXPECT_EQ(b.notices().size(), 1u);
  for (HostId host = 0; host < 8; ++host) EXPECT_EQ(b.hear(hosts[host].say("y"), kSecond * 21), Refusal::none);
}

TEST(Table, WhoWasSilentLongMakesRoom) {
  Station b({.host = 1000, .most_senders = 8});
  std::vector<Station> hosts;
  for (HostId host = 1; host <= 9; ++host) hosts.emplace_back(Who{.host = host});
  for (HostId host = 0; host < 8; ++host) EXPECT_EQ(b.hear(hosts[host].say("x"), kSecond), Refusal::none);
  const uint64_t later = kSecond + kForgetAfterNs;
  for (HostId host = 0; host < 8; ++host)
    if (host != 3) {
      EXPECT_EQ(b.hear(hosts[host].say("y"), later - 1), Refusal::none);
    }
  EXPECT_EQ(b.hear(hosts[8].say("x"), later - 1), Refusal::table_full);
  EXPECT_EQ(b.hear(hosts[8].say("x"), later), Refusal::none);
  EXPECT_EQ(b.sealing->senders(), 8u);
  for (HostId host = 0; host < 9; ++host)
    if (host != 3) {
      EXPECT_EQ(b.hear(hosts[host].say("z"), later), Refusal::none) << host;
    }
  EXPECT_EQ(b.hear(hosts[3].say("z"), later), Refusal::table_full);
}

TEST(Table, AsManyHostsAsItPromises) {
  Station b({.host = ordering::kMaxHostId});
  for (HostId host = 1; host <= kMostSenders; ++host) {
    Station a({.host = host * 37});
    ASSERT_EQ(b.hear(a.say("x")), Refusal::none) << host;
  }
  EXPECT_EQ(b.sealing->senders(), kMostSenders);
}

// Random lives, restarts and repetitions of some hosts, against the rule in one line: the newest life that was heard, and each of its packets once.
TEST(Table, WhatIsHeardIsWhatTheRuleSays) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    test::Dice dice(seed);
    Station b({.host = 1000});
    struct Sent {
      Letter letter;
      HostId host;
      Life life;
      bool heard = false;
    };
    std::vector<Sent> sent;
    std::vector<Life> newest(5);
    uint64_t birth = 1;
    for (int i = 0; i < 30; ++i) {
      const HostId host = static_cast<HostId>(dice.between(1, 4));
      Station a({.host = host, .life = {++birth, dice.next()}});
      for (int n = 0; n < 3; ++n) sent.push_back({a.say("x"), host, {birth, 0}});
    }
    for (int i = 0; i < 500; ++i) {
      Sent& each = sent[dice.below(sent.size())];
      const Refusal expected = each.life.birth < newest[each.host].birth ? Refusal::old_life : each.heard ? Refusal::replay : Refusal::none;
      ASSERT_EQ(b.hear(each.letter), expected);
      if (expected != Refusal::none) continue;
      each.heard = true;
      newest[each.host] = each.life;
    }
  }
}

}  // namespace
}  // namespace evs::runtime::sealing
