// SPDX-License-Identifier: BSD-3-Clause
// metrics/table.h - every metric of evs: its name, what it counts in, its labels, and what it says. One table, so that the exporter, the manual page
// evs-metrics(7) and whoever shows a bus use the same words.
//
// Names go by Prometheus's conventions: a counter ends in _total, a unit is a base unit and stands before that, a gauge is what it is called. A label has a bound
// of its own (kLabels): what grows with processes, groups or hosts that come and go is no label, so that a monitor keeps as many series in a year as on the first day.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "shm/histogram.h"

namespace evs::metrics {

enum class Kind : uint8_t {
  counter,  // only rises; from 0 when the exporter is started anew on a host whose bus was started anew
  gauge,
  histogram,  // of durations; counts and sums only rise
};

enum class Metric : uint8_t {
  // The exporter itself.
  exporter_info,
  exporter_buses,
  exporter_left_out_buses,
  exporter_unreadable_files,
  exporter_read_failures,
  exporter_collect_seconds,
  // A bus on this host.
  up,
  processes,
  heartbeat_age,
  members,
  memberships,
  handles,
  joined_groups,
  // Its rings in shared memory.
  ring_capacity,
  ring_used,
  reader_lag,
  ring_messages,
  ring_appended_records,
  ring_appended_bytes,
  ring_delivered_records,
  ring_full,
  ring_no_cell,
  ring_padded_units,
  members_proved_dead,
  member_leaves_appended,
  members_expelled,
  expelled,
  rejoins,
  ring_wakeups,
  service_turns,
  outsider_messages,
  ring_outsider_records,
  ring_delivery,
  wake_up,
  member_leave,
  // What its processes were called back with, and were refused.
  delivered_messages,
  delivered_bytes,
  try_again,
  dispatch_callback,
  // Its way to other hosts.
  gateway_up,
  gateway_standing,
  gateway_told_age,
  uplink_problems,
  uplink_state,
  uplink_hosts,
  uplink_processes,
  token_age,
  sequence_number,
  stable_lag,
  held_up,
  backlog_messages,
  backlog_bytes,
  quorate,
  primary_epoch,
  opened_packets,
  dropped_packets,
  auth_failures,
  received_datagrams,
  sent_packets,
  sent_packet_bytes,
  lost_packets,
  received_bytes,
  ignored_packets,
  token_rotations,
  token_losses,
  retransmit_requests,
  retransmits_sent,
  rings_formed,
  gatherings,
  token_rotation,
  ring_change,
  ordering,
  count_
};
inline constexpr size_t kMetricCount = static_cast<size_t>(Metric::count_);

struct MetricText {
  Metric metric;
  Kind kind;
  std::string_view name;
  std::string_view unit;    // what one is: "bytes", "seconds", "records"
  std::string_view labels;  // names of kLabels with a space between; their values are given in this order
  std::string_view help;    // a sentence
};
const MetricText& text_of(Metric metric);

// "dropped packets": its name without what all have in common, for a line that people read.
std::string words_of(Metric metric);

struct LabelText {
  std::string_view name;
  size_t most;           // values at a time, in one exporter
  std::string_view help;
};
inline constexpr size_t kMostBuses = 64;
inline constexpr LabelText kLabels[] = {
    {"bus", kMostBuses, "Name of the bus."},
    {"directory", kMostBuses, "Directory of its files: buses of different users may have one name."},
    {"ring", 2, "order: what everybody of the host reads. outbox: with an uplink, what goes to the gateway."},
    {"state", 6, "As the metric says."},
    {"kind", 4, "As the metric says."},
    {"guarantee", 4, "unordered, fifo, agreed, safe: as the sender asked."},
    {"reason", 16, "As the metric says."},
    {"version", 1, "Of evs."},
};

// A histogram as it is shown: a bucket an octave. What is kept of it is twice as fine (shm/histogram.h).
inline constexpr uint32_t kShownBuckets = shm::kOctaves + 1;
constexpr uint64_t shown_bucket_end_ns(uint32_t bucket) { return shm::bucket_end_ns(2 * bucket); }  // and one more, without an end

// The METRICS and LABELS of evs-metrics(7), in scdoc.
std::string metrics_reference_scd();

}  // namespace evs::metrics
