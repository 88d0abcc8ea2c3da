// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/send_queue.cc - see send_queue.h.
#include "bus/ordering/send_queue.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "bus/ordering/piece_writer.h"

namespace evs::ordering {
namespace {

constexpr size_t kLeastMessageBytes = 32;  // how many messages a queue is made for: its bytes by this
constexpr size_t kLeastFragment = 64;      // less is not worth a fragment's header

}  // namespace

SendQueue::SendQueue(size_t capacity_bytes)
    : capacity_(capacity_bytes), messages_(capacity_bytes / kLeastMessageBytes + 1),
      bytes_(capacity_bytes + messages_.size() * wire::kPieceBytes) {}

void SendQueue::push(uint64_t number, Service service, Bytes message, Role role) {
  messages_[(first_ + count_) % messages_.size()] = Message{number, write_, static_cast<uint32_t>(message.size()), 0, 0, service, role};
  ++count_;
  std::array<std::byte, wire::kPieceBytes> front;
  wire::put_front(front.data(), message.size(), wire::kPieceLast);
  write(front);
  write(message);
  used_ += message.size();
}

void SendQueue::write(Bytes bytes) {
  const size_t straight = std::min(bytes.size(), bytes_.size() - write_);
  if (straight != 0) std::memcpy(bytes_.data() + write_, bytes.data(), straight);
  if (straight != bytes.size()) std::memcpy(bytes_.data(), bytes.data() + straight, bytes.size() - straight);
  write_ = wrapped(write_ + bytes.size(), bytes_.size());
}

void SendQueue::read(size_t begin, size_t n, std::byte* to) const {
  const size_t straight = std::min(n, bytes_.size() - begin);
  if (straight != 0) std::memcpy(to, bytes_.data() + begin, straight);
  if (straight != n) std::memcpy(to + straight, bytes_.data(), n - straight);
}

SendQueue::Packed SendQueue::pack(std::span<std::byte> room, std::vector<Completed>& completed) {
  Packed packed;
  const Role role = next_role();
  bool full = false;
  while (!full) {
    put_wholes(role, room, packed, completed);
    full = count_ == 0 || next_role() != role || !put_fragment(room, packed, completed);
  }
  return packed;
}

// Whole messages of one service, as many as there are and fit: they wait as the pieces that they become, one behind the other, and are
// copied as one.
void SendQueue::put_wholes(Role role, std::span<std::byte> room, Packed& packed, std::vector<Completed>& completed) {
  const Message* const messages = messages_.data();
  const size_t places = messages_.size(), left = room.size() - packed.bytes;
  const size_t begin = messages[first_].begin;
  size_t first = first_, run = 0;
  uint32_t pieces = packed.piece_count;
  auto most = static_cast<uint32_t>(std::min<size_t>(UINT16_MAX - pieces, count_));
  if (pieces == 0 && most != 0) packed.service = messages[first].service;
  for (; most != 0; --most) {
    const Message& message = messages[first];
    const size_t bytes = wire::kPieceBytes + message.bytes;
    if (message.sent != 0 || message.role != role || message.service != packed.service || bytes > left - run) break;
    run += bytes;
    completed.push_back({message.number, pieces++});
    first = wrapped(first + 1, places);
  }
  const uint32_t put = pieces - packed.piece_count;
  if (put == 0) return;
  read(begin, run, room.data() + packed.bytes);
  first_ = first;
  count_ -= put;
  used_ -= run - put * wire::kPieceBytes;
  packed.bytes += run;
  packed.piece_count = static_cast<uint16_t>(pieces);
}

// The next part of a message that no frame holds whole. False: there is none, or no place for it, or the frame is full with it. Fragments are
// put together in the sender's order, so a large message has that order at least.
bool SendQueue::put_fragment(std::span<std::byte> room, Packed& packed, std::vector<Completed>& completed) {
  Message& message = messages_[first_];
  const size_t left = room.size() - packed.bytes, rest = message.bytes - message.sent;
  if (message.sent == 0 && wire::kPieceBytes + message.bytes <= room.size()) return false;
  const Service service = message.service == Service::unordered ? Service::fifo : message.service;
  if (packed.piece_count == UINT16_MAX || (packed.piece_count != 0 && service != packed.service)) return false;
  if (left < wire::kFragmentBytes + std::min(rest, kLeastFragment)) return false;
  wire::Piece piece;
  piece.fragment = true;
  piece.message = message.number;
  piece.index = message.fragments++;
  piece.total_bytes = message.bytes;
  const size_t bytes = std::min(rest, left - wire::kFragmentBytes);
  piece.last = bytes == rest;
  std::byte* const at = wire::put_fragment_front(piece, bytes, room.data() + packed.bytes);
  read(wrapped(message.begin + wire::kPieceBytes + message.sent, bytes_.size()), bytes, at);
  message.sent += static_cast<uint32_t>(bytes);
  packed.bytes += wire::kFragmentBytes + bytes;
  packed.service = service;
  if (piece.last) {
    completed.push_back({message.number, packed.piece_count});
    used_ -= message.bytes;
    first_ = wrapped(first_ + 1, messages_.size());
    --count_;
  }
  ++packed.piece_count;
  return piece.last;
}

void SendQueue::restart_partial() {
  if (count_ == 0) return;
  messages_[first_].sent = 0;
  messages_[first_].fragments = 0;
}

}  // namespace evs::ordering
