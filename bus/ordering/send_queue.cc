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

SendQueue::SendQueue(size_t capacity_bytes, bool keeps)
    : capacity_(capacity_bytes), messages_(capacity_bytes / kLeastMessageBytes + 1),
      bytes_(capacity_bytes + messages_.size() * wire::kPieceBytes), keeps_(keeps) {}

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
  const auto more = [&] { return !empty() && next_role() == role && !(keeps_ && packed.ends_change); };
  do {
    put_wholes(role, room, packed, completed);
  } while (more() && put_fragment(room, packed, completed) && more());
  return packed;
}

// Whole messages of one service, as many as there are and fit: they wait as the pieces that they become, one behind the other, and are
// copied as one.
void SendQueue::put_wholes(Role role, std::span<std::byte> room, Packed& packed, std::vector<Completed>& completed) {
  const Message* const messages = messages_.data();
  const size_t places = messages_.size(), left = room.size() - packed.bytes;
  size_t at = next_place(), run = 0;
  const size_t begin = messages[at].begin;
  uint32_t pieces = packed.piece_count;
  auto most = static_cast<uint32_t>(std::min<size_t>(kMaxPieces - pieces, count_ - packed_));
  if (keeps_ && role == Role::change) most = std::min(most, 1u);
  if (pieces == 0 && most != 0) packed.service = messages[at].service;
  for (; most != 0; --most) {
    const Message& message = messages[at];
    const size_t bytes = wire::kPieceBytes + message.bytes;
    if (message.sent != 0 || message.role != role || message.service != packed.service || bytes > left - run) break;
    run += bytes;
    completed.push_back({message.number, pieces++});
    at = wrapped(at + 1, places);
  }
  const uint32_t put = pieces - packed.piece_count;
  if (put == 0) return;
  read(begin, run, room.data() + packed.bytes);
  advance(put);
  packed.bytes += run;
  packed.ends_change = role == Role::change;
  packed.piece_count = static_cast<uint16_t>(pieces);
}

// The next part of a message that no frame holds whole. False: there is none, or no place for it, or the frame is full with it. Fragments are
// put together in the sender's order, so a large message has that order at least.
bool SendQueue::put_fragment(std::span<std::byte> room, Packed& packed, std::vector<Completed>& completed) {
  Message& message = messages_[next_place()];
  const size_t left = room.size() - packed.bytes, rest = message.bytes - message.sent;
  if (message.sent == 0 && wire::kPieceBytes + message.bytes <= room.size()) return false;
  const Service service = message.service == Service::unordered ? Service::fifo : message.service;
  if (packed.piece_count == kMaxPieces || (packed.piece_count != 0 && service != packed.service)) return false;
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
  packed.ends_change = message.role == Role::change && piece.last;
  if (piece.last) {
    completed.push_back({message.number, packed.piece_count});
    advance(1);
  }
  ++packed.piece_count;
  return piece.last;
}

void SendQueue::advance(size_t messages) {
  if (keeps_) packed_ += messages;
  else forget(messages);
}

void SendQueue::forget(size_t messages) {
  count_ -= messages;
  for (; messages != 0; --messages) {
    used_ -= messages_[first_].bytes;
    first_ = wrapped(first_ + 1, messages_.size());
  }
}

bool SendQueue::restart_partial() {
  const bool begun = packed_ != 0 || (count_ != 0 && messages_[first_].sent != 0);
  for (size_t i = 0; i <= packed_ && i < count_; ++i) {
    Message& message = messages_[wrapped(first_ + i, messages_.size())];
    message.sent = message.fragments = 0;
  }
  packed_ = 0;
  return begun;
}

void SendQueue::settle(size_t messages) {
  messages = std::min(messages, packed_);
  packed_ -= messages;
  forget(messages);
}

}  // namespace evs::ordering
