// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/send_queue.h - messages that wait for the token, and how they are packed into frames.
//
// Small messages of one service share a frame; what does not fit into one becomes fragments, in frames that stand in the sender's
// order. A message is sent in the ring in which its last piece is stamped: one that a change of configuration caught between its
// pieces begins anew in the next ring, because newcomers have no beginning of it (Spread resets to fragment 0 likewise).
//
// A queue that keeps holds what it packed until that is settled, and begins it again if it must: over a medium that orders by itself a
// frame's place is known only when the frame comes back (ordered_path.h).
//
// A message waits as the piece that it becomes if it goes whole, header first, so that a frame of small ones is filled with one copy.
// Bounded in bytes, headers not counted, and in messages: who submits more is told to come again.
#pragma once

#include "bus/ordering/wire.h"

namespace evs::ordering {

// What the barrier lets pass is asked by role (barrier.h).
enum class Role : uint8_t { message, change };
enum class Submitted : uint8_t { ok, again, too_big, closed };

class SendQueue {
 public:
  static constexpr size_t kChangesPart = 8;
  explicit SendQueue(size_t capacity_bytes, bool keeps = false);

  // A part is kept for changes: a death must find room however much is waiting to be sent. A message of more than this never finds any.
  static constexpr size_t most_bytes(size_t capacity, Role role) { return role == Role::change ? capacity : capacity - capacity / kChangesPart; }
  bool ever_has_room(size_t bytes, Role role) const { return bytes <= most_bytes(capacity_, role); }
  bool has_room(size_t bytes, Role role = Role::message) const {
    return used_ + bytes <= most_bytes(capacity_, role) && count_ < most_bytes(messages_.size(), role);
  }
  void push(uint64_t number, Service service, Bytes message, Role role = Role::message);
  bool empty() const { return count_ == packed_; }                // nothing waits to be packed
  Role next_role() const { return messages_[next_place()].role; }  // of what is packed next; there must be something
  Service next_service() const { return messages_[next_place()].service; }
  void clear() { first_ = count_ = packed_ = used_ = write_ = 0; }
  size_t backlog_bytes() const { return used_; }

  struct Packed {
    Service service = Service::agreed;
    uint16_t piece_count = 0;
    bool ends_change = false;  // its last piece is a change's last. In a queue that keeps, nothing stands behind that
    size_t bytes = 0;
  };
  struct Completed {
    uint64_t number = 0;
    uint32_t index = 0;  // of its last piece in the frame
  };
  // Fills one frame's payload from the head of the queue, from the first byte of `room` on; `completed` is appended to.
  Packed pack(std::span<std::byte> room, std::vector<Completed>& completed);
  // Another ring: what was begun is begun again; so is what was packed and is not settled. True: something was.
  bool restart_partial();
  void settle(size_t messages);  // of those that were packed, the first so many

 private:
  struct Message {
    uint64_t number = 0;
    size_t begin = 0;  // of its header, in bytes_
    uint32_t bytes = 0;
    uint32_t sent = 0;
    uint32_t fragments = 0;
    Service service = Service::agreed;
    Role role = Role::message;
  };
  size_t next_place() const { return wrapped(first_ + packed_, messages_.size()); }
  void advance(size_t messages);  // packed whole
  void forget(size_t messages);
  void put_wholes(Role role, std::span<std::byte> room, Packed& packed, std::vector<Completed>& completed);
  bool put_fragment(std::span<std::byte> room, Packed& packed, std::vector<Completed>& completed);
  void write(Bytes bytes);
  void read(size_t begin, size_t n, std::byte* to) const;
  // Of a place that is less than a lap away: a division takes as long as a small message's copy.
  static size_t wrapped(size_t at, size_t lap) { return at < lap ? at : at - lap; }

  const size_t capacity_;
  std::vector<Message> messages_;  // a circle
  std::vector<std::byte> bytes_;   // a circle: messages as whole pieces, each behind its header
  const bool keeps_;
  size_t first_ = 0, count_ = 0, used_ = 0, write_ = 0;
  size_t packed_ = 0;              // of count_, kept
};

}  // namespace evs::ordering
