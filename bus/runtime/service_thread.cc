// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/service_thread.cc - start, sleep, work, end.
#include "bus/runtime/service_thread.h"

#include <signal.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "bus/runtime/futex.h"
#include "bus/runtime/host_table.h"

namespace evs::runtime {
namespace {

constexpr size_t kStackBytes = 1u << 20;  // a plugin's work() may hold a table of members on it

}  // namespace

std::optional<PluginFailure> ServiceThread::start(HostTable& host, Duties duties) {
  host_ = &host;
  duties_ = std::move(duties);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = pthread_create(&thread_, &attributes, &ServiceThread::entry, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (failed != 0) {
    return PluginFailure{CS_ERR_NO_RESOURCES, std::string("cannot start the service thread: ") + std::strerror(failed)};
  }
  started_ = true;
  while (begun_.load(std::memory_order_acquire) == 0) futex_wait(begun_, 0, UINT64_MAX);
  if (!begin_failure_) return std::nullopt;
  pthread_join(thread_, nullptr);
  started_ = false;
  return begin_failure_;
}

void ServiceThread::stop() {
  if (!started_) return;
  stopping_.store(true, std::memory_order_release);
  host_->wake();
  pthread_join(thread_, nullptr);
  started_ = false;
}

void* ServiceThread::entry(void* self) {
  pthread_setname_np(pthread_self(), "evs-service");
  static_cast<ServiceThread*>(self)->run();
  return nullptr;
}

void ServiceThread::run() {
  begin_failure_ = duties_.transport.begin();
  const bool began = !begin_failure_;
  begun_.store(1, std::memory_order_release);
  futex_wake(begun_, 1);
  if (!began) return;

  while (!stopping_.load(std::memory_order_acquire)) {
    const uint64_t now = monotonic_ns();
    const uint64_t next = duties_.transport.work(now);
    sleep_until(std::min(next, duties_.after_work(now)));
  }
  if (duties_.before_end) duties_.before_end();
  duties_.transport.end();
}

void ServiceThread::sleep_until(uint64_t deadline_ns) {
  const bool was_well = fault().empty();
  wishes_.clear();
  wishes_.push_back({host_->wake_fd(), POLLIN, 0});
  wishes_.push_back({duties_.transport.fd(), POLLIN, 0});  // poll passes over -1
  if (duties_.add_descriptors) duties_.add_descriptors(wishes_);
  if (was_well && !fault().empty()) return;  // it threw: after_work() shall hear of it now, not when somebody else wakes us
  const uint64_t now = monotonic_ns();
  const uint64_t pause = deadline_ns > now ? deadline_ns - now : 0;
  const timespec limit{static_cast<time_t>(pause / 1'000'000'000u), static_cast<long>(pause % 1'000'000'000u)};
  // An error (EINTR is impossible here, ENOMEM is not) is one early look at the work: harmless.
  ppoll(wishes_.data(), wishes_.size(), deadline_ns == UINT64_MAX ? nullptr : &limit, nullptr);
  if ((wishes_[0].revents & POLLIN) != 0) host_->drain();
}

}  // namespace evs::runtime
