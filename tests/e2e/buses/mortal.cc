// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/mortal.cc - see mortal.h.
#include "tests/e2e/buses/mortal.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include "bus/runtime/uplink/planted.h"
#include "bus/runtime/uplink/window_layout.h"

namespace evs::test {
namespace {

std::mutex g_mutex;  // the service thread counts, and the application says what
uint64_t g_left = 0;
std::string g_name;

void stored(const char* name) {
  const std::lock_guard guard(g_mutex);
  if (g_left == 0 || (!g_name.empty() && g_name != name) || --g_left != 0) return;
  char line[64];
  const int bytes = snprintf(line, sizeof line, "died %s\n", name);
  if (write(STDOUT_FILENO, line, static_cast<size_t>(bytes)) != bytes) _exit(3);
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

const char* name_of(uint64_t at) {
  namespace window = runtime::uplink::window;
  if (at == window::kClaimed) return "claimed";
  if (at == window::kPrepared) return "prepared";
  if (at == window::kJournal) return "journal";
  if (at >= window::kForgotten && at < window::kWordsEnd) return "word";
  if (at > window::kJournal && at % 8 == 0 && at < (64u << 10)) return "entry";
  return "bytes";
}

}  // namespace

void die_at(uint64_t count, const std::string& name) {
  const std::lock_guard guard(g_mutex);
  g_left = count;
  g_name = name;
}

void plant(unsigned rule) { runtime::uplink::g_planted = static_cast<runtime::uplink::Planted>(rule); }

}  // namespace evs::test

namespace evs::runtime::uplink {
Planted g_planted = Planted::none;
}

extern "C" void evs_window_stored(uint64_t at, const void*, size_t) { evs::test::stored(evs::test::name_of(at)); }
extern "C" void evs_gateway_moment(const char* name) { evs::test::stored(name); }
