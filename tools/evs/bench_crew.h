// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/bench_crew.h - processes that start together, are watched, and stop together.
//
// They share one page range, mapped before the fork: a phase word that the children sleep on (a futex), a cell each
// for what they count, and room for a sentence each about what failed. A child is forked before anything of the bus
// runs in this process, because handles do not survive a fork. The parent sleeps in poll() over the children's pidfds,
// so one that dies ends the measurement at once and is named.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/evs/histogram.h"
#include "tools/evs/signals.h"

namespace evs::tools {

inline constexpr uint32_t kMaxCrew = 128;

enum class Phase : uint32_t { setting_up, running, stopping };

// What one child counts: it is the only writer, relaxed; the parent samples it while it runs.
struct alignas(64) CrewCell {
  std::atomic<uint64_t> messages;
  std::atomic<uint64_t> refused;
};

struct CrewPage {
  std::atomic<uint32_t> phase;
  std::atomic<uint32_t> ready;
  alignas(64) std::atomic<uint64_t> line[2];  // for the probe: the bare bounced cache line
  CrewCell cells[kMaxCrew];
  Histogram latency;  // written by one child, read after it ended
  char failure[kMaxCrew][512];
};

// A child's view of the crew.
class CrewMember {
 public:
  CrewMember(CrewPage& page, uint32_t index, int ready_descriptor, int stop_descriptor)
      : page_(page), index_(index), ready_descriptor_(ready_descriptor), stop_descriptor_(stop_descriptor) {}

  CrewPage& page() { return page_; }
  CrewCell& cell() { return page_.cells[index_]; }
  uint32_t index() const { return index_; }
  int stop_descriptor() const { return stop_descriptor_; }  // readable once the phase is stopping
  bool stopping() const {
    return page_.phase.load(std::memory_order_relaxed) == static_cast<uint32_t>(Phase::stopping);
  }

  void report_ready();
  void wait_past(Phase phase);  // sleeps while the phase is this one
  int fail(const std::string& sentence);

 private:
  CrewPage& page_;
  uint32_t index_;
  int ready_descriptor_, stop_descriptor_;
};

class Crew {
 public:
  using Role = std::function<int(CrewMember&)>;  // runs in the child; its result is the exit status

  Crew();
  ~Crew();  // what still runs is killed and reaped
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // False: failure() says why; also when a signal asked to leave (interrupted()).
  bool start(const std::vector<Role>& roles, bool pin, LeaveSignals& signals);
  bool run(uint64_t for_ns, LeaveSignals& signals, const std::function<void(uint64_t)>& every_half_second);
  bool stop();

  CrewPage& page() { return *page_; }
  uint64_t ran_for_ns() const { return ran_for_ns_; }
  const std::string& failure() const { return failure_; }
  bool interrupted() const { return interrupted_; }

 private:
  struct Child {
    pid_t pid;
    int descriptor;  // pidfd
  };
  enum class Event { timeout, ready, ended, signal };
  Event wait_for_event(uint64_t for_ns, LeaveSignals& signals);
  bool a_child_ended();
  void set_phase(Phase phase);

  CrewPage* page_ = nullptr;
  int ready_descriptor_ = -1, stop_descriptor_ = -1;
  std::vector<Child> children_;
  uint64_t ran_for_ns_ = 0;
  std::string failure_;
  bool interrupted_ = false;
};

}  // namespace evs::tools
