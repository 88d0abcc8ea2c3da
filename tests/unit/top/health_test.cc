// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/top/health_test.cc - what is wrong, and how bad that is: the line and the exit status for monitoring.
#include <gtest/gtest.h>

#include "tests/unit/top/frames.h"
#include "tools/top/health.h"

namespace evs::top {
namespace {

using test::frame;

std::string line(const Frame& frame) { return check_line(frame, judge(frame, {}), {}); }
Grade grade(const Frame& frame) { return worst_of(judge(frame, {})); }

Frame told(Families families) {
  Frame out = frame();
  out.detail.reset();
  out.families = std::move(families);
  return out;
}
Family gauge(const std::string& name, std::vector<std::pair<Labels, double>> values) {
  Family family{name, Kind::gauge, {}};
  for (auto& [labels, value] : values) family.series.push_back({labels, value, {}, 0, 0});
  return family;
}

TEST(Health, AllIsWell) {
  EXPECT_EQ(line(frame()), "EVS OK - bus default: 2 processes, ring 25.0 % full | processes=2 hung=0;;0 ring=25.0%;80;95;0;100 problems=0;0 hosts=1\n");
}

TEST(Health, AHungProcessIsCriticalAndNamed) {
  Frame hung = frame();
  hung.detail->members[1].heartbeat_age_ns = 4 * test::kSecond;
  EXPECT_EQ(line(hung), "EVS CRITICAL - bus default: process 900 (desk) is hung: its service thread ran 4.0 s ago | processes=2 hung=1;;0 ring=25.0%;80;95;0;100 problems=0;0 hosts=1\n");
  hung.detail->members[1].stopped_for_ns = test::kSecond;
  hung.detail->members[1].in_send = true;
  EXPECT_EQ(judge(hung, {}).front().words, "process 900 (desk) is hung: it is stopped, and its service thread ran 4.0 s ago; it is in the middle of a send");
}

TEST(Health, ARingThatFillsIsAWarningAndThenCritical) {
  Frame full = frame();
  full.detail->ring.used_bytes = 4096 * 8 / 10 + 1;
  EXPECT_EQ(grade(full), Grade::warning);
  EXPECT_EQ(judge(full, {}).front().words, "the ring is 80.0 % full, held by pid 900 (desk)");
  EXPECT_EQ(worst_of(judge(full, {50, 70})), Grade::critical);
  full.detail->ring.used_bytes = 4096;
  EXPECT_EQ(grade(full), Grade::critical);
}

TEST(Health, TheWorstComesFirst) {
  Frame bad = frame();
  bad.detail->members[0].state = metrics::MemberState::expelled;
  bad.detail->members[1].process_gone = true;
  const auto findings = judge(bad, {});
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].words, "process 900 (desk) is gone, and nobody has noticed yet");
  EXPECT_EQ(findings[1].grade, Grade::warning);
}

TEST(Health, NobodyThere) {
  Frame empty = frame();
  empty.detail->members.clear();
  EXPECT_EQ(judge(empty, {}).front().words, "no process is on the bus");
}

TEST(Health, OfAnExporter) {
  EXPECT_EQ(grade(told({gauge("evs_up", {{{}, 0}})})), Grade::critical);
  const Families well{gauge("evs_up", {{{}, 1}}), gauge("evs_processes", {{{{"state", "running"}}, 3}, {{{"state", "hung"}}, 0}})};
  EXPECT_EQ(line(told(well)).substr(0, 36), "EVS OK - bus default: 3 processes, r");
  Families hung = well;
  hung[1].series[1].value = 2;
  EXPECT_EQ(line(told(hung)), "EVS CRITICAL - bus default: 2 processes are hung | processes=5 hung=2;;0 ring=0.0%;80;95;0;100 problems=0;0 hosts=1\n");
}

TEST(Health, OfTheWayToOtherHosts) {
  const auto with = [](const char* name, Labels labels, double value) {
    Frame out = frame();
    out.families = {gauge(name, {{std::move(labels), value}})};
    return out;
  };
  EXPECT_EQ(grade(with("evs_gateway_up", {}, 0)), Grade::critical);
  EXPECT_EQ(grade(with("evs_gateway_up", {}, 1)), Grade::ok);
  EXPECT_EQ(grade(with("evs_quorate", {}, 0)), Grade::critical);
  EXPECT_EQ(grade(with("evs_uplink_state", {{"state", "operational"}}, 0)), Grade::warning);
  EXPECT_EQ(grade(with("evs_held_up", {{"reason", "loss"}}, 1)), Grade::warning);
}

// A host on a ring of hosts, as its gateway tells of it.
Frame with_uplink(const std::string& members, std::vector<std::string> problems) {
  Frame out = frame();
  out.detail->outbox.emplace();
  out.detail->uplink.gateway = metrics::GatewayState::there;
  out.detail->uplink.values = {{"host_id", "7"}, {"state", "operational"}, {"members", members}};
  for (size_t i = 0; i < problems.size(); ++i) out.detail->uplink.values.emplace_back("problem_" + std::to_string(i + 1), problems[i]);
  return out;
}

TEST(Health, WhatTheGatewaySaysIsWrongIsAWarningInItsWords) {
  EXPECT_EQ(line(with_uplink("7 9", {})), "EVS OK - bus default: 2 processes, ring 25.0 % full | processes=2 hung=0;;0 ring=25.0%;80;95;0;100 problems=0;0 hosts=2\n");
  EXPECT_EQ(line(with_uplink("7 9", {"host 8 has another key", "host 9 is deaf"})),
            "EVS WARNING - bus default: host 8 has another key; host 9 is deaf | processes=2 hung=0;;0 ring=25.0%;80;95;0;100 problems=2;0 hosts=2\n");
}

TEST(Health, AndCriticalForAHostThatIsAloneOrKeepsApart) {
  EXPECT_EQ(grade(with_uplink("7", {})), Grade::ok) << "the first host to start is alone, too";
  EXPECT_EQ(grade(with_uplink("7", {"host 8 has another key"})), Grade::critical);
  Frame apart = with_uplink("7", {"host id 7 is used by two hosts"});
  apart.detail->uplink.values = {{"state", "apart"}, {"problem_1", "host id 7 is used by two hosts"}};
  apart.families = {gauge("evs_uplink_state", {{{{"state", "operational"}}, 0}, {{{"state", "apart"}}, 1}})};
  EXPECT_EQ(line(apart), "EVS CRITICAL - bus default: host id 7 is used by two hosts | processes=2 hung=0;;0 ring=25.0%;80;95;0;100 problems=1;0 hosts=U\n");
}

TEST(Health, ProblemsOfAnExporterAreCounted) {
  const Families well{gauge("evs_up", {{{}, 1}}), gauge("evs_gateway_up", {{{}, 1}}), gauge("evs_uplink_problems", {{{}, 0}}), gauge("evs_uplink_hosts", {{{}, 3}})};
  EXPECT_EQ(grade(told(well)), Grade::ok);
  Families ill = well;
  ill[2].series[0].value = 2;
  EXPECT_EQ(line(told(ill)), "EVS WARNING - bus default: its gateway says that 2 things are wrong: evs status on that host has the words | processes=0 hung=0;;0 ring=0.0%;80;95;0;100 problems=2;0 hosts=3\n");
  ill[3].series[0].value = 1;
  EXPECT_EQ(grade(told(ill)), Grade::critical);
}

TEST(Health, WhatOthersNamedStaysOneLineWithoutAPipe) {
  Frame odd = frame();
  odd.bus = "a|b\nc";
  EXPECT_EQ(line(odd).substr(0, 22), "EVS OK - bus a/b\\x0ac:");
}

}  // namespace
}  // namespace evs::top
