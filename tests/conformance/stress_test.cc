// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/stress_test.cc - everything at once, with messages that certify themselves.
//
// Several threads send, several cursors read (one of them through its descriptor), others park, watch, join and leave
// groups, peers come and go, and the medium is small enough to be full most of the time. Each message says who wrote
// it, its number and a seal over both: any reader can judge any message.
#include <poll.h>

#include <cstring>
#include <map>

#include "tests/conformance/suite.h"

namespace evs::conformance {
namespace {

constexpr uint32_t kWriters = 4, kReaders = 3, kEach = 5000;

struct Proof {
  uint32_t writer, number;
  uint64_t seal;
};
uint64_t seal_of(uint32_t writer, uint32_t number) {
  return (uint64_t{writer} << 32 | number) * 0x9e3779b97f4a7c15ull;
}

std::string proof(uint32_t writer, uint32_t number) {
  const Proof p{writer, number, seal_of(writer, number)};
  std::string text(sizeof(p) + number % 700, static_cast<char>(number));
  std::memcpy(text.data(), &p, sizeof(p));
  return text;
}

void write_all(Member& member, uint32_t writer) {
  for (uint32_t i = 0; i < kEach; ++i) {
    const Message message = to("g", proof(writer, i));
    int32_t status = EVS_P_AGAIN;
    while ((status = member.append(message)) == EVS_P_AGAIN) {
      const int32_t waited = member.ops().wait_room(member.self(), message.data.size(), 1, kLong);
      ASSERT_EQ(waited, EVS_P_OK);
    }
    ASSERT_EQ(status, EVS_P_OK);
  }
}

void judge(const std::vector<Got>& messages, std::map<uint32_t, uint32_t>& next) {
  for (const Got& got : messages) {
    if (got.kind != EVS_FRAME_MESSAGE) continue;
    Proof p{};
    ASSERT_GE(got.data.size(), sizeof(p));
    std::memcpy(&p, got.data.data(), sizeof(p));
    ASSERT_EQ(p.seal, seal_of(p.writer, p.number)) << "torn";
    ASSERT_EQ(p.number, next[p.writer]++) << "lost, repeated or reordered, of writer " << p.writer;
    ASSERT_EQ(got.data.size(), sizeof(p) + p.number % 700);
  }
}

void read_all(Reader& reader, bool through_descriptor, std::vector<uint64_t>& order) {
  std::map<uint32_t, uint32_t> next;
  const uint64_t deadline = now_ns() + 5 * kLong;
  while (order.size() < kWriters * kEach) {
    ASSERT_LT(now_ns(), deadline) << order.size() << " read";
    const int32_t status = reader.read();
    ASSERT_TRUE(status == EVS_P_OK || status == EVS_P_AGAIN) << status;
    judge(reader.got(), next);
    for (const Got& got : reader.got())
      if (got.kind == EVS_FRAME_MESSAGE) order.push_back(got.position);
    reader.got().clear();
    if (status == EVS_P_OK) continue;
    if (!through_descriptor) {
      reader.ops().wait(reader.cursor(), kSecond);
    } else if (reader.ops().arm(reader.cursor()) == EVS_P_AGAIN) {
      pollfd fd{reader.ops().fd(reader.cursor()), POLLIN, 0};
      poll(&fd, 1, 1000);
    }
  }
}

TEST(Stress, EverythingAtOnce) {
  const std::string bus = fresh_bus();
  Member member(bus, {{"ring_size", "512KiB"}});
  std::vector<std::unique_ptr<Reader>> readers;
  for (uint32_t i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<Reader>(member));
    readers.back()->join("g");
  }
  ASSERT_GE(readers[0]->ops().fd(readers[0]->cursor()), 0);

  std::atomic<bool> done{false};
  std::thread fidgeter([&] {  // a cursor that cannot decide
    Reader fidget(member);
    while (!done) {
      fidget.join("g");
      fidget.read();
      fidget.got().clear();
      fidget.leave("g");
      fidget.ops().park(fidget.cursor());
      fidget.ops().ring(fidget.cursor());
      fidget.ops().wake(fidget.cursor());
    }
  });
  uint32_t visits = 0;
  std::thread guests([&] {
    while (!done) {
      try {
        Peer::start(bus)->leave();
        ++visits;
      } catch (
          const std::runtime_error&) {  // all slots are taken: a place is free again when readers have passed the going
        std::this_thread::yield();
      }
    }
  });
  std::vector<std::vector<uint64_t>> orders(kReaders);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kReaders; ++i) threads.emplace_back([&, i] { read_all(*readers[i], i == 0, orders[i]); });
  for (uint32_t i = 0; i < kWriters; ++i) threads.emplace_back([&, i] { write_all(member, i); });
  for (std::thread& thread : threads) thread.join();
  done = true;
  fidgeter.join();
  guests.join();
  EXPECT_GT(visits, 0u);
  EXPECT_EQ(orders[0].size(), size_t{kWriters} * kEach);
  for (uint32_t i = 1; i < kReaders; ++i) EXPECT_EQ(orders[i], orders[0]);
}

}  // namespace
}  // namespace evs::conformance
