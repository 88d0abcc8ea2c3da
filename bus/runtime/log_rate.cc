// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/log_rate.cc - windows of 10 s, one a kind.
#include "bus/runtime/log_rate.h"

#include <algorithm>

namespace evs::runtime {
namespace {

constexpr std::string_view kOtherKinds = "other";

// A clock that was read before the window's, by another thread, is inside it.
bool is_over(uint64_t now_ns, uint64_t began_ns) {
  return now_ns >= began_ns && now_ns - began_ns >= kLogWindowNs;
}

}  // namespace

std::string Suppressed::text() const {
  return std::to_string(count) + (count == 1 ? " message" : " messages") + " of kind " + kind + " suppressed in 10 s";
}

LogRate::Window& LogRate::window(uint64_t now_ns, std::string_view& kind) {
  auto found = windows_.find(kind);
  if (found == windows_.end() && windows_.size() >= kLogKindsMax) {
    kind = kOtherKinds;
    found = windows_.find(kind);  // it makes one more than the bound
  }
  if (found == windows_.end()) found = windows_.emplace(std::string(kind), Window{now_ns, 0, 0, 0}).first;
  return found->second;
}

void LogRate::close(std::string_view kind, const Window& window, std::vector<Suppressed>& finished) const {
  if (window.suppressed > 0) finished.push_back({std::string(kind), window.suppressed, window.level});
}

bool LogRate::admit(uint64_t now_ns, std::string_view kind, int level, std::vector<Suppressed>& finished) {
  if (limit_ == 0) return true;
  Window& current = window(now_ns, kind);
  if (is_over(now_ns, current.began_ns)) {
    close(kind, current, finished);
    current = Window{now_ns, 0, 0, 0};
  }
  if (current.admitted < limit_) {
    ++current.admitted;
    return true;
  }
  ++current.suppressed;
  current.level = std::max(current.level, level);
  return false;
}

std::vector<Suppressed> LogRate::take_finished(uint64_t now_ns) {
  std::vector<Suppressed> finished;
  for (auto it = windows_.begin(); it != windows_.end();) {
    if (!is_over(now_ns, it->second.began_ns)) {
      ++it;
      continue;
    }
    close(it->first, it->second, finished);
    it = windows_.erase(it);  // the kind's next message opens a new one
  }
  return finished;
}

std::vector<Suppressed> LogRate::take_all() {
  std::vector<Suppressed> finished;
  for (const auto& [kind, open] : windows_) close(kind, open, finished);
  windows_.clear();
  return finished;
}

}  // namespace evs::runtime
