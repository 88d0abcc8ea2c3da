// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/voting_file_test.cc - what a host has voted for outlives it, or it says why not.
#include "bus/runtime/uplink/voting_file.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "tests/support/golden.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

constexpr Quorum kAuto{Quorum::Rule::last_primary, 0}, kTwo{Quorum::Rule::fixed, 2};

// A file may not grow beyond `bytes`, as on a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit tight{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

class Kept : public testing::Test {
 protected:
  void SetUp() override {
    std::string made = (fs::temp_directory_path() / "evs-state-XXXXXX").string();
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    root = made;
    auto opened = StateDirectory::open({root}, "b.7.votes", StateDirectory::Missing::refuse);
    ASSERT_TRUE(opened.ok());
    directory.emplace(std::move(*opened));
  }
  void TearDown() override { fs::remove_all(root); }

  PluginResult<VotingFile> open(HostId host = 7, const Quorum& quorum = kAuto, bool begins_here = false) {
    return VotingFile::open(*directory, "b", host, quorum, begins_here);
  }
  std::string refusal(HostId host = 7) {
    auto opened = open(host);
    return opened ? "it was taken" : opened.failure().text;
  }
  std::string path() const { return root + "/b.7.votes"; }
  std::string contents() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& bytes) const { std::ofstream(path(), std::ios::binary) << bytes; }
  static Voter with_a_try(Voter voter) {
    const RingId ring{8, 7, 5};
    voter.record.attempts = {{3, ring, {{7, voter.disk}, {9, 1}}}};
    return voter;
  }

  std::string root;
  std::optional<StateDirectory> directory;
};

TEST_F(Kept, WithoutAFileAHostIsNewAndIsSoOnce) {
  auto first = open();
  ASSERT_TRUE(first.ok()) << first.failure().text;
  EXPECT_TRUE(first->is_new());
  EXPECT_NE(first->voter().disk, 0u);
  EXPECT_EQ(first->voter().record, PrimaryRecord{});
  EXPECT_EQ(first->voter().quorum, kAuto);
  struct stat status;
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  auto second = open();
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second->is_new());
  EXPECT_EQ(second->voter(), first->voter());
  fs::remove(path());
  EXPECT_NE(open()->voter().disk, first->voter().disk) << "another disk is another host";
}

TEST_F(Kept, WhatWasStoredIsThereInTheNextLifeUnderEitherRule) {
  auto first = open();
  ASSERT_TRUE(first.ok());
  const Voter voted = with_a_try(first->voter());
  EXPECT_EQ(first->store(*directory, voted), "");
  EXPECT_EQ(open()->voter(), voted);
  EXPECT_EQ(open(7, kTwo)->voter().record, voted.record);
  EXPECT_EQ(std::distance(fs::directory_iterator(root), fs::directory_iterator()), 1) << "nothing is left beside it";
}

TEST_F(Kept, TheBusBeginsWhereSomebodySaysSoAndNeverAnew) {
  const Voter founder = open(7, kAuto, true)->voter();
  EXPECT_EQ(founder.record, begun_by({7, founder.disk}));
  const Voter other = open(8, kAuto)->voter();
  const Voter late = open(8, kAuto, true)->voter();
  EXPECT_EQ(late.record, begun_by({8, other.disk})) << "it had voted for nothing";
  EXPECT_EQ(open(8, kAuto, true)->voter(), late) << "it has begun";
  EXPECT_EQ(open(9, kTwo, true)->voter().record, PrimaryRecord{}) << "a fixed number needs no founder";
}

// At every byte: it was cut off there, or another one stands there. Never is a part of it taken, never is the file touched, and the bus is told which file it is.
TEST_F(Kept, ADamagedOneIsRefusedAndLeftAlone) {
  ASSERT_EQ(open()->store(*directory, with_a_try(open()->voter())), "");
  const std::string whole = contents();
  for (size_t at = 0; at < whole.size(); ++at) {
    write(whole.substr(0, at));
    EXPECT_THAT(refusal(), HasSubstr(path() + ": it is damaged. No other host's and no older one may take its place: remove it")) << "cut at " << at;
    EXPECT_EQ(contents(), whole.substr(0, at));
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    write(changed);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(path() + ": it"), HasSubstr("remove it"))) << "another byte at " << at;
    EXPECT_EQ(contents(), changed);
  }
  write(whole + '\0');
  EXPECT_THAT(refusal(), HasSubstr("it is damaged"));
  fs::resize_file(path(), 1 << 20);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("larger than"), HasSubstr("remove it")));
  write(whole);
  EXPECT_TRUE(open().ok());
}

// Whole, and yet none of this host's; each says what it is.
TEST_F(Kept, AForeignOneIsRefused) {
  const auto as = [&](const StateOwner& owner, const std::string& state) {
    const auto file = wrap(owner, std::as_bytes(std::span(state)));
    write({reinterpret_cast<const char*>(file.data()), file.size()});
    return refusal();
  };
  EXPECT_THAT(as({StateKind::votes, 8, "b"}, "x"), HasSubstr("it is host 8's, and this is host 7. No other host's"));
  EXPECT_THAT(as({StateKind::votes, 7, "c"}, "x"), HasSubstr("it is bus c's, and this is bus b. No other host's"));
  EXPECT_THAT(as({StateKind::rings, 7, "b"}, "x"), HasSubstr("it holds numbers of rings, and not votes"));
  EXPECT_THAT(as({StateKind{9}, 7, "b"}, "x"), HasSubstr("it holds something that this library does not know"));
  EXPECT_THAT(as({StateKind::votes, 7, "b"}, "x"), HasSubstr("no host can have come to what it says"));
  std::string next = contents();
  next[8] = 2;
  write(next);
  EXPECT_THAT(refusal(), HasSubstr("its version is 2, and this library reads 1"));
  write("#!/bin/sh\necho hello\n");
  EXPECT_THAT(refusal(), HasSubstr("it is no file of evs"));
  fs::remove(path());
  ASSERT_TRUE(open(8).ok());
  fs::rename(root + "/b.8.votes", path());
  EXPECT_THAT(refusal(), HasSubstr("it is host 8's, and this is host 7"));
}

TEST_F(Kept, WhatOthersMayWriteToIsNotBelieved) {
  ASSERT_TRUE(open().ok());
  fs::permissions(path(), fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(refusal(), HasSubstr("others may write to it"));
  fs::remove(path());
  fs::create_symlink("/dev/null", path());
  EXPECT_THAT(refusal(), HasSubstr("b.7.votes: "));
  fs::remove(path());
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("no regular file"));
  fs::remove(path());
  fs::permissions(root, fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(StateDirectory::open({root}, "n", StateDirectory::Missing::refuse).failure().text, HasSubstr(root + ": others may write to it"));
}

// By the document alone: docs/stored-state.md, "Files on a disk".
TEST_F(Kept, HasTheBytesOfTheDocument) {
  std::string drawn;
  std::istringstream lines(test::read_file(EVS_SOURCE_DIR "/docs/stored-state.md"));
  for (std::string line; std::getline(lines, line);)
    for (const char each : line.substr(0, line.find('#')))
      if (each != ' ') drawn += each;
  std::vector<std::byte> state(8);
  state[1] = std::byte{4};
  EXPECT_THAT(drawn, HasSubstr("```hex" + test::hex(wrap({StateKind::rings, 7, "orders"}, state)) + "```"));
  ASSERT_TRUE(SequenceFile::open(*directory, "orders", 7).ok());
}

TEST_F(Kept, OnAFullDiskTheOldOneStaysAndItIsSaid) {
  auto file = open();
  ASSERT_TRUE(file.ok());
  const Voter before = file->voter();
  {
    const FullDisk full(16);
    EXPECT_THAT(file->store(*directory, with_a_try(before)), HasSubstr("b.7.votes cannot be written: File too large; with uplink.quorum"));
    EXPECT_FALSE(open(8).ok()) << "nobody begins with a record that is not on the disk";
    EXPECT_THAT(refusal(), HasSubstr("cannot be written")) << "nobody comes to a ring whose votes it could not write down";
    EXPECT_THAT(SequenceFile::open(*directory, "b", 7).failure().text, AllOf(HasSubstr("b.7.rings cannot be written: File too large"), HasSubstr("make room")));
  }
  EXPECT_EQ(open()->voter(), before);
  EXPECT_FALSE(fs::exists(root + "/b.8.votes"));
  EXPECT_EQ(file->store(*directory, with_a_try(before)), "") << "there is room again";
}

TEST_F(Kept, WhatTheNextLifeWouldRefuseIsNotWritten) {
  auto file = open();
  ASSERT_TRUE(file.ok());
  Voter wrong = with_a_try(file->voter());
  wrong.record.attempts[0].hosts[0].nonce += 1;  // the vote of another disk
  EXPECT_THAT(file->store(*directory, wrong), HasSubstr("is left as it is"));
  EXPECT_EQ(open()->voter(), file->voter());
}

TEST_F(Kept, OneThatWasKilledWhileItWroteLeavesTheOldOne) {
  auto file = open();
  ASSERT_TRUE(file.ok());
  const std::string half = path() + ".new.0123456789abcdef", of_another = path() + ".new.12345678.7.votes";  // there may be such a bus
  std::ofstream(half) << "half of";
  std::ofstream(of_another) << "whole";
  EXPECT_EQ(open()->voter(), file->voter());
  EXPECT_FALSE(fs::exists(half));
  EXPECT_TRUE(fs::exists(of_another));
  fs::create_directory(half);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(half + " cannot be removed: "), Not(HasSubstr("votes as one that is new")))) << "it might be given the name later";
}

TEST_F(Kept, WhereItLies) {
  const std::string none = root + "/none", made = root + "/a/b";
  EXPECT_FALSE(StateDirectory::open({none}, "n", StateDirectory::Missing::refuse).ok());
  EXPECT_THAT(StateDirectory::open({none, "/dev/null"}, "n", StateDirectory::Missing::refuse).failure().text,
              testing::AllOf(HasSubstr("none: No such file"), HasSubstr("/dev/null: Not a directory"), HasSubstr("uplink.state_directory")));
  auto opened = StateDirectory::open({"/dev/null/evs", made, root}, "n", StateDirectory::Missing::make);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->path_of("n"), made + "/n") << "the first that can be used";
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(StateDirectory::open({made, root}, "b.7.votes", StateDirectory::Missing::make)->path_of("x"), root + "/x") << "the one that has it";
}

// As when root ran the bus, and a user does now. (Root may write to root's own: here it is one that others may write to.)
TEST_F(Kept, WhatAHostHasVotedForIsNotPassedOver) {
  const std::string before = root + "/before";
  fs::create_directory(before);
  chmod(before.c_str(), 0777);
  EXPECT_EQ(StateDirectory::open({before, root}, "b.7.votes", StateDirectory::Missing::make)->path_of("x"), root + "/x") << "nothing lies there";
  std::ofstream(before + "/b.7.votes") << "something";
  EXPECT_THAT(StateDirectory::open({before, root}, "b.7.votes", StateDirectory::Missing::make).failure().text,
              AllOf(HasSubstr(before + "/b.7.votes is what this host has kept until now"), HasSubstr("others may write to it"), HasSubstr("uplink.state_directory")));
  EXPECT_TRUE(StateDirectory::open({before, root}, "b.7.votes", StateDirectory::Missing::refuse).ok()) << "nothing depends on it";
}

TEST_F(Kept, SequencesAreReservedForManyRingsAtOnce) {
  auto first = SequenceFile::open(*directory, "b", 7);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->reserved(), 0u);
  EXPECT_EQ(first->reserve(*directory, 40), "");
  const uint64_t reserved = first->reserved();
  EXPECT_GE(reserved, 40 + 200 * kSequenceStep);
  const auto written = fs::last_write_time(root + "/b.7.rings");
  EXPECT_EQ(first->reserve(*directory, reserved), "");
  EXPECT_EQ(fs::last_write_time(root + "/b.7.rings"), written) << "nothing is written for what was reserved";
  EXPECT_EQ(SequenceFile::open(*directory, "b", 7)->reserved(), reserved);
  EXPECT_EQ(first->reserve(*directory, reserved + 1), "");
  EXPECT_GT(SequenceFile::open(*directory, "b", 7)->reserved(), reserved);
  const auto whole = fs::file_size(root + "/b.7.rings");
  for (size_t size = 0; size < whole; ++size) {
    fs::resize_file(root + "/b.7.rings", size);
    EXPECT_THAT(SequenceFile::open(*directory, "b", 7).failure().text, HasSubstr("b.7.rings: it is damaged. Remove it")) << size;
    fs::remove(root + "/b.7.rings");
    ASSERT_EQ(SequenceFile::open(*directory, "b", 7)->reserve(*directory, 40), "");
  }
}

TEST_F(Kept, SequencesThatCannotBeReservedAreNotUsed) {
  auto file = SequenceFile::open(*directory, "b", 7);
  ASSERT_TRUE(file.ok());
  const FullDisk full(16);
  EXPECT_THAT(file->reserve(*directory, 40), HasSubstr("b.7.rings cannot be written: File too large; make room there"));
  EXPECT_EQ(file->reserved(), 0u);
}

TEST_F(Kept, ADirectoryThatIsGoneIsSaid) {
  auto file = open();
  ASSERT_TRUE(file.ok());
  fs::remove_all(root);
  EXPECT_THAT(file->store(*directory, file->voter()), HasSubstr("b.7.votes cannot be written: No such file or directory"));
}

}  // namespace
}  // namespace evs::runtime::uplink
