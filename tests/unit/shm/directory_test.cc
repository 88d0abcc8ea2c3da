// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm/directory_test.cc - who may have put the bus's files there, and what each refusal says.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/shm/ground.h"

namespace evs::shm {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

std::string refusal(const std::string& path, const std::string& group = "", bool create = true) {
  Directory directory;
  const Status s = directory.open(path, group, create);
  return s.ok() ? "ok" : s.text;
}

TEST(Directory, IsMadeForItsOwnerAlone) {
  const Ground ground;
  const std::string made = ground.path() + "/made";
  const mode_t before = umask(0);
  EXPECT_EQ(refusal(made), "ok");
  umask(before);
  EXPECT_EQ(fs::status(made).permissions(), fs::perms{0700}) << "whatever the umask";
  EXPECT_THAT(refusal(ground.path() + "/absent", "", false), HasSubstr("No such file"));
  EXPECT_THAT(refusal("here"), HasSubstr("\"here\" is not an absolute path"));
}

TEST(Directory, WhatOthersMayWriteIsRefusedWithTheWayOut) {
  const Ground ground;
  for (const unsigned mode : {0720u, 0702u, 01777u}) {
    fs::permissions(ground.path(), fs::perms{mode});
    EXPECT_THAT(refusal(ground.path()), HasSubstr("chmod go-w " + ground.path())) << mode;
  }
  for (const unsigned mode : {0700u, 0711u, 0755u}) {
    fs::permissions(ground.path(), fs::perms{mode});
    EXPECT_EQ(refusal(ground.path()), "ok") << mode;
  }
  EXPECT_THAT(refusal(ground.path(), "no such group here"),
              HasSubstr("there is no group named \"no such group here\""));
}

TEST(Directory, LinksAndFilesAreNoDirectories) {
  const Ground ground;
  fs::create_directory_symlink(ground.path(), ground.path() + "/link");
  std::ofstream(ground.path() + "/file") << "x";
  EXPECT_THAT(refusal(ground.path() + "/link"), HasSubstr("symbolic link"));
  EXPECT_THAT(refusal(ground.path() + "/file"), HasSubstr("not a directory"));
}

TEST(Directory, FilesAreOpenedWithoutLinksAndWithTheirExactMode) {
  const Ground ground;
  const mode_t before = umask(0077);
  const int fd = ground.directory.open_file("f", O_RDWR | O_CREAT | O_EXCL, 0640);
  umask(before);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(fs::status(ground.path() + "/f").permissions(), fs::perms{0640});
  EXPECT_TRUE(ground.directory.check_file(fd, "f").ok());
  ASSERT_EQ(fchmod(fd, 0602), 0);
  EXPECT_THAT(ground.directory.check_file(fd, "f").text, HasSubstr("mode 0602, others may write"));
  close(fd);
  fs::create_symlink("/etc/passwd", ground.path() + "/s");
  EXPECT_EQ(ground.directory.open_file("s", O_RDONLY), -1);
  EXPECT_EQ(errno, ELOOP);
}

}  // namespace
}  // namespace evs::shm
