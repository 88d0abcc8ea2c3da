// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/takeover/board.h - what the players of a takeover tell each other, in a file that outlives them.
//
// A player is this program again, started to be a writer, a gateway, somebody who appends until it dies, or a process that serves several transports with
// one thread. It may be killed at any instruction: what it tells is one store.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace evs::conformance {

constexpr uint32_t kWriters = 3;

struct Board {
  std::atomic<uint32_t> writers_finish, gateway_finishes;
  std::atomic<uint64_t> written[kWriters];    // messages that append() took
  std::atomic<uint64_t> refused[kWriters];    // and that it had no room for
  std::atomic<uint64_t> seen_next[kWriters];  // all below this number were read by a gateway, before it let go of them
  std::atomic<uint64_t> opened;               // how often the role was opened
  std::atomic<uint64_t> read_total;
  std::atomic<uint64_t> told;      // what the last before_commit was told
  std::atomic<uint64_t> expected;  // where the append under way will stand, if nobody else claims and the lap goes on
  std::atomic<uint64_t> appended;
  std::atomic<uint32_t> faulty;
  char fault[256];

  void complain(const std::string& what);
};

// Maps the file, which is made if it is not there.
Board& open_board(const std::string& path);

// "writer.number.filler.sum"
std::string certified(uint32_t writer, uint64_t number, size_t filler);
bool certifies(const std::string& text, uint32_t& writer, uint64_t& number);

// Plays a part to its end; the exit code.
int play(const std::vector<std::string>& words);

}  // namespace evs::conformance
