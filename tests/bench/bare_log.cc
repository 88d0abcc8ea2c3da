// SPDX-License-Identifier: BSD-3-Clause
// bare_log.cc - mapping the log twice in a row, and waiting for room.
#include "tests/bench/bare_log.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "tests/bench/crew.h"

namespace evs::bench {

namespace {

constexpr int kPausesWhenFull = 256;

unsigned char* map_twice(size_t bytes) {
  const int fd = memfd_create("evs-speed-log", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, static_cast<off_t>(bytes)) != 0) throw Malfunction("no memory file for the bare log");
  void* both = mmap(nullptr, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (both == MAP_FAILED) throw Malfunction("no address space for the bare log");
  unsigned char* base = static_cast<unsigned char*>(both);
  for (int half = 0; half < 2; ++half) {
    if (mmap(base + static_cast<size_t>(half) * bytes, bytes, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) == MAP_FAILED) {
      throw Malfunction("the bare log cannot be mapped");
    }
  }
  close(fd);
  return base;
}

}  // namespace

BareLog::BareLog(size_t record_bytes, size_t payload_at, size_t payload_bytes, uint32_t readers)
    : record_bytes_(record_bytes),
      payload_at_(payload_at),
      payload_bytes_(payload_bytes),
      readers_(readers),
      secret_((uint64_t{std::random_device{}()} << 32 | std::random_device{}()) | 1),
      control_(static_cast<Control*>(map_shared(sizeof(Control)))),
      data_(map_twice(kCapacity)) {
  if (payload_at + payload_bytes > record_bytes || payload_at < 16 || record_bytes % 64 != 0 || readers == 0 ||
      readers > kReadersMax || record_bytes > kCapacity / 4) {
    throw Malfunction("the bare log was asked for a record that it cannot hold");
  }
}

BareLog::~BareLog() {
  munmap(data_, 2 * kCapacity);
  unmap_shared(control_, sizeof(Control));
}

void BareLog::Writer::wait_for_room(uint64_t end) {
  while (true) {
    uint64_t smallest = UINT64_MAX;
    for (uint32_t i = 0; i < log_.readers_; ++i) {
      smallest = std::min(smallest, log_.control_->cursors[i].position.load(std::memory_order_acquire));  // FREE
    }
    limit_ = smallest + kCapacity;
    if (end <= limit_) return;
    if (crowded_) {
      sched_yield();
    } else {
      relax_times(kPausesWhenFull);
    }
  }
}

}  // namespace evs::bench
