// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/load_crew.h - programs of load_driver.h on the hosts of a wire, started one by one, measured together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/driven.h"
#include "tests/support/netns.h"

namespace evs::test {

class LoadCrew {
 public:
  struct Latency {
    double p50_us = 0, p99_us = 0;
    size_t count = 0;
  };

  // What they complain of goes to `errors`, -1: where ours goes.
  explicit LoadCrew(const Wire& wire, int errors = -1) : wire_(wire), errors_(errors) {}
  ~LoadCrew();  // tells them to end, and waits
  LoadCrew(const LoadCrew&) = delete;
  LoadCrew& operator=(const LoadCrew&) = delete;

  void start(size_t host, const std::vector<std::string>& command);
  // Until each of them sees all of them. Throws when they do not within the patience.
  void until_one(int patience_ms = 30'000);
  // All of them at once, and what each answered.
  std::vector<std::string> go(int ms);
  std::string ask(size_t member, const std::string& line, int patience_ms);
  std::string pace(size_t member, int ms, int gap_us) { return ask(member, "pace " + std::to_string(ms) + " " + std::to_string(gap_us), ms + 20'000); }
  // Messages of `sender`, one in flight: the next one is sent when all have been told the one before; from its send to the delivery at `receiver`.
  Latency one_way(size_t sender, size_t receiver, int ms, int gap_us);

 private:
  const Wire& wire_;
  const int errors_;
  std::vector<std::unique_ptr<Driven>> members_;
};

// How evs-test-load (EVS_TEST_LOAD) is started for a host that keeps its files in `directory`, which is made if need be.
struct LoadSetting {
  size_t bytes;
  int guarantee;  // 2: AGREED, 3: SAFE
  bool sends;
};
std::vector<std::string> load_command(size_t host, const std::string& directory, const LoadSetting& setting, const std::vector<std::string>& parameters);

}  // namespace evs::test
