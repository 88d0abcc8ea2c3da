// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/sealing/key_file_faults_test.cc - the key file on file systems that fail, that lack something, and with somebody else at it in between.
//
// The linker puts our fsync(), flock(), link() and renameat2() before the C library's.
#include <errno.h>
#include <gmock/gmock.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "bus/runtime/sealing/key_file.h"
#include "tools/evs/keygen_command.h"

namespace {

// What the next calls answer; 0: what the C library says.
struct Plan {
  int directory_sync = 0, rename_new = 0, link = 0, lock = 0;
  int renames = 0, links = 0;
  std::function<void()> before_lock, before_sync;
};
Plan plan;

int answer(int error) {
  errno = error;
  return -1;
}

}  // namespace

extern "C" {
int __real_fsync(int fd);
int __wrap_fsync(int fd) {
  struct stat status;
  if (plan.before_sync) plan.before_sync();
  if (plan.directory_sync != 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) return answer(plan.directory_sync);
  return __real_fsync(fd);
}
int __real_renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags);
int __wrap_renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) {
  ++plan.renames;
  return plan.rename_new != 0 ? answer(plan.rename_new) : __real_renameat2(from_fd, from, to_fd, to, flags);
}
int __real_link(const char* from, const char* to);
int __wrap_link(const char* from, const char* to) {
  ++plan.links;
  return plan.link != 0 ? answer(plan.link) : __real_link(from, to);
}
int __real_flock(int fd, int what);
int __wrap_flock(int fd, int what) {
  if (plan.before_lock) plan.before_lock();
  return plan.lock != 0 ? answer(plan.lock) : __real_flock(fd, what);
}
}

namespace evs::runtime::sealing {
namespace {

using testing::HasSubstr;

GroupKey key_of(uint16_t id) {
  GroupKey key;
  key.id = id;
  key.secret.bytes.fill(static_cast<std::byte>(id));
  return key;
}

class KeyFileFaults : public testing::Test {
 protected:
  KeyFileFaults() {
    char name[] = "/tmp/evs-key-faults-XXXXXX";
    directory = mkdtemp(name);
    path = directory + "/key";
    plan = {};
  }
  ~KeyFileFaults() override {
    plan = {};
    std::filesystem::remove_all(directory);
  }
  std::string make(uint16_t id, KeyFileWrite how) {
    const auto written = write_key_file(path, Keyring(key_of(id)), how, &fault);
    return written.ok() ? written->warning : "refused: " + written.error();
  }
  void make_two() {
    Keyring keys(key_of(1));
    ASSERT_TRUE(keys.add(key_of(2)));
    ASSERT_TRUE(write_key_file(path, keys, KeyFileWrite::create).ok());
  }
  // `evs keygen --rotate`, and what it prints.
  std::string rotate() {
    tools::KeygenOptions options;
    options.file = path;
    options.rotate = true;
    testing::internal::CaptureStdout();
    EXPECT_EQ(tools::run_keygen(options), 0);
    return testing::internal::GetCapturedStdout();
  }
  uint16_t sealing_id() {
    const auto keys = read_key_file(path);
    return keys.ok() ? keys->keys()[0].id : uint16_t{0};
  }
  size_t files() { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(directory), {})); }

  std::string directory, path;
  KeyFileFault fault = KeyFileFault::none;
};

TEST_F(KeyFileFaults, ADirectoryThatIsNotOnDiskIsAWarning) {
  ASSERT_EQ(make(1, KeyFileWrite::create), "");
  plan.directory_sync = EIO;
  const std::string warning = make(2, KeyFileWrite::replace);
  EXPECT_THAT(warning, HasSubstr("was not brought to disk (Input/output error)"));
  EXPECT_THAT(warning, testing::Not(HasSubstr("refused")));
  EXPECT_EQ(fault, KeyFileFault::none);
  EXPECT_EQ(sealing_id(), 2);
  plan.directory_sync = EINVAL;  // a file system that cannot
  EXPECT_EQ(make(3, KeyFileWrite::replace), "");
}

// The step was taken, and says so: to take it again would take it back.
TEST_F(KeyFileFaults, ARotationWhoseDirectoryIsNotOnDiskIsDone) {
  make_two();
  plan.directory_sync = EIO;
  const std::string said = rotate();
  EXPECT_THAT(said, HasSubstr("key 2 seals, key 1 still opens"));
  EXPECT_THAT(said, HasSubstr("Warning: its directory was not brought to disk"));
  EXPECT_THAT(said, HasSubstr("Do not repeat the step"));
  EXPECT_EQ(sealing_id(), 2);
}

TEST_F(KeyFileFaults, AFileSystemWithoutHardLinksWillDo) {
  plan.link = EPERM;
  EXPECT_EQ(make(1, KeyFileWrite::create), "");
  EXPECT_EQ(sealing_id(), 1);
  EXPECT_EQ(plan.links, 0);
  EXPECT_EQ(files(), 1u);
}

TEST_F(KeyFileFaults, SoWillOneThatCannotRenameWithoutReplacing) {
  for (const int error : {EINVAL, ENOSYS}) {
    plan = {};
    plan.rename_new = error;
    std::filesystem::remove(path);
    EXPECT_EQ(make(1, KeyFileWrite::create), "");
    EXPECT_EQ(sealing_id(), 1);
    EXPECT_EQ(plan.links, 1);
    EXPECT_EQ(files(), 1u);
  }
  plan.link = EPERM;
  std::filesystem::remove(path);
  EXPECT_THAT(make(1, KeyFileWrite::create), HasSubstr("Operation not permitted"));
  EXPECT_EQ(fault, KeyFileFault::unwritable);
  EXPECT_EQ(files(), 0u);
}

// Whoever was faster: one that appeared after the look, too.
TEST_F(KeyFileFaults, WhatIsThereIsAFaultOfItsOwn) {
  plan.rename_new = EEXIST;
  EXPECT_EQ(make(1, KeyFileWrite::create), "refused: " + path + ": File exists");
  EXPECT_EQ(fault, KeyFileFault::exists);
  EXPECT_EQ(plan.links, 0);
  EXPECT_EQ(files(), 0u);
  plan = {};
  ASSERT_EQ(make(1, KeyFileWrite::create), "");
  EXPECT_THAT(make(2, KeyFileWrite::create), HasSubstr("File exists"));
  EXPECT_EQ(fault, KeyFileFault::exists);
  // A name that reads like the error is none.
  path = directory + "/File exists/key";
  EXPECT_THAT(make(1, KeyFileWrite::create), HasSubstr("No such file or directory"));
  EXPECT_EQ(fault, KeyFileFault::unwritable);
}

TEST_F(KeyFileFaults, OneAtATime) {
  ASSERT_EQ(make(1, KeyFileWrite::create), "");
  {
    const auto one = KeyFileLock::take(path);
    ASSERT_TRUE(one.ok()) << one.error();
    const auto other = KeyFileLock::take(path);
    ASSERT_FALSE(other.ok());
    EXPECT_THAT(other.error(), HasSubstr("somebody else is replacing it"));
    ASSERT_EQ(make(2, KeyFileWrite::replace), "");
  }
  EXPECT_TRUE(KeyFileLock::take(path).ok());
}

TEST_F(KeyFileFaults, AStepHasTheLockUntilTheNewFileIsInItsPlace) {
  make_two();
  size_t refused = 0;
  plan.before_sync = [&] {
    if (sealing_id() == 1) refused += KeyFileLock::take(path).ok() ? 0 : 1;  // the new file is written, the old one still there
  };
  rotate();
  EXPECT_EQ(refused, 1u);
  EXPECT_EQ(sealing_id(), 2);
  EXPECT_TRUE(KeyFileLock::take(path).ok());
}

TEST_F(KeyFileFaults, ALockOnAFileThatWasReplacedIsNone) {
  ASSERT_EQ(make(1, KeyFileWrite::create), "");
  plan.before_lock = [this] {
    plan.before_lock = nullptr;
    ASSERT_EQ(make(2, KeyFileWrite::replace), "");
  };
  const auto late = KeyFileLock::take(path);
  ASSERT_FALSE(late.ok());
  EXPECT_THAT(late.error(), HasSubstr("somebody else is replacing it"));
  EXPECT_EQ(files(), 1u);
}

TEST_F(KeyFileFaults, AFileSystemWithoutLocksIsSaid) {
  ASSERT_EQ(make(1, KeyFileWrite::create), "");
  plan.lock = ENOLCK;
  const auto lock = KeyFileLock::take(path);
  ASSERT_FALSE(lock.ok());
  EXPECT_THAT(lock.error(), HasSubstr("it cannot be locked; change a copy on another file system"));
}

TEST_F(KeyFileFaults, WhatCannotBeReadNeedsNoLock) {
  EXPECT_TRUE(KeyFileLock::take(path).ok());
  std::ofstream(path) << "x";
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  const auto one = KeyFileLock::take(path), other = KeyFileLock::take(path);  // anybody could hold its lock for ever
  EXPECT_TRUE(one.ok() && other.ok());
}

TEST_F(KeyFileFaults, WhoElseMayReplaceIt) {
  ASSERT_EQ(make(1, KeyFileWrite::create), "");
  EXPECT_EQ(who_else_may_replace(path), "");
  for (const mode_t mode : {0770, 0702, 01777}) {
    ASSERT_EQ(chmod(directory.c_str(), mode), 0);
    EXPECT_THAT(who_else_may_replace(path), HasSubstr(directory + ": its mode ")) << std::oct << mode;
  }
  ASSERT_EQ(chmod(directory.c_str(), 0755), 0);
  EXPECT_EQ(who_else_may_replace(path), "");
  if (geteuid() != 0) return;  // only root gives a directory away
  ASSERT_EQ(chown(directory.c_str(), 12345, 12345), 0);
  EXPECT_THAT(who_else_may_replace(path), HasSubstr(directory + ": user 12345, whose the key is not, owns it"));
  ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
  EXPECT_EQ(who_else_may_replace(path), "");
}

}  // namespace
}  // namespace evs::runtime::sealing
