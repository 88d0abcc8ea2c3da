// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/sealing/rotation_test.cc - keys are replaced while hosts go on; and what people are told when something does not fit.
#include <gmock/gmock.h>

#include "tests/unit/sealing/sealing_world.h"

namespace evs::runtime::sealing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void reload(Station& host, const Keyring& keys, bool changed = true) {
  const Result<bool> done = host.sealing->reload(keys);
  ASSERT_TRUE(done.ok()) << done.error();
  EXPECT_EQ(*done, changed);
}

// Three hosts, one step after the other on each, in each order: everybody understands everybody all the time.
TEST(Rotation, NobodyIsCutOffAtAnyStep) {
  Station hosts[] = {Station({.host = 1}), Station({.host = 2}), Station({.host = 3})};
  const auto all_hear_all = [&] {
    for (Station& from : hosts)
      for (Station& to : hosts) {
        if (&from == &to) continue;
        ASSERT_EQ(to.hear(from.say("x")), Refusal::none);
      }
  };
  all_hear_all();
  for (const Keyring& step : {keys_of(kOld, kNew), keys_of(kNew, kOld), Keyring(kNew)})
    for (Station& host : hosts) {
      reload(host, step);
      all_hear_all();
    }
  Station outdated({.host = 4});
  EXPECT_EQ(hosts[0].hear(outdated.say("x")), Refusal::unknown_key);
  EXPECT_THAT(hosts[0].notices(), ElementsAre("packets in the name of host 4 are sealed with key 1, which is not in /etc/evs/key: copy the bus's key file to all its hosts"));
}

TEST(Rotation, TheCounterAndTheWindowGoOn) {
  Station a({}), b({.host = 2});
  const Letter under_old = a.say("1");
  EXPECT_EQ(b.hear(under_old), Refusal::none);
  for (Station* each : {&a, &b}) reload(*each, keys_of(kNew, kOld));
  const Letter under_new = a.say("2");
  EXPECT_EQ(counter_of(under_new), 2u);
  EXPECT_EQ(b.hear(under_new), Refusal::none);
  EXPECT_EQ(b.hear(under_old), Refusal::replay);
  EXPECT_EQ(b.hear(under_new), Refusal::replay);
}

TEST(Rotation, PacketsOfBothKeysByTurns) {
  Station a({}), twin_of_a({.keys = Keyring(kNew), .first_counter = 1000}), b({.host = 2, .keys = keys_of(kNew, kOld)});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(b.hear(a.say("old")), Refusal::none);
    EXPECT_EQ(b.hear(twin_of_a.say("new")), Refusal::none);
  }
}

TEST(Rotation, ARetiredKeyOpensNothing) {
  Station a({}), b({.host = 2, .keys = keys_of(kNew, kOld)});
  const Letter first = a.say("1"), second = a.say("2");
  EXPECT_EQ(b.hear(first), Refusal::none);
  reload(b, Keyring(kNew));
  EXPECT_EQ(b.hear(first), Refusal::unknown_key);
  EXPECT_EQ(b.hear(second), Refusal::unknown_key);
  EXPECT_EQ(b.sealing->senders(), 0u);  // nothing of it can be replayed, so nothing is remembered
}

TEST(Rotation, AKeyOfTheSameIdIsAnotherKey) {
  Station a({}), b({.host = 2});
  EXPECT_EQ(b.hear(a.say("1")), Refusal::none);
  reload(b, Keyring(kForeign));
  EXPECT_EQ(b.hear(a.say("2")), Refusal::tag);
  reload(a, Keyring(kForeign));
  EXPECT_EQ(b.hear(a.say("3")), Refusal::none);
}

TEST(Rotation, WhoWasHeardUnderTheKeyThatStaysIsRemembered) {
  Station before({.life = {1000, 1}, .keys = keys_of(kNew, kOld)}), a({.life = {2000, 1}, .keys = keys_of(kNew, kOld)});
  Station b({.host = 2, .keys = keys_of(kNew, kOld)});
  const Letter recorded = before.say("x");
  const Letter said = a.say("1");
  EXPECT_EQ(b.hear(said), Refusal::none);
  reload(a, keys_of(kOld, kNew));  // back, and on again: the last two packets are of the key that goes
  for (uint64_t i = 0; i < 2; ++i) EXPECT_EQ(b.hear(a.say("2")), Refusal::none);
  reload(b, Keyring(kNew));
  EXPECT_EQ(b.hear(said), Refusal::replay);
  EXPECT_EQ(b.hear(recorded), Refusal::old_life);
}

TEST(Rotation, AClockThatWasFarAheadIsForgottenWithTheKey) {
  Station ahead({.life = {uint64_t{1} << 63, 1}}), a({.life = {1000, 2}, .keys = Keyring(kNew)}), b({.host = 2, .keys = keys_of(kOld, kNew)});
  EXPECT_EQ(b.hear(ahead.say("x")), Refusal::none);
  EXPECT_EQ(b.hear(a.say("x")), Refusal::old_life);
  EXPECT_THAT(b.notices(), ElementsAre(HasSubstr("started with its clock set back")));
  reload(b, Keyring(kNew));
  EXPECT_EQ(b.hear(a.say("x")), Refusal::none);
}

TEST(Rotation, NothingNewIsNoChangeAndNoKeyIsNone) {
  Station a({}), clear({.keys = {}});
  reload(a, Keyring(kOld), false);
  EXPECT_FALSE(a.sealing->reload(Keyring()).ok());
  EXPECT_FALSE(clear.sealing->reload(Keyring(kOld)).ok());
  Station b({.host = 2});
  EXPECT_EQ(b.hear(a.say("x")), Refusal::none);
}

TEST(Notices, SealedAndUnsealedSayOfEachOtherWhatTheyAre) {
  Station sealed({.host = 1}), clear({.host = 2, .keys = {}});
  EXPECT_EQ(sealed.hear(clear.say("x")), Refusal::unsealed);
  EXPECT_EQ(clear.hear(sealed.say("x")), Refusal::sealed);
  EXPECT_THAT(sealed.notices(), ElementsAre("packets in the name of host 2 are in the clear, and this host seals: give that host the key (/etc/evs/key) and no uplink.security = \"none\""));
  EXPECT_THAT(clear.notices(), ElementsAre("packets in the name of host 1 are sealed, and this host is configured with uplink.security = \"none\": take that away here and give this host the key"));
}

TEST(Notices, AnEpisodeIsALineForAHost) {
  Station a({.host = 1}), b({.host = 2, .keys = Keyring(kForeign)});
  uint64_t now = kSecond;
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(b.hear(a.say("x"), now += kSecond / 100), Refusal::tag);
  EXPECT_THAT(b.notices(), ElementsAre(HasSubstr("in the name of host 1 do not open with key 1")));
  EXPECT_EQ(b.hear(a.say("x"), now += 61 * kSecond), Refusal::tag);
  EXPECT_THAT(b.notices(), IsEmpty());  // it was quiet, and the episode is the same
  EXPECT_EQ(b.count(Refusal::tag), 10'001u);
  for (uint64_t i = 0; i <= Notices::kEpisodeNs / kSecond; ++i) EXPECT_EQ(b.hear(a.say("x"), now += kSecond), Refusal::tag);
  EXPECT_EQ(b.notices().size(), 1u);  // and it lasts
}

TEST(Notices, ManyHostsAreNotManyLines) {
  Station b({.host = 2000, .keys = Keyring(kForeign)});
  for (HostId host = 1; host <= 20; ++host) {
    Station a({.host = host});
    b.hear(a.say("x"));
  }
  const auto lines = b.notices();
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_THAT(lines[3], HasSubstr("host 4 "));
  EXPECT_THAT(lines[4], HasSubstr("from further hosts, which are not named, do not open with a key"));
  EXPECT_THAT(b.notices(), IsEmpty());
}

// Five forged hosts, silence, five others: whatever the silence, ten minutes have their five lines, and the next ten minutes theirs.
TEST(Notices, WhoIsSilentNowAndThenGetsNoMoreLines) {
  for (const uint64_t silence_s : {1u, 59u, 61u, 119u, 299u}) {
    Notices notices;
    size_t lines = 0;
    HostId host = 0;
    const auto burst = [&](uint64_t now) {
      for (int i = 0; i < 5; ++i) {
        Header header;
        header.host = ++host;
        notices.saw(now, Refusal::tag, header);
      }
      for (Notice notice; notices.take(notice);) ++lines;
    };
    const uint64_t begin = 7 * kSecond;
    for (uint64_t now = begin; now <= begin + Notices::kEpisodeNs; now += silence_s * kSecond) burst(now);
    EXPECT_EQ(lines, Notices::kNamed + 1) << silence_s;
    burst(begin + Notices::kEpisodeNs + 1);
    EXPECT_EQ(lines, 2 * (Notices::kNamed + 1)) << silence_s;
  }
}

TEST(Notices, EachReasonHasItsSentence) {
  for (size_t i = 1; i < kRefusals; ++i) {
    const auto why = static_cast<Refusal>(i);
    EXPECT_STRNE(name_of(why), "?");
    if (why == Refusal::replay || why == Refusal::echo) continue;
    Header header;
    header.host = 77;
    Notices notices;
    notices.saw(1, why, header);
    Notice notice;
    ASSERT_TRUE(notices.take(notice)) << name_of(why);
    const std::string line = sentence(notice, "/k");
    EXPECT_THAT(line, testing::Not(HasSubstr("were refused"))) << name_of(why);
    EXPECT_LT(line.size(), 300u);
    EXPECT_FALSE(notices.take(notice));
  }
}

}  // namespace
}  // namespace evs::runtime::sealing
