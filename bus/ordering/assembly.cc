// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/assembly.cc - see assembly.h.
#include "bus/ordering/assembly.h"

#include <utility>

#include "bus/ordering/piece_reader.h"

namespace evs::ordering {
namespace {

constexpr size_t kSpareBuffers = 64;  // are kept for messages to come; together they hold no more than the largest message

}  // namespace

// The smallest that is large enough, so that a small message does not keep a large one's.
std::vector<std::byte> Assembly::buffer_of(size_t bytes) {
  auto best = spare_.end();
  for (auto it = spare_.begin(); it != spare_.end(); ++it)
    if (it->capacity() >= bytes && (best == spare_.end() || it->capacity() < best->capacity())) best = it;
  std::vector<std::byte> buffer;
  if (best != spare_.end()) {
    buffer = std::move(*best);
    spare_bytes_ -= buffer.capacity();
    spare_.erase(best);
  }
  buffer.clear();
  buffer.reserve(bytes);
  return buffer;
}

// What has not been of use for longest goes first.
void Assembly::keep(std::vector<std::byte> buffer) {
  if (buffer.capacity() == 0 || buffer.capacity() > message_limit_) return;
  spare_bytes_ += buffer.capacity();
  spare_.push_back(std::move(buffer));
  size_t old = 0;
  for (; spare_bytes_ > message_limit_ || spare_.size() - old > kSpareBuffers; ++old) spare_bytes_ -= spare_[old].capacity();
  spare_.erase(spare_.begin(), spare_.begin() + static_cast<ptrdiff_t>(old));
}

void Assembly::keep_finished() {
  for (auto& buffer : finished_) keep(std::move(buffer));
  finished_.clear();
}

void Assembly::drop(Partial& partial) {
  keep(std::exchange(partial.bytes, {}));
  partial.under_way = false;
}

bool Assembly::add(Partial& partial, const wire::Piece& piece) {
  if (piece.index == 0) {
    if (!Partial::may_begin(piece, message_limit_)) return false;
    drop(partial);
    partial.begin(piece, buffer_of(piece.total_bytes));
  }
  if (!partial.follows(piece)) return false;
  partial.append(piece);
  return true;
}

// What a process of this host had put together when it was killed: the frames are gone.
void Assembly::begin_with(HostId sender, const Partial& partial) {
  if (partial.under_way && partial.total_bytes <= message_limit_ && partial.bytes.size() <= partial.total_bytes) partial_[sender] = partial;
}

void Assembly::deliver(const RingId& ring, const Frame& frame, const Host& sender, bool transitional, Output& out) {
  if (frame.body != Body::pieces) return;  // said for a ring of before: recovery.h
  const auto hand_on = [&](uint32_t index, Bytes message) {
    Delivery& delivery = out.deliver();
    delivery.ring = ring;
    delivery.seq = frame.seq;
    delivery.index = index;
    delivery.transitional = transitional;
    delivery.sender = sender;
    delivery.service = frame.service;
    delivery.bytes = message;
  };
  const std::byte* at = frame.payload().data();
  const std::byte* const end = at + frame.payload().size();
  wire::Piece piece;
  for (uint32_t index = 0; index < frame.piece_count; ++index) {
    if (const Bytes whole = wire::whole_at({at, end}); whole.data() != nullptr) {
      hand_on(index, whole);
      at = whole.data() + whole.size();
      continue;
    }
    const size_t bytes = wire::piece_at({at, end}, piece);
    if (bytes == 0) return;
    at += bytes;
    if (const Bytes message = put_together(sender.id, piece); !message.empty()) hand_on(index, message);
  }
}

// The whole message, with its last piece; before that, and when it came to nothing, nothing.
Bytes Assembly::put_together(HostId sender, const wire::Piece& piece) {
  Partial& partial = partial_[sender];
  if (!add(partial, piece)) {
    drop(partial);
    ++broken_;
    return {};
  }
  if (!piece.last) return {};
  partial.under_way = false;
  return finished_.emplace_back(std::exchange(partial.bytes, {}));  // its bytes stay where they are
}

void Assembly::forget_partial() {
  for (auto& one : partial_) drop(one.second);
  partial_.clear();
}

}  // namespace evs::ordering
