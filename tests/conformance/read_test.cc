// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/read_test.cc - want(), buffers that are too small, parking and interest.
#include "tests/conformance/suite.h"

namespace evs::conformance {
namespace {

using testing::ElementsAre;

// Judges frames by their first letter: s skip, x stop, else take; and writes down what it was asked.
struct Judge {
  std::vector<std::string> asked;
  static int32_t want(void* context, const evs_frame* frame) {
    if (frame->kind != EVS_FRAME_MESSAGE) return EVS_WANT_SKIP;
    const std::string text(static_cast<const char*>(frame->data), std::min<size_t>(frame->size, 16));
    static_cast<Judge*>(context)->asked.push_back(text);
    return text[0] == 's' ? EVS_WANT_SKIP : text[0] == 'x' ? EVS_WANT_STOP : EVS_WANT_TAKE;
  }
};

class Read : public testing::Test {
 protected:
  Read() : member_(fresh_bus()), reader_(member_) { reader_.join("g"); }
  void send(const std::string& text) { ASSERT_EQ(member_.append(to("g", text)), EVS_P_OK); }

  Member member_;
  Reader reader_;
  Judge judge_;
};

TEST_F(Read, TakesAndSkipsAsAsked) {
  for (const char* text : {"a", "s1", "b", "s2", "s3"}) send(text);
  while (reader_.read(Judge::want, &judge_) == EVS_P_OK) {
  }
  EXPECT_THAT(reader_.data(), ElementsAre("a", "b"));
  EXPECT_THAT(judge_.asked, ElementsAre("a", "s1", "b", "s2", "s3"));
  EXPECT_EQ(reader_.read(), EVS_P_AGAIN);
}

TEST_F(Read, SkippingAllIsSuccess) {
  send("s1");
  EXPECT_EQ(reader_.read(Judge::want, &judge_), EVS_P_OK);
  EXPECT_EQ(reader_.got().size(), 0u);
  EXPECT_EQ(reader_.read(), EVS_P_AGAIN);
}

TEST_F(Read, StopLeavesTheFrameForTheNextCall) {
  for (const char* text : {"a", "x", "b"}) send(text);
  EXPECT_EQ(reader_.read(Judge::want, &judge_), EVS_P_OK);
  EXPECT_THAT(reader_.data(), ElementsAre("a"));
  EXPECT_THAT(judge_.asked, ElementsAre("a", "x"));
  const int32_t nothing_taken = reader_.read(Judge::want, &judge_);
  EXPECT_TRUE(nothing_taken == EVS_P_OK || nothing_taken == EVS_P_AGAIN) << nothing_taken;
  EXPECT_THAT(judge_.asked, ElementsAre("a", "x", "x"));
  reader_.drain();
  EXPECT_THAT(reader_.data(), ElementsAre("a", "x", "b"));
}

TEST_F(Read, AsksOnceForEachFrameHoweverSmallTheCalls) {
  for (int i = 0; i < 20; ++i) send(numbered("a", i));
  while (reader_.read(Judge::want, &judge_, 1) == EVS_P_OK) {
  }
  EXPECT_EQ(judge_.asked.size(), 20u);
  EXPECT_EQ(reader_.data(), judge_.asked);
}

TEST_F(Read, FramesThatFillTheBufferAreLeftForTheNextCall) {
  const std::string large(40'000, 'a');
  for (int i = 0; i < 10; ++i) send(large);  // 256 KiB hold six of them
  size_t calls = 0;
  while (reader_.read(Judge::want, &judge_) == EVS_P_OK) ++calls;
  EXPECT_GE(calls, 2u);
  EXPECT_EQ(reader_.messages().size(), 10u);
  EXPECT_EQ(judge_.asked.size(), 10u) << "not asked for a frame that finds no room behind others";
}

TEST_F(Read, AFrameTooBigForTheBufferSaysWhatItNeeds) {
  Reader small(member_, 64 * 1024);
  small.join("g");
  Message large{std::vector<evs_plugin_group>(1000, group("g")), std::string(member_.limits().message_bytes, 'a')};
  ASSERT_EQ(member_.append(to("g", "first")), EVS_P_OK);
  ASSERT_EQ(member_.append(large), EVS_P_OK);
  int32_t status = EVS_P_OK;
  while (status == EVS_P_OK) status = small.read();
  ASSERT_EQ(status, EVS_P_TOO_BIG);
  EXPECT_THAT(small.data(), ElementsAre("first"));
  EXPECT_GE(small.needed(), large.data.size() + 1000 * sizeof(evs_plugin_group));
  EXPECT_EQ(small.read(), EVS_P_TOO_BIG) << "it stays where it is";
  small.grow(small.needed());
  EXPECT_EQ(small.read(), EVS_P_OK);
  ASSERT_EQ(small.messages().size(), 2u);
  EXPECT_EQ(small.messages()[1].data, large.data);
}

TEST_F(Read, AFrameTooBigForTheBufferCanBeSkipped) {
  Reader small(member_, 64 * 1024);
  small.join("g");
  ASSERT_EQ(member_.append(
                {std::vector<evs_plugin_group>(1000, group("g")), std::string(member_.limits().message_bytes, 's')}),
            EVS_P_OK);
  ASSERT_EQ(member_.append(to("g", "behind")), EVS_P_OK);
  int32_t status = EVS_P_OK;
  while (status == EVS_P_OK) status = small.read(Judge::want, &judge_);
  EXPECT_EQ(status, EVS_P_AGAIN);
  EXPECT_THAT(small.data(), ElementsAre("behind"));
}

TEST_F(Read, DataIsAlignedAndInTheBuffer) {
  for (size_t size : {1, 8, 100}) send(std::string(size, 'a'));
  std::vector<evs_frame> frames(8);
  alignas(64) static std::byte buffer[64 * 1024];
  evs_read request{};
  request.struct_size = sizeof(request);
  request.frame_room = 8;
  request.frames = frames.data();
  request.buffer = buffer;
  request.buffer_size = sizeof(buffer);
  request.want = [](void*, const evs_frame*) -> int32_t { return EVS_WANT_TAKE; };
  ASSERT_EQ(reader_.ops().read(reader_.cursor(), &request), EVS_P_OK);
  ASSERT_EQ(request.count, 3u);
  for (uint32_t i = 0; i < request.count; ++i) {
    const auto* data = static_cast<const std::byte*>(frames[i].data);
    EXPECT_GE(data, buffer);
    EXPECT_LE(data + frames[i].size, buffer + sizeof(buffer));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 8, 0u) << "people cast what they are given";
  }
}

// ---- Parking and watching ----

TEST_F(Read, AParkedCursorReadsNothingAndAWatchingOneFromThereOn) {
  Reader late(member_);
  const evs_plugin_group key = group("g");
  ASSERT_EQ(late.ops().interest_add(late.cursor(), &key, 1), EVS_P_OK);
  send("before");
  EXPECT_EQ(late.read(), EVS_P_AGAIN);
  EXPECT_EQ(late.ops().pending(late.cursor()), 0);
  EXPECT_EQ(late.ops().lag(late.cursor()), 0u);
  const Got membership = late.watch();
  EXPECT_THAT(nodeids(membership.members), ElementsAre(member_.who().nodeid));
  EXPECT_EQ(late.read(), EVS_P_AGAIN);
  send("after");
  late.until_messages(1);
  EXPECT_THAT(late.data(), ElementsAre("after"));
}

TEST_F(Read, ParkingForgetsWhatWasNotRead) {
  send("unread");
  reader_.ops().park(reader_.cursor());
  EXPECT_EQ(reader_.read(), EVS_P_AGAIN);
  reader_.watch();
  EXPECT_EQ(reader_.read(), EVS_P_AGAIN);
  send("seen");
  reader_.until_messages(1);
  EXPECT_THAT(reader_.data(), ElementsAre("seen"));
}

TEST_F(Read, WatchingAgainChangesNothing) {
  send("one");
  const Got membership = reader_.watch();
  EXPECT_THAT(nodeids(membership.members), ElementsAre(member_.who().nodeid));
  reader_.until_messages(1);
  EXPECT_THAT(reader_.data(), ElementsAre("one"));
}

TEST_F(Read, WatchWithTooSmallABufferHasDoneNothing) {
  Reader late(member_);
  alignas(64) char tiny[8];
  size_t needed = 0;
  EXPECT_EQ(late.ops().watch(late.cursor(), tiny, sizeof(tiny), &needed), EVS_P_TOO_BIG);
  EXPECT_GE(needed, sizeof(evs_membership) + sizeof(evs_ordered_member));
  send("unseen");
  EXPECT_EQ(late.read(), EVS_P_AGAIN) << "it is parked still";
}

// ---- Interest ----

TEST_F(Read, InterestIsCounted) {
  const evs_plugin_group key = group("g");
  ASSERT_EQ(reader_.ops().interest_add(reader_.cursor(), &key, 1), EVS_P_OK);
  reader_.leave("g");
  send("still");
  EXPECT_EQ(reader_.ops().wait(reader_.cursor(), kLong), EVS_P_OK);
  reader_.until_messages(1);
}

TEST_F(Read, ManyGroupsOfOneCursor) {
  std::vector<evs_plugin_group> groups;
  for (int i = 0; i < 1000; ++i) groups.push_back(group(numbered("group ", i)));
  Reader wide(member_);
  ASSERT_EQ(wide.ops().interest_add(wide.cursor(), groups.data(), 1000), EVS_P_OK);
  wide.watch();
  for (int i : {0, 499, 999}) ASSERT_EQ(member_.append(to(numbered("group ", i), numbered("m", i))), EVS_P_OK);
  wide.until_messages(3);
  EXPECT_THAT(wide.data(), ElementsAre("m0", "m499", "m999"));
  wide.ops().interest_remove(wide.cursor(), groups.data(), 1000);
}

TEST_F(Read, AHintIsNeverAFalseNo) {
  std::atomic<uint64_t> sent{0};
  std::thread writer([&] {
    for (int i = 0; i < 20'000; ++i) {
      while (member_.append(to("g", "x")) != EVS_P_OK) std::this_thread::yield();
      sent.store(static_cast<uint64_t>(i) + 1, std::memory_order_release);
    }
  });
  uint64_t read = 0;
  const uint64_t deadline = now_ns() + kLong;
  while (read < 20'000 && now_ns() < deadline) {
    const uint64_t known = sent.load(std::memory_order_acquire);
    if (reader_.ops().pending(reader_.cursor()) == 0) {
      ASSERT_GE(read, known) << "it said there was nothing, and there was";
      continue;
    }
    const size_t before = reader_.messages().size();
    reader_.read();
    read += reader_.messages().size() - before;
    reader_.got().clear();
  }
  writer.join();
  EXPECT_EQ(read, 20'000u);
}

}  // namespace
}  // namespace evs::conformance
