// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/trace_fuzz.cc - any bytes in a trace's place.
//
// Whatever a file holds, it is taken, or refused in one line of bounded length that names the file. What is taken is
// written as text that reads as the same, and can be judged: several traces in one input, parted by a byte of zero, so
// that the judge has something to compare.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tools/verify/check.h"
#include "tools/verify/trace_text.h"

namespace {

namespace verify = evs::verify;

// Not assert(): a fuzzer is built with NDEBUG too.
void must(bool condition) {
  if (!condition) std::abort();
}

void check_refusal(const std::string& reason) {
  must(!reason.empty() && reason.size() < 1000);
  for (const char c : reason) must(c >= 0x20 && c < 0x7f);
  must(reason.compare(0, 5, "fuzz:") == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  verify::Run run;
  std::vector<std::vector<uint32_t>> connected(1);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\0'), rest.size());
    std::string reason;
    const size_t before = run.traces.size();
    if (!verify::read_trace(rest.substr(0, end), "fuzz", run, reason)) {
      check_refusal(reason);
      must(run.traces.size() == before);
    } else {
      must(run.traces.size() == before + 1);
      connected[0].push_back(run.traces.back().process.nodeid);
      const std::string text = verify::trace_text(run, run.traces.back());
      verify::Run copy;
      must(verify::read_trace(text, "fuzz", copy, reason));
      must(verify::trace_text(copy, copy.traces.back()) == text);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const bool quiescent : {false, true}) {
    const verify::Options options{.quiescent = quiescent, .partial = size % 2 == 1, .limit = 5};
    const auto violations = verify::check(run, options);
    must(violations.size() <= 5);
    for (const auto& violation : violations) must(!violation.sentence.empty() && !verify::to_text(violation).empty());
    must(verify::check_liveness(run, connected, options).size() <= 5);
  }
  return 0;
}
