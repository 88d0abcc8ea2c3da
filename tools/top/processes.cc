// SPDX-License-Identifier: BSD-3-Clause
// tools/top/processes.cc - see processes.h.
#include "tools/top/processes.h"

#include <algorithm>
#include <map>

#include "tools/evs/status_groups.h"

namespace evs::top {

using metrics::Member;
using metrics::MemberState;

std::string_view words_of(Life life) {
  constexpr std::string_view kWords[] = {"live", "joining", "expelled", "hung", "hung, stopped", "gone"};
  return kWords[static_cast<size_t>(life)];
}

bool is_ill(Life life) { return life >= Life::hung; }

// The kernel's word first: of a stopped process the cause is known.
Life life_of(const Member& member) {
  if (member.process_gone || member.state == MemberState::dead) return Life::gone;
  if (member.stopped_for_ns) return Life::stopped;
  if (member.hangs()) return Life::hung;
  if (member.state == MemberState::expelled) return Life::expelled;
  return member.state == MemberState::joining ? Life::joining : Life::well;
}

std::string ProcessRow::key() const { return std::to_string(pid) + "." + std::to_string(generation); }

namespace {

void add_state(ProcessRow& row, const Member& member) {
  row.pid = member.pid;
  if (row.command.empty()) row.command = member.command;
  row.life = std::max(row.life, life_of(member));
  row.heartbeat_age_ns = std::max(row.heartbeat_age_ns, member.heartbeat_age_ns);
  if (member.stopped_for_ns) row.stopped_for_ns = std::max(row.stopped_for_ns.value_or(0), *member.stopped_for_ns);
  row.in_send |= member.in_send;
}

void add_reading(ProcessRow& row, const Member& member) {
  row.nodeids.push_back(member.nodeid);
  row.generation = std::max(row.generation, member.generation);
  row.handles += member.handles.size();
  for (const metrics::Handle& handle : member.handles) {
    row.delivered += handle.delivered;
    row.wakeups += handle.wakeups;
    if (handle.watching) row.behind_bytes = std::max(row.behind_bytes, handle.lag_bytes);
  }
}

void add_sent(ProcessRow& row, const Member& member) {
  row.sent_records += member.sent_messages;
  row.sent_bytes += member.sent_bytes;
}

}  // namespace

std::vector<ProcessRow> processes_of(const Frame& frame) {
  std::map<int32_t, ProcessRow> by_pid;
  if (!frame.detail) return {};
  const tools::Groups groups = tools::groups_of(*frame.detail);
  for (const Member& member : frame.detail->members) {
    ProcessRow& row = by_pid[member.pid];
    add_state(row, member);
    add_reading(row, member);
    row.groups += tools::groups_with(*frame.detail, groups, member);
    if (!frame.detail->outbox) add_sent(row, member);
  }
  if (frame.detail->outbox)
    for (const Member& member : frame.detail->outbox->members) {
      ProcessRow& row = by_pid[member.pid];
      if (row.pid == 0) row.pid = member.pid, row.command = member.command;
      add_sent(row, member);
    }
  std::vector<ProcessRow> rows;
  for (auto& [pid, row] : by_pid) rows.push_back(std::move(row));
  return rows;
}

}  // namespace evs::top
