// SPDX-License-Identifier: BSD-3-Clause
// machine.cc - processor, caches, kernel, load, and how far apart the two processors are at the moment.
#include "tests/bench/machine.h"

#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

#include "tests/bench/crew.h"
#include "tests/bench/probes.h"

namespace evs::bench {

namespace {

// Between the two states that virtual processors are seen in: 80 to 140 ns, and over 400.
constexpr double kFarAboveNs = 200;

std::string processor_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (colon != std::string::npos && line.rfind("model name", 0) == 0) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string caches() {
  std::string out;
  for (int index = 0; index < 5; ++index) {
    const std::string base = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::ifstream level_file(base + "level"), type_file(base + "type"), size_file(base + "size");
    std::string level, type, size;
    if (!(level_file >> level) || !(type_file >> type) || !(size_file >> size) || type == "Instruction") continue;
    out += (out.empty() ? "L" : ", L") + level + " " + size;
  }
  return out.empty() ? "unknown" : out;
}

std::string load_average() {
  double loads[3] = {};
  if (getloadavg(loads, 3) < 1) return "unknown";
  char text[32];
  snprintf(text, sizeof text, "%.2f", loads[0]);
  return text;
}

}  // namespace

void describe_machine(Report& report) {
  utsname system{};
  uname(&system);
  const Cores where = cores();
  report.machine = {
      {"processor", processor_model()},
      {"processors", std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " online; using " + std::to_string(where.first) +
                         " and " + std::to_string(where.second)},
      {"caches", caches()},
      {"kernel", std::string(system.sysname) + " " + system.release},
      {"load", load_average()},
  };
  const Percentiles line = probe_line(report.plan.milliseconds);
  report.machine.emplace_back("distance", line.p50 > kFarAboveNs ? "far" : "near");
  report.machine_figures = {{"line p50", line.p50, "ns"}, {"line p99", line.p99, "ns"}};
  if (where.one_only()) report.machine.emplace_back("warning", "one processor only: ratios say little");
}

}  // namespace evs::bench
