// SPDX-License-Identifier: BSD-3-Clause
// shm/lock_file.cc - OFD locks on one file.
#include "shm/lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "shm/clock.h"

namespace evs::shm {

namespace {

constexpr uint64_t kLockMagic = 0x00316b636f6c7665ull;  // "evlock1\0"
constexpr off_t kSlotByte = 4096;
constexpr uint64_t kSlotPatienceNs = 1'000'000'000;

struct LockWords {
  uint64_t magic;
  uint32_t version;
  int32_t holder_pid;
  uint64_t boot_count;
};

struct flock range(short type, off_t start, off_t length) {
  struct flock f {};
  f.l_type = type;
  f.l_whence = SEEK_SET;
  f.l_start = start;
  f.l_len = length;
  return f;
}

int set_lock(int fd, short type, off_t start) {
  struct flock f = range(type, start, 1);
  int r;
  do r = fcntl(fd, F_OFD_SETLK, &f);
  while (r != 0 && errno == EINTR);
  return r;
}

bool is_held(int error) { return error == EAGAIN || error == EACCES; }

// There is no wait for an OFD lock with a limit, and a signal to interrupt one would be the host's. So: try, with pauses that grow from 50 us to 2 ms.
// False: errno says why, and somebody holds it still when that is EAGAIN or EACCES.
template <class Try>
bool try_for(uint64_t patience_ns, Try&& once) {
  const uint64_t start = monotonic_ns();
  for (long pause_ns = 50'000; !once(); pause_ns = std::min(pause_ns * 2, 2'000'000L)) {
    const int error = errno;
    if (!is_held(error) || monotonic_ns() - start >= patience_ns) return errno = error, false;
    const timespec pause{0, pause_ns};
    nanosleep(&pause, nullptr);
  }
  return true;
}

LockWords read_words(int fd) {
  LockWords w{};
  if (pread(fd, &w, sizeof w, 0) != static_cast<ssize_t>(sizeof w) || w.magic != kLockMagic) return LockWords{};
  return w;
}

}  // namespace

LockFile::~LockFile() {
  if (locked_) unlock();
  if (fd_ >= 0) close(fd_);
  if (slots_fd_ >= 0) close(slots_fd_);
}

Status LockFile::open(const Directory& directory, const std::string& bus) {
  const std::string name = bus + ".lock";
  path_ = directory.file_path(name);
  fd_ = directory.open_file(name, O_RDWR | O_CREAT | O_EXCL, directory.file_mode());
  if (fd_ < 0 && errno == EEXIST) fd_ = directory.open_file(name, O_RDWR);
  if (fd_ < 0) return errno_status(errno, "opening " + path_);
  if (Status s = directory.check_file(fd_, name); !s.ok()) return s;
  slots_fd_ = directory.open_file(name, O_RDWR);
  if (slots_fd_ < 0) return errno_status(errno, "opening " + path_);
  return {};
}

uint64_t LockFile::boot_count_of(const Directory& directory, const std::string& bus) {
  LockFile file;
  const std::string name = bus + ".lock";
  file.fd_ = directory.open_file(name, O_RDONLY | O_NONBLOCK);
  return file.fd_ >= 0 && directory.check_file(file.fd_, name).ok() ? file.boot_count() : 0;
}

bool LockFile::try_lock() {
  if (set_lock(fd_, F_WRLCK, 0) != 0) return false;
  locked_ = true;
  LockWords w = read_words(fd_);
  w.magic = kLockMagic;
  w.version = 1;
  w.holder_pid = getpid();
  // For the message of whoever waits; the lock itself does not depend on it.
  static_cast<void>(!pwrite(fd_, &w, sizeof w, 0));
  return true;
}

Status LockFile::lock(uint64_t timeout_ns) {
  if (try_for(timeout_ns, [this] { return try_lock(); })) return {};
  if (!is_held(errno)) return errno_status(errno, "locking " + path_);
  const LockWords w = read_words(fd_);
  return Status::fail(Code::timeout, path_ + " has been locked for " + std::to_string(timeout_ns / 1000000) +
                                         " ms by process " + std::to_string(w.holder_pid) +
                                         ": it is joining or leaving and does not get on (is it stopped?)");
}

void LockFile::unlock() {
  if (!locked_) return;
  set_lock(fd_, F_UNLCK, 0);
  locked_ = false;
}

// Of a process that was killed the kernel tells the death (by its robust futex) before it closes its files: the slot is free a moment before its lock is.
Status LockFile::inhabit(uint32_t slot) {
  if (try_for(kSlotPatienceNs, [&] { return set_lock(slots_fd_, F_WRLCK, kSlotByte + slot) == 0; })) return {};
  return errno_status(errno, "locking slot " + std::to_string(slot) + " in " + path_);
}

void LockFile::vacate(uint32_t slot) { set_lock(slots_fd_, F_UNLCK, kSlotByte + slot); }

bool LockFile::inhabited(uint32_t slot, uint32_t count) const {
  // Asked through the bus lock's description: our own slot locks count as well.
  struct flock f = range(F_WRLCK, kSlotByte + slot, count);
  return fcntl(fd_, F_OFD_GETLK, &f) == 0 && f.l_type != F_UNLCK;
}

uint64_t LockFile::boot_count() const { return read_words(fd_).boot_count; }

Status LockFile::raise_boot_count(uint64_t& out) {
  LockWords w = read_words(fd_);
  w.magic = kLockMagic;
  w.version = 1;
  w.holder_pid = getpid();
  out = ++w.boot_count;
  if (pwrite(fd_, &w, sizeof w, 0) != static_cast<ssize_t>(sizeof w)) return errno_status(errno ? errno : EIO, "writing " + path_);
  return {};
}

void LockFile::close_in_child() {
  if (fd_ >= 0) close(fd_);
  if (slots_fd_ >= 0) close(slots_fd_);
  fd_ = slots_fd_ = -1;
  locked_ = false;
}

}  // namespace evs::shm
