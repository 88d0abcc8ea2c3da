// SPDX-License-Identifier: BSD-3-Clause
// tools/top/history.cc - see history.h.
#include "tools/top/history.h"

#include <algorithm>
#include <sstream>

#include "tools/evs/text.h"

namespace evs::top {

using metrics::Member;
using metrics::Snapshot;

namespace {

constexpr size_t kMostNamed = 4;  // in one cause

using Present = std::map<std::pair<uint32_t, uint64_t>, std::string>;

Present present_in(const Snapshot& snapshot) {
  Present present;
  for (const Member& member : snapshot.members) {
    if (member.state != metrics::MemberState::live) continue;
    std::string words = std::to_string(member.pid);
    if (!member.command.empty()) words += " (" + tools::printable(member.command) + ")";
    present[{member.nodeid, member.generation}] = std::move(words);
  }
  return present;
}

std::string how_it_went(const Snapshot& snapshot, const std::pair<uint32_t, uint64_t>& who) {
  for (const metrics::Departed& one : snapshot.departed)
    if (one.nodeid == who.first && one.generation == who.second && !one.how.empty()) return one.how == "expelled" ? "was expelled" : one.how;
  for (const Member& member : snapshot.members) {
    if (member.nodeid != who.first || member.generation != who.second) continue;
    return member.state == metrics::MemberState::expelled ? "was expelled" : "died";
  }
  return "went";
}

class Cause {
 public:
  void add(const std::string& words) {
    if (++named_ <= kMostNamed) text_ += (text_.empty() ? "" : "; ") + words;
  }
  std::string text() const { return named_ > kMostNamed ? text_ + "; and " + std::to_string(named_ - kMostNamed) + " more" : text_; }

 private:
  std::string text_;
  size_t named_ = 0;
};

std::vector<std::string> words_in(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

bool has(const std::vector<std::string>& words, const std::string& word) { return std::find(words.begin(), words.end(), word) != words.end(); }

std::string hosts_cause(const std::string& before, const std::string& now) {
  const auto was = words_in(before), is = words_in(now);
  Cause cause;
  for (const std::string& host : was)
    if (!has(is, host)) cause.add("host " + tools::printable(host) + " went");
  for (const std::string& host : is)
    if (!has(was, host)) cause.add("host " + tools::printable(host) + " came");
  const std::string text = cause.text();
  return text.empty() ? "the same hosts anew" : text;
}

}  // namespace

void History::put(const Frame& frame, Change change) {
  change.unix_ns = frame.unix_ns;
  change.monotonic_ns = frame.monotonic_ns;
  for (auto last = changes_.rbegin(); last != changes_.rend(); ++last)
    if (last->hosts == change.hosts) {
      if (!last->in_force_ns) last->in_force_ns = frame.monotonic_ns - std::min(frame.monotonic_ns, last->monotonic_ns);
      break;
    }
  changes_.push_back(std::move(change));
  if (changes_.size() > kMostChanges) changes_.pop_front();
}

void History::add_processes(const Frame& frame) {
  const Snapshot& snapshot = *frame.detail;
  const std::pair now{snapshot.ring_sequence, snapshot.change};
  Present present = present_in(snapshot);
  if (begun_ && now == membership_) return;
  Change change;
  change.first = !begun_;
  change.name = std::to_string(now.first) + "." + std::to_string(now.second);
  change.members = present.size();
  Cause cause;
  if (begun_ && now.first != membership_.first) cause.add("the bus was started anew");
  if (begun_)
    for (const auto& [who, words] : present_)
      if (present.count(who) == 0) cause.add(words + " " + how_it_went(snapshot, who));
  if (begun_)
    for (const auto& [who, words] : present)
      if (present_.count(who) == 0) cause.add(words + " joined");
  change.cause = change.first ? "in force when evs-top came" : cause.text();
  if (change.cause.empty()) change.cause = "somebody came and went";
  put(frame, std::move(change));
  begun_ = true;
  membership_ = now;
  present_ = std::move(present);
}

// An exporter tells that there were changes, and no names.
void History::add_counted(const Frame& frame) {
  const auto total = sum_of(frame.families, "evs_memberships_total"), members = sum_of(frame.families, "evs_members");
  if (!total || (begun_ && *total == memberships_total_)) return;
  Change change;
  change.first = !begun_;
  change.name = "change " + tools::show_count(*total);
  change.members = static_cast<size_t>(std::max(0.0, std::min(members.value_or(0), 1e6)));
  const double more = *total - memberships_total_;
  change.cause = change.first ? "in force when evs-top came" : more == 1 ? "one change" : tools::show_count(std::max(0.0, more)) + " changes";
  put(frame, std::move(change));
  begun_ = true;
  memberships_total_ = *total;
}

void History::add_hosts(const Frame& frame) {
  const metrics::Uplink& uplink = frame.detail->uplink;
  const std::string *state = uplink.value("state"), *sequence = uplink.value("ring_sequence"), *members = uplink.value("members");
  if (state == nullptr || sequence == nullptr || members == nullptr) return;
  if (*state != "operational") {
    if (!broken_since_ns_) broken_since_ns_ = frame.monotonic_ns;
    return;
  }
  const std::string ring = *sequence + " " + *members;
  if (ring == ring_) return static_cast<void>(broken_since_ns_.reset());
  Change change;
  change.hosts = true;
  change.first = !ring_begun_;
  change.name = "ring " + tools::printable(*sequence);
  change.members = words_in(*members).size();
  change.cause = change.first ? "in force when evs-top came" : hosts_cause(hosts_, *members);
  if (broken_since_ns_) change.took_ns = frame.monotonic_ns - std::min(frame.monotonic_ns, *broken_since_ns_);
  put(frame, std::move(change));
  ring_begun_ = true;
  ring_ = ring;
  hosts_ = *members;
  broken_since_ns_.reset();
}

void History::add(const Frame& frame) {
  if (!frame.detail) return add_counted(frame);
  add_processes(frame);
  add_hosts(frame);
}

}  // namespace evs::top
