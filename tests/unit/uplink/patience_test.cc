// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/patience_test.cc - a disk that hangs keeps nobody who must not wait, and what is left to it does no harm later.
#include "bus/runtime/uplink/patience.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bus/runtime/uplink/state_directory.h"
#include "bus/runtime/uplink/voting_file.h"
#include "tests/unit/uplink/hanging_disk.h"

namespace evs::runtime::uplink {
namespace {

using test::HangingDisk;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class Hanging : public testing::Test {
 protected:
  void SetUp() override {
    std::string made = (fs::temp_directory_path() / "evs-state-XXXXXX").string();
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    root = made;
  }
  void TearDown() override { fs::remove_all(root); }

  // As a process has it, each with its own.
  StateDirectory open(const std::shared_ptr<Patience>& with = nullptr) const {
    auto opened = StateDirectory::open({root}, "f", StateDirectory::Missing::refuse, with);
    EXPECT_TRUE(opened.ok());
    return std::move(*opened);
  }
  static std::string write(const StateDirectory& directory, const std::string& text) {
    const auto failure = directory.write("f", std::as_bytes(std::span(text)));
    return failure ? failure->text : "";
  }
  static std::string take_over(const StateDirectory& directory) {
    const auto failure = directory.take_over("f");
    return failure ? failure->text : "";
  }
  std::string read() const {
    auto contents = open().read("f", 100);
    return contents && *contents ? std::string(reinterpret_cast<const char*>((*contents)->data()), (*contents)->size()) : "nothing";
  }
  Names files() const {
    Names names;
    for (const auto& each : fs::directory_iterator(root)) names.push_back(each.path().filename());
    return names;
  }

  // Goes on without an answer as soon as the disk hangs, and hears what of that came.
  template <class Work>
  static auto leave(std::optional<HangingDisk>& disk, Patience& patience, Work&& work) {
    auto answer = std::async(std::launch::async, work);
    disk->until_somebody_hangs();
    patience.end_at(0);
    if (answer.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
      ADD_FAILURE() << "it waits for the disk";
      disk.reset();
    }
    return answer.get();
  }

  std::string root;
};

TEST_F(Hanging, WhoIsLeftDoesNotReplaceTheFileLater) {
  const auto patience = std::make_shared<Patience>();
  const StateDirectory directory = open(patience);
  ASSERT_EQ(write(directory, "old"), "");
  std::optional<HangingDisk> disk(HangingDisk::kFlush);
  EXPECT_THAT(leave(disk, *patience, [&] { return write(directory, "new"); }), HasSubstr(root + "/f cannot be written: the disk has not answered"));
  disk.reset();
  EXPECT_EQ(read(), "old") << "its sender was told that it is not written";
  EXPECT_THAT(files(), ElementsAre("f"));
}

// Wherever he stands who was left, and whatever he still does: while his successor stands between its new file and the name.
TEST_F(Hanging, ASuccessorsFileStands) {
  ASSERT_EQ(write(open(), "old"), "");
  for (const unsigned call : {HangingDisk::kOpen, HangingDisk::kFlush, HangingDisk::kRename, HangingDisk::kAny}) {
    const auto patience = std::make_shared<Patience>();
    const StateDirectory directory = open(patience), successor = open(std::make_shared<Patience>());
    std::optional<HangingDisk> disk;
    disk.emplace(call, 1);
    EXPECT_NE(leave(disk, *patience, [&] { return write(directory, "older"); }), "");

    EXPECT_EQ(take_over(successor), "");
    std::optional<HangingDisk> renames;
    renames.emplace(HangingDisk::kRename, 1);
    auto answer = std::async(std::launch::async, [&] { return write(successor, "newer"); });
    renames->until_somebody_hangs();
    disk.reset();
    EXPECT_EQ(read(), "old") << call;
    renames.reset();
    EXPECT_EQ(answer.get(), "") << call;
    EXPECT_EQ(read(), "newer") << call;
    EXPECT_THAT(files(), ElementsAre("f")) << call;
    ASSERT_EQ(write(successor, "old"), "");
  }
}

TEST_F(Hanging, WhoIsLeftTakingOverTakesNothingFromItsSuccessor) {
  const auto patience = std::make_shared<Patience>();
  const StateDirectory directory = open(patience), successor = open(std::make_shared<Patience>());
  std::optional<HangingDisk> disk;
  disk.emplace(HangingDisk::kOpen, 1);
  EXPECT_THAT(leave(disk, *patience, [&] { return take_over(directory); }), HasSubstr(root + "/f: the disk has not answered"));
  std::optional<HangingDisk> renames(HangingDisk::kRename);
  auto answer = std::async(std::launch::async, [&] { return write(successor, "newer"); });
  renames->until_somebody_hangs();
  disk.reset();
  renames.reset();
  EXPECT_EQ(answer.get(), "");
}

TEST_F(Hanging, WhoMayWaitWaits) {
  const StateDirectory directory = open(std::make_shared<Patience>());
  std::optional<HangingDisk> disk(HangingDisk::kFlush);
  auto answer = std::async(std::launch::async, [&] { return write(directory, "late"); });
  disk->until_somebody_hangs();
  disk.reset();
  EXPECT_EQ(answer.get(), "");
  EXPECT_EQ(read(), "late");
}

// Nothing is known of what is on it: there is nothing to be removed, and no room to be made.
TEST_F(Hanging, ADiskThatDoesNotAnswerIsATimeoutAndNoFault) {
  const auto nothing_of_the_files = [](const PluginFailure& failure) {
    EXPECT_EQ(failure.code, CS_ERR_TIMEOUT) << failure.text;
    EXPECT_THAT(failure.text, AllOf(HasSubstr(".7."), HasSubstr("the disk has not answered"), Not(HasSubstr("emove")), Not(HasSubstr("make room"))));
  };
  // Taking over, reading, writing.
  for (const auto& [call, behind] : {std::pair(HangingDisk::kOpen, 0), std::pair(HangingDisk::kOpen, 1), std::pair(HangingDisk::kFlush, 0)}) {
    const auto patience = std::make_shared<Patience>();
    const StateDirectory directory = open(patience);
    std::optional<HangingDisk> disk;
    disk.emplace(call, 1 << 30, behind);
    nothing_of_the_files(leave(disk, *patience, [&] { return VotingFile::open(directory, "b", 7, {}, false).failure(); }));
    disk.reset();
    const auto again = std::make_shared<Patience>();
    const StateDirectory other = open(again);
    disk.emplace(call, 1 << 30, behind);
    nothing_of_the_files(leave(disk, *again, [&] { return SequenceFile::open(other, "b", 7).failure(); }));
  }
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
  std::promise<bool> is_left;
  EXPECT_EQ(patience.wait_for<int>([&](Patience::Task& task) {
    left.get_future().wait();
    return is_left.set_value(task.is_left()), 1;
  }),
            std::nullopt);
  left.set_value();
  EXPECT_TRUE(is_left.get_future().get());
}

}  // namespace
}  // namespace evs::runtime::uplink
