// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/parameters.cc - one table of keys; parsing and `evs plugins --params` both read it.
#include "plugins/shm/parameters.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace evs::plugin_shm {

namespace {

using shm::Code;
using shm::Status;

constexpr evs_parameter_info kTable[] = {
    {"directory", "text", "", "an absolute path, or empty for /dev/shm/evs-<uid>", "Where the bus's files stand."},
    {"group", "text", "", "a Unix group, or empty", "Members of this group share the bus; empty: its owner alone."},
    {"metrics_group", "text", "", "a Unix group, or empty", "May read the counters, never messages."},
    {"metrics_histograms", "text", "on", "on or off", "Measures durations and counts them by length."},
    {"metrics_sample", "integer", "10", "0 to 30", "One in so many messages is measured, as a power of two."},
    {"ring_size", "size", "4MiB", "a power of two from 512KiB to 1GiB", "Bytes of the order ring."},
    {"message_limit", "size", "1MiB", "1KiB to 256MiB", "Largest message."},
    {"max_processes", "integer", "128", "2 to 1024", "Processes that can have the bus open at once."},
    {"slow_reader_timeout", "duration", "10s", "100ms to 1h", "Who holds a full ring this long without reading is expelled."},
    {"stalled_writer_timeout", "duration", "0", "0 or 100ms to 1h", "0: wait for a writer stopped in a claim; else kill it."},
    {"attach_timeout", "duration", "5s", "10ms to 1h", "How long joining the bus may take."},
    {"spin", "duration", "20us", "0 to 1ms", "Most that a blocking dispatch spins before it sleeps."},
};

struct Unit {
  const char* name;
  uint64_t factor;
};
constexpr Unit kSizes[] = {{"B", 1}, {"KiB", 1024}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
constexpr Unit kDurations[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"min", 60000000000}, {"h", 3600000000000}};

template <size_t N>
bool parse(const std::string& text, const Unit (&units)[N], uint64_t& out) {
  char* end = nullptr;
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  const unsigned long long n = strtoull(text.c_str(), &end, 10);
  if (*end == 0) {
    out = n;
    return n == 0;
  }
  while (*end == ' ') ++end;
  for (const Unit& u : units)
    if (strcmp(end, u.name) == 0) return !__builtin_mul_overflow(n, u.factor, &out);
  return false;
}

bool parse_integer(const std::string& text, uint64_t& out) {
  char* end = nullptr;
  out = strtoull(text.c_str(), &end, 10);
  return !text.empty() && *end == 0;
}

bool in_range(uint64_t n, uint64_t low, uint64_t high) { return n >= low && n <= high; }

const evs_parameter_info* find(const char* key) {
  for (const evs_parameter_info& info : kTable)
    if (strcmp(info.key, key) == 0) return &info;
  return nullptr;
}

Status bad(const evs_parameter_info& info, const std::string& value) {
  return Status::fail(Code::bad_parameter, std::string("parameter ") + info.key + " = \"" + value + "\": valid is " + info.range +
                                               (strcmp(info.type, "text") == 0 ? "" : std::string(" (a ") + info.type + ")"));
}

int32_t check_parameters(const evs_plugin_parameter* parameters, size_t count, evs_error_text* error) {
  try {
    Parameters unused;
    const Status status = read_parameters(parameters, count, unused);
    if (status.ok()) return EVS_P_OK;
    snprintf(error->text, error->capacity, "%s", status.text.c_str());
  } catch (...) {
    snprintf(error->text, error->capacity, "out of memory");
  }
  return EVS_P_BAD_PARAMETER;
}

}  // namespace

const evs_params_extension* parameter_table() {
  static constexpr evs_params_extension kExtension = {sizeof(evs_params_extension), std::size(kTable), kTable, check_parameters};
  return &kExtension;
}

shm::Status read_parameters(const evs_plugin_parameter* parameters, size_t count, Parameters& p) {
  for (size_t i = 0; i < count; ++i) {
    const std::string key = parameters[i].key, value = parameters[i].value ? parameters[i].value : "";
    const evs_parameter_info* info = find(key.c_str());
    if (info == nullptr) {
      std::string known;
      for (const evs_parameter_info& k : kTable) known += (known.empty() ? "" : ", ") + std::string(k.key);
      return Status::fail(Code::bad_parameter, "unknown parameter \"" + key + "\"; the shm transport takes " + known);
    }
    uint64_t n = 0;
    bool good = true;
    if (key == "directory") good = (p.directory = value).empty() || value[0] == '/';
    else if (key == "group") p.group = value;
    else if (key == "metrics_group") p.metrics_group = value;
    else if (key == "metrics_histograms") good = value == "on" || value == "off", p.histograms = value == "on";
    else if (key == "metrics_sample") good = parse_integer(value, n) && in_range(n, 0, 30), p.sample = static_cast<uint32_t>(n);
    else if (key == "ring_size") good = parse(value, kSizes, n) && (p.shape.ring_capacity = n, true);
    else if (key == "message_limit") good = parse(value, kSizes, n) && in_range(n, 1024, 256u << 20) && (p.shape.message_limit = n, true);
    else if (key == "max_processes") good = parse_integer(value, n) && in_range(n, 2, shm::kMaxMembers), p.shape.max_members = static_cast<uint32_t>(n);
    else if (key == "slow_reader_timeout") good = parse(value, kDurations, p.slow_reader_timeout_ns) && in_range(p.slow_reader_timeout_ns, 100'000'000, 3'600'000'000'000);
    else if (key == "stalled_writer_timeout") good = parse(value, kDurations, p.stalled_writer_timeout_ns) && (p.stalled_writer_timeout_ns == 0 || in_range(p.stalled_writer_timeout_ns, 100'000'000, 3'600'000'000'000));
    else if (key == "attach_timeout") good = parse(value, kDurations, p.attach_timeout_ns) && in_range(p.attach_timeout_ns, 10'000'000, 3'600'000'000'000);
    else if (key == "spin") good = parse(value, kDurations, p.spin_ns) && p.spin_ns <= 1'000'000;
    if (!good) return bad(*info, value);
  }
  // A file has one group: those who share the bus write their counters, so it must be theirs.
  if (!p.group.empty() && !p.metrics_group.empty() && p.group != p.metrics_group)
    return Status::fail(Code::bad_parameter, "metrics_group = \"" + p.metrics_group + "\" cannot be combined with group = \"" + p.group +
                                                 "\": on a shared bus the sharing group reads the counters; put the monitor's user into it");
  return shm::check_shape(p.shape);
}

}  // namespace evs::plugin_shm
