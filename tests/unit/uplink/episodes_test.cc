// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/episodes_test.cc - each line that the uplink has for people: when it comes, on which level, and that it does not come again and again.
#include "bus/runtime/uplink/episodes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "bus/ordering/host_set.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr Duration kMs = kMillisecond;

struct Story {
  Story() {
    seen.self = {1, 1};
    seen.token_lost = kSecond;
    form({{1, 1}, {2, 1}, {3, 1}}, Why::started);
    run(kSecond);
    lines.clear();
  }
  void form(const Hosts& members, Why why, Duration took = 140 * kMs, bool left = false) {
    seen.members = members;
    seen.ring = {seen.ring.sequence + 4, members.front().id, 1};
    seen.rings = {seen.rings.formed + 1, why, took, left};
    seen.ended_at = kNever;
  }
  void round() {
    now = now + 100 * kMs;
    for (Line& line : episodes.note(now, seen)) lines.push_back(std::move(line));
    seen.notices.clear();
  }
  void run(Duration time, const std::function<void()>& each = [] {}) {
    for (const Instant end = now + time; now < end;) {
      each();
      round();
    }
  }
  size_t count(const std::string& words, Level level = Level::warning) const {
    return static_cast<size_t>(
        std::count_if(lines.begin(), lines.end(), [&](const Line& line) { return line.level == level && line.text.find(words) != std::string::npos; }));
  }
  std::string all() const {
    std::string text;
    for (const Line& line : lines) text += std::string(line.kind) + ": " + line.text + "\n";
    return text;
  }

  Instant now{1000 * kSecond};
  Snapshot seen;
  Episodes episodes;
  Lines lines;
};

TEST(Episodes, NothingIsSaidWhenNothingHappens) {
  Story story;
  story.run(600 * kSecond);
  EXPECT_EQ(story.all(), "");
}

TEST(Episodes, ALostMemberAndTheRingWithoutIt) {
  Story story;
  story.form({{1, 1}, {2, 1}}, Why::token_lost, 1340 * kMs);
  story.run(10 * kSecond);
  EXPECT_EQ(story.all(),
            "uplink.member: host 3 is lost: the token did not come back within 1 s. If it was not stopped, look at whether it runs and has the processor, at its network, and at "
            "the firewalls (udp port 5410)\n"
            "uplink.ring: ring 8 of hosts 1, 2 (this is host 1) formed in 1.3 s, because the token did not come back within 1 s\n");
  EXPECT_EQ(story.lines[0].level, Level::warning);
  EXPECT_EQ(story.lines[1].level, Level::info);
}

TEST(Episodes, WhoLeavesInOrderIsNotLost) {
  Story story;
  story.form({{1, 1}, {2, 1}}, Why::join_heard, 20 * kMs, true);
  story.round();
  EXPECT_EQ(story.count("host 3 left", Level::info), 1u);
  EXPECT_EQ(story.count("lost"), 0u);
}

TEST(Episodes, WhoComesAndWhoBeginsAnew) {
  Story story;
  story.form({{1, 1}, {2, 1}, {3, 7}, {4, 1}}, Why::join_heard);
  story.round();
  EXPECT_EQ(story.all(), "uplink.ring: ring 8 of hosts 1, 2, 3, 4 (this is host 1) formed in 140 ms, because a host asked for another ring; "
                         "host 3 began anew\n");
}

TEST(Episodes, RingsThatComeAndGoAreNotEachTold) {
  Story story;
  for (int i = 0; i < 400; ++i) {
    story.form(i % 2 == 0 ? Hosts{{1, 1}, {2, 1}} : Hosts{{1, 1}, {2, 1}, {3, 1}}, i % 2 == 0 ? Why::token_lost : Why::foreign_ring);
    story.run(1500 * kMs);
  }
  EXPECT_LE(story.lines.size(), 30u) << story.all();  // ten minutes of it
  EXPECT_EQ(story.count("host 3 is lost: "), 10u) << story.all();
  EXPECT_EQ(story.count(" Look for a host or a link that comes and goes") + story.count("; host 3 was lost "), 20u) << story.all();
  EXPECT_EQ(story.count("rings come and go, "), 10u) << story.all();
  story.lines.clear();
  story.run(120 * kSecond);
  EXPECT_EQ(story.count("rings have come to rest: it is ring 1604 of hosts 1, 2, 3 since half a minute", Level::info), 1u) << story.all();
}

// Whatever else is not told any more: once a minute, or when it is missing still.
TEST(Episodes, WhoIsLostWhileRingsComeAndGoIsSaid) {
  Story story;
  story.seen.members.push_back({4, 1});
  for (int i = 0; i < 9; ++i) {
    story.form(i % 2 == 0 ? Hosts{{1, 1}, {2, 1}, {3, 1}, {4, 1}} : Hosts{{1, 1}, {2, 1}, {4, 1}}, i % 2 == 0 ? Why::foreign_ring : Why::token_lost);
    story.run(kSecond);
  }
  ASSERT_EQ(story.count("rings come and go"), 1u) << story.all();
  story.seen.addresses = {{4, "10.0.0.4:5410"}};
  story.form({{1, 1}, {2, 1}, {3, 1}}, Why::token_lost);
  story.run(kSecond);
  EXPECT_EQ(story.count("host 4 (10.0.0.4:5410) is lost: the token did not come back"), 1u) << story.all();
  story.form({{1, 1}, {2, 1}}, Why::token_lost);
  story.run(70 * kSecond);
  EXPECT_EQ(story.count("host 3 is lost"), 2u) << "the second time when its minute was over: " << story.all();
}

TEST(Episodes, OfManyHostsThatAreLostOneByOneSixLinesAMinuteAndTheRestTogether) {
  Story story;
  Hosts members;
  for (HostId id = 1; id <= 20; ++id) members.push_back({id, 1});
  story.form(members, Why::foreign_ring);
  story.run(kSecond);
  while (members.size() > 1) {
    members.pop_back();
    story.form(members, Why::token_lost);
    story.run(kSecond);
  }
  EXPECT_EQ(story.count("is lost"), 6u) << story.all();
  story.run(60 * kSecond);
  EXPECT_EQ(story.count("hosts 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 are lost, too"), 1u) << story.all();
}

TEST(Episodes, HostsThatLeaveInOrderAreNoUnrest) {
  Story story;
  for (int i = 0; i < 20; ++i) {
    story.form(i % 2 == 0 ? Hosts{{1, 1}, {2, 1}} : Hosts{{1, 1}, {2, 1}, {3, 1}}, Why::join_heard, 20 * kMs, i % 2 == 0);
    story.run(kSecond);
  }
  EXPECT_EQ(story.count("rings come and go") + story.count("lost"), 0u) << story.all();
}

TEST(Episodes, WhoAskedForAnotherRing) {
  Story story;
  const auto because = [&](Asked asked, HostId asker, bool left = false) {
    story.form(left ? Hosts{{1, 1}, {2, 1}} : Hosts{{1, 1}, {2, 1}, {3, 1}}, Why::join_heard, 20 * kMs, left);
    story.seen.rings.asker = asker;
    story.seen.rings.asked = asked;
    story.lines.clear();
    story.run(70 * kSecond);
    return story.lines.empty() ? std::string() : story.lines.back().text.substr(story.lines.back().text.find(", because") + 2);
  };
  EXPECT_EQ(because(Asked::came, 3), "because host 3 came");
  EXPECT_EQ(because(Asked::member, 2), "because host 2 asked for another ring: it had lost the token, or met hosts that are not in this one");
  EXPECT_EQ(because(Asked::began_anew, 2), "because host 2 began anew: its gateway was started again, or another process has the role");
  EXPECT_EQ(because(Asked::member, 3, true), "because host 3 took its leave");
}

TEST(Episodes, ManyHostsThatComeAreNoTrouble) {
  Story story;
  Hosts members = story.seen.members;
  for (HostId id = 4; id < 100; ++id) {
    add(members, Host{id, 1});
    story.form(members, Why::join_heard);
    story.run(200 * kMs);
  }
  EXPECT_LE(story.lines.size(), 6u) << story.all();
  for (const Line& line : story.lines) EXPECT_EQ(line.level, Level::info) << line.text;
  story.run(60 * kSecond);
  EXPECT_EQ(story.count("14, 15, 16 and 83 more since half a minute", Level::info), 1u) << story.all();
}

TEST(Episodes, ATokenThatIsLostAgainAndAgainThoughEverybodyIsThere) {
  Story story;
  for (int i = 0; i < 6; ++i) {
    story.form(story.seen.members, Why::token_lost);
    story.run(30 * kSecond);
  }
  EXPECT_EQ(story.count("the token is lost again and again, although all hosts are heard"), 2u) << story.all();  // at its third time, and a minute later
  story.run(120 * kSecond);
  EXPECT_EQ(story.count("has not been lost for a minute", Level::info), 1u);
}

TEST(Episodes, NoRingForLong) {
  Story story;
  story.seen.ended_at = story.now;
  story.seen.ended_by = Why::token_lost;
  story.seen.heard = {2, 3};
  story.run(4 * kSecond);
  EXPECT_EQ(story.all(), "");
  story.run(20 * kSecond);
  EXPECT_EQ(story.count("no ring since 5 s: the last one ended because the token did not come back within 1 s"), 1u) << story.all();
  EXPECT_EQ(story.count("heard: 2, 3"), 1u);
  story.form(story.seen.members, Why::token_lost);
  story.run(3 * kSecond);
  EXPECT_EQ(story.count("there is a ring again", Level::info), 1u);
}

TEST(Episodes, WhoIsHeardAndInNoRing) {
  Story story;
  story.seen.heard = {2, 3, 9};
  story.run(30 * kSecond);
  EXPECT_EQ(story.count("host 9 is heard, and is in no ring with this host"), 1u) << story.all();
  EXPECT_EQ(story.lines.size(), 1u);
}

TEST(Episodes, WhoIsNamedForItsFaultIsNotNamedTwice) {
  Story story;
  story.seen.heard = {2, 3, 9};
  story.seen.faults = {{9, Fault::deaf, kNoHost}};
  story.run(30 * kSecond);
  EXPECT_EQ(story.lines.size(), 1u) << story.all();
  EXPECT_EQ(story.count("host 9 hears nothing from this host"), 1u);
}

TEST(Episodes, EachFaultOfTheNetworkHasItsSentence) {
  Story story;
  story.seen.faults = {{4, Fault::not_to_all, kNoHost}, {5, Fault::large_lost, kNoHost}, {6, Fault::silent, 2}, {7, Fault::deaf, kNoHost}};
  story.run(10 * kSecond);
  ASSERT_EQ(story.lines.size(), 4u) << story.all();
  EXPECT_EQ(story.lines[0].text,
            "host 1 (this one) does not hear what host 4 sends to all, though packets from it to this host alone arrive: multicast from 4 to 1 is blocked. Check IGMP snooping on "
            "the switch, the firewalls (udp port 5410) and the interface; or use plugin.udp.mode = \"unicast\" with plugin.udp.peers");
  EXPECT_EQ(story.count("large packets of host 5 do not arrive here, though small ones do"), 1u);
  EXPECT_EQ(story.count("nothing from host 6 arrives here, though host 2 hears it"), 1u);
  EXPECT_EQ(story.count("host 7 hears nothing from this host, though this host hears it: the link works one way"), 1u);
  story.seen.faults.clear();
  story.run(10 * kSecond);
  EXPECT_EQ(story.lines.size(), 8u) << story.all();
  EXPECT_EQ(story.count("of host 4: what it sends to all arrives here again, or it is gone", Level::info), 1u);
}

TEST(Episodes, ASlowHostHoldsTheRingUpAndIsLeftBehind) {
  Story story;
  story.seen.held_by = 3;
  story.run(5 * kSecond);
  EXPECT_EQ(story.count("host 3 holds the ring up: a process there does not dispatch"), 1u);
  story.seen.held_by = kNoHost;
  story.form({{1, 1}, {2, 1}}, Why::join_heard);  // others may have seen it first
  story.run(5 * kSecond);
  EXPECT_EQ(story.count("host 3 is lost: its readers were slow for too long"), 1u);
  EXPECT_EQ(story.count("host 3 holds the ring up no more", Level::info), 1u);
}

TEST(Episodes, ThisHostHoldsTheRingUpAndLeaves) {
  Story story;
  story.seen.is_held = true;
  story.run(5 * kSecond);
  EXPECT_EQ(story.count("this host holds the ring up: its log is full"), 1u);
  story.seen.stalled = 1;
  story.run(5 * kSecond);
  EXPECT_EQ(story.count("this host has left the ring: its readers took nothing", Level::error), 1u);
  EXPECT_EQ(story.lines.size(), 2u) << story.all();
}

TEST(Episodes, AHostThatGivesUsUpAgainAndAgain) {
  Story story;
  story.seen.complaints = {{3, {40, 0}}};
  story.run(5 * kSecond);
  EXPECT_EQ(story.all(), "") << "once is no trouble, however many packets say it";
  story.run(20 * kSecond, [&] { ++story.seen.complaints[0].second.gave_us_up; });
  EXPECT_EQ(story.count("host 3 has given this host up, and says so again and again"), 1u) << story.all();
  EXPECT_EQ(story.lines.size(), 1u);
}

TEST(Episodes, PacketsThatAreNotUnderstood) {
  Story story;
  story.seen.complaints = {{3, {0, 0}}};
  story.run(20 * kSecond, [&] { ++story.seen.complaints[0].second.not_understood; });
  EXPECT_EQ(story.count("packets of host 3 are not understood"), 1u);
  EXPECT_EQ(story.count("another version of evs"), 1u);
  EXPECT_EQ(story.lines.size(), 1u) << story.all();
}

TEST(Episodes, AHostIdThatIsUsedTwice) {
  Story story;
  story.seen.duplicate = 1;
  story.seen.duplicate_other = "10.0.0.7:5410";
  story.run(50 * kSecond, [&] { ++story.seen.duplicates; });
  EXPECT_EQ(story.count("host id 1 is used by two hosts: this one and 10.0.0.7:5410; give each its own host_id", Level::error), 1u) << story.all();
  EXPECT_EQ(story.lines.size(), 1u);
  EXPECT_EQ(story.episodes.problems(story.now).size(), 1u);
  story.run(40 * kSecond);
  EXPECT_TRUE(story.episodes.problems(story.now).empty());
}

// The log has it once in ten minutes; who looks sees it for as long as packets are refused.
TEST(Episodes, AKeyThatIsAnotherOneIsAProblemForAsLongAsItRefuses) {
  Story story;
  story.seen.notices = {{true, "packets in the name of host 3 do not open"}, {false, "the key file was read again"}};
  story.run(90 * kSecond, [&] { ++story.seen.refused; });
  EXPECT_EQ(story.episodes.problems(story.now), std::vector<std::string>{"packets in the name of host 3 do not open"});
  EXPECT_EQ(story.lines.size(), 2u) << story.all();
  story.run(15 * kSecond);
  EXPECT_TRUE(story.episodes.problems(story.now).empty());
}

// Who has gone is heard for some seconds still, and no member.
TEST(Episodes, OfANetworkThatDoesItsPartMembersAreNamed) {
  Story story;
  story.seen.heard = {2, 3, 9};
  story.seen.all_is_well = true;
  story.seen.ended_at = story.now;
  story.run(kSecond);
  EXPECT_EQ(story.count("the network does its part", Level::info), 0u) << "there is no ring to say it of";
  story.seen.ended_at = kNever;
  story.run(kSecond);
  EXPECT_EQ(story.count("the network does its part: this host and 2, 3 hear each other", Level::info), 1u) << story.all();
}

TEST(Episodes, APause) {
  Story story;
  story.seen.pauses = 1;
  story.seen.paused_for = 7'100 * kMs;
  story.run(5 * kSecond);
  EXPECT_EQ(story.count("this process, its host's gateway, did not run for 7.1 s"), 1u);
  EXPECT_EQ(story.lines.size(), 1u) << story.all();
}

TEST(Episodes, WhatTheMediumDoesNotTake) {
  Story story;
  story.seen.packet_bytes = 1200;
  story.run(30 * kSecond, [&] {
    ++story.seen.sending.too_big;
    ++story.seen.sending.overflowed;
    ++story.seen.sending.refused;
    ++story.seen.sending.given_up;
    story.seen.sending.given_up_bytes = 1472;
  });
  EXPECT_EQ(story.count("packets are larger than the medium takes (1 were lost)"), 1u) << story.all();
  EXPECT_EQ(story.count("carries 1200 bytes"), 1u);
  EXPECT_EQ(story.count("the medium has had no room"), 1u);
  EXPECT_EQ(story.count("the medium failed"), 1u);
  EXPECT_EQ(story.count("packets are not taken by the interface however often they are offered, the last one of 1472 bytes (1 were lost)"), 1u);
  EXPECT_EQ(story.lines.size(), 4u);
}

TEST(Episodes, TheEndIsSaidOnce) {
  Story story;
  story.seen.failure = "the medium is closed";
  story.seen.ran_out = true;
  story.run(600 * kSecond);
  EXPECT_EQ(story.count("the uplink is over: the medium is closed", Level::error), 1u);
  EXPECT_EQ(story.count("rings have no more numbers", Level::error), 1u);
  EXPECT_EQ(story.lines.size(), 2u) << story.all();
}

TEST(Episodes, NoticesAreHandedOn) {
  Story story;
  story.seen.notices = {{true, "packets in the name of host 7"}, {false, "the key file was read again"}};
  story.run(5 * kSecond);
  EXPECT_EQ(story.all(), "uplink.key: packets in the name of host 7\nuplink.key: the key file was read again\n");
  EXPECT_EQ(story.lines[0].level, Level::warning);
  EXPECT_EQ(story.lines[1].level, Level::info);
}

// All of it at once, for ten minutes, as bad as it gets.
TEST(Episodes, NeverAFlood) {
  Story story;
  for (HostId host = 2; host < 250; ++host) {
    story.seen.heard.push_back(host);
    story.seen.complaints.push_back({host, {}});
  }
  int i = 0;
  story.run(600 * kSecond, [&] {
    ++i;
    story.form(i % 3 == 0 ? Hosts{{1, 1}} : Hosts{{1, 1}, {2, static_cast<uint64_t>(i)}}, static_cast<Why>(i % static_cast<int>(Why::count_)));
    for (auto& [host, complaints] : story.seen.complaints) ++complaints.gave_us_up, ++complaints.not_understood;
    story.seen.faults.clear();
    for (HostId host = 2; host < 250; ++host) story.seen.faults.push_back({host, static_cast<Fault>(1 + (i / 30 + host) % 4), 2});
    story.seen.duplicate = static_cast<HostId>(1 + i % 200);
    ++story.seen.duplicates, ++story.seen.pauses, ++story.seen.stalled;
    ++story.seen.sending.too_big, ++story.seen.sending.refused, ++story.seen.sending.overflowed;
    story.seen.held_by = static_cast<HostId>(i % 250);
    story.seen.is_held = i % 7 == 0;
  });
  std::map<std::string, size_t> by_kind;
  for (const Line& line : story.lines) ++by_kind[line.kind];
  for (const auto& [kind, count] : by_kind) EXPECT_LE(count, 10u * 2u * 4u * (Bouts::kMostOfOneKind + 1)) << kind;  // minutes, begin and end, faults of one kind, hosts
  EXPECT_LE(story.lines.size(), 1500u);
}

}  // namespace
}  // namespace evs::runtime::uplink
