// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/gateway_status.cc - what the gateway says of itself, for `evs status` (status_file.h).
#include <algorithm>

#include "bus/runtime/uplink/gateway.h"
#include "bus/runtime/uplink/status_lines.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr uint64_t kStatusEveryNs = 250'000'000;

void add_ring(StatusLines& lines, const Protocol& protocol, uint64_t now_ns) {
  lines.add("state", protocol.phase_name());
  lines.add("ring_sequence", protocol.ring().sequence);
  lines.add("ring_representative", protocol.ring().representative);
  std::string members;
  for (const Host& host : protocol.members()) {
    if (!members.empty()) members += ' ';
    members += std::to_string(host.id);
  }
  if (!members.empty()) lines.add("members", members);
  // Who is alone has no token, whatever it had before.
  if (protocol.members().size() > 1 && protocol.token_came_at() != kNever) lines.add("token_age_ns", now_ns - std::min(now_ns, protocol.token_came_at().ns));
  lines.add("received_up_to", protocol.received_up_to().value);
  lines.add("stable", protocol.stable().value);
  lines.add("high", protocol.high().value);
  lines.add("held_by", protocol.held_by());
  lines.add("lagging", protocol.lagging());
  lines.add("backlog_bytes", protocol.backlog_bytes());
}

// Who was told to be in which group, on all hosts: "group_1 KEY NODEID:PID NODEID:PID ...". As many as people can look at, and how many there are.
void add_groups(StatusLines& lines, const std::map<Group, std::set<Resident>>& groups) {
  constexpr size_t kMostGroups = 100, kMostBytes = 16 << 10;
  size_t said = 0, bytes = 0;
  for (const auto& [group, residents] : groups) {
    if (said == kMostGroups || bytes >= kMostBytes) break;
    std::string text;
    for (const std::byte byte : group) {
      constexpr char kDigits[] = "0123456789abcdef";
      text += kDigits[static_cast<unsigned>(byte) >> 4];
      text += kDigits[static_cast<unsigned>(byte) & 15];
    }
    for (const Resident& one : residents) {
      if (text.size() >= kMostBytes) break;
      text.append(" ").append(std::to_string(one.node)).append(":").append(std::to_string(one.pid));
    }
    bytes += text.size();
    lines.add("group_" + std::to_string(++said), std::string_view(text));
  }
  lines.add("group_count", groups.size());
}

void add_losses(StatusLines& lines, const Link& link, const sealing::Counts& sealed) {
  lines.add("opened_total", sealed.opened);
  for (size_t i = 1; i < sealing::kRefusals; ++i)
    if (const auto why = static_cast<sealing::Refusal>(i); why != sealing::Refusal::echo) lines.add(std::string("refused_") + name_of(why) + "_total", sealed.of(why));
  lines.add("datagrams_received_total", link.counts().received);
  lines.add("bytes_received_total", link.counts().received_bytes);
  lines.add("packets_sent_total", link.outgoing().counts().packets);
  lines.add("bytes_sent_total", link.outgoing().counts().bytes);
  // Lost, each in its way.
  lines.add("lost_no_room_total", link.outgoing().counts().given_up + link.outgoing().counts().overflowed);
  lines.add("lost_too_big_total", link.outgoing().counts().too_big);
  lines.add("lost_medium_failed_total", link.outgoing().counts().refused);
  lines.add("lost_no_address_total", link.counts().to_nobody);
  lines.add("lost_parts_total", link.joiner().broken_total());
  lines.add("lost_while_paused_total", link.counts().flushed);
}

std::string counted(const char* what, std::string why) {
  std::replace(why.begin(), why.end(), ' ', '_');
  return std::string(what) + "_" + why + "_total";
}

// What the ring did, and what became of rings.
void add_ring_work(StatusLines& lines, const Protocol& protocol, const RingWatch::Counts& rings) {
  lines.add("token_visits_total", protocol.ring_work().tokens);
  lines.add("frames_asked_total", protocol.ring_work().asked);
  lines.add("frames_said_again_total", protocol.ring_work().said_again);
  lines.add("rings_formed_total", rings.formed);
  for (size_t i = 0; i < static_cast<size_t>(Why::count_); ++i) lines.add(counted("gathered", name_of(static_cast<Why>(i))), protocol.entered_gather(static_cast<Why>(i)));
  for (size_t i = 0; i < static_cast<size_t>(Drop::count_); ++i) lines.add(counted("ignored", name_of(static_cast<Drop>(i))), protocol.dropped(static_cast<Drop>(i)));
}

}  // namespace

std::string Gateway::status_text(uint64_t now_ns) const {
  StatusLines lines;
  lines.add_teller(making_.stands);
  lines.add("written_ns", now_ns);
  lines.add("host_id", making_.host_id);
  add_ring(lines, link_->protocol(), now_ns);
  lines.add("backlog_messages", submitted_.size());
  evs_ordered_usage usage{};
  usage.struct_size = sizeof usage;
  making_.outbox->ops().usage(making_.outbox->self(), &usage);
  lines.add("outbox_used_bytes", usage.used_bytes);
  lines.add("processes", level_->configuration().members.size());
  add_groups(lines, groups_);
  if (votes_) {
    const char* const verdict = verdict_text();
    lines.add("epoch", level_->epoch());
    lines.add("quorum", verdict != nullptr ? verdict : "not decided yet");
  }
  add_losses(lines, *link_, sealing_->counts());
  add_ring_work(lines, link_->protocol(), link_->rings());
  lines.add_problems(episodes_->problems(Instant{now_ns}));
  return lines.text();
}

// It is for people to look at: who cannot be shown it is told once, and the gateway goes on.
void Gateway::write_status(const std::string& text) {
  if (!status_file_) status_file_ = std::make_unique<StatusFile>(*making_.directory, making_.config->text("bus.name"), making_.config->text("metrics.group"));
  const shm::Status status = status_file_->write(text);
  if (!status.ok() && !status_failed_) making_.log->warning("status", "evs status cannot be told of the uplink: " + status.text);
  status_failed_ = !status.ok();
}

void Gateway::publish_status(uint64_t now_ns) {
  status_ns_ = now_ns + kStatusEveryNs;
  write_status(status_text(now_ns));
  if (failure_.empty()) say_whether_primary();
}

}  // namespace evs::runtime::uplink
