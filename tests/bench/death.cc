// SPDX-License-Identifier: BSD-3-Clause
// death.cc - a member is killed; how long until another one's callback has the configuration without it?
//
// The clock starts when the kernel reports the death to us (the victim's pidfd becomes readable), since how long a
// process takes to die is the kernel's affair, and ends when the survivor's callback holds the next *regular*
// configuration. We ask for real-time priority for ourselves: on saturated processors we would otherwise hear of the
// death late, and the figure would flatter. The bus has two members, so "two members" and "one member" say it all.
#include <sched.h>

#include "tests/bench/clock.h"
#include "tests/bench/crew.h"
#include "tests/bench/member.h"
#include "tests/bench/signs.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

enum Sign : char { victim_ready = 'v', survivor_ready = 's', two_members = '2', one_member = '1', wrong_reason = 'w' };

// The survivor's, in its process.
struct Survivor {
  const SignPipe* signs;
  std::atomic<uint64_t>* changed_ns;
  bool had_two;
  bool heard_of_death;
};
Survivor survivor;

// The transitional configuration is the one that tells who left and why; with the next regular one the change is in
// force.
void configured(evs_handle_t, void*, const evs_configuration_t* now) {
  const uint64_t at = monotonic_ns();
  for (size_t i = 0; i < now->left_entries; ++i) survivor.heard_of_death |= now->left[i].reason == EVS_REASON_DIED;
  if (now->kind != EVS_CONFIGURATION_REGULAR) return;
  if (now->member_entries == 2) {
    survivor.had_two = true;
    survivor.signs->write(two_members);
  } else if (now->member_entries == 1 && survivor.had_two) {
    survivor.changed_ns->store(at, std::memory_order_release);
    survivor.signs->write(survivor.heard_of_death ? one_member : wrong_reason);
    survivor.had_two = false;
    survivor.heard_of_death = false;
  }
}

[[noreturn]] void survive(const SignPipe& signs, std::atomic<uint64_t>& changed_ns) {
  survivor = {&signs, &changed_ns, false, false};
  const Library& evs = library();
  evs_callbacks_ex_t callbacks{};
  callbacks.struct_size = sizeof callbacks;
  callbacks.configure = configured;
  evs_options_t options{};
  options.struct_size = sizeof options;
  options.callbacks_ex = &callbacks;
  evs_handle_t handle = 0;
  const evs_group group = group_named("death");
  if (evs.initialize_ex(&handle, &options) != CS_OK) throw Malfunction("evs_initialize_ex failed");
  if (evs.join(handle, &group, 1) != CS_OK) throw Malfunction("evs_join failed");
  signs.write(survivor_ready);
  evs.dispatch(handle, CS_DISPATCH_BLOCKING);
  throw Malfunction("dispatch returned though nobody finalized the handle");
}

[[noreturn]] void be_a_victim(const SignPipe& signs) {
  Member member(nullptr);
  member.join(group_named("death"));
  signs.write(victim_ready);
  member.dispatch(CS_DISPATCH_BLOCKING);
  throw Malfunction("dispatch returned though nobody finalized the handle");
}

// Real-time priority for the time of a measurement; without the right to it, we go on as we are.
class Attention {
 public:
  Attention() {
    const sched_param urgent{1};
    had_ = sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &urgent) == 0;
  }
  ~Attention() {
    const sched_param ordinary{0};
    if (had_) sched_setscheduler(0, SCHED_OTHER, &ordinary);
  }
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

 private:
  bool had_;
};

struct Deaths {
  std::vector<double> from_report_ns;
  std::vector<double> from_kill_ns;
};

Deaths kill_many(int kills, bool saturated) {
  Shared<std::atomic<uint64_t>> changed_ns;
  SignPipe signs;
  Crew crew;
  const Attention attention;
  if (saturated) {
    for (const int cpu : {cores().first, cores().second}) {
      crew.start("spinner", cpu, [] {
        while (true) relax();
      });
    }
  }
  crew.start("survivor", kAnyCpu, [&] { survive(signs, *changed_ns); });
  if (signs.read(crew) != survivor_ready) throw Malfunction("the survivor spoke out of turn");
  Deaths out;
  for (int i = 0; i < kills; ++i) {
    const pid_t victim = crew.start("victim", kAnyCpu, [&] { be_a_victim(signs); });
    bool ready = false, seen = false;
    while (!ready || !seen) {
      const char sign = signs.read(crew);
      if (sign != victim_ready && sign != two_members) throw Malfunction("a sign out of turn before the kill");
      (sign == victim_ready ? ready : seen) = true;
    }
    const uint64_t killed_ns = monotonic_ns();
    const uint64_t reported_ns = crew.kill_and_see(victim);
    const char sign = signs.read(crew);
    if (sign == wrong_reason) throw Malfunction("the killed member is not listed as one that died");
    if (sign != one_member) throw Malfunction("a sign out of turn after the kill");
    const uint64_t changed = changed_ns->load(std::memory_order_acquire);
    // The survivor may have been faster to hear of it than we were.
    out.from_report_ns.push_back(changed > reported_ns ? static_cast<double>(changed - reported_ns) : 0);
    out.from_kill_ns.push_back(static_cast<double>(changed - killed_ns));
  }
  return out;
}

Outcome judge(TargetId id, int kills, bool saturated) {
  const Deaths deaths = kill_many(kills, saturated);
  const Percentiles report = percentiles_of(deaths.from_report_ns, 1e-6);
  const Percentiles kill = percentiles_of(deaths.from_kill_ns, 1e-6);
  return {id,
          {report.p99},
          {{"p50", report.p50, "ms"},
           {"p90", report.p90, "ms"},
           {"max", report.max, "ms"},
           {"kills", static_cast<double>(kills), ""},
           {"from kill() p50", kill.p50, "ms"},
           {"p99", kill.p99, "ms"}},
          0,
          ""};
}

}  // namespace

std::vector<Outcome> measure_death(const Plan& plan) {
  return {judge(TargetId::death_idle, plan.kills, false), judge(TargetId::death_busy, plan.kills, true)};
}

}  // namespace evs::bench
