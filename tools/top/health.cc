// SPDX-License-Identifier: BSD-3-Clause
// tools/top/health.cc - see health.h.
#include "tools/top/health.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <sstream>

#include "tools/evs/status_uplink.h"
#include "tools/evs/text.h"
#include "tools/top/cells.h"
#include "tools/top/processes.h"

namespace evs::top {
namespace {

constexpr const char* kRings[] = {"order", "outbox"};

struct Use {
  double used = 0, capacity = 0;
  double percent() const { return capacity > 0 ? 100 * used / capacity : 0; }
};

// Of the segment where it may be read: the counters say what it was at the last turn of somebody's service thread.
Use use_of(const Frame& frame, std::string_view ring) {
  const bool outbox = ring == "outbox";
  if (frame.detail && (!outbox || frame.detail->outbox)) {
    const metrics::Ring& its = outbox ? frame.detail->outbox->ring : frame.detail->ring;
    return {static_cast<double>(its.used_bytes), static_cast<double>(its.capacity_bytes)};
  }
  const auto value = [&](const char* name) { return value_of(frame.families, name, {{"ring", ring}}).value_or(0); };
  return {value("evs_ring_used_bytes"), value("evs_ring_capacity_bytes")};
}

std::string percent_text(double percent) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", percent);
  return text;
}

std::string who(const ProcessRow& row) {
  return "process " + std::to_string(row.pid) + (row.command.empty() ? "" : " (" + tools::printable(row.command) + ")");
}

std::string illness(const ProcessRow& row) {
  const std::string age = tools::show_duration(row.heartbeat_age_ns);
  if (row.life == Life::gone) return who(row) + " is gone, and nobody has noticed yet";
  if (row.life == Life::stopped) return who(row) + " is hung: it is stopped, and its service thread ran " + age + " ago" + (row.in_send ? "; it is in the middle of a send" : "");
  return who(row) + " is hung: its service thread ran " + age + " ago";
}

// Of the ring of hosts. One host, where no uplink is configured; nothing, where its gateway does not tell.
std::optional<double> hosts_of(const Frame& frame) {
  if (frame.detail)
    if (const std::string* members = frame.detail->uplink.value("members")) {
      std::istringstream words(*members);
      return static_cast<double>(std::distance(std::istream_iterator<std::string>(words), {}));
    }
  if (const auto told = sum_of(frame.families, "evs_uplink_hosts")) return told;
  if (frame.detail ? frame.detail->outbox.has_value() : find(frame.families, "evs_gateway_up") != nullptr) return std::nullopt;
  return 1;
}

// Who sees counters alone has their number, not the sentences.
uint64_t problems_in(const Frame& frame) {
  if (frame.detail) return tools::problems_of(frame.detail->uplink).size();
  return whole(sum_of(frame.families, "evs_uplink_problems").value_or(0));
}

bool is_apart(const Frame& frame) {
  if (frame.detail)
    if (const std::string* state = frame.detail->uplink.value("state")) return *state == "apart";
  return sum_of(frame.families, "evs_uplink_state", {{"state", "apart"}}).value_or(0) > 0;
}

class Judge {
 public:
  Judge(const Frame& frame, const Thresholds& thresholds) : frame_(frame), thresholds_(thresholds) {}

  std::vector<Finding> all() {
    processes();
    for (const char* ring : kRings) ring_use(ring);
    uplink();
    std::stable_sort(found_.begin(), found_.end(), [](const Finding& a, const Finding& b) { return a.grade > b.grade; });
    return std::move(found_);
  }

 private:
  void add(Grade grade, std::string words) { found_.push_back({grade, std::move(words)}); }
  double told(const char* name, const Wanted& labels = {}, double otherwise = 0) { return sum_of(frame_.families, name, labels).value_or(otherwise); }

  void processes() {
    if (!frame_.detail) return counted_processes();
    const std::vector<ProcessRow> rows = processes_of(frame_);
    const bool runs = std::any_of(rows.begin(), rows.end(), [](const ProcessRow& row) { return !is_ill(row.life); });
    if (rows.empty()) add(Grade::critical, "no process is on the bus");
    else if (!runs) add(Grade::critical, "no process on the bus runs");
    for (const ProcessRow& row : rows) {
      if (is_ill(row.life)) add(Grade::critical, illness(row));
      if (row.life == Life::expelled) add(Grade::warning, who(row) + " was expelled for holding the ring, and has not called since");
    }
  }

  void counted_processes() {
    if (told("evs_up") == 0) add(Grade::critical, "no process on the bus runs");
    const auto some = [&](const char* state, Grade grade) {
      if (const double count = told("evs_processes", {{"state", state}}); count > 0) add(grade, tools::show_count(count) + (count == 1 ? " process is " : " processes are ") + state);
    };
    some("hung", Grade::critical);
    some("stopped", Grade::critical);
    some("expelled", Grade::warning);
  }

  void ring_use(const char* ring) {
    const double percent = use_of(frame_, ring).percent();
    if (percent < thresholds_.ring_warning_percent) return;
    std::string words = std::string("the ") + (ring == kRings[0] ? "ring" : "outbox") + " is " + percent_text(percent) + " full";
    if (frame_.detail && ring == kRings[0] && frame_.detail->ring.holder_nodeid)
      if (const metrics::Member* holder = frame_.detail->member(*frame_.detail->ring.holder_nodeid)) words += ", held by pid " + std::to_string(holder->pid) + " (" + tools::printable(holder->command) + ")";
    add(percent >= thresholds_.ring_critical_percent ? Grade::critical : Grade::warning, words);
  }

  // What the gateway says is wrong is as grave as what has come of it: who is cut off serves nobody elsewhere.
  void problems() {
    const uint64_t count = problems_in(frame_);
    const bool cut_off = is_apart(frame_) || hosts_of(frame_) == 1;
    const Grade grade = cut_off ? Grade::critical : Grade::warning;
    if (frame_.detail)
      for (const std::string& problem : tools::problems_of(frame_.detail->uplink)) add(grade, tools::printable(problem));
    else if (count > 0)
      add(grade, "its gateway says that " + std::string(count == 1 ? "something is" : tools::show_count(static_cast<double>(count)) + " things are") + " wrong: evs status on that host has the words");
  }

  void uplink() {
    if (const auto up = sum_of(frame_.families, "evs_gateway_up"); up && *up == 0) add(Grade::critical, "this host has no gateway that does its work: the bus ends here");
    if (const auto quorate = sum_of(frame_.families, "evs_quorate"); quorate && *quorate == 0) add(Grade::critical, "these hosts have no quorum");
    problems();
    if (is_apart(frame_) && problems_in(frame_) == 0) add(Grade::critical, "this host keeps apart from the others");
    if (const auto well = sum_of(frame_.families, "evs_uplink_state", {{"state", "operational"}}); well && *well == 0 && !is_apart(frame_)) add(Grade::warning, "hosts are agreeing on a new ring");
    if (told("evs_held_up", {{"reason", "readers"}}) > 0) add(Grade::warning, "all hosts wait for one whose processes read slowly");
    if (told("evs_held_up", {{"reason", "loss"}}) > 0) add(Grade::warning, "all hosts wait for one that lacks what others have");
  }

  const Frame& frame_;
  const Thresholds& thresholds_;
  std::vector<Finding> found_;
};

// A pipe begins the figures, and a newline ends the line.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '|', '/');
  return tools::printable(text);
}

}  // namespace

std::string_view name_of(Grade grade) {
  constexpr std::string_view kNames[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  return kNames[static_cast<size_t>(grade)];
}

std::vector<Finding> judge(const Frame& frame, const Thresholds& thresholds) { return Judge(frame, thresholds).all(); }

Grade worst_of(const std::vector<Finding>& findings) { return findings.empty() ? Grade::ok : findings.front().grade; }

std::string check_line(const Frame& frame, const std::vector<Finding>& findings, const Thresholds& thresholds) {
  double processes = 0, hung = 0;
  const std::vector<ProcessRow> rows = processes_of(frame);
  for (const ProcessRow& row : rows) hung += is_ill(row.life);
  processes = static_cast<double>(rows.size());
  if (!frame.detail) {
    processes = sum_of(frame.families, "evs_processes").value_or(0);
    for (const char* state : {"hung", "stopped"}) hung += sum_of(frame.families, "evs_processes", {{"state", state}}).value_or(0);
  }
  std::string words;
  for (const Finding& finding : findings) words += (words.empty() ? "" : "; ") + finding.words;
  const double used = use_of(frame, kRings[0]).percent();
  if (words.empty()) words = tools::show_count(processes) + (processes == 1 ? " process" : " processes") + ", ring " + percent_text(used) + " full";
  const auto hosts = hosts_of(frame);
  char share[128];
  std::snprintf(share, sizeof share, "%.1f%%;%u;%u;0;100", used, thresholds.ring_warning_percent, thresholds.ring_critical_percent);
  const std::string figures = " | processes=" + std::to_string(whole(processes)) + " hung=" + std::to_string(whole(hung)) + ";;0 ring=" + share + " problems=" + std::to_string(problems_in(frame)) +
                              ";0 hosts=" + (hosts ? std::to_string(whole(*hosts)) : "U") + "\n";  // U is what Nagios has for what could not be told
  return "EVS " + std::string(name_of(worst_of(findings))) + " - bus " + one_line(frame.bus + ": " + words) + figures;
}

}  // namespace evs::top
