// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/namespace_test.cc - a full /dev/shm, and a process of another pid namespace. Needs root: it
// mounts, in a mount namespace of its own, and makes pid namespaces.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/scenarios/limits/census.h"
#include "tests/scenarios/limits/peer_process.h"
#include "tests/unit/api/story.h"

namespace evs::limits {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

TEST(PidNamespace, AnotherOnTheSameSegmentIsRefusedByName) {
  if (geteuid() != 0) GTEST_SKIP() << "a pid namespace needs root";
  test::Story story;
  ASSERT_EQ(story.result, CS_OK) << story.error;
  PeerProcess stranger({"unshare", "--pid", "--fork", "--mount-proc"});
  if (!stranger.ready()) GTEST_SKIP() << "this container may not make a pid namespace";
  const std::string refused = stranger.ask("open " + test::directory() + " story");
  EXPECT_THAT(refused, AllOf(StartsWith("CS_ERR_ACCESS"), HasSubstr("another pid namespace (pid:["),
                             HasSubstr("use another bus")));
  const std::string own = fs::read_symlink("/proc/self/ns/pid");
  EXPECT_THAT(refused, HasSubstr(own)) << "by the name that the kernel gives it";
  // Another bus in the same directory is no stranger to anybody.
  EXPECT_THAT(stranger.ask("open " + test::directory() + " theirs"), StartsWith("CS_OK"));
  test::Story::Wishes wishes;
  wishes.bus = "theirs";
  test::Story ours(wishes);
  EXPECT_EQ(ours.result, CS_ERR_ACCESS);
  EXPECT_THAT(ours.error, HasSubstr("another pid namespace"));
  EXPECT_EQ(story.dispatch(), CS_OK);
}

// A /dev/shm of our own, some megabytes large.
class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
      GTEST_SKIP() << "a small file system needs root and a mount namespace";
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) GTEST_SKIP() << "this container may not mount";
    char name[] = "/tmp/evs-full-XXXXXX";
    directory_ = mkdtemp(name);
    ASSERT_EQ(mount("none", directory_.c_str(), "tmpfs", 0, "size=16m,mode=0700"), 0);
  }
  void TearDown() override {
    if (directory_.empty()) return;
    umount2(directory_.c_str(), MNT_DETACH);
    fs::remove(directory_);
  }
  uint64_t free_bytes() const {
    struct statvfs s {};
    statvfs(directory_.c_str(), &s);
    return uint64_t{s.f_bavail} * s.f_bsize;
  }
  // Leaves so many bytes.
  void fill_up_to(uint64_t left) const {
    const int fd = open((directory_ + "/ballast").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_EQ(ftruncate(fd, 0), 0);
    const uint64_t now = free_bytes();
    if (now > left) {
      EXPECT_EQ(posix_fallocate(fd, 0, static_cast<off_t>(now - left)), 0);
    }
    close(fd);
  }
  std::string directory_;
};

TEST_F(FullDisk, ASentenceAndNothingLeftBehind) {
  const std::string open = "open " + directory_ + " b local.ring_size=4MiB";
  PeerProcess peer;
  ASSERT_THAT(peer.ask(open), StartsWith("CS_OK"));
  ASSERT_EQ(peer.ask("finalize"), "CS_OK");
  const std::string census = peer.ask("census");
  const int files = entries_of(directory_) + 1;  // and the ballast
  // From nothing free to enough for a member: refused in words until it works; SIGBUS would be a peer that died.
  int refused = 0;
  bool works = false;
  for (uint64_t left = 0; left < (6u << 20) && !works; left += left < (64u << 10) ? 4096 : 200u << 10) {
    fill_up_to(left);
    const std::string answer = peer.ask(open);
    works = answer.rfind("CS_OK", 0) == 0;
    if (works) break;
    ++refused;
    ASSERT_THAT(answer, AllOf(StartsWith("CS_ERR_NO_SPACE"), HasSubstr("No space left"))) << left << " bytes free";
    ASSERT_EQ(peer.ask("census"), census) << left;
    ASSERT_EQ(entries_of(directory_), files) << left;
  }
  EXPECT_GT(refused, 10);
  ASSERT_TRUE(works);
  // Full from here on: who is in goes on, and what needs room says so.
  fill_up_to(0);
  EXPECT_EQ(peer.ask("join g"), "CS_OK");
  EXPECT_EQ(peer.ask("send g x"), "CS_OK");
  EXPECT_THAT(peer.ask("told"), HasSubstr("msg x"));
  PeerProcess second;
  EXPECT_THAT(second.ask(open), StartsWith("CS_ERR_NO_SPACE"));
  fill_up_to(2u << 20);
  EXPECT_THAT(second.ask(open), StartsWith("CS_OK"));
  fill_up_to(0);
  EXPECT_EQ(second.ask("join g"), "CS_OK");
  EXPECT_EQ(second.ask("send g y"), "CS_OK");
  EXPECT_THAT(peer.ask("until y 30000"), HasSubstr("msg y"));
  EXPECT_EQ(second.ask("finalize"), "CS_OK");
  EXPECT_EQ(peer.ask("finalize"), "CS_OK");
}

}  // namespace
}  // namespace evs::limits
