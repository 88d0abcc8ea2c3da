// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/parameters.cc - the table of keys, and the reading of values with their units.
#include "parameters.h"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>

namespace evs::loopback {
namespace {

constexpr uint64_t kKiB = 1u << 10, kMiB = 1u << 20, kGiB = 1u << 30;
constexpr uint64_t kMillisecond = 1'000'000, kSecond = 1000 * kMillisecond, kHour = 3600 * kSecond;

// The texts are what people see; the numbers beside them are what is enforced.
struct Key {
  evs_parameter_info info;
  uint64_t low, high;
  uint64_t Settings::*target;  // nullptr: checked, without effect
  bool zero_too = false;
};

constexpr Key kKeys[] = {
    {{"ring_size", "size", "4MiB", "256KiB to 1GiB, at least twice message_limit", "Bytes of frames the medium holds."},
     256 * kKiB,
     kGiB,
     &Settings::ring_size},
    {{"message_limit", "size", "1MiB", "1KiB to 256MiB", "Largest message."},
     kKiB,
     256 * kMiB,
     &Settings::message_limit},
    {{"max_processes", "integer", "128", "2 to 1024", "Members the medium takes."}, 2, 1024, &Settings::max_processes},
    {{"directory", "text", "", "empty or absolute", "Without effect: this medium has no files."}, 0, 0, nullptr},
    {{"group", "text", "", "any", "Without effect: this medium has no files."}, 0, 0, nullptr},
    {{"slow_reader_timeout", "duration", "10s", "100ms to 1h", "Without effect: a process alone expels nobody."},
     100 * kMillisecond,
     kHour,
     nullptr},
    {{"stalled_writer_timeout", "duration", "0", "0, or 100ms to 1h",
      "Without effect: there is no other process to stop."},
     100 * kMillisecond,
     kHour,
     nullptr,
     true},
    {{"attach_timeout", "duration", "5s", "100ms to 1h", "Without effect: there is no lock file."},
     100 * kMillisecond,
     kHour,
     nullptr},
    {{"spin", "duration", "20us", "0 to 1ms", "Without effect: waiters sleep at once."}, 0, kMillisecond, nullptr},
};

struct Unit {
  std::string_view type, name;
  uint64_t factor;
};
constexpr Unit kUnits[] = {
    {"size", "B", 1},
    {"size", "KiB", kKiB},
    {"size", "MiB", kMiB},
    {"size", "GiB", kGiB},
    {"duration", "ns", 1},
    {"duration", "us", 1000},
    {"duration", "ms", kMillisecond},
    {"duration", "s", kSecond},
    {"duration", "min", 60 * kSecond},
    {"duration", "h", kHour},
    {"integer", "", 1},
};

std::optional<uint64_t> parse(std::string_view type, std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  if (number == 0 && unit.empty()) return 0;  // the same in every unit
  for (const Unit& known : kUnits) {
    if (known.type != type || known.name != unit) continue;
    if (number > UINT64_MAX / known.factor) return std::nullopt;
    return number * known.factor;
  }
  return std::nullopt;
}

bool accept(const Key& key, const char* text, Settings& settings) {
  const std::string_view type = key.info.type;
  if (type == "text") return std::strcmp(key.info.key, "directory") != 0 || *text == '\0' || *text == '/';
  const std::optional<uint64_t> value = parse(type, text);
  if (!value) return false;
  if ((*value < key.low || *value > key.high) && !(key.zero_too && *value == 0)) return false;
  if (key.target != nullptr) settings.*key.target = *value;
  return true;
}

const Key* find(std::string_view name) {
  for (const Key& key : kKeys)
    if (name == key.info.key) return &key;
  return nullptr;
}

std::string known_keys() {
  std::string list;
  for (const Key& key : kKeys) list.append(list.empty() ? "" : ", ").append(key.info.key);
  return list;
}

// "evs.params/1" wants the texts alone, one behind the other.
struct Infos {
  evs_parameter_info row[std::size(kKeys)];
};
constexpr Infos kInfos = [] {
  Infos infos{};
  for (size_t i = 0; i < std::size(kKeys); ++i) infos.row[i] = kKeys[i].info;
  return infos;
}();

int32_t check(const evs_plugin_parameter* parameters, size_t count, evs_error_text* error) {
  try {
    Settings unused;
    std::string problem;
    const int32_t answer = read_parameters(parameters, count, unused, problem);
    if (answer != EVS_P_OK) std::snprintf(error->text, error->capacity, "%s", problem.c_str());
    return answer;
  } catch (...) {
    std::snprintf(error->text, error->capacity, "out of memory");
    return EVS_P_BAD_PARAMETER;
  }
}

}  // namespace

const evs_params_extension kParameters = {sizeof(evs_params_extension), std::size(kKeys), kInfos.row, check};

int32_t read_parameters(const evs_plugin_parameter* parameters, size_t count, Settings& settings,
                        std::string& problem) {
  for (size_t i = 0; i < count; ++i) {
    const Key* key = find(parameters[i].key);
    if (key == nullptr) {
      problem =
          std::string("unknown parameter \"") + parameters[i].key + "\"; the loopback transport takes " + known_keys();
      return EVS_P_BAD_PARAMETER;
    }
    if (!accept(*key, parameters[i].value, settings)) {
      problem = std::string("parameter ") + key->info.key + " = \"" + parameters[i].value +
                "\" is not valid: it is a " + key->info.type + ", " + key->info.range;
      return EVS_P_BAD_PARAMETER;
    }
  }
  if (settings.ring_size < 2 * settings.message_limit) {
    problem = "parameter ring_size (" + std::to_string(settings.ring_size) +
              " bytes) must hold two messages of message_limit (" + std::to_string(settings.message_limit) +
              " bytes): raise the one or lower the other";
    return EVS_P_BAD_PARAMETER;
  }
  return EVS_P_OK;
}

}  // namespace evs::loopback
