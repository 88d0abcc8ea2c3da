// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/trace_read.cc - the reader of docs/trace-format.md.
//
// A line is split into its kind and its fields once; each kind then takes the fields that it needs, and the first thing
// that is wrong is the refusal. Names go into the run's Names even if the file is refused later: a name nobody uses is
// harmless.
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "tools/verify/trace_text.h"

namespace evs::verify {

namespace {

// What a file holds may steer a terminal when it is quoted as it is.
std::string quoted(std::string_view text) {
  constexpr size_t kShown = 40;
  std::string out = "'";
  for (const char c : text.substr(0, kShown)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out + (text.size() > kShown ? "...'" : "'");
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '='; });
}

template <typename Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class Line {
 public:
  // False: reason() says why.
  bool split(std::string_view text) {
    fields_.clear();
    kind_ = {};
    while (!text.empty()) {
      const size_t space = std::min(text.find(' '), text.size());
      const std::string_view word = text.substr(0, space);
      text.remove_prefix(std::min(space + 1, text.size()));
      if (word.empty()) continue;
      if (kind_.empty()) {
        kind_ = word;
        continue;
      }
      const size_t equals = word.find('=');
      if (equals == std::string_view::npos || equals == 0) return refuse(quoted(word) + " is not key=value");
      const std::string_view key = word.substr(0, equals);
      if (find(key)) return refuse("the key " + quoted(key) + " stands twice");
      if (fields_.size() == kFieldsMax) return refuse("too many fields");
      fields_.emplace_back(key, word.substr(equals + 1));
    }
    return true;
  }

  std::string_view kind() const { return kind_; }
  const std::string& reason() const { return reason_; }

  bool name(const char* key, Names& names, Token& out) {
    const auto value = need(key);
    if (!value) return false;
    if (!is_name(*value))
      return refuse(std::string(key) + "=" + quoted(*value) + " is no name: 1 to 64 visible characters");
    out = names.of(*value);
    return true;
  }

  bool whole(const char* key, uint64_t& out, int base = 10) {
    const auto value = need(key);
    return value && take_number(key, *value, out, base);
  }

  // For a key that may be missing: `out` keeps what it is.
  bool whole_if_there(const char* key, uint64_t& out, int base = 10) {
    const auto value = find(key);
    return !value || take_number(key, *value, out, base);
  }

  bool process(const char* key, Process& out) {
    const auto value = need(key);
    if (!value) return false;
    const size_t dot = std::min(value->find('.'), value->size());
    const auto nodeid = number<uint32_t>(value->substr(0, dot));
    const bool bare = dot == value->size();
    const auto incarnation = bare ? std::optional<uint64_t>(0) : number<uint64_t>(value->substr(dot + 1));
    if (!nodeid || *nodeid == 0 || !incarnation || (!bare && *incarnation == 0))
      return refuse(std::string(key) + "=" + quoted(*value) +
                    " is no process: nodeid, dot, incarnation, both from 1 on");
    out = {*nodeid, *incarnation};
    return true;
  }

  // Which of the choices it is.
  bool choice(const char* key, std::initializer_list<const char*> choices, size_t& out) {
    const auto value = need(key);
    if (!value) return false;
    std::string valid;
    out = 0;
    for (const char* candidate : choices) {
      if (*value == candidate) return true;
      valid += (out++ == 0 ? "" : ", ") + std::string(candidate);
    }
    return refuse(std::string(key) + "=" + quoted(*value) + " is none of " + valid);
  }

  bool nodeids(const char* key, bool needed, std::vector<uint32_t>& out) {
    const auto value = needed ? need(key) : find(key);
    if (!value) return !needed;
    for (std::string_view rest = *value; !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const auto nodeid = number<uint32_t>(rest.substr(0, comma));
      if (!nodeid || *nodeid == 0)
        return refuse(std::string(key) + ": " + quoted(rest.substr(0, comma)) + " is no nodeid");
      if (out.size() == kMembersMax) return refuse(std::string(key) + ": more than " + std::to_string(kMembersMax));
      out.push_back(*nodeid);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    std::vector<uint32_t> sorted = out;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) return refuse(std::string(key) + ": " + std::to_string(*twice) + " stands twice");
    return true;
  }

  bool time(int64_t& out) {
    uint64_t at = 0;
    const auto value = find("at");
    if (!value) return true;
    if (!take_number("at", *value, at, 10)) return false;
    if (at > INT64_MAX) return refuse("at=" + quoted(*value) + " is too large");
    out = static_cast<int64_t>(at);
    return true;
  }

  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

 private:
  static constexpr size_t kFieldsMax = 32;

  std::optional<std::string_view> find(std::string_view key) const {
    for (const auto& [known, value] : fields_)
      if (known == key) return value;
    return std::nullopt;
  }

  std::optional<std::string_view> need(const char* key) {
    const auto value = find(key);
    if (!value) refuse(std::string(kind_) + " without " + key + "=");
    return value;
  }

  bool take_number(const char* key, std::string_view text, uint64_t& out, int base) {
    const auto value = number<uint64_t>(text, base);
    if (!value) return refuse(std::string(key) + "=" + quoted(text) + " is no number");
    out = *value;
    return true;
  }

  std::string_view kind_;
  std::vector<std::pair<std::string_view, std::string_view>> fields_;
  std::string reason_;
};

bool read_conf(Line& line, Names& names, Configuration& c) {
  size_t type = 0;
  if (!line.name("id", names, c.id) || !line.choice("type", {"reg", "trans"}, type)) return false;
  c.transitional = type == 1;
  c.regular = c.id;
  if (c.transitional && !line.name("reg", names, c.regular)) return false;
  return line.whole("ring_seq", c.ring_seq) && line.nodeids("members", true, c.members) &&
         line.nodeids("joined", false, c.joined) && line.nodeids("left", false, c.left);
}

bool read_stamp(Line& line, Names& names, Event& event) {
  size_t service = 0;
  if (!line.name("ring", names, event.ring) || !line.whole("seq", event.seq) ||
      !line.choice("service", {"unordered", "fifo", "agreed", "safe"}, service) ||
      !line.whole_if_there("hash", event.hash, 16))
    return false;
  event.service = static_cast<Service>(service);
  return true;
}

bool read_boot(Line& line, Trace& trace) {
  size_t level = 0;
  if (line.kind() != "boot") return line.refuse("the first event is boot, not " + quoted(line.kind()));
  if (!line.process("process", trace.process) || !line.choice("level", {"host", "process"}, level)) return false;
  if (trace.process.incarnation == 0) return line.refuse("boot names the incarnation too: process=NODEID.INCARNATION");
  trace.level = static_cast<Level>(level);
  return true;
}

bool read_event(Line& line, uint32_t line_number, Names& names, Trace& trace) {
  Event event;
  event.line = line_number;
  const std::string_view kind = line.kind();
  Configuration configuration;
  bool taken = false;
  if (kind == "conf") {
    event.kind = Kind::conf;
    taken = read_conf(line, names, configuration);
    event.conf = configuration.id;
    event.configuration = static_cast<uint32_t>(trace.configurations.size());
  } else if (kind == "submit") {
    event.kind = Kind::submit;
    taken = line.whole("u", event.submission);
  } else if (kind == "send") {
    event.kind = Kind::send;
    taken = read_stamp(line, names, event) && line.whole_if_there("u", event.submission);
  } else if (kind == "deliver") {
    event.kind = Kind::deliver;
    taken =
        line.name("conf", names, event.conf) && read_stamp(line, names, event) && line.process("sender", event.sender);
  } else if (kind == "prim") {
    event.kind = Kind::prim;
    taken = line.name("conf", names, event.conf) && line.whole_if_there("epoch", event.seq) && line.whole_if_there("of", event.submission);
  } else if (kind == "fail" || kind == "end") {
    event.kind = kind == "fail" ? Kind::fail : Kind::end;
    taken = true;
  } else {
    line.refuse(quoted(kind) + " is none of boot, conf, submit, send, deliver, prim, fail, end");
  }
  if (!taken || !line.time(event.at)) return false;
  if (event.kind == Kind::conf) trace.configurations.push_back(std::move(configuration));
  trace.events.push_back(event);
  return true;
}

}  // namespace

bool read_trace(std::string_view text, std::string_view name, Run& run, std::string& reason) {
  Trace trace;
  trace.name = name;
  uint32_t line_number = 0;
  bool booted = false;
  const auto refuse = [&](const std::string& why) {
    reason = trace.name + ":" + std::to_string(std::max(line_number, 1u)) + ": " + why;
    return false;
  };
  Line line;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    if (newline == std::string_view::npos) break;  // its writer was killed within it: it was never written
    std::string_view content = text.substr(0, newline);
    text.remove_prefix(newline + 1);
    ++line_number;
    if (content.size() > kLineBytesMax)
      return refuse("a line of more than " + std::to_string(kLineBytesMax) + " bytes");
    if (!content.empty() && content.back() == '\r') content.remove_suffix(1);
    if (line_number == 1) {
      if (content != kTraceHead) return refuse("no trace: its first line is not '" + std::string(kTraceHead) + "'");
      continue;
    }
    if (content.empty() || content.front() == '#') continue;
    if (trace.events.size() == kEventsMax) return refuse("more than " + std::to_string(kEventsMax) + " events");
    if (!line.split(content)) return refuse(line.reason());
    if (line.kind().empty()) continue;
    if (!(booted ? read_event(line, line_number, run.names, trace) : read_boot(line, trace)))
      return refuse(line.reason());
    booted = true;
  }
  if (line_number == 0) return refuse("no trace: its first line is not '" + std::string(kTraceHead) + "'");
  if (!booted) return refuse("no boot: whose trace it is nobody knows");
  run.traces.push_back(std::move(trace));
  return true;
}

}  // namespace evs::verify
