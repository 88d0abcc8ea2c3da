// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/config_world.h - a little world of its own for each test: a directory in /etc's place, a home, an
// environment, handed to Config::load as arguments.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "bus/runtime/config.h"

namespace evs::runtime {

namespace fs = std::filesystem;

class World : public ::testing::Test {
 protected:
  World() {
    char name[] = "/tmp/evs-config-XXXXXX";
    root = ::mkdtemp(name);
    request.system_directory = root + "/etc/evs";
    request.environment = ConfigPairs{{"HOME", root + "/home"}};
  }
  ~World() override { fs::remove_all(root); }

  std::string file(const std::string& path, const std::string& text) {
    const std::string whole = root + "/" + path;
    fs::create_directories(fs::path(whole).parent_path());
    std::ofstream(whole) << text;
    return whole;
  }
  void variable(const std::string& name, const std::string& value) { request.environment->emplace_back(name, value); }

  Config load() {
    Result<Config> config = Config::load(request);
    EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error());
    if (config.ok()) return std::move(*config);
    return std::move(*Config::from_text("", "nothing"));
  }
  std::string refusal() {
    const Result<Config> config = Config::load(request);
    EXPECT_FALSE(config.ok()) << "was accepted";
    return config.ok() ? "" : config.error();
  }

  std::string root;
  LoadRequest request;
};

inline std::string refusal_of(const std::string& text) {
  const Result<Config> config = Config::from_text(text, "evs.toml");
  EXPECT_FALSE(config.ok()) << text;
  return config.ok() ? "" : config.error();
}

}  // namespace evs::runtime
