// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/key_watch.h - is the key file another one than it was? By what the kernel says of it: `evs keygen` and mv put another inode in its place, cp another time.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace evs::runtime::uplink {

struct KeyFileMark {
  uint64_t device = 0, inode = 0, bytes = 0, changed_ns = 0;
  friend bool operator==(const KeyFileMark&, const KeyFileMark&) = default;

  // All zeros: it is not there, or cannot be looked at.
  static KeyFileMark of(const std::string& path) {
    struct stat found {};
    if (stat(path.c_str(), &found) != 0) return {};
    return {found.st_dev, found.st_ino, static_cast<uint64_t>(found.st_size),
            static_cast<uint64_t>(found.st_ctim.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(found.st_ctim.tv_nsec)};
  }
};

}  // namespace evs::runtime::uplink
