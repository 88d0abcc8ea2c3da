// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/ordering/work.cc - see work.h.
#include "tests/bench/ordering/work.h"

#include <cstring>

namespace evs::bench {
namespace {

constexpr uint32_t kMapWindow = 256;  // records that stay, about as many frames as are held

Settings settings() {
  Settings settings;
  settings.frame_bytes = 1472;  // 72 bytes are left for recovery: the largest frame has kFrameBytes
  settings.store_frames = kSlots;
  settings.queue_bytes = kQueueBytes;
  return settings;
}

// Neither the compiler nor the processor may find that a copy is not needed.
inline void keep(const void* at) { asm volatile("" : : "r"(at) : "memory"); }

}  // namespace

[[gnu::noinline]] void token_visit(Protocol& protocol, Instant now, Bytes token, Output& out) { protocol.on_packet(now, token, out); }

[[gnu::noinline]] size_t receive_frames(MemoryRing& ring, MemoryRing::Member& to, size_t frames) {
  size_t bytes = 0;
  for (size_t i = 0; i < frames; ++i) {
    to.protocol.on_packet(ring.now(), ring.behind(i)->bytes, to.out);
    for (const Effect& effect : to.out.effects)
      if (effect.kind == Effect::Kind::deliver) bytes += to.out.deliveries[effect.begin].bytes.size();
    to.out.clear();
  }
  return bytes;
}

[[gnu::noinline]] size_t pack_and_unpack(SendQueue& queue, Assembly& assembly, std::span<Frame> frames, Output& out) {
  static std::vector<SendQueue::Completed> completed;
  size_t bytes = 0;
  for (Frame& frame : frames) {
    if (queue.empty()) break;
    completed.clear();
    std::byte* at = frame.packet.begin(kFrameBytes);
    const auto packed = queue.pack({at + wire::kDataHeaderBytes, kFrameBytes - wire::kDataHeaderBytes}, completed);
    frame.packet.end(wire::kDataHeaderBytes + packed.bytes);
    frame.piece_count = packed.piece_count;
    Data data;
    data.ring = {1, 1, 1};
    data.seq = {1};
    data.piece_count = packed.piece_count;
    wire::encode_around({1, 1}, data, frame.packet.whole());
    assembly.deliver({1, 1, 1}, frame, {1, 1}, false, out);
    for (const Delivery& delivery : out.deliveries) bytes += delivery.bytes.size();
    out.clear();
  }
  return bytes;
}

Laps::Laps(size_t message_bytes, uint32_t messages) : ring(2, settings()), messages_(messages), message_(message_bytes, std::byte{0x5a}) {
  ring.until_one_ring();
  for (uint32_t stamped = 0; stamped < 2 * kSlots; stamped += messages_) {  // until every slot has been used
    until_token();
    ring.step();
  }
}

const MemoryRing::Letter& Laps::until_token() {
  for (;;) {
    const MemoryRing::Letter* letter = ring.next();
    if (letter != nullptr && letter->to == 1 && letter->type() == PacketType::token) break;
    ring.step();
  }
  for (uint32_t i = 0; i < messages_; ++i) {
    message_[0] = static_cast<std::byte>(i);
    if (ring.submit(1, Service::agreed, message_) != Submitted::ok) std::abort();
  }
  return *ring.next();
}

void Laps::token_visited() {
  ring.taken();
  ring.carry_out(1);
}

size_t Laps::frames_waiting() const {
  size_t n = 0;
  for (const auto* letter = ring.next(); letter != nullptr && letter->to == 2 && letter->type() == PacketType::data; letter = ring.behind(n)) ++n;
  return n;
}

void Laps::frames_received(size_t frames) {
  for (size_t i = 0; i < frames; ++i) ring.taken();
}

Packing::Packing() : frames(kFrames), message_(kSmallBytes, std::byte{0x5a}) {}

void Packing::fill() {
  constexpr size_t kAFrame = (kFrameBytes - wire::kDataHeaderBytes) / (kSmallBytes + wire::kPieceBytes);
  for (messages_ = 0; messages_ < kAFrame * kFrames; ++messages_) queue.push(messages_, Service::agreed, message_);
}

BareCopy::BareCopy(size_t piece_bytes)
    : piece_bytes_(piece_bytes), from_(kQueueBytes), to_(kSlots * kFrameBytes), message_(piece_bytes, std::byte{0x5a}) {}

void BareCopy::fill(uint32_t pieces) {
  for (uint32_t i = 0; i < pieces; ++i) {
    if (write_ + piece_bytes_ > from_.size()) write_ = 0;
    std::memcpy(from_.data() + write_, message_.data(), piece_bytes_);
    write_ += piece_bytes_;
  }
}

[[gnu::noinline]] void BareCopy::copy(uint32_t pieces) {
  for (uint32_t i = 0; i < pieces; ++i) {
    if (read_ + piece_bytes_ > from_.size()) read_ = 0;
    if (slot_ + piece_bytes_ > to_.size()) slot_ = 0;
    std::memcpy(to_.data() + slot_, from_.data() + read_, piece_bytes_);
    keep(to_.data() + slot_);
    read_ += piece_bytes_;
    slot_ += piece_bytes_;
  }
}

[[gnu::noinline]] void BareCopy::copy_warm(uint32_t pieces) {
  std::byte* to = to_.data();
  const std::byte* from = from_.data();
  for (uint32_t i = 0; i < pieces; ++i, to += piece_bytes_, from += piece_bytes_) {
    std::memcpy(to, from, piece_bytes_);
    keep(to);
  }
}

[[gnu::noinline]] void BareMap::insert(uint32_t frames) {
  for (uint32_t i = 0; i < frames; ++i, ++next_)
    records_.emplace(next_, Record{{next_}, {next_ - 1}, 1, Service::agreed, packet_});
}

[[gnu::noinline]] void BareMap::insert_copied(uint32_t frames) {
  for (uint32_t i = 0; i < frames; ++i, ++next_copied_) {
    auto& record = copied_.emplace(next_copied_, CopiedRecord{{{next_copied_}, {next_copied_ - 1}, 1, Service::agreed, {}}, packet_}).first->second;
    record.record.packet = record.packet;
  }
}

void BareMap::forget() {
  for (; next_ - first_ > kMapWindow; ++first_) records_.erase(first_);
  for (; next_copied_ - first_copied_ > kMapWindow; ++first_copied_) copied_.erase(first_copied_);
}

}  // namespace evs::bench
