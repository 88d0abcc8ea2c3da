// SPDX-License-Identifier: BSD-3-Clause
// report.h - what was measured, and its verdict against targets.h: as text for people, as JSON for programs.
//
// "outside" is a statement, never a failure: the machine may be why. Only a malfunction - messages lost, an error code,
// a process that died - makes the command fail.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/plan.h"
#include "tests/bench/targets.h"

namespace evs::bench {

// A figure to read the verdict by: what stood behind the ratio.
struct Figure {
  std::string name;
  double value;
  std::string unit;
};

struct Outcome {
  TargetId id;
  std::vector<double> values;  // one an alternation; the median is the value
  std::vector<Figure> figures;
  int unsteady = 0;     // alternations left out because the probe changed during them
  std::string skipped;  // why there is no value
};

struct Failure {
  std::string speed;
  std::string reason;
};

struct Report {
  Plan plan{};
  bool quick = false;
  std::vector<Figure> machine_figures;
  std::vector<std::pair<std::string, std::string>> machine;
  std::vector<Outcome> outcomes;
  std::vector<Failure> failures;
};

void print_machine(const Report& report);
void print_outcome(const Outcome& outcome);
void print_references();
void print_summary(const Report& report);

std::string to_json(const Report& report);

}  // namespace evs::bench
