// SPDX-License-Identifier: BSD-3-Clause
// tools/top/recording.cc - see recording.h.
#include "tools/top/recording.h"

#include <cerrno>
#include <cmath>
#include <cstring>

#include "tools/evs/json.h"
#include "tools/evs/status_text.h"
#include "tools/evs/text.h"
#include "tools/top/recorded_status.h"
#include "tools/top/typed_json.h"

namespace evs::top {

using tools::Json;

namespace {

constexpr const char* kMark = "evs_top_recording";
constexpr uint64_t kVersion = 1;

// JSON has no infinity and no NaN: null is "none".
Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json series_json(const Family& family, const Series& series) {
  Json labels = Json::object();
  for (const auto& [name, value] : series.labels) labels[name] = value;
  if (family.kind != Kind::histogram) return {{"labels", std::move(labels)}, {"value", number_json(series.value)}};
  Json buckets = Json::array();
  for (const Bucket& bucket : series.buckets) buckets.push_back(Json::array({number_json(bucket.upper), number_json(bucket.count)}));
  return {{"labels", std::move(labels)}, {"count", number_json(series.count)}, {"sum", number_json(series.sum)}, {"buckets", std::move(buckets)}};
}

Json families_json(const Families& families) {
  Json out = Json::array();
  for (const Family& family : families) {
    Json series = Json::array();
    for (const Series& one : family.series) series.push_back(series_json(family, one));
    out.push_back({{"name", family.name}, {"kind", name_of(family.kind)}, {"series", std::move(series)}});
  }
  return out;
}

Json loaded_json(const std::vector<Loaded>& loaded) {
  Json out = Json::array();
  for (const Loaded& one : loaded) out.push_back({{"path", one.path}, {"replaced", one.replaced}, {"pids", one.pids}});
  return out;
}

Json findings_json(const std::vector<Finding>& findings) {
  Json out = Json::array();
  for (const Finding& finding : findings) out.push_back({{"grade", name_of(finding.grade)}, {"words", finding.words}});
  return out;
}

void read_buckets(Typed& in, Series& series) {
  in.each("buckets", [&](Typed& bucket) {
    Bucket one;
    bucket.pair(one.upper, one.count);
    if (!series.buckets.empty() && series.buckets.back().upper >= one.upper) bucket.refuse("the bounds of a histogram do not rise");
    series.buckets.push_back(one);
  });
}

void read_series(Typed& in, Family& family) {
  Series series;
  in.strings("labels", series.labels);
  if (family.kind == Kind::histogram) {
    in.take("count", series.count);
    in.take("sum", series.sum);
    read_buckets(in, series);
  } else {
    in.take("value", series.value);
  }
  family.series.push_back(std::move(series));
}

void read_family(Typed& in, Families& families) {
  Family family;
  std::string kind;
  in.need("name", family.name);
  in.take("kind", kind);
  family.kind = kind_named(kind).value_or(Kind::untyped);
  in.each("series", [&](Typed& series) { read_series(series, family); });
  families.push_back(std::move(family));
}

void read_loaded(Typed& in, std::vector<Loaded>& loaded) {
  Loaded one;
  in.need("path", one.path);
  in.take("replaced", one.replaced);
  in.each("pids", [&](Typed& pid) { pid.value(one.pids.emplace_back()); });
  loaded.push_back(std::move(one));
}

}  // namespace

std::string recording_header() { return tools::json_line(Json{{kMark, kVersion}}); }

std::string judge_header(std::string_view line) {
  const Json document = Json::parse(line, nullptr, false);
  if (!document.is_object() || !document.contains(kMark) || !document[kMark].is_number_unsigned()) return "it is no recording of evs-top";
  const uint64_t version = document[kMark].get<uint64_t>();
  return version == kVersion ? std::string() : "it is a recording of version " + std::to_string(version) + "; this evs-top reads version " + std::to_string(kVersion);
}

std::string write_frame(const Frame& frame, const Thresholds& thresholds) {
  return tools::json_line({{"time", tools::show_time(frame.unix_ns)},
                           {"unix_ns", frame.unix_ns},
                           {"monotonic_ns", frame.monotonic_ns},
                           {"source", frame.source},
                           {"bus", frame.bus},
                           {"directory", frame.directory},
                           {"undetailed", frame.undetailed},
                           {"status", frame.detail ? tools::status_json(*frame.detail) : Json(nullptr)},
                           {"metrics", families_json(frame.families)},
                           {"loaded", loaded_json(frame.loaded)},
                           {"findings", findings_json(judge(frame, thresholds))}});
}

bool read_frame(std::string_view line, Frame& out, std::string& failure) {
  out = Frame{};
  const Json document = Json::parse(line, nullptr, false);
  if (document.is_discarded()) return failure = "it is no JSON", false;
  Typed in(document, failure = {});
  in.need("unix_ns", out.unix_ns);
  in.need("monotonic_ns", out.monotonic_ns);
  in.need("bus", out.bus);
  in.take("source", out.source);
  in.take("directory", out.directory);
  in.take("undetailed", out.undetailed);
  in.optional("status", [&](Typed& status) { read_status(status, out.detail.emplace()); });
  in.each("metrics", [&](Typed& family) { read_family(family, out.families); });
  in.each("loaded", [&](Typed& loaded) { read_loaded(loaded, out.loaded); });
  if (!failure.empty()) out = Frame{};
  return failure.empty();
}

bool Recording::open(const std::string& path, std::string& failure) {
  path_ = path;
  number_ = 0;
  file_.reset(path == "-" ? stdin : std::fopen(path.c_str(), "re"));
  if (file_ == nullptr) return failure = tools::printable(path) + ": " + std::strerror(errno), false;
  std::string first;
  const Next got = line(first, failure);
  if (got == Next::failed) return false;
  if (failure = got == Next::end ? "it is empty" : judge_header(first); failure.empty()) return true;
  failure.insert(0, tools::printable(path) + ": ");
  return false;
}

Recording::Next Recording::line(std::string& out, std::string& failure) {
  ++number_;
  out.clear();
  for (int c = 0; (c = std::getc(file_.get())) != EOF && c != '\n';) {
    if (out.size() == kMostFrameBytes) {
      failure = tools::printable(path_) + ": line " + std::to_string(number_) + " is longer than " + tools::show_bytes(kMostFrameBytes);
      return Next::failed;
    }
    out += static_cast<char>(c);
  }
  if (std::ferror(file_.get()) != 0) {
    failure = tools::printable(path_) + ": " + std::strerror(errno);
    return Next::failed;
  }
  return out.empty() && std::feof(file_.get()) != 0 ? Next::end : Next::frame;
}

Recording::Next Recording::next(Frame& out, std::string& failure) {
  std::string text;
  if (const Next got = line(text, failure); got != Next::frame) return got;
  // Whoever recorded was killed within its last line.
  const bool cut = std::feof(file_.get()) != 0;
  if (read_frame(text, out, failure)) return Next::frame;
  if (cut && failure == "it is no JSON") failure = "it is cut short";
  failure = tools::printable(path_) + ": line " + std::to_string(number_) + ": " + failure;
  return Next::failed;
}

}  // namespace evs::top
