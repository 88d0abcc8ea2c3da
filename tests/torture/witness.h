// SPDX-License-Identifier: BSD-3-Clause
// witness.h - the callbacks of one handle: they write down what they are told, and nothing else decides what is written.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "evs/evs.h"
#include "tests/torture/payload.h"
#include "tests/torture/record.h"

namespace evs::torture {

struct Witness {
  RecordFile* record = nullptr;
  uint32_t reader = 0;
  uint32_t slow_us = 0;  // each callback takes up to so long
  Dice dice{1};

  // A callback of a paused witness stands still until it is resumed: a handle that does not read.
  std::mutex mutex;
  std::condition_variable resumed;
  bool paused = false;
  std::atomic<bool> has_room{false};

  void pause();
  void resume();
};

evs_callbacks_ex_t witness_callbacks();

}  // namespace evs::torture
