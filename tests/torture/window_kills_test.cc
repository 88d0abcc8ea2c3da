// SPDX-License-Identifier: BSD-3-Clause
// tests/torture/window_kills_test.cc - a process that takes steps is killed at whatever instruction; what it leaves is the state of its last step, or
// of the one that it was in.
//
// The child lives through a world of one seed and says in a page that outlives it which step it has begun and which it has done. The parent lives
// through the same world afterwards, up to there. The shipped library, not the traced one: what a compiler made of it is what is killed.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include "tests/unit/uplink/window_world.h"

namespace evs::runtime::uplink {
namespace {

struct Page {
  std::atomic<uint64_t> begun, done;
  std::atomic<bool> ready;
  char directory[64];
};

constexpr uint32_t kTurns = 100'000;  // more than anybody lives for

[[noreturn]] void live(uint64_t seed, Page& page) {
  WindowWorld world(seed);
  world.compared = false;
  std::snprintf(page.directory, sizeof page.directory, "%s", world.ground().path().c_str());
  world.take = [&](WindowFile& file, const std::string&, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
    page.begun.store(page.begun.load() + 1);
    const shm::Status s = file.take(effect, out, protocol);
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
};
struct EnoughLived {};

// The files behind step `done`, and, when there is one more, behind that.
Lived relive(uint64_t seed, uint64_t done, uint64_t begun) {
  WindowWorld world(seed);
  world.compared = false;
  Lived lived;
  uint64_t step = 0;
  std::map<std::string, WindowFile*> files;
  world.take = [&](WindowFile& file, const std::string& name, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
    const auto keep = [&] {
      for (const auto& [each, its_file] : files) lived.done[each] = its_file->load();
    };
    if (step == done && begun == done) {
      keep();
      throw EnoughLived{};
    }
    if (step == done) keep();
    const shm::Status s = file.take(effect, out, protocol);
    files[name] = &file;
    if (++step == done + 1) {
      lived.name = name;
      lived.begun = file.load();
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

TEST(WindowTorture, WhatAKilledProcessLeavesIsItsLastStepOrTheOneItWasIn) {
  const uint32_t rounds = std::getenv("EVS_LONG") != nullptr ? 20'000 : 150;
  uint64_t inside = 0, steps = 0;
  test::Dice dice(1);
  void* at = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(at, MAP_FAILED);
  for (uint64_t seed = 1; seed <= rounds && !HasFailure(); ++seed) {
    SCOPED_TRACE("round " + std::to_string(seed));
    auto& page = *new (at) Page{};
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) live(seed, page);
    // So many steps, and then an instant that nobody chose.
    const uint64_t enough = dice.below(1500);
    int status = 0;
    pid_t ended = 0;
    while ((!page.ready || page.done < enough) && (ended = waitpid(child, &status, WNOHANG)) == 0) std::this_thread::yield();
    const auto spins = dice.below(20'000);
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
      const std::string before = difference(file->load(), state);
      const bool may_be_behind = begun != done && name == lived.name;
      const std::string behind = may_be_behind ? difference(file->load(), lived.begun) : "no step was begun";
      EXPECT_TRUE(before.empty() || behind.empty()) << name << " behind step " << done << ": " << before << "; behind the next: " << behind;
    }
    std::filesystem::remove_all(directory);
    inside += begun != done;
    steps += done;
  }
  munmap(at, sizeof(Page));
  EXPECT_GT(steps, uint64_t{rounds} * 100);
  EXPECT_GT(inside, rounds / 500) << "killed within a step";
  if (std::getenv("EVS_TELL") != nullptr) std::printf("%lu of %u killed within a step, behind %lu on average\n", inside, rounds, steps / rounds);
}

}  // namespace
}  // namespace evs::runtime::uplink
