// SPDX-License-Identifier: BSD-3-Clause
// metrics/table.cc - see table.h. What a process counts in <bus>.counters has its name and words where it is declared (shm/counters.h).
#include "metrics/table.h"

#include <algorithm>
#include <iterator>

#include "shm/counters.h"

namespace evs::metrics {
namespace {

constexpr std::string_view kBus = "bus directory", kRing = "bus directory ring";

constexpr MetricText counted(Metric metric, shm::Counter counter, std::string_view unit, std::string_view labels = kRing) {
  const shm::CounterText& text = shm::kCounterText[static_cast<size_t>(counter)];
  return {metric, Kind::counter, text.name, unit, labels, text.help};
}

constexpr MetricText measured(Metric metric, shm::Histogram histogram, std::string_view labels = kBus) {
  const shm::HistogramText& text = shm::kHistogramText[static_cast<size_t>(histogram)];
  return {metric, Kind::histogram, text.name, "seconds", labels, text.help};
}

constexpr MetricText kTable[] = {
    {Metric::exporter_info, Kind::gauge, "evs_exporter_info", "1", "version", "Always 1; its label says which evs reads the buses."},
    {Metric::exporter_buses, Kind::gauge, "evs_exporter_buses", "buses", "", "Buses of this host that are read."},
    {Metric::exporter_left_out_buses, Kind::gauge, "evs_exporter_left_out_buses", "buses", "", "Buses that are there and are left out, because more than 64 are."},
    {Metric::exporter_unreadable_files, Kind::gauge, "evs_exporter_unreadable_files", "files", "reason",
     "Files or directories of buses that cannot be read now: access (no right to), untrusted (of another owner than their directory, or others may write to it), "
     "damaged (no such file of this version), other. The log names them."},
    {Metric::exporter_read_failures, Kind::counter, "evs_exporter_read_failures_total", "reads", "", "Reads of such files that failed."},
    {Metric::exporter_collect_seconds, Kind::gauge, "evs_exporter_collect_seconds", "seconds", "", "How long it took to read all of this."},

    {Metric::up, Kind::gauge, "evs_up", "1", kBus, "1: a process is on the bus and its service thread runs; 0: none."},
    {Metric::processes, Kind::gauge, "evs_processes", "processes", "bus directory state",
     "Processes of this host on the bus: running; expelled (it held the ring too long, and has not called since); hung (its service thread has not run for 2 s or more); "
     "stopped (SIGSTOP, a debugger)."},
    {Metric::heartbeat_age, Kind::gauge, "evs_heartbeat_age_seconds", "seconds", kBus, "How long ago the service thread ran that has not run for the longest time. Some 0.3 s at most where all is well."},
    {Metric::members, Kind::gauge, "evs_members", "processes", kBus, "Members of this host's ring in shared memory. With an uplink each process is in it twice, and evs_uplink_processes has those of all hosts."},
    {Metric::memberships, Kind::counter, "evs_memberships_total", "changes", kBus, "Changes of those members."},
    {Metric::handles, Kind::gauge, "evs_handles", "handles", "bus directory state", "Handles: reading (in a group: it keeps room in the ring), idle. With an uplink, those that the library has for itself as well."},
    {Metric::joined_groups, Kind::gauge, "evs_joined_groups", "groups", kBus, "Groups joined, each of these handles' counted by itself."},

    {Metric::ring_capacity, Kind::gauge, "evs_ring_capacity_bytes", "bytes", kRing, "Size of the ring."},
    {Metric::ring_used, Kind::gauge, "evs_ring_used_bytes", "bytes", kRing, "Of that, what somebody has still to read. Nearly full: evs status names who holds it."},
    {Metric::reader_lag, Kind::gauge, "evs_reader_lag_bytes", "bytes", kRing, "How far the slowest handle that has something to read is behind."},
    counted(Metric::ring_messages, shm::Counter::messages, "messages", "bus directory ring guarantee"),
    counted(Metric::ring_appended_records, shm::Counter::appended_records, "records"),
    counted(Metric::ring_appended_bytes, shm::Counter::appended_bytes, "bytes"),
    counted(Metric::ring_delivered_records, shm::Counter::delivered_records, "records"),
    counted(Metric::ring_full, shm::Counter::full, "sends"),
    counted(Metric::ring_no_cell, shm::Counter::no_cell, "sends"),
    counted(Metric::ring_padded_units, shm::Counter::padded_units, "units"),
    counted(Metric::members_proved_dead, shm::Counter::deaths_proved, "processes"),
    counted(Metric::member_leaves_appended, shm::Counter::leaves_appended, "records"),
    counted(Metric::members_expelled, shm::Counter::expulsions, "processes"),
    counted(Metric::expelled, shm::Counter::expelled, "times"),
    counted(Metric::rejoins, shm::Counter::rejoins, "times"),
    counted(Metric::ring_wakeups, shm::Counter::wakeups, "wake-ups"),
    counted(Metric::service_turns, shm::Counter::services, "turns"),
    counted(Metric::outsider_messages, shm::Counter::outsider_sends, "messages"),
    counted(Metric::ring_outsider_records, shm::Counter::outsider_records, "records"),
    measured(Metric::ring_delivery, shm::Histogram::delivery, "bus directory ring guarantee"),
    measured(Metric::wake_up, shm::Histogram::wake_up, kRing),
    measured(Metric::member_leave, shm::Histogram::leave, kRing),

    counted(Metric::delivered_messages, shm::Counter::delivered, "messages", "bus directory guarantee"),
    counted(Metric::delivered_bytes, shm::Counter::delivered_bytes, "bytes", kBus),
    counted(Metric::try_again, shm::Counter::refused_full, "sends", "bus directory reason"),
    measured(Metric::dispatch_callback, shm::Histogram::callback),

    {Metric::gateway_up, Kind::gauge, "evs_gateway_up", "1", kBus,
     "1: this host has a gateway and it told of itself within a second; 0: there is none, or it is stopped or hangs. Absent where the bus has no uplink."},
    {Metric::gateway_standing, Kind::gauge, "evs_gateway_standing", "1", kBus, "1: the gateway stands for the role (evs gateway); 0: it is an application that is willing."},
    {Metric::gateway_told_age, Kind::gauge, "evs_gateway_told_age_seconds", "seconds", kBus, "How long ago the gateway told what the other metrics of the uplink say; four times a second it does."},
    {Metric::uplink_problems, Kind::gauge, "evs_uplink_problems", "1", kBus, "Things that the gateway says are wrong now: an id that two hosts use, keys that do not fit, hosts that do not hear each other. evs status has the sentences."},
    {Metric::uplink_state, Kind::gauge, "evs_uplink_state", "1", "bus directory state",
     "1 for the state of this host on the ring of hosts, 0 for the others: operational, gather, commit, recovery, apart, closed (evs-status(1))."},
    {Metric::uplink_hosts, Kind::gauge, "evs_uplink_hosts", "hosts", kBus, "Hosts on this host's ring of hosts, itself included."},
    {Metric::uplink_processes, Kind::gauge, "evs_uplink_processes", "processes", kBus, "Processes in the configuration, on all hosts of the ring."},
    {Metric::token_age, Kind::gauge, "evs_token_age_seconds", "seconds", kBus, "How long ago the token was here. Absent on a host that is alone: it has none."},
    {Metric::sequence_number, Kind::gauge, "evs_sequence_number", "frames", "bus directory kind",
     "Of the ring of hosts: high (frames were sent up to here), received_up_to (nothing is missing here), stable (every host has them)."},
    {Metric::stable_lag, Kind::gauge, "evs_stable_lag_frames", "frames", kBus, "Frames between stable and high: what is SAFE waits for these."},
    {Metric::held_up, Kind::gauge, "evs_held_up", "1", "bus directory reason",
     "1 while all hosts wait for one: readers (its processes read too slowly), loss (it lacks frames that others have). evs status says for which."},
    {Metric::backlog_messages, Kind::gauge, "evs_backlog_messages", "messages", kBus, "Messages that the gateway took from the outbox and that have no place in the order yet."},
    {Metric::backlog_bytes, Kind::gauge, "evs_backlog_bytes", "bytes", kBus, "What of that waits for the token."},
    {Metric::quorate, Kind::gauge, "evs_quorate", "1", kBus, "1: these hosts may act for all (uplink.quorum). Absent where no quorum is configured."},
    {Metric::primary_epoch, Kind::gauge, "evs_primary_epoch", "epochs", kBus, "Number of the primary ring; 0: this one is not primary."},
    {Metric::opened_packets, Kind::counter, "evs_opened_packets_total", "packets", kBus, "Packets of other hosts that were taken."},
    {Metric::dropped_packets, Kind::counter, "evs_dropped_packets_total", "packets", "bus directory reason",
     "Packets that were refused: short, version, foreign (of another bus), unsealed, sealed, unknown_key, tag (not sealed with this key, or altered), replay, old_life, table_full."},
    {Metric::auth_failures, Kind::counter, "evs_auth_failures_total", "packets", kBus,
     "Of these, those that say that somebody has another key, or none, or is no host of ours: unsealed, sealed, unknown_key, tag."},
    {Metric::received_datagrams, Kind::counter, "evs_received_datagrams_total", "datagrams", kBus, "Datagrams that came by the medium, echoes of our own included."},
    {Metric::sent_packets, Kind::counter, "evs_sent_packets_total", "packets", kBus, "Packets given to the medium."},
    {Metric::sent_packet_bytes, Kind::counter, "evs_sent_packet_bytes_total", "bytes", kBus, "Their bytes."},
    {Metric::lost_packets, Kind::counter, "evs_lost_packets_total", "packets", "bus directory reason",
     "Packets that this host lost by itself: no_room (the medium took no more), too_big, medium_failed, no_address, parts (one of several datagrams did not come), "
     "while_paused (this process was stopped). The ring sends again what is needed."},
    {Metric::received_bytes, Kind::counter, "evs_received_bytes_total", "bytes", kBus, "Bytes of the datagrams that came."},
    {Metric::ignored_packets, Kind::counter, "evs_ignored_packets_total", "packets", "bus directory reason",
     "Packets that were opened and that the ring could do nothing with. malformed: no host with this evs writes such a one. duplicate_host: another host has our number. The rest are "
     "late, of another ring, or for others, and come with each change of the ring: other_ring, stale_token, stale_commit, not_for_us, own_echo, names_us_failed, stale_join, "
     "quarantined, frozen, outside_window, mark_fell, distrusted, wrong_phase, superseded."},
    {Metric::token_rotations, Kind::counter, "evs_token_rotations_total", "rotations", kBus, "Times that the token came to this host."},
    {Metric::token_losses, Kind::counter, "evs_token_losses_total", "losses", kBus, "Times that no sign of the token came for uplink.token_timeout: a host is gone, overloaded, or the network loses packets."},
    {Metric::retransmit_requests, Kind::counter, "evs_retransmit_requests_total", "frames", kBus, "Frames that were missing here, each time that this host asked for them."},
    {Metric::retransmits_sent, Kind::counter, "evs_retransmits_sent_total", "frames", kBus, "Frames that this host multicast again because a host asked."},
    {Metric::rings_formed, Kind::counter, "evs_rings_formed_total", "rings", kBus, "Rings of hosts that this host has been on."},
    {Metric::gatherings, Kind::counter, "evs_ring_reformations_total", "times", "bus directory reason",
     "Times that this host began to look for a ring, by cause: started, token_lost, foreign_ring (hosts of another ring were heard), join_heard (another host began), cannot_receive (a "
     "host hears nothing), consensus_missed (hosts did not agree in time), commit_lost, recovery_lost, recovery_too_long (the attempt before broke), barrier_too_long (a host does not deliver what "
     "others have delivered), held_too_long (a host's readers are slow), names_run_out. One change of the ring may take several."},
    measured(Metric::token_rotation, shm::Histogram::token_rotation),
    measured(Metric::ring_change, shm::Histogram::ring_change),
    measured(Metric::ordering, shm::Histogram::ordering, "bus directory guarantee"),
};
static_assert(std::size(kTable) == kMetricCount, "every metric has its row");

constexpr bool rows_are_in_order() {
  for (size_t i = 0; i < kMetricCount; ++i)
    if (kTable[i].metric != static_cast<Metric>(i)) return false;
  return true;
}
static_assert(rows_are_in_order(), "a row stands at its metric's place");

// scdoc takes an underscore at a word's edge for emphasis.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '_' || c == '*') out += '\\';
    out += c;
  }
  return out;
}

std::string label_list(std::string_view labels) {
  std::string out(" {");
  for (const char c : labels) {
    if (c == ' ') out += ',';
    out += c;
  }
  return labels.empty() ? std::string() : escaped(out) + "}";
}

}  // namespace

const MetricText& text_of(Metric metric) { return kTable[static_cast<size_t>(metric)]; }

std::string words_of(Metric metric) {
  constexpr std::string_view kPrefix = "evs_", kSuffix = "_total";
  std::string words(text_of(metric).name.substr(kPrefix.size()));
  if (words.ends_with(kSuffix)) words.resize(words.size() - kSuffix.size());
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string metrics_reference_scd() {
  std::string out = "# METRICS\n";
  for (const MetricText& row : kTable) {
    out.append("\n*").append(escaped(row.name)).append("*").append(label_list(row.labels)).append(row.kind == Kind::counter ? "\n\tCounter" : row.kind == Kind::gauge ? "\n\tGauge" : "\n\tHistogram");
    if (row.unit != "1") out.append(", in ").append(row.unit);
    out.append(". ").append(escaped(row.help)).append("\n");
  }
  out += "\n# LABELS\n\nNo label has more values at a time than stand here, whoever comes and goes.\n";
  for (const LabelText& label : kLabels)
    out.append("\n*").append(escaped(label.name)).append("*, ").append(std::to_string(label.most)).append("\n\t").append(escaped(label.help)).append("\n");
  return out += "\n";
}

}  // namespace evs::metrics
