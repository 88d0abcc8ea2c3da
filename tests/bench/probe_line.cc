// SPDX-License-Identifier: BSD-3-Clause
// probe_line.cc - the bounced cache line: the least that one processor can take to hear from another.
#include "tests/bench/clock.h"
#include "tests/bench/crew.h"
#include "tests/bench/probes.h"

namespace evs::bench {

namespace {

constexpr uint64_t kOver = UINT64_MAX;

struct Table {
  StartLine start;
  alignas(128) std::atomic<uint64_t> ball;  // odd: the second player's turn
  alignas(128) Samples samples;
};

}  // namespace

Percentiles probe_line(int milliseconds) {
  Shared<Table> table;
  Crew crew;
  crew.start("line-first", cores().first, [&] {
    table->start.wait_for(2);
    const uint64_t end = ticks() + static_cast<uint64_t>(milliseconds * 1e6 / ns_per_tick());
    uint64_t before = ticks();
    for (uint64_t round = 0; before < end && !table->samples.full(); round += 2) {
      table->ball.store(round + 1, std::memory_order_release);
      while (table->ball.load(std::memory_order_acquire) != round + 2) {
      }
      const uint64_t after = ticks();
      table->samples.add(after - before);
      before = after;
    }
    table->ball.store(kOver, std::memory_order_release);
  });
  crew.start("line-second", cores().second, [&] {
    table->start.wait_for(2);
    for (uint64_t round = 0;; round += 2) {
      uint64_t seen = 0;
      do {
        seen = table->ball.load(std::memory_order_acquire);
      } while (seen != round + 1 && seen != kOver);
      if (seen == kOver) return;
      table->ball.store(round + 2, std::memory_order_release);
    }
  });
  crew.finish();
  const Samples& samples = table->samples;
  return percentiles_of(std::vector<uint32_t>(samples.ticks, samples.ticks + samples.count), ns_per_tick());
}

}  // namespace evs::bench
