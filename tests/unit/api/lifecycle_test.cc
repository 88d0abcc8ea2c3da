// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/api/lifecycle_test.cc - handles that end while they are used; threads, callbacks, forks and signals.
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <thread>

#include "tests/unit/api/story.h"

namespace evs::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

bool readable(int fd, int timeout_ms = 0) {
  pollfd wish{fd, POLLIN, 0};
  return poll(&wish, 1, timeout_ms) == 1 && (wish.revents & POLLIN) != 0;
}

TEST(Finalize, InACallbackEndsTheDispatch) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  ASSERT_EQ(story.say("1"), CS_OK);
  ASSERT_EQ(story.say("2"), CS_OK);
  const evs_handle_t handle = story.handle;
  story.on_message = [&] {
    EXPECT_EQ(evs_finalize(handle), CS_OK);
    EXPECT_EQ(evs_finalize(handle), CS_ERR_BAD_HANDLE);
    story.handle = 0;
  };
  EXPECT_EQ(evs_dispatch(handle, CS_DISPATCH_BLOCKING), CS_OK);
  EXPECT_THAT(story.lines, ElementsAre("msg 1"));
  Story next;  // the slot and the bus are free again
  EXPECT_EQ(next.result, CS_OK) << next.error;
}

// A thread that the kernel shows asleep after it has set out into a call sleeps in that call.
void wait_until_asleep(std::atomic<int>& thread_id) {
  for (;; std::this_thread::yield()) {
    if (thread_id == 0) continue;
    std::ifstream stat("/proc/self/task/" + std::to_string(thread_id) + "/stat");
    std::string line;
    std::getline(stat, line);
    const size_t name_end = line.rfind(')');
    if (name_end != std::string::npos && line.compare(name_end, 3, ") S") == 0) return;
  }
}

TEST(Finalize, FromAnotherThreadEndsABlockedDispatch) {
  for (const auto how : {CS_DISPATCH_BLOCKING, CS_DISPATCH_ONE}) {
    Story story;
    story.told();
    constexpr int kThreads = 4;
    std::atomic<int> ids[kThreads] = {};
    std::vector<std::thread> blocked;
    for (auto& id : ids)
      blocked.emplace_back([&, handle = story.handle] {
        id = gettid();
        EXPECT_EQ(evs_dispatch(handle, how), CS_OK);
      });
    for (auto& id : ids) wait_until_asleep(id);
    EXPECT_EQ(evs_finalize(std::exchange(story.handle, 0)), CS_OK);
    for (auto& thread : blocked) thread.join();
  }
}

TEST(Finalize, WaitsForACallbackInAnotherThread) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  ASSERT_EQ(story.say("1"), CS_OK);
  std::atomic<bool> in_callback{false}, go_on{false}, finalized{false}, callback_ended{false};
  story.on_message = [&] {
    in_callback = true;
    while (!go_on) std::this_thread::yield();
    EXPECT_FALSE(finalized);
    callback_ended = true;
  };
  const evs_handle_t handle = std::exchange(story.handle, 0);
  std::atomic<int> closer_id{0};
  std::thread reader([&] { EXPECT_EQ(evs_dispatch(handle, CS_DISPATCH_ALL), CS_OK); });
  while (!in_callback) std::this_thread::yield();
  std::thread closer([&] {
    closer_id = gettid();
    EXPECT_EQ(evs_finalize(handle), CS_OK);
    EXPECT_TRUE(callback_ended);
    // The dispatch took the handle down, and the bus with it: before this returned.
    EXPECT_NE(access((directory() + "/story.ring").c_str(), F_OK), 0) << "the last one has left nothing";
    finalized = true;
  });
  wait_until_asleep(closer_id);
  go_on = true;
  reader.join();
  closer.join();
}

TEST(Finalize, TwoCallbacksMayCloseEachOthersHandle) {
  Story a, b;
  ASSERT_EQ(a.join("a"), CS_OK);
  ASSERT_EQ(b.join("b"), CS_OK);
  a.told();
  b.told();
  ASSERT_EQ(a.say("x"), CS_OK);
  ASSERT_EQ(b.say("x"), CS_OK);
  const evs_handle_t first = std::exchange(a.handle, 0), second = std::exchange(b.handle, 0);
  std::atomic<int> inside{0};
  const auto meet = [&](evs_handle_t other) {
    ++inside;
    while (inside < 2) std::this_thread::yield();
    EXPECT_EQ(evs_finalize(other), CS_OK);
  };
  a.on_message = [&] { meet(second); };
  b.on_message = [&] { meet(first); };
  std::thread one([&] { evs_dispatch(first, CS_DISPATCH_ALL); });
  std::thread two([&] { evs_dispatch(second, CS_DISPATCH_ALL); });
  one.join();
  two.join();
  EXPECT_EQ(evs_finalize(first), CS_ERR_BAD_HANDLE);
  Story next;  // both are down, and so is the bus
  EXPECT_EQ(next.result, CS_OK) << next.error;
}

TEST(Dispatch, InACallbackGoesOnWithTheQueue) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  for (const char* text : {"1", "2", "3"}) ASSERT_EQ(story.say(text), CS_OK);
  story.on_message = [&] {
    if (story.lines.back() != "msg 1") return;
    EXPECT_EQ(story.say("4"), CS_OK);
    EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
    EXPECT_EQ(story.dispatch(CS_DISPATCH_ALL), CS_OK);
    story.lines.push_back("end of 1");
  };
  EXPECT_THAT(story.told(), ElementsAre("msg 1", "msg 2", "msg 3", "msg 4", "end of 1"));
}

TEST(Dispatch, BlockingWaitsForTheFirst) {
  Story sender, receiver;
  ASSERT_EQ(receiver.join("a"), CS_OK);
  receiver.told();
  std::thread waiting([&] { EXPECT_EQ(receiver.dispatch(CS_DISPATCH_ONE), CS_OK); });
  EXPECT_EQ(sender.say_to({"a"}, "x"), CS_OK);
  waiting.join();
  EXPECT_THAT(receiver.take(), ElementsAre("msg x"));
}

// Two threads, a message each: the first may read both, and must not leave the second asleep on its own.
TEST(Dispatch, WhatOneLeavesAnotherIsWokenFor) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  for (int round = 0; round < 200; ++round) {
    std::thread other([&] { EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK); });
    std::thread third([&] { EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK); });
    ASSERT_EQ(story.say("1"), CS_OK);
    ASSERT_EQ(story.say("2"), CS_OK);
    other.join();
    third.join();
    ASSERT_EQ(story.take(), (Lines{"msg 1", "msg 2"})) << round;
  }
}

TEST(Threads, SixtyFourOnOneHandle) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  constexpr int kThreads = 64, kEach = 50;
  std::atomic<int> inside{0}, delivered{0};
  story.on_message = [&] {
    EXPECT_EQ(++inside, 1);  // one callback at a time
    ++delivered;
    --inside;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        cs_error_t answer;
        while ((answer = story.say("m")) == CS_ERR_TRY_AGAIN) story.dispatch();
        EXPECT_EQ(answer, CS_OK);
        EXPECT_EQ(story.dispatch(), CS_OK);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(story.dispatch(), CS_OK);
  EXPECT_EQ(delivered, kThreads * kEach);
  evs_status_t status{};
  status.struct_size = sizeof status;
  ASSERT_EQ(evs_status(story.handle, &status), CS_OK);
  EXPECT_EQ(status.sent_messages, uint64_t{kThreads * kEach});
  EXPECT_EQ(status.sent_bytes, uint64_t{kThreads * kEach});
}

TEST(Threads, HandlesComeAndGoUnderSenders) {
  std::atomic<evs_handle_t> shared{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> users;
  const evs_group key = group("a");
  for (int i = 0; i < 4; ++i)
    users.emplace_back([&] {
      const iovec part{const_cast<char*>("x"), 1};
      while (!done) {
        const cs_error_t answer = evs_mcast_groups(shared, EVS_TYPE_AGREED, &key, 1, &part, 1);
        EXPECT_TRUE(answer == CS_OK || answer == CS_ERR_BAD_HANDLE || answer == CS_ERR_TRY_AGAIN) << cs_strerror(answer);
        evs_dispatch(shared, CS_DISPATCH_ALL);
      }
    });
  for (int round = 0; round < 40; ++round) {
    evs_handle_t handle = 0;
    Story story({.silent = true});
    handle = std::exchange(story.handle, 0);
    ASSERT_EQ(story.result, CS_OK) << story.error;
    ASSERT_EQ(evs_join(handle, &key, 1), CS_OK);
    shared = handle;
    std::this_thread::yield();
    ASSERT_EQ(evs_finalize(handle), CS_OK);
  }
  done = true;
  for (auto& user : users) user.join();
}

// A cancellation that hits a call takes effect when it has returned: nothing is left locked or half done, and nobody is ended.
TEST(Threads, CancelledWhileTheyCall) {
  Story story;
  ASSERT_EQ(story.join("g"), CS_OK);
  for (int round = 0; round < 60; ++round) {
    std::atomic<int> turns{0};
    const auto call = [&] {
      Story own({.extended = round % 2 == 0});
      int fd = -1;
      unsigned int nodeid = 0;
      evs_status_t status{};
      status.struct_size = sizeof status;
      for (;; ++turns) {
        own.join("h");
        own.say("x");
        evs_fd_get(own.handle, &fd);
        evs_dispatch(own.handle, CS_DISPATCH_ALL);
        evs_membership_get(own.handle, &nodeid, nullptr, nullptr);
        evs_status(own.handle, &status);
        own.leave("h");
        own.lines.clear();
        Story brief;
        pthread_testcancel();
      }
    };
    std::thread caller(call);
    while (turns < round % 5) std::this_thread::yield();
    ASSERT_EQ(pthread_cancel(caller.native_handle()), 0);
    caller.join();
  }
  story.take();
  ASSERT_EQ(story.say("all is well"), CS_OK);
  EXPECT_EQ(story.messages(), Lines{"all is well"});
}

TEST(Threads, CancelledInACallback) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers' runtimes do not follow the unwinding of a cancelled thread";
#endif
  Story story;
  ASSERT_EQ(story.join("g"), CS_OK);
  story.told();
  std::atomic<bool> there{false};
  story.on_message = [&] {
    there = true;
    for (;;) pause();
  };
  ASSERT_EQ(story.say("1"), CS_OK);
  ASSERT_EQ(story.say("2"), CS_OK);
  std::thread caller([&] { story.dispatch(CS_DISPATCH_BLOCKING); });
  while (!there) std::this_thread::yield();
  ASSERT_EQ(pthread_cancel(caller.native_handle()), 0);
  caller.join();
  story.on_message = nullptr;
  EXPECT_EQ(story.messages(), (Lines{"1", "2"})) << "the first was told before, the second is not lost";
}

TEST(Limits, HandlesOfAProcess) {
  std::vector<std::unique_ptr<Story>> stories;
  for (int i = 0; i < EVS_MAX_HANDLES; ++i) {
    stories.push_back(std::make_unique<Story>());
    ASSERT_EQ(stories.back()->result, CS_OK) << i << ": " << stories.back()->error;
  }
  Story one_too_many;
  EXPECT_EQ(one_too_many.result, CS_ERR_NO_RESOURCES);
  EXPECT_NE(one_too_many.error, "");
  stories.pop_back();
  Story fits;
  EXPECT_EQ(fits.result, CS_OK) << fits.error;
}

TEST(Fd, IsReadableWhileThereIsSomething) {
  Story story, sender;
  int fd = -1, again = -1;
  EXPECT_EQ(evs_fd_get(story.handle, nullptr), CS_ERR_INVALID_PARAM);
  ASSERT_EQ(evs_fd_get(story.handle, &fd), CS_OK);
  ASSERT_EQ(evs_fd_get(story.handle, &again), CS_OK);
  EXPECT_EQ(fd, again);
  EXPECT_TRUE(readable(fd));  // the first configuration
  story.told();
  story.told();
  EXPECT_FALSE(readable(fd));
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  EXPECT_FALSE(readable(fd, 10));
  for (const char* text : {"1", "2"}) ASSERT_EQ(sender.say_to({"a"}, text), CS_OK);
  EXPECT_TRUE(readable(fd, 5000));
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
  EXPECT_TRUE(readable(fd));  // one is left, though the medium has nothing more
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
  EXPECT_THAT(story.take(), ElementsAre("msg 1", "msg 2"));
  story.told();
  EXPECT_FALSE(readable(fd));
}

TEST(Fork, TheChildsHandleIsInvalidAndTheParentUndisturbed) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's allocator stays locked in a child, when another thread was in it at the fork";
#endif
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread sanitizer forbids threads in the child of a process with threads";
#endif
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  const pid_t child = fork();
  if (child == 0) {
    const evs_group key = group("a");
    const iovec part{const_cast<char*>("child"), 5};
    bool good = evs_mcast_groups(story.handle, EVS_TYPE_AGREED, &key, 1, &part, 1) == CS_ERR_BAD_HANDLE;
    good = evs_dispatch(story.handle, CS_DISPATCH_ALL) == CS_ERR_BAD_HANDLE && good;
    good = evs_finalize(story.handle) == CS_ERR_BAD_HANDLE && good;
    Story own({.bus = "child"});
    good = own.result == CS_OK && own.join("a") == CS_OK && own.say("mine") == CS_OK && own.messages() == Lines{"mine"} && good;
    good = evs_finalize(std::exchange(own.handle, 0)) == CS_OK && good;
    _exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(story.say("parent"), CS_OK);
  EXPECT_THAT(story.messages(), ElementsAre("parent"));
}

TEST(Fork, InACallbackTheChildsDispatchSaysBadHandle) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  for (const char* text : {"1", "2"}) ASSERT_EQ(story.say(text), CS_OK);
  pid_t child = -1;
  story.on_message = [&] {
    if (child < 0) child = fork();
  };
  const cs_error_t answer = story.dispatch();
  if (child == 0) _exit(answer == CS_ERR_BAD_HANDLE && story.lines.size() == 1 ? 0 : 1);
  EXPECT_EQ(answer, CS_OK);
  EXPECT_THAT(story.take(), ElementsAre("msg 1", "msg 2"));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

evs_handle_t g_signal_handle;
std::atomic<uint64_t> g_signal_sent{0};
void send_in_handler(int) {
  const evs_group key = group("a");
  const iovec part{const_cast<char*>("s"), 1};
  if (evs_mcast_groups(g_signal_handle, EVS_TYPE_AGREED, &key, 1, &part, 1) == CS_OK) g_signal_sent.fetch_add(1);
}

TEST(Signals, HandlersMaySend) {
  Story story;
  ASSERT_EQ(story.join("a"), CS_OK);
  story.told();
  g_signal_handle = story.handle;
  g_signal_sent = 0;
  struct sigaction action {}, before {};
  action.sa_handler = &send_in_handler;
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  std::atomic<bool> done{false};
  const pthread_t target = pthread_self();
  std::thread shooter([&] {
    for (int i = 0; i < 2000 && !done; ++i) {
      pthread_kill(target, SIGUSR1);
      std::this_thread::yield();
    }
    done = true;
  });
  uint64_t own = 0, got = 0;
  while (!done) {
    if (story.say("o") == CS_OK) ++own;
    got += story.messages().size();
  }
  shooter.join();
  sigaction(SIGUSR1, &before, nullptr);
  got += story.messages().size();
  EXPECT_EQ(got, own + g_signal_sent);
  evs_status_t status{};
  status.struct_size = sizeof status;
  ASSERT_EQ(evs_status(story.handle, &status), CS_OK);
  EXPECT_EQ(status.sent_messages, own + g_signal_sent);
}

TEST(Initialize, AnotherConfigurationOfAnOpenBusIsRefused) {
  Story first({.parameters = {{"local.message_limit", "512KiB"}}});
  ASSERT_EQ(first.result, CS_OK) << first.error;
  Story same({.parameters = {{"local.message_limit", "512KiB"}}});
  EXPECT_EQ(same.result, CS_OK) << same.error;
  Story other({.parameters = {{"local.message_limit", "256KiB"}}});
  EXPECT_EQ(other.result, CS_ERR_EXIST);
  EXPECT_THAT(other.error, testing::HasSubstr("local.message_limit"));
}

TEST(Initialize, FailuresAreSentences) {
  Story unknown({.parameters = {{"local.ring_sise", "4MiB"}}});
  EXPECT_EQ(unknown.result, CS_ERR_INVALID_PARAM);
  EXPECT_THAT(unknown.error, testing::HasSubstr("local.ring_size"));
  Story missing({.parameters = {{"local.transport", "carrier-pigeon"}}});
  EXPECT_EQ(missing.result, CS_ERR_NOT_EXIST);
  EXPECT_THAT(missing.error, testing::HasSubstr("carrier-pigeon"));
  Story keyless({.parameters = {{"uplink.transport", "udp"}, {"uplink.key_file", "/nonexistent/evs/key"}}});
  EXPECT_EQ(keyless.result, CS_ERR_ACCESS);
  EXPECT_THAT(keyless.error, testing::HasSubstr("evs keygen /nonexistent/evs/key"));
  Story good;
  EXPECT_EQ(good.result, CS_OK) << good.error;
}

}  // namespace
}  // namespace evs::test
