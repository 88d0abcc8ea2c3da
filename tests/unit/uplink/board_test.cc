// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/board_test.cc - who may take the role, what is published, and which files are no board.
#include "bus/runtime/uplink/board.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace evs::runtime::uplink {
namespace {

class BoardTest : public testing::Test {
 protected:
  BoardTest() {
    char name[] = "/dev/shm/evs-board-XXXXXX";
    path_ = mkdtemp(name);
    const shm::Status opened = directory_.open(path_, "", false);
    if (!opened.ok()) ADD_FAILURE() << opened.text;
  }
  ~BoardTest() override { std::filesystem::remove_all(path_); }

  Board open() {
    auto board = Board::open(directory_, "bus");
    if (!board) ADD_FAILURE() << board.failure().text;
    return std::move(*board);
  }
  std::string file() const { return path_ + "/bus.board"; }
  std::string refusal() {
    auto board = Board::open(directory_, "bus");
    return board ? "ok" : board.failure().text;
  }

  std::string path_;
  shm::Directory directory_;
};

constexpr Holder kFirst{3, uint64_t{7} << 32 | 1}, kSecond{4, uint64_t{7} << 32 | 1};

TEST_F(BoardTest, TheRoleIsTakenOnce) {
  Board board = open();
  EXPECT_EQ(board.holder(), 0u);
  EXPECT_TRUE(board.take_role(0, kFirst));
  EXPECT_FALSE(board.take_role(0, kSecond)) << "it is not free any more";
  EXPECT_EQ(board.holder(), kFirst.word());
}

TEST_F(BoardTest, WhoFoundTheHolderGoneTakesItUnlessAnotherWasFaster) {
  Board board = open(), other = open();
  board.take_role(0, kFirst);
  const uint64_t seen = other.holder();
  EXPECT_TRUE(board.take_role(seen, kSecond));
  EXPECT_FALSE(other.take_role(seen, {5, 1})) << "whom it saw is not whom it has";
}

TEST_F(BoardTest, OnlyItsHolderLeavesIt) {
  Board board = open();
  board.take_role(0, kFirst);
  board.leave_role(kSecond);
  EXPECT_EQ(board.holder(), kFirst.word());
  board.leave_role(kFirst);
  EXPECT_EQ(board.holder(), 0u);
}

TEST_F(BoardTest, ALifeIsNotAnother) {
  EXPECT_NE(kFirst.word(), kSecond.word());
  EXPECT_NE((Holder{3, uint64_t{7} << 32 | 1}.word()), (Holder{3, uint64_t{7} << 32 | 2}.word())) << "of its slot";
  EXPECT_NE((Holder{3, uint64_t{7} << 32 | 1}.word()), (Holder{3, uint64_t{8} << 32 | 1}.word())) << "of the segment";
  // The fields do not run into each other, whatever the slot's generation is.
  EXPECT_NE((Holder{3, uint64_t{7} << 32 | 0xffffffff}.word()), (Holder{3, uint64_t{8} << 32 | 0xffffffff}.word()));
}

TEST_F(BoardTest, WhatIsPublishedIsSeenThroughAnotherMapping) {
  Board board = open();
  ProcessesInForce read, told;
  uint64_t position = 0;
  EXPECT_FALSE(board.read(read, position)) << "none yet";
  told.number = uint64_t{4} << 32 | 2;
  told.members = {{0x1001, 7, 9, 0, 0}};
  ASSERT_TRUE(board.publish(told, 77));
  board.begin_change();
  board.set_outbox_read(12);
  const Board other = open();
  ASSERT_TRUE(other.read(read, position));
  EXPECT_EQ(position, 77u);
  EXPECT_EQ(read.number, told.number);
  EXPECT_EQ(read.members.size(), 1u);
  EXPECT_EQ(other.outbox_read(), 12u);
  EXPECT_TRUE(other.is_changing());
  board.end_change();
  EXPECT_FALSE(other.is_changing());
}

TEST_F(BoardTest, MoreProcessesThanThereIsRoomForAreNotPublished) {
  Board board = open();
  ProcessesInForce told, read;
  told.members.resize(20'000);
  EXPECT_FALSE(board.publish(told, 1));
  uint64_t position = 0;
  EXPECT_FALSE(board.read(read, position));
}

TEST_F(BoardTest, AnotherVersionsFileIsRefusedInWordsAndLeftAsItIs) {
  { open(); }
  {
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    stream << "evboard9";
  }
  const std::string why = refusal();
  EXPECT_NE(why.find("another version"), std::string::npos) << why;
  EXPECT_NE(why.find(file()), std::string::npos) << why;
  EXPECT_NE(why.find("remove it"), std::string::npos) << why;
  std::ifstream stream(file(), std::ios::binary);
  char magic[8];
  stream.read(magic, sizeof magic);
  EXPECT_EQ(std::string(magic, sizeof magic), "evboard9");
}

// Who made it was killed before it had its size, or somebody cut it off: what is missing is zeros, and nobody reads past its end.
TEST_F(BoardTest, ATruncatedFileIsFilledUp) {
  { open(); }
  std::filesystem::resize_file(file(), 10);
  Board board = open();
  EXPECT_EQ(board.holder(), 0u);
  ProcessesInForce read;
  uint64_t position = 0;
  EXPECT_FALSE(board.read(read, position));
}

TEST_F(BoardTest, WhatIsNotOursIsNotTrusted) {
  { open(); }
  ASSERT_EQ(chmod(file().c_str(), 0666), 0);
  EXPECT_NE(refusal(), "ok") << "anybody could write into it";
  ASSERT_EQ(unlink(file().c_str()), 0);
  ASSERT_EQ(symlink("/etc/hostname", file().c_str()), 0);
  EXPECT_NE(refusal().find("bus.board"), std::string::npos) << "a link to somewhere else";
  ASSERT_EQ(unlink(file().c_str()), 0);
  std::filesystem::create_directory(file());
  EXPECT_NE(refusal(), "ok");
}

TEST_F(BoardTest, ItsFileIsForWhoMayUseTheBus) {
  open();
  struct stat st {};
  ASSERT_EQ(stat(file().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, directory_.file_mode());
}

}  // namespace
}  // namespace evs::runtime::uplink
