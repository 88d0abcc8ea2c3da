// SPDX-License-Identifier: BSD-3-Clause
// metrics/host_metrics.cc - see host_metrics.h.
#include "metrics/host_metrics.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string_view>

#include "metrics/told_counts.h"

namespace evs::metrics {
namespace {

constexpr double kPerSecond = 1e9;
constexpr std::string_view kOrder = "order", kOutbox = "outbox";

struct CountedMetric {
  Metric metric;
  shm::Counter counter;
  std::string_view label = {};  // behind the ring's, or instead of it
};
constexpr CountedMetric kCounted[] = {
    {Metric::ring_appended_records, shm::Counter::appended_records}, {Metric::ring_appended_bytes, shm::Counter::appended_bytes},
    {Metric::ring_delivered_records, shm::Counter::delivered_records}, {Metric::ring_full, shm::Counter::full},
    {Metric::ring_no_cell, shm::Counter::no_cell}, {Metric::ring_padded_units, shm::Counter::padded_units},
    {Metric::members_proved_dead, shm::Counter::deaths_proved}, {Metric::member_leaves_appended, shm::Counter::leaves_appended},
    {Metric::members_expelled, shm::Counter::expulsions}, {Metric::expelled, shm::Counter::expelled},
    {Metric::rejoins, shm::Counter::rejoins}, {Metric::ring_wakeups, shm::Counter::wakeups},
    {Metric::service_turns, shm::Counter::services}, {Metric::outsider_messages, shm::Counter::outsider_sends},
    {Metric::ring_outsider_records, shm::Counter::outsider_records},
    {Metric::ring_messages, shm::messages_of(0), "unordered"}, {Metric::ring_messages, shm::messages_of(1), "fifo"},
    {Metric::ring_messages, shm::messages_of(2), "agreed"}, {Metric::ring_messages, shm::messages_of(3), "safe"},
};
// Of a bus and not of one of its rings.
constexpr CountedMetric kCountedOfBus[] = {
    {Metric::delivered_messages, shm::delivered_of(0), "unordered"}, {Metric::delivered_messages, shm::delivered_of(1), "fifo"},
    {Metric::delivered_messages, shm::delivered_of(2), "agreed"}, {Metric::delivered_messages, shm::delivered_of(3), "safe"},
    {Metric::delivered_bytes, shm::Counter::delivered_bytes},
    {Metric::try_again, shm::Counter::refused_full, "full"}, {Metric::try_again, shm::Counter::refused_nested, "nested"},
    {Metric::try_again, shm::Counter::refused_rejoining, "rejoining"},
};
static_assert(std::size(kCounted) + std::size(kCountedOfBus) == static_cast<size_t>(shm::Counter::count_), "every counter is told");

constexpr std::string_view kGuaranteeNames[] = {"unordered", "fifo", "agreed", "safe"};
struct MeasuredMetric {
  Metric metric;
  shm::Histogram histogram;
  enum Of : uint8_t { ring, bus, uplink } of;
  bool by_guarantee = false;
};
constexpr MeasuredMetric kMeasured[] = {
    {Metric::ring_delivery, shm::Histogram::delivery, MeasuredMetric::ring, true}, {Metric::wake_up, shm::Histogram::wake_up, MeasuredMetric::ring},
    {Metric::member_leave, shm::Histogram::leave, MeasuredMetric::ring}, {Metric::dispatch_callback, shm::Histogram::callback, MeasuredMetric::bus},
    {Metric::token_rotation, shm::Histogram::token_rotation, MeasuredMetric::uplink}, {Metric::ring_change, shm::Histogram::ring_change, MeasuredMetric::uplink},
    {Metric::ordering, shm::Histogram::ordering, MeasuredMetric::uplink, true},
};

constexpr std::string_view kUplinkStates[] = {"operational", "gather", "commit", "recovery", "apart", "closed"};
std::vector<std::string> with(std::vector<std::string> labels, std::string_view more) {
  labels.emplace_back(more);
  return labels;
}

// `part`: of a histogram, the bucket, or behind them the sum.
std::string series_of(Metric metric, const std::vector<std::string>& labels, int part = -1) {
  std::string text = std::to_string(static_cast<int>(metric));
  if (part >= 0) text.append(1, '/').append(std::to_string(part));
  for (const std::string& label : labels) text.append(1, '\0').append(label);
  return text;
}

// Whoever ran last sees most of the ring.
const Process* freshest_of(const RingReading& ring) {
  const Process* best = nullptr;
  for (const Process& process : ring.processes)
    if (process.state != ProcessState::expelled && (best == nullptr || process.heartbeat_age_ns < best->heartbeat_age_ns)) best = &process;
  return best;
}

size_t words_in(const std::string& text) {
  size_t words = 0;
  for (size_t i = 0; i < text.size(); ++i) words += text[i] != ' ' && (i == 0 || text[i - 1] == ' ');
  return words;
}

}  // namespace

void HostMetrics::total(Metric metric, Where labels, const std::string& life, uint64_t value) {
  totals_.follow(series_of(metric, labels), life, value);
  counted_.emplace(metric, std::move(labels));
}

void HostMetrics::follow_durations(Metric metric, Where labels, const Counted& file, shm::Histogram histogram) {
  const uint32_t first = shm::first_word(histogram);
  uint64_t shorter = 0;
  for (uint32_t bucket = 0; bucket <= kShownBuckets; ++bucket) {  // each with the half octave before its end
    if (bucket > 0 && bucket < kShownBuckets) shorter += file.counters.total(first + 2 * bucket - 1);
    shorter += bucket == kShownBuckets ? file.counters.total(first + shm::kBuckets - 1) : file.counters.total(first + 2 * bucket);
    totals_.follow(series_of(metric, labels, static_cast<int>(bucket)), file.life, shorter);
  }
  totals_.follow(series_of(metric, labels, kShownBuckets + 1), file.life, file.counters.total(first + shm::kBuckets));
  counted_.emplace(metric, std::move(labels));
}

void HostMetrics::add_durations(const RingReading& ring, const Where& labels, Metric metric, shm::Histogram histogram, bool by_guarantee) {
  for (const Counted& file : ring.files) {
    if (!by_guarantee) follow_durations(metric, labels, file, histogram);
    for (uint32_t g = 0; by_guarantee && g < shm::kGuarantees; ++g) follow_durations(metric, with(labels, kGuaranteeNames[g]), file, shm::for_guarantee(histogram, g));
  }
}

// What is counted above the rings stands in the order ring's file.
void HostMetrics::add_counts_of_bus(const RingReading& ring, const Where& where) {
  for (const CountedMetric& counted : kCountedOfBus)
    for (const Counted& file : ring.files) total(counted.metric, counted.label.empty() ? where : with(where, counted.label), file.life, file.counters.total(counted.counter));
  for (const MeasuredMetric& measured : kMeasured)
    if (measured.of == MeasuredMetric::bus) add_durations(ring, where, measured.metric, measured.histogram, measured.by_guarantee);
}

void HostMetrics::add_host(const HostReading& reading, uint64_t took_ns) {
  gauge(Metric::exporter_info, {version_}, 1);
  gauge(Metric::exporter_buses, {}, static_cast<double>(reading.buses.size()));
  gauge(Metric::exporter_left_out_buses, {}, static_cast<double>(reading.left_out));
  std::array<size_t, kUnreadables> troubles{};
  for (const Trouble& trouble : reading.troubles) ++troubles[static_cast<size_t>(trouble.reason)];
  for (size_t i = 0; i < kUnreadables; ++i) gauge(Metric::exporter_unreadable_files, {std::string(name_of(static_cast<Unreadable>(i)))}, static_cast<double>(troubles[i]));
  failures_ += reading.troubles.size();
  gauge(Metric::exporter_read_failures, {}, static_cast<double>(failures_));
  gauge(Metric::exporter_collect_seconds, {}, static_cast<double>(took_ns) / kPerSecond);
}

void HostMetrics::add_processes(const RingReading& ring, const Where& where) {
  std::map<int32_t, ProcessState> worst;
  uint64_t age_ns = 0, handles = 0, reading = 0, groups = 0;
  for (const Process& process : ring.processes) {
    ProcessState& state = worst.try_emplace(process.pid, process.state).first->second;
    state = std::max(state, process.state);
    age_ns = std::max(age_ns, process.heartbeat_age_ns);
    handles += process.values.of(shm::Level::handles);
    reading += process.values.of(shm::Level::reading_handles);
    groups += process.values.of(shm::Level::joined_groups);
  }
  std::array<size_t, kProcessStates> states{};
  for (const auto& [pid, state] : worst) ++states[static_cast<size_t>(state)];
  gauge(Metric::up, where, states[static_cast<size_t>(ProcessState::running)] != 0);
  for (size_t i = 0; i < kProcessStates; ++i) gauge(Metric::processes, with(where, name_of(static_cast<ProcessState>(i))), static_cast<double>(states[i]));
  if (ring.processes.empty()) return;
  gauge(Metric::heartbeat_age, where, static_cast<double>(age_ns) / kPerSecond);
  gauge(Metric::handles, with(where, "reading"), static_cast<double>(reading));
  gauge(Metric::handles, with(where, "idle"), static_cast<double>(handles - std::min(handles, reading)));
  gauge(Metric::joined_groups, where, static_cast<double>(groups));
}

void HostMetrics::add_ring(const RingReading& ring, const Where& where, std::string_view name) {
  for (const CountedMetric& counted : kCounted) {
    Where labels = with(where, name);
    if (!counted.label.empty()) labels.emplace_back(counted.label);
    for (const Counted& file : ring.files) total(counted.metric, labels, file.life, file.counters.total(counted.counter));
  }
  for (const MeasuredMetric& measured : kMeasured)
    if (measured.of == MeasuredMetric::ring) add_durations(ring, with(where, name), measured.metric, measured.histogram, measured.by_guarantee);
  const Process* freshest = freshest_of(ring);
  if (freshest == nullptr) return;
  const auto level = [&](shm::Level of) { return static_cast<double>(freshest->values.of(of)); };
  gauge(Metric::ring_capacity, with(where, name), level(shm::Level::capacity_bytes));
  gauge(Metric::ring_used, with(where, name), level(shm::Level::used_bytes));
  uint64_t lag = 0;
  for (const Process& process : ring.processes)
    if (process.state != ProcessState::expelled) lag = std::max(lag, process.values.of(shm::Level::reader_lag_bytes));
  gauge(Metric::reader_lag, with(where, name), static_cast<double>(lag));
  if (name != kOrder) return;
  gauge(Metric::members, where, level(shm::Level::members));
  // Change numbers rise by two, and begin anew with a segment. The freshest process may have read less of it than one that is gone.
  totals_.follow_latest(series_of(Metric::memberships, where), std::to_string(freshest->values.of(shm::Level::ring_sequence)), freshest->values.of(shm::Level::change) / 2);
  counted_.emplace(Metric::memberships, where);
}

void HostMetrics::add_told(const Uplink& uplink, const char* name, Metric metric, const Where& where, double per_unit) {
  if (uplink.value(name) != nullptr) gauge(metric, where, static_cast<double>(uplink.number(name)) / per_unit);
}

void HostMetrics::add_told_counts(const Uplink& uplink, const Where& where) {
  const std::string life = std::to_string(uplink.number("gateway_pid")) + ":" + std::to_string(uplink.number("gateway_start_time"));
  uint64_t failures = 0;
  for (const ToldCount& count : kToldCounts) {
    const uint64_t value = uplink.number(count.name);
    total(count.metric, count.reason.empty() ? where : with(where, count.reason), life, value);
    if (count.metric == Metric::dropped_packets && std::count(std::begin(kAuthFailures), std::end(kAuthFailures), count.reason) != 0) failures += value;
  }
  total(Metric::auth_failures, where, life, failures);
}

void HostMetrics::add_uplink(const Uplink& uplink, const Where& where) {
  gauge(Metric::gateway_up, where, uplink.gateway == GatewayState::there);
  const std::string* state = uplink.value("state");
  if (state == nullptr) return;
  add_told_counts(uplink, where);
  if (uplink.gateway == GatewayState::gone) return;  // what it told of now is past
  add_told(uplink, "gateway_standing", Metric::gateway_standing, where);
  gauge(Metric::gateway_told_age, where, static_cast<double>(uplink.age_ns) / kPerSecond);
  const auto is_problem = [](const auto& told) { return told.first.starts_with("problem_"); };
  gauge(Metric::uplink_problems, where, static_cast<double>(std::count_if(uplink.values.begin(), uplink.values.end(), is_problem)));
  for (const std::string_view name : kUplinkStates) gauge(Metric::uplink_state, with(where, name), *state == name);
  if (const std::string* members = uplink.value("members"); members != nullptr) gauge(Metric::uplink_hosts, where, static_cast<double>(words_in(*members)));
  add_told(uplink, "processes", Metric::uplink_processes, where);
  if (uplink.value("token_age_ns") != nullptr) gauge(Metric::token_age, where, static_cast<double>(uplink.number("token_age_ns") + uplink.age_ns) / kPerSecond);
  for (const char* kind : {"high", "received_up_to", "stable"}) add_told(uplink, kind, Metric::sequence_number, with(where, kind));
  const uint64_t high = uplink.number("high");
  gauge(Metric::stable_lag, where, static_cast<double>(high - std::min(high, uplink.number("stable"))));
  gauge(Metric::held_up, with(where, "readers"), uplink.number("held_by") != 0);
  gauge(Metric::held_up, with(where, "loss"), uplink.number("lagging") != 0);
  add_told(uplink, "backlog_messages", Metric::backlog_messages, where);
  add_told(uplink, "backlog_bytes", Metric::backlog_bytes, where);
  add_told(uplink, "epoch", Metric::primary_epoch, where);
  if (uplink.value("epoch") != nullptr) gauge(Metric::quorate, where, uplink.number("epoch") != 0);
}

// A bus more than can be remembered pushes out one that is not there any more.
bool HostMetrics::remembers(const Where& where) {
  if (known_.count(where) != 0) return true;
  if (known_.size() >= kMostBuses) {
    const auto gone = std::find_if(known_.begin(), known_.end(), [&](const Where& one) { return seen_.count(one) == 0; });
    if (gone == known_.end()) return false;
    for (auto at = counted_.begin(); at != counted_.end();) {
      const bool its = at->second.size() >= 2 && at->second[0] == (*gone)[0] && at->second[1] == (*gone)[1];
      for (int part = -1; its && part <= static_cast<int>(kShownBuckets) + 1; ++part) totals_.forget(series_of(at->first, at->second, part));
      at = its ? counted_.erase(at) : std::next(at);
    }
    known_.erase(gone);
  }
  known_.insert(where);
  return true;
}

void HostMetrics::add_bus(const BusReading& bus, const Where& where) {
  const RingReading none;
  add_processes(bus.order ? *bus.order : none, where);
  if (bus.order) add_ring(*bus.order, where, kOrder);
  if (bus.order) add_counts_of_bus(*bus.order, where);
  if (!bus.outbox) return;
  add_ring(*bus.outbox, where, kOutbox);
  for (const MeasuredMetric& measured : kMeasured)
    if (bus.order && measured.of == MeasuredMetric::uplink) add_durations(*bus.order, where, measured.metric, measured.histogram, measured.by_guarantee);
  if (!bus.outbox->processes.empty()) add_uplink(bus.uplink, where);
}

void HostMetrics::tell(Metric metric, const Where& labels) {
  if (text_of(metric).kind != Kind::histogram) return gauge(metric, labels, static_cast<double>(totals_.of(series_of(metric, labels))));
  Sample sample{metric, labels, static_cast<double>(totals_.of(series_of(metric, labels, kShownBuckets + 1))) / kPerSecond, {}};
  for (uint32_t bucket = 0; bucket <= kShownBuckets; ++bucket) sample.buckets.push_back(totals_.of(series_of(metric, labels, static_cast<int>(bucket))));
  samples_.push_back(std::move(sample));
}

std::vector<Sample> HostMetrics::take(const HostReading& reading, uint64_t took_ns) {
  samples_.clear();
  seen_.clear();
  for (const BusReading& bus : reading.buses) seen_.insert({bus.bus, bus.directory});
  add_host(reading, took_ns);
  for (const BusReading& bus : reading.buses)
    if (const Where where{bus.bus, bus.directory}; remembers(where)) add_bus(bus, where);
  for (const Where& where : known_)
    if (seen_.count(where) == 0) gauge(Metric::up, where, 0);
  for (const auto& [metric, labels] : counted_) tell(metric, labels);
  std::stable_sort(samples_.begin(), samples_.end(), [](const Sample& a, const Sample& b) { return a.metric < b.metric; });
  return std::move(samples_);
}

}  // namespace evs::metrics
