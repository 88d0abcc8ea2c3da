// SPDX-License-Identifier: BSD-3-Clause
// referee.h - judges the records of all processes of a run, the killed ones' included. It sees what applications see and nothing else.
//
// All deliveries together make one history: each place of the order once, with what was read there. Against it every reader is held:
//   - what it got is whole, and the same that everybody else got at that place; places only rise
//   - from its first delivery on nothing is missing that was sent to a group it had certainly joined, to the end of the history if it
//     lives, to its last row if it was killed; and nothing came for groups that it had certainly not joined
//   - configurations alternate and add up, are the same for all, and stand at the same place between the same messages
// and every writer: the counts of what it sent are in the history one by one, up to the last call that returned (one more if it was killed
// in a call). Only a writer that was expelled may miss what it sent between the expulsion and its next configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/torture/record.h"

namespace evs::torture {

enum class Fate { alive, quit, killed };

struct Subject {
  uint32_t writer = 0;
  int32_t pid = 0;
  Fate fate = Fate::alive;
  const RecordFile* record = nullptr;
  bool reads_all = true;   // its reader 0 joined group 0 before it sent anything
  bool churns = false;     // every reader of it joined group 0 and was closed again
  bool shares_pid = false; // another one of the same pid came after an exec
};

struct Rules {
  bool expulsions = false;  // processes may have been expelled in this run
};

struct Verdict {
  std::vector<std::string> faults;  // the first hundred
  uint64_t faults_total = 0;
  uint64_t messages = 0;        // places of the history
  uint64_t deliveries = 0;
  uint64_t configurations = 0;  // told, all readers together
  uint64_t expulsions = 0;
  uint64_t bytes = 0;           // of the history
  uint64_t stretches = 0;       // parts of the history that are whole; more than one when all readers of a time were killed
};

Verdict judge(const std::vector<Subject>& subjects, const Rules& rules);

}  // namespace evs::torture
