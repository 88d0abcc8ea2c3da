// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/send_queue.cc - see send_queue.h.
#include "bus/ordering/send_queue.h"

#include <algorithm>
#include <cstring>

namespace evs::ordering {
namespace {

constexpr size_t kLeastMessageBytes = 32;  // how many messages a queue is made for: its bytes by this
constexpr size_t kLeastFragment = 64;      // less is not worth a fragment's header

}  // namespace

SendQueue::SendQueue(size_t capacity_bytes) : bytes_(capacity_bytes), messages_(capacity_bytes / kLeastMessageBytes + 1) {}

void SendQueue::push(uint64_t number, Service service, Bytes message, Role role) {
  messages_[(first_ + count_) % messages_.size()] = Message{number, write_, static_cast<uint32_t>(message.size()), 0, 0, service, role};
  ++count_;
  const size_t straight = std::min(message.size(), bytes_.size() - write_);
  if (straight != 0) std::memcpy(bytes_.data() + write_, message.data(), straight);
  if (straight != message.size()) std::memcpy(bytes_.data(), message.data() + straight, message.size() - straight);
  write_ = (write_ + message.size()) % bytes_.size();
  used_ += message.size();
}

Bytes SendQueue::take(Message& message, size_t n) {
  const size_t at = (message.begin + message.sent) % bytes_.size();
  message.sent += static_cast<uint32_t>(n);
  if (at + n <= bytes_.size()) return Bytes(bytes_).subspan(at, n);
  straight_.resize(n);
  const size_t straight = bytes_.size() - at;
  std::memcpy(straight_.data(), bytes_.data() + at, straight);
  std::memcpy(straight_.data() + straight, bytes_.data(), n - straight);
  return straight_;
}

void SendQueue::pop() {
  used_ -= head().bytes;
  first_ = (first_ + 1) % messages_.size();
  --count_;
}

SendQueue::Packed SendQueue::pack(size_t room, std::vector<std::byte>& payload, std::vector<Completed>& completed) {
  Packed packed;
  const size_t end = payload.size() + room;
  const Role role = next_role();
  while (count_ != 0 && packed.piece_count < UINT16_MAX) {
    Message& message = head();
    const bool whole = message.sent == 0 && wire::kPieceBytes + message.bytes <= room;
    // Fragments are put together in the sender's order, so a large message has that order at least.
    const Service service = !whole && message.service == Service::unordered ? Service::fifo : message.service;
    if (message.role != role || (packed.piece_count != 0 && service != packed.service)) break;
    const size_t left = end - payload.size();
    wire::Piece piece;
    if (whole) {
      if (wire::kPieceBytes + message.bytes > left) break;
      piece.bytes = take(message, message.bytes);
    } else {
      const size_t rest = message.bytes - message.sent;
      if (left < wire::kFragmentBytes + std::min(rest, kLeastFragment)) break;
      piece.fragment = true;
      piece.message = message.number;
      piece.index = message.fragments++;
      piece.total_bytes = message.bytes;
      piece.bytes = take(message, std::min(rest, left - wire::kFragmentBytes));
      piece.last = message.sent == message.bytes;
    }
    wire::append_piece(piece, payload);
    packed.service = service;
    if (piece.last) {
      completed.push_back({message.number, packed.piece_count});
      pop();
    }
    ++packed.piece_count;
    if (!piece.last) break;  // the frame is full
  }
  return packed;
}

void SendQueue::restart_partial() {
  if (count_ == 0) return;
  head().sent = 0;
  head().fragments = 0;
}

}  // namespace evs::ordering
