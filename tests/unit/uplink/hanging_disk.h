// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/hanging_disk.h - a disk whose calls do not come back for as long as the test wants: the linker puts ours before the C library's (--wrap).
#pragma once

#include <sys/types.h>

#include <vector>

namespace evs::test {

class HangingDisk {
 public:
  enum Call : unsigned { kOpen = 1, kFlush = 2, kRename = 4, kUnlink = 8, kAny = 15 };

  // So many of them from here on hang, behind so many that do not, whoever makes them; of several disks the newest is asked first.
  explicit HangingDisk(unsigned calls = kFlush, int count = 1 << 30, int behind = 0);
  ~HangingDisk();  // they come back, and their threads are over
  HangingDisk(const HangingDisk&) = delete;
  HangingDisk& operator=(const HangingDisk&) = delete;

  void until_somebody_hangs();

  static void pass(Call call);  // by who makes it; comes back when it may

 private:
  const unsigned calls_;
  int count_, behind_;
  int hanging_ = 0;
  bool is_over_ = false;
  std::vector<pid_t> hung_;  // threads
};

}  // namespace evs::test
