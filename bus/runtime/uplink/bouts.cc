// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/bouts.cc - see bouts.h.
#include "bus/runtime/uplink/bouts.h"

#include <algorithm>

namespace evs::runtime::uplink {

using namespace ordering;

namespace {


std::string lasting(Duration time) {
  const uint64_t seconds = time / kSecond, minutes = seconds / 60;
  if (minutes == 0) return std::to_string(seconds) + " s";
  return std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes");
}

}  // namespace

void Bouts::say(Bout& bout, Instant now, const std::string& text, Lines& lines) {
  bout.told = now;
  bout.owes_end = true;
  lines.push_back({bout.matter.level, bout.matter.kind, text});
}

// Of those that are not named one bout stands for all.
void Bouts::is_so(Instant now, const Matter& matter, HostId host, const std::string& text, const std::string& over, Lines& lines) {
  const auto known = bouts_.find({matter.number, host});
  if (known == bouts_.end()) {
    const auto first = bouts_.lower_bound({matter.number, kNoHost}), last = bouts_.lower_bound({matter.number + 1, kNoHost});
    if (host != kNoHost && std::distance(first, last) >= static_cast<ptrdiff_t>(kMostOfOneKind))
      return is_so(now, matter, kNoHost, "the same is so of further hosts, which are not named; of one of them: " + text, "", lines);
    Bout& bout = bouts_[{matter.number, host}];
    bout.matter = matter;
    bout.began = bout.seen = now;
    bout.text = text;
    bout.over = over;
    return say(bout, now, text, lines);
  }
  Bout& bout = known->second;
  bout.seen = now;
  bout.text = text;
  bout.over = over;
  if (!bout.open) {
    bout.open = true;
    ++bout.times;
  }
  if (now - bout.told < kAgain) return;
  say(bout, now, (bout.times == 1 ? "still, for " : std::to_string(bout.times) + " times in ") + lasting(now - bout.began) + ": " + text, lines);
}

void Bouts::sweep(Instant now, Lines& lines) {
  for (auto at = bouts_.begin(); at != bouts_.end();) {
    Bout& bout = at->second;
    if (bout.open && now - bout.seen >= bout.matter.calm) {
      bout.open = false;
      if (bout.owes_end && !bout.over.empty()) lines.push_back({Level::info, bout.matter.kind, bout.over});
      bout.owes_end = false;
    }
    at = !bout.open && now - bout.seen >= kAgain ? bouts_.erase(at) : std::next(at);
  }
}

bool Bouts::any() const {
  return std::any_of(bouts_.begin(), bouts_.end(), [](const auto& each) { return each.second.open; });
}

std::vector<std::string> Bouts::texts(Level least) const {
  std::vector<std::string> texts;
  for (const Level level : {Level::error, Level::warning, Level::info})
    for (const auto& [unused, bout] : bouts_)
      if (bout.open && bout.matter.level == level && level >= least) texts.push_back(bout.text);
  return texts;
}

}  // namespace evs::runtime::uplink
