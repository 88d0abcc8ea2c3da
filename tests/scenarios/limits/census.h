// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/census.h - what a process holds: descriptors, threads, mappings of a directory's files.
//
// Taken before and after, it shows what was leaked. Mappings are counted by name, because the allocator's come and go.
#pragma once

#include <dirent.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace evs::limits {

inline int entries_of(const std::string& directory) {
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) return -1;
  int count = -2;  // . and ..
  while (readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count;
}

struct Census {
  int descriptors = 0;
  int threads = 0;
  int mappings = 0;  // of files in /dev/shm or named in `where`

  static Census take(const std::string& where = "/dev/shm/") {
    Census census;
    census.descriptors = entries_of("/proc/self/fd") - 1;  // without the one that looks
#if !defined(__SANITIZE_THREAD__)
    census.threads = entries_of("/proc/self/task");
#else
    census.threads = 1;  // the sanitizer's own thread comes when it likes
#endif
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
      if (line.find(where) != std::string::npos) ++census.mappings;
    return census;
  }
  std::string text() const {
    return std::to_string(descriptors) + " descriptors, " + std::to_string(threads) + " threads, " +
           std::to_string(mappings) + " mappings";
  }
  friend bool operator==(const Census& a, const Census& b) { return a.text() == b.text(); }
};

// Resident memory that is this process's alone, in KiB: shared segments do not count.
inline long private_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "RssAnon:") {
      long kib = 0;
      status >> kib;
      return kib;
    }
  return -1;
}

}  // namespace evs::limits
