// SPDX-License-Identifier: BSD-3-Clause
// record.cc - mapping a record file.
#include "tests/torture/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace evs::torture {

namespace {

constexpr uint64_t kFrontBytes = 8192;
static_assert(sizeof(Front) <= kFrontBytes);

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw std::runtime_error(what + " " + path + ": " + strerror(errno));
}

}  // namespace

void RecordFile::map(int fd, uint64_t bytes, const std::string& path) {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (base == MAP_FAILED) fail("mapping", path);
  base_ = base;
  bytes_ = bytes;
  capacity_ = (bytes - kFrontBytes) / sizeof(Entry);
}

void RecordFile::create(const std::string& path, uint64_t rows) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) fail("creating", path);
  const uint64_t bytes = kFrontBytes + rows * sizeof(Entry);
  if (ftruncate(fd, static_cast<off_t>(bytes)) != 0) fail("sizing", path);  // sparse: pages come as they are written
  map(fd, bytes, path);
}

void RecordFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) fail("opening", path);
  struct stat s {};
  if (fstat(fd, &s) != 0) fail("looking at", path);
  map(fd, static_cast<uint64_t>(s.st_size), path);
}

void RecordFile::close() {
  if (base_ != nullptr) munmap(base_, bytes_);
  base_ = nullptr;
}

Entry* RecordFile::reserve(uint32_t count) {
  const uint64_t first = front().rows.fetch_add(count, std::memory_order_relaxed);
  return first + count <= capacity_ ? &row(first) : nullptr;
}

Entry& RecordFile::row(uint64_t index) const {
  return reinterpret_cast<Entry*>(static_cast<char*>(base_) + kFrontBytes)[index];
}

uint64_t RecordFile::rows() const { return std::min(front().rows.load(std::memory_order_acquire), capacity_); }

}  // namespace evs::torture
