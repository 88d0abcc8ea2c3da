// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_counters.cc - see status_counters.h.
#include "tools/evs/status_counters.h"

#include <algorithm>
#include <sstream>

#include "metrics/table.h"
#include "tools/evs/json.h"

namespace evs::tools {

using metrics::Kind;
using metrics::Metric;
using metrics::MetricText;
using metrics::Sample;

namespace {

// All but which bus it is.
std::string label_text(const MetricText& text, const Sample& sample) {
  std::istringstream names{std::string(text.labels)};
  std::string name, line;
  for (const std::string& value : sample.labels)
    if (names >> name && name != "bus" && name != "directory") line.append(line.empty() ? "" : " ").append(value);
  return line;
}

std::string durations_text(const Sample& sample) {
  const uint64_t count = sample.buckets.back();
  std::string line = std::to_string(count) + ", mean " + show_duration(static_cast<uint64_t>(sample.value * 1e9 / static_cast<double>(count)));
  for (const double share : {0.5, 0.99})
    if (const std::string bound = quantile_text(sample, share); !bound.empty()) line += ", " + std::to_string(static_cast<int>(share * 100)) + " % under " + bound;
  return line;
}

bool counts(const Sample& sample) { return metrics::text_of(sample.metric).kind != Kind::gauge; }
bool is_zero(const Sample& sample) { return sample.buckets.empty() ? sample.value == 0 : sample.buckets.back() == 0; }

}  // namespace

std::string quantile_text(const Sample& histogram, double share) {
  const double rank = share * static_cast<double>(histogram.buckets.back());
  for (uint32_t bucket = 0; bucket < metrics::kShownBuckets; ++bucket)
    if (histogram.buckets[bucket] != 0 && static_cast<double>(histogram.buckets[bucket]) >= rank) return show_duration(metrics::shown_bucket_end_ns(bucket));
  return {};
}

std::string counters_text(const std::vector<Sample>& samples, const Palette& paint) {
  std::string out = "\ncounted on this host by all processes since the first of them came, also by those that have ended (evs-metrics(7)):\n";
  Metric last = Metric::count_;
  for (const Sample& sample : samples) {
    if (!counts(sample) || is_zero(sample)) continue;
    const MetricText& text = metrics::text_of(sample.metric);
    if (sample.metric != last) out.append("  ").append(paint(Paint::bold, text.name)).append("  ").append(paint(Paint::dim, text.help)).append("\n");
    last = sample.metric;
    const std::string labels = printable(label_text(text, sample));
    out.append("    ").append(labels).append(labels.empty() ? "" : "  ");
    out.append(sample.buckets.empty() ? std::to_string(static_cast<uint64_t>(sample.value)) : durations_text(sample)).append("\n");
  }
  return last == Metric::count_ ? out + "  nothing\n" : out;
}

Json counters_json(const std::vector<Sample>& samples) {
  Json all = Json::array();
  for (const Sample& sample : samples) {
    if (!counts(sample)) continue;
    const MetricText& text = metrics::text_of(sample.metric);
    Json labels = Json::object();
    std::istringstream names{std::string(text.labels)};
    std::string name;
    for (const std::string& value : sample.labels)
      if (names >> name && name != "bus" && name != "directory") labels[name] = value;
    Json one = {{"name", text.name}, {"labels", std::move(labels)}};
    if (sample.buckets.empty()) {
      one["value"] = static_cast<uint64_t>(sample.value);
    } else {
      Json buckets = Json::array();
      for (uint32_t bucket = 0; bucket < metrics::kShownBuckets; ++bucket)
        buckets.push_back({{"under_ns", metrics::shown_bucket_end_ns(bucket)}, {"count", sample.buckets[bucket]}});
      one["count"] = sample.buckets.back();
      one["sum_seconds"] = sample.value;
      one["buckets"] = std::move(buckets);
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace evs::tools
