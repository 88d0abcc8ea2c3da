// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm/group_file_test.cc - what a member had joined where, asked by others and after its death.
#include "shm/group_file.h"

#include <gtest/gtest.h>

#include "tests/unit/shm/ground.h"

namespace evs::shm {
namespace {

struct Key {
  unsigned char bytes[kGroupBytes] = {};
  explicit Key(uint32_t n) { memcpy(bytes, &n, sizeof n); }
};

TEST(GroupFile, AJoinCountsFromItsStampToItsLeave) {
  const Ground ground;
  OwnGroups own;
  ASSERT_TRUE(own.create(ground.directory, "b", 3, 7).ok());
  const Key key(1);
  const auto joined = [&](uint64_t position) { return joined_at(ground.directory, "b", 3, 7, key.bytes, position); };
  uint64_t token = 0;
  ASSERT_TRUE(own.announce(key.bytes, 0, token).ok());
  EXPECT_FALSE(joined(UINT64_MAX)) << "announced is not joined";
  own.stamp_join(token, 1000);
  EXPECT_FALSE(joined(999));
  EXPECT_TRUE(joined(1000));
  own.stamp_leave(token, 2000);
  EXPECT_TRUE(joined(1999));
  EXPECT_FALSE(joined(2000));
  EXPECT_TRUE(groups_of(ground.directory, "b", 3, 7).empty());
  EXPECT_FALSE(joined_at(ground.directory, "b", 3, 8, key.bytes, 1500)) << "another life's file";

  // A join that failed leaves nothing behind.
  ASSERT_TRUE(own.announce(key.bytes, 0, token).ok());
  own.retract(token);
  EXPECT_FALSE(joined(UINT64_MAX));
}

TEST(GroupFile, JoiningAndLeavingForEverTakesNoMoreRoom) {
  const Ground ground;
  OwnGroups own;
  ASSERT_TRUE(own.create(ground.directory, "b", 0, 1).ok());
  const auto turn = [&](uint64_t n) {
    uint64_t token = 0;
    ASSERT_TRUE(own.announce(Key(static_cast<uint32_t>(n)).bytes, n * 10, token).ok());
    own.stamp_join(token, n * 10 + 1);
    own.stamp_leave(token, n * 10 + 2);
  };
  for (uint64_t n = 1; n < 50; ++n) turn(n);
  const auto size = std::filesystem::file_size(ground.path() + "/b.groups.0.1");
  for (uint64_t n = 50; n < 20000; ++n) turn(n);
  EXPECT_EQ(std::filesystem::file_size(ground.path() + "/b.groups.0.1"), size);
}

TEST(GroupFile, GrowsPastItsChunksAndTellsAll) {
  const Ground ground;
  OwnGroups own;
  ASSERT_TRUE(own.create(ground.directory, "b", 0, 1).ok());
  constexpr uint32_t kMany = 10000;
  for (uint32_t n = 0; n < kMany; ++n) {
    uint64_t token = 0;
    ASSERT_TRUE(own.announce(Key(n).bytes, 0, token).ok());
    own.stamp_join(token, 64 + n);
  }
  EXPECT_EQ(groups_of(ground.directory, "b", 0, 1).size(), kMany);
  EXPECT_TRUE(joined_at(ground.directory, "b", 0, 1, Key(kMany - 1).bytes, UINT64_MAX));
}

TEST(GroupFile, AForeignOneIsNone) {
  const Ground ground;
  OwnGroups own;
  ASSERT_TRUE(own.create(ground.directory, "b", 0, 1).ok());
  const std::string path = ground.path() + "/b.groups.0.1";
  // It says that it holds more than there is room for in it: read as far as it reaches.
  const int fd = open(path.c_str(), O_WRONLY);
  const uint64_t absurd = UINT64_MAX;
  ASSERT_EQ(pwrite(fd, &absurd, 8, offsetof(GroupEntry, join_position)), 8);
  EXPECT_TRUE(groups_of(ground.directory, "b", 0, 1).empty());
  ASSERT_EQ(pwrite(fd, "other", 5, 0), 5);
  EXPECT_TRUE(groups_of(ground.directory, "b", 0, 1).empty());
  close(fd);
  std::filesystem::resize_file(path, 63);
  EXPECT_TRUE(groups_of(ground.directory, "b", 0, 1).empty());
}

}  // namespace
}  // namespace evs::shm
