// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check.cc - all groups of predicates, one after another, over one index.
#include "tools/verify/check.h"

#include "tools/verify/index.h"

namespace evs::verify {

std::vector<Violation> check(const Run& run, const Options& options) {
  const Index index(run, options);
  Findings findings(run, options);
  check_configurations(index, findings);
  check_transitions(index, findings);
  check_basic(index, findings);
  check_graph(index, findings);
  check_sets(index, findings);
  check_order(index, findings);
  check_safe(index, findings);
  check_primary(index, findings);
  return findings.take();
}

std::string to_text(const Violation& violation) {
  std::string out = violation.predicate + ": " + violation.sentence + "\n";
  for (const Evidence& evidence : violation.evidence) out += "    " + evidence.where + "  " + evidence.text + "\n";
  return out;
}

}  // namespace evs::verify
