// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/patience_test.cc - a disk that hangs keeps nobody who must not wait, and what is left to it does no harm later.
#include "bus/runtime/uplink/patience.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

#include "bus/runtime/uplink/state_directory.h"
#include "tests/unit/uplink/hanging_disk.h"

namespace evs::runtime::uplink {
namespace {

using test::HangingDisk;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Hanging : public testing::Test {
 protected:
  void SetUp() override {
    std::string made = (fs::temp_directory_path() / "evs-state-XXXXXX").string();
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    root = made;
  }
  void TearDown() override { fs::remove_all(root); }

  // As a process has it, each with its own.
  StateDirectory open(const std::shared_ptr<Patience>& patience) {
    auto opened = StateDirectory::open({root}, "f", StateDirectory::Missing::refuse, patience);
    EXPECT_TRUE(opened.ok());
    return std::move(*opened);
  }
  static std::string write(const StateDirectory& directory, const std::string& text) { return directory.write("f", std::as_bytes(std::span(text))); }
  static std::string read(const StateDirectory& directory) {
    const StateDirectory::Read read = directory.read("f", 100);
    return {reinterpret_cast<const char*>(read.bytes.data()), read.bytes.size()};
  }

  std::string root;
  const std::shared_ptr<Patience> patience = std::make_shared<Patience>();
};

TEST_F(Hanging, WhoIsLeftDoesNotReplaceTheFileLater) {
  const StateDirectory directory = open(patience);
  ASSERT_EQ(write(directory, "old"), "");
  {
    const HangingDisk disk;
    std::thread impatient([&] {
      HangingDisk::until_somebody_hangs();
      patience->end_at(0);
    });
    EXPECT_THAT(write(directory, "new"), HasSubstr(root + "/f cannot be written: the disk has not answered"));
    impatient.join();
  }
  EXPECT_EQ(read(open(nullptr)), "old") << "its sender was told that it is not written";
}

TEST_F(Hanging, ASuccessorsFileStands) {
  const StateDirectory directory = open(patience), successor = open(std::make_shared<Patience>());
  {
    const HangingDisk disk(1);
    std::thread impatient([&] {
      HangingDisk::until_somebody_hangs();
      patience->end_at(0);
    });
    EXPECT_NE(write(directory, "older"), "");
    impatient.join();
    EXPECT_EQ(write(successor, "newer"), "");
  }
  EXPECT_EQ(read(successor), "newer");
}

TEST_F(Hanging, WhoMayWaitWaits) {
  const StateDirectory directory = open(patience);
  std::string answer = "none yet";
  std::thread waits;
  {
    const HangingDisk disk;
    waits = std::thread([&] { answer = write(directory, "late"); });
    HangingDisk::until_somebody_hangs();
      }
  waits.join();
  EXPECT_EQ(answer, "");
  EXPECT_EQ(read(directory), "late");
}

TEST(Patience, AnExceptionIsThrownToWhoWaits) {
  Patience patience;
  EXPECT_THROW(patience.wait_for<int>([](Patience::Task&) -> int { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(patience.wait_for<int>([](Patience::Task&) { return 7; }), 7);
}

TEST(Patience, WhoIsLeftIsTold) {
  Patience patience;
  patience.end_at(0);
  std::promise<void> left;
  std::promise<bool> proceeds;
  EXPECT_EQ(patience.wait_for<int>([&](Patience::Task& task) {
    left.get_future().wait();
    return proceeds.set_value(task.proceed()), 1;
  }),
            std::nullopt);
  left.set_value();
  EXPECT_FALSE(proceeds.get_future().get());
}

}  // namespace
}  // namespace evs::runtime::uplink
