// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_layout.cc - see window_layout.h.
#include "bus/runtime/uplink/window_layout.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdio>

#include "bus/ordering/wire.h"

namespace evs::runtime::uplink::window {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint32_t kMostStoreFrames = 1u << 20;

uint64_t in_pages(uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

std::string out_of(const char* what, uint64_t value, uint64_t least, uint64_t most) {
  if (value >= least && value <= most) return {};
  return std::string(what) + " is " + std::to_string(value) + ": it must be " + std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

std::string check(const Shape& shape) {
  if (!std::has_single_bit(shape.store_frames)) return "store_frames is " + std::to_string(shape.store_frames) + ": it must be a power of two";
  if (std::string why = out_of("store_frames", shape.store_frames, 1, kMostStoreFrames); !why.empty()) return why;
  if (std::string why = out_of("frame_bytes", shape.frame_bytes, ordering::wire::kDataHeaderBytes, ordering::wire::kMaxPacketBytes); !why.empty())
    return why;
  if (std::string why = out_of("message_limit", shape.message_limit, 1, 1u << 30); !why.empty()) return why;
  return out_of("processes_limit", shape.processes_limit, 1, 1u << 30);
}

// A step may bring frames while those whose places they take a lap later are given up in it: twice as many places as the core's store has. Slots: a frame a
// place, as many again for frames that are larger than ours, and for each member a message whose end is to come.
Geometry Geometry::of(const Shape& shape) {
  Geometry g;
  g.shape = shape;
  g.places = 2 * shape.store_frames;
  g.slot_bytes = static_cast<uint32_t>((shape.frame_bytes + kSlotHeaderBytes + 63) / 64 * 64);
  const uint64_t of_a_beginning = shape.message_limit / g.slot_room() + 1;
  g.slot_count = static_cast<uint32_t>(std::min<uint64_t>(2 * uint64_t{g.places} + ordering::kMaxHosts * of_a_beginning, kMostSlots));
  g.journal_room = g.places + kWordsBesideFrames;
  g.papers_at = in_pages(kJournalEntries + 16 * g.journal_room);
  g.tables_at = g.papers_at + 2 * kPapersBytes;
  g.table_bytes = ordering::kMaxHosts * kBeginningBytes + g.places * kPlaceBytes;
  g.told_at = g.tables_at + 2 * g.table_bytes;
  g.processes_at = in_pages(g.told_at + g.places * kToldWords * 8);
  g.processes_bytes = in_pages(shape.processes_limit);
  g.slots_at = g.processes_at + 2 * g.processes_bytes;
  g.file_bytes = g.slots_at + uint64_t{g.slot_count} * g.slot_bytes;
  return g;
}

Header header_of(const Geometry& geometry, uint64_t tag, const std::string& boot_id) {
  Header header{};
  header.magic = kMagic;
  header.version = kVersion;
  header.header_bytes = sizeof(Header);
  header.file_bytes = geometry.file_bytes;
  header.tag = tag;
  header.store_frames = geometry.shape.store_frames;
  header.frame_bytes = geometry.shape.frame_bytes;
  header.message_limit = geometry.shape.message_limit;
  header.processes_limit = geometry.shape.processes_limit;
  header.slot_bytes = geometry.slot_bytes;
  header.slot_count = geometry.slot_count;
  std::snprintf(header.boot_id, sizeof header.boot_id, "%s", boot_id.c_str());
  header.checksum = checksum_of(header);
  return header;
}

uint64_t checksum_of(const Header& header) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  uint64_t sum = 0xcbf29ce484222325ull;
  for (size_t i = 0; i < offsetof(Header, checksum); ++i) sum = (sum ^ bytes[i]) * 0x100000001b3ull;
  return sum;
}

}  // namespace evs::runtime::uplink::window
