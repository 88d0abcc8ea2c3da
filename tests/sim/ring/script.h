// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/script.h - what happens to a run from outside: its faults and messages, as a list.
//
// Drawn from the plan before the run begins, and the chances of the network hang on no event, so events can be left out and what
// stays is played as before, as far as the world that has become another one allows: how a bad run is shrunk (shrink.h). An event that
// makes no sense when its time comes (who is dead crashes) does nothing.
#pragma once

#include <vector>

#include "tests/sim/ring/plan.h"

namespace evs::sim {

enum class Act : uint8_t {
  partition,  // n: a bit a machine, its side
  mend,       // all links
  one_way,    // from a to b nothing goes
  hole,       // from a to b nothing large goes
  fill,       // but now it does
  crash, leave, start,
  forget,     // starts, or starts again, without what it had stored
  pause,      // n: for how long
  jump,       // of a's clock, n forward
  twin,       // a second machine with a's id comes, or goes
  ambush,     // when a enters phase b: a partition n. Several wait for each other
  send,       // a says something, with service b, of n bytes
  burst,      // a says n things at once, with service b
  change,     // of a's processes; n: the dice
  kill,       // a's gateway, b effects on; the next one comes n later
  stop_reading,  // a's readers, for n; b: how much room is left, and whether they read slowly
  lose_disk,  // starts, or starts again, without what it had voted for
  count_
};
const char* name_of(Act act);

enum class Stage : uint8_t {
  chaos,
  healing,  // as soon as all links are mended
  rest,     // when the living have found together
};

struct Event {
  Stage stage = Stage::chaos;
  Act act = Act::mend;
  Instant at{};       // chaos: when
  uint32_t id = 0;    // its place in the script that was drawn: the content of a message hangs on it
  HostId a = 0;
  uint32_t b = 0;
  uint64_t n = 0;
};
using Script = std::vector<Event>;

Script draw_script(const Plan& plan);
std::string text_of(const Event& event);

}  // namespace evs::sim
