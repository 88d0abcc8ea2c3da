// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/order_test.cc - one order for all readers, and frames that arrive as they were sent.
#include <map>
#include <numeric>

#include "tests/conformance/suite.h"

namespace evs::conformance {
namespace {

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + size);
  return text;
}

TEST(Order, AllReadersSeeOneOrder) {
  const std::string bus = fresh_bus();
  Member member(bus);
  Reader first(member), second(member);
  first.join("g");
  second.join("g");
  auto a = Peer::start(bus), b = Peer::start(bus);
  constexpr uint32_t kEach = 2000;
  a->send("g", "a", kEach);
  b->send("g", "b", kEach);
  std::thread ours([&] {
    for (uint32_t i = 0; i < kEach; ++i)
      while (member.append(to("g", numbered("c.", i))) == EVS_P_AGAIN)
        member.ops().wait_room(member.self(), 8, 1, kLong);
  });
  std::thread other([&] { second.until_messages(3 * kEach); });
  first.until_messages(3 * kEach);
  other.join();
  ours.join();
  a->sent();
  b->sent();

  EXPECT_EQ(first.data(), second.data());
  uint64_t last = 0;
  std::map<char, uint32_t> next;
  const std::map<char, uint32_t> sender = {{'a', a->who().nodeid}, {'b', b->who().nodeid}, {'c', member.who().nodeid}};
  for (const Got& got : first.messages()) {
    EXPECT_GT(got.position, last);
    last = got.position;
    const char who = got.data[0];
    EXPECT_EQ(got.data, std::string(1, who).append(".").append(std::to_string(next[who]++)))
        << "what one sender sent first is read first";
    EXPECT_EQ(got.nodeid, sender.at(who));
  }
}

TEST(Order, TheSenderIsToldThePositionThatReadersSee) {
  Member member(fresh_bus());
  Reader reader(member);
  reader.join("g");
  std::vector<uint64_t> told(100);
  for (uint64_t& position : told) ASSERT_EQ(member.append(to("g", "x"), &position), EVS_P_OK);
  reader.until_messages(told.size());
  const auto seen = reader.messages();
  for (size_t i = 0; i < told.size(); ++i) EXPECT_EQ(seen[i].position, told[i]);
}

TEST(Order, WhatBeforeCommitStoresIsSeenByWhoeverSeesTheFrame) {
  Member member(fresh_bus());
  Reader reader(member);
  reader.join("g");
  constexpr size_t kCount = 5000;
  static std::atomic<uint64_t> announced;
  announced = 0;
  std::thread writer([&] {
    for (size_t i = 0; i < kCount; ++i)
      while (member.append(
                 to("g", "x"), nullptr,
                 [](void*, uint64_t position) { announced.store(position, std::memory_order_relaxed); },
                 nullptr) == EVS_P_AGAIN)
        std::this_thread::yield();
  });
  const uint64_t deadline = now_ns() + kLong;
  for (size_t seen = 0; seen < kCount && now_ns() < deadline;) {
    const size_t before = reader.got().size();
    reader.read();
    for (size_t i = before; i < reader.got().size(); ++i) {
      if (reader.got()[i].kind != EVS_FRAME_MESSAGE) continue;
      ++seen;
      EXPECT_GE(announced.load(std::memory_order_relaxed), reader.got()[i].position);
    }
  }
  writer.join();
  EXPECT_EQ(reader.messages().size(), kCount);
}

TEST(Frames, OfEverySizeUpToTheLimit) {
  Member member(fresh_bus());
  Reader reader(member);
  reader.join("g");
  const size_t limit = member.limits().message_bytes;
  for (size_t size :
       {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{4095}, size_t{4096}, limit - 1, limit}) {
    ASSERT_EQ(member.append(to("g", pattern(size))), EVS_P_OK) << size;
    reader.got().clear();
    reader.until_messages(1);
    EXPECT_EQ(reader.messages()[0].data, pattern(size)) << size;
  }
  EXPECT_EQ(member.append(to("g", pattern(limit + 1))), EVS_P_TOO_BIG);
}

TEST(Frames, ManyLapsOfAwkwardSizes) {
  Member member(fresh_bus());
  Reader reader(member);
  reader.join("g");
  const size_t limit = member.limits().message_bytes;
  uint64_t random = 88172645463325252ull;
  size_t read = 0;
  for (int i = 0; i < 3000; ++i) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    const std::string text = pattern(random % (i % 10 == 0 ? limit : 300));
    ASSERT_EQ(member.append(to("g", text)), EVS_P_OK) << "the reader is up to date: there is room";
    reader.until_messages(1);
    ASSERT_EQ(reader.messages()[0].data, text) << "message " << i;
    reader.got().clear();
    ++read;
  }
  EXPECT_EQ(read, 3000u);
}

TEST(Frames, AreTheConcatenationOfTheirParts) {
  Member member(fresh_bus());
  Reader reader(member);
  reader.join("g");
  char one[] = "one", two[] = "two";
  const iovec parts[] = {{one, 3}, {nullptr, 0}, {two, 3}, {two, 0}, {one, 1}};
  const evs_plugin_group key = group("g");
  const evs_append frame{sizeof(evs_append), EVS_FRAME_MESSAGE, 0, 1, &key, parts, 5, 0, 7};
  uint64_t position = 0;
  ASSERT_EQ(member.ops().append(member.self(), &frame, &position, nullptr, nullptr), EVS_P_OK);
  const evs_append empty{sizeof(evs_append), EVS_FRAME_MESSAGE, 0, 1, &key, nullptr, 0, 0, 0};
  ASSERT_EQ(member.ops().append(member.self(), &empty, &position, nullptr, nullptr), EVS_P_OK);
  reader.until_messages(2);
  EXPECT_THAT(reader.data(), testing::ElementsAre("onetwoo", ""));
}

TEST(Frames, CarryTheirGroupsKindAndGuarantee) {
  Member member(fresh_bus());
  Reader reader(member);
  reader.join("g3");
  for (uint32_t guarantee = 0; guarantee < 4; ++guarantee) {
    Message message{{}, "text", guarantee == 3 ? EVS_FRAME_CONTROL : EVS_FRAME_MESSAGE, guarantee};
    for (int i = 0; i < 5; ++i) message.groups.push_back(group(numbered("g", i)));
    ASSERT_EQ(member.append(message), EVS_P_OK);
  }
  reader.drain();
  ASSERT_EQ(reader.got().size(), 4u);
  for (uint32_t i = 0; i < 4; ++i) {
    const Got& got = reader.got()[i];
    EXPECT_EQ(got.kind, i == 3 ? EVS_FRAME_CONTROL : EVS_FRAME_MESSAGE);
    EXPECT_EQ(got.guarantee, i);
    EXPECT_EQ(got.nodeid, member.who().nodeid);
    EXPECT_EQ(got.incarnation, member.who().incarnation);
    ASSERT_EQ(got.groups.size(), 5u);
    EXPECT_STREQ(got.groups[4].key, "g4");
  }
}

TEST(Frames, ToAsManyGroupsAsTheLimitSays) {
  Member member(fresh_bus());
  Reader reader(member);
  reader.join("last");
  const uint32_t limit = member.limits().groups_per_message;
  Message message{std::vector<evs_plugin_group>(limit - 1, group("other")), "text"};
  message.groups.push_back(group("last"));
  ASSERT_EQ(member.append(message), EVS_P_OK);
  reader.until_messages(1);
  EXPECT_EQ(reader.messages()[0].groups.size(), limit);
  EXPECT_EQ(reader.messages()[0].data, "text");
  message.groups.push_back(group("one too many"));
  EXPECT_EQ(member.append(message), EVS_P_TOO_BIG);
}

}  // namespace
}  // namespace evs::conformance
