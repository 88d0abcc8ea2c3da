// SPDX-License-Identifier: BSD-3-Clause
// shm/directory.cc - finds, makes and checks the bus directory.
#include "shm/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

namespace evs::shm {

Status find_group(const std::string& name, const char* key, gid_t& out) {
  std::vector<char> buffer(16384);
  group entry{};
  group* found = nullptr;
  const int error = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0) return errno_status(error, "looking up group " + name);
  if (found == nullptr)
    return Status::fail(Code::bad_parameter, std::string(key) + ": there is no group named \"" + name + "\" on this host");
  out = entry.gr_gid;
  return {};
}

namespace {

std::string octal(mode_t mode) {
  char text[8];
  snprintf(text, sizeof text, "%04o", mode & 07777);
  return text;
}

}  // namespace

std::string default_directory(const std::string& group) {
  return group.empty() ? "/dev/shm/evs-" + std::to_string(geteuid()) : "/dev/shm/evs-group-" + group;
}

Directory::~Directory() {
  if (fd_ >= 0) close(fd_);
}

Status Directory::open(const std::string& path, const std::string& group, bool create, bool reachable) {
  path_ = path.empty() ? default_directory(group) : path;
  group_ = group;
  if (path_[0] != '/')
    return Status::fail(Code::bad_parameter, "local.directory \"" + path_ + "\" is not an absolute path");
  if (!group_.empty())
    if (Status s = find_group(group_, "local.group", gid_); !s.ok()) return s;

  bool made = false;
  if (create) {
    made = mkdir(path_.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) {
      const bool no_parent = errno == ENOENT;
      Status s = errno_status(errno, "creating the bus directory " + path_);
      if (no_parent) s.text += "; evs makes the last directory of the path alone: make the others, or set local.directory";
      return s;
    }
  }
  fd_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd_ < 0) {
    if (errno == ELOOP || errno == ENOTDIR)
      return Status::fail(Code::access, path_ + " is not a directory (or a symbolic link): remove it, or set local.directory");
    Status s = errno_status(errno, "opening the bus directory " + path_);
    if (s.code == Code::access) s.text += "; it belongs to another user: set local.directory or local.group";
    return s;
  }
  if (made && !group_.empty()) {
    if (fchown(fd_, static_cast<uid_t>(-1), gid_) != 0)
      return errno_status(errno, "giving " + path_ + " to group " + group_ + " (are you a member of it?)");
    if (fchmod(fd_, 02770) != 0) return errno_status(errno, "setting the mode of " + path_);
  }
  if (made && group_.empty() && reachable && fchmod(fd_, 0711) != 0)
    return errno_status(errno, "setting the mode of " + path_);
  struct stat st {};
  if (fstat(fd_, &st) != 0) return errno_status(errno, "fstat of " + path_);
  if (group_.empty()) {
    if (st.st_uid != geteuid())
      return Status::fail(Code::access, path_ + " belongs to user " + std::to_string(st.st_uid) + ", not to us (" +
                                            std::to_string(geteuid()) + "): set local.directory or local.group");
    if ((st.st_mode & 022) != 0)
      return Status::fail(Code::access, path_ + " has mode " + octal(st.st_mode) +
                                            ", others may write into it: chmod go-w " + path_);
  } else {
    if (st.st_gid != gid_)
      return Status::fail(Code::access, path_ + " belongs to another group than " + group_ + ": chgrp " + group_ + " " + path_);
    if ((st.st_mode & 02) != 0)
      return Status::fail(Code::access, path_ + " has mode " + octal(st.st_mode) + ", everybody may write into it: chmod o-w " + path_);
  }
  return {};
}

int Directory::open_file(const std::string& name, int flags, mode_t mode) const {
  int fd;
  do fd = openat(fd_, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
  while (fd < 0 && errno == EINTR);
  if (fd >= 0 && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0 && fchmod(fd, mode) != 0) {
    const int saved = errno;
    close(fd);
    errno = saved;
    return -1;
  }
  return fd;
}

Status Directory::check_file(int file, const std::string& name) const {
  struct stat st {};
  if (fstat(file, &st) != 0) return errno_status(errno, "fstat of " + file_path(name));
  if (!S_ISREG(st.st_mode))
    return Status::fail(Code::access, file_path(name) + " is not a regular file: remove it");
  const bool trusted = st.st_uid == geteuid() || st.st_uid == 0 || (!group_.empty() && st.st_gid == gid_);
  if (!trusted)
    return Status::fail(Code::access, file_path(name) + " belongs to user " + std::to_string(st.st_uid) +
                                          ": it is not ours to use; remove it or set local.directory");
  if ((st.st_mode & (group_.empty() ? 022 : 02)) != 0)
    return Status::fail(Code::access, file_path(name) + " has mode " + octal(st.st_mode) + ", others may write to it: remove it");
  return {};
}

}  // namespace evs::shm
