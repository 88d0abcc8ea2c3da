// SPDX-License-Identifier: BSD-3-Clause
// metrics/families.cc - see families.h.
#include "metrics/families.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <string_view>

namespace evs::metrics {
namespace {

prometheus::MetricFamily family_of(const MetricText& text) {
  constexpr prometheus::MetricType kTypes[] = {prometheus::MetricType::Counter, prometheus::MetricType::Gauge, prometheus::MetricType::Histogram};
  return {std::string(text.name), std::string(text.help), kTypes[static_cast<size_t>(text.kind)], {}};
}

void fill_histogram(const Sample& sample, prometheus::ClientMetric::Histogram& out) {
  out.sample_sum = sample.value;
  out.sample_count = sample.buckets.back();
  for (uint32_t i = 0; i < sample.buckets.size(); ++i) {
    const double end = i == kShownBuckets ? std::numeric_limits<double>::infinity() : static_cast<double>(shown_bucket_end_ns(i)) / 1e9;
    out.bucket.push_back({sample.buckets[i], end});
  }
}

prometheus::ClientMetric value_of(const Sample& sample) {
  const MetricText& text = text_of(sample.metric);
  prometheus::ClientMetric metric;
  std::string_view names = text.labels;
  for (const std::string& value : sample.labels) {
    const std::string_view name = names.substr(0, names.find(' '));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    metric.label.push_back({std::string(name), value});
  }
  if (text.kind == Kind::histogram) fill_histogram(sample, metric.histogram);
  else (text.kind == Kind::counter ? metric.counter.value : metric.gauge.value) = sample.value;
  return metric;
}

}  // namespace

std::vector<prometheus::MetricFamily> families_of(const std::vector<Sample>& samples) {
  std::vector<prometheus::MetricFamily> families;
  Metric last = Metric::count_;
  for (const Sample& sample : samples) {
    if (sample.metric != last) families.push_back(family_of(text_of(sample.metric)));
    last = sample.metric;
    families.back().metric.push_back(value_of(sample));
  }
  return families;
}

std::string exposition_of(const std::vector<Sample>& samples) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families_of(samples));
  return out.str();
}

}  // namespace evs::metrics
