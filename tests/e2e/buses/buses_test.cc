// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/buses_test.cc - applications on several hosts, on one bus: killed, stopped, cut off and come back, they saw extended virtual synchrony.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>

#include "corosync/corotypes.h"
#include "tests/e2e/buses/crowd.h"
#include "tests/support/dice.h"

namespace evs::test {
namespace {

class Buses : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Wire::refused(); !why.empty()) GTEST_SKIP() << "no network namespaces here: " << why;
  }
};

void start_each(Crowd& crowd, size_t a_host) {
  for (size_t host = 0; host < crowd.hosts(); ++host)
    for (size_t i = 0; i < a_host; ++i) crowd.start(host);
}

void talk_and_rest(Crowd& crowd, int milliseconds) {
  crowd.tell_all("load 300");
  Crowd::go_on(milliseconds);
  crowd.tell_all("load 0");
  ASSERT_TRUE(crowd.until_quiet());
}

TEST_F(Buses, OneApplicationAlone) {
  Crowd crowd(1);
  crowd.start(0);
  ASSERT_TRUE(crowd.until_one());
  talk_and_rest(crowd, 300);
  EXPECT_EQ(crowd.judge(), "");
}

TEST_F(Buses, ApplicationsOfOneHost) {
  Crowd crowd(1);
  start_each(crowd, 3);
  ASSERT_TRUE(crowd.until_one());
  talk_and_rest(crowd, 500);
  EXPECT_EQ(crowd.judge(), "");
}

TEST_F(Buses, ApplicationsOfThreeHosts) {
  Crowd crowd(3);
  start_each(crowd, 2);
  ASSERT_TRUE(crowd.until_one());
  talk_and_rest(crowd, 1000);
  EXPECT_EQ(crowd.judge(), "");
}

// All are told in one order: who joined first of all, who joined second of himself and those behind him, and so on.
TEST_F(Buses, WhoJoinAGroupAtOnceAreToldOfEachOtherInOneOrder) {
  Crowd crowd(3);
  start_each(crowd, 1);
  crowd.start(0);
  ASSERT_TRUE(crowd.until_one());
  std::string everybody, found;
  const auto members = [&](size_t member, const std::string& group) {
    crowd.tell(member, "members " + group);
    return crowd.process(member).answer(found, 10'000) ? found : "no answer";
  };
  for (int round = 0; round < 25; ++round) {
    const std::string group = "at-once-" + std::to_string(round);
    crowd.tell_all("join " + group);
    std::vector<std::string> told(crowd.size());
    const auto told_in_one_order = [&] {
      for (size_t member = 0; member < crowd.size(); ++member) {
        crowd.tell(member, "told " + group);
        if (!crowd.process(member).answer(told[member], 10'000)) return false;
      }
      std::sort(told.begin(), told.end(), [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
      if (std::count(told[0].begin(), told[0].end(), ',') + 1 != static_cast<std::ptrdiff_t>(crowd.size())) return false;
      for (size_t i = 1; i < told.size(); ++i)
        if (told[i - 1].substr(told[i - 1].find(',') + 1) != told[i]) return false;
      return true;
    };
    ASSERT_TRUE(Crowd::until(told_in_one_order, 5000)) << "round " << round << ": " << told[0] << " | " << told[1] << " | " << told[2] << " | " << told[3];
    everybody = crowd.status(0).members;
    for (size_t member = 0; member < crowd.size(); ++member) EXPECT_EQ(members(member, group), everybody) << group;
  }
  EXPECT_EQ(members(0, "nobody's"), cs_strerror(CS_ERR_NOT_EXIST));
  crowd.kill(3);
  ASSERT_TRUE(crowd.until_one());
  for (size_t member = 0; member < 3; ++member) EXPECT_EQ(members(member, "at-once-0"), crowd.status(0).members);
  EXPECT_EQ(crowd.judge(), "");
}

TEST_F(Buses, GoOnWhenAnApplicationIsKilled) {
  Crowd crowd(2);
  start_each(crowd, 3);
  ASSERT_TRUE(crowd.until_one());
  crowd.tell_all("load 300");
  Crowd::go_on(200);
  size_t victim = 0;
  while (crowd.is_gateway(victim)) ++victim;
  crowd.kill(victim);
  ASSERT_TRUE(crowd.until_one());
  talk_and_rest(crowd, 300);
  EXPECT_EQ(crowd.judge(), "");
}

TEST_F(Buses, GoOnWhenAGatewayIsKilled) {
  Crowd crowd(2);
  start_each(crowd, 3);
  ASSERT_TRUE(crowd.until_one());
  for (int round = 0; round < 2; ++round) {
    crowd.tell_all("load 300");
    Crowd::go_on(200);
    crowd.kill(crowd.gateway_of(0));
    ASSERT_TRUE(crowd.until_one());
    talk_and_rest(crowd, 300);
  }
  EXPECT_EQ(crowd.judge(), "");
}

TEST_F(Buses, LeaveInOrder) {
  Crowd crowd(2);
  start_each(crowd, 2);
  ASSERT_TRUE(crowd.until_one());
  crowd.tell_all("load 300");
  Crowd::go_on(200);
  crowd.leave(crowd.gateway_of(0));
  ASSERT_TRUE(crowd.until_one());
  crowd.leave(crowd.gateway_of(1));
  ASSERT_TRUE(crowd.until_one());
  talk_and_rest(crowd, 300);
  EXPECT_EQ(crowd.judge(), "");
}

TEST_F(Buses, HostsPartAndMeet) {
  Crowd crowd(3);
  start_each(crowd, 2);
  ASSERT_TRUE(crowd.until_one());
  crowd.tell_all("load 200");
  for (const size_t other : {1, 2}) crowd.wire().cut(0, other), crowd.wire().cut(other, 0);
  ASSERT_TRUE(Crowd::until([&] { return crowd.status(0).members.find(',') == crowd.status(0).members.rfind(','); }));
  crowd.wire().heal_all();
  ASSERT_TRUE(crowd.until_one());
  talk_and_rest(crowd, 300);
  EXPECT_EQ(crowd.judge(), "");
}

// What one act of a disaster does; each is over before the next begins, while everybody talks.
class Disaster {
 public:
  Disaster(Crowd& crowd, uint64_t seed) : crowd_(crowd), dice_(seed) {}

  void act() {
    const size_t host = dice_.below(static_cast<uint32_t>(crowd_.hosts()));
    switch (dice_.below(8)) {
      case 0:
      case 1:
        return kill(crowd_.gateway_of(host));
      case 2:
        return kill(anybody());
      case 3:
        return with_all_gone(host);
      case 4:
        return cut(host, true);
      case 5:
        return cut(host, false);
      case 6:
        return pause(anybody());
      default:
        if (const size_t member = anybody(); lives_on(member)) crowd_.leave(member);
    }
  }
  // Who reads joins in a quiet moment: its trace has everything from its first configuration on.
  void fill_up(size_t a_host) {
    crowd_.tell_all("load 0");
    ASSERT_TRUE(crowd_.until_one(60'000));
    ASSERT_TRUE(crowd_.until_quiet(60'000));
    for (size_t host = 0; host < crowd_.hosts(); ++host)
      for (size_t i = crowd_.alive_on(host); i < a_host; ++i) crowd_.start(host);
    ASSERT_TRUE(crowd_.until_one(60'000));
    crowd_.tell_all("load 200");
  }

 private:
  size_t anybody() { return dice_.below(static_cast<uint32_t>(crowd_.size())); }
  bool lives_on(size_t member) const { return member < crowd_.size() && crowd_.alive(member); }
  void kill(size_t member) {
    if (lives_on(member)) crowd_.kill(member);
  }
  void with_all_gone(size_t host) {
    for (size_t i = 0; i < crowd_.size(); ++i)
      if (crowd_.host_of(i) == host) kill(i);
  }
  void cut(size_t host, bool both_ways) {
    const size_t other = (host + 1) % crowd_.hosts();
    crowd_.wire().cut(host, other);
    if (both_ways) crowd_.wire().cut(other, host);
    Crowd::go_on(200 + static_cast<int>(dice_.below(2500)));
    crowd_.wire().heal_all();
  }
  void pause(size_t member) {
    if (!lives_on(member)) return;
    crowd_.process(member).signal(SIGSTOP);
    Crowd::go_on(static_cast<int>(dice_.below(2500)));
    crowd_.process(member).signal(SIGCONT);
  }

  Crowd& crowd_;
  Dice dice_;
};

TEST_F(Buses, SurviveDisasters) {
  const bool is_long = std::getenv("EVS_LONG") != nullptr;
  const uint64_t seed = std::getenv("EVS_SEED") != nullptr ? std::stoull(std::getenv("EVS_SEED")) : 1;
  printf("EVS_SEED=%llu\n", static_cast<unsigned long long>(seed));
  Crowd crowd(3);
  Disaster disaster(crowd, seed);
  for (int round = 0; round < (is_long ? 60 : 4); ++round) {
    disaster.fill_up(3);
    if (HasFatalFailure()) break;
    for (int act = 0; act < 4; ++act) {
      Crowd::go_on(150);
      disaster.act();
    }
  }
  crowd.tell_all("load 0");
  EXPECT_TRUE(crowd.until_one(60'000));
  EXPECT_TRUE(crowd.until_quiet(60'000));
  EXPECT_EQ(crowd.judge(), "");
}

}  // namespace
}  // namespace evs::test
