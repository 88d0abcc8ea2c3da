// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/status_file.h - <bus>.uplink: what the gateway of a host says of itself, as text, for who looks from outside.
//
//     evs_uplink_NAME VALUE      a line each; docs/man/evs-status.1.scd has the names
//
// A file and no shared words: it is written four times a second by one process, read by tools that share no layout with it, and whoever may read the counters may
// read it (mode 0640, metrics.group). Written under another name and renamed, so that it is always whole. A gateway that goes takes it away; one that was killed
// leaves it, and its age and pid say so, and so does one that kept apart from another host of its id (gateway_apart.cc).
//
// One thread: the gateway's.
#pragma once

#include <sys/types.h>

#include <string>

#include "shm/directory.h"

namespace evs::runtime::uplink {

class StatusFile {
 public:
  // `group`: metrics.group; empty, or unknown here: nobody else's. `directory` must outlive it.
  StatusFile(const shm::Directory& directory, const std::string& bus, const std::string& group);
  ~StatusFile();
  StatusFile(const StatusFile&) = delete;
  StatusFile& operator=(const StatusFile&) = delete;

  shm::Status write(const std::string& text);
  // It stays when this goes, for the next gateway to read.
  void leave(bool stays) { stays_ = stays; }
  // What stands in the one that is there; empty: there is none, or it cannot be read.
  static std::string read(const shm::Directory& directory, const std::string& bus);

 private:
  shm::Status fill(int fd, const std::string& text) const;

  const shm::Directory& directory_;
  const std::string name_, fresh_name_;
  gid_t gid_ = static_cast<gid_t>(-1);
  bool written_ = false, stays_ = false;
};

}  // namespace evs::runtime::uplink
