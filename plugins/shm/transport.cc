// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/transport.cc - opening, sending, and what the other parts share.
#include "plugins/shm/transport.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <stdexcept>

#include "plugins/shm/cursor.h"
#include "shm/claim_append.h"

namespace evs::plugin_shm {

using shm::Code;

uint64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000 + static_cast<uint64_t>(t.tv_nsec);
}

uint64_t left_until(uint64_t deadline_ns) {
  const uint64_t now = monotonic_ns();
  return deadline_ns > now ? deadline_ns - now : 0;
}

void pause_ns(long ns) {
  const timespec t{0, ns};
  nanosleep(&t, nullptr);
}

namespace {

// Descriptors that a child of fork() must close: an OFD lock lives as long as any copy of its descriptor, and a child that keeps one would
// keep this process's slot inhabited after its death.
constexpr size_t kMostTransports = 64;
std::atomic<Transport*> open_transports[kMostTransports];

void after_fork_in_child() {
  shm::forget_thread_cell();
  shm::forget_robust_list();
  for (auto& slot : open_transports)
    if (Transport* transport = slot.exchange(nullptr, std::memory_order_relaxed)) transport->close_in_child();
}

}  // namespace

Transport::Transport(const evs_host* host, Parameters parameters)
    : host_(host), parameters_(std::move(parameters)), bus_(host->bus) {
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, after_fork_in_child); });
  const auto& text = shm::kCounterText[static_cast<uint32_t>(shm::Counter::outsider_sends)];
  if (host->counter != nullptr) outsider_sends_ = host->counter(host->context, text.name, text.help);
  for (auto& slot : open_transports) {
    Transport* none = nullptr;
    if (slot.compare_exchange_strong(none, this)) return;
  }
  throw std::length_error("more than 64 buses of one process");
}

void Transport::close_in_child() {
  locks_.close_in_child();
  own_groups_.close_in_child();
  opener_.close_all();
  for (int* fd : {&epoll_, &service_bell_fd_, &segment_fd_}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
}

Transport::~Transport() {
  for (auto& slot : open_transports) {
    Transport* self = this;
    if (slot.compare_exchange_strong(self, nullptr)) break;
  }
  opener_.close_all();
  for (auto& [slot, watched] : watched_)
    if (watched.fd >= 0) close(watched.fd);
  if (service_bell_fd_ >= 0) {
    unlinkat(directory_.fd(), shm::bell_name(bus_, service_bell_).c_str(), 0);
    close(service_bell_fd_);
  }
  if (epoll_ >= 0) close(epoll_);
  if (segment_fd_ >= 0) close(segment_fd_);
}

void Transport::log(int32_t level, const char* kind, const std::string& text) const {
  if (host_->log != nullptr) host_->log(host_->context, level, kind, text.data(), text.size());
}

void Transport::count(shm::Counter counter, uint64_t n) {
  if (!counters_.mapped()) return;
  // Rare events only; several threads of this process may meet here.
  counters_.block(slot_).add(static_cast<uint32_t>(counter), n);
}

void Transport::took(shm::Histogram what, uint64_t ns) {
  if (counters_.mapped()) counters_.block(slot_).took(what, ns);
}

int32_t Transport::add_to_stats(uint32_t word, uint64_t n) {
  if (word >= shm::kCounterRoom) return EVS_P_BAD_PARAMETER;
  if (!member()) return EVS_P_EXPELLED;
  counters_.block(slot_).add(word, n);
  return EVS_P_OK;
}

Code Transport::append(const evs_append& frame, uint64_t& position, void (*before)(void*, uint64_t), void* context) {
  if (!member()) return Code::expelled;
  if (frame.size > parameters_.shape.message_limit || frame.group_count > shm::kMaxGroups) return Code::too_big;
  const shm::Kind kind = frame.kind == EVS_FRAME_MESSAGE ? shm::Kind::message : shm::Kind::control;
  const Code code = writer_.append(kind, frame, position, shm::Reserve::leave, awaits_answer() ? shm::Pace::stream : shm::Pace::answer,
                                   before, context);
  if (__builtin_expect(code == Code::ok, 1)) {
    note_sent();
    if (__builtin_expect(!member(), 0)) note_outsider_send();
  } else if (code == Code::again) {
    full_total_.fetch_add(1, std::memory_order_relaxed);
    starve(shm::record_bytes(frame.group_count, frame.size));
  }
  return code;
}

// The service thread judges who holds the ring. Woken once, by the first refusal.
void Transport::starve(uint64_t bytes) {
  uint64_t now = starved_bytes_.load(std::memory_order_relaxed);
  while (now < bytes && !starved_bytes_.compare_exchange_weak(now, bytes, std::memory_order_relaxed)) {}
  if (now == 0) host_->wake(host_->context);
}

// Expelled in the middle of a send: its record stands behind the leave, and everybody skips it. (Or just before the leave: then it is counted
// and delivered.)
void Transport::note_outsider_send() {
  count(shm::Counter::outsider_sends);
  if (outsider_sends_ != nullptr) std::atomic_ref(*outsider_sends_).fetch_add(1, std::memory_order_relaxed);
}

void Transport::publish_view(const shm::View& view) {
  const std::lock_guard lock(view_mutex_);
  shm::publish(segment_, slot_, view);
}

bool Transport::unblock(uint64_t position) {
  const std::lock_guard lock(fill_mutex_);
  shm::set_pin(segment_, slot_, shm::kPinFill, position);
  const shm::Fill result = shm::fill(segment_, position);
  shm::clear_pin(segment_, slot_, shm::kPinFill);
  if (result == shm::Fill::padded) {
    count(shm::Counter::padded_units);
    bells_.ring_armed(true, nullptr, 0);
  }
  return result == shm::Fill::padded || result == shm::Fill::committed;
}

size_t Transport::dump(char* text, size_t capacity) {
  const shm::RoomScan scan = shm::scan_room(segment_);
  std::string out;
  const auto line = [&](const char* name, uint64_t value) { out += std::string(name) + " " + std::to_string(value) + "\n"; };
  line("nodeid", slot_ + 1);
  line("generation", generation_);
  line("ring_sequence", segment_.geometry().ring_sequence);
  line("capacity_bytes", segment_.geometry().capacity);
  line("tail", scan.tail);
  line("used_bytes", scan.tail - scan.lowest);
  line("full_total", full_total_.load(std::memory_order_relaxed));
  {
    const std::lock_guard lock(view_mutex_);
    line("change", view_.change);
    line("members", view_.members.size());
  }
  if (capacity != 0) {
    const size_t n = std::min(capacity - 1, out.size());
    memcpy(text, out.data(), n);
    text[n] = 0;
  }
  return out.size();
}

}  // namespace evs::plugin_shm
