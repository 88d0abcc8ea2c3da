// SPDX-License-Identifier: BSD-3-Clause
// metrics/told_counts.h - which count in <bus>.uplink is which metric: in the words of the gateway (evs-status(1), UPLINK), and in those of the table.
#pragma once

#include <string_view>

#include "metrics/table.h"

namespace evs::metrics {

struct ToldCount {
  Metric metric;
  std::string_view reason;  // its label; empty: it has none
  std::string_view name;
};

inline constexpr ToldCount kToldCounts[] = {
    {Metric::opened_packets, "", "opened_total"},
    {Metric::dropped_packets, "short", "refused_short_total"}, {Metric::dropped_packets, "version", "refused_version_total"},
    {Metric::dropped_packets, "foreign", "refused_foreign_total"}, {Metric::dropped_packets, "unsealed", "refused_unsealed_total"},
    {Metric::dropped_packets, "sealed", "refused_sealed_total"}, {Metric::dropped_packets, "unknown_key", "refused_unknown_key_total"},
    {Metric::dropped_packets, "tag", "refused_tag_total"}, {Metric::dropped_packets, "replay", "refused_replay_total"},
    {Metric::dropped_packets, "old_life", "refused_old_life_total"}, {Metric::dropped_packets, "table_full", "refused_table_full_total"},
    {Metric::received_datagrams, "", "datagrams_received_total"},
    {Metric::received_bytes, "", "bytes_received_total"},
    {Metric::sent_packets, "", "packets_sent_total"},
    {Metric::sent_packet_bytes, "", "bytes_sent_total"},
    {Metric::lost_packets, "no_room", "lost_no_room_total"}, {Metric::lost_packets, "too_big", "lost_too_big_total"},
    {Metric::lost_packets, "medium_failed", "lost_medium_failed_total"}, {Metric::lost_packets, "no_address", "lost_no_address_total"},
    {Metric::lost_packets, "parts", "lost_parts_total"}, {Metric::lost_packets, "while_paused", "lost_while_paused_total"},
    {Metric::ignored_packets, "malformed", "ignored_malformed_total"}, {Metric::ignored_packets, "other_ring", "ignored_other_ring_total"},
    {Metric::ignored_packets, "stale_token", "ignored_stale_token_total"}, {Metric::ignored_packets, "stale_commit", "ignored_stale_commit_total"},
    {Metric::ignored_packets, "not_for_us", "ignored_not_for_us_total"}, {Metric::ignored_packets, "own_echo", "ignored_own_echo_total"},
    {Metric::ignored_packets, "names_us_failed", "ignored_names_us_failed_total"}, {Metric::ignored_packets, "stale_join", "ignored_stale_join_total"},
    {Metric::ignored_packets, "quarantined", "ignored_quarantined_total"}, {Metric::ignored_packets, "duplicate_host", "ignored_duplicate_host_total"},
    {Metric::ignored_packets, "frozen", "ignored_frozen_total"}, {Metric::ignored_packets, "outside_window", "ignored_outside_window_total"},
    {Metric::ignored_packets, "mark_fell", "ignored_mark_fell_total"}, {Metric::ignored_packets, "distrusted", "ignored_distrusted_total"},
    {Metric::ignored_packets, "wrong_phase", "ignored_wrong_phase_total"}, {Metric::ignored_packets, "superseded", "ignored_superseded_total"},
    {Metric::token_rotations, "", "token_visits_total"},
    {Metric::token_losses, "", "gathered_token_lost_total"},
    {Metric::retransmit_requests, "", "frames_asked_total"},
    {Metric::retransmits_sent, "", "frames_said_again_total"},
    {Metric::rings_formed, "", "rings_formed_total"},
    {Metric::gatherings, "started", "gathered_started_total"}, {Metric::gatherings, "token_lost", "gathered_token_lost_total"},
    {Metric::gatherings, "foreign_ring", "gathered_foreign_ring_total"}, {Metric::gatherings, "join_heard", "gathered_join_heard_total"},
    {Metric::gatherings, "cannot_receive", "gathered_cannot_receive_total"}, {Metric::gatherings, "consensus_missed", "gathered_consensus_missed_total"},
    {Metric::gatherings, "commit_lost", "gathered_commit_lost_total"}, {Metric::gatherings, "recovery_lost", "gathered_recovery_lost_total"},
    {Metric::gatherings, "recovery_too_long", "gathered_recovery_too_long_total"}, {Metric::gatherings, "barrier_too_long", "gathered_barrier_too_long_total"},
    {Metric::gatherings, "held_too_long", "gathered_held_too_long_total"}, {Metric::gatherings, "names_run_out", "gathered_names_run_out_total"},
};
// Of dropped packets, those that say that somebody has another key, or none, or is no host of ours.
inline constexpr std::string_view kAuthFailures[] = {"unsealed", "sealed", "unknown_key", "tag"};

}  // namespace evs::metrics
