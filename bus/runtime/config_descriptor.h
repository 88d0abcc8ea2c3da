// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_descriptor.h - a file descriptor that is closed when its holder goes out of scope. For what reads files: configuration and keys.
#pragma once

#include <unistd.h>

#include <utility>

namespace evs::runtime {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}  // below zero: none
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace evs::runtime
