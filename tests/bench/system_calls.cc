// SPDX-License-Identifier: BSD-3-Clause
// system_calls.cc - how many system calls a message costs while its reader keeps up: none, if strace finds none.
//
// The same program is run under "strace -c -f" twice, with no message and with many; what the second run has more is
// the messages' doing. The two processes of the run wait for each other by spinning, so that no call is theirs.
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/bench/clock.h"
#include "tests/bench/crew.h"
#include "tests/bench/member.h"
#include "tests/bench/payload.h"
#include "tests/bench/roles.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

constexpr size_t kBytes = 64;
constexpr uint64_t kAheadMax = 4096;  // messages; a fifth of the ring at most

struct Table {
  alignas(128) std::atomic<bool> joined;
  alignas(128) std::atomic<uint64_t> read;
  Tally tally;
};

Tally* reader_tally;

void take(hdb_handle_t, unsigned int, const void* data, size_t bytes) {
  reader_tally->take(data, bytes);
}

void send_paced(Table& table, uint64_t messages) {
  const evs_group group = group_named("keep-up");
  Member member(nullptr);
  Payload payload(kBytes, 0);
  while (!table.joined.load(std::memory_order_acquire)) relax();
  for (uint64_t i = 0; i < messages; ++i) {
    while (i >= table.read.load(std::memory_order_acquire) + kAheadMax) relax();
    payload.number(i);
    if (!member.send_to(group, payload.data(), payload.bytes()))
      throw Malfunction("no room though the reader keeps up");
  }
}

void read_all(Table& table, uint64_t messages) {
  reader_tally = &table.tally;
  Member member(take);
  member.join(group_named("keep-up"));
  table.joined.store(true, std::memory_order_release);
  while (table.tally.messages < messages) {
    member.dispatch(CS_DISPATCH_ALL);
    table.read.store(table.tally.messages, std::memory_order_release);
  }
}

bool can_trace() {
  return system("strace -c -o /dev/null true >/dev/null 2>&1") == 0;  // absent, or ptrace forbidden: not zero
}

// Calls by name of one traced run.
std::map<std::string, uint64_t> traced(unsigned long messages) {
  char path[] = "/tmp/evs-speed-strace-XXXXXX";
  const int fd = mkstemp(path);
  if (fd < 0) throw Malfunction("no temporary file for strace");
  close(fd);
  const std::string command = "strace -c -f -o " + std::string(path) + " " + own_executable() + " --role keep-up " +
                              std::to_string(messages) + " 2>&1";
  std::string said;
  FILE* run = popen(command.c_str(), "r");
  if (run == nullptr) throw Malfunction("strace cannot be started");
  char piece[256];
  while (fgets(piece, sizeof piece, run) != nullptr) said += piece;
  const int status = pclose(run);
  std::map<std::string, uint64_t> calls;
  std::ifstream table(path);
  for (std::string line; std::getline(table, line);) {
    // % time, seconds, usecs/call, calls, [errors], name
    std::istringstream columns(line);
    double share = 0, seconds = 0;
    uint64_t each = 0, count = 0;
    std::string word, name;
    if (!(columns >> share >> seconds >> each >> count)) continue;
    while (columns >> word) name = word;
    if (!name.empty() && name != "total") calls[name] = count;
  }
  unlink(path);
  if (status != 0) throw Malfunction("the traced run failed: " + said);
  if (calls.empty()) throw Malfunction("strace wrote no table");
  return calls;
}

}  // namespace

void play_keep_up(unsigned long messages) {
  Shared<Table> table;
  Crew crew;
  crew.start("keep-up sender", cores().first, [&] { send_paced(*table, messages); });
  crew.start("keep-up reader", cores().second, [&] { read_all(*table, messages); });
  crew.finish(120);
  const uint64_t sent[kSendersMax] = {messages};
  require_complete(table->tally, kBytes, sent, 1, "keep-up");
}

std::vector<Outcome> measure_system_calls(const Plan& plan) {
  Outcome out{TargetId::system_calls, {}, {}, 0, ""};
  if (!can_trace()) {
    out.skipped = "strace is not installed or may not trace here (apt-get install strace)";
    return {out};
  }
  std::map<std::string, uint64_t> without = traced(0);
  const std::map<std::string, uint64_t> with = traced(plan.counted_messages);
  double more = 0;
  for (const auto& [name, count] : with) {
    const double extra = static_cast<double>(count) - static_cast<double>(without[name]);
    more += extra;
    if (extra > 0) out.figures.push_back({name, extra, "more"});
  }
  // A few calls fewer than without messages is none.
  out.values.push_back(std::max(0.0, more) / static_cast<double>(plan.counted_messages));
  out.figures.push_back({"messages", static_cast<double>(plan.counted_messages), ""});
  return {out};
}

}  // namespace evs::bench
