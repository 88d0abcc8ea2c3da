// SPDX-License-Identifier: BSD-3-Clause
// tools/top/recorded_status.cc - see recorded_status.h.
#include "tools/top/recorded_status.h"

#include <algorithm>

#include "tools/evs/text.h"
#include "tools/top/typed_json.h"

namespace evs::top {

using metrics::GatewayState;
using metrics::MemberState;

namespace {

constexpr size_t kMostTold = 256;  // as of a status file (metrics/uplink.cc)

// The value of an enumeration by its name; refused when it has none.
template <typename State>
void take_state(Typed& in, const char* name, State& out, std::initializer_list<State> all) {
  std::string text;
  in.take(name, text);
  if (text.empty()) return;
  const auto found = std::find_if(all.begin(), all.end(), [&](State one) { return metrics::name_of(one) == text; });
  if (found == all.end()) return in.refuse(std::string(name) + " '" + tools::printable(text) + "' is not known");
  out = *found;
}

void read_handle(Typed& in, metrics::Handle& out) {
  in.take("index", out.index);
  in.take("reading", out.watching);
  in.take("asleep", out.armed);
  in.take("behind_bytes", out.lag_bytes);
  in.take("groups", out.joined_groups);
  in.take("delivered", out.delivered);
  in.take("wakeups", out.wakeups);
}

void read_group(Typed& in, std::vector<metrics::GroupKey>& groups) {
  std::string text;
  in.value(text);
  if (const auto key = tools::parse_group(text)) groups.push_back(*key);
  else in.refuse("it is no group");
}

void read_member(Typed& in, metrics::Member& out) {
  in.need("nodeid", out.nodeid);
  in.need("pid", out.pid);
  in.take("command", out.command);
  take_state(in, "state", out.state, {MemberState::joining, MemberState::live, MemberState::expelled, MemberState::dead});
  in.take("generation", out.generation);
  in.take("gone", out.process_gone);
  if (in.json().is_object() && in.json().contains("stopped_ns") && !in.json()["stopped_ns"].is_null()) in.take("stopped_ns", out.stopped_for_ns.emplace());
  in.take("in_send", out.in_send);
  in.take("heartbeat_age_ns", out.heartbeat_age_ns);
  in.take("sent_messages", out.sent_messages);
  in.take("sent_bytes", out.sent_bytes);
  in.each("handles", [&](Typed& handle) { read_handle(handle, out.handles.emplace_back()); });
  in.each("groups", [&](Typed& group) { read_group(group, out.groups); });
}

void read_ring(Typed& in, metrics::Ring& out) {
  in.take("capacity_bytes", out.capacity_bytes);
  in.take("used_bytes", out.used_bytes);
  in.take("tail", out.tail);
  in.take("holder_what", out.holder_what);
  if (in.json().contains("holder_nodeid") && !in.json()["holder_nodeid"].is_null()) in.take("holder_nodeid", out.holder_nodeid.emplace());
}

void read_members(Typed& in, std::vector<metrics::Member>& out) {
  in.each("members", [&](Typed& member) { read_member(member, out.emplace_back()); });
}

// As the gateway told it: text; numbers and lists of them were made of it for JSON.
std::string told(const tools::Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_unsigned()) return std::to_string(value.get<uint64_t>());
  std::string text;
  if (value.is_array())
    for (const tools::Json& one : value)
      if (!one.is_array()) text.append(text.empty() ? "" : " ").append(told(one));
  return text;
}

// "666f6f00... 4097:811": a line of the status file again, of what evs status made of it.
std::string told_group(Typed& in) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string group, text;
  in.need("group", group);
  if (const auto key = tools::parse_group(group))
    for (const char c : *key) text.append({kDigits[static_cast<uint8_t>(c) >> 4], kDigits[static_cast<uint8_t>(c) & 15]});
  else in.refuse("it is no group");
  in.each("members", [&](Typed& one) {
    uint32_t nodeid = 0;
    int32_t pid = 0;
    one.need("nodeid", nodeid);
    one.need("pid", pid);
    text.append(" ").append(std::to_string(nodeid)).append(":").append(std::to_string(pid));
  });
  return text;
}

void read_uplink(Typed& in, metrics::Uplink& out) {
  take_state(in, "gateway", out.gateway, {GatewayState::none, GatewayState::there, GatewayState::silent, GatewayState::gone});
  in.take("age_ns", out.age_ns);
  for (const auto& [name, value] : in.json().items())
    if (name != "gateway" && name != "age_ns" && name != "problems" && name != "groups" && !name.starts_with("problem_") && !name.starts_with("group_")) out.values.emplace_back(name, told(value));
  size_t problems = 0, groups = 0;
  in.each("problems", [&](Typed& problem) {
    problem.value(out.values.emplace_back("problem_" + std::to_string(++problems), "").second);
  });
  in.each("groups", [&](Typed& group) { out.values.emplace_back("group_" + std::to_string(++groups), told_group(group)); });
  if (out.values.size() > kMostTold) in.refuse("it has more than " + std::to_string(kMostTold) + " values");
}

}  // namespace

void read_status(Typed& in, metrics::Snapshot& out) {
  in.need("bus", out.bus);
  in.take("directory", out.directory);
  in.take("boot_count", out.boot_count);
  in.take("ring_sequence", out.ring_sequence);
  in.take("change", out.change);
  in.take("role", out.role);
  in.optional("ring", [&](Typed& ring) { read_ring(ring, out.ring); });
  in.optional("outbox", [&](Typed& outbox) {
    read_ring(outbox, out.outbox.emplace().ring);
    read_members(outbox, out.outbox->members);
  });
  in.optional("uplink", [&](Typed& uplink) { read_uplink(uplink, out.uplink); });
  read_members(in, out.members);
  in.each("departed", [&](Typed& one) {
    metrics::Departed& departed = out.departed.emplace_back();
    one.need("nodeid", departed.nodeid);
    one.take("generation", departed.generation);
    one.take("pid", departed.pid);
    one.take("how", departed.how);
  });
}

}  // namespace evs::top
