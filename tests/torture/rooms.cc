// SPDX-License-Identifier: BSD-3-Clause
// rooms.cc - a ring that is full, readers that lag, senders that never read, sleepers that nobody means.
#include <algorithm>

#include "tests/torture/scenarios.h"

namespace evs::torture {

namespace {


const shm::MemberSnapshot* member_of(const shm::Snapshot& snapshot, pid_t pid) {
  for (const shm::MemberSnapshot& m : snapshot.members)
    if (m.pid == pid) return &m;
  return nullptr;
}

}  // namespace

void slow_readers(Run& run) {
  const uint64_t rounds = run.is_long ? 40 : 3;
  for (uint64_t round = 0; round < rounds; ++round) {
    Stage stage(run.seed + round, Settings{}, run.totals);
    Dice& dice = stage.dice();
    Plan fast;
    fast.threads = 3;
    fast.think_us = 0;
    stage.spawn_and_join(fast);
    for (int i = 0; i < 3; ++i) {
      Plan slow;
      slow.threads = static_cast<uint32_t>(dice.below(2));
      slow.slow_us = static_cast<uint32_t>(dice.between(50, 500));
      slow.second = dice.one_in(2);
      stage.spawn_and_join(slow);
    }
    const uint64_t goal = stage.tail() + 10 * kRingBytes;
    stage.until("ten laps", [&] { return stage.tail() >= goal; });
    stage.settle(Rules{});
    stage.leave();
  }
}

// One sends, one stands still in a callback. The sender is refused, waits for the room callback and for nothing else, and when that comes
// its message must have room: nobody else sends.
void full_ring(Run& run) {
  const uint64_t rounds = run.is_long ? 200 : 20;
  Stage stage(run.seed, Settings{}, run.totals);
  Plan sends;
  sends.room = true;
  sends.think_us = 0;
  sends.empty = false;
  Plan stands;
  stands.threads = 0;
  Player& reader = stage.spawn_and_join(stands);
  Player& sender = stage.spawn_and_join(sends);
  for (uint64_t round = 0; round < rounds; ++round) {
    stage.command(reader, "p");
    stage.until("the reader to stand", [&] { return reader.front().paused.load() != 0; });
    // The sender's own handle reads on: at last it is the other one that holds the ring, as the status says.
    shm::Snapshot seen;
    stage.until("the ring to be full, held by the reader", [&] {
      return sender.front().refused.load() > sender.front().room_calls.load() && stage.snapshot(seen) && seen.holder_pid == reader.pid &&
             seen.used + 2 * 16384 + 4096 >= seen.capacity;
    });
    const uint32_t calls = sender.front().room_calls.load();
    stage.command(reader, "c");
    stage.until("the room callback", [&] { return sender.front().room_calls.load() > calls; });
    stage.until_progress(200);
  }
  if (sender.front().room_refused.load() != 0)
    throw Failure(std::to_string(sender.front().room_refused.load()) + " of " + std::to_string(sender.front().room_calls.load()) +
                  " room callbacks came when there was no room of that size");
  run.remark = std::to_string(sender.front().room_calls.load()) + " room callbacks after " + std::to_string(sender.front().refused.load()) + " refusals";
  stage.settle(Rules{});
  stage.leave();
}

void only_sends(Run& run) {
  const uint64_t laps = run.is_long ? 200 : 10;
  for (const int readers : {0, 1, 3}) {
    Stage stage(run.seed + static_cast<uint64_t>(readers), Settings{}, run.totals);
    Plan reads;
    reads.threads = 0;
    for (int i = 0; i < readers; ++i) stage.spawn_and_join(reads);
    Plan sends;
    sends.threads = 2;
    sends.think_us = 0;
    sends.dispatch = false;
    sends.groups = 0;
    Player& sender = stage.spawn_and_join(sends);
    stage.until("laps by a process that only sends", [&] { return stage.tail() >= laps * kRingBytes; });
    shm::Snapshot seen;
    if (!stage.snapshot(seen)) throw Failure("no segment");
    // In the middle of a claim it holds what it is writing, however long it waits for a processor.
    if (seen.holder_pid == sender.pid && seen.holder_what == "cursor") throw Failure("a process that reads nothing holds the ring\n" + stage.describe());
    stage.settle(Rules{});
    stage.leave();
  }
}

// Sixteen processes, each asleep in a group of its own. A message to one of them wakes that one: the ring counts each wake-up, by cursor.
void sleepers(Run& run) {
  const uint32_t first_group = 8, count = 16;
  const uint64_t rounds = run.is_long ? 2000 : 200;
  Settings settings;
  settings.max_processes = 24;
  Stage stage(run.seed, settings, run.totals);
  std::vector<Player*> asleep;
  for (uint32_t i = 0; i < count; ++i) {
    Plan plan;
    plan.threads = 0;
    plan.groups = 1u << (first_group + i);
    asleep.push_back(&stage.spawn_and_join(plan));
  }
  Plan speaks;
  speaks.threads = 0;
  speaks.groups = 0;
  speaks.dispatch = false;
  Player& speaker = stage.spawn_and_join(speaks);
  const auto wakeups = [&](std::vector<uint64_t>& out) {
    shm::Snapshot seen;
    if (!stage.snapshot(seen)) return false;
    out.clear();
    for (Player* sleeper : asleep) {
      const shm::MemberSnapshot* m = member_of(seen, sleeper->pid);
      if (m == nullptr || m->cursors.empty() || !m->cursors[0].armed) return false;
      out.push_back(m->cursors[0].wakeups);
    }
    return true;
  };
  // The joins' own bells have rung out when two looks find everybody asleep with the same counts.
  std::vector<uint64_t> before, after;
  for (Player* sleeper : asleep)
    stage.until("the joins to be told", [&] { return sleeper->front().members.load() == count + 1; });
  uint64_t others = 0, woken = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    const uint32_t addressed = static_cast<uint32_t>(stage.dice().below(count));
    stage.until("all to sleep", [&] { return wakeups(before) && wakeups(after) && before == after; });
    const uint64_t delivered = asleep[addressed]->front().delivered.load();
    stage.command(speaker, std::string("!") + static_cast<char>(first_group + addressed));
    stage.until("the addressed one to get it", [&] { return asleep[addressed]->front().delivered.load() == delivered + 1; });
    // Its cursor lags behind nothing, the others' may: they sleep, and what is not theirs is passed by their service threads when room is short.
    const auto count_wakeups = [&] {
      shm::Snapshot seen;
      if (!stage.snapshot(seen)) return false;
      after.clear();
      for (Player* sleeper : asleep) {
        const shm::MemberSnapshot* m = member_of(seen, sleeper->pid);
        if (m == nullptr || m->cursors.empty() || !m->cursors[0].armed) return false;
        after.push_back(m->cursors[0].wakeups);
      }
      return true;
    };
    stage.until("the addressed one to sleep again", [&] { return count_wakeups(); });
    for (uint32_t i = 0; i < count; ++i) (i == addressed ? woken : others) += after[i] - before[i];
  }
  run.remark = std::to_string(rounds) + " messages to one of 16 sleepers each: " + std::to_string(woken) + " wake-ups of the addressed, " +
               std::to_string(others) + " of others";
  if (others != 0 || woken != rounds) throw Failure(run.remark);
  for (Player* sleeper : asleep) stage.quit(*sleeper);
  stage.quit(speaker);
}

}  // namespace evs::torture
