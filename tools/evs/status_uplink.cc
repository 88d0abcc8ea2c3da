// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_uplink.cc - see status_uplink.h.
#include "tools/evs/status_uplink.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "metrics/told_counts.h"
#include "tools/evs/json.h"
#include "tools/evs/status_groups.h"

namespace evs::tools {

using metrics::GatewayState;
using metrics::Member;
using metrics::Metric;
using metrics::Snapshot;
using metrics::Uplink;

namespace {

constexpr size_t kMostNamed = 3;  // of those who fill the outbox

std::string line(const char* name, const std::string& text) {
  std::string out = "  " + std::string(name);
  out.resize(11, ' ');
  return out + text + "\n";
}

std::string text_of(const Uplink& uplink, std::string_view name) {
  const std::string* value = uplink.value(name);
  return value == nullptr ? "?" : printable(*value);
}

std::string ring_of_hosts(const Uplink& uplink) {
  if (uplink.value("ring_sequence") == nullptr) return text_of(uplink, "state") + ": this is host " + text_of(uplink, "host_id");
  std::string members = text_of(uplink, "members");
  const bool alone = members == text_of(uplink, "host_id");
  std::string text = text_of(uplink, "state") + ", ring " + text_of(uplink, "ring_sequence") + " of host " + text_of(uplink, "ring_representative");
  return text + (alone ? ": this host (" + members + ") alone" : ": hosts " + members + "; this is host " + text_of(uplink, "host_id"));
}

std::string teller(const Uplink& uplink) { return "pid " + text_of(uplink, "gateway_pid") + " (" + text_of(uplink, "gateway_command") + ")"; }

// The word of one that does not tell any more says how things were: it must not be read without that.
std::string state_text(const Uplink& uplink) {
  const std::string state = ring_of_hosts(uplink), ago = show_duration(uplink.age_ns) + " ago";
  if (uplink.gateway == GatewayState::gone) return "not known, the gateway " + teller(uplink) + " is gone; " + ago + " it was " + state;
  if (uplink.gateway == GatewayState::silent) return "not known, the gateway " + teller(uplink) + " is stopped or hangs; " + ago + " it was " + state;
  return state;
}

std::string gateway_text(const Uplink& uplink) {
  std::string text = teller(uplink);
  if (uplink.number("gateway_standing") != 0) text += ", which stands for the role";
  const std::string ago = show_duration(uplink.age_ns) + " ago";
  if (uplink.gateway == GatewayState::gone) return text + " is gone; what it told " + ago + " is shown";
  if (uplink.gateway == GatewayState::silent) return text + " has told nothing since " + ago + ": it is stopped, or hangs";
  return text + ", told " + ago;
}

std::string order_text(const Uplink& uplink) {
  std::string text = "received up to " + text_of(uplink, "received_up_to") + " of " + text_of(uplink, "high") + ", stable up to " + text_of(uplink, "stable");
  if (uplink.value("token_age_ns") != nullptr) text += "; token age " + show_duration(uplink.number("token_age_ns"));
  return text;
}

// Whoever it is that the others wait for; empty: nobody.
std::string held_text(const Uplink& uplink) {
  if (const uint64_t host = uplink.number("held_by"); host != 0) return "by host " + std::to_string(host) + ", whose processes read slowly";
  if (const uint64_t host = uplink.number("lagging"); host != 0) return "by host " + std::to_string(host) + ", which lacks what others have";
  return {};
}

// Other ignored packets come with each change of the ring.
bool is_loss(const metrics::ToldCount& count) {
  if (count.metric == Metric::ignored_packets) return count.reason == "malformed" || count.reason == "duplicate_host";
  return count.metric == Metric::dropped_packets || count.metric == Metric::lost_packets;
}

// "dropped packets: tag 3, replay 1; lost packets: no_room 2": what did not come through, in the words of evs-metrics(7); empty: nothing.
std::string losses_text(const Uplink& uplink) {
  std::string text;
  Metric last = Metric::count_;
  for (const metrics::ToldCount& count : metrics::kToldCounts) {
    const uint64_t value = uplink.number(count.name);
    if (value == 0 || !is_loss(count)) continue;
    if (count.metric != last) text.append(text.empty() ? "" : "; ").append(metrics::words_of(count.metric)).append(": ");
    else text += ", ";
    text.append(count.reason).append(" ").append(std::to_string(value));
    last = count.metric;
  }
  return text;
}

std::string told_lines(const Uplink& uplink, const Palette& paint) {
  const bool well = uplink.gateway == GatewayState::there;
  std::string out = line("uplink", paint(well && *uplink.value("state") == "operational" ? Paint::plain : well ? Paint::yellow : Paint::red, state_text(uplink)));
  out += line("gateway", paint(well ? Paint::plain : Paint::red, gateway_text(uplink)));
  if (const std::string* quorum = uplink.value("quorum"); quorum != nullptr) {
    const uint64_t epoch = uplink.number("epoch");
    out += line("quorum", paint(epoch != 0 ? Paint::plain : Paint::yellow, epoch != 0 ? "primary, epoch " + std::to_string(epoch) : "not primary: " + printable(*quorum)));
  }
  if (uplink.value("high") == nullptr) return out;
  out += line("order", order_text(uplink));
  out += line("backlog", show_bytes(uplink.number("backlog_bytes")) + " for the token, " + text_of(uplink, "backlog_messages") + " messages without a place yet");
  if (const std::string held = held_text(uplink); !held.empty()) out += line("held up", paint(Paint::yellow, held));
  if (const std::string losses = losses_text(uplink); !losses.empty()) out += line("lost", losses);
  return out;
}

std::string outbox_line(const Snapshot& snapshot, const Palette& paint) {
  const metrics::Outbox& outbox = *snapshot.outbox;
  std::vector<Member> fillers;
  for (const Member& member : outbox.members)
    if (member.sent_bytes != 0) fillers.push_back(member);
  std::stable_sort(fillers.begin(), fillers.end(), [](const Member& a, const Member& b) { return a.sent_bytes > b.sent_bytes; });
  std::string text = ring_line(outbox.ring, outbox.members);
  for (size_t i = 0; i < std::min(kMostNamed, fillers.size()); ++i) text += (i == 0 ? "; filled by " : ", ") + who(fillers[i]) + " with " + show_bytes(fillers[i].sent_bytes);
  if (fillers.size() > kMostNamed) text += " and " + std::to_string(fillers.size() - kMostNamed) + " more";
  const bool crowded = percent(outbox.ring.used_bytes, outbox.ring.capacity_bytes) >= 80;
  return line("outbox", paint(crowded ? Paint::yellow : Paint::plain, text));
}

Json value_json(const std::string& name, const std::string& value) {
  const auto number_of = [](const std::string& text) -> Json {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? Json(number) : Json(text);
  };
  if (name == "gateway_command") return value;
  if (name != "members") return number_of(value);
  Json hosts = Json::array();
  std::istringstream words(value);
  for (std::string word; words >> word;) hosts.push_back(number_of(word));
  return hosts;
}

}  // namespace

uint64_t percent(uint64_t part, uint64_t whole) { return whole == 0 ? 0 : part * 100 / whole; }

std::string who(const Member& member) {
  std::string text = std::to_string(member.nodeid) + " (pid " + std::to_string(member.pid);
  if (!member.command.empty()) text += ", " + printable(member.command);
  return text + ")";
}

std::string ring_line(const metrics::Ring& ring, const std::vector<Member>& members) {
  std::string text = show_bytes(ring.used_bytes) + " of " + show_bytes(ring.capacity_bytes) + " used (" +
                     std::to_string(percent(ring.used_bytes, ring.capacity_bytes)) + " %)";
  if (!ring.holder_nodeid) return ring.holder_what == "role" ? text + ", held for a gateway that is not there" : text;
  if (ring.holder_what == "sleeper") return text;
  const auto holder = std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.nodeid == *ring.holder_nodeid; });
  const std::string name = holder != members.end() ? who(*holder) : std::to_string(*ring.holder_nodeid);
  if (ring.holder_what == "role") return text + ", kept by the gateway, " + name;  // the last record always, for a successor
  text += ", held by " + name;
  return ring.holder_what.empty() || ring.holder_what == "cursor" ? text : text + " with a " + ring.holder_what;
}

Json ring_json(const metrics::Ring& ring) {
  return {{"capacity_bytes", ring.capacity_bytes},
          {"used_bytes", ring.used_bytes},
          {"tail", ring.tail},
          {"holder_nodeid", ring.holder_nodeid ? Json(*ring.holder_nodeid) : Json(nullptr)},
          {"holder_what", ring.holder_what}};
}

std::vector<std::string> problems_of(const Uplink& uplink) {
  std::vector<std::string> problems;
  while (const std::string* text = uplink.value("problem_" + std::to_string(problems.size() + 1))) problems.push_back(*text);
  return problems;
}

std::string problem_lines(const Snapshot& snapshot, const Palette& paint) {
  std::string out;
  for (const std::string& problem : problems_of(snapshot.uplink)) out += line("problem", paint(Paint::red, printable(problem)));
  return out;
}

std::string uplink_lines(const Snapshot& snapshot, const Palette& paint) {
  if (!snapshot.outbox) return line("uplink", snapshot.role);
  const bool told = snapshot.uplink.value("state") != nullptr;
  const std::string none = "no gateway on this host: nobody carries the bus to other hosts";
  return (told ? told_lines(snapshot.uplink, paint) : line("uplink", paint(Paint::red, none))) + outbox_line(snapshot, paint);
}

Json uplink_json(const Snapshot& snapshot) {
  if (!snapshot.outbox) return nullptr;
  Json out{{"gateway", metrics::name_of(snapshot.uplink.gateway)}, {"age_ns", snapshot.uplink.age_ns}};
  Json problems = Json::array();
  for (const std::string& problem : problems_of(snapshot.uplink)) problems.push_back(problem);
  out["problems"] = std::move(problems);
  out["groups"] = groups_json(groups_of(snapshot));
  for (const auto& [name, value] : snapshot.uplink.values)
    if (!name.starts_with("problem_") && !name.starts_with("group_")) out.emplace(name, value_json(name, value));  // ours come first, whatever the file says
  return out;
}

Json outbox_json(const Snapshot& snapshot) {
  if (!snapshot.outbox) return nullptr;
  Json out = ring_json(snapshot.outbox->ring), members = Json::array();
  for (const Member& member : snapshot.outbox->members)
    members.push_back({{"nodeid", member.nodeid},
                       {"pid", member.pid},
                       {"command", member.command},
                       {"in_send", member.in_send},
                       {"sent_messages", member.sent_messages},
                       {"sent_bytes", member.sent_bytes}});
  out["members"] = std::move(members);
  return out;
}

}  // namespace evs::tools
