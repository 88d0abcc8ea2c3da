// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_text.cc - see status_text.h.
#include "tools/evs/status_text.h"

#include <algorithm>
#include <map>

#include "tools/evs/json.h"

namespace evs::tools {

using metrics::Handle;
using metrics::Member;
using metrics::MemberState;
using metrics::Snapshot;

namespace {

uint64_t percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : part * 100 / whole;
}

// "4097 (pid 812, cat)": enough to find the process without another look at the table.
std::string who(const Member& member) {
  std::string text = std::to_string(member.nodeid) + " (pid " + std::to_string(member.pid);
  if (!member.command.empty()) text += ", " + printable(member.command);
  return text + ")";
}

std::string state_text(const Member& member) {
  std::string text(metrics::name_of(member.state));
  if (member.process_gone) text += ", gone";
  if (member.stopped_for_ns) text += ", stopped";
  return text;
}

// How long is known only once another member has looked.
std::string stopped_text(const Member& member) {
  std::string text;
  if (*member.stopped_for_ns != 0) text.append(" for ").append(show_duration(*member.stopped_for_ns));
  if (member.in_send) text += ", in the middle of a send";
  return text;
}

Paint state_paint(const Member& member) {
  if (member.state == MemberState::dead || member.state == MemberState::expelled || member.process_gone)
    return Paint::red;
  return member.stopped_for_ns ? Paint::yellow : Paint::plain;
}

std::string ring_line(const Snapshot& snapshot) {
  const auto& ring = snapshot.ring;
  std::string text = show_bytes(ring.used_bytes) + " of " + show_bytes(ring.capacity_bytes) + " used (" +
                     std::to_string(percent(ring.used_bytes, ring.capacity_bytes)) + " %)";
  if (!ring.holder_nodeid) return ring.holder_what == "role" ? text + ", held for a gateway that is not there" : text;
  const Member* holder = snapshot.member(*ring.holder_nodeid);
  text += ", held by " + (holder != nullptr ? who(*holder) : std::to_string(*ring.holder_nodeid));
  if (ring.holder_what == "role") return text + " as the gateway";
  return ring.holder_what.empty() || ring.holder_what == "cursor" ? text : text + " with a " + ring.holder_what;
}

std::string member_table(const Snapshot& snapshot, const Palette& paint) {
  Table table(
      {{"NODEID", true}, {"PID", true}, {"COMMAND"}, {"STATE"}, {"HANDLES", true}, {"GROUPS", true}, {"BEHIND", true}});
  for (const Member& member : snapshot.members)
    table.row({std::to_string(member.nodeid), std::to_string(member.pid), printable(member.command), state_text(member),
               std::to_string(member.handles.size()), std::to_string(member.groups.size()),
               show_bytes(snapshot.largest_lag_bytes(member))},
              state_paint(member));
  return table.render(paint, "  ");
}

std::string handle_table(const Snapshot& snapshot, const Palette& paint) {
  Table table({{"NODEID", true}, {"HANDLE", true}, {"READING"}, {"ASLEEP"}, {"GROUPS", true}, {"BEHIND", true}});
  for (const Member& member : snapshot.members)
    for (const Handle& handle : member.handles)
      table.row({std::to_string(member.nodeid), std::to_string(handle.index), handle.watching ? "yes" : "no",
                 handle.armed ? "yes" : "no", std::to_string(handle.joined_groups),
                 handle.watching ? show_bytes(handle.lag_bytes) : "-"});
  return table.render(paint, "  ");
}

std::map<std::string, std::vector<uint32_t>> members_by_group(const Snapshot& snapshot) {
  std::map<std::string, std::vector<uint32_t>> groups;
  for (const Member& member : snapshot.members)
    for (const auto& key : member.groups) {
      auto& members = groups[show_group(key.data())];
      if (members.empty() || members.back() != member.nodeid) members.push_back(member.nodeid);
    }
  return groups;
}

std::string group_table(const Snapshot& snapshot, const Palette& paint) {
  Table table({{"GROUP"}, {"MEMBERS"}});
  for (const auto& [group, members] : members_by_group(snapshot)) {
    std::string list;
    for (const uint32_t nodeid : members) {
      if (!list.empty()) list += " ";
      list += std::to_string(nodeid);
    }
    table.row({group, list});
  }
  return table.render(paint, "  ");
}

}  // namespace

std::string status_text(const Snapshot& snapshot, const StatusView& view, const Palette& paint) {
  const bool crowded = percent(snapshot.ring.used_bytes, snapshot.ring.capacity_bytes) >= 80;
  std::string out =
      paint(Paint::bold, "bus " + printable(snapshot.bus)) + " in " + printable(snapshot.directory) + "\n";
  out += "  ring     " + paint(crowded ? Paint::yellow : Paint::plain, ring_line(snapshot)) + "\n";
  out += "  members  " + std::to_string(snapshot.members.size()) + ", configuration " +
         std::to_string(snapshot.ring_sequence) + "." + std::to_string(snapshot.change) + "\n";
  out += "  uplink   " + snapshot.role + "\n";
  for (const Member& member : snapshot.members)
    if (member.stopped_for_ns)
      out += "  " + paint(Paint::yellow, "stopped  " + who(member) + stopped_text(member)) + "\n";
  if (snapshot.members.empty()) return out + "\nno member: the next process to open it starts it anew\n";
  out.append("\n").append(member_table(snapshot, paint));
  if (view.handles) out.append("\n").append(handle_table(snapshot, paint));
  if (!members_by_group(snapshot).empty()) out.append("\n").append(group_table(snapshot, paint));
  return out;
}

Json status_json(const Snapshot& snapshot) {
  Json ring{{"capacity_bytes", snapshot.ring.capacity_bytes},
            {"used_bytes", snapshot.ring.used_bytes},
            {"tail", snapshot.ring.tail},
            {"holder_nodeid", snapshot.ring.holder_nodeid ? Json(*snapshot.ring.holder_nodeid) : Json(nullptr)},
            {"holder_what", snapshot.ring.holder_what}};
  Json members = Json::array();
  for (const Member& member : snapshot.members) {
    Json handles = Json::array(), groups = Json::array();
    for (const Handle& handle : member.handles)
      handles.push_back({{"index", handle.index},
                         {"reading", handle.watching},
                         {"asleep", handle.armed},
                         {"behind_bytes", handle.lag_bytes},
                         {"groups", handle.joined_groups},
                         {"delivered", handle.delivered},
                         {"wakeups", handle.wakeups}});
    for (const auto& key : member.groups) groups.push_back(show_group(key.data()));
    members.push_back({{"nodeid", member.nodeid},
                       {"pid", member.pid},
                       {"command", member.command},
                       {"state", metrics::name_of(member.state)},
                       {"generation", member.generation},
                       {"gone", member.process_gone},
                       {"stopped_ns", member.stopped_for_ns ? Json(*member.stopped_for_ns) : Json(nullptr)},
                       {"in_send", member.in_send},
                       {"heartbeat_age_ns", member.heartbeat_age_ns},
                       {"sent_messages", member.sent_messages},
                       {"sent_bytes", member.sent_bytes},
                       {"handles", std::move(handles)},
                       {"groups", std::move(groups)}});
  }
  return {{"bus", snapshot.bus},
          {"directory", snapshot.directory},
          {"taken_at", show_time(snapshot.taken_at_unix_ns)},
          {"boot_count", snapshot.boot_count},
          {"ring_sequence", snapshot.ring_sequence},
          {"change", snapshot.change},
          {"role", snapshot.role},
          {"ring", std::move(ring)},
          {"members", std::move(members)}};
}

}  // namespace evs::tools
