// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/losses.cc - see losses.h.
#include "bus/runtime/uplink/losses.h"

#include <algorithm>

#include "bus/ordering/host_set.h"

namespace evs::runtime::uplink {

using namespace ordering;

namespace {

constexpr size_t kMostMoments = 4 * kMaxHosts;

}  // namespace

bool Losses::may_say(Instant now) {
  while (!lines_.empty() && now - lines_.front() >= kMinute) lines_.pop_front();
  return lines_.size() < kMostLines;
}

void Losses::say(Instant now, const Hosts& hosts, const std::string& text, const Addresses& addresses, Lines& lines) {
  lines_.push_back(now);
  lines.push_back({Level::warning, "uplink.member", hosts_in_words(hosts, addresses) + text});
  for (const Host& host : hosts) {
    lost_[host.id].told = now;
    lost_[host.id].owes = false;
  }
}

void Losses::lost(Instant now, const Hosts& hosts, const std::string& why, const Addresses& addresses, Lines& lines) {
  Hosts fresh;
  for (const Host& host : hosts) {
    moments_.push_back({now, host.id});
    Lost& one = lost_[host.id];
    one.at = now;
    one.why = why;
    one.owes = true;
    if (one.told == kNever || now - one.told >= kMinute) fresh.push_back(host);
  }
  while (moments_.size() > kMostMoments) moments_.pop_front();
  if (!fresh.empty() && may_say(now)) say(now, fresh, (fresh.size() == 1 ? " is lost: " : " are lost: ") + why, addresses, lines);
}

void Losses::sweep(Instant now, const Hosts& members, const Addresses& addresses, Lines& lines) {
  while (!moments_.empty() && now - moments_.front().first >= kMinute) moments_.pop_front();
  Hosts owed;
  for (auto at = lost_.begin(); at != lost_.end();) {
    Lost& one = at->second;
    const bool is_there = with_id(members, at->first) != nullptr;
    if (is_there) one.owes = false;
    if (one.owes && (one.told == kNever || now - one.told >= kMinute)) owed.push_back({at->first, 0});
    at = !one.owes && now - one.at >= kMinute ? lost_.erase(at) : std::next(at);
  }
  if (owed.empty() || !may_say(now)) return;
  const std::string why = lost_[owed.front().id].why;
  say(now, owed, (owed.size() == 1 ? " is lost, too: " : " are lost, too; the first of them: ") + why, addresses, lines);
}

std::string Losses::most() const {
  std::map<HostId, size_t> times;
  for (const auto& [unused, host] : moments_) ++times[host];
  const auto most = std::max_element(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == times.end()) return {};
  return "host " + std::to_string(most->first) + " was lost " + std::to_string(most->second) + (most->second == 1 ? " time" : " times");
}

}  // namespace evs::runtime::uplink
