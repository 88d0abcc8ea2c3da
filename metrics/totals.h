// SPDX-License-Identifier: BSD-3-Clause
// metrics/totals.h - totals that never fall, over counts that begin anew.
//
// Whoever counts has a life: a process, a file. When another life counts on under the same name it begins at 0; what the one before it had come to is
// kept and added. So is what fell within a life, which is a life that was not told of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

namespace evs::metrics {

class Totals {
 public:
  // `value` is what this life has counted; returns the total of the series.
  uint64_t follow(const std::string& series, const std::string& life, uint64_t value) {
    Entry& entry = entries_[series];
    if (entry.life != life || value < entry.last) entry.before += entry.last;
    entry.life = life;
    entry.last = value;
    return entry.before + value;
  }
  // Of what a life counts and several say, some later than others: one that says less than was said is late, and no life that was not told of.
  uint64_t follow_latest(const std::string& series, const std::string& life, uint64_t value) {
    const auto known = entries_.find(series);
    return follow(series, life, known != entries_.end() && known->second.life == life ? std::max(value, known->second.last) : value);
  }
  // What it has come to, of whoever; 0: nobody counted.
  uint64_t of(const std::string& series) const {
    const auto found = entries_.find(series);
    return found == entries_.end() ? 0 : found->second.before + found->second.last;
  }
  void forget(const std::string& series) { entries_.erase(series); }

 private:
  struct Entry {
    std::string life;
    uint64_t before = 0, last = 0;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace evs::metrics
