// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/interrupt_test.cc - signals and threads at the wrong moment: storms, handlers that send,
// handles that go.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/scenarios/limits/peer_process.h"
#include "tests/unit/api/story.h"

namespace evs::limits {
namespace {

using test::Story;
using testing::HasSubstr;

// A timer's signal every so many microseconds, without SA_RESTART: each system call of this process may end with EINTR.
class Storm {
 public:
  Storm(int every_us, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigaction(SIGALRM, &action, &before_);
    const itimerval often{{0, every_us}, {0, every_us}};
    setitimer(ITIMER_REAL, &often, nullptr);
  }
  ~Storm() {
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    sigaction(SIGALRM, &before_, nullptr);
  }

 private:
  struct sigaction before_ {};
};

std::atomic<uint64_t> struck{0};

TEST(Signals, AStormDuringEachCall) {
  struck = 0;
  PeerProcess peer;
  ASSERT_THAT(peer.ask("open " + test::directory() + " story"), HasSubstr("CS_OK"));
  ASSERT_EQ(peer.ask("join g"), "CS_OK");
  {
    const Storm storm(150, [](int) { struck.fetch_add(1, std::memory_order_relaxed); });
    for (int i = 0; i < 40; ++i) {
      Story story;
      ASSERT_EQ(story.result, CS_OK) << story.error;
      ASSERT_EQ(story.join("g"), CS_OK);
      int fd = -1;
      ASSERT_EQ(evs_fd_get(story.handle, &fd), CS_OK);
      ASSERT_EQ(story.say("mine"), CS_OK);
      ASSERT_EQ(peer.ask("send g theirs"), "CS_OK");
      // A blocking dispatch goes on sleeping through them until there is something to tell.
      while (story.lines.empty() || story.lines.back() != "msg theirs")
        ASSERT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
      ASSERT_EQ(story.leave("g"), CS_OK);
      EXPECT_EQ(std::count(story.lines.begin(), story.lines.end(), "msg mine"), 1);
    }
  }
  EXPECT_GT(struck, 40u);
  EXPECT_THAT(peer.ask("until mine 1000"), HasSubstr("msg mine"));
}

evs_handle_t sending_handle = 0;
std::atomic<uint64_t> sent_by_handler{0}, refused_in_handler{0}, surprises{0};

void send_from_handler(int) {
  const uint64_t number = sent_by_handler.load(std::memory_order_relaxed);
  const iovec part{const_cast<uint64_t*>(&number), sizeof number};
  switch (evs_mcast_joined(sending_handle, EVS_TYPE_AGREED, &part, 1)) {
    case CS_OK:
      sent_by_handler.fetch_add(1, std::memory_order_relaxed);
      break;
    case CS_ERR_TRY_AGAIN:
      refused_in_handler.fetch_add(1, std::memory_order_relaxed);
      break;
    default:
      surprises.fetch_add(1, std::memory_order_relaxed);
  }
}

// The handler sends while this very thread sends and dispatches: it is refused inside a send, and never waits for it.
TEST(Signals, HandlersThatSendInterruptSendersAndReaders) {
  sent_by_handler = refused_in_handler = surprises = 0;
  Story story;
  ASSERT_EQ(story.join("g"), CS_OK);
  story.told();
  sending_handle = story.handle;
  const std::string large(200000, 'L');
  uint64_t large_sent = 0, large_got = 0, small_got = 0, out_of_order = 0;
  story.on_message = [&] {
    const std::string& line = story.lines.back();
    if (line.size() == 4 + large.size()) {
      ++large_got;
    } else {
      uint64_t number = 0;
      std::memcpy(&number, line.data() + 4, sizeof number);
      out_of_order += number != small_got ? 1 : 0;
      ++small_got;
    }
    story.lines.clear();
  };
  {
    const Storm storm(100, &send_from_handler);
    // Until a send was met in its middle; with so large messages that is soon.
    for (int turn = 0; turn < 200000 && (refused_in_handler < 3 || turn < 2000); ++turn) {
      const cs_error_t answer = story.say(large);
      ASSERT_TRUE(answer == CS_OK || answer == CS_ERR_TRY_AGAIN) << cs_strerror(answer);
      large_sent += answer == CS_OK ? 1 : 0;
      ASSERT_EQ(story.dispatch(), CS_OK);
    }
  }
  ASSERT_EQ(story.dispatch(), CS_OK);
  EXPECT_EQ(surprises, 0u);
  EXPECT_GT(sent_by_handler, 0u);
  EXPECT_GT(refused_in_handler, 0u) << "no send was interrupted";
  EXPECT_EQ(small_got, sent_by_handler);
  EXPECT_EQ(out_of_order, 0u);
  EXPECT_EQ(large_got, large_sent);
}

TEST(Finalize, FromACallbackOfEachDispatch) {
  for (const auto how : {CS_DISPATCH_ONE, CS_DISPATCH_ALL, CS_DISPATCH_BLOCKING, CS_DISPATCH_ONE_NONBLOCKING}) {
    Story story;
    ASSERT_EQ(story.join("g"), CS_OK);
    story.told();
    ASSERT_EQ(story.say("1"), CS_OK);
    ASSERT_EQ(story.say("2"), CS_OK);
    const evs_handle_t handle = story.handle;
    story.on_message = [&] { EXPECT_EQ(evs_finalize(handle), CS_OK); };
    EXPECT_EQ(evs_dispatch(handle, how), CS_OK);
    EXPECT_EQ(story.lines, test::Lines{"msg 1"});
    EXPECT_EQ(evs_dispatch(handle, how), CS_ERR_BAD_HANDLE);
    story.handle = 0;
  }
}

// A thread that comes to the call when the handle is gone is told so; most have come before.
TEST(Finalize, WhileOthersBlockInDispatchAndSend) {
  std::atomic<int> ended{0};
  for (int round = 0; round < 30; ++round) {
    Story::Wishes wishes;
    wishes.extended = true;  // its callbacks know their story also when the handle is gone
    Story story(wishes);
    ASSERT_EQ(story.join("g"), CS_OK);
    const evs_handle_t handle = story.handle;
    story.on_message = [&] { story.lines.clear(); };
    std::atomic<int> running{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] {
        ++running;
        const cs_error_t answer = evs_dispatch(handle, CS_DISPATCH_BLOCKING);
        ended += answer == CS_OK;
        EXPECT_TRUE(answer == CS_OK || answer == CS_ERR_BAD_HANDLE) << cs_strerror(answer);
      });
    for (int i = 0; i < 2; ++i)
      threads.emplace_back([&] {
        ++running;
        cs_error_t answer;
        do answer = evs_mcast_joined(handle, EVS_TYPE_AGREED, nullptr, 0);
        while (answer == CS_OK || answer == CS_ERR_TRY_AGAIN);
        EXPECT_EQ(answer, CS_ERR_BAD_HANDLE);
      });
    while (running < 5) std::this_thread::yield();
    EXPECT_EQ(evs_finalize(handle), CS_OK);
    for (auto& thread : threads) thread.join();
    story.handle = 0;
  }
  EXPECT_GT(ended, 0) << "nobody was in the call";
}

// One handle, 64 threads: half send, half dispatch; each message arrives once and each sender's in its order.
TEST(Threads, SixtyFourSendAndDispatchOnOneHandle) {
  constexpr int kSenders = 32, kReaders = 32;
  constexpr uint32_t kEach = 400;
  Story story;
  ASSERT_EQ(story.join("g"), CS_OK);
  story.told();
  struct Word {
    uint32_t sender, number;
  };
  std::vector<uint32_t> next(kSenders, 0);
  std::atomic<int> wrong{0}, inside{0};
  std::atomic<uint64_t> got{0};
  story.on_message = [&] {
    if (inside.fetch_add(1) != 0) ++wrong;  // one callback at a time
    Word word;
    std::memcpy(&word, story.lines.back().data() + 4, sizeof word);
    if (word.sender >= kSenders || word.number != next[word.sender]++) ++wrong;
    story.lines.clear();
    got.fetch_add(1, std::memory_order_release);
    inside.fetch_sub(1);
  };
  std::vector<std::thread> threads;
  for (uint32_t s = 0; s < kSenders; ++s)
    threads.emplace_back([&, s] {
      for (uint32_t n = 0; n < kEach;) {
        Word word{s, n};
        const iovec part{&word, sizeof word};
        const cs_error_t answer = evs_mcast_joined(story.handle, EVS_TYPE_FIFO, &part, 1);
        if (answer == CS_OK) {
          ++n;
        } else if (answer == CS_ERR_TRY_AGAIN) {
          std::this_thread::yield();
        } else {
          ++wrong;
          return;
        }
      }
    });
  for (int r = 0; r < kReaders; ++r)
    threads.emplace_back([&] {
      while (got.load(std::memory_order_acquire) < uint64_t{kSenders} * kEach && wrong == 0) {
        const cs_error_t answer = evs_dispatch(story.handle, CS_DISPATCH_ONE_NONBLOCKING);
        if (answer == CS_ERR_TRY_AGAIN)
          std::this_thread::yield();
        else if (answer != CS_OK)
          ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(got, uint64_t{kSenders} * kEach);
}

}  // namespace
}  // namespace evs::limits
