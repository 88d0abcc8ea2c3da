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
  EXPECT_EQ(line(frame()), "EVS OK - bus default: 2 processes, ring 25.0 % full | processes=2 hung=0;;0 ring=25.0%;80;95;0;100\n");
}

TEST(Health, AHungProcessIsCriticalAndNamed) {
  Frame hung = frame();
  hung.detail->members[1].heartbeat_age_ns = 4 * test::kSecond;
  EXPECT_EQ(line(hung), "EVS CRITICAL - bus default: process 900 (desk) is hung: its service thread ran 4.0 s ago | processes=2 hung=1;;0 ring=25.0%;80;95;0;100\n");
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
  EXPECT_EQ(line(told(hung)), "EVS CRITICAL - bus default: 2 processes are hung | processes=5 hung=2;;0 ring=0.0%;80;95;0;100\n");
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

TEST(Health, WhatOthersNamedStaysOneLineWithoutAPipe) {
  Frame odd = frame();
  odd.bus = "a|b\nc";
  EXPECT_EQ(line(odd).substr(0, 22), "EVS OK - bus a/b\\x0ac:");
}

}  // namespace
}  // namespace evs::top
