// SPDX-License-Identifier: BSD-3-Clause
// shm/lock_file.h - <bus>.lock: who may change the bus's files, who lives in which slot, and how often the segment was built.
//
//     byte 0..63     LockWords: magic, version, holder's pid, boot count
//     byte 0         OFD write lock: attach (slot, pin, append), rebuild, detach, unlink (docs/shm-layout.md B11)
//     byte 4096 + s  OFD write lock: slot s is inhabited
//
// The file is never removed: two processes that lock different files of one name would both rebuild. OFD locks belong to the open
// file description: the kernel drops them when the last descriptor is closed, at exec (O_CLOEXEC) as well as at death. A
// fork()ed child shares the description, so the fork handler closes its copy and unlocking is always said, never left to close.
#pragma once

#include <cstdint>
#include <string>

#include "shm/directory.h"

namespace evs::shm {

class LockFile {
 public:
  LockFile() = default;
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

  Status open(const Directory& directory, const std::string& bus);
  // For who only looks: opens it for reading, makes none, locks nothing. 0: not known.
  static uint64_t boot_count_of(const Directory& directory, const std::string& bus);
  // Waits at most timeout_ns for the bus lock; the failure names the holder.
  Status lock(uint64_t timeout_ns);
  bool try_lock();
  void unlock();

  // Marks a slot as inhabited by this process until vacate() or its end. Waits, a second at most, for the end of who was in it.
  Status inhabit(uint32_t slot);
  void vacate(uint32_t slot);
  // Does anybody hold this slot's lock? With count: any of so many slots from it on.
  bool inhabited(uint32_t slot, uint32_t count = 1) const;

  // Counts segments built. Under the lock.
  uint64_t boot_count() const;
  Status raise_boot_count(uint64_t& out);

  // In a child after fork(): forgets the descriptors without unlocking what the parent holds. Async-signal-safe.
  void close_in_child();

 private:
  int fd_ = -1;        // for the bus lock and the words
  int slots_fd_ = -1;  // another description: slot locks outlive the bus lock's life
  std::string path_;
  bool locked_ = false;
};

}  // namespace evs::shm
