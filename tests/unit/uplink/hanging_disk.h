// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/hanging_disk.h - fsync() that does not come back, for as long as the test wants: the linker puts ours before the C library's (--wrap=fsync).
#pragma once

namespace evs::test {

class HangingDisk {
 public:
  explicit HangingDisk(int calls = 1 << 30);  // so many from here on hang
  ~HangingDisk();  // they come back, and their threads are over
  HangingDisk(const HangingDisk&) = delete;
  HangingDisk& operator=(const HangingDisk&) = delete;

  static void until_somebody_hangs();
};

}  // namespace evs::test
