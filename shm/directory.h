// SPDX-License-Identifier: BSD-3-Clause
// shm/directory.h - the directory that holds a bus's files, and who may be in it.
//
//     <bus>.ring         the segment                 0600 (0660 with a sharing group)
//     <bus>.lock         lock file, never removed    0600 (0660)
//     <bus>.counters     for monitors                0640
//     <bus>.groups.S.G   groups of slot S's life G   0600 (0660)
//     <bus>.bell.N       FIFOs                       0600 (0660)
//     <bus>.uplink       of a bus that spans hosts, what its gateway says of itself: for monitors, too   0640 (0660)
//
// Default: /dev/shm/evs-<uid>, 0700. /dev/shm is open to everybody, so the directory is checked, not trusted: its owner, its mode, and that it
// is no symbolic link. All files are opened relative to its descriptor, never following links.
#pragma once

#include <sys/types.h>

#include <string>

#include "shm/status.h"

namespace evs::shm {

// Behind the name of a bus that spans hosts: its second ring, with files as above. No bus has a name with it.
inline constexpr char kOutboxSuffix[] = "+outbox";

class Directory {
 public:
  Directory() = default;
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory();

  // `path` empty: the default. `group` empty: the owner alone; else a Unix group whose members share the bus (directory 2770).
  // `reachable`: other users may go through it (0711) to files whose modes let them, the counters.
  Status open(const std::string& path, const std::string& group, bool create, bool reachable = false);

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }
  mode_t file_mode() const { return group_.empty() ? 0600 : 0660; }
  // Opens a file in it; `flags` as open(2), with O_CLOEXEC | O_NOFOLLOW added. -1 and errno on failure. What it
  // creates has exactly `mode`, whatever the umask.
  int open_file(const std::string& name, int flags, mode_t mode = 0) const;
  // Is this file (an open descriptor) one that we may trust: regular, ours or root's (or the group's), not writable by others?
  Status check_file(int file, const std::string& name) const;
  std::string file_path(const std::string& name) const { return path_ + "/" + name; }

 private:
  int fd_ = -1;
  std::string path_;
  std::string group_;
  gid_t gid_ = 0;
};

std::string default_directory(const std::string& group);
// Leaves the host application's own static result alone (getgrnam). `key`: of the configuration, for the sentence when there is no such group.
Status find_group(const std::string& name, const char* key, gid_t& out);

}  // namespace evs::shm
