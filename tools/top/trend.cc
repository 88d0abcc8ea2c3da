// SPDX-License-Identifier: BSD-3-Clause
// tools/top/trend.cc - see trend.h.
#include "tools/top/trend.h"

#include <cmath>
#include <iterator>

#include "tools/top/processes.h"

namespace evs::top {
namespace {

constexpr double kPerSecond = 1e9;

std::optional<double> plus(std::optional<double> sum, std::optional<double> more) { return more ? sum.value_or(0) + *more : sum; }

}  // namespace

std::string slowest_key(const std::string& series) { return "p99 " + series; }
std::string sent_key(const std::string& process) { return "sent " + process; }
std::string bytes_key(const std::string& process) { return "bytes " + process; }
std::string delivered_key(const std::string& process) { return "delivered " + process; }
std::string wakeups_key(const std::string& process) { return "wakeups " + process; }
std::string handle_key(const metrics::Member& member, const metrics::Handle& handle) {
  return "handle " + std::to_string(member.nodeid) + "." + std::to_string(member.generation) + "." + std::to_string(handle.index);
}

Trend::Entry& Trend::touch(const std::string& key) {
  Entry& entry = entries_[key];
  entry.rate.reset();
  entry.seen = frames_;
  return entry;
}

void Trend::count(const std::string& key, double value) {
  const bool known = entries_.count(key) != 0;
  Entry& entry = touch(key);
  if (known && seconds_ > 0 && value >= entry.last) entry.rate = (value - entry.last) / seconds_;
  entry.last = value;
  if (entry.rate) entry.course.push_back(*entry.rate);
}

void Trend::flow(const std::string& key, std::optional<double> rate) {
  Entry& entry = touch(key);
  entry.rate = rate;
  if (rate) entry.course.push_back(*rate);
}

void Trend::level(const std::string& key, double value) { touch(key).course.push_back(value); }

// The course is of the last frame alone; a count that fell began anew.
void Trend::follow(const std::string& key, const Series& histogram, uint64_t now_ns) {
  Samples& samples = histograms_[key];
  samples.seen = frames_;
  double slowest = kNone;
  if (!samples.past.empty()) {
    const Series& last = samples.past.back().second;
    if (histogram.count < last.count) samples.past.clear();
    else slowest = quantile(since(last, histogram), 0.99);
  }
  samples.past.emplace_back(now_ns, histogram);
  if (samples.past.size() > kWindow + 1) samples.past.pop_front();
  samples.recent.reset();
  const auto& [then_ns, before] = samples.past.front();
  if (now_ns > then_ns) samples.recent = Recent{since(before, histogram), static_cast<double>(now_ns - then_ns) / kPerSecond};
  level(slowest_key(key), std::isnan(slowest) ? 0 : slowest);
}

const Trend::Recent* Trend::recent(const std::string& key) const {
  const auto found = histograms_.find(key);
  return found == histograms_.end() || !found->second.recent ? nullptr : &*found->second.recent;
}

void Trend::add(const Frame& frame) {
  seconds_ = frames_ != 0 && frame.monotonic_ns > last_ns_ ? static_cast<double>(frame.monotonic_ns - last_ns_) / kPerSecond : 0;
  last_ns_ = frame.monotonic_ns;
  ++frames_;
  for (const Family& family : frame.families)
    for (const Series& series : family.series) {
      if (family.kind == Kind::counter) count(key_of(family.name, series.labels), series.value);
      if (family.kind == Kind::histogram) follow(key_of(family.name, series.labels), series, frame.monotonic_ns);
    }

  // The counter file is written at a turn of a process's service thread; the segment says it at once. And a sum over those that are there falls when one of them ends.
  std::optional<double> sent, bytes, delivered;
  for (const ProcessRow& row : processes_of(frame)) {
    count(sent_key(row.key()), static_cast<double>(row.sent_records));
    count(bytes_key(row.key()), static_cast<double>(row.sent_bytes));
    count(delivered_key(row.key()), static_cast<double>(row.delivered));
    count(wakeups_key(row.key()), static_cast<double>(row.wakeups));
    sent = plus(sent, rate(sent_key(row.key())));
    bytes = plus(bytes, rate(bytes_key(row.key())));
    delivered = plus(delivered, rate(delivered_key(row.key())));
  }
  if (frame.detail)
    for (const metrics::Member& member : frame.detail->members)
      for (const metrics::Handle& handle : member.handles) {
        count(delivered_key(handle_key(member, handle)), static_cast<double>(handle.delivered));
        count(wakeups_key(handle_key(member, handle)), static_cast<double>(handle.wakeups));
      }
  else {
    const char* own = sum_of(frame.families, "evs_ring_appended_records_total", {{"ring", "outbox"}}) ? "outbox" : "order";
    const auto rate_of = [&](const char* name, const char* ring) { return rate(key_of(name, {{"ring", ring}})); };
    sent = rate_of("evs_ring_appended_records_total", own);
    bytes = rate_of("evs_ring_appended_bytes_total", own);
    delivered = rate_of("evs_ring_delivered_records_total", "order");
  }
  flow(kSent, sent);
  flow(kSentBytes, bytes);
  flow(kDelivered, delivered);
  level(kRingUsed, value_of(frame.families, "evs_ring_used_bytes", {{"ring", "order"}}).value_or(frame.detail ? static_cast<double>(frame.detail->ring.used_bytes) : 0));

  std::erase_if(histograms_, [&](const auto& one) { return one.second.seen != frames_; });
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (at->second.course.size() > kCourse) at->second.course.pop_front();
    at = at->second.seen == frames_ ? std::next(at) : entries_.erase(at);
  }
}

std::optional<double> Trend::rate(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::nullopt : found->second.rate;
}

const std::deque<double>& Trend::course(const std::string& key) const {
  static const std::deque<double> kEmpty;
  const auto found = entries_.find(key);
  return found == entries_.end() ? kEmpty : found->second.course;
}

}  // namespace evs::top
