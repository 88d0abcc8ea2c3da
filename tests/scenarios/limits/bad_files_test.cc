// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/bad_files_test.cc - what stands in the bus directory is not what it should be.
//
// With nobody alive a bad segment is of no use to anybody: the next process builds a new one. While somebody lives
// nothing is replaced under him: who comes is told what is wrong with which file and what to do. A member's life is
// played here by the lock that says so, because a real one would touch the broken file.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "shm/inspect.h"
#include "shm/layout.h"
#include "shm/lock_file.h"
#include "tests/scenarios/limits/census.h"
#include "tests/scenarios/limits/peer_process.h"
#include "tests/unit/api/story.h"

namespace evs::limits {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// Opens a bus in `directory`, joins, sends to itself, and leaves; the error's name and text.
std::string try_bus(const std::string& directory, const std::vector<evs_parameter_t>& more = {}) {
  std::vector<evs_parameter_t> parameters{{"local.directory", directory.c_str()}};
  parameters.insert(parameters.end(), more.begin(), more.end());
  static int delivered;
  delivered = 0;
  evs_callbacks_t callbacks{[](hdb_handle_t, unsigned int, const void*, size_t) { ++delivered; }, nullptr};
  char text[512] = "";
  evs_options_t options{};
  options.struct_size = sizeof options;
  options.bus = "b";
  options.config_file = "/dev/null";
  options.parameters = parameters.data();
  options.parameter_entries = parameters.size();
  options.callbacks = &callbacks;
  options.log = [](void*, int, const char*, size_t) {};
  options.error = text;
  options.error_size = sizeof text;
  evs_handle_t handle = 0;
  const cs_error_t answer = evs_initialize_ex(&handle, &options);
  if (answer != CS_OK) return cs_strerror(answer) + std::string(": ") + text;
  const evs_group key = test::group("g");
  EXPECT_EQ(evs_join(handle, &key, 1), CS_OK);
  EXPECT_EQ(evs_mcast_joined(handle, EVS_TYPE_AGREED, nullptr, 0), CS_OK);
  EXPECT_EQ(evs_dispatch(handle, CS_DISPATCH_ALL), CS_OK);
  EXPECT_EQ(evs_finalize(handle), CS_OK);
  return delivered == 1 ? "works" : "delivered " + std::to_string(delivered);
}

class BadFiles : public testing::Test {
 protected:
  BadFiles() : before_(Census::take()), peer_(std::make_unique<PeerProcess>()) {
    char name[] = "/dev/shm/evs-bad-XXXXXX";
    directory_ = mkdtemp(name);
    ring_ = directory_ + "/b.ring";
    // A whole segment of a member that is killed: the file and everything beside it stay.
    EXPECT_THAT(peer_->ask("open " + directory_ + " b"), HasSubstr("CS_OK"));
    peer_->kill(SIGKILL);
    peer_.reset();
  }
  ~BadFiles() override {
    fs::remove_all(directory_);
    EXPECT_EQ(Census::take(), before_) << "a refusal left something open";
  }
  void write(uint64_t at, const void* bytes, size_t size) const {
    const int fd = open(ring_.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(pwrite(fd, bytes, size, static_cast<off_t>(at)), static_cast<ssize_t>(size));
    close(fd);
  }
  // What a process is told while somebody lives in slot 5, and what it makes of the same files when nobody does.
  std::string while_somebody_lives(const std::vector<evs_parameter_t>& more = {}) const {
    shm::Directory directory;
    shm::LockFile locks;
    EXPECT_TRUE(directory.open(directory_, "", false).ok());
    EXPECT_TRUE(locks.open(directory, "b").ok());
    EXPECT_TRUE(locks.inhabit(5).ok());
    return try_bus(directory_, more);
  }
  std::string inspected() const {
    shm::Snapshot snapshot;
    const shm::Status s = shm::inspect(directory_, "", "b", snapshot);
    return s.ok() ? "ok" : s.text;
  }

  const Census before_;
  std::unique_ptr<PeerProcess> peer_;
  std::string directory_, ring_;
};

TEST_F(BadFiles, AWholeOneOfTheDead) {
  EXPECT_EQ(inspected(), "ok");
  EXPECT_EQ(try_bus(directory_), "works");
  EXPECT_FALSE(fs::exists(ring_)) << "the last one out clears up";
}

TEST_F(BadFiles, Truncated) {
  const uint64_t whole = fs::file_size(ring_);
  for (const uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{143}, uint64_t{shm::kMembersAt} - 1,
                              uint64_t{shm::kMembersAt}, whole / 2, whole - 1}) {
    fs::resize_file(ring_, size);
    const std::string told = while_somebody_lives();
    EXPECT_THAT(told, HasSubstr("CS_ERR_LIBRARY")) << size;
    EXPECT_THAT(told, HasSubstr(ring_));
    EXPECT_THAT(told, HasSubstr(std::to_string(size) + " bytes")) << size;
    EXPECT_THAT(told, HasSubstr("stop them and start again"));
    EXPECT_THAT(inspected(), HasSubstr("not a usable evs segment")) << size;
    EXPECT_EQ(fs::file_size(ring_), size) << "nothing is replaced under the living";
    // Restored for the next cut; holes are as good as damage.
    fs::resize_file(ring_, whole);
    if (size < sizeof(shm::SegmentHeader)) {
      // Cut within the checksum, the zeros that come in place of its last byte may be what stood there.
      if (size + sizeof(uint64_t) <= sizeof(shm::SegmentHeader))
        EXPECT_THAT(while_somebody_lives(), HasSubstr("not a usable evs segment")) << size;
      EXPECT_EQ(try_bus(directory_), "works");
      peer_ = std::make_unique<PeerProcess>();
      ASSERT_THAT(peer_->ask("open " + directory_ + " b"), HasSubstr("CS_OK"));
      peer_.reset();
    }
  }
  fs::resize_file(ring_, whole / 2);
  EXPECT_EQ(try_bus(directory_), "works");
}

TEST_F(BadFiles, Longer) {
  fs::resize_file(ring_, fs::file_size(ring_) + 1);
  EXPECT_THAT(while_somebody_lives(), HasSubstr("and should have"));
  EXPECT_EQ(try_bus(directory_), "works");
}

TEST_F(BadFiles, Foreign) {
  const uint64_t other = shm::kSegmentMagic + 1;
  write(0, &other, sizeof other);
  EXPECT_THAT(while_somebody_lives(), HasSubstr("magic number is wrong"));
  EXPECT_THAT(inspected(), HasSubstr("magic number is wrong"));
  std::ofstream(ring_, std::ios::trunc) << std::string(1 << 20, 'z');  // somebody's text
  EXPECT_THAT(while_somebody_lives(), HasSubstr("magic number is wrong"));
  EXPECT_EQ(try_bus(directory_), "works");
}

TEST_F(BadFiles, OfAnOlderAndANewerLayout) {
  for (const uint32_t version : {0u, shm::kLayoutVersion + 1, 0xffffffffu}) {
    write(offsetof(shm::SegmentHeader, layout_version), &version, sizeof version);
    const std::string told = while_somebody_lives();
    EXPECT_THAT(told, HasSubstr("CS_ERR_VERSION"));
    EXPECT_THAT(told, HasSubstr("layout version " + std::to_string(version)));
    EXPECT_THAT(told, HasSubstr("another bus name"));
  }
  EXPECT_EQ(try_bus(directory_), "works");
}

TEST_F(BadFiles, EachFieldOfTheHeader) {
  for (uint64_t at = offsetof(shm::SegmentHeader, header_bytes); at < sizeof(shm::SegmentHeader); at += 4) {
    std::ifstream file(ring_);
    file.seekg(static_cast<std::streamoff>(at));
    uint32_t was = 0;
    file.read(reinterpret_cast<char*>(&was), sizeof was);
    const uint32_t now = was + 1;
    write(at, &now, sizeof now);
    EXPECT_THAT(while_somebody_lives(), HasSubstr("header is damaged")) << "at byte " << at;
    write(at, &was, sizeof was);
  }
  EXPECT_EQ(try_bus(directory_), "works");
}

TEST_F(BadFiles, RemovedUnderTheLiving) {
  fs::remove(ring_);
  EXPECT_THAT(while_somebody_lives(), HasSubstr("was removed while processes have the bus open"));
  EXPECT_EQ(try_bus(directory_), "works");
}

TEST_F(BadFiles, NotARegularFile) {
  fs::remove(ring_);
  ASSERT_EQ(mkfifo(ring_.c_str(), 0600), 0);
  EXPECT_THAT(while_somebody_lives(), HasSubstr("not a regular file"));
  fs::remove(ring_);
  fs::create_directory(ring_);
  EXPECT_THAT(while_somebody_lives(), HasSubstr(ring_));
  EXPECT_THAT(try_bus(directory_), HasSubstr(ring_)) << "a directory cannot be replaced; it is named";
  fs::remove(ring_);
  const std::string elsewhere = directory_ + "/elsewhere";
  std::ofstream(elsewhere) << "precious";
  fs::create_symlink(elsewhere, ring_);
  EXPECT_THAT(while_somebody_lives(), HasSubstr(ring_)) << "links are not followed";
  EXPECT_EQ(try_bus(directory_), "works");
  EXPECT_EQ(fs::file_size(elsewhere), 8u) << "what the link pointed at is untouched";
}

TEST_F(BadFiles, WritableByOthers) {
  fs::permissions(ring_, fs::perms{0666});
  EXPECT_THAT(while_somebody_lives(), HasSubstr("mode 0666, others may write"));
  fs::permissions(ring_, fs::perms{0600});
  EXPECT_EQ(while_somebody_lives().substr(0, 5), "works");
}

TEST_F(BadFiles, TheLockAndTheCounters) {
  // Neither holds anything that cannot be made again.
  for (const char* name : {"/b.counters", "/b.lock"}) {
    fs::resize_file(directory_ + name, 3);
    EXPECT_EQ(try_bus(directory_), "works") << name;
    peer_ = std::make_unique<PeerProcess>();
    ASSERT_THAT(peer_->ask("open " + directory_ + " b"), HasSubstr("CS_OK"));
    peer_.reset();
    std::ofstream(directory_ + name, std::ios::trunc) << std::string(100000, '\xff');
    EXPECT_EQ(try_bus(directory_), "works") << name;
    peer_ = std::make_unique<PeerProcess>();
    ASSERT_THAT(peer_->ask("open " + directory_ + " b"), HasSubstr("CS_OK"));
    peer_.reset();
  }
}

TEST_F(BadFiles, TheDirectory) {
  fs::permissions(directory_, fs::perms{0777});
  EXPECT_THAT(try_bus(directory_), HasSubstr("chmod go-w " + directory_));
  fs::permissions(directory_, fs::perms{0700});
  const std::string link = directory_ + "-link";
  fs::create_directory_symlink(directory_, link);
  const std::string told = try_bus(link);
  EXPECT_THAT(told, HasSubstr("CS_ERR_ACCESS"));
  EXPECT_THAT(told, HasSubstr("symbolic link"));
  fs::remove(link);
  std::ofstream(directory_ + "/file") << "x";
  EXPECT_THAT(try_bus(directory_ + "/file"), HasSubstr("not a directory"));
  EXPECT_THAT(try_bus(directory_ + "/none/below"), HasSubstr("No such file or directory"));
  EXPECT_THAT(try_bus("relative/path"), HasSubstr("absolute path"));
}

// The rest takes two users: root, who runs this test, and nobody.
class OtherUser : public BadFiles {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "another user's files need root to make";
    const passwd* nobody = getpwnam("nobody");
    if (nobody == nullptr) GTEST_SKIP() << "this host has no user nobody";
    uid_ = nobody->pw_uid;
    gid_ = nobody->pw_gid;
  }
  std::vector<std::string> as_nobody() const {
    return {"setpriv", "--reuid=" + std::to_string(uid_), "--regid=" + std::to_string(gid_), "--clear-groups"};
  }
  uid_t uid_ = 0;
  gid_t gid_ = 0;
};

TEST_F(OtherUser, OwnsTheDirectory) {
  ASSERT_EQ(chown(directory_.c_str(), uid_, gid_), 0);
  const std::string told = try_bus(directory_);
  EXPECT_THAT(told, HasSubstr("CS_ERR_ACCESS"));
  EXPECT_THAT(told, HasSubstr("belongs to user " + std::to_string(uid_) + ", not to us (0)"));
  EXPECT_THAT(told, HasSubstr("local.directory"));
}

TEST_F(OtherUser, OwnsTheSegment) {
  ASSERT_EQ(chown(ring_.c_str(), uid_, gid_), 0);
  EXPECT_THAT(while_somebody_lives(), HasSubstr("belongs to user " + std::to_string(uid_)));
  EXPECT_EQ(try_bus(directory_), "works");  // nobody lives there: the file is replaced, its owner gets nothing
}

TEST_F(OtherUser, ComesToOurDirectory) {
  PeerProcess nobody(as_nobody());
  if (!nobody.ready()) GTEST_SKIP() << "nobody may not run what is built here";
  const std::string told = nobody.ask("open " + directory_ + " b");
  EXPECT_THAT(told, HasSubstr("CS_ERR_ACCESS"));
  EXPECT_THAT(told, HasSubstr("belongs to another user"));
  EXPECT_THAT(told, HasSubstr("local.group"));
  // Not even with a directory that lets everybody in: it is not his.
  fs::permissions(directory_, fs::perms{0755});
  EXPECT_THAT(nobody.ask("open " + directory_ + " b"), HasSubstr("belongs to user 0"));
}

TEST_F(OtherUser, HasABusOfHisOwn) {
  const std::string his = directory_ + "-his";
  fs::create_directory(his);
  ASSERT_EQ(chown(his.c_str(), uid_, gid_), 0);
  fs::permissions(his, fs::perms{0700});
  PeerProcess nobody(as_nobody());
  if (!nobody.ready()) GTEST_SKIP() << "nobody may not run what is built here";
  EXPECT_THAT(nobody.ask("open " + his + " b"), HasSubstr("CS_OK"));
  EXPECT_EQ(nobody.ask("finalize"), "CS_OK");
  fs::remove_all(his);
}

}  // namespace
}  // namespace evs::limits
