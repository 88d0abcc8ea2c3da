// SPDX-License-Identifier: BSD-3-Clause
// tools/top/exposition.cc - see exposition.h.
#include "tools/top/exposition.h"

#include <algorithm>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>

#include "tools/evs/text.h"

namespace evs::top {
namespace {

constexpr size_t kShown = 40;  // bytes of a line in a sentence

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; }
bool continues_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

bool parse_number(std::string_view text, double& out) {
  if (text == "+Inf" || text == "Inf") return out = std::numeric_limits<double>::infinity(), true;
  if (text == "-Inf") return out = -std::numeric_limits<double>::infinity(), true;
  if (text == "NaN" || text == "Nan" || text == "nan") return out = kNone, true;
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.empty() || (begins_name(text.front()))) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

// What is left of a line.
class Rest {
 public:
  explicit Rest(std::string_view text) : text_(text) {}
  void skip_blanks() {
    while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string_view name() {
    size_t size = 0;
    while (size < text_.size() && (size == 0 ? begins_name(text_[size]) : continues_name(text_[size]))) ++size;
    return cut(size);
  }
  std::string_view word() {
    const size_t size = std::find_if(text_.begin(), text_.end(), is_blank) - text_.begin();
    return cut(size);
  }
  bool quoted(std::string& out) {
    if (!take('"')) return false;
    for (size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == '"') return text_.remove_prefix(i + 1), true;
      const bool escaped = text_[i] == '\\';
      if (escaped && ++i == text_.size()) return false;
      out += escaped && text_[i] == 'n' ? '\n' : text_[i];
    }
    return false;
  }
  bool empty() const { return text_.empty(); }

 private:
  std::string_view cut(size_t size) {
    const std::string_view taken = text_.substr(0, size);
    text_.remove_prefix(size);
    return taken;
  }
  std::string_view text_;
};

struct Sample {
  std::string name;
  Labels labels;
  double value = 0;
};

class Parser {
 public:
  explicit Parser(Families& out) : out_(out) {}

  // Empty: taken.
  std::string line(std::string_view text) {
    Rest rest(text);
    rest.skip_blanks();
    if (rest.empty()) return {};
    if (rest.take('#')) return comment(rest);
    Sample sample;
    if (std::string refusal = read(rest, sample); !refusal.empty()) return refusal;
    if (++samples_ > kMostSeries) return "there are more than " + std::to_string(kMostSeries) + " series";
    return put(std::move(sample));
  }

  void finish() {
    for (Family& family : out_)
      for (Series& series : family.series) std::stable_sort(series.buckets.begin(), series.buckets.end(), [](const Bucket& a, const Bucket& b) { return a.upper < b.upper; });
  }

 private:
  std::string comment(Rest& rest) {
    rest.skip_blanks();
    if (rest.word() != "TYPE") return {};
    rest.skip_blanks();
    const std::string name(rest.name());
    rest.skip_blanks();
    const std::string_view type = rest.word();
    rest.skip_blanks();
    if (name.empty() || type.empty() || !rest.empty()) return "this is no TYPE of a metric";
    if (known_.count(name) != 0) return "the type of " + name + " comes behind its values, or twice";
    if (known_.size() >= kMostSeries) return "there are more than " + std::to_string(kMostSeries) + " metrics";
    known_[name] = out_.size();
    // A summary is no histogram: its values are quantiles already.
    out_.push_back({name, kind_named(type).value_or(Kind::untyped), {}});
    return {};
  }

  static std::string read(Rest& rest, Sample& sample) {
    sample.name = rest.name();
    if (sample.name.empty()) return "a metric's name was expected";
    rest.skip_blanks();
    if (rest.take('{')) {
      if (std::string refusal = read_labels(rest, sample.labels); !refusal.empty()) return refusal;
      rest.skip_blanks();
    }
    if (!parse_number(rest.word(), sample.value)) return "a number was expected behind " + sample.name;
    rest.skip_blanks();
    double when = 0;
    if (!rest.empty() && !parse_number(rest.word(), when)) return "a time was expected behind the value of " + sample.name;
    rest.skip_blanks();
    return rest.empty() ? std::string() : "there is something behind the value of " + sample.name;
  }

  static std::string read_labels(Rest& rest, Labels& labels) {
    for (rest.skip_blanks(); !rest.take('}'); rest.skip_blanks()) {
      if (labels.size() == kMostLabels) return "a series has more than " + std::to_string(kMostLabels) + " labels";
      std::string name(rest.name()), value;
      rest.skip_blanks();
      if (name.empty() || !rest.take('=')) return "a label was expected";
      rest.skip_blanks();
      if (!rest.quoted(value)) return "the value of label " + name + " does not end";
      for (const auto& known : labels)
        if (known.first == name) return "label " + name + " stands twice";
      labels.emplace_back(std::move(name), std::move(value));
      rest.skip_blanks();
      if (rest.take(',')) continue;
      rest.skip_blanks();
      if (rest.take('}')) return {};
      return "a comma or } was expected behind label " + labels.back().first;
    }
    return {};
  }

  // The histogram that a sample belongs to by its name, without the ending; npos: none.
  size_t histogram_of(std::string_view name, std::string_view ending) const {
    if (!name.ends_with(ending)) return std::string::npos;
    const auto found = known_.find(std::string(name.substr(0, name.size() - ending.size())));
    return found != known_.end() && out_[found->second].kind == Kind::histogram ? found->second : std::string::npos;
  }

  std::string put(Sample sample) {
    if (const size_t at = histogram_of(sample.name, "_bucket"); at != std::string::npos) return put_bucket(at, std::move(sample));
    if (const size_t at = histogram_of(sample.name, "_sum"); at != std::string::npos) return series(at, std::move(sample.labels)).sum = sample.value, std::string();
    if (const size_t at = histogram_of(sample.name, "_count"); at != std::string::npos) return series(at, std::move(sample.labels)).count = sample.value, std::string();
    auto [known, fresh] = known_.try_emplace(sample.name, out_.size());
    if (fresh) out_.push_back({sample.name, Kind::untyped, {}});
    Family& family = out_[known->second];
    if (family.kind == Kind::histogram) return sample.name + " is a histogram and has a value of its own";
    if (!series_.try_emplace(key_of(sample.name, sample.labels), family.series.size()).second) return sample.name + " stands twice with the same labels";
    family.series.push_back({std::move(sample.labels), sample.value, {}, 0, 0});
    return {};
  }

  std::string put_bucket(size_t at, Sample sample) {
    const auto le = std::find_if(sample.labels.begin(), sample.labels.end(), [](const auto& label) { return label.first == "le"; });
    double upper = 0;
    if (le == sample.labels.end() || !parse_number(le->second, upper) || std::isnan(upper)) return "a bucket of " + out_[at].name + " has no bound (le)";
    sample.labels.erase(le);
    Series& its = series(at, std::move(sample.labels));
    if (std::isfinite(upper)) its.buckets.push_back({upper, sample.value});
    else its.count = sample.value;
    return {};
  }

  Series& series(size_t at, Labels labels) {
    Family& family = out_[at];
    const auto [found, fresh] = series_.try_emplace(key_of(family.name, labels), family.series.size());
    if (fresh) family.series.push_back({std::move(labels), 0, {}, 0, 0});
    return family.series[found->second];
  }

  Families& out_;
  std::map<std::string, size_t> known_;   // families by name
  std::map<std::string, size_t> series_;  // within their family
  size_t samples_ = 0;
};

std::string show_number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", DBL_DECIMAL_DIG, value);
  return text;
}

std::string show_labels(const Labels& labels, const std::string* le) {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view value) {
    out.append(out.empty() ? "{" : ",").append(name).append("=\"");
    for (const char c : value) {
      if (c == '\\' || c == '"') out += '\\';
      if (c == '\n') out += "\\n";
      else out += c;
    }
    out += '"';
  };
  for (const auto& [name, value] : labels) add(name, value);
  if (le != nullptr) add("le", *le);
  return out.empty() ? out : out + "}";
}

}  // namespace

bool parse_exposition(std::string_view text, Families& out, std::string& failure) {
  out.clear();
  if (text.size() > kMostTextBytes) return failure = "the text is longer than " + tools::show_bytes(kMostTextBytes), false;
  Parser parser(out);
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string refusal = line.size() > kMostLineBytes ? "it is longer than " + tools::show_bytes(kMostLineBytes) : parser.line(line);
    if (refusal.empty()) continue;
    failure = "line " + std::to_string(number) + ": " + tools::printable(refusal) + ": '" + tools::printable(line.substr(0, kShown)) + (line.size() > kShown ? "...'" : "'");
    out.clear();
    return false;
  }
  parser.finish();
  return true;
}

std::string write_exposition(const Families& families) {
  std::string out;
  for (const Family& family : families) {
    out.append("# TYPE ").append(family.name).append(" ").append(name_of(family.kind)).append("\n");
    for (const Series& series : family.series) {
      if (family.kind != Kind::histogram) {
        out += family.name + show_labels(series.labels, nullptr) + " " + show_number(series.value) + "\n";
        continue;
      }
      for (const Bucket& bucket : series.buckets) {
        const std::string le = show_number(bucket.upper);
        out += family.name + "_bucket" + show_labels(series.labels, &le) + " " + show_number(bucket.count) + "\n";
      }
      out += family.name + "_sum" + show_labels(series.labels, nullptr) + " " + show_number(series.sum) + "\n";
      out += family.name + "_count" + show_labels(series.labels, nullptr) + " " + show_number(series.count) + "\n";
    }
  }
  return out;
}

}  // namespace evs::top
