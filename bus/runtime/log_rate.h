// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/log_rate.h - how often may one kind of message be said?
//
// A fault repeats itself thousands of times a second; the first few lines tell all there is to tell, and the rest would
// bury them. So each kind of message has a window of 10 s that opens with its first message, and in it a number of
// messages. What comes after that is counted, and when the window is over one line says how many there were. Fixed
// windows rather than a token bucket: "1,204 suppressed in 10 s" is a sentence that a person can use.
//
// Pure: the time is an argument. Not thread-safe: the Log holds its lock around it. Kinds are few by nature, being
// literals in code, but a plugin chooses its own: past a bound all new ones share a window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace evs::runtime {

inline constexpr uint64_t kLogWindowNs = 10'000'000'000;
inline constexpr size_t kLogKindsMax = 256;

// What a finished window has to say.
struct Suppressed {
  std::string kind;
  uint64_t count;
  int level;  // the most severe that was suppressed

  std::string text() const;  // "1204 messages of kind slow-reader suppressed in 10 s"
};

class LogRate {
 public:
  explicit LogRate(uint64_t messages_per_window) : limit_(messages_per_window) {}  // 0: no limit

  // True when a message of this kind may be said now. A window of the kind that is over and suppressed something is
  // added to `finished` first.
  bool admit(uint64_t now_ns, std::string_view kind, int level, std::vector<Suppressed>& finished);

  // The windows that are over and suppressed something. Calling early is harmless.
  std::vector<Suppressed> take_finished(uint64_t now_ns);

  // The same for all windows, over or not: the log is being closed.
  std::vector<Suppressed> take_all();

 private:
  struct Window {
    uint64_t began_ns = 0;
    uint64_t admitted = 0;
    uint64_t suppressed = 0;
    int level = 0;
  };

  Window& window(uint64_t now_ns, std::string_view& kind);
  void close(std::string_view kind, const Window& window, std::vector<Suppressed>& finished) const;

  uint64_t limit_;
  std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace evs::runtime
