// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/compare.cc - evs-cpg-compare: evs between hosts beside Debian's Corosync CPG, in one run (docs/performance.md, "Between hosts").
//
//   evs-cpg-compare [--quick] [--rate|--latency] [--plain|--sealed] [--senders=N] [--bytes=N] [--ms=N] [--alternations=N] [--json=FILE] [--complaints=FILE] [key=value ...]
//
// As root: three hosts are network namespaces. Corosync is what tests/bench/cpg/fetch brought; without it evs is measured alone, and the exit status is 77.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "tests/bench/cpg/report.h"
#include "tests/bench/cpg/rows.h"

namespace {

using namespace evs::bench;

struct Wishes {
  Plan plan;
  bool rate = true, latency = true, plain = true, sealed = true, quick = false;
  size_t senders = 0, bytes = 0;  // 0: all
  std::string json, complaints = "/dev/null";
  std::vector<std::string> evs_parameters;
};

bool takes(const char* argument, const char* name, std::string& value) {
  const size_t length = strlen(name);
  if (strncmp(argument, name, length) != 0) return false;
  value = argument + length;
  return true;
}

bool understand(int argc, char** argv, Wishes& wishes) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    std::string value;
    if (argument == "--quick") wishes.quick = true;
    else if (argument == "--rate") wishes.latency = false;
    else if (argument == "--latency") wishes.rate = false;
    else if (argument == "--plain") wishes.sealed = false;
    else if (argument == "--sealed") wishes.plain = false;
    else if (takes(argv[i], "--senders=", value)) wishes.senders = strtoul(value.c_str(), nullptr, 10);
    else if (takes(argv[i], "--bytes=", value)) wishes.bytes = strtoul(value.c_str(), nullptr, 10);
    else if (takes(argv[i], "--ms=", value)) wishes.plan.ms = atoi(value.c_str());
    else if (takes(argv[i], "--alternations=", value)) wishes.plan.alternations = strtoul(value.c_str(), nullptr, 10);
    else if (takes(argv[i], "--json=", wishes.json) || takes(argv[i], "--complaints=", wishes.complaints)) continue;
    else if (argument[0] != '-' && argument.find('=') != std::string::npos) wishes.evs_parameters.push_back(argument);
    else return false;
  }
  if (wishes.quick) wishes.plan.ms = 200;
  return wishes.plan.ms > 0 && wishes.plan.alternations > 0;
}

void run(Sides& sides, const Wishes& wishes, Report& report) {
  const auto wanted = [](size_t wish, size_t value) { return wish == 0 || wish == value; };
  for (const bool sealed : {false, true}) {
    if (sealed ? !wishes.sealed : !wishes.plain) continue;
    if (wishes.rate) {
      report.begin_rates(sealed);
      for (const size_t senders : {size_t{1}, size_t{3}})
        for (const size_t bytes : {64, 700, 1400, 10'000, 100'000})
          if (wanted(wishes.senders, senders) && wanted(wishes.bytes, bytes) && (!wishes.quick || (bytes == 1400 && (senders == 1) == sealed)))
            report.add(measure_rate(sides, {bytes, senders, sealed}, wishes.plan));
    }
    if (wishes.latency && (!wishes.quick || sealed)) report.add(measure_latency(sides, sealed, wishes.plan), sealed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Wishes wishes;
  if (!understand(argc, argv, wishes)) {
    fprintf(stderr, "evs-cpg-compare: the head of tests/bench/cpg/compare.cc says what it takes\n");
    return 2;
  }
  if (const std::string why = evs::test::Wire::refused(); !why.empty()) {
    printf("no network namespaces here: %s\n", why.c_str());
    return 77;
  }
  try {
    Sides sides(EVS_COROSYNC, wishes.complaints, wishes.evs_parameters);
    wishes.plan.corosync = sides.has_corosync();
    Report report(wishes.plan, sides.corosync_version(), wishes.evs_parameters);
    run(sides, wishes, report);
    if (!wishes.json.empty() && !report.write_json(wishes.json)) throw std::runtime_error("cannot write " + wishes.json);
  } catch (const std::exception& problem) {
    fprintf(stderr, "evs-cpg-compare: %s (what the programs say: --complaints=FILE)\n", problem.what());
    return 1;
  }
  return wishes.plan.corosync ? 0 : 77;
}
