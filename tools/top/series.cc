// SPDX-License-Identifier: BSD-3-Clause
// tools/top/series.cc - see series.h.
#include "tools/top/series.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace evs::top {
namespace {

constexpr std::string_view kKinds[] = {"untyped", "counter", "gauge", "histogram"};

bool has(const Series& series, const Wanted& labels) {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& wanted) {
    const std::string* value = series.label(wanted.first);
    return value != nullptr && *value == wanted.second;
  });
}

}  // namespace

std::string_view name_of(Kind kind) { return kKinds[static_cast<size_t>(kind)]; }

std::optional<Kind> kind_named(std::string_view name) {
  const auto found = std::find(std::begin(kKinds), std::end(kKinds), name);
  if (found == std::end(kKinds)) return std::nullopt;
  return static_cast<Kind>(found - std::begin(kKinds));
}

const std::string* Series::label(std::string_view name) const {
  const auto found = std::find_if(labels.begin(), labels.end(), [&](const auto& one) { return one.first == name; });
  return found == labels.end() ? nullptr : &found->second;
}

const Family* find(const Families& families, std::string_view name) {
  const auto found = std::find_if(families.begin(), families.end(), [&](const Family& one) { return one.name == name; });
  return found == families.end() ? nullptr : &*found;
}

std::optional<double> value_of(const Families& families, std::string_view name, const Wanted& labels) {
  const Family* family = find(families, name);
  if (family == nullptr) return std::nullopt;
  for (const Series& series : family->series)
    if (has(series, labels)) return series.value;
  return std::nullopt;
}

std::optional<double> sum_of(const Families& families, std::string_view name, const Wanted& labels) {
  const Family* family = find(families, name);
  std::optional<double> sum;
  if (family == nullptr) return sum;
  for (const Series& series : family->series)
    if (has(series, labels)) sum = sum.value_or(0) + series.value;
  return sum;
}

std::string key_of(std::string_view family, const Labels& labels) {
  std::string key(family);
  for (const auto& [name, value] : labels) key.append(1, '\0').append(name).append(1, '\0').append(value);
  return key;
}

Series since(const Series& before, const Series& now) {
  const auto same_bound = [](const Bucket& a, const Bucket& b) { return a.upper == b.upper; };
  const bool goes_on = before.count <= now.count && std::equal(before.buckets.begin(), before.buckets.end(), now.buckets.begin(), now.buckets.end(), same_bound);
  if (!goes_on) return now;
  Series out = now;
  out.sum -= before.sum;
  out.count -= before.count;
  for (size_t i = 0; i < out.buckets.size(); ++i) out.buckets[i].count = std::max(0.0, out.buckets[i].count - before.buckets[i].count);
  return out;
}

double quantile(const Series& histogram, double share) {
  if (!(histogram.count > 0) || histogram.buckets.empty()) return kNone;
  const double wanted = share * histogram.count;
  double below = 0, from = 0;
  for (const Bucket& bucket : histogram.buckets) {
    // Within a bucket samples are taken to lie evenly, as Prometheus does.
    if (bucket.count >= wanted && bucket.count > below) return from + (bucket.upper - from) * (wanted - below) / (bucket.count - below);
    below = std::max(below, bucket.count);
    from = bucket.upper;
  }
  return histogram.buckets.back().upper;
}

}  // namespace evs::top
