// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm/counters_test.cc - totals never fall, whoever dies and wherever a taker is killed.
#include "shm/counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/shm/ground.h"

namespace evs::shm {
namespace {

std::vector<unsigned char> bytes_of(const std::string& path) {
  std::vector<unsigned char> bytes(std::filesystem::file_size(path));
  const int fd = open(path.c_str(), O_RDONLY);
  EXPECT_EQ(read(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  close(fd);
  return bytes;
}

void restore(const std::string& path, const std::vector<unsigned char>& bytes, size_t from, size_t n) {
  const int fd = open(path.c_str(), O_WRONLY);
  EXPECT_EQ(pwrite(fd, bytes.data() + from, n, static_cast<off_t>(from)), static_cast<ssize_t>(n));
  close(fd);
}

TEST(Counters, TheDeadAreFoldedInOnce) {
  const Ground ground;
  CounterFile counters;
  ASSERT_TRUE(counters.open(ground.directory, "b", 4, "").ok());
  counters.take(1, 1, 100, 1);
  counters.block(1).value[0] = 7;
  EXPECT_EQ(counters.total(Counter::appended_records), 7u);
  counters.take(1, 2, 101, 2);
  EXPECT_EQ(counters.block(1).value[0], 0u);
  EXPECT_EQ(counters.departed(Counter::appended_records), 7u);
  counters.block(1).value[0] = 5;
  EXPECT_EQ(counters.total(Counter::appended_records), 12u);
  counters.take(1, 3, 102, 3);
  EXPECT_EQ(counters.total(Counter::appended_records), 12u);
}

// A taker killed after the fold and before (or amid) the clearing: the block still shows the old life. The next taker
// must not add it again.
TEST(Counters, ATakerThatWasKilledAddsNeitherTwiceNorNever) {
  const Ground ground;
  const std::string path = ground.path() + "/b.counters";
  CounterFile counters;
  ASSERT_TRUE(counters.open(ground.directory, "b", 4, "").ok());
  counters.take(2, 1, 100, 1);
  counters.block(2).value[0] = 9;
  counters.block(2).value[1] = 90;
  const auto before = bytes_of(path);
  const size_t block_at = kPage + 2 * sizeof(CounterBlock);

  counters.take(2, 2, 101, 2);
  // As if killed before the first store into the block.
  restore(path, before, block_at, sizeof(CounterBlock));
  counters.take(2, 3, 102, 3);
  EXPECT_EQ(counters.departed(Counter::appended_records), 9u);
  EXPECT_EQ(counters.departed(Counter::appended_bytes), 90u);
  EXPECT_EQ(counters.total(Counter::appended_records), 9u);

  // As if killed before the fold took force: the index is the old one, the copy is half written. Nothing is lost.
  counters.block(2).value[0] = 4;
  const auto whole = bytes_of(path);
  counters.take(2, 4, 103, 4);
  restore(path, whole, 0, block_at + sizeof(CounterBlock));
  counters.take(2, 4, 103, 4);
  EXPECT_EQ(counters.departed(Counter::appended_records), 13u);
  EXPECT_EQ(counters.total(Counter::appended_records), 13u);
}

// All are killed, and the next segment's generations begin anew: the second life of that number in a slot is no less folded than the first.
TEST(Counters, TotalsOutliveASegmentWhoseProcessesWereAllKilled) {
  const Ground ground;
  CounterFile counters;
  ASSERT_TRUE(counters.open(ground.directory, "b", 4, "").ok());
  uint64_t said = 0;
  for (int32_t pid = 100; pid < 104; ++pid) {
    counters.take(1, 1, pid, 1);
    EXPECT_EQ(counters.total(Counter::appended_records), said);
    counters.block(1).value[0] = 5;
    said += 5;
  }
  EXPECT_EQ(counters.total(Counter::appended_records), 20u);
}

class Reading {
 public:
  explicit Reading(const std::string& path) : fd_(open(path.c_str(), O_RDONLY)) { status_ = CounterFile::read(fd_, path, seen); }
  ~Reading() { close(fd_); }
  const Status& status() const { return status_; }
  CounterReading seen;

 private:
  int fd_;
  Status status_;
};

TEST(Counters, WhoLooksFromOutsideSeesEachLifeOnce) {
  const Ground ground;
  const std::string path = ground.path() + "/b.counters";
  CounterFile counters;
  ASSERT_TRUE(counters.open(ground.directory, "b", 4, "").ok());
  EXPECT_TRUE(Reading(path).seen.lives.empty());
  counters.take(2, 1, 100, 7);
  counters.block(2).value[0] = 9;
  counters.block(2).value[kFirstLevel + static_cast<uint32_t>(Level::members)] = 3;
  const Reading first(path);
  ASSERT_EQ(first.seen.lives.size(), 1u);
  EXPECT_EQ(first.seen.lives[0].pid, 100);
  EXPECT_EQ(first.seen.lives[0].start_time, 7u);
  EXPECT_EQ(first.seen.lives[0].values.of(Level::members), 3u);
  EXPECT_EQ(first.seen.total(Counter::appended_records), 9u);

  const auto before = bytes_of(path);
  counters.take(2, 2, 101, 8);
  EXPECT_EQ(Reading(path).seen.departed.of(Counter::appended_records), 9u);
  // As if killed between the fold and the clearing: the block still shows the life that is folded.
  restore(path, before, kPage + 2 * sizeof(CounterBlock), sizeof(CounterBlock));
  const Reading between(path);
  EXPECT_TRUE(between.seen.lives.empty());
  EXPECT_EQ(between.seen.total(Counter::appended_records), 9u);
}

TEST(Counters, WhatIsNoCounterFileIsRefusedInWords) {
  const Ground ground;
  const std::string path = ground.path() + "/b.counters";
  CounterFile counters;
  ASSERT_TRUE(counters.open(ground.directory, "b", 4, "").ok());
  for (const uintmax_t size : {std::filesystem::file_size(path) - 1, uintmax_t{kPage}, uintmax_t{3}, uintmax_t{0}}) {
    std::filesystem::resize_file(path, size);
    EXPECT_EQ(Reading(path).status().code, Code::corrupt) << size;
    EXPECT_THAT(Reading(path).status().text, ::testing::HasSubstr(path));
  }
}

TEST(Counters, OneOfAnotherShapeIsReplacedAndAForeignOneIsNoneToRead) {
  const Ground ground;
  CounterFile four;
  ASSERT_TRUE(four.open(ground.directory, "b", 4, "").ok());
  CounterFile eight;
  ASSERT_TRUE(eight.open(ground.directory, "b", 8, "").ok());
  EXPECT_EQ(eight.blocks(), 8u);
  std::filesystem::resize_file(ground.path() + "/b.counters", kPage + 1);
  CounterFile reader;
  EXPECT_EQ(reader.open_read_only(ground.directory, "b").code, Code::corrupt);
  EXPECT_FALSE(reader.mapped());
  std::filesystem::resize_file(ground.path() + "/b.counters", 10);
  EXPECT_EQ(reader.open_read_only(ground.directory, "b").code, Code::corrupt);
}

}  // namespace
}  // namespace evs::shm
