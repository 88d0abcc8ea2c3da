// SPDX-License-Identifier: BSD-3-Clause
// tools/top/local_source.cc - a bus of this host: its segment for the details, as `evs status` reads it, and its counters, as `evs exporter` does.
//
// Who may read the counters and not the segment (metrics.group) has no details, and sees what an exporter would say.
#include <unistd.h>

#include <set>

#include "metrics/collector.h"
#include "metrics/families.h"
#include "metrics/host_metrics.h"
#include "metrics/host_reader.h"
#include "tools/evs/clock.h"
#include "tools/top/loaded.h"
#include "tools/top/source.h"

namespace evs::top {
namespace {

constexpr uint64_t kLoadedNs = 5'000'000'000;

Kind kind_of(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return Kind::counter;
    case prometheus::MetricType::Gauge:
      return Kind::gauge;
    case prometheus::MetricType::Histogram:
      return Kind::histogram;
    default:
      return Kind::untyped;
  }
}

Series series_of(const prometheus::ClientMetric& metric, Kind kind) {
  Series series;
  for (const auto& label : metric.label) series.labels.emplace_back(label.name, label.value);
  if (kind != Kind::histogram) {
    series.value = kind == Kind::counter ? metric.counter.value : kind == Kind::gauge ? metric.gauge.value : metric.untyped.value;
    return series;
  }
  series.sum = metric.histogram.sample_sum;
  series.count = static_cast<double>(metric.histogram.sample_count);
  for (const auto& bucket : metric.histogram.bucket)
    if (bucket.upper_bound < std::numeric_limits<double>::infinity()) series.buckets.push_back({bucket.upper_bound, static_cast<double>(bucket.cumulative_count)});
  return series;
}

Families series_in(const std::vector<metrics::Sample>& samples) {
  Families families;
  for (const prometheus::MetricFamily& from : metrics::families_of(samples)) {
    // What an exporter says of itself is of none here, but which evs reads.
    if (from.name.starts_with("evs_exporter_") && from.name != "evs_exporter_info") continue;
    Family family{from.name, kind_of(from.type), {}};
    for (const prometheus::ClientMetric& metric : from.metric) family.series.push_back(series_of(metric, family.kind));
    families.push_back(std::move(family));
  }
  return families;
}

class Local : public Source {
 public:
  Local(const std::string& directory, const std::string& group, const std::string& bus) : directory_(directory), group_(group), bus_(bus), metrics_(EVS_TOOL_VERSION) {}

  Got next(Frame& out, std::string& failure) override {
    out = Frame{};
    out.unix_ns = tools::unix_ns();
    out.monotonic_ns = tools::monotonic_ns();
    metrics::Snapshot snapshot;
    const metrics::Collected collected = metrics::collect(directory_, group_, bus_, snapshot, failure);
    if (collected == metrics::Collected::taken) {
      out.loaded = loaded(snapshot, out.monotonic_ns);
      where_ = snapshot.directory;
      out.detail = std::move(snapshot);
    } else {
      out.undetailed = failure;
    }
    std::string trouble;
    const bool counted = count(out, trouble);
    if (collected == metrics::Collected::no_bus) return Got::no_bus;
    if (counted) return Got::frame;
    out.bus = bus_;
    out.directory = where_;
    // A bus without counters, or with damaged ones, is seen by its segment.
    return out.detail ? Got::frame : Got::failed;
  }

 private:
  static std::vector<int32_t> pids_of(const metrics::Snapshot& snapshot) {
    std::set<int32_t> pids;
    for (const metrics::Member& member : snapshot.members)
      if (!member.process_gone) pids.insert(member.pid);
    return {pids.begin(), pids.end()};
  }

  // What a process has loaded changes rarely, and costs the kernel a walk over its mappings.
  const std::vector<Loaded>& loaded(const metrics::Snapshot& snapshot, uint64_t now_ns) {
    std::vector<int32_t> pids = pids_of(snapshot);
    if (pids != loaded_pids_ || now_ns - loaded_at_ns_ > kLoadedNs) {
      loaded_ = loaded_by(pids);
      loaded_pids_ = std::move(pids);
      loaded_at_ns_ = now_ns;
    }
    return loaded_;
  }

  bool count(Frame& out, std::string& trouble) {
    const std::string directory = !where_.empty() ? where_ : directory_;
    if (directory.empty()) return false;
    if (!reader_) reader_.emplace(metrics::Places{{directory}, {}, {bus_}, true});
    const metrics::HostReading reading = reader_->read();
    return !reading.buses.empty() && pick_bus(series_in(metrics_.take(reading, 0)), bus_, out, trouble);
  }

  const std::string directory_, group_, bus_;
  std::string where_;  // the directory, once it was seen
  std::optional<metrics::HostReader> reader_;
  metrics::HostMetrics metrics_;
  std::vector<Loaded> loaded_;
  std::vector<int32_t> loaded_pids_;
  uint64_t loaded_at_ns_ = 0;
};

}  // namespace

std::unique_ptr<Source> local_source(const std::string& directory, const std::string& group, const std::string& bus) { return std::make_unique<Local>(directory, group, bus); }

}  // namespace evs::top
