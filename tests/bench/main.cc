// SPDX-License-Identifier: BSD-3-Clause
// main.cc - evs-speed: every speed evs promises, against what the machine allows, in one run.
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/bench/crew.h"
#include "tests/bench/machine.h"
#include "tests/bench/member.h"
#include "tests/bench/report.h"
#include "tests/bench/roles.h"
#include "tests/bench/speeds.h"

namespace {

using namespace evs::bench;

constexpr int kUsage = 2;

struct Asked {
  bool quick = false;
  bool help = false;
  bool list = false;
  std::string json;
  std::vector<std::string> only;
  std::string error;
};

void print_usage(FILE* to) {
  fprintf(to,
          "evs-speed [--quick] [--only NAME]... [--json FILE]   measures evs against bare probes of this machine\n"
          "\n"
          "  --quick      some 20 seconds: a check that all works, with little precision\n"
          "  --only NAME  this one alone; may be repeated\n"
          "  --json FILE  the figures for programs too; - is standard output, in place of the text\n"
          "  --list       the names\n"
          "\n"
          "EVS_SPEED_LIBRARY names another libevs.so.4, EVS_PLUGIN_PATH another directory of plugins.\n"
          "Exit status: 0 measured (within the targets or not), 1 something malfunctioned, 2 usage.\n");
}

Asked read_arguments(int argc, char** argv) {
  Asked out;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--quick") {
      out.quick = true;
    } else if (argument == "--help" || argument == "-h") {
      out.help = true;
    } else if (argument == "--list") {
      out.list = true;
    } else if (argument == "--json" && has_value) {
      out.json = argv[++i];
    } else if (argument == "--only" && has_value) {
      out.only.push_back(argv[++i]);
    } else {
      out.error = "unknown or incomplete argument '" + argument + "'";
      return out;
    }
  }
  for (const std::string& name : out.only) {
    const bool known =
        std::any_of(std::begin(kSpeeds), std::end(kSpeeds), [&](const Speed& s) { return name == s.name; });
    if (!known) out.error = "no speed is named '" + name + "'; see --list";
  }
  return out;
}

void measure_all(Report& report, const Asked& asked, bool text) {
  const BusPlace place;
  describe_machine(report);
  if (text) print_machine(report);
  for (const Speed& speed : kSpeeds) {
    if (!asked.only.empty() && std::find(asked.only.begin(), asked.only.end(), speed.name) == asked.only.end())
      continue;
    fprintf(stderr, "%s: %s ...\n", speed.name, speed.what);
    try {
      for (Outcome& outcome : speed.measure(report.plan)) {
        if (text) print_outcome(outcome);
        report.outcomes.push_back(std::move(outcome));
      }
    } catch (const std::exception& error) {
      fprintf(stderr, "%s: MALFUNCTION: %s\n", speed.name, error.what());
      report.failures.push_back({speed.name, error.what()});
    }
  }
}

bool write_json(const Report& report, const std::string& path) {
  FILE* file = path == "-" ? stdout : fopen(path.c_str(), "w");
  if (file == nullptr) {
    fprintf(stderr, "evs-speed: cannot write %s: %s\n", path.c_str(), strerror(errno));
    return false;
  }
  const std::string json = to_json(report);
  const bool written = fwrite(json.data(), 1, json.size(), file) == json.size();
  return (path == "-" ? fflush(file) : fclose(file)) == 0 && written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "--role") == 0) return run_role(std::vector<std::string>(argv + 2, argv + argc));
  const Asked asked = read_arguments(argc, argv);
  if (!asked.error.empty()) {
    fprintf(stderr, "evs-speed: %s\n", asked.error.c_str());
    print_usage(stderr);
    return kUsage;
  }
  if (asked.help) {
    print_usage(stdout);
    return 0;
  }
  if (asked.list) {
    for (const Speed& speed : kSpeeds) printf("%-14s %s\n", speed.name, speed.what);
    return 0;
  }
  Report report;
  report.quick = asked.quick;
  report.plan = asked.quick ? kQuickPlan : kFullPlan;
  const bool text = asked.json != "-";
  try {
    measure_all(report, asked, text);
  } catch (const std::exception& error) {
    fprintf(stderr, "evs-speed: %s\n", error.what());
    return 1;
  }
  if (text) {
    print_references();
    print_summary(report);
  }
  if (!asked.json.empty() && !write_json(report, asked.json)) return 1;
  return report.failures.empty() ? 0 : 1;
}
