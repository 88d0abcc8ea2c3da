// SPDX-License-Identifier: BSD-3-Clause
// tools/top/series.h - metrics as evs-top has them, wherever they came from: this host's counters, an exporter's text, a recording.
//
// Nothing here knows which metrics there are. What a later version counts is carried along and recorded, and a histogram of it is shown.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace evs::top {

enum class Kind : uint8_t { untyped, counter, gauge, histogram };
std::string_view name_of(Kind kind);
std::optional<Kind> kind_named(std::string_view name);

struct Bucket {
  double upper = 0;  // inclusive; the last one's, which takes all, is infinite and not kept
  double count = 0;  // of all samples up to there
  friend bool operator==(const Bucket&, const Bucket&) = default;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Series {
  Labels labels;
  double value = 0;             // of a histogram: nothing
  std::vector<Bucket> buckets;  // rising
  double sum = 0, count = 0;    // of a histogram

  const std::string* label(std::string_view name) const;
};

struct Family {
  std::string name;
  Kind kind = Kind::untyped;
  std::vector<Series> series;
};

using Families = std::vector<Family>;
using Wanted = std::vector<std::pair<std::string_view, std::string_view>>;  // labels and their values

const Family* find(const Families& families, std::string_view name);
// Of the first series that has these labels; empty: there is none.
std::optional<double> value_of(const Families& families, std::string_view name, const Wanted& labels = {});
// Of all that have them; empty: there is none.
std::optional<double> sum_of(const Families& families, std::string_view name, const Wanted& labels = {});

// Names a series among those of its family: what may stand in a map.
std::string key_of(std::string_view family, const Labels& labels);

// The samples of `now` that were not in `before`, of the same series; all of them when it began anew.
Series since(const Series& before, const Series& now);
// Below which a share of the samples lies, as far as the buckets tell; NaN: there are none. What lies above the last bucket has its bound.
double quantile(const Series& histogram, double share);

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace evs::top
