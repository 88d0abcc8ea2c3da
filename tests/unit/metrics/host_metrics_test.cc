// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/metrics/host_metrics_test.cc - readings in, samples out: no file, no clock.
#include "metrics/host_metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace evs::metrics {
namespace {

const char* const kPlace = "/run/buses";

shm::CounterLife life(uint64_t records) {
  shm::CounterLife one{100, 1, 1, {}};
  one.values.value[static_cast<uint32_t>(shm::Counter::appended_records)] = records;
  return one;
}

void set(shm::CounterValues& values, shm::Level level, uint64_t to) { values.value[shm::kFirstLevel + static_cast<uint32_t>(level)] = to; }

int32_t pids = 0;

Process process(ProcessState state, uint64_t age_ns, uint64_t lag) {
  Process one{++pids, state, age_ns, {}};
  set(one.values, shm::Level::handles, 3);
  set(one.values, shm::Level::reading_handles, 2);
  set(one.values, shm::Level::members, age_ns);
  set(one.values, shm::Level::reader_lag_bytes, lag);
  return one;
}

BusReading bus_with(const std::string& name, const std::string& file, uint64_t records) {
  BusReading bus{name, kPlace, RingReading{}, {}, {}};
  bus.order->files.push_back({file, {{}, {life(records)}}});
  bus.order->processes.push_back(process(ProcessState::running, 100, 64));
  return bus;
}

HostReading host_of(std::vector<BusReading> buses) { return {std::move(buses), {}, 0}; }

std::optional<double> value_of(const std::vector<Sample>& samples, Metric metric, const std::vector<std::string>& labels) {
  std::optional<double> found;
  for (const Sample& sample : samples)
    if (sample.metric == metric && sample.labels == labels) {
      EXPECT_FALSE(found) << text_of(metric).name << " twice";
      found = sample.value;
    }
  return found;
}

std::optional<double> records(const std::vector<Sample>& samples, const std::string& bus = "b") {
  return value_of(samples, Metric::ring_appended_records, {bus, kPlace, "order"});
}

TEST(HostMetrics, EverySampleHasTheLabelsOfItsRow) {
  HostMetrics metrics("1.0");
  BusReading bus = bus_with("b", "1", 5);
  bus.outbox = bus.order;
  bus.uplink = parse_uplink("evs_uplink_state gather\nevs_uplink_token_age_ns 5\nevs_uplink_epoch 3\nevs_uplink_processes 4\nevs_uplink_high 9\nevs_uplink_stable 4\n"
                            "evs_uplink_received_up_to 8\nevs_uplink_members 1 2 30\nevs_uplink_gateway_standing 1\nevs_uplink_backlog_bytes 1\nevs_uplink_backlog_messages 1\nevs_uplink_problem_1 host id 1 is used by two hosts");
  bus.uplink.gateway = GatewayState::there;
  const std::vector<Sample> samples = metrics.take(host_of({bus}), 1'000'000);
  std::set<Metric> told;
  std::set<std::pair<Metric, std::vector<std::string>>> once;
  for (const Sample& sample : samples) {
    std::istringstream names{std::string(text_of(sample.metric).labels)};
    EXPECT_EQ(static_cast<size_t>(std::distance(std::istream_iterator<std::string>(names), {})), sample.labels.size()) << text_of(sample.metric).name;
    EXPECT_TRUE(once.emplace(sample.metric, sample.labels).second) << text_of(sample.metric).name;
    told.insert(sample.metric);
  }
  for (size_t i = 0; i < kMetricCount; ++i) EXPECT_EQ(told.count(static_cast<Metric>(i)), 1u) << text_of(static_cast<Metric>(i)).name << " is told of by nobody";
  EXPECT_EQ(value_of(samples, Metric::stable_lag, {"b", kPlace}), 5);
  EXPECT_EQ(value_of(samples, Metric::uplink_hosts, {"b", kPlace}), 3);
  EXPECT_EQ(value_of(samples, Metric::uplink_problems, {"b", kPlace}), 1);
  EXPECT_EQ(value_of(samples, Metric::uplink_state, {"b", kPlace, "gather"}), 1);
  EXPECT_EQ(value_of(samples, Metric::uplink_state, {"b", kPlace, "operational"}), 0);
}

// Buckets are shown an octave each, and add up like any total.
TEST(HostMetrics, AHistogramGoesOnFromOneFileToTheNext) {
  HostMetrics metrics("1.0");
  const auto with_callbacks = [](const std::string& file, std::vector<uint64_t> took) {
    BusReading bus = bus_with("b", file, 1);
    shm::CounterValues& values = bus.order->files.back().counters.lives[0].values;
    for (const uint64_t ns : took) {
      ++values.value[shm::first_word(shm::Histogram::callback) + shm::bucket_of(ns)];
      values.value[shm::first_word(shm::Histogram::callback) + shm::kBuckets] += ns;
    }
    return host_of({bus});
  };
  const auto callbacks = [](const std::vector<Sample>& samples) {
    const auto found = std::find_if(samples.begin(), samples.end(), [](const Sample& sample) { return sample.metric == Metric::dispatch_callback; });
    return found == samples.end() ? Sample{} : *found;
  };
  const Sample first = callbacks(metrics.take(with_callbacks("1", {100, 200, 300, 20'000'000'000}), 0));
  ASSERT_EQ(first.buckets.size(), kShownBuckets + 1u);
  EXPECT_EQ(first.buckets[0], 1u) << "shorter than 128 ns";
  EXPECT_EQ(first.buckets[1], 2u) << "than 256 ns";
  EXPECT_EQ(first.buckets[2], 3u);
  EXPECT_EQ(first.buckets[kShownBuckets - 1], 3u);
  EXPECT_EQ(first.buckets[kShownBuckets], 4u);
  EXPECT_DOUBLE_EQ(first.value, 20.0000006);
  const Sample second = callbacks(metrics.take(with_callbacks("2", {100}), 0));
  EXPECT_EQ(second.buckets[0], 2u);
  EXPECT_EQ(second.buckets[kShownBuckets], 5u);
  EXPECT_EQ(shown_bucket_end_ns(1), 256u);
}

TEST(HostMetrics, TotalsStayWhenTheFileIsAnotherOneOrNone) {
  HostMetrics metrics("1.0");
  EXPECT_EQ(records(metrics.take(host_of({bus_with("b", "1", 5)}), 0)), 5);
  // The bus was started anew between two looks: what the old file came to at its end is told once more.
  BusReading anew = bus_with("b", "2", 1);
  anew.order->files.insert(anew.order->files.begin(), Counted{"1", {{}, {life(7)}}});
  EXPECT_EQ(records(metrics.take(host_of({anew}), 0)), 8);
  const std::vector<Sample> gone = metrics.take(host_of({}), 0);
  EXPECT_EQ(records(gone), 8);
  EXPECT_EQ(value_of(gone, Metric::up, {"b", kPlace}), 0);
  EXPECT_EQ(value_of(gone, Metric::members, {"b", kPlace}), std::nullopt);
  EXPECT_EQ(records(metrics.take(host_of({bus_with("b", "3", 2)}), 0)), 10);
}

TEST(HostMetrics, ASuccessorsGatewayGoesOnFromTheLastOne) {
  HostMetrics metrics("1.0");
  const auto told = [&](int pid, int count) {
    BusReading bus = bus_with("b", "1", 0);
    bus.outbox = bus.order;
    bus.uplink = parse_uplink("evs_uplink_state operational\nevs_uplink_gateway_pid " + std::to_string(pid) + "\nevs_uplink_refused_tag_total " + std::to_string(count));
    bus.uplink.gateway = GatewayState::there;
    return metrics.take(host_of({bus}), 0);
  };
  told(1, 4);
  EXPECT_EQ(value_of(told(2, 1), Metric::dropped_packets, {"b", kPlace, "tag"}), 5);
  EXPECT_EQ(value_of(told(2, 3), Metric::auth_failures, {"b", kPlace}), 7);
}

TEST(HostMetrics, WhatTheRingOfHostsDidIsToldByCause) {
  HostMetrics metrics("1.0");
  BusReading bus = bus_with("b", "1", 0);
  bus.outbox = bus.order;
  bus.uplink = parse_uplink("evs_uplink_state operational\nevs_uplink_token_visits_total 9\nevs_uplink_gathered_token_lost_total 2\nevs_uplink_frames_said_again_total 3\n"
                            "evs_uplink_ignored_malformed_total 4\nevs_uplink_bytes_received_total 5");
  const std::vector<Sample> samples = metrics.take(host_of({bus}), 0);
  EXPECT_EQ(value_of(samples, Metric::token_rotations, {"b", kPlace}), 9);
  EXPECT_EQ(value_of(samples, Metric::token_losses, {"b", kPlace}), 2);
  EXPECT_EQ(value_of(samples, Metric::gatherings, {"b", kPlace, "token_lost"}), 2);
  EXPECT_EQ(value_of(samples, Metric::gatherings, {"b", kPlace, "started"}), 0);
  EXPECT_EQ(value_of(samples, Metric::retransmits_sent, {"b", kPlace}), 3);
  EXPECT_EQ(value_of(samples, Metric::ignored_packets, {"b", kPlace, "malformed"}), 4);
  EXPECT_EQ(value_of(samples, Metric::received_bytes, {"b", kPlace}), 5);
}

TEST(HostMetrics, ProcessesAreCountedByStateAndTheFreshestSaysHowItIs) {
  HostMetrics metrics("1.0");
  BusReading bus = bus_with("b", "1", 0);
  bus.order->processes = {process(ProcessState::stopped, 9'000'000'000, 640), process(ProcessState::running, 2, 64), process(ProcessState::expelled, 1, 6400)};
  const std::vector<Sample> samples = metrics.take(host_of({bus}), 0);
  const std::vector<std::string> where{"b", kPlace};
  EXPECT_EQ(value_of(samples, Metric::up, where), 1);
  EXPECT_EQ(value_of(samples, Metric::processes, {"b", kPlace, "stopped"}), 1);
  EXPECT_EQ(value_of(samples, Metric::processes, {"b", kPlace, "hung"}), 0);
  EXPECT_EQ(value_of(samples, Metric::heartbeat_age, where), 9);
  EXPECT_EQ(value_of(samples, Metric::members, where), 2);
  EXPECT_EQ(value_of(samples, Metric::reader_lag, {"b", kPlace, "order"}), 640) << "who was expelled holds nothing";
  EXPECT_EQ(value_of(samples, Metric::handles, {"b", kPlace, "idle"}), 3);
}

// With an uplink each is in the order ring twice: to read, and for the gateway's role.
TEST(HostMetrics, AProcessIsCountedOnceAndByTheWorstOfIt) {
  HostMetrics metrics("1.0");
  BusReading bus = bus_with("b", "1", 0);
  bus.order->processes = {process(ProcessState::running, 1, 0), process(ProcessState::hung, 3'000'000'000, 0)};
  bus.order->processes[1].pid = bus.order->processes[0].pid;
  const std::vector<Sample> samples = metrics.take(host_of({bus}), 0);
  EXPECT_EQ(value_of(samples, Metric::processes, {"b", kPlace, "running"}), 0);
  EXPECT_EQ(value_of(samples, Metric::processes, {"b", kPlace, "hung"}), 1);
}

TEST(HostMetrics, TroublesAreCountedByReason) {
  HostMetrics metrics("1.0");
  HostReading reading;
  reading.troubles = {{Unreadable::access, "a"}, {Unreadable::access, "b"}, {Unreadable::damaged, "c"}};
  metrics.take(reading, 0);
  const std::vector<Sample> samples = metrics.take(reading, 0);
  EXPECT_EQ(value_of(samples, Metric::exporter_unreadable_files, {"access"}), 2);
  EXPECT_EQ(value_of(samples, Metric::exporter_unreadable_files, {"damaged"}), 1);
  EXPECT_EQ(value_of(samples, Metric::exporter_unreadable_files, {"untrusted"}), 0);
  EXPECT_EQ(value_of(samples, Metric::exporter_read_failures, {}), 6);
}

// Names of buses come and go; a monitor's series must not pile up.
TEST(HostMetrics, BusesThatAreGonePushEachOtherOut) {
  HostMetrics metrics("1.0");
  size_t most = 0;
  for (int i = 0; i < 300; ++i) {
    const std::vector<Sample> samples = metrics.take(host_of({bus_with("b" + std::to_string(i), std::to_string(i), 1)}), 0);
    EXPECT_EQ(records(samples, "b" + std::to_string(i)), 1);
    std::set<std::string> buses;
    for (const Sample& sample : samples)
      if (sample.labels.size() >= 2) buses.insert(sample.labels[0]);
    most = std::max(most, buses.size());
  }
  EXPECT_EQ(most, kMostBuses);
}

}  // namespace
}  // namespace evs::metrics
