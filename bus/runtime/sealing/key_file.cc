// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/key_file.cc - opening, judging and replacing the key file.
#include "bus/runtime/sealing/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace evs::runtime::sealing {
namespace {

Failure failed(const std::string& path, const std::string& what, int error) {
  Failure failure{path + ": " + what + (what.empty() ? "" : ": ") + strerror(error)};
  if (error == EMFILE || error == ENFILE) failure.cause = Cause::no_descriptors;
  if (error == ENOMEM) failure.cause = Cause::no_memory;
  return failure;
}

std::string octal(mode_t mode) {
  char text[8];
  snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

// Empty: it may be used.
std::string judge(const struct stat& file) {
  if (!S_ISREG(file.st_mode)) return "no regular file; a key is read from nothing else";
  if (file.st_uid != 0 && file.st_uid != geteuid())
    return "owned by user " + std::to_string(file.st_uid) + "; it must belong to root or to user " + std::to_string(geteuid());
  if ((file.st_mode & 077) == 0) return {};
  return "mode " + octal(file.st_mode) + " lets others at the key; chmod 0600, and replace the key if somebody may have read it";
}

bool read_all(int fd, std::string& text) {
  text.resize(kMostKeyFileBytes + 1);
  size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(fd, text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  text.resize(have);
  return true;
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// The new file under its own name. 0, or the errno.
int fill(int fd, const std::string& text, const struct stat* like) {
  if (::fchmod(fd, 0600) != 0) return errno;
  if (like != nullptr && like->st_uid != geteuid() && ::fchown(fd, like->st_uid, like->st_gid) != 0) return errno;
  if (!write_all(fd, text.data(), text.size()) || ::fsync(fd) != 0) return errno;
  return 0;
}

int put_in_place(const std::string& made, const std::string& path, KeyFileWrite how) {
  if (how == KeyFileWrite::replace) return ::rename(made.c_str(), path.c_str()) == 0 ? 0 : errno;
  if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system, or a kernel, without it. link() replaces nothing either.
  if (::link(made.c_str(), path.c_str()) != 0) return errno;
  ::unlink(made.c_str());
  return 0;
}

// Empty: the new name is on disk, too.
std::string sync_directory(const std::string& path) {
  const Descriptor directory(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0 && ::fsync(directory.get()) == 0) return {};
  if (directory.get() >= 0 && errno == EINVAL) return {};  // a file system that cannot, and does not need to
  return "its directory was not brought to disk (" + std::string(strerror(errno)) + "): the file is in its place, and a power cut might undo that";
}

// For writing where that is allowed: NFS gives no exclusive lock on other descriptors.
int open_to_lock(const std::string& path) {
  constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const int fd = ::open(path.c_str(), O_RDWR | kFlags);
  return fd >= 0 ? fd : ::open(path.c_str(), O_RDONLY | kFlags);
}

}  // namespace

Result<Keyring> read_key_file(const std::string& path, KeyFileFault* fault) {
  KeyFileFault unused;
  KeyFileFault& why = fault != nullptr ? *fault : unused;
  why = KeyFileFault::unreadable;
  // Not blocking: a FIFO in its place is refused, not waited for.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    if (errno == ELOOP) {
      why = KeyFileFault::unsafe;
      return Failure{path + ": a symbolic link; a key is read from a regular file only"};
    }
    if (errno == ENOENT) why = KeyFileFault::absent;
    return failed(path, "", errno);
  }
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return failed(path, "", errno);
  if (const std::string what = judge(status); !what.empty()) {
    why = KeyFileFault::unsafe;
    return Failure{path + ": " + what};
  }
  std::string text;
  if (!read_all(file.get(), text)) {
    const int error = errno;
    wipe(text);
    return failed(path, "reading", error);
  }
  if (text.size() > kMostKeyFileBytes) {
    wipe(text);
    return Failure{path + ": larger than " + std::to_string(kMostKeyFileBytes) + " bytes: this is no key file"};
  }
  Result<Keyring> keys = Keyring::parse(text, path);
  wipe(text);
  if (keys.ok()) why = KeyFileFault::none;
  return keys;
}

Result<KeyFileWritten> write_key_file(const std::string& path, const Keyring& keys, KeyFileWrite how, KeyFileFault* fault) {
  KeyFileFault unused;
  KeyFileFault& why = fault != nullptr ? *fault : unused;
  const auto refuse = [&](int error, const char* what) {
    why = error == EEXIST ? KeyFileFault::exists : KeyFileFault::unwritable;
    return failed(path, what, error);
  };
  why = KeyFileFault::unwritable;
  struct stat before;
  const bool was_there = ::lstat(path.c_str(), &before) == 0;
  if (was_there && how == KeyFileWrite::create) return refuse(EEXIST, "");
  if (was_there && !S_ISREG(before.st_mode)) return Failure{path + ": no regular file; it is left alone"};
  std::string made = path + ".XXXXXX";
  const Descriptor file(::mkostemp(made.data(), O_CLOEXEC));
  if (file.get() < 0) return failed(directory_of(path), "no file can be made in it", errno);
  std::string text = keys.text();
  int error = fill(file.get(), text, was_there ? &before : nullptr);
  wipe(text);
  if (error == 0) error = put_in_place(made, path, how);
  if (error != 0) {
    ::unlink(made.c_str());
    return refuse(error, error == EEXIST ? "" : "writing");
  }
  why = KeyFileFault::none;
  return KeyFileWritten{sync_directory(path)};
}

Result<KeyFileLock> KeyFileLock::take(const std::string& path) {
  KeyFileLock lock(open_to_lock(path));
  struct stat held, there;
  if (lock.file_.get() < 0 || ::fstat(lock.file_.get(), &held) != 0 || !judge(held).empty()) return KeyFileLock(-1);
  const Failure busy{path + ": somebody else is replacing it at this moment; look at what is in it then ('evs keygen --list " + path + "'), and go on from there"};
  if (::flock(lock.file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return busy;
    return failed(path, "it cannot be locked; change a copy on another file system, and move it into this one's place", errno);
  }
  // Between opening and locking, who had the lock has put another in its place.
  if (::lstat(path.c_str(), &there) != 0 || there.st_dev != held.st_dev || there.st_ino != held.st_ino) return busy;
  return lock;
}

std::string who_else_may_replace(const std::string& path) {
  const std::string directory = directory_of(path);
  struct stat status, file;
  if (::stat(directory.c_str(), &status) != 0 || ::lstat(path.c_str(), &file) != 0) return {};
  const std::string what = ", and so may put another file in the place of " + path + ": keep the key in a directory like /etc/evs, which root alone may write to";
  if ((status.st_mode & 022) != 0) return directory + ": its mode " + octal(status.st_mode) + " lets others than its owner and root write to it" + what;
  if (status.st_uid == 0 || status.st_uid == file.st_uid) return {};
  return directory + ": user " + std::to_string(status.st_uid) + ", whose the key is not, owns it" + what;
}

Result<GroupKey> draw_key(uint16_t id) {
  GroupKey key;
  key.id = id;
  for (size_t have = 0; have < kKeyBytes;) {
    const ssize_t got = ::getrandom(key.secret.bytes.data() + have, kKeyBytes - have, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("random bytes from the kernel", "", errno);
    have += static_cast<size_t>(got);
  }
  return key;
}

std::string way_out(KeyFileFault fault, const std::string& path) {
  const std::string clear = "or say uplink.security = \"none\" if everybody on the network may read and forge what is sent";
  switch (fault) {
    case KeyFileFault::absent:
      return "make one with 'evs keygen " + path + "' and copy it to every host of the bus, " + clear;
    case KeyFileFault::unsafe:
      return "a key that others can read or replace keeps nobody out";
    default:
      return "copy the file from another host of the bus, or name another with uplink.key_file";
  }
}

}  // namespace evs::runtime::sealing
