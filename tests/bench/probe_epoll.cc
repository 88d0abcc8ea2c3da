// SPDX-License-Identifier: BSD-3-Clause
// probe_epoll.cc - two processes in event loops that wake each other through eventfds: epoll_wait, read, write.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/bench/clock.h"
#include "tests/bench/crew.h"
#include "tests/bench/probes.h"
#include "tests/bench/quiet.h"

namespace evs::bench {

namespace {

struct Table {
  StartLine start;
  std::atomic<bool> over;
  alignas(128) Samples samples;
};

class EventFd {
 public:
  EventFd() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw Malfunction("eventfd");
  }
  ~EventFd() { close(fd_); }
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;
  int fd() const { return fd_; }
  void ring() {
    const uint64_t one = 1;
    if (write(fd_, &one, sizeof one) != sizeof one) throw Malfunction("writing an eventfd");
  }

 private:
  int fd_;
};

class Loop {
 public:
  explicit Loop(int fd) : epoll_(epoll_create1(EPOLL_CLOEXEC)), fd_(fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) throw Malfunction("epoll_ctl");
  }
  ~Loop() { close(epoll_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  void wait() {
    epoll_event event{};
    while (epoll_wait(epoll_, &event, 1, -1) != 1) {
    }
    uint64_t rings = 0;
    if (read(fd_, &rings, sizeof rings) != sizeof rings) throw Malfunction("reading an eventfd");
  }

 private:
  int epoll_;
  int fd_;
};

}  // namespace

Percentiles probe_epoll(int milliseconds, int quiet_us) {
  Shared<Table> table;
  EventFd there, back;
  Crew crew;
  crew.start("epoll-first", cores().first, [&] {
    Loop loop(back.fd());
    table->start.wait_for(2);
    const uint64_t end_ns = monotonic_ns() + static_cast<uint64_t>(milliseconds) * 1'000'000u;
    while (monotonic_ns() < end_ns && !table->samples.full()) {
      be_quiet(quiet_us);
      const uint64_t before = ticks();
      there.ring();
      loop.wait();
      table->samples.add(ticks() - before);
    }
    table->over.store(true, std::memory_order_release);
    there.ring();
  });
  crew.start("epoll-second", cores().second, [&] {
    Loop loop(there.fd());
    table->start.wait_for(2);
    while (true) {
      loop.wait();
      if (table->over.load(std::memory_order_acquire)) return;
      back.ring();
    }
  });
  crew.finish();
  const Samples& samples = table->samples;
  return percentiles_of(std::vector<uint32_t>(samples.ticks, samples.ticks + samples.count), ns_per_tick());
}

}  // namespace evs::bench
