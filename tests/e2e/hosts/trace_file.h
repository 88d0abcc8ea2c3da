// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/hosts/trace_file.h - a trace (docs/trace-format.md) that survives whoever writes it: the file is mapped, so a line is there as soon as it is
// written, whatever becomes of the process. A killed writer leaves zeros behind its last line; whoever killed it cuts them off.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <string>

namespace evs::test {

class TraceFile {
 public:
  static constexpr size_t kMostBytes = size_t{1} << 28;  // sparse

  explicit TraceFile(const std::string& path) {
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd_ < 0 || ftruncate(fd_, kMostBytes) != 0) throw std::runtime_error("no trace " + path + ": " + strerror(errno));
    at_ = static_cast<char*>(mmap(nullptr, kMostBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0));
    if (at_ == MAP_FAILED) throw std::runtime_error("cannot map " + path);
  }
  ~TraceFile() {
    munmap(at_, kMostBytes);
    if (ftruncate(fd_, static_cast<off_t>(used_)) != 0) std::perror("trace");
    close(fd_);
  }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  // Without its newline, which is written last.
  void line(const std::string& text) {
    if (used_ + text.size() + 1 > kMostBytes) throw std::runtime_error("the trace is full");
    std::memcpy(at_ + used_, text.data(), text.size());
    __atomic_store_n(at_ + used_ + text.size(), '\n', __ATOMIC_RELEASE);
    used_ += text.size() + 1;
  }

  // Of a killed writer.
  static void cut(const std::string& path) {
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    const off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    if (size > 0) {
      auto* at = static_cast<char*>(mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_SHARED, fd, 0));
      const auto* end = at == MAP_FAILED ? nullptr : static_cast<const char*>(memchr(at, 0, static_cast<size_t>(size)));
      const off_t used = end == nullptr ? size : end - at;
      if (at != MAP_FAILED) munmap(at, static_cast<size_t>(size));
      if (ftruncate(fd, used) != 0) std::perror("trace");
    }
    if (fd >= 0) close(fd);
  }

 private:
  int fd_ = -1;
  char* at_ = nullptr;
  size_t used_ = 0;
};

}  // namespace evs::test
