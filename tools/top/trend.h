// SPDX-License-Identifier: BSD-3-Clause
// tools/top/trend.h - from frames to rates: what was counted between two of them, and the course of that over the last minute or so.
//
// It asks no clock: the frames say when they were taken. A count that fell began anew, and makes no rate until the next frame.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "tools/top/frame.h"

namespace evs::top {

inline constexpr size_t kCourse = 60;  // frames that a sparkline can show
inline constexpr size_t kWindow = 15;  // frames whose samples make a percentile

// What all of the bus does; their courses have these names.
inline constexpr const char* kSent = "sent";
inline constexpr const char* kSentBytes = "sent bytes";
inline constexpr const char* kDelivered = "delivered";
inline constexpr const char* kRingUsed = "ring used";

class Trend {
 public:
  void add(const Frame& frame);

  std::optional<double> rate(const std::string& key) const;       // a second
  const std::deque<double>& course(const std::string& key) const;  // the newest last; of a level, the level
  // The samples of a histogram in the last frames, kWindow of them at most: one message in many is measured. Null: it was not there before.
  struct Recent {
    Series samples;
    double seconds = 0;
  };
  const Recent* recent(const std::string& key) const;
  double seconds() const { return seconds_; }                      // between the last two frames; 0: there was one

 private:
  struct Entry {
    double last = 0;
    std::optional<double> rate;
    std::deque<double> course;
    uint64_t seen = 0;  // the frame that had it last
  };
  struct Samples {
    std::deque<std::pair<uint64_t, Series>> past;  // when it was which, the newest last
    std::optional<Recent> recent;
    uint64_t seen = 0;
  };
  void count(const std::string& key, double value);
  void level(const std::string& key, double value);
  void flow(const std::string& key, std::optional<double> rate);  // is one already
  void follow(const std::string& key, const Series& histogram, uint64_t now_ns);
  Entry& touch(const std::string& key);

  std::map<std::string, Entry> entries_;
  std::map<std::string, Samples> histograms_;
  uint64_t frames_ = 0, last_ns_ = 0;
  double seconds_ = 0;
};

// The course of a histogram's 99th percentile, under the key of its series.
std::string slowest_key(const std::string& series);
// The keys of a process's flows.
std::string sent_key(const std::string& process);
std::string bytes_key(const std::string& process);
std::string delivered_key(const std::string& process);
std::string wakeups_key(const std::string& process);
// A handle, in the place of a process.
std::string handle_key(const metrics::Member& member, const metrics::Handle& handle);

}  // namespace evs::top
