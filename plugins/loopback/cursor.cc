// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/cursor.cc - reading in batches, and sleeping without missing a bell.
#include "cursor.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "transport.h"

namespace evs::loopback {

Cursor::Cursor(Medium& medium, const evs_transport& owner) : medium_(medium), owner_(owner) {
  medium.add(*this);
}

Cursor::~Cursor() {
  medium_.remove(*this);
  if (fd_ >= 0) close(fd_);
}

bool Cursor::of(const Member& member) const {
  return owner_.self.get() == &member;
}

const Member& Cursor::member() const {
  return *owner_.self;
}

int32_t Cursor::standing() const {
  return medium_.standing(*owner_.self);
}

bool Cursor::concerns(const Record& record) const {
  if (record.kind == EVS_FRAME_MEMBERSHIP) return true;
  if (record.kind == kPad) return false;
  const auto* groups = reinterpret_cast<const evs_plugin_group*>(&record + 1);
  for (uint32_t i = 0; i < record.group_count; ++i)
    if (interest_.count(groups[i]) != 0) return true;
  return false;
}

// ---- Place ----

int32_t Cursor::watch(void* buffer, size_t buffer_size, size_t* needed) {
  const Hold hold(medium_.lock);
  if (const int32_t status = standing(); status != EVS_P_OK) return status;
  const auto membership = watching() ? medium_.membership_at(place) : medium_.membership();
  if (const int32_t status = membership->write(buffer, buffer_size, needed); status != EVS_P_OK) return status;
  if (!watching()) place = medium_.tail();
  watching_ = true;
  return EVS_P_OK;
}

void Cursor::park() {
  const Hold hold(medium_.lock);
  stop_watching();
  medium_.room_was_made();
}

void Cursor::stop_watching() {
  watching_ = false;
}

uint64_t Cursor::lag() const noexcept {
  const uint64_t end = medium_.tail(), at = place.load(std::memory_order_relaxed);
  return watching() && at < end ? end - at : 0;
}

bool Cursor::pending() const noexcept {
  return lag() != 0;
}

bool Cursor::has_something() const {
  const Hold hold(medium_.lock);
  return standing() != EVS_P_OK || pending();
}

// ---- Interest ----

void Cursor::interest_add(const evs_plugin_group* groups, uint32_t count) {
  const Hold hold(medium_.lock);
  uint32_t added = 0;
  try {
    for (; added < count; ++added) ++interest_[groups[added]];
  } catch (...) {
    while (added-- != 0)  // what fails has done nothing
      if (--interest_[groups[added]] == 0) interest_.erase(groups[added]);
    throw;
  }
}

void Cursor::interest_remove(const evs_plugin_group* groups, uint32_t count) {
  const Hold hold(medium_.lock);
  for (uint32_t i = 0; i < count; ++i) {
    const auto entry = interest_.find(groups[i]);
    if (entry != interest_.end() && --entry->second == 0) interest_.erase(entry);
  }
  medium_.room_was_made();
}

// ---- Reading ----

int32_t Cursor::read(evs_read& request) {
  request.count = 0;
  uint64_t end = 0;
  {
    const Hold hold(medium_.lock);
    if (const int32_t status = standing(); status != EVS_P_OK) return status;
    if (!pending()) return EVS_P_AGAIN;
    end = medium_.tail();
    reading = true;  // from here on nobody but us moves our place
  }
  uint64_t at = place.load(std::memory_order_relaxed);
  const int32_t result = walk(request, end, at);
  const Hold hold(medium_.lock);
  reading = false;
  const int32_t status = standing();
  if (status == EVS_P_OK) place = at;  // FREE
  medium_.room_was_made();
  if (status != EVS_P_OK) request.count = 0;
  return status != EVS_P_OK ? status : result;
}

// Without the lock: what lies between `at` and `end` stays as it is while our place is before it.
int32_t Cursor::walk(evs_read& request, uint64_t end, uint64_t& at) {
  auto* const buffer = static_cast<std::byte*>(request.buffer);
  uint64_t used = 0;
  bool asked = false;
  while (at < end) {
    Record& record = medium_.record_at(at);
    if (record.kind != kPad) {
      const uint64_t body = record.body_bytes();
      const bool fits = request.count < request.frame_room && used + body <= request.buffer_size;
      // An answer must count. Behind others a frame without room is left for the next call, unasked.
      if (!fits && asked) break;
      const evs_frame frame = frame_at(record, record.groups());
      const int32_t answer = request.want(request.context, &frame);
      asked = true;
      if (answer == EVS_WANT_STOP) break;
      if (answer == EVS_WANT_TAKE && !fits) {
        request.needed = body;
        return EVS_P_TOO_BIG;
      }
      if (answer == EVS_WANT_TAKE) {
        std::memcpy(buffer + used, record.groups(), body);
        if (record.kind == EVS_FRAME_MEMBERSHIP) place_lists(buffer + used);
        request.frames[request.count++] = frame_at(record, buffer + used);
        used = round_up(used + body);
      }
    }
    at += record.length;
  }
  return EVS_P_OK;
}

// ---- Waking ----

void Cursor::something_came() {
  if (sleeping_) bell_.ring();
  if (armed_) make_readable();
}

void Cursor::rouse() {
  roused_ = true;
  if (sleeping_) bell_.ring();
  make_readable();
}

void Cursor::make_readable() {
  armed_ = false;
  readable_ = true;
  if (fd_ < 0) return;
  const int kept = errno;  // as in Bell::ring()
  const uint64_t one = 1;
  // Raw: an append() may come here, which is to make no call that is a cancellation point.
  [[maybe_unused]] const long written = syscall(SYS_write, fd_, &one, sizeof(one));  // full: it is readable already
  errno = kept;
}

int32_t Cursor::wait(uint64_t timeout_ns) {
  const uint64_t deadline = deadline_after(timeout_ns);
  for (bool in_time = true;;) {
    uint32_t heard = 0;
    {
      const Hold hold(medium_.lock);
      sleeping_ = false;
      if (std::exchange(interrupted_, false)) return EVS_P_INTERRUPTED;
      if (const int32_t status = standing(); status != EVS_P_OK) return status;
      if (std::exchange(roused_, false) || pending()) return EVS_P_OK;
      if (!in_time) return EVS_P_TIMEOUT;
      sleeping_ = true;
      heard = bell_.count();
    }
    in_time = bell_.sleep(heard, deadline);
  }
}

void Cursor::wake() {
  const Hold hold(medium_.lock);
  interrupted_ = true;
  if (sleeping_) bell_.ring();
}

int32_t Cursor::fd() {
  const Hold hold(medium_.lock);
  if (fd_ < 0) fd_ = eventfd(readable_ || pending() ? 1 : 0, EFD_NONBLOCK | EFD_CLOEXEC);
  return fd_;
}

int32_t Cursor::arm() {
  const Hold hold(medium_.lock);
  readable_ = false;
  if (fd_ >= 0) {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t drained = ::read(fd_, &count, sizeof(count));
  }
  armed_ = true;
  if (standing() != EVS_P_OK || pending()) {
    make_readable();
    return EVS_P_OK;
  }
  return EVS_P_AGAIN;
}

void Cursor::ring() {
  const Hold hold(medium_.lock);
  make_readable();
}

}  // namespace evs::loopback
