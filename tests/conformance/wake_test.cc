// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/wake_test.cc - bells: wait(), wake(), the descriptor, and room.
#include <poll.h>

#include <cerrno>
#include <csignal>

#include "tests/conformance/suite.h"

namespace evs::conformance {
namespace {

class Wake : public testing::Test {
 protected:
  Wake() : member_(fresh_bus()), reader_(member_) {
    reader_.join("g");
    reader_.drain();
  }
  const evs_ordered_ops& ops() { return member_.ops(); }
  void send(const std::string& name = "g", size_t size = 4) {
    ASSERT_EQ(member_.append(to(name, std::string(size, 'm'))), EVS_P_OK);
  }
  // Until no more fits; how many did.
  size_t fill(size_t size) {
    size_t count = 0;
    while (member_.append(to("g", std::string(size, 'f'))) == EVS_P_OK) ++count;
    return count;
  }
  bool becomes_readable() {
    pollfd fd{ops().fd(reader_.cursor()), POLLIN, 0};
    return poll(&fd, 1, static_cast<int>(kLong / kMs)) == 1;
  }

  Member member_;
  Reader reader_;
};

TEST_F(Wake, WaitReturnsAtOnceWhenSomethingIsThere) {
  send();
  EXPECT_EQ(ops().wait(reader_.cursor(), 0), EVS_P_OK);
}

TEST_F(Wake, WaitTimesOut) {
  EXPECT_EQ(ops().wait(reader_.cursor(), 0), EVS_P_TIMEOUT);
  const uint64_t begin = now_ns();
  EXPECT_EQ(ops().wait(reader_.cursor(), 20 * kMs), EVS_P_TIMEOUT);
  EXPECT_GE(now_ns() - begin, 20 * kMs);
}

TEST_F(Wake, AMessageEndsTheWait) {
  for (int i = 0; i < 200; ++i) {
    std::thread writer([&] { send(); });
    EXPECT_EQ(ops().wait(reader_.cursor(), kLong), EVS_P_OK);
    writer.join();
    reader_.drain();
  }
}

TEST_F(Wake, WakeEndsThePresentWaitOrTheNext) {
  ops().wake(reader_.cursor());
  EXPECT_EQ(ops().wait(reader_.cursor(), kLong), EVS_P_INTERRUPTED);
  for (int i = 0; i < 200; ++i) {
    std::thread waker([&] { ops().wake(reader_.cursor()); });
    EXPECT_EQ(ops().wait(reader_.cursor(), kLong), EVS_P_INTERRUPTED);
    waker.join();
  }
  EXPECT_EQ(ops().wait(reader_.cursor(), 0), EVS_P_TIMEOUT) << "one wake, one interruption";
}

TEST_F(Wake, OnlyWhomItConcernsIsWoken) {
  Reader other(member_);
  other.join("quiet");
  other.drain();
  ASSERT_GE(ops().fd(other.cursor()), 0);
  ASSERT_GE(ops().fd(reader_.cursor()), 0);
  ASSERT_EQ(ops().arm(other.cursor()), EVS_P_AGAIN);
  ASSERT_EQ(ops().arm(reader_.cursor()), EVS_P_AGAIN);
  ASSERT_FALSE(other.readable());
  send("g");
  EXPECT_TRUE(becomes_readable());
  EXPECT_FALSE(other.readable());
}

TEST_F(Wake, TheDescriptorIsReadableFromTheMessageUntilItIsArmed) {
  const int fd = ops().fd(reader_.cursor());
  ASSERT_GE(fd, 0);
  EXPECT_EQ(ops().arm(reader_.cursor()), EVS_P_AGAIN);
  EXPECT_FALSE(reader_.readable());
  send();
  EXPECT_TRUE(becomes_readable());
  EXPECT_TRUE(reader_.readable()) << "level-triggered: still";
  send();
  reader_.drain();
  EXPECT_EQ(ops().arm(reader_.cursor()), EVS_P_AGAIN);
  EXPECT_FALSE(reader_.readable());
  EXPECT_EQ(ops().fd(reader_.cursor()), fd) << "the same for the cursor's life";
}

TEST_F(Wake, ArmingTooLateIsSaid) {
  ASSERT_GE(ops().fd(reader_.cursor()), 0);
  send();
  EXPECT_EQ(ops().arm(reader_.cursor()), EVS_P_OK);
  EXPECT_TRUE(becomes_readable());
}

TEST_F(Wake, NoMessageSlipsBetweenArmingAndPolling) {
  ASSERT_GE(ops().fd(reader_.cursor()), 0);
  std::atomic<size_t> sent{0};
  constexpr size_t kCount = 3000;
  std::thread writer([&] {
    for (; sent < kCount; ++sent) send();
  });
  size_t read = 0;
  while (read < kCount) {
    reader_.drain();
    read += reader_.messages().size();
    reader_.got().clear();
    if (read == kCount) break;
    if (ops().arm(reader_.cursor()) == EVS_P_AGAIN) {
      ASSERT_TRUE(becomes_readable()) << "after " << read << " of " << sent;
    }
  }
  writer.join();
}

TEST_F(Wake, RingMakesItReadableFromAnywhere) {
  ASSERT_GE(ops().fd(reader_.cursor()), 0);
  ASSERT_EQ(ops().arm(reader_.cursor()), EVS_P_AGAIN);
  std::thread([&] { ops().ring(reader_.cursor()); }).join();
  EXPECT_TRUE(reader_.readable());
  EXPECT_EQ(reader_.read(), EVS_P_AGAIN);
  EXPECT_EQ(ops().arm(reader_.cursor()), EVS_P_AGAIN);
  EXPECT_FALSE(reader_.readable());
}

// ---- Room ----

TEST_F(Wake, AFullMediumSaysSoAndLosesNothing) {
  const size_t count = fill(1000);
  EXPECT_GT(count, 100u);
  EXPECT_EQ(ops().room(member_.self(), nullptr, 1000, 1), EVS_P_AGAIN);
  EXPECT_EQ(ops().wait_room(member_.self(), 1000, 1, 10 * kMs), EVS_P_TIMEOUT);
  evs_ordered_usage usage{};
  usage.struct_size = sizeof(usage);
  ops().usage(member_.self(), &usage);
  EXPECT_EQ(usage.holder_nodeid, member_.who().nodeid);
  EXPECT_EQ(usage.holder_pid, getpid());
  EXPECT_GE(usage.used_bytes, count * 1000);
  EXPECT_LE(usage.used_bytes, usage.capacity_bytes);
  EXPECT_GE(ops().lag(reader_.cursor()), 1u);
  reader_.drain();
  EXPECT_EQ(reader_.messages().size(), count);
  EXPECT_EQ(ops().room(member_.self(), nullptr, 1000, 1), EVS_P_OK);
  send();
}

TEST_F(Wake, RoomRingsWhoAskedForIt) {
  ASSERT_GE(ops().fd(reader_.cursor()), 0);
  Reader asker(member_);
  ASSERT_GE(ops().fd(asker.cursor()), 0);
  fill(1000);
  ops().arm(asker.cursor());
  ASSERT_EQ(ops().room(member_.self(), asker.cursor(), 1000, 1), EVS_P_AGAIN);
  std::thread drainer([&] { reader_.drain(); });
  pollfd fd{ops().fd(asker.cursor()), POLLIN, 0};
  EXPECT_EQ(poll(&fd, 1, static_cast<int>(kLong / kMs)), 1);
  drainer.join();
  EXPECT_EQ(ops().room(member_.self(), asker.cursor(), 1000, 1), EVS_P_OK);
}

TEST_F(Wake, WaitRoomEndsWhenThereIsSome) {
  fill(1000);
  std::thread drainer([&] { reader_.drain(); });
  EXPECT_EQ(ops().wait_room(member_.self(), 1000, 1, kLong), EVS_P_OK);
  drainer.join();
}

TEST_F(Wake, AQuietReaderAndAParkedOneDelayNobody) {
  Reader quiet(member_), parked(member_);
  quiet.join("quiet");
  const uint64_t capacity = [&] {
    evs_ordered_usage usage{};
    usage.struct_size = sizeof(usage);
    ops().usage(member_.self(), &usage);
    return usage.capacity_bytes;
  }();
  for (uint64_t sent = 0; sent < 10 * capacity; sent += 8000) {
    int32_t status = EVS_P_AGAIN;
    while ((status = member_.append(to("g", std::string(8000, 'm')))) == EVS_P_AGAIN) {
      // What the bus's service thread does for a handle that does not dispatch: it passes what the handle has not
      // joined.
      quiet.read([](void*, const evs_frame* frame) -> int32_t {
        return frame->group_count != 0 && frame->groups[0].key[0] == 'q' ? EVS_WANT_STOP : EVS_WANT_SKIP;
      });
      ASSERT_EQ(ops().wait_room(member_.self(), 8000, 1, kLong), EVS_P_OK) << "after " << sent << " bytes";
    }
    ASSERT_EQ(status, EVS_P_OK);
    reader_.drain();
    reader_.got().clear();
  }
  ASSERT_EQ(member_.append(to("quiet", "at last")), EVS_P_OK);
  quiet.drain();  // it may be shown, or spared, what does not concern it
  ASSERT_FALSE(quiet.messages().empty());
  EXPECT_EQ(quiet.messages().back().data, "at last");
}

// ---- Signals ----

Member* signalled;
std::atomic<uint32_t> from_handler, nested;

void on_signal(int) {
  const int kept = errno;
  static char text[] = "signal";
  static const iovec part{text, 6};
  static const evs_plugin_group key = group("g");
  const evs_append frame{sizeof(evs_append), EVS_FRAME_MESSAGE, 0, 1, &key, &part, 1, 0, 6};
  uint64_t position = 0;
  const int32_t status = signalled->ops().append(signalled->self(), &frame, &position, nullptr, nullptr);
  if (status == EVS_P_OK) ++from_handler;
  if (status == EVS_P_NESTED) ++nested;
  errno = kept;
}

TEST_F(Wake, ASignalHandlerMayAppend) {
  signalled = &member_;
  from_handler = nested = 0;
  struct sigaction action {
  }, old{};
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, &old);
  std::atomic<bool> done{false};
  std::atomic<uint32_t> sent{0};
  std::thread sender([&] {
    while (!done)
      if (member_.append(to("g", "plain")) == EVS_P_OK) ++sent;
  });
  std::thread drainer([&] {
    while (!done) reader_.drain();
  });
  const uint64_t deadline = now_ns() + kLong;
  for (int i = 0; i < 20'000 && now_ns() < deadline; ++i) pthread_kill(sender.native_handle(), SIGUSR1);
  done = true;
  sender.join();
  drainer.join();
  reader_.drain();
  sigaction(SIGUSR1, &old, nullptr);
  size_t read = 0;
  for (const std::string& text : reader_.data()) read += text == "signal";
  EXPECT_EQ(read, from_handler.load()) << nested << " were nested";
  EXPECT_EQ(reader_.messages().size(), sent + from_handler);
  EXPECT_GT(from_handler.load(), 0u);
}

}  // namespace
}  // namespace evs::conformance
