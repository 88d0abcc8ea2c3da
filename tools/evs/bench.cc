// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/bench.cc - plans the measurements, runs a crew for each, prints as they end.
//
// Shared-memory figures of one machine swing by a factor of two within minutes, so the bare probe runs first in the
// same run and is printed beside them: a figure without it says little.
#include "tools/evs/bench.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "tools/evs/bench_crew.h"
#include "tools/evs/bench_report.h"
#include "tools/evs/bench_roles.h"
#include "tools/evs/clock.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/guarantee.h"
#include "tools/evs/progress.h"
#include "tools/evs/signals.h"
#include "tools/evs/text.h"

namespace evs::tools {

namespace {

constexpr uint64_t kProbe_ns = 200'000'000;
constexpr uint64_t kWarmUp_ns = 100'000'000;  // of a stream: page faults, the first lap of the ring

// A bus that nobody else uses, gone with everything in it when the measurement is.
class PrivateBus {
 public:
  ~PrivateBus() {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }
  bool make(std::string& failure) {
    std::string path = access("/dev/shm", W_OK) == 0 ? "/dev/shm/evs-bench-XXXXXX" : "/tmp/evs-bench-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      failure = "making the directory " + path + ": " + std::strerror(errno);
      return false;
    }
    directory_ = path;
    return true;
  }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
};

Wait wait_of(const std::string& name) {
  return name == "block" ? Wait::block : name == "poll" ? Wait::poll : Wait::busy;
}

class Bench {
 public:
  explicit Bench(const BenchOptions& options)
      : options_(options),
        measure_ns_(static_cast<uint64_t>(options.seconds * 1e9)),
        progress_(planned_ns(), options.progress) {}

  int run();

 private:
  std::vector<uint64_t> sizes(bool latency) const {
    if (!options_.sizes.empty()) return options_.sizes;
    return latency ? std::vector<uint64_t>{64} : std::vector<uint64_t>{64, 1024, 65536};
  }
  bool wants(const char* what) const { return options_.what == "all" || options_.what == what; }
  uint64_t planned_ns() const {
    return (wants("latency") ? kProbe_ns + sizes(true).size() * measure_ns_ : 0) +
           (wants("throughput") ? sizes(false).size() * (kWarmUp_ns + measure_ns_) : 0);
  }
  BenchLoad load(uint64_t size) const { return {bus_, size, wait_of(options_.wait), guarantee_of(options_.guarantee)}; }
  bool probe();
  bool latency(uint64_t size);
  bool throughput(uint64_t size);
  bool measure(Crew& crew, const std::vector<Crew::Role>& roles, uint64_t for_ns, const std::string& what);
  void print(const std::string& text) {
    progress_.clear();
    if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return;
    fail(std::string("stdout: ") + std::strerror(errno));
    cannot_print_ = true;
  }
  bool fail(const std::string& sentence) {
    failure_ = sentence;
    return false;
  }

  const BenchOptions& options_;
  const uint64_t measure_ns_;
  LeaveSignals signals_;
  Progress progress_;
  bool cannot_print_ = false;
  PrivateBus private_bus_;
  BusChoice bus_;
  uint64_t done_ns_ = 0;
  bool interrupted_ = false;
  std::string failure_;
};

int Bench::run() {
  bus_ = options_.bus;
  if (bus_.bus.empty()) {
    if (!private_bus_.make(failure_)) {
      std::fprintf(stderr, "evs bench: %s\n", failure_.c_str());
      return kExitFailure;
    }
    bus_.bus = "bench";
    bus_.settings.push_back("local.directory=" + private_bus_.directory());
    bus_.settings.push_back("plugin.shm.directory=" + private_bus_.directory());  // a configuration that says it there would be heard
  }
  bool well = true;
  if (wants("latency")) {
    well = probe();
    if (well && !options_.json) print("\n" + latency_header());
    for (const uint64_t size : sizes(true)) well = well && latency(size) && !cannot_print_;
  }
  if (well && wants("throughput")) {
    if (!options_.json) print("\n" + throughput_header());
    for (const uint64_t size : sizes(false)) well = well && throughput(size) && !cannot_print_;
  }
  progress_.clear();
  if (interrupted_) {
    std::fputs("evs bench: interrupted\n", stderr);
    return kExitFailure;
  }
  if (!well) std::fprintf(stderr, "evs bench: %s\n", failure_.c_str());
  return well ? kExitOk : kExitFailure;
}

bool Bench::measure(Crew& crew, const std::vector<Crew::Role>& roles, uint64_t for_ns, const std::string& what) {
  const auto show = [&](uint64_t ran_ns) { progress_.show(what, done_ns_ + ran_ns); };
  const bool well = crew.start(roles, options_.pin, signals_) && crew.run(for_ns, signals_, show);
  interrupted_ = crew.interrupted();
  done_ns_ += crew.ran_for_ns();
  return (well && crew.stop()) || fail(crew.failure());
}

bool Bench::probe() {
  Crew crew;
  if (!measure(crew, {bounce_first, bounce_second}, kProbe_ns, "probe")) return false;
  print(options_.json ? probe_json(crew.page().latency) : probe_text(crew.page().latency));
  return true;
}

bool Bench::latency(uint64_t size) {
  const BenchLoad load = this->load(size);
  Crew crew;
  if (!measure(crew, {[&](CrewMember& m) { return ask(m, load); }, [&](CrewMember& m) { return answer(m, load); }},
               measure_ns_, "latency, " + show_bytes(size)))
    return false;
  const LatencyResult result{size, options_.wait, options_.guarantee, crew.page().latency};
  if (result.round_trip_ns.total() == 0) return fail("no answer arrived: does the transport reach other processes?");
  print(options_.json ? latency_json(result) : latency_text(result));
  return true;
}

// The window begins after the warm-up and ends before the stop: counts are sampled at both ends while all run.
bool Bench::throughput(uint64_t size) {
  const BenchLoad load = this->load(size);
  const uint32_t crew_size = options_.senders + options_.receivers;
  std::vector<Crew::Role> roles;
  for (uint32_t i = 0; i < options_.senders; ++i) roles.push_back([&](CrewMember& m) { return send_stream(m, load); });
  for (uint32_t i = 0; i < options_.receivers; ++i)
    roles.push_back([&](CrewMember& m) { return receive_stream(m, load); });

  Crew crew;
  const auto sample = [&](bool refused) {
    std::vector<uint64_t> counts;
    for (uint32_t i = 0; i < crew_size; ++i) {
      const CrewCell& cell = crew.page().cells[i];
      counts.push_back((refused ? cell.refused : cell.messages).load(std::memory_order_relaxed));
    }
    return counts;
  };
  const std::string what = "throughput, " + show_bytes(size);
  const auto show = [&](uint64_t ran_ns) { progress_.show(what, done_ns_ + ran_ns); };
  if (!crew.start(roles, options_.pin, signals_) || !crew.run(kWarmUp_ns, signals_, show)) {
    interrupted_ = crew.interrupted();
    return fail(crew.failure());
  }
  done_ns_ += crew.ran_for_ns();
  const uint64_t began = monotonic_ns();
  const auto first = sample(false), first_refused = sample(true);
  const bool ran = crew.run(measure_ns_, signals_, show);
  const auto last = sample(false), last_refused = sample(true);
  const double seconds = static_cast<double>(monotonic_ns() - began) / 1e9;
  interrupted_ = crew.interrupted();
  done_ns_ += crew.ran_for_ns();
  if (!ran || !crew.stop()) return fail(crew.failure());

  ThroughputResult result{size, options_.senders, options_.receivers, options_.wait, options_.guarantee, seconds, 0, 0,
                          {}};
  for (uint32_t i = 0; i < crew_size; ++i) {
    if (i < options_.senders) {
      result.sent += last[i] - first[i];
      result.refused += last_refused[i] - first_refused[i];
    } else {
      result.received.push_back(last[i] - first[i]);
    }
  }
  if (*std::max_element(result.received.begin(), result.received.end()) == 0)
    return fail("no message arrived: does the transport reach other processes?");
  print(options_.json ? throughput_json(result) : throughput_text(result));
  return true;
}

}  // namespace

int run_bench(const BenchOptions& options) {
  if (options.senders + options.receivers > kMaxCrew) {
    std::fprintf(stderr, "evs bench: at most %u processes\n", kMaxCrew);
    return kExitUsage;
  }
  return Bench(options).run();
}

}  // namespace evs::tools
