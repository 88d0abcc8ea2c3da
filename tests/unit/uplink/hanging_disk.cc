// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/hanging_disk.cc - see hanging_disk.h.
#include "tests/unit/uplink/hanging_disk.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>

namespace {

std::mutex g_mutex;
std::condition_variable g_changed;
std::vector<evs::test::HangingDisk*> g_disks;

}  // namespace

extern "C" {
int __real_fsync(int fd);
int __wrap_fsync(int fd) {
  evs::test::HangingDisk::pass(evs::test::HangingDisk::kFlush);
  return __real_fsync(fd);
}
int __real_openat(int directory, const char* path, int flags, ...);
int __wrap_openat(int directory, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  evs::test::HangingDisk::pass(evs::test::HangingDisk::kOpen);
  return __real_openat(directory, path, flags, mode);
}
int __real_renameat(int from, const char* path, int to, const char* name);
int __wrap_renameat(int from, const char* path, int to, const char* name) {
  evs::test::HangingDisk::pass(evs::test::HangingDisk::kRename);
  return __real_renameat(from, path, to, name);
}
int __real_unlinkat(int directory, const char* path, int flags);
int __wrap_unlinkat(int directory, const char* path, int flags) {
  evs::test::HangingDisk::pass(evs::test::HangingDisk::kUnlink);
  return __real_unlinkat(directory, path, flags);
}
}

namespace evs::test {

HangingDisk::HangingDisk(unsigned calls, int count, int behind) : calls_(calls), count_(count), behind_(behind) {
  const std::lock_guard hold(g_mutex);
  g_disks.push_back(this);
}

HangingDisk::~HangingDisk() {
  {
    std::unique_lock lock(g_mutex);
    std::erase(g_disks, this);
    is_over_ = true;
    g_changed.notify_all();
    g_changed.wait(lock, [&] { return hanging_ == 0; });
  }
  for (const pid_t thread : hung_)
    while (std::filesystem::exists("/proc/self/task/" + std::to_string(thread))) poll(nullptr, 0, 1);
}

void HangingDisk::until_somebody_hangs() {
  std::unique_lock lock(g_mutex);
  g_changed.wait(lock, [&] { return hanging_ != 0; });
}

void HangingDisk::pass(Call call) {
  std::unique_lock lock(g_mutex);
  const auto hangs = [&](const HangingDisk* disk) { return (disk->calls_ & call) != 0 && disk->count_ > 0; };
  const auto found = std::find_if(g_disks.rbegin(), g_disks.rend(), hangs);
  if (found == g_disks.rend()) return;
  HangingDisk& disk = **found;
  if (disk.behind_ > 0) return static_cast<void>(--disk.behind_);
  --disk.count_;
  ++disk.hanging_;
  disk.hung_.push_back(gettid());
  g_changed.notify_all();
  g_changed.wait(lock, [&] { return disk.is_over_; });
  --disk.hanging_;
  g_changed.notify_all();
}

}  // namespace evs::test
