// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/bench_crew.cc - see bench_crew.h.
#include "tools/evs/bench_crew.h"

#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <new>

#include "tools/evs/clock.h"

namespace evs::tools {

namespace {

constexpr uint64_t kStopPatience_ns = 10'000'000'000;

long futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
  return syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation, value, nullptr, nullptr, 0);
}

// The index-th of the processors that this process may use, in turn.
void pin_to(uint32_t index) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  uint32_t skip = index % static_cast<uint32_t>(std::max(1, CPU_COUNT(&allowed)));
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || skip-- != 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

}  // namespace

void CrewMember::report_ready() {
  page_.ready.fetch_add(1, std::memory_order_release);
  eventfd_write(ready_descriptor_, 1);
}

void CrewMember::wait_past(Phase phase) {
  const auto value = static_cast<uint32_t>(phase);
  while (page_.phase.load(std::memory_order_acquire) == value) futex(page_.phase, FUTEX_WAIT, value);
}

int CrewMember::fail(const std::string& sentence) {
  char* room = page_.failure[index_];
  std::snprintf(room, sizeof page_.failure[index_], "%s", sentence.c_str());
  return EXIT_FAILURE;
}

Crew::Crew() {
  void* memory = mmap(nullptr, sizeof(CrewPage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  page_ = new (memory) CrewPage{};
  ready_descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  stop_descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

Crew::~Crew() {
  for (const Child& child : children_) {
    kill(child.pid, SIGKILL);  // not yet reaped, so the pid is still this child's
    waitpid(child.pid, nullptr, 0);
    close(child.descriptor);
  }
  close(ready_descriptor_);
  close(stop_descriptor_);
  munmap(page_, sizeof(CrewPage));
}

bool Crew::start(const std::vector<Role>& roles, bool pin, LeaveSignals& signals) {
  const pid_t parent = getpid();
  for (uint32_t index = 0; index < roles.size(); ++index) {
    const pid_t pid = fork();
    if (pid < 0) {
      failure_ = std::string("fork: ") + std::strerror(errno);
      return false;
    }
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(EXIT_FAILURE);  // it died before the line above
      signals.restore();
      if (pin) pin_to(index);
      CrewMember member(*page_, index, ready_descriptor_, stop_descriptor_);
      int status = EXIT_FAILURE;
      try {
        status = roles[index](member);
      } catch (const std::exception& error) {
        member.fail(error.what());
      }
      _exit(status);  // stdio and destructors are the parent's
    }
    const auto descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    children_.push_back({pid, descriptor});
  }
  while (page_->ready.load(std::memory_order_acquire) < roles.size()) {
    switch (wait_for_event(UINT64_MAX, signals)) {
      case Event::signal:
        interrupted_ = true;
        return false;
      case Event::ended:
        if (a_child_ended()) return false;
        break;
      default:
        break;
    }
  }
  return true;
}

bool Crew::run(uint64_t for_ns, LeaveSignals& signals, const std::function<void(uint64_t)>& every_half_second) {
  constexpr uint64_t kTick_ns = 500'000'000;
  set_phase(Phase::running);
  const uint64_t began = monotonic_ns();
  for (;;) {
    ran_for_ns_ = monotonic_ns() - began;
    if (ran_for_ns_ >= for_ns) return true;
    every_half_second(ran_for_ns_);
    switch (wait_for_event(std::min(kTick_ns, for_ns - ran_for_ns_), signals)) {
      case Event::signal:
        interrupted_ = true;
        return false;
      case Event::ended:
        a_child_ended();
        return false;
      default:
        break;
    }
  }
}

bool Crew::stop() {
  set_phase(Phase::stopping);
  const uint64_t give_up = monotonic_ns() + kStopPatience_ns;
  while (!children_.empty()) {
    const Child child = children_.back();
    pollfd wanted{child.descriptor, POLLIN, 0};
    const uint64_t now = monotonic_ns();
    if (now >= give_up || poll(&wanted, 1, static_cast<int>((give_up - now) / 1'000'000) + 1) == 0) {
      failure_ = "process " + std::to_string(child.pid) + " does not stop";
      return false;
    }
    int status = 0;
    if (waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
    close(child.descriptor);
    children_.pop_back();
    if (status == 0) continue;
    const char* sentence = page_->failure[children_.size()];
    failure_ = *sentence != '\0'
                   ? sentence
                   : "process " + std::to_string(child.pid) + " ended with status " + std::to_string(status);
    return false;
  }
  return true;
}

Crew::Event Crew::wait_for_event(uint64_t for_ns, LeaveSignals& signals) {
  std::vector<pollfd> wanted = {{signals.descriptor(), POLLIN, 0}, {ready_descriptor_, POLLIN, 0}};
  for (const Child& child : children_) wanted.push_back({child.descriptor, POLLIN, 0});
  const timespec left{static_cast<time_t>(for_ns / 1'000'000'000), static_cast<long>(for_ns % 1'000'000'000)};
  if (ppoll(wanted.data(), wanted.size(), for_ns == UINT64_MAX ? nullptr : &left, nullptr) <= 0) return Event::timeout;
  if (wanted[0].revents != 0 && signals.take()) return Event::signal;
  for (size_t i = 2; i < wanted.size(); ++i)
    if (wanted[i].revents != 0) return Event::ended;
  eventfd_t ignored;
  eventfd_read(ready_descriptor_, &ignored);
  return Event::ready;
}

// Names the child that ended before its time.
bool Crew::a_child_ended() {
  for (size_t i = 0; i < children_.size(); ++i) {
    int status = 0;
    if (waitpid(children_[i].pid, &status, WNOHANG) != children_[i].pid) continue;
    const char* sentence = page_->failure[i];
    failure_ = *sentence != '\0' ? sentence
                                 : "process " + std::to_string(children_[i].pid) + " ended early, with status " +
                                       std::to_string(status);
    close(children_[i].descriptor);
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
    return true;
  }
  return false;
}

void Crew::set_phase(Phase phase) {
  page_->phase.store(static_cast<uint32_t>(phase), std::memory_order_release);
  futex(page_->phase, FUTEX_WAKE, INT_MAX);
  if (phase == Phase::stopping) eventfd_write(stop_descriptor_, 1);
}

}  // namespace evs::tools
