// SPDX-License-Identifier: BSD-3-Clause
// shm/wake.h - sleeping readers and their bells.
//
// Nothing is signalled while readers keep up. A reader that found nothing sets its bits (armed cursor, armed slot), has every sender see
// them (barrier.h), looks again, and sleeps; a sender that sees a bit after its commit takes it and rings: a futex, or a byte into a FIFO in the
// bus directory. A FIFO that is full has been rung already. Only cursors whose filter may hold one of the record's groups are rung; and those
// that found a claim not yet committed before them (kArmedAny): a record of theirs may be committed behind it already, and its sender rings no more.
//
// A ringer killed between taking the bits and the ring leaves a sleeper that nobody else will ring. So each death, whoever's, wakes all (wake()).
// A ringer without a descriptor for the bell raises the same alarm, which service threads notice at their next tick.
//
// FIFOs are opened read-write by both sides: a writer never meets EPIPE or SIGPIPE when the reader is gone, the reader
// never end-of-file. Their names are numbers taken from shared memory, never strings.
#pragma once

#include "shm/segment.h"

namespace evs::shm {

// Opens FIFOs for ringing and remembers some. Any thread, any signal handler.
class BellOpener {
 public:
  void bind(int directory_fd, const std::string& bus);
  void close_all();
  // false: it is there, and could not be rung (no descriptors, no memory).
  bool ring(uint64_t bell);

 private:
  struct Entry {
    std::atomic<uint32_t> busy{0};
    uint64_t bell = 0;
    int fd = -1;
  };
  int open_bell(uint64_t bell) const;

  static constexpr uint32_t kRemembered = 64;
  Entry entries_[kRemembered];
  int directory_fd_ = -1;
  char prefix_[48] = {};
};

// "default.bell.00000000000000af"
std::string bell_name(const std::string& bus, uint64_t bell);

class Bells {
 public:
  void bind(const Segment* segment, BellOpener* opener) {
    segment_ = segment;
    opener_ = opener;
  }
  void measure(bool on) { measure_ = on; }  // who is rung learns when
  // Asks to be rung. The caller looks at the ring again afterwards: a commit that did not see the bits is seen by that look.
  void arm(uint32_t slot, uint32_t cursor, uint32_t how);
  // Rings the armed cursors that a record to these groups may concern; `everybody` for memberships.
  void ring_armed(bool everybody, const void* groups, uint32_t group_count);
  // Rings one cursor whatever it waits for, if it waits.
  void ring_cursor(uint32_t slot, uint32_t cursor);
  // The same, also when somebody else has taken its bits. Its FIFO is its owner's to ring.
  void wake(uint32_t slot, uint32_t cursor);
  void ring_service(uint32_t slot);
  void ring_services();

  // Asks the readers to ring our service thread when they have made room; ring_room takes the requests and does.
  void want_room(uint32_t slot);
  void ring_room();

 private:
  void ring_slot(uint32_t slot, bool everybody, const void* groups, uint32_t group_count);
  bool concerns(const CursorCell& cell, const void* groups, uint32_t group_count) const;
  void signal(CursorCell& cell, uint32_t how);

  const Segment* segment_ = nullptr;
  BellOpener* opener_ = nullptr;
  bool measure_ = false;
};

// Sleeps while *word == seen: 0 woken or changed, ETIMEDOUT, EINTR.
int futex_wait(std::atomic<uint32_t>& word, uint32_t seen, uint64_t timeout_ns);
void futex_wake(std::atomic<uint32_t>& word);

}  // namespace evs::shm
