// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_beginnings.cc - see window_beginnings.h.
#include "bus/runtime/uplink/window_beginnings.h"

#include <algorithm>
#include <tuple>

#include "bus/ordering/host_set.h"
#include "bus/ordering/piece_reader.h"

namespace evs::runtime::uplink::window {

using ordering::Bytes;
using ordering::wire::Piece;
using shm::Status;

Status Beginnings::adopt(uint64_t table, const ordering::Hosts& members) {
  members_ = members;
  of_.assign(members.size(), {});
  before_.reserve(ordering::kMaxHosts);
  for (size_t member = 0; member < members.size(); ++member) {
    const uint64_t at = memory_.geometry().beginning_at(table, member);
    Beginning kept;
    kept.message = memory_.word(at);
    kept.total = static_cast<uint32_t>(memory_.word(at + 8));
    kept.next_index = static_cast<uint32_t>(memory_.word(at + 8) >> 32);
    kept.bytes = static_cast<uint32_t>(memory_.word(at + 16));
    if (kept.bytes == 0) continue;
    if (kept.bytes > kept.total || kept.total > memory_.geometry().shape.message_limit) return memory_.damaged("a message's beginning is longer than the message");
    kept.first = static_cast<uint32_t>(memory_.word(at + 16) >> 32) - 1;
    if (Status s = slots_.adopt(kept.first); !s.ok()) return s;
    if (Status s = slots_.adopt_rest(kept.first, kept.bytes, kept.last); !s.ok()) return s;
    of_[member] = kept;
  }
  return {};
}

void Beginnings::load(std::map<ordering::HostId, ordering::Partial>& out) const {
  std::vector<std::byte> scratch;
  for (size_t member = 0; member < of_.size(); ++member) {
    const Beginning& kept = of_[member];
    if (kept.bytes == 0) continue;
    ordering::Partial& partial = out[members_[member].id];
    partial.message = kept.message;
    partial.total_bytes = kept.total;
    partial.next_index = kept.next_index;
    partial.under_way = true;
    const Bytes bytes = slots_.bytes_of(kept.first, kept.bytes, scratch);
    partial.bytes.assign(bytes.begin(), bytes.end());
  }
}

void Beginnings::begin_ring(const ordering::Hosts& members) {
  last_ring_.emplace(members_, of_);
  for (Beginning& kept : of_) drop(kept);
  members_ = members;
  of_.assign(members.size(), {});
  before_.clear();
}

void Beginnings::note_change(size_t member) {
  for (const auto& each : before_)
    if (each.first == member) return;
  before_.emplace_back(member, of_[member]);
}

void Beginnings::settle() {
  before_.clear();
  last_ring_.reset();
}

void Beginnings::take_back() {
  if (last_ring_) std::tie(members_, of_) = std::move(*last_ring_);
  last_ring_.reset();
  for (const auto& [member, kept] : before_) of_[member] = kept;
  before_.clear();
}

void Beginnings::plan(uint64_t table) {
  for (const auto& each : before_) {
    const Beginning& kept = of_[each.first];
    const uint64_t at = memory_.geometry().beginning_at(table, each.first);
    memory_.plan(at, kept.message);
    memory_.plan(at + 8, kept.total | uint64_t{kept.next_index} << 32);
    memory_.plan(at + 16, kept.bytes == 0 ? 0 : kept.bytes | (uint64_t{kept.first} + 1) << 32);
  }
}

void Beginnings::drop(Beginning& kept) {
  if (kept.bytes != 0) slots_.give_back(kept.first, kept.bytes);
  kept = {};
}

bool Beginnings::follows(const Beginning& kept, const Piece& piece) const {
  const size_t size = kept.bytes + piece.bytes.size();
  return kept.bytes != 0 && kept.message == piece.message && kept.next_index == piece.index && kept.total == piece.total_bytes && size <= kept.total;
}

Status Beginnings::append(Beginning& kept, Bytes bytes) {
  while (!bytes.empty()) {
    const size_t used = kept.bytes % slots_.room();
    if (used == 0) {
      uint32_t slot = kNoSlot;
      if (Status s = slots_.take(slot); !s.ok()) return s;
      if (kept.bytes == 0) kept.first = slot;
      else slots_.link(kept.last, slot);
      kept.last = slot;
    }
    const Bytes part = bytes.first(std::min(bytes.size(), slots_.room() - used));
    memory_.write(slots_.data_at(kept.last) + used, part);
    kept.bytes += static_cast<uint32_t>(part.size());
    bytes = bytes.subspan(part.size());
  }
  return {};
}

// As stored.cc keeps them. What ends, or does not follow, leaves nothing.
Status Beginnings::keep(size_t member, const Piece& piece) {
  Beginning& kept = of_[member];
  const bool begins = ordering::Partial::may_begin(piece, memory_.geometry().shape.message_limit);
  if (!begins && kept.bytes == 0) return {};
  note_change(member);
  if (begins) {
    drop(kept);
    if (piece.last || piece.bytes.size() > piece.total_bytes) return {};
    kept.message = piece.message;
    kept.total = piece.total_bytes;
  } else if (piece.last || !follows(kept, piece)) {
    drop(kept);
    return {};
  }
  ++kept.next_index;
  return append(kept, piece.bytes);
}

Status Beginnings::keep(ordering::HostId sender, uint32_t piece_count, Bytes payload) {
  const ordering::Host* host = ordering::with_id(members_, sender);
  if (host == nullptr) return {};
  const auto member = static_cast<size_t>(host - members_.data());
  Piece piece;
  for (uint32_t i = 0; i < piece_count; ++i) {
    if (const Bytes whole = ordering::wire::whole_at(payload); whole.data() != nullptr) {
      payload = payload.subspan(ordering::wire::kPieceBytes + whole.size());
      continue;
    }
    const size_t bytes = ordering::wire::piece_at(payload, piece);
    if (bytes == 0) return {};
    payload = payload.subspan(bytes);
    if (!piece.fragment) continue;
    if (Status s = keep(member, piece); !s.ok()) return s;
  }
  return {};
}

}  // namespace evs::runtime::uplink::window
