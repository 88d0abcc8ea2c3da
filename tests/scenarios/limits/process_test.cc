// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/process_test.cc - what processes do to a library inside them: fork, exec, run out of
// descriptors, lock themselves in.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <thread>

#include "shm/segment.h"
#include "tests/scenarios/limits/census.h"
#include "tests/scenarios/limits/peer_process.h"
#include "tests/unit/api/story.h"

// A child of fork() opens a bus of its own, and so starts a thread: the thread sanitizer asks to be told that this is
// meant.
extern "C" const char* __tsan_default_options() {
  return "die_after_fork=0";
}

namespace evs::limits {
namespace {

using test::Story;
using testing::HasSubstr;

std::string open_here() {
  return "open " + test::directory() + " story";
}

// Dispatches until the last line told is `line`.
void wait_for(Story& story, const std::string& line) {
  while (story.lines.empty() || story.lines.back() != line)
    ASSERT_EQ(evs_dispatch(story.handle, CS_DISPATCH_ONE), CS_OK);
}

// Runs `body` in a child; its return is the exit status.
template <class Body>
int in_child(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST(Fork, TheChildsHandleIsInvalidAndTheParentsUndisturbed) {
  Story story;
  ASSERT_EQ(story.join("g"), CS_OK);
  int fd = -1;
  ASSERT_EQ(evs_fd_get(story.handle, &fd), CS_OK);
  story.told();
  const evs_handle_t handle = story.handle;
  EXPECT_EQ(in_child([&] {
              const evs_group key = test::group("x");
              int child_fd = -1;
              void* context = nullptr;
              if (evs_dispatch(handle, CS_DISPATCH_ALL) != CS_ERR_BAD_HANDLE) return 1;
              if (evs_mcast_joined(handle, EVS_TYPE_AGREED, nullptr, 0) != CS_ERR_BAD_HANDLE) return 2;
              if (evs_join(handle, &key, 1) != CS_ERR_BAD_HANDLE) return 3;
              if (evs_leave(handle, &key, 1) != CS_ERR_BAD_HANDLE) return 4;
              if (evs_fd_get(handle, &child_fd) != CS_ERR_BAD_HANDLE) return 5;
              if (evs_context_get(handle, &context) != CS_ERR_BAD_HANDLE) return 6;
              if (evs_finalize(handle) != CS_ERR_BAD_HANDLE) return 7;
              return 0;
            }),
            0);
  ASSERT_EQ(story.say("still here"), CS_OK);
  EXPECT_EQ(story.messages(), test::Lines{"still here"});
}

// GCC 12's address sanitizer takes no locks of its allocator before a fork: a child that starts a thread may wait for one for ever.
void skip_if_children_may_not_allocate() {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "this sanitizer's allocator is not usable in a child of a process with threads";
#endif
}

TEST(Fork, TheChildMayOpenTheBusAnew) {
  skip_if_children_may_not_allocate();
  if (IsSkipped()) return;
  Story story;
  ASSERT_EQ(story.join("g"), CS_OK);
  story.told();
  EXPECT_EQ(in_child([] {
              Story child;
              if (child.result != CS_OK) return 1;
              if (child.join("g") != CS_OK || child.say("from the child") != CS_OK) return 2;
              child.lines.clear();
              if (evs_dispatch(child.handle, CS_DISPATCH_ALL) != CS_OK) return 3;
              const bool heard =
                  std::find(child.lines.begin(), child.lines.end(), "msg from the child") != child.lines.end();
              return heard ? 0 : 4;
            }),
            0);
  wait_for(story, "conf 1 -2");  // and its end is seen
  const auto said = std::find(story.lines.begin(), story.lines.end(), "msg from the child");
  EXPECT_NE(said, story.lines.end());
}

TEST(Fork, AndItsChild) {
  skip_if_children_may_not_allocate();
  if (IsSkipped()) return;
  Story story;
  ASSERT_EQ(story.result, CS_OK);
  EXPECT_EQ(in_child([] {
              Story child;
              if (child.result != CS_OK) return 1;
              const int grand = in_child([handle = child.handle] {
                if (evs_dispatch(handle, CS_DISPATCH_ALL) != CS_ERR_BAD_HANDLE) return 11;
                Story grandchild;
                return grandchild.result == CS_OK ? 0 : 12;
              });
              if (grand != 0) return grand;
              return evs_dispatch(child.handle, CS_DISPATCH_ALL) == CS_OK ? 0 : 2;
            }),
            0);
  EXPECT_EQ(story.dispatch(), CS_OK);
}

// The child inherits descriptors: were a lock among them, its parent would seem to live on in it.
TEST(Fork, AParentsDeathIsSeenWhileItsChildLives) {
  Story story;
  PeerProcess peer;
  ASSERT_THAT(peer.ask(open_here()), HasSubstr("CS_OK"));
  const pid_t child = std::stoi(peer.ask("fork"));
  ASSERT_GT(child, 0);
  wait_for(story, "conf 1 2 +2");
  peer.kill(SIGKILL);
  wait_for(story, "conf 1");
  EXPECT_EQ(kill(child, 0), 0) << "the child lives on";
  PeerProcess next;
  EXPECT_THAT(next.ask(open_here()), HasSubstr("CS_OK"));
  EXPECT_EQ(kill(child, SIGKILL), 0);
}

TEST(Exec, IsSeenAsALeaveAlthoughThePidLivesOn) {
  Story story;
  PeerProcess peer;
  ASSERT_THAT(peer.ask(open_here()), HasSubstr("CS_OK"));
  ASSERT_EQ(peer.ask("join g"), "CS_OK");
  wait_for(story, "conf 1 2 +2");
  EXPECT_EQ(peer.ask("exec"), "there");
  wait_for(story, "conf 1");
  EXPECT_EQ(kill(peer.pid(), 0), 0) << "the process is another program now, and lives";
  // What it had is free: nothing is inherited across exec.
  PeerProcess next;
  EXPECT_THAT(next.ask(open_here()), HasSubstr("CS_OK"));
}

// It takes the sleeper's bit, cannot open its bell, and nobody else will ring: so the alarm has the sleeper's own process look.
TEST(Descriptors, ARingerWithoutOneLosesNoWakeUp) {
  PeerProcess sleeper, ringer;
  ASSERT_THAT(sleeper.ask(open_here()), HasSubstr("CS_OK"));
  ASSERT_EQ(sleeper.ask("join g"), "CS_OK");
  ASSERT_THAT(ringer.ask(open_here()), HasSubstr("CS_OK"));
  ASSERT_THAT(ringer.ask("told"), HasSubstr("conf 1 2"));
  std::thread waiting([&] { EXPECT_THAT(sleeper.ask("until late 20000"), HasSubstr("msg late")); });
  sleeper.wait_until_polling();
  EXPECT_EQ(ringer.ask("descriptors 3"), "ok");  // what is open stays open
  EXPECT_EQ(ringer.ask("send g late"), "CS_OK");
  waiting.join();
}

TEST(Descriptors, FewerThanItTakesIsAClearErrorAndNothingIsLeft) {
  Story story;  // the bus stays, whatever happens to the other
  PeerProcess peer;
  ASSERT_EQ(peer.ask(open_here()).substr(0, 5), "CS_OK");
  ASSERT_EQ(peer.ask("finalize"), "CS_OK");  // what is loaded once is loaded
  const std::string before = peer.ask("census");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(before, found, std::regex("([0-9]+) descriptors")));
  const int used = std::stoi(found[1]);
  // From not one free descriptor up to enough: each refusal is a sentence, and the last attempt works.
  int refused = 0;
  std::string answer;
  for (int limit = 64; limit >= used; --limit) {
    PeerProcess tight;
    ASSERT_EQ(tight.ask(open_here()).substr(0, 5), "CS_OK");
    ASSERT_EQ(tight.ask("finalize"), "CS_OK");
    const std::string all = tight.ask("census");
    ASSERT_EQ(tight.ask("descriptors " + std::to_string(limit)), "ok");
    answer = tight.ask(open_here());
    if (answer.substr(0, 5) == "CS_OK") {
      EXPECT_EQ(tight.ask("join g"), "CS_OK");
      EXPECT_THAT(tight.ask("send g x"), HasSubstr("CS_OK"));
      EXPECT_THAT(tight.ask("told"), HasSubstr("msg x")) << limit;
      EXPECT_EQ(tight.ask("finalize"), "CS_OK");
      continue;
    }
    ++refused;
    EXPECT_THAT(answer, testing::StartsWith("CS_ERR_NO_RESOURCES ")) << limit;
    EXPECT_GT(answer.size(), 40u) << "a sentence";
    if (limit > used + 1) {  // the census itself needs one
      EXPECT_EQ(tight.ask("census"), all) << limit;
    }
  }
  EXPECT_GT(refused, 3) << "not enough descriptors was never met";
  // None of the refused is a member, and the bus works on.
  PeerProcess last;
  EXPECT_THAT(last.ask(open_here()), HasSubstr("CS_OK"));
  const std::string members = last.ask("members");  // "CS_OK 9 of 1 9"
  EXPECT_EQ(std::count(members.begin(), members.end(), ' '), 4) << members;
  EXPECT_EQ(story.dispatch(), CS_OK);
}

// The sleeper cannot have the senders fence any more; so it asks them to do it themselves, in the ring's front where all see it.
TEST(Barriers, ForbiddenAfterTheOpeningTheyLoseNoWakeUp) {
  Story story({.bus = "barred"});
  ASSERT_EQ(story.result, CS_OK) << story.error;
  PeerProcess sleeper;
  ASSERT_THAT(sleeper.ask("open " + test::directory() + " barred"), HasSubstr("CS_OK"));
  ASSERT_EQ(sleeper.ask("join g"), "CS_OK");
  const std::string path = test::directory() + "/barred.ring";
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  shm::Segment segment;
  const shm::Status mapped = shm::Segment::open(fd, path, segment, true);
  close(fd);
  ASSERT_TRUE(mapped.ok()) << mapped.text;
  if (segment.hot().fences_wanted.load() != 0) GTEST_SKIP() << "this kernel has no barriers to forbid";
  ASSERT_EQ(sleeper.ask("forbid-barriers"), "ok");
  for (int round = 0; round < 100; ++round) {
    const std::string text = "w" + std::to_string(round) + ".";
    std::thread waiting([&] { EXPECT_THAT(sleeper.ask("until " + text + " 20000"), HasSubstr("msg " + text)); });
    if (round == 0) {
      sleeper.wait_until_polling();
      EXPECT_EQ(segment.hot().fences_wanted.load(), 1u);
    }  // later ones meet it asleep, on its way to sleep, or before
    EXPECT_EQ(story.say_to({"g"}, text), CS_OK);
    waiting.join();
  }
}

// Its object is used again, and on every new bus the first member has the same nodeid in the same incarnation: whose pid a message tells
// must be of this bus.
TEST(Handles, TheNextOneKnowsNothingOfTheLast) {
  {
    Story first({.extended = true, .bus = "first"});
    ASSERT_EQ(first.join("g"), CS_OK);
    ASSERT_EQ(first.say("mine"), CS_OK);
    first.told();
    ASSERT_EQ(first.last_message.pid, getpid());
  }
  PeerProcess peer;
  ASSERT_THAT(peer.ask("open " + test::directory() + " second"), HasSubstr("CS_OK"));
  Story second({.extended = true, .bus = "second"});
  ASSERT_EQ(second.join("g"), CS_OK);
  ASSERT_EQ(peer.ask("send g x"), "CS_OK");
  const std::string last = "msg x";
  wait_for(second, last);
  EXPECT_EQ(second.last_message.pid, peer.pid());
}

}  // namespace
}  // namespace evs::limits
