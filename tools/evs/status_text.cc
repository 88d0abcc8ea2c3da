// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_text.cc - see status_text.h.
#include "tools/evs/status_text.h"

#include <algorithm>

#include "tools/evs/json.h"
#include "tools/evs/status_groups.h"
#include "tools/evs/status_uplink.h"

namespace evs::tools {

using metrics::Handle;
using metrics::Member;
using metrics::MemberState;
using metrics::Snapshot;

namespace {

std::string state_text(const Member& member) {
  std::string text(metrics::name_of(member.state));
  if (member.process_gone) text += ", gone";
  if (member.stopped_for_ns) text += ", stopped";
  else if (member.hangs() && !member.process_gone) text += ", hung";
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
  return member.stopped_for_ns || member.hangs() ? Paint::yellow : Paint::plain;
}

std::string members_line(const Snapshot& snapshot) {
  std::string text = std::to_string(snapshot.members.size());
  const size_t processes = snapshot.processes();
  if (snapshot.outbox)
    text += " of " + std::to_string(processes) + (processes == 1 ? " process" : " processes") + " of this host (each once to read, once for the gateway's role)";
  return text + ", configuration " + std::to_string(snapshot.ring_sequence) + "." + std::to_string(snapshot.change);
}

std::string member_table(const Snapshot& snapshot, const Groups& groups, const Palette& paint) {
  Table table(
      {{"NODEID", true}, {"PID", true}, {"COMMAND"}, {"STATE"}, {"HANDLES", true}, {"GROUPS", true}, {"BEHIND", true}});
  for (const Member& member : snapshot.members)
    table.row({std::to_string(member.nodeid), std::to_string(member.pid), printable(member.command), state_text(member),
               std::to_string(member.handles.size()), std::to_string(groups_with(snapshot, groups, member)),
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

}  // namespace

std::string status_text(const Snapshot& snapshot, const StatusView& view, const Palette& paint) {
  const bool crowded = percent(snapshot.ring.used_bytes, snapshot.ring.capacity_bytes) >= 80;
  std::string out =
      paint(Paint::bold, "bus " + printable(snapshot.bus)) + " in " + printable(snapshot.directory) + "\n";
  out += problem_lines(snapshot, paint);
  out += "  ring     " + paint(crowded ? Paint::yellow : Paint::plain, ring_line(snapshot.ring, snapshot.members)) + "\n";
  out += "  members  " + members_line(snapshot) + "\n";
  out += uplink_lines(snapshot, paint);
  for (const Member& member : snapshot.members)
    if (member.stopped_for_ns)
      out += "  " + paint(Paint::yellow, "stopped  " + who(member) + stopped_text(member)) + "\n";
  if (snapshot.members.empty()) return out + "\nno member: the next process to open it starts it anew\n";
  const Groups groups = groups_of(snapshot);
  out.append("\n").append(member_table(snapshot, groups, paint));
  if (view.handles) out.append("\n").append(handle_table(snapshot, paint));
  if (const std::string table = group_table(groups, paint); !table.empty()) out.append("\n").append(table);
  return out;
}

Json status_json(const Snapshot& snapshot) {
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
  Json departed = Json::array();
  for (const metrics::Departed& one : snapshot.departed)
    departed.push_back({{"nodeid", one.nodeid}, {"pid", one.pid}, {"generation", one.generation}, {"how", one.how}});
  return {{"bus", snapshot.bus},
          {"directory", snapshot.directory},
          {"taken_at", show_time(snapshot.taken_at_unix_ns)},
          {"boot_count", snapshot.boot_count},
          {"ring_sequence", snapshot.ring_sequence},
          {"change", snapshot.change},
          {"role", snapshot.role},
          {"ring", ring_json(snapshot.ring)},
          {"outbox", outbox_json(snapshot)},
          {"uplink", uplink_json(snapshot)},
          {"members", std::move(members)},
          {"departed", std::move(departed)}};
}

}  // namespace evs::tools
