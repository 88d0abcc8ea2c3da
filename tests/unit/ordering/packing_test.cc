// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/packing_test.cc - messages into frames and back.
#include <algorithm>
#include <deque>

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
    std::vector<std::byte> payload;
    const SendQueue::Packed packed = queue.pack(kRoom, payload, completed);
    EXPECT_LE(payload.size(), kRoom);
    Frame frame;
    frame.seq = Seq{++seq};
    frame.service = packed.service;
    frame.piece_count = packed.piece_count;
    frame.packet.resize(wire::kDataHeaderBytes + payload.size());
    std::copy(payload.begin(), payload.end(), frame.packet.begin() + wire::kDataHeaderBytes);
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
  std::vector<std::byte> lost;
  line.queue.pack(kRoom, lost, line.completed);
  while (!line.queue.empty()) line.carry();
  EXPECT_TRUE(line.delivered().empty());
  EXPECT_GT(line.assembly.broken_total(), 0u);
}

TEST(Packing, TheQueueIsACircleWithABound) {
  Line line;
  const std::string text(300, 'q');
  uint64_t taken = 0;
  for (int lap = 0; lap < 50; ++lap) {
    while (line.queue.has_room(text.size())) line.queue.push(++taken, Service::agreed, bytes_of(text));
    EXPECT_FALSE(line.queue.has_room(text.size()));
    while (!line.queue.empty()) line.carry();
  }
  const auto all = line.delivered();
  ASSERT_EQ(all.size(), taken);
  for (const std::string& one : all) ASSERT_EQ(one, text);
}

}  // namespace
}  // namespace evs::ordering
