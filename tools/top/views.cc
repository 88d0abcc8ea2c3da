// SPDX-License-Identifier: BSD-3-Clause
// tools/top/views.cc - who is there: processes, their handles, and groups; and what the loaded files are. The other views are in files of their own.
#include "tools/top/views.h"

#include <algorithm>
#include <map>

#include "tools/evs/status_groups.h"
#include "tools/evs/text.h"
#include "tools/top/cells.h"
#include "tools/top/processes.h"

namespace evs::top {
namespace {

// Of an exporter, or where the segment cannot be read.
Remark not_told(const Frame& frame) {
  if (frame.undetailed.empty()) return {"an exporter names no process: evs-top on that host shows them", Tone::dim};
  return {"its counters alone can be read: " + tools::printable(frame.undetailed), Tone::warn};
}

constexpr size_t kManyBehind = 4;  // a reader that far behind, in shares of the ring's capacity, is worth a colour: a quarter

Tone tone_of(Life life) {
  if (is_ill(life)) return Tone::bad;
  return life == Life::well ? Tone::good : Tone::warn;
}

Tone behind_tone(uint64_t behind, const metrics::Ring& ring) { return ring.capacity_bytes != 0 && behind > ring.capacity_bytes / kManyBehind ? Tone::warn : Tone::plain; }

std::string list(const std::vector<uint32_t>& numbers) {
  std::string text;
  for (const uint32_t number : numbers) text.append(text.empty() ? "" : "+").append(std::to_string(number));
  return text;
}

// Of this host with its name; of another one, a gateway tells its number and the pid that it has there.
std::string who_is(const metrics::Snapshot& snapshot, const tools::GroupMember& one) {
  const uint32_t host = snapshot.outbox ? one.nodeid >> tools::kSlotBits : 0;
  if (snapshot.outbox && host != snapshot.uplink.number("host_id")) return std::to_string(one.pid) + " on host " + std::to_string(host);
  const metrics::Member* member = snapshot.member(snapshot.outbox ? one.nodeid & ((1U << tools::kSlotBits) - 1) : one.nodeid);
  return std::to_string(one.pid) + (member == nullptr || member->pid != one.pid || member->command.empty() ? "" : " (" + member->command + ")");
}

// What an exporter tells in place of rows: how many, by state.
Sheet counted_processes(const Model& model) {
  Sheet sheet{{not_told(model.frame())}, {{"STATE", "state"}, {"PROCESSES", "processes", true}}, {}, "the exporter does not know this bus"};
  const Family* family = find(model.frame().families, "evs_processes");
  if (family == nullptr) return sheet;
  for (const Series& series : family->series) {
    const std::string* state = series.label("state");
    const bool well = state == nullptr || *state == "running" || series.value == 0;
    sheet.rows.push_back({{text_cell(state == nullptr ? "" : *state), {tools::show_count(series.value), series.value, well ? Tone::plain : Tone::bad}}});
  }
  return sheet;
}

}  // namespace

Sheet processes_sheet(const Model& model, const Ui& ui) {
  const Frame& frame = model.frame();
  if (!frame.detail) return counted_processes(model);
  Sheet sheet{{},
              {{"PID", "pid", true}, {"COMMAND", "command"}, {"STATE", "state"}, {"ALIVE", "heartbeat_age_seconds", true, 1}, flow_column("SENT", "sent_records", ui, 1),
               flow_column("BYTES", "sent_bytes", ui, 3), flow_column("TAKEN", "delivered_records", ui, 1), {"BEHIND", "behind_bytes", true, 1}, {"HANDLES", "handles", true, 4},
               {"GROUPS", "groups", true, 5}, {"NODEID", "nodeids", false, 6}, flow_column("WAKEUPS", "wakeups", ui, 8), {"SENDING", "", false, 7}},
              {},
              "nobody is on this bus: the next process that opens it starts it anew"};
  for (const ProcessRow& row : processes_of(frame)) {
    const auto rate = [&](const std::string& key) { return model.trend().rate(key); };
    const std::string key = row.key();
    const Tone age = row.heartbeat_age_ns >= metrics::kHungNs ? Tone::bad : Tone::plain;
    sheet.rows.push_back({{number_cell(static_cast<uint64_t>(row.pid)), text_cell(row.command), {std::string(words_of(row.life)), std::nullopt, tone_of(row.life)},
                           seconds_cell(static_cast<double>(row.heartbeat_age_ns) / 1e9, age), flow_cell(static_cast<double>(row.sent_records), rate(sent_key(key)), ui),
                           byte_flow_cell(static_cast<double>(row.sent_bytes), rate(bytes_key(key)), ui), flow_cell(static_cast<double>(row.delivered), rate(delivered_key(key)), ui),
                           bytes_cell(static_cast<double>(row.behind_bytes), behind_tone(row.behind_bytes, frame.detail->ring)), number_cell(row.handles), number_cell(row.groups),
                           text_cell(list(row.nodeids)), flow_cell(static_cast<double>(row.wakeups), rate(wakeups_key(key)), ui), spark_cell(model.trend().course(sent_key(key)), ui)}});
  }
  return sheet;
}

Sheet handles_sheet(const Model& model, const Ui& ui) {
  Sheet sheet{{},
              {{"PID", "pid", true}, {"COMMAND", "command"}, {"HANDLE", "handle", true}, {"READING", "reading"}, {"ASLEEP", "asleep", false, 2}, {"GROUPS", "groups", true},
               flow_column("TAKEN", "delivered_records", ui, 1), {"BEHIND", "behind_bytes", true}, flow_column("WAKEUPS", "wakeups", ui, 3), {"NODEID", "nodeid", true, 4}, {"TAKING", "", false, 5}},
              {},
              "nobody has a handle"};
  const Frame& frame = model.frame();
  if (!frame.detail) return sheet.remarks.push_back(not_told(frame)), sheet.nothing = "", sheet;
  for (const metrics::Member& member : frame.detail->members)
    for (const metrics::Handle& handle : member.handles) {
      const std::string key = handle_key(member, handle);
      const auto rate = [&](const std::string& of) { return model.trend().rate(of); };
      sheet.rows.push_back({{number_cell(static_cast<uint64_t>(member.pid)), text_cell(member.command), number_cell(handle.index), text_cell(handle.watching ? "yes" : "no"),
                             text_cell(handle.armed ? "yes" : "no"), number_cell(handle.joined_groups), flow_cell(static_cast<double>(handle.delivered), rate(delivered_key(key)), ui),
                             handle.watching ? bytes_cell(static_cast<double>(handle.lag_bytes), behind_tone(handle.lag_bytes, frame.detail->ring)) : no_cell(),
                             flow_cell(static_cast<double>(handle.wakeups), rate(wakeups_key(key)), ui), number_cell(member.nodeid),
                             spark_cell(model.trend().course(delivered_key(key)), ui)}});
    }
  return sheet;
}

Sheet groups_sheet(const Model& model, const Ui&) {
  Sheet sheet{{}, {{"GROUP", "group"}, {"PROCESSES", "processes", true}, {"WHO", "who"}}, {}, "nobody is in a group"};
  const Frame& frame = model.frame();
  if (!frame.detail) return sheet.remarks.push_back(not_told(frame)), sheet.nothing = "", sheet;
  const tools::Groups groups = tools::groups_of(*frame.detail);
  for (const auto& [name, members] : groups.members) {
    std::string who;
    for (const tools::GroupMember& member : members) who.append(who.empty() ? "" : ", ").append(who_is(*frame.detail, member));
    sheet.rows.push_back({{text_cell(name, Tone::bold), number_cell(members.size()), text_cell(who)}});
  }
  if (groups.more != 0) sheet.remarks.push_back({"and " + std::to_string(groups.more) + " more, which the gateway does not list", Tone::warn});
  return sheet;
}

Sheet plugins_sheet(const Model& model, const Ui&) {
  Sheet sheet{{}, {{"FILE", "file"}, {"PROCESSES", "processes", true}, {"STATE", "state"}, {"PIDS", "pids", false, 1}, {"PATH", "path"}}, {}, "no process of this bus shows what it has loaded (that takes its user, or root)"};
  const Frame& frame = model.frame();
  if (!frame.source.empty()) sheet.nothing = "an exporter does not tell which files processes have loaded";
  if (const Family* version = find(frame.families, "evs_exporter_info"); version != nullptr && !version->series.empty())
    if (const std::string* of = version->series.front().label("version")) sheet.remarks.push_back({"read by evs " + tools::printable(*of), Tone::plain});
  for (const Loaded& loaded : frame.loaded) {
    std::string pids;
    for (const int32_t pid : loaded.pids) pids.append(pids.empty() ? "" : " ").append(std::to_string(pid));
    sheet.rows.push_back({{text_cell(loaded.path.substr(loaded.path.rfind('/') + 1), Tone::bold), number_cell(loaded.pids.size()),
                           text_cell(loaded.replaced ? "replaced on disk" : "loaded", loaded.replaced ? Tone::warn : Tone::good), text_cell(pids), text_cell(loaded.path)}});
  }
  return sheet;
}

Sheet sheet_of(const Model& model, const Ui& ui) {
  constexpr Sheet (*kSheets[])(const Model&, const Ui&) = {processes_sheet, handles_sheet, groups_sheet, ring_sheet, memberships_sheet, latency_sheet, plugins_sheet};
  static_assert(std::size(kSheets) == kViews, "every view has its sheet");
  Sheet sheet = kSheets[ui.at()](model, ui);
  filter(sheet, ui.filter);
  sort(sheet, ui.sorted[ui.at()], ui.reversed[ui.at()]);
  return sheet;
}

}  // namespace evs::top
