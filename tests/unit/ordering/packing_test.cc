// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/packing_test.cc - messages into frames and back.
#include <algorithm>
#include <deque>
#include <utility>

#include "tests/unit/ordering/core_world.h"

namespace evs::ordering {
namespace {

constexpr size_t kRoom = 200;

struct Line {  // from a queue to an assembly, frame by frame
  SendQueue queue{4096};
  Assembly assembly{1 << 16};
  Output out;
  std::vector<SendQueue::Completed> completed;
  uint64_t seq = 0;

  SendQueue::Packed carry() {
    Frame frame;
    std::byte* const at = frame.packet.begin(wire::kDataHeaderBytes + kRoom);
    const SendQueue::Packed packed = queue.pack({at + wire::kDataHeaderBytes, kRoom}, completed);
    EXPECT_LE(packed.bytes, kRoom);
    frame.packet.end(wire::kDataHeaderBytes + packed.bytes);
    frame.seq = Seq{++seq};
    frame.service = packed.service;
    frame.piece_count = packed.piece_count;
    assembly.deliver(RingView::kRing, frame, RingView::host(2), false, out);
    frames.push_back(std::move(frame));  // deliveries point into it
    return packed;
  }
  std::vector<std::string> delivered() {
    std::vector<std::string> all;
    for (const Delivery& d : out.deliveries) all.push_back(text_of(d.bytes));
    return all;
  }
  std::deque<Frame> frames;
};

TEST(Packing, SmallOnesShareAFrameWhileTheirServiceIsOne) {
  Line line;
  for (const char* text : {"a", "b", ""}) line.queue.push(1, Service::agreed, bytes_of(text));
  line.queue.push(4, Service::safe, bytes_of("c"));
  EXPECT_EQ(line.carry().piece_count, 3);
  const SendQueue::Packed second = line.carry();
  EXPECT_EQ(second.piece_count, 1);
  EXPECT_EQ(second.service, Service::safe);
  EXPECT_EQ(line.delivered(), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_TRUE(line.queue.empty());
}

TEST(Packing, ALargeOneTravelsInFragmentsAndIsOnePieceAgain) {
  Line line;
  const std::string large(1000, 'x');
  line.queue.push(1, Service::agreed, bytes_of("before"));
  line.queue.push(2, Service::agreed, bytes_of(large));
  line.queue.push(3, Service::agreed, bytes_of("behind"));
  while (!line.queue.empty()) line.carry();
  EXPECT_EQ(line.delivered(), (std::vector<std::string>{"before", large, "behind"}));
  ASSERT_EQ(line.completed.size(), 3u);
  EXPECT_EQ(line.completed[1].number, 2u);
}

TEST(Packing, ALargeUnorderedOneHasItsSendersOrder) {
  Line line;
  line.queue.push(1, Service::unordered, bytes_of(std::string(500, 'u')));
  EXPECT_EQ(line.carry().service, Service::fifo);
}

// Totem does not say; Spread resets to fragment 0. A newcomer has no beginning of it.
TEST(Packing, AConfigurationInBetweenStartsTheMessageAnew) {
  Line line;
  const std::string large(500, 'y');
  line.queue.push(1, Service::agreed, bytes_of(large));
  line.carry();
  line.queue.restart_partial();
  line.assembly.forget_partial();
  while (!line.queue.empty()) line.carry();
  EXPECT_EQ(line.delivered(), std::vector<std::string>{large});
}

TEST(Packing, AFragmentThatDoesNotFollowIsDroppedWithWhatThereWas) {
  Line line;
  line.queue.push(1, Service::agreed, bytes_of(std::string(500, 'z')));
  line.carry();
  std::vector<std::byte> lost(kRoom);
  line.queue.pack(lost, line.completed);
  while (!line.queue.empty()) line.carry();
  EXPECT_TRUE(line.delivered().empty());
  EXPECT_GT(line.assembly.broken_total(), 0u);
}

// A total that grows from one fragment to the next would end beyond every limit: the first one's is what was compared with it.
TEST(Packing, AFragmentThatSaysAnotherTotalIsDroppedWithWhatThereWas) {
  Line line;
  const std::string text(50, 'g');
  for (uint32_t index = 0; index < 3000; ++index) {
    const bool last = index == 2999;
    const uint32_t total = 50 * (last ? 3000 : index + 2);
    std::vector<std::byte> payload;
    wire::append_piece({.bytes = bytes_of(text), .fragment = true, .message = 9, .index = index, .total_bytes = total, .last = last}, payload);
    Frame frame;
    std::copy(payload.begin(), payload.end(), frame.packet.begin(wire::kDataHeaderBytes + payload.size()) + wire::kDataHeaderBytes);
    frame.packet.end(wire::kDataHeaderBytes + payload.size());
    frame.piece_count = 1;
    line.assembly.deliver(RingView::kRing, frame, RingView::host(2), false, line.out);
  }
  EXPECT_TRUE(line.delivered().empty()) << "150 000 bytes, of messages that have at most 65 536";
  EXPECT_EQ(line.assembly.broken_total(), 2999u);
}

// Buffers are kept for the next message, within bounds, and each stays what it is until released.
TEST(Packing, WhatWasPutTogetherLiesInMemoryThatIsUsedAgain) {
  Line line;
  std::vector<std::string> sent;
  for (size_t i = 0; i < 100; ++i) sent.push_back(std::string(500 + i * 20, static_cast<char>('a' + i % 26)));
  for (int lap = 0; lap < 3; ++lap) {
    for (const std::string& text : sent) {
      line.queue.push(1, Service::agreed, bytes_of(text));
      while (!line.queue.empty()) line.carry();
    }
    EXPECT_EQ(line.delivered(), sent) << "a hundred in one call: none may lie in another's memory";
    line.out.clear();
    line.assembly.release_finished();
    EXPECT_GT(line.assembly.spare_bytes(), 0u);
    EXPECT_LE(line.assembly.spare_bytes(), size_t{1} << 16);
  }
}

TEST(Packing, AMessageThatBeginsAnewGivesItsBufferBack) {
  Line line;
  const std::string large(5000, 'x');
  for (int i = 0; i < 200; ++i) {  // newcomers' worth of messages whose ends never come
    line.queue.push(1, Service::agreed, bytes_of(large.substr(0, 1500)));
    line.carry();
    while (!line.queue.empty()) {
      std::vector<std::byte> lost(kRoom);
      line.queue.pack(lost, line.completed);
    }
  }
  EXPECT_TRUE(line.delivered().empty());
  EXPECT_LE(line.assembly.spare_bytes(), size_t{1} << 16);
}

// Large ones in fragments, small ones whole: neither the bytes nor the headers that wait with them need lie straight.
TEST(Packing, TheQueueIsACircleWithABound) {
  for (const size_t bytes : {300, 13}) {
    Line line;
    std::vector<std::string> sent;
    for (int lap = 0; lap < 50; ++lap) {
      for (std::string text(bytes, 'q'); line.queue.has_room(bytes); sent.push_back(text)) {
        text[sent.size() % bytes] = static_cast<char>('a' + sent.size() % 26);
        line.queue.push(sent.size() + 1, Service::agreed, bytes_of(text));
      }
      EXPECT_FALSE(line.queue.has_room(bytes));
      while (!line.queue.empty()) line.carry();
    }
    EXPECT_EQ(line.delivered(), sent) << bytes;
  }
}

TEST(Packing, AQueueThatKeepsBeginsAgainWhatIsNotSettled) {
  SendQueue queue(100, true);
  std::vector<std::byte> payload(kRoom);
  std::vector<SendQueue::Completed> completed;
  const std::string text(30, 'y');
  for (uint64_t number = 1; number <= 3; ++number) queue.push(number, Service::agreed, bytes_of(text), number == 2 ? Role::change : Role::message);
  const auto numbers = [&] {
    std::string all;
    for (const auto& each : std::exchange(completed, {})) all += std::to_string(each.number);
    return all;
  };
  EXPECT_FALSE(queue.pack(payload, completed).ends_change);
  EXPECT_EQ(numbers(), "1");
  EXPECT_TRUE(queue.pack(payload, completed).ends_change);
  EXPECT_EQ(numbers(), "2");
  queue.settle(1);
  EXPECT_TRUE(queue.has_room(28)) << "what is settled is forgotten";
  EXPECT_FALSE(queue.has_room(29)) << "what is packed is not";
  queue.restart_partial();
  while (!queue.empty()) queue.pack(payload, completed);
  EXPECT_EQ(numbers(), "23");
  queue.settle(2);
  EXPECT_TRUE(queue.has_room(100, Role::change));
}

}  // namespace
}  // namespace evs::ordering
