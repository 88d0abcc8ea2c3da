// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config.h - what this process was told about its bus, by whom.
//
// Layers of paint: each covers what lies below it and nothing else. From the bottom:
//
//     defaults < /etc/evs/evs.toml < /etc/evs/conf.d/*.toml < ~/.config/evs/evs.toml < $EVS_CONFIG      (files)
//              < EVS_<SECTION>_<KEY> in the environment < parameters of evs_initialize_ex
//
// A file named to evs_initialize_ex stands in for all of the files. Every value remembers where it came from, because
// the first question about a wrong value is "who said that?". A program with privileges its user has not (setuid, file
// capabilities) sees no environment at all.
//
// Loading is strict: an unknown key or bad value in any layer, also one that a later layer covers, is a failure with
// its place and the way out. A misspelt key that is ignored costs an afternoon; one that is refused, a minute.
//
// A Config is a value: loaded once, then read by any thread. Nothing here throws; out of memory is a Failure too.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bus/runtime/config_keys.h"
#include "bus/runtime/config_result.h"
#include "bus/runtime/config_values.h"

namespace evs::runtime {

using ConfigPairs = std::vector<std::pair<std::string, std::string>>;

// One "key = value" of one layer, not yet judged.
struct Assignment {
  std::string key;  // local.ring_size, or plugin.NAME.KEY
  Written written;
  std::string origin;  // "/etc/evs/evs.toml:12", "environment EVS_LOG_LEVEL", "parameter"
};

// TOML to assignments, in the order of their keys: syntax and shape, no meaning. `file` is for the messages. Takes any
// bytes (the fuzz target feeds it).
Result<std::vector<Assignment>> parse_config_text(std::string_view text, std::string_view file) noexcept;

struct Setting {
  std::string key;
  std::string value;
  std::string origin;  // as in Assignment, or "default"
};

class Config;

struct LoadRequest {
  std::string file;        // of evs_initialize_ex; empty: the usual files
  ConfigPairs parameters;  // of evs_initialize_ex
  std::string system_directory = "/etc/evs";
  std::optional<ConfigPairs> environment;  // nullopt: this process's
};

class Config {
 public:
  static Result<Config> load(const LoadRequest& request) noexcept;

  // The defaults, then one text in a file's place: no other layer.
  static Result<Config> from_text(std::string_view text, std::string_view file) noexcept;

  // A key that does not exist, or has another type, does not compile.
  const std::string& text(KeyName<KeyType::text> key) const noexcept { return values_[key.index()].value.text; }
  uint64_t bytes(KeyName<KeyType::bytes> key) const noexcept { return values_[key.index()].value.number; }
  uint64_t nanoseconds(KeyName<KeyType::duration> key) const noexcept { return values_[key.index()].value.number; }
  uint64_t integer(KeyName<KeyType::integer> key) const noexcept { return values_[key.index()].value.number; }

  // Where the value of any key of the table came from; empty for a key that is not in it.
  std::string_view origin(std::string_view key) const noexcept;

  // All keys of the table in its order, then what was set for plugins.
  std::vector<Setting> settings() const;

  // What [plugin.NAME] and its like in the other layers say, keys without their prefix.
  ConfigPairs plugin_parameters(std::string_view name) const;

 private:
  struct Held {
    Value value;
    std::string origin;
  };
  struct Parameter {
    std::string value;
    std::string origin;
  };

  static Result<Config> defaults();
  static Result<Config> load_or_throw(const LoadRequest& request);

  // The refusal, or empty.
  std::string apply(const Assignment& assignment);
  std::string apply_plugin_parameter(const Assignment& assignment);
  std::string apply_all(const Result<std::vector<Assignment>>& layer);

  std::vector<Held> values_;                              // parallel to kKeys
  std::map<std::string, Parameter, std::less<>> plugin_;  // whole key to value
};

}  // namespace evs::runtime
