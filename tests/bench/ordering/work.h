// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/ordering/work.h - what is measured of the ordering core, and the bare work that it is compared with.
//
// Two hosts on one ring in one thread; the medium is a queue. Each lap of the token host 1 says a window's worth, host 2 hears it. The
// functions that are measured stand alone and are never inlined, so that callgrind can collect by their names (instructions.py), and
// the bare work walks over as much memory as the core does: neither side is measured out of a warmer cache than the other.
#pragma once

#include <unordered_map>

#include "bus/ordering/assembly.h"
#include "bus/ordering/send_queue.h"
#include "tests/unit/ordering/memory_ring.h"

namespace evs::bench {

using namespace ordering;

inline constexpr uint32_t kFrames = 40;           // a visit's
inline constexpr size_t kFrameBytes = 1400;       // with all headers
inline constexpr size_t kSmallBytes = 64;
inline constexpr uint32_t kSlots = 4096;          // Settings::store_frames
inline constexpr size_t kQueueBytes = 4u << 20;   // Settings::queue_bytes

// ---- The core. ----

// The token arrives at a host with a visit's worth of messages: all of what Protocol does about it, its own deliveries included.
void token_visit(Protocol& protocol, Instant now, Bytes token, Output& out);
// Frames arrive in order; each is delivered in the call in which it arrives. Answers the bytes delivered.
size_t receive_frames(MemoryRing& ring, MemoryRing::Member& to, size_t frames);
// From the queue into a frame, and out of it again.
size_t pack_and_unpack(SendQueue& queue, Assembly& assembly, std::span<Frame> frames, Output& out);

class Laps {
 public:
  Laps(size_t message_bytes, uint32_t messages);
  size_t message_bytes() const { return message_.size(); }
  size_t packet_bytes() const { return message_.size() + wire::kDataHeaderBytes + wire::kPieceBytes; }
  // Goes on until host 1 is about to get the token, with its messages submitted; answers that token.
  const MemoryRing::Letter& until_token();
  void token_visited();                // what came out of it is on its way
  size_t frames_waiting() const;       // for host 2, one behind the other
  void frames_received(size_t frames);

  MemoryRing ring;

 private:
  const uint32_t messages_;
  std::vector<std::byte> message_;
};

class Packing {
 public:
  Packing();
  void fill();  // a visit's worth of small messages
  size_t messages() const { return messages_; }
  SendQueue queue{kQueueBytes};
  Assembly assembly{1u << 20};
  std::vector<Frame> frames;
  Output out;

 private:
  size_t messages_ = 0;
  std::vector<std::byte> message_;
};

// ---- Bare work. ----

// The bytes of a visit, frame by frame, from a queue that was just written into slots that were written long ago.
class BareCopy {
 public:
  explicit BareCopy(size_t piece_bytes);
  void fill(uint32_t pieces);                // untimed: as submit() does
  void copy(uint32_t pieces);
  void copy_warm(uint32_t pieces);           // always the same slots

 private:
  const size_t piece_bytes_;
  std::vector<std::byte> from_, to_, message_;
  size_t read_ = 0, write_ = 0, slot_ = 0;
};

// A frame's record by its place, in a hash map; with the packet's bytes copied into the record, or without.
struct Record {
  Seq seq, previous;
  HostId sender = kNoHost;
  Service service = Service::agreed;
  Bytes packet;
};
struct CopiedRecord {
  Record record;
  std::vector<std::byte> packet;
};
class BareMap {
 public:
  explicit BareMap(size_t packet_bytes) : packet_(packet_bytes) {
    records_.reserve(kSlots);
    copied_.reserve(kSlots);
  }
  void insert(uint32_t frames);
  void insert_copied(uint32_t frames);
  void forget();  // untimed: what a token visit does

 private:
  std::vector<std::byte> packet_;
  std::unordered_map<uint64_t, Record> records_;
  std::unordered_map<uint64_t, CopiedRecord> copied_;
  uint64_t next_ = 1, next_copied_ = 1, first_ = 1, first_copied_ = 1;
};

}  // namespace evs::bench
