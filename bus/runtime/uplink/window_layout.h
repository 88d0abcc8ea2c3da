// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_layout.h - what lies where in a window file; docs/stored-state.md draws it.
//
//     0          header                    written once, before the file has its name
//     512        words                     what a step changes besides tables
//     4096       journal                   count, then (offset, value) a word
//     papers     two copies                ring, members, obligations, ending: rare, written whole
//     tables     two copies                a beginning a member, a place a frame
//     told       16 words a place          which messages of its frame were delivered
//     processes  two copies                bytes of the caller's
//     slots      slot_count x slot_bytes   frames and beginnings, in chains
//
// Where there are two copies a word tells which one counts. The file is as long as it will ever be, and sparse: what is written was reserved first.
#pragma once

#include <cstdint>
#include <string>

#include "bus/ordering/packets.h"

namespace evs::runtime::uplink::window {

inline constexpr uint64_t kMagic = 0x00316e6977737665;  // "evswin1\0"
inline constexpr uint32_t kVersion = 2;  // 2: a configuration of processes has an epoch

// What the caller's settings make of it: settings.store_frames and the rest, and what it gives as `processes` at most.
struct Shape {
  uint32_t store_frames = 4096;
  uint32_t frame_bytes = 1400;  // a larger frame, of a host with other settings, takes several slots
  uint32_t message_limit = 1u << 20;
  uint32_t processes_limit = 4u << 20;
  friend bool operator==(const Shape&, const Shape&) = default;
};

struct Header {
  uint64_t magic;
  uint32_t version;
  uint32_t header_bytes;
  uint64_t file_bytes;
  uint64_t tag;  // of the build of the order segment that it belongs to
  uint32_t store_frames, frame_bytes, message_limit, processes_limit, slot_bytes, slot_count;
  char boot_id[40];
  uint64_t checksum;  // FNV-1a of what is before it
};
static_assert(sizeof(Header) == 104);

// Words, by their offset.
inline constexpr uint64_t kForgotten = 512;
inline constexpr uint64_t kToldInOrder = 520;
inline constexpr uint64_t kTables = 528;     // which copy
inline constexpr uint64_t kPapers = 536;     // bytes << 1 | which copy
inline constexpr uint64_t kProcesses = 544;  // bytes << 1 | which copy
inline constexpr uint64_t kOutboxPosition = 552;
inline constexpr uint64_t kOutboxPart = 560;
inline constexpr uint64_t kOutboxNumbers = 568;
inline constexpr uint64_t kClaimed = 576;   // where the record of a prepared step is to stand in the order ring; 0: not claimed yet
inline constexpr uint64_t kPrepared = 584;  // 0: no step is. Else one more than its words, which stand in the journal and do not count
inline constexpr uint64_t kWordsEnd = kPrepared + 8;

inline constexpr uint64_t kJournal = 4096;
inline constexpr uint64_t kJournalEntries = kJournal + 16;
inline constexpr uint64_t kWordsBesideFrames = 3 * ordering::kMaxHosts + 64;  // of a step: beginnings, told bits, and the words
inline constexpr uint64_t kPapersBytes = 64u << 10;
inline constexpr uint64_t kBeginningBytes = 32;
inline constexpr uint64_t kPlaceBytes = 16;
inline constexpr uint64_t kToldWords = ordering::kMaxPieces / 64;
inline constexpr uint64_t kSlotHeaderBytes = 8;  // bytes of the frame u32, 1 + the next slot of the chain u32
inline constexpr uint32_t kMostSlots = (1u << 24) - 2;

// A place holds 0 (none), or what it has with the lap of its frame: so that what is forgotten need not be taken out.
inline constexpr uint32_t kSlotBits = 24;  // 1 + the first slot of the frame
inline constexpr uint32_t kToldBits = 16;  // 1 + the highest index that was told; of the bits for indices those up to it count

struct Geometry {
  Shape shape;
  uint32_t places = 0;  // a power of two
  uint32_t slot_bytes = 0, slot_count = 0;
  uint64_t journal_room = 0;
  uint64_t papers_at = 0, tables_at = 0, table_bytes = 0, told_at = 0, processes_at = 0, processes_bytes = 0, slots_at = 0, file_bytes = 0;

  static Geometry of(const Shape& shape);
  uint64_t slot_at(uint32_t slot) const { return slots_at + uint64_t{slot} * slot_bytes; }
  uint32_t slot_room() const { return slot_bytes - static_cast<uint32_t>(kSlotHeaderBytes); }
  uint64_t beginning_at(uint64_t table, size_t member) const { return tables_at + table * table_bytes + member * kBeginningBytes; }
  uint64_t place_at(uint64_t table, uint64_t place) const {
    return tables_at + table * table_bytes + ordering::kMaxHosts * kBeginningBytes + place * kPlaceBytes;
  }
  uint64_t told_word_at(uint64_t place, uint64_t word) const { return told_at + (place * kToldWords + word) * 8; }
  uint64_t lap_of(ordering::Seq seq) const { return seq.value / places; }
  uint64_t place_of(ordering::Seq seq) const { return seq.value & (places - 1); }
  // May a journal name this word? Not those that say what is prepared: they are around a step.
  bool is_changed_by_steps(uint64_t at) const {
    return at % 8 == 0 && ((at >= kForgotten && at < kClaimed) || (at >= tables_at && at < told_at + places * kToldWords * 8));
  }
};

// Empty, or what is wrong with it.
std::string check(const Shape& shape);

Header header_of(const Geometry& geometry, uint64_t tag, const std::string& boot_id);
uint64_t checksum_of(const Header& header);

}  // namespace evs::runtime::uplink::window
