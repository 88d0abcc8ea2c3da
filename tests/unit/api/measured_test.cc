// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/api/measured_test.cc - what a process counts and measures stands in <bus>.counters, for whoever may read it; and what it shall not measure does not.
#include <fcntl.h>

#include <chrono>
#include <thread>

#include "shm/counters.h"
#include "tests/unit/api/story.h"

namespace evs::test {
namespace {

using shm::Counter;
using shm::CounterReading;
using shm::Histogram;

CounterReading read_counters(const std::string& bus) {
  CounterReading reading;
  const std::string path = directory() + "/" + bus + ".counters";
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const shm::Status status = shm::CounterFile::read(fd, path, reading);
  EXPECT_TRUE(status.ok()) << status.text;
  close(fd);
  return reading;
}

uint64_t count_of(const CounterReading& reading, Histogram histogram) {
  uint64_t sum = 0;
  for (uint32_t bucket = 0; bucket < shm::kBuckets; ++bucket) sum += reading.total(shm::first_word(histogram) + bucket);
  return sum;
}

// Told four times a second.
template <class Condition>
CounterReading when(const std::string& bus, Condition&& condition) {
  for (int i = 0; i < 1000; ++i) {
    const CounterReading reading = read_counters(bus);
    if (condition(reading)) return reading;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ADD_FAILURE() << "was never told";
  return read_counters(bus);
}

uint64_t delivered(const CounterReading& reading) {
  uint64_t sum = 0;
  for (uint32_t g = 0; g < shm::kGuarantees; ++g) sum += reading.total(shm::delivered_of(g));
  return sum;
}

void say_one_of_each(Story& story) {
  for (const auto guarantee : {EVS_TYPE_UNORDERED, EVS_TYPE_FIFO, EVS_TYPE_AGREED, EVS_TYPE_SAFE}) {
    const iovec part{const_cast<char*>("four"), 4};
    ASSERT_EQ(evs_mcast_joined(story.handle, guarantee, &part, 1), CS_OK);
  }
}

TEST(Measured, EachMessageWhereAllAreMeasured) {
  Story story({.bus = "all", .parameters = {{"metrics.sample", "0"}}});
  ASSERT_EQ(story.result, CS_OK) << story.error;
  ASSERT_EQ(story.join("g"), CS_OK);
  story.on_message = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  for (int i = 0; i < 3; ++i) {
    say_one_of_each(story);
    EXPECT_EQ(story.messages().size(), 4u);
  }
  const CounterReading reading = when("all", [](const CounterReading& now) { return delivered(now) == 12; });
  for (uint32_t g = 0; g < shm::kGuarantees; ++g) {
    EXPECT_EQ(reading.total(shm::delivered_of(g)), 3u);
    EXPECT_EQ(count_of(reading, shm::for_guarantee(Histogram::delivery, g)), 3u);
  }
  EXPECT_EQ(reading.total(Counter::delivered_bytes), 48u);
  // One of each dispatch, whose time is told when the dispatch goes on.
  EXPECT_GE(count_of(reading, Histogram::callback), 1u);
  EXPECT_GE(reading.total(shm::first_word(Histogram::callback) + shm::kBuckets), 1'000'000u) << "a callback that took a millisecond";
}

TEST(Measured, NothingWhereHistogramsAreOffAndCountsAllTheSame) {
  Story story({.bus = "off", .parameters = {{"metrics.sample", "0"}, {"metrics.histograms", "off"}}});
  ASSERT_EQ(story.result, CS_OK) << story.error;
  ASSERT_EQ(story.join("g"), CS_OK);
  say_one_of_each(story);
  EXPECT_EQ(story.messages().size(), 4u);
  const CounterReading reading = when("off", [](const CounterReading& now) { return delivered(now) == 4; });
  for (uint32_t histogram = 0; histogram < static_cast<uint32_t>(Histogram::count_); ++histogram) EXPECT_EQ(count_of(reading, static_cast<Histogram>(histogram)), 0u) << histogram;
}

TEST(Measured, AWakeUpFromTheBellToTheFirstRead) {
  Story reader({.bus = "bell"}), sender({.bus = "bell"});
  ASSERT_EQ(reader.result, CS_OK) << reader.error;
  ASSERT_EQ(reader.join("g"), CS_OK);
  ASSERT_EQ(sender.join("g"), CS_OK);
  reader.told();
  for (uint64_t rung = 0; rung == 0; rung = count_of(read_counters("bell"), Histogram::wake_up)) {
    std::thread sleeper([&] { EXPECT_EQ(reader.dispatch(CS_DISPATCH_ONE), CS_OK); });
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // should it not sleep yet, there is another turn
    EXPECT_EQ(sender.say("x"), CS_OK);
    sleeper.join();
    reader.take();
    sender.told();
  }
}

// The number of handles comes and goes; what they took does not.
TEST(Measured, NoTotalFallsWhenAHandleIsClosedAndAnotherTakesItsPlace) {
  Story stays({.bus = "cells"});
  ASSERT_EQ(stays.result, CS_OK) << stays.error;
  uint64_t taken = 0;
  for (int i = 1; i <= 3; ++i) {
    Story story({.bus = "cells"});
    ASSERT_EQ(story.join("g"), CS_OK);
    ASSERT_EQ(story.say("x"), CS_OK);
    EXPECT_EQ(story.messages().size(), 1u);
    const CounterReading reading = when("cells", [i](const CounterReading& now) { return delivered(now) == static_cast<uint64_t>(i); });
    EXPECT_GT(reading.total(Counter::delivered_records), taken);
    taken = reading.total(Counter::delivered_records);
  }
}

TEST(Measured, ARefusedSendIsCountedByItsReason) {
  Story story({.bus = "full", .parameters = {{"local.ring_size", "512KiB"}, {"local.message_limit", "16KiB"}}});
  ASSERT_EQ(story.result, CS_OK) << story.error;
  ASSERT_EQ(story.join("g"), CS_OK);
  const std::string text(16'000, 'x');
  while (story.say(text) == CS_OK) {}
  const CounterReading reading = when("full", [](const CounterReading& now) { return now.total(Counter::refused_full) != 0 && now.total(Counter::full) != 0; });
  EXPECT_EQ(reading.total(Counter::refused_full), 1u);
  EXPECT_EQ(reading.total(Counter::full), 1u);
  EXPECT_EQ(reading.total(Counter::refused_nested) + reading.total(Counter::refused_rejoining), 0u);
}

}  // namespace
}  // namespace evs::test
