// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/soak.cc - see soak.h.
#include "tests/sim/ring/soak.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

namespace evs::sim {
namespace {

constexpr const char* kFirstLine = "evs-ring-sim soak 1";

}  // namespace

Soak::Soak(std::string directory) : file_(directory + "/state"), directory_(std::move(directory)) {}

bool Soak::load(std::string& problem) {
  std::ifstream in(file_);
  if (!in) return true;
  std::string line;
  if (!std::getline(in, line) || line != kFirstLine) {
    problem = file_ + " is no state of a soak";
    return false;
  }
  while (std::getline(in, line)) {
    const size_t space = line.find(' ');
    char* end = nullptr;
    const uint64_t n = strtoull(line.c_str(), &end, 10);
    if (space == std::string::npos || end != line.c_str() + space) {
      problem = file_ + " has a line \"" + line + "\"";
      return false;
    }
    const std::string name = line.substr(space + 1);
    if (name == "next seed") next_seed = n;
    else sum[name] = n;
  }
  return true;
}

bool Soak::save(std::string& problem) const {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  const std::string fresh = file_ + ".new";
  std::ofstream out(fresh, std::ios::trunc);
  out << kFirstLine << "\n" << next_seed << " next seed\n";
  for (const auto& [name, n] : sum) out << n << " " << name << "\n";
  out.close();
  if (out) std::filesystem::rename(fresh, file_, error);
  if (!out || error) problem = "cannot write " + file_;
  return out && !error;
}

}  // namespace evs::sim
