// SPDX-License-Identifier: BSD-3-Clause
// tests/torture/window_kills_test.cc - a process that takes steps is killed at whatever instruction; what it leaves is the state of its last step, or
// of the one that it was in.
//
// The child lives through a world of one seed and says in a page that outlives it which step it has begun and which it has done. The parent lives
// through the same world afterwards, up to there. What is delivered is appended to a log in the same page, which plays the order ring: a place is claimed,
// and a word is committed there. A step and its word are there together, or neither is.
// The shipped library, not the traced one: what a compiler made of it is what is killed.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include "tests/unit/uplink/window_world.h"

namespace evs::runtime::uplink {
namespace {

constexpr uint64_t kLogWords = 1u << 18;  // more than anybody appends

struct Page {
  std::atomic<uint64_t> begun, done;
  std::atomic<bool> ready;
  std::atomic<uint64_t> claimed, stage;
  uint32_t dawdling;
  std::atomic<uint64_t> log[kLogWords];  // of each place the step whose word it is; 0: not committed
  char directory[64];
};

constexpr uint32_t kTurns = 100'000;  // more than anybody lives for

// An append takes a microsecond, of many that a step takes: in every other round more, between its stages.
void dawdle(const Page& page) {
  for (uint32_t i = 0; i < page.dawdling; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
}

shm::Status append(WindowFile& file, Page& page, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
  const uint64_t step = page.begun;
  if (step % 4 == 0) {  // there was no room
    if (shm::Status s = file.prepare(effect, out, protocol); !s.ok()) return s;
    file.abandon();
  }
  page.stage = 1;
  if (shm::Status s = file.prepare(effect, out, protocol); !s.ok()) return s;
  page.stage = 2;
  dawdle(page);
  const uint64_t position = page.claimed.fetch_add(1) + 1;  // 0 is no position
  file.claimed(position);
  page.stage = 3;
  dawdle(page);
  page.log[position % kLogWords] = step;
  page.stage = 4;
  dawdle(page);
  file.commit();
  page.stage = 0;
  return {};
}

[[noreturn]] void live(uint64_t seed, Page& page) {
  WindowWorld world(seed);
  world.compared = false;
  std::snprintf(page.directory, sizeof page.directory, "%s", world.ground().path().c_str());
  world.take = [&](WindowWorld::File& file, const std::string&, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
    page.begun.store(page.begun.load() + 1);
    const shm::Status s = appends(effect) ? append(*file, page, effect, out, protocol) : file->take(effect, out, protocol);
    page.done.store(page.begun.load());
    return s;
  };
  page.ready = true;
  world.run(kTurns);
  _exit(0);
}

struct Lived {
  std::map<std::string, ordering::StoredState> done;  // by file
  std::string name;                                   // whose step it was in
  ordering::StoredState begun;
  bool appends = false;
  uint64_t records = 0;  // of the steps that were done, and of that one
};
struct EnoughLived {};

// The files behind step `done`, and, when there is one more, behind that.
Lived relive(uint64_t seed, uint64_t done, uint64_t begun) {
  WindowWorld world(seed);
  world.compared = false;
  Lived lived;
  uint64_t step = 0;
  std::map<std::string, WindowFile*> files;
  world.take = [&](WindowWorld::File& file, const std::string& name, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
    const auto keep = [&] {
      for (const auto& [each, its_file] : files) lived.done[each] = its_file->load();
    };
    if (step == done && begun == done) {
      keep();
      throw EnoughLived{};
    }
    if (step == done) keep();
    const shm::Status s = file->take(effect, out, protocol);
    files[name] = file.get();
    if (appends(effect)) ++lived.records;
    if (++step == done + 1) {
      lived.name = name;
      lived.appends = appends(effect);
      lived.begun = file->load();
      throw EnoughLived{};
    }
    return s;
  };
  // A file that is opened again is another object; it has the same name, and its host's next step names it anew.
  world.reopened = [&](WindowFile& file, const std::string& name) { files[name] = &file; };
  try {
    world.run(kTurns);
  } catch (const EnoughLived&) {
  }
  return lived;
}

uint64_t records_in(const Page& page) {
  uint64_t count = 0;
  for (const auto& word : page.log) count += word != 0;
  return count;
}

TEST(WindowTorture, WhatAKilledProcessLeavesIsItsLastStepOrTheOneItWasIn) {
  const uint32_t rounds = std::getenv("EVS_LONG") != nullptr ? 20'000 : 150;
  uint64_t inside = 0, steps = 0, with_record = 0, without = 0, stages[5] = {};
  test::Dice dice(1);
  void* at = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(at, MAP_FAILED);
  for (uint64_t seed = 1; seed <= rounds && !HasFailure(); ++seed) {
    SCOPED_TRACE("round " + std::to_string(seed));
    auto& page = *new (at) Page{};
    page.dawdling = seed % 2 * 20'000;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) live(seed, page);
    // So many steps, and then an instant that nobody chose.
    const uint64_t enough = dice.below(1500);
    int status = 0;
    pid_t ended = 0;
    while ((!page.ready || page.done < enough) && (ended = waitpid(child, &status, WNOHANG)) == 0) std::this_thread::yield();
    const auto spins = dice.below(20'000 + 10 * page.dawdling);
    for (uint64_t i = 0; i < spins; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
    if (ended == 0) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
    }
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << status;
    const std::string directory = page.directory;
    const uint64_t done = page.done, begun = page.begun;
    ASSERT_TRUE(begun == done || begun == done + 1);
    const Lived lived = relive(seed, done, begun);
    shm::Directory left;
    ASSERT_TRUE(left.open(directory, "", false).ok());
    for (const auto& [name, state] : lived.done) {
      std::unique_ptr<WindowFile> file;
      const shm::Status s = WindowFile::open(left, name, WindowWorld::shape_of_all(), 1, file);
      ASSERT_TRUE(s.ok()) << s.text;
      const bool may_be_behind = begun != done && name == lived.name;
      if (file->under_way()) {
        EXPECT_TRUE(may_be_behind && lived.appends) << name;
        EXPECT_EQ(difference(file->load(), state), "") << name << ": what is under way does not count";
        const uint64_t position = *file->under_way();
        const bool has_record = position != 0 && page.log[position % kLogWords] == begun;
        const shm::Status finished = WindowFile::finish_under_way(file, has_record);
        ASSERT_TRUE(finished.ok()) << finished.text;
        ++(has_record ? with_record : without);
      }
      const std::string before = difference(file->load(), state);
      const std::string behind = may_be_behind ? difference(file->load(), lived.begun) : "no step was begun";
      if (may_be_behind && lived.appends) {
        const bool has_record = page.log[page.claimed % kLogWords] == begun;
        EXPECT_EQ(has_record ? behind : before, "") << name << ": its record is " << (has_record ? "there" : "not there") << ", and its step is not so";
        EXPECT_EQ(records_in(page), lived.records - (has_record ? 0 : 1));
        continue;
      }
      EXPECT_TRUE(before.empty() || behind.empty()) << name << " behind step " << done << ": " << before << "; behind the next: " << behind;
    }
    std::filesystem::remove_all(directory);
    inside += begun != done;
    ++stages[page.stage];
    steps += done;
  }
  munmap(at, sizeof(Page));
  EXPECT_GT(steps, uint64_t{rounds} * 100);
  EXPECT_GT(inside, rounds / 500) << "killed within a step";
  EXPECT_GT(with_record, rounds / 50) << "killed between the record and the step";
  EXPECT_GT(without, rounds / 50) << "killed before the record";
  if (std::getenv("EVS_TELL") != nullptr)
    std::printf("%lu of %u killed within a step, behind %lu on average; under way %lu with and %lu without a record; of an append's stages %lu %lu %lu %lu\n", inside,
                rounds, steps / rounds, with_record, without, stages[1], stages[2], stages[3], stages[4]);
}

}  // namespace
}  // namespace evs::runtime::uplink
