// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_host_file.h - opens a file only if nobody else could have put it there.
//
// The path is walked from the root, one component at a time, each opened relative to the one before and judged by its
// open descriptor: what was judged is what is used, whatever happens to the names meanwhile. A symbolic link on the way
// is read and walked the same way; the file itself must not be one.
//
// Trusted are root and our own effective user. Each directory must belong to one of them and be writable by no one
// else. A directory that all may write but is sticky, such as /tmp, may lie on the way: entries of trusted owners
// cannot be renamed there by others. It may not hold the plugin itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "bus/runtime/plugin_result.h"

namespace evs::runtime {

// A descriptor that closes itself.
class OpenFile {
 public:
  OpenFile() = default;
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OpenFile();
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

enum class Trust : uint8_t {
  checked,
  insecure
};  // insecure: EVS_PLUGIN_INSECURE=1; `warning` says what would be refused

// CS_ERR_NOT_EXIST when there is no such file, ACCESS for the rest. `path` is absolute.
PluginResult<OpenFile> open_plugin_file(const std::string& path, Trust trust, std::string& warning);

}  // namespace evs::runtime
