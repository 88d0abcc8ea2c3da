// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/hanging_disk.cc - see hanging_disk.h.
#include "tests/unit/uplink/hanging_disk.h"

#include <poll.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace {

std::mutex g_mutex;
std::condition_variable g_changed;
int g_hang = 0, g_hanging = 0;

std::vector<pid_t> g_hung;  // threads

}  // namespace

extern "C" {
int __real_fsync(int fd);
int __wrap_fsync(int fd) {
  std::unique_lock lock(g_mutex);
  if (g_hang > 0) {
    --g_hang;
    ++g_hanging;
    g_hung.push_back(gettid());
    g_changed.notify_all();
    g_changed.wait(lock, [] { return g_hang < 0; });
    --g_hanging;
    g_changed.notify_all();
  }
  lock.unlock();
  return __real_fsync(fd);
}
}

namespace evs::test {

HangingDisk::HangingDisk(int calls) {
  const std::lock_guard hold(g_mutex);
  g_hang = calls;
  g_hung.clear();
}

HangingDisk::~HangingDisk() {
  {
    std::unique_lock lock(g_mutex);
    g_hang = -1;
    g_changed.notify_all();
    g_changed.wait(lock, [] { return g_hanging == 0; });
    g_hang = 0;
  }
  for (const pid_t thread : g_hung)
    while (std::filesystem::exists("/proc/self/task/" + std::to_string(thread))) poll(nullptr, 0, 1);
}

void HangingDisk::until_somebody_hangs() {
  std::unique_lock lock(g_mutex);
  g_changed.wait(lock, [] { return g_hanging != 0; });
}

}  // namespace evs::test
