// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/status_file_test.cc - the file is always whole, has the counters' mode, and goes with its gateway.
#include "bus/runtime/uplink/status_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace evs::runtime::uplink {
namespace {

class StatusFileTest : public testing::Test {
 protected:
  StatusFileTest() {
    char name[] = "/dev/shm/evs-status-XXXXXX";
    path_ = mkdtemp(name);
    const shm::Status opened = directory_.open(path_, "", false);
    if (!opened.ok()) ADD_FAILURE() << opened.text;
  }
  ~StatusFileTest() override { std::filesystem::remove_all(path_); }
  std::string text() const {
    std::ifstream file(path_ + "/bus.uplink");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool only_file_is_there() const { return std::distance(std::filesystem::directory_iterator(path_), {}) == 1 && std::filesystem::exists(path_ + "/bus.uplink"); }

  std::string path_;
  shm::Directory directory_;
};

TEST_F(StatusFileTest, IsReplacedAndGoesWithItsWriter) {
  {
    StatusFile file(directory_, "bus", "");
    EXPECT_TRUE(std::filesystem::is_empty(path_)) << "nothing was told yet";
    ASSERT_TRUE(file.write("one\n").ok());
    ASSERT_TRUE(file.write("2\n").ok());
    EXPECT_EQ(text(), "2\n");
    struct stat seen {};
    ASSERT_EQ(stat((path_ + "/bus.uplink").c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 07777, 0640u);
    EXPECT_TRUE(only_file_is_there());
  }
  EXPECT_TRUE(std::filesystem::is_empty(path_));
}

// A reader that opened it reads what it opened, to the end.
TEST_F(StatusFileTest, WhoReadsItSeesOneWriting) {
  StatusFile file(directory_, "bus", "");
  ASSERT_TRUE(file.write("the first\n").ok());
  std::ifstream reader(path_ + "/bus.uplink");
  ASSERT_TRUE(file.write("the second, which is longer\n").ok());
  std::string line;
  std::getline(reader, line);
  EXPECT_EQ(line, "the first");
}

TEST_F(StatusFileTest, WhatAKilledOneLeftHalfWrittenIsInNobodysWay) {
  std::ofstream(path_ + "/bus.uplink.new") << "half a li";
  std::ofstream(path_ + "/bus.uplink") << "of a killed one\n";
  StatusFile file(directory_, "bus", "");
  EXPECT_EQ(text(), "of a killed one\n");
  ASSERT_TRUE(file.write("anew\n").ok());
  EXPECT_EQ(text(), "anew\n");
  EXPECT_TRUE(only_file_is_there());
}

TEST_F(StatusFileTest, AFailureNamesTheFileAndLeavesTheLastOne) {
  StatusFile file(directory_, "bus", "");
  ASSERT_TRUE(file.write("last\n").ok());
  std::filesystem::create_directory(path_ + "/bus.uplink.new");
  const shm::Status status = file.write("more\n");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.text.find(path_ + "/bus.uplink.new"), std::string::npos) << status.text;
  EXPECT_EQ(text(), "last\n");
}

}  // namespace
}  // namespace evs::runtime::uplink
