// SPDX-License-Identifier: BSD-3-Clause
// shm/model/takeover.cc - the role's pin, word by word (takeover.h).
//
// Processes 0 and 1 have the role, one after the other; 0 appends too, and 1 begins when 0 is dead. Process 2 writes. No cursor and no `covered` is here:
// they only lower what a scan finds. A claim of the living counts until it is committed, one of the dead until its death is proved. Promise: from the
// kept pin on nothing is overwritten (tail <= pin + capacity), and what the successor is told of the dead one's last claim is what stands there.
#include "shm/model/takeover.h"

#include <array>

#include "shm/model/small.h"

namespace evs::shm::model {
namespace {

constexpr uint8_t kRing = 3, kFirst = 3, kMessages = 6, kNever = 0;  // positions begin at 3: 0 is none
enum Flag : uint8_t { unset, kept, placing };

constexpr TakeoverFaultText kFaults[] = {
    {TakeoverFault::pin_uncounted, "role-pin-uncounted", "a look for room does not count the role's pin"},
    {TakeoverFault::tail_not_reread, "role-tail-not-reread", "the pin stays where the first look at the tail found it"},
    {TakeoverFault::placing_unmarked, "role-placing-unmarked", "the pin counts as kept before the second look"},
    {TakeoverFault::settled_by_tail, "role-settled-by-tail", "what was claimed is taken for committed"},
    {TakeoverFault::settled_unread, "role-settled-unread", "what is not committed yet is taken for lost, and left as it is"},
};

enum class At : uint8_t { start, first_look, set_placing, second_look, serve, scan_tail, scan_pin, scan_claims, claim, tell, commit, clear, settle, done, dead };

struct World {
  struct Process {
    At at;
    uint8_t place, seen, lowest, limit, cell, sent;
  };
  uint8_t tail, pin, told, proved, answered;
  Flag flag;
  std::array<uint8_t, kRing> word;  // the position committed there, with the top bit when it is a pad
  std::array<Process, 3> process;
};
constexpr uint8_t kPad = 0x80;

class Explorer : public Small<World> {
 public:
  explicit Explorer(TakeoverFault fault) : fault_(fault) {}

  Verdict run() {
    World first{};
    first.tail = kFirst;
    for (World::Process& p : first.process) p.at = At::start;
    first.process[2].at = At::serve;
    return explore(first);
  }

 private:
  bool lacks(TakeoverFault which) const { return fault_ == which; }

  void make_steps(const World& now) override {
    for (uint8_t i = 0; i < 3; ++i) {
      if (i == 0 && now.process[0].at != At::dead) {
        Step& step = next(now, "the gateway is killed");
        step.after.process[0].at = At::dead;
      }
      if (i == 1 && now.process[0].at != At::dead) continue;
      i < 2 && now.process[i].at < At::serve ? open(now, i) : serve(now, i);
    }
    if (now.process[0].at == At::dead && now.proved == 0) next(now, "its death is proved").after.proved = 1;
  }

  Step& step_of(const World& now, uint8_t i, const std::string& what, At then) {
    static const char* const names[] = {"the gateway ", "its successor ", "the writer "};
    Step& step = next(now, names[i] + what);
    step.after.process[i].at = then;
    return step;
  }
  // Nothing that is kept is overwritten.
  static void judge(Step& step) {
    const World& w = step.after;
    if (w.flag == kept && w.tail > w.pin + kRing) step.violation = "what the role keeps is overwritten";
  }

  void open(const World& now, uint8_t i) {
    const World::Process& p = now.process[i];
    if (p.at == At::start) {
      const bool there = now.flag == kept;
      Step& step = step_of(now, i, there ? "finds the pin kept" : "finds no pin kept", there ? (i == 1 ? At::settle : At::serve) : At::first_look);
      if (there) step.after.process[i].place = now.pin;
    } else if (p.at == At::first_look) {
      step_of(now, i, "looks at the tail: " + std::to_string(now.tail), At::set_placing).after.process[i].seen = now.tail;
    } else if (p.at == At::set_placing) {
      Step& step = step_of(now, i, "sets the pin there", At::second_look);
      step.after.pin = p.seen;
      step.after.flag = lacks(TakeoverFault::placing_unmarked) ? kept : placing;
      judge(step);
    } else {
      // The second look and the store are two steps of one process whose order nobody else can tell: the tail that counts is the one read.
      Step& step = step_of(now, i, "looks again: " + std::to_string(now.tail) + ", and keeps that", i == 1 ? At::settle : At::serve);
      const uint8_t at = lacks(TakeoverFault::tail_not_reread) ? p.seen : now.tail;
      step.after.pin = step.after.process[i].place = at;
      step.after.flag = kept;
      step.after.process[i].seen = 0;
      judge(step);
    }
  }

  bool claims_count(const World& now, uint8_t i) const { return i != 0 || now.process[0].at != At::dead || now.proved == 0; }
  uint8_t lowest(const World& now, uint8_t from) const {
    uint8_t low = from;
    for (uint8_t i = 0; i < 3; ++i) {
      const uint8_t cell = now.process[i].cell;
      if (cell != kNever && claims_count(now, i) && (now.word[cell % kRing] & ~kPad) != cell) low = std::min(low, cell);
    }
    return low;
  }

  void serve(const World& now, uint8_t i) {
    const World::Process& p = now.process[i];
    switch (p.at) {
      case At::serve: return choose(now, i);
      case At::scan_tail: {
        Step& step = step_of(now, i, "looks for room: the tail is " + std::to_string(now.tail), At::scan_pin);
        step.after.process[i].seen = now.tail;
        return;
      }
      case At::scan_pin: {
        const bool counts = now.flag != unset && !lacks(TakeoverFault::pin_uncounted);
        Step& step = step_of(now, i, counts ? "sees the pin" : "sees no pin", At::scan_claims);
        step.after.process[i].lowest = counts ? std::min(p.seen, now.pin) : p.seen;
        return;
      }
      case At::scan_claims: {
        Step& step = step_of(now, i, "sees the claims", At::serve);
        World::Process& after = step.after.process[i];
        after.limit = std::max<uint8_t>(p.limit, static_cast<uint8_t>(lowest(now, p.lowest) + kRing));
        after.seen = after.lowest = 0;
        return;
      }
      case At::claim: {  // the intent stands; one CAS
        if (now.tail != p.cell || now.tail + 1 > p.limit) {
          step_of(now, i, "loses its claim", At::serve).after.process[i].cell = kNever;
          return;
        }
        Step& step = step_of(now, i, "claims " + std::to_string(now.tail), i == 0 ? At::tell : At::commit);
        ++step.after.tail;
        judge(step);
        return;
      }
      case At::tell: step_of(now, i, "notes where", At::commit).after.told = p.cell; return;
      case At::commit: {
        Step& step = step_of(now, i, "commits", At::clear);
        step.after.word[p.cell % kRing] = p.cell;
        return;
      }
      case At::clear: {
        Step& step = step_of(now, i, "clears its cell", At::serve);
        step.after.process[i].cell = kNever;
        ++step.after.process[i].sent;
        return;
      }
      case At::settle: return settle(now);
      default: return;
    }
  }

  // Between two calls: read on, let go, append.
  void choose(const World& now, uint8_t i) {
    const World::Process& p = now.process[i];
    if (i < 2) {
      const bool there = p.place < now.tail && (now.word[p.place % kRing] & ~kPad) == p.place;
      if (there) ++step_of(now, i, "reads " + std::to_string(p.place), At::serve).after.process[i].place;
      // Not past its own last claim: its successor may have to ask.
      if (now.pin < p.place && (now.told == kNever || p.place <= now.told)) step_of(now, i, "lets go of what it read", At::serve).after.pin = p.place;
    }
    if (p.sent >= (i == 2 ? kMessages : i == 0 ? 1 : 0)) return;
    if (now.tail + 1 <= p.limit) {
      step_of(now, i, "wants " + std::to_string(now.tail), At::claim).after.process[i].cell = now.tail;
    } else if (lowest(now, now.flag != unset && !lacks(TakeoverFault::pin_uncounted) ? std::min(now.tail, now.pin) : now.tail) + kRing > p.limit) {
      step_of(now, i, "has no room", At::scan_tail);
    }
  }

  void settle(const World& now) {
    const uint8_t told = now.told;
    if (told == kNever || told < now.pin) {
      step_of(now, 1, "has nothing to ask", At::serve);
      return;
    }
    const uint8_t word = now.word[told % kRing];
    const bool message = word == told;
    const bool stands = (word & ~kPad) == told;
    if (lacks(TakeoverFault::settled_by_tail)) return answer(now, told < now.tail);
    if (stands) return answer(now, message);
    if (lacks(TakeoverFault::settled_unread)) return answer(now, false);
    if (now.proved == 0) return;
    step_of(now, 1, "pads " + std::to_string(told), At::settle).after.word[told % kRing] = static_cast<uint8_t>(told | kPad);
  }
  void answer(const World& now, bool committed) {
    Step& step = step_of(now, 1, committed ? "is told: committed" : "is told: padded", At::serve);
    const uint8_t word = now.word[now.told % kRing];
    if (committed && word != now.told) step.violation = "what was not committed is said to be";
    if (!committed && word != (now.told | kPad)) step.violation = "readers wait for what is said to be padded";
  }

  const TakeoverFault fault_;
};

}  // namespace

std::span<const TakeoverFaultText> takeover_faults() { return kFaults; }
Verdict explore_takeover(TakeoverFault fault) { return Explorer(fault).run(); }

}  // namespace evs::shm::model
