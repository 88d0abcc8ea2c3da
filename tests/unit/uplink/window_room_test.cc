// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_room_test.cc - a file system that is full is an error of the step that needs room, and no signal.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/unit/uplink/window_ground.h"

namespace evs::runtime::uplink {
namespace {

constexpr int kNotAllowed = 77;

// In a process of its own, with half a megabyte to live on. Its exit code: what failed.
int in_a_small_file_system(const std::string& path) {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kNotAllowed;
  if (mount("none", path.c_str(), "tmpfs", 0, "size=512k,mode=0700") != 0) return kNotAllowed;
  shm::Directory directory;
  if (!directory.open(path, "", false).ok()) return 1;
  const WindowFile::Shape shape{8, 300, 5000, 4u << 20};
  std::unique_ptr<WindowFile> file, large;
  if (!WindowFile::open(directory, "w", shape, 1, file).ok()) return 2;
  const std::vector<std::byte> little(1000, std::byte{1}), much(1u << 20, std::byte{2});
  if (!file->take({.outbox = {}, .processes = little}).ok()) return 3;
  const shm::Status full = file->take({.outbox = WindowFile::Outbox{1, 2, 3}, .processes = much});
  if (full.code != shm::Code::no_space || full.text.find("free some shared memory") == std::string::npos) return 4;
  if (file->kept().processes != little || !(file->kept().outbox == WindowFile::Outbox{})) return 5;
  if (!file->take({.outbox = WindowFile::Outbox{1, 2, 3}, .processes = little}).ok()) return 6;
  if (WindowFile::open(directory, "large", {}, 1, large).code != shm::Code::no_space) return 7;
  return directory.open_file("large.new", O_RDONLY) < 0 && directory.open_file("large", O_RDONLY) < 0 ? 0 : 8;
}

TEST(WindowRoom, AFullFileSystemIsAnErrorAndChangesNothing) {
  const WindowGround ground;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(in_a_small_file_system(ground.path()));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == kNotAllowed) GTEST_SKIP() << "who may not mount has no small file system";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace evs::runtime::uplink
