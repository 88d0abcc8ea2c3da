// SPDX-License-Identifier: BSD-3-Clause
// tools/top/views_order.cc - how far the order has come for whom: the ring in shared memory by process, the ring of hosts by host; and the memberships.
#include <algorithm>
#include <cstdio>
#include <sstream>

#include "tools/evs/status_uplink.h"
#include "tools/evs/text.h"
#include "tools/top/cells.h"
#include "tools/top/draw.h"
#include "tools/top/processes.h"
#include "tools/top/views.h"

namespace evs::top {
namespace {

constexpr size_t kBarColumns = 16;

struct Lines {
  std::optional<double> received, stable, high;
};

Cell line_cell(std::optional<double> value) {
  if (!value) return no_cell();
  return {std::to_string(whole(*value)), value, Tone::plain};
}

// From stable to high, how far this one is.
Cell place_cell(const Lines& lines, const Ui& ui) {
  if (!lines.received || !lines.stable || !lines.high) return no_cell();
  const double span = *lines.high - *lines.stable;
  return {bar(span > 0 ? (*lines.received - *lines.stable) / span : 1, kBarColumns, ui.ascii), std::nullopt, Tone::bar};
}

Row order_row(Cell member, const char* unit, const Lines& lines, Cell note, const Ui& ui) {
  Cell behind = no_cell();
  if (lines.received && lines.high) behind = line_cell(std::max(0.0, *lines.high - *lines.received));
  return {{std::move(member), line_cell(lines.received), line_cell(lines.stable), line_cell(lines.high), behind, text_cell(unit), place_cell(lines, ui), std::move(note)}};
}

std::string hosts_note(const metrics::Uplink& uplink, const std::string& host) {
  if (std::to_string(uplink.number("held_by")) == host) return "all wait for it: its processes read slowly";
  if (std::to_string(uplink.number("lagging")) == host) return "all wait for it: it lacks frames that others have";
  return uplink.value("host_id") != nullptr && *uplink.value("host_id") == host ? "this host" : "";
}

void add_hosts(const metrics::Uplink& uplink, Sheet& sheet, const Ui& ui) {
  const std::string* members = uplink.value("members");
  if (members == nullptr) return;
  std::istringstream hosts(*members);
  for (std::string host; hosts >> host;) {
    const std::string note = hosts_note(uplink, host);
    Lines lines;
    // Where the others are they tell each other in the token, and nobody else.
    if (note == "this host" || (uplink.value("host_id") != nullptr && *uplink.value("host_id") == host))
      lines = {static_cast<double>(uplink.number("received_up_to")), static_cast<double>(uplink.number("stable")), static_cast<double>(uplink.number("high"))};
    sheet.rows.push_back(order_row(text_cell("host " + host, Tone::bold), "frames", lines, text_cell(note, note.empty() || note == "this host" ? Tone::dim : Tone::warn), ui));
  }
}

void add_processes(const metrics::Snapshot& snapshot, Sheet& sheet, const Ui& ui) {
  const auto high = static_cast<double>(snapshot.ring.tail);
  const double stable = high - static_cast<double>(std::min(snapshot.ring.tail, snapshot.ring.used_bytes));
  for (const metrics::Member& member : snapshot.members) {
    const bool reads = std::any_of(member.handles.begin(), member.handles.end(), [](const metrics::Handle& handle) { return handle.watching; });
    // With an uplink each process is a member once more, for the gateway's role.
    if (snapshot.outbox && !reads) continue;
    const bool holds = snapshot.ring.holder_nodeid == member.nodeid && snapshot.ring.used_bytes != 0;
    Lines lines{std::nullopt, stable, high};
    if (reads) lines.received = high - static_cast<double>(std::min(snapshot.ring.tail, snapshot.largest_lag_bytes(member)));
    const Life life = life_of(member);
    Cell note = text_cell(holds ? "holds the ring with a " + snapshot.ring.holder_what : reads ? "" : "reads nothing", holds ? Tone::plain : Tone::dim);
    if (is_ill(life)) note = {(holds ? note.text + "; " : std::string()) + std::string(words_of(life)), std::nullopt, Tone::bad};
    sheet.rows.push_back(order_row(text_cell(std::to_string(member.pid) + " " + member.command), "bytes", lines, note, ui));
  }
}

Remark use_remark(const char* ring, double used, double capacity, const std::string& more, const Ui& ui) {
  const double share = capacity > 0 ? used / capacity : 0;
  char text[64];
  std::snprintf(text, sizeof text, "%-7s", ring);
  return {text + bar(share, kBarColumns, ui.ascii) + " " + more, share >= 0.95 ? Tone::bad : share >= 0.8 ? Tone::warn : Tone::plain};
}

void remark_on_rings(const metrics::Snapshot& snapshot, Sheet& sheet, const Ui& ui) {
  const auto add = [&](const char* name, const metrics::Ring& ring, const std::vector<metrics::Member>& members) {
    sheet.remarks.push_back(use_remark(name, static_cast<double>(ring.used_bytes), static_cast<double>(ring.capacity_bytes), tools::ring_line(ring, members), ui));
  };
  add("order", snapshot.ring, snapshot.members);
  if (!snapshot.outbox) return;
  add("outbox", snapshot.outbox->ring, snapshot.outbox->members);
  std::istringstream lines(tools::uplink_lines(snapshot, tools::Palette(false)));
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("  outbox")) sheet.remarks.push_back({line.substr(std::min<size_t>(2, line.size())), Tone::plain});
}

void add_told(const Families& families, Sheet& sheet, const Ui& ui) {
  for (const char* ring : {"order", "outbox"}) {
    const auto used = value_of(families, "evs_ring_used_bytes", {{"ring", ring}}), capacity = value_of(families, "evs_ring_capacity_bytes", {{"ring", ring}});
    if (!used || !capacity) continue;
    sheet.remarks.push_back(use_remark(ring, *used, *capacity, bytes_cell(*used).text + " of " + bytes_cell(*capacity).text + " used, slowest reader " + bytes_cell(value_of(families, "evs_reader_lag_bytes", {{"ring", ring}}).value_or(0)).text + " behind", ui));
  }
  const auto line = [&](const char* kind) { return value_of(families, "evs_sequence_number", {{"kind", kind}}); };
  const Lines lines{line("received_up_to"), line("stable"), line("high")};
  if (lines.high) sheet.rows.push_back(order_row(text_cell("that host", Tone::bold), "frames", lines, text_cell(""), ui));
}

std::string clock_of(uint64_t unix_ns) { return tools::show_time(unix_ns).substr(11, 8); }

}  // namespace

Sheet ring_sheet(const Model& model, const Ui& ui) {
  Sheet sheet{{},
              {{"MEMBER", "member"}, {"RECEIVED UP TO", "received_up_to", true}, {"STABLE", "stable", true, 2}, {"HIGH", "high", true, 1}, {"BEHIND", "behind", true}, {"OF", "unit", false, 4},
               {"STABLE TO HIGH", "", false, 3}, {"", "note"}},
              {},
              "no ring of hosts is told of, and no member"};
  const Frame& frame = model.frame();
  if (!frame.detail) return add_told(frame.families, sheet, ui), sheet;
  remark_on_rings(*frame.detail, sheet, ui);
  add_hosts(frame.detail->uplink, sheet, ui);
  add_processes(*frame.detail, sheet, ui);
  return sheet;
}

Sheet memberships_sheet(const Model& model, const Ui&) {
  Sheet sheet{{}, {{"SINCE", "since"}, {"IN FORCE", "in_force_seconds", true}, {"OF", "of", false, 1}, {"MEMBERSHIP", "membership"}, {"MEMBERS", "members", true}, {"TOOK", "took_seconds", true, 2}, {"CAUSE", "cause"}}, {}, "nothing was seen yet"};
  const std::deque<Change>& changes = model.history().changes();
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    const uint64_t now = model.frame().monotonic_ns;
    const uint64_t in_force = change->in_force_ns.value_or(now - std::min(now, change->monotonic_ns));
    Cell duration = seconds_cell(static_cast<double>(in_force) / 1e9, change->in_force_ns ? Tone::plain : Tone::good);
    if (change->first) duration.text = "> " + duration.text;
    sheet.rows.push_back({{text_cell(change->first ? "before " + clock_of(change->unix_ns) : clock_of(change->unix_ns)), duration, text_cell(change->hosts ? "hosts" : "processes"), text_cell(change->name, Tone::bold),
                           number_cell(change->members), change->took_ns ? seconds_cell(static_cast<double>(*change->took_ns) / 1e9) : no_cell(), text_cell(change->cause)}});
  }
  return sheet;
}

}  // namespace evs::top
