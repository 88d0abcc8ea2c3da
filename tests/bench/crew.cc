// SPDX-License-Identifier: BSD-3-Clause
// crew.cc - forking, pinning and reaping.
#include "tests/bench/crew.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "tests/bench/clock.h"

namespace evs::bench {

namespace {

constexpr size_t kMembersMax = 64;
constexpr size_t kReasonBytes = 256;

std::string with_errno(const char* what) {
  return std::string(what) + ": " + strerror(errno);
}

}  // namespace

struct Crew::Reasons {
  char text[kMembersMax][kReasonBytes];
};

void* map_shared(size_t bytes) {
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (address == MAP_FAILED) throw Malfunction(with_errno("mmap of shared memory for a round"));
  return address;
}

void unmap_shared(void* address, size_t bytes) {
  munmap(address, bytes);
}

void StartLine::wait_for(uint32_t parties) {
  arrived_.fetch_add(1, std::memory_order_acq_rel);
  // Yielding, not spinning: a round with more parties than processors must still get everyone here.
  while (arrived_.load(std::memory_order_acquire) < parties) sched_yield();
}

Cores cores() {
  static const Cores found = [] {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) throw Malfunction(with_errno("sched_getaffinity"));
    int seen[2] = {-1, -1};
    for (int cpu = 0, n = 0; cpu < CPU_SETSIZE && n < 2; ++cpu) {
      if (CPU_ISSET(cpu, &allowed)) seen[n++] = cpu;
    }
    return Cores{seen[0], seen[1] < 0 ? seen[0] : seen[1]};
  }();
  return found;
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu == kAnyCpu) {
    CPU_SET(static_cast<size_t>(cores().first), &set);
    CPU_SET(static_cast<size_t>(cores().second), &set);
  } else {
    CPU_SET(static_cast<size_t>(cpu), &set);
  }
  if (sched_setaffinity(0, sizeof set, &set) != 0) throw Malfunction(with_errno("sched_setaffinity"));
}

Crew::Crew() : reasons_(static_cast<Reasons*>(map_shared(sizeof(Reasons)))) {}

Crew::~Crew() {
  for (Member& member : members_) {
    if (member.pid <= 0) continue;
    kill(member.pid, SIGKILL);
    waitpid(member.pid, nullptr, 0);
    close(member.pidfd);
  }
  unmap_shared(reasons_, sizeof(Reasons));
}

pid_t Crew::start(const std::string& name, int cpu, const std::function<void()>& body) {
  if (members_.size() == kMembersMax) {
    // Those that were killed on purpose leave their places to later ones.
    std::erase_if(members_, [](const Member& member) { return member.pid == 0; });
    if (members_.size() == kMembersMax) throw Malfunction("a round has more processes than its table");
  }
  bool taken[kMembersMax] = {};
  for (const Member& member : members_) taken[member.reason] = member.pid != 0;
  size_t reason = 0;
  while (taken[reason]) ++reason;
  reasons_->text[reason][0] = 0;

  cores();
  ns_per_tick();  // found once, here, rather than in every child
  fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw Malfunction(with_errno("fork"));
  if (pid == 0) {
    int status = 1;
    try {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);  // the parent died before the line above
      prctl(PR_SET_NAME, name.c_str());
      pin_to(cpu);
      body();
      status = 0;
    } catch (const std::exception& error) {
      snprintf(reasons_->text[reason], kReasonBytes, "%s", error.what());
    }
    _exit(status);
  }
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const std::string why = with_errno("pidfd_open");
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    throw Malfunction(why);
  }
  members_.push_back({name, pid, pidfd, reason});
  return pid;
}

void Crew::reap(size_t index) {
  Member& member = members_[index];
  int status = 0;
  waitpid(member.pid, &status, 0);
  close(member.pidfd);
  member.pid = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::string why = member.name + ": ";
  if (WIFSIGNALED(status)) {
    why += std::string("died of signal ") + strsignal(WTERMSIG(status));
  } else {
    why += reasons_->text[member.reason][0] != 0 ? reasons_->text[member.reason] : "left with an error and no reason";
  }
  throw Malfunction(why);
}

void Crew::finish(int limit_seconds) {
  const uint64_t end = monotonic_ns() + static_cast<uint64_t>(limit_seconds) * 1'000'000'000u;
  while (true) {
    std::vector<pollfd> waiting;
    std::vector<size_t> who;
    for (size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].pid == 0) continue;
      waiting.push_back({members_[i].pidfd, POLLIN, 0});
      who.push_back(i);
    }
    if (waiting.empty()) return;
    const uint64_t now = monotonic_ns();
    const int left_ms = now < end ? static_cast<int>((end - now) / 1'000'000) : 0;
    const int ready = poll(waiting.data(), waiting.size(), left_ms);
    if (ready < 0 && errno != EINTR) throw Malfunction(with_errno("poll"));
    if (ready == 0) {
      throw Malfunction(members_[who.front()].name + ": still running after " + std::to_string(limit_seconds) + " s");
    }
    for (size_t i = 0; ready > 0 && i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) reap(who[i]);
    }
  }
}

void Crew::check() {
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].pid == 0) continue;
    pollfd one{members_[i].pidfd, POLLIN, 0};
    if (poll(&one, 1, 0) > 0) {
      const std::string name = members_[i].name;
      reap(i);
      throw Malfunction(name + ": left before the round was over");
    }
  }
}

uint64_t Crew::kill_and_see(pid_t pid) {
  for (Member& member : members_) {
    if (member.pid != pid) continue;
    kill(pid, SIGKILL);
    pollfd one{member.pidfd, POLLIN, 0};
    while (poll(&one, 1, -1) < 0 && errno == EINTR) {
    }
    const uint64_t seen_ns = monotonic_ns();
    waitpid(pid, nullptr, 0);
    close(member.pidfd);
    member.pid = 0;
    return seen_ns;
  }
  throw Malfunction("asked to kill a process that is not of this round");
}

}  // namespace evs::bench
