// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/options.h - what a command line asked for, in plain structs: cli.h fills them, the commands read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace evs::tools {

// Which bus, and with what configuration. Empty members leave it to the configuration.
struct BusChoice {
  std::string bus;
  std::string config_file;
  std::vector<std::string> settings;  // KEY=VALUE, checked for their "="
};

struct CatOptions {
  BusChoice bus;
  std::vector<std::string> groups;  // empty: kDefaultGroup
  std::string guarantee = "agreed";
  std::string name;
  bool json = false;
  bool listen = false;
  bool send_only = false;
  bool verbose = false;
  uint64_t count = 0;  // 0: no end
  std::optional<uint64_t> until_idle_ns;
  std::optional<uint64_t> linger_ns;
};

inline constexpr const char* kDefaultGroup = "cat";

struct StatusOptions {
  BusChoice bus;
  bool json = false;
  bool handles = false;
  bool counters = false;
};

struct GatewayOptions {
  BusChoice bus;
  bool verbose = false;
};

inline constexpr const char* kExporterAddress = "127.0.0.1:10387";

struct ExporterOptions {
  BusChoice bus;                         // of it, the configuration alone
  std::vector<std::string> directories;  // empty: the usual ones
  std::vector<std::string> buses;        // to ask for where a directory cannot be listed
  std::string listen;                    // empty: kExporterAddress, unless there is a textfile
  std::string textfile;
  uint64_t interval_ns = 15'000'000'000;
  bool once = false;
};

struct PluginsOptions {
  BusChoice bus;
  std::vector<std::string> names;  // empty: all
  bool json = false;
  bool parameters = false;
};

struct BenchOptions {
  BusChoice bus;  // bus empty: a bus of its own, in a directory of its own
  std::string what = "all";
  std::string guarantee = "agreed";
  std::string wait = "busy";
  std::vector<uint64_t> sizes;  // empty: the usual ones
  uint32_t senders = 1;
  uint32_t receivers = 1;
  double seconds = 2;
  bool pin = false;
  bool json = false;
  bool progress = false;
};

struct ConfigOptions {
  BusChoice bus;
  std::vector<std::string> keys;  // empty: all
  bool json = false;
  bool check = false;
};

struct VerifyOptions {
  std::vector<std::string> files;  // or directories
  bool json = false;
  bool quiescent = false;
  bool partial = false;
  uint64_t limit = 20;
};

struct KeygenOptions {
  std::string file;
  bool list = false;  // at most one of these five
  bool add = false;
  bool rotate = false;
  bool retire = false;
  bool force = false;
};

struct Options {
  CatOptions cat;
  StatusOptions status;
  GatewayOptions gateway;
  ExporterOptions exporter;
  PluginsOptions plugins;
  BenchOptions bench;
  ConfigOptions config;
  VerifyOptions verify;
  KeygenOptions keygen;
  bool version = false;
  std::string completion;  // bash, zsh or fish
};

}  // namespace evs::tools
