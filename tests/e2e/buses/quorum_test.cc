// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/quorum_test.cc - of hosts that part, one part may act for all, and its applications know it and since when.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "tests/e2e/buses/crowd.h"

namespace evs::test {
namespace {

class Quorum : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Wire::refused(); !why.empty()) GTEST_SKIP() << "no network namespaces here: " << why;
  }
};

// The bus begins on the first host, which is never told otherwise.
void start_on(Crowd& crowd, size_t host, size_t processes) {
  for (size_t i = 0; i < processes; ++i) crowd.start(host, host == 0 ? std::vector<std::string>{"uplink.found=yes"} : std::vector<std::string>{});
}

void start_each(Crowd& crowd, size_t a_host) {
  for (size_t host = 0; host < crowd.hosts(); ++host) start_on(crowd, host, a_host);
}

std::vector<size_t> members_of(const Crowd& crowd, const std::vector<size_t>& hosts) {
  std::vector<size_t> found;
  for (size_t i = 0; i < crowd.size(); ++i)
    if (crowd.alive(i) && std::count(hosts.begin(), hosts.end(), crowd.host_of(i)) != 0) found.push_back(i);
  return found;
}

uint64_t until_all_primary(Crowd& crowd, uint64_t above) {
  std::vector<size_t> hosts(crowd.hosts());
  std::iota(hosts.begin(), hosts.end(), 0);
  return crowd.until_one() ? crowd.until_primary(members_of(crowd, hosts), above) : 0;
}

// So many processes on each host, and all are primary: since which epoch. 0: they did not come to that.
uint64_t begun(Crowd& crowd, size_t a_host) {
  start_each(crowd, a_host);
  return until_all_primary(crowd, 0);
}

void cut_off(Crowd& crowd, size_t host) {
  for (size_t other = 0; other < crowd.hosts(); ++other)
    if (other != host) crowd.wire().cut(host, other), crowd.wire().cut(other, host);
}

// The machine goes down, and comes up with nothing but its disk.
void reboot(Crowd& crowd, size_t host, size_t processes) {
  for (const size_t member : members_of(crowd, {host})) crowd.kill(member);
  for (const auto& entry : std::filesystem::directory_iterator(crowd.board_of(host))) std::filesystem::remove_all(entry.path());
  start_on(crowd, host, processes);
}

// What the processes of a host are in, when it is one regular configuration; not answered: it is none at the moment.
Crowd::Status look_at(Crowd& crowd, size_t host) {
  const std::vector<size_t> here = members_of(crowd, {host});
  const Crowd::Status first = crowd.status(here.front());
  const bool is_one = first.is_regular() && std::all_of(here.begin() + 1, here.end(), [&](size_t member) {
                        const Crowd::Status other = crowd.status(member);
                        return other.is_regular() && other.conf == first.conf && other.epoch == first.epoch;
                      });
  return is_one ? first : Crowd::Status{};
}

// The same, once it is one: whoever asks between two is answered a moment later.
Crowd::Status status_on(Crowd& crowd, size_t host) {
  Crowd::Status now;
  Crowd::until([&] { return (now = look_at(crowd, host)).answered; });
  return now;
}

bool is_not_primary(Crowd& crowd, size_t host) {
  const Crowd::Status now = status_on(crowd, host);
  return now.answered && now.epoch == 0;
}

bool until_not_primary(Crowd& crowd, size_t host) {
  return Crowd::until([&] {
    const Crowd::Status now = look_at(crowd, host);
    return now.answered && now.epoch == 0;
  });
}

uint64_t sequence_on(Crowd& crowd, size_t host) {
  const Crowd::Status now = status_on(crowd, host);
  return now.answered ? std::stoull(now.conf.substr(now.conf.find('-') + 1)) : 0;
}

// The same with either rule: one is cut off and comes back, a gateway dies, a disk is lost.
void the_majority_goes_on(const std::string& rule) {
  Crowd crowd(3, {.parameters = {"uplink.quorum=" + rule}});
  uint64_t epoch = begun(crowd, 2);
  ASSERT_NE(epoch, 0u);
  EXPECT_TRUE(Crowd::until([&] { return crowd.uplink_of(1)["evs_uplink_epoch"] == std::to_string(epoch) && crowd.uplink_of(1)["evs_uplink_quorum"] == "primary"; }));
  crowd.tell_all("load 100");
  cut_off(crowd, 0);
  const uint64_t without = crowd.until_primary(members_of(crowd, {1, 2}), epoch);
  ASSERT_NE(without, 0u) << "the majority goes on";
  ASSERT_TRUE(until_not_primary(crowd, 0));
  crowd.wire().heal_all();
  ASSERT_NE(epoch = until_all_primary(crowd, without), 0u);
  crowd.kill(crowd.gateway_of(1));
  ASSERT_NE(epoch = until_all_primary(crowd, epoch), 0u);
  crowd.tell_all("load 0");
  ASSERT_TRUE(crowd.until_quiet());
  for (const size_t member : members_of(crowd, {2})) crowd.kill(member);
  std::filesystem::remove_all(crowd.state_of(2));
  ASSERT_NE(epoch = crowd.until_primary(members_of(crowd, {0, 1}), epoch), 0u);
  crowd.start(2);
  ASSERT_NE(epoch = until_all_primary(crowd, epoch), 0u) << "a host with a new disk is a newcomer";
  ASSERT_TRUE(crowd.until_quiet());
  EXPECT_EQ(crowd.judge(), "");
}

TEST_F(Quorum, TheMajorityOfTheLastOneGoesOn) { the_majority_goes_on("auto"); }
TEST_F(Quorum, TheMajorityOfAFixedNumberGoesOn) { the_majority_goes_on("3"); }

// Whichever hosts have been down: what they voted for lies on their disks, and so does how far rings were numbered. In the order of epochs ring sequences rise (P3).
TEST_F(Quorum, ARebootMakesNoSecondPrimary) {
  Crowd crowd(3, {.parameters = {"uplink.quorum=auto"}});
  uint64_t epoch = begun(crowd, 2);
  ASSERT_NE(epoch, 0u);
  cut_off(crowd, 0);
  const uint64_t without = crowd.until_primary(members_of(crowd, {1, 2}), epoch);
  ASSERT_NE(without, 0u);
  ASSERT_TRUE(until_not_primary(crowd, 0));
  const uint64_t before = sequence_on(crowd, 0);
  reboot(crowd, 0, 2);
  ASSERT_TRUE(until_not_primary(crowd, 0)) << "the host on which the bus began, alone";
  EXPECT_GT(sequence_on(crowd, 0), before);
  cut_off(crowd, 2);
  for (const size_t host : {1, 2}) reboot(crowd, host, 1);
  for (const size_t host : {0, 1, 2}) EXPECT_TRUE(until_not_primary(crowd, host)) << host;
  crowd.wire().heal(1, 2);
  crowd.wire().heal(2, 1);
  ASSERT_NE(epoch = crowd.until_primary(members_of(crowd, {1, 2}), without), 0u) << "of the last one both are here";
  EXPECT_TRUE(is_not_primary(crowd, 0));
  crowd.wire().heal_all();
  ASSERT_NE(epoch = until_all_primary(crowd, epoch), 0u);
  for (const size_t host : {0, 1, 2}) reboot(crowd, host, 1);
  ASSERT_NE(until_all_primary(crowd, epoch), 0u) << "all at once";
  EXPECT_EQ(crowd.judge(), "");
}

TEST_F(Quorum, AllGatewaysAreKilledAtOnce) {
  Crowd crowd(3, {.parameters = {"uplink.quorum=auto"}});
  uint64_t epoch = begun(crowd, 3);
  ASSERT_NE(epoch, 0u);
  crowd.tell_all("load 100");
  for (int round = 0; round < 2; ++round) {
    std::vector<size_t> gateways;
    for (const size_t host : {0, 1, 2}) gateways.push_back(crowd.gateway_of(host));
    for (const size_t gateway : gateways) crowd.kill(gateway);
    ASSERT_NE(epoch = until_all_primary(crowd, epoch), 0u) << round;
  }
  crowd.tell_all("load 0");
  ASSERT_TRUE(crowd.until_quiet());
  EXPECT_EQ(crowd.judge(), "");
}

TEST_F(Quorum, WithoutAFounderNobodyIsPrimary) {
  Crowd crowd(2, {.parameters = {"uplink.quorum=auto"}});
  crowd.start(0);
  crowd.start(1);
  ASSERT_TRUE(crowd.until_one());
  EXPECT_TRUE(is_not_primary(crowd, 0));
  crowd.kill(0);
  std::filesystem::remove_all(crowd.state_of(0));
  ASSERT_TRUE(crowd.until_one());
  crowd.start(0, {"uplink.found=yes"});
  ASSERT_TRUE(crowd.until_one());
  EXPECT_NE(crowd.until_primary({1, 2}, 0), 0u);
  EXPECT_EQ(crowd.judge(), "");
}

// Off on one of them: the bus is changed over host by host.
TEST_F(Quorum, WhereHostsGoByDifferentRulesNobodyIsPrimary) {
  Crowd crowd(2);
  crowd.start(0, {"uplink.quorum=2"});
  crowd.start(1);
  ASSERT_TRUE(crowd.until_one());
  EXPECT_TRUE(is_not_primary(crowd, 0));
  EXPECT_TRUE(is_not_primary(crowd, 1));
  EXPECT_TRUE(Crowd::until([&] { return crowd.uplink_of(0)["evs_uplink_quorum"] == "the hosts go by different rules: quorum"; })) << crowd.uplink_of(0)["evs_uplink_quorum"];
  EXPECT_EQ(crowd.uplink_of(1).count("evs_uplink_quorum"), 0u) << "off there";
  EXPECT_EQ(crowd.judge(), "");
}

// Around each of its writes: what it had stored is what its successor goes on from.
TEST_F(Quorum, AGatewayThatDiesAsItVotes) {
  Crowd crowd(3, {.parameters = {"uplink.quorum=auto"}});
  uint64_t epoch = begun(crowd, 3);
  ASSERT_NE(epoch, 0u);
  size_t deaths = 0;
  for (const char* where : {"1 votes-due", "1 votes-kept", "2 votes-due", "2 votes-kept"}) {
    if (crowd.alive_on(0) == 1) crowd.start(0), crowd.start(0);
    ASSERT_TRUE(crowd.until_one());
    cut_off(crowd, 2);
    ASSERT_NE(epoch = crowd.until_primary(members_of(crowd, {0, 1}), epoch), 0u) << where;
    crowd.tell(crowd.gateway_of(0), std::string("die ") + where);
    crowd.wire().heal_all();
    ++deaths;
    ASSERT_TRUE(Crowd::until([&] { return crowd.reap(), crowd.death_count() == deaths; })) << where;
    ASSERT_NE(epoch = until_all_primary(crowd, epoch), 0u) << where;
  }
  EXPECT_EQ(crowd.judge(), "");
}

// Its disk is gone while it runs: it tells nobody of what it could not write, and comes back as a newcomer. A host that is late may be in no try; of four hosts a try has
// three at least, so that of the last ring, and of the try in which that disk was lost, the others are the majority.
TEST_F(Quorum, AGatewayThatCannotWriteGivesTheRoleUp) {
  Crowd crowd(4, {.parameters = {"uplink.quorum=auto"}});
  const uint64_t epoch = begun(crowd, 2);
  ASSERT_NE(epoch, 0u);
  std::filesystem::remove_all(crowd.state_of(2));
  crowd.kill(crowd.gateway_of(0));
  ASSERT_TRUE(Crowd::until([&] { return std::filesystem::exists(crowd.state_of(2) + "/default.3.votes"); }));
  ASSERT_NE(until_all_primary(crowd, epoch), 0u);
  EXPECT_EQ(crowd.judge(), "");
}

}  // namespace
}  // namespace evs::test
