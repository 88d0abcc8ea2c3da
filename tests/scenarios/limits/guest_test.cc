// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/guest_test.cc - a guest in the host process: what it found it leaves, however often it comes
// and goes.
//
// EVS_LONG=1 comes and goes a million times; without it a few hundred. Each run measures after a first stretch, when
// what is made once has been made, and again at the end.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <thread>

#include "tests/scenarios/limits/census.h"
#include "tests/scenarios/limits/peer_process.h"
#include "tests/unit/api/story.h"

namespace evs::limits {
namespace {

using test::Story;
using testing::HasSubstr;

bool long_run() {
  return std::getenv("EVS_LONG") != nullptr;
}

// Of every signal: what is done with it, and whether it is blocked.
std::string dispositions() {
  std::string text;
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0) continue;
    text += std::to_string(number) + ":" + std::to_string(reinterpret_cast<uintptr_t>(action.sa_handler)) + "," +
            std::to_string(action.sa_flags) + (sigismember(&blocked, number) == 1 ? "b " : " ");
  }
  return text;
}

TEST(Guest, SignalsThreadsAndDescriptorsAreAsTheyWere) {
  for (const auto pipe_handler : {SIG_DFL, SIG_IGN}) {
    signal(SIGPIPE, pipe_handler);
    const std::string signals = dispositions();
    const Census before = Census::take();
    {
      Story story;
      ASSERT_EQ(story.join("g"), CS_OK);
      int fd = -1;
      ASSERT_EQ(evs_fd_get(story.handle, &fd), CS_OK);
      ASSERT_EQ(story.say("x"), CS_OK);
      EXPECT_EQ(story.messages(), test::Lines{"x"});
      EXPECT_EQ(dispositions(), signals) << "while the bus is open";
      EXPECT_EQ(Census::take().threads, before.threads + 1) << "one service thread";
    }
    EXPECT_EQ(dispositions(), signals);
    EXPECT_EQ(Census::take(), before);
  }
  signal(SIGPIPE, SIG_DFL);
}

// A reader's bell outlives the reader: who rings it must not be struck by SIGPIPE.
TEST(Guest, RingingTheDeadIsNoSignal) {
  signal(SIGPIPE, SIG_DFL);
  Story story;
  PeerProcess peer;
  ASSERT_THAT(peer.ask("open " + test::directory() + " story"), HasSubstr("CS_OK"));
  ASSERT_EQ(peer.ask("join g"), "CS_OK");
  ASSERT_EQ(story.say_to({"g"}, "awake"), CS_OK);
  ASSERT_THAT(peer.ask("until awake 30000"), HasSubstr("msg awake"));
  ASSERT_THAT(peer.ask("told"), HasSubstr("CS_OK"));  // found nothing: its bell is armed
  peer.kill(SIGKILL);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(story.say_to({"g"}, "anybody there"), CS_OK);
  EXPECT_EQ(story.dispatch(), CS_OK);
}

TEST(Guest, TheServiceThreadTakesNoSignalOfTheHosts) {
  static std::atomic<pid_t> taken_by{0};
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) { taken_by = gettid(); };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  Story story;
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  // This thread blocks it: if any thread of the library would take it, the kernel would give it to that one.
  pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
  EXPECT_EQ(story.dispatch(), CS_OK);
  sigset_t pending;
  ASSERT_EQ(sigpending(&pending), 0);
  EXPECT_EQ(sigismember(&pending, SIGUSR1), 1);
  EXPECT_EQ(taken_by, 0);
  pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
  EXPECT_EQ(taken_by, gettid());
  sigaction(SIGUSR1, &before, nullptr);
}

struct Flatness {
  Census census = Census::take();
  int files = entries_of(test::directory());
  long kib = private_kib();
};

void expect_flat(const Flatness& early) {
  const Flatness now;
  EXPECT_EQ(now.census, early.census);
  EXPECT_EQ(now.files, early.files);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which keep what is freed
  EXPECT_LT(now.kib, early.kib + 512) << "KiB of memory of our own, first and last";
#endif
}

TEST(Cycles, OpenAndClose) {
  const int cycles = long_run() ? 1'000'000 : 300;
  const auto once = [] {
    Story story;
    ASSERT_EQ(story.result, CS_OK) << story.error;
    ASSERT_EQ(story.join("g"), CS_OK);
    int fd = -1;
    ASSERT_EQ(evs_fd_get(story.handle, &fd), CS_OK);
    ASSERT_EQ(story.say("x"), CS_OK);
    ASSERT_EQ(story.messages(), test::Lines{"x"});
  };
  for (int i = 0; i < cycles / 10; ++i) ASSERT_NO_FATAL_FAILURE(once());
  const Flatness early;
  for (int i = 0; i < cycles; ++i) ASSERT_NO_FATAL_FAILURE(once());
  expect_flat(early);
}

TEST(Cycles, OpenAndCloseBesideAMember) {
  PeerProcess peer;
  ASSERT_THAT(peer.ask("open " + test::directory() + " story"), HasSubstr("CS_OK"));
  ASSERT_EQ(peer.ask("told").substr(0, 5), "CS_OK");
  const int cycles = long_run() ? 100'000 : 200;
  const auto once = [] {
    Story story;
    ASSERT_EQ(story.result, CS_OK) << story.error;
    ASSERT_EQ(story.join("g"), CS_OK);
  };
  // Beyond the number of places, so that each has been lived in: a place's memory stays.
  for (int i = 0; i < 200; ++i) ASSERT_NO_FATAL_FAILURE(once());
  const Flatness early;
  const std::string peer_early = peer.ask("census");
  for (int i = 0; i < cycles; ++i) ASSERT_NO_FATAL_FAILURE(once());
  EXPECT_THAT(peer.ask("told"), HasSubstr("CS_OK"));
  // The last one's pidfd goes with the death that the peer's service thread is about to see.
  EXPECT_THAT(peer.ask("members"), HasSubstr("CS_OK 1 of 1"));
  EXPECT_EQ(peer.ask("census"), peer_early);
  expect_flat(early);
}

TEST(Cycles, HandlesOfAnOpenBus) {
  Story stays;
  const int cycles = long_run() ? 1'000'000 : 1000;
  const auto once = [] {
    Story story;
    ASSERT_EQ(story.result, CS_OK) << story.error;
    ASSERT_EQ(story.join("g"), CS_OK);
    int fd = -1;
    ASSERT_EQ(evs_fd_get(story.handle, &fd), CS_OK);
  };
  for (int i = 0; i < 600; ++i) ASSERT_NO_FATAL_FAILURE(once());
  stays.told();
  const Flatness early;
  for (int i = 0; i < cycles; ++i) ASSERT_NO_FATAL_FAILURE(once());
  stays.told();
  expect_flat(early);
}

TEST(Cycles, Kills) {
  Story story;
  ASSERT_EQ(story.join("g"), CS_OK);
  const int cycles = long_run() ? 20'000 : 60;
  const auto once = [&story] {
    PeerProcess peer;
    ASSERT_THAT(peer.ask("open " + test::directory() + " story"), HasSubstr("CS_OK"));
    ASSERT_EQ(peer.ask("join g"), "CS_OK");
    ASSERT_EQ(peer.ask("until conf 30000").substr(0, 5), "CS_OK");  // it has a bell
    ASSERT_EQ(peer.ask("send g x"), "CS_OK");
    peer.kill(SIGKILL);
    const auto gone = [&] {
      return std::any_of(story.lines.begin(), story.lines.end(),
                         [](const auto& line) { return line.rfind("conf 1 -", 0) == 0; });
    };
    while (!gone()) ASSERT_EQ(evs_dispatch(story.handle, CS_DISPATCH_ONE), CS_OK);
    const auto said = std::count(story.lines.begin(), story.lines.end(), "msg x");
    ASSERT_EQ(said, 1);
    story.lines.clear();
  };
  // A place is cleared of its last life's files when it is taken again: all have been taken once after this.
  const int places = long_run() ? 128 : 20;
  for (int i = 0; i < places; ++i) ASSERT_NO_FATAL_FAILURE(once());
  const Flatness early;
  for (int i = 0; i < cycles; ++i) ASSERT_NO_FATAL_FAILURE(once());
  const Flatness now;
  EXPECT_EQ(now.census.descriptors, early.census.descriptors);
  EXPECT_EQ(now.census.threads, early.census.threads);
  if (long_run()) {
    EXPECT_EQ(now.files, early.files);
  } else {
    // Fewer deaths than places: each leaves its group file and two bells until its place is taken again, and no more.
    EXPECT_LE(now.files, early.files + 3 * cycles);
  }
}

}  // namespace
}  // namespace evs::limits
