// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/encode.cc - the one writer of docs/wire-format.md.
#include <algorithm>
#include <array>

#include "bus/ordering/wire_header.h"

namespace evs::ordering::wire {
namespace {

void put_header(ByteWriter& to, PacketType type, uint16_t flags, const Host& sender, size_t packet_bytes) {
  wire::put_header(to, static_cast<uint8_t>(type), flags, sender, packet_bytes);
}

void put_hosts(ByteWriter& to, const Hosts& hosts) {
  for (const Host& host : hosts) {
    to.put(host.id);
    to.put_zero<uint32_t>();
    to.put(host.nonce);
  }
}

// All of it is fields: no byte is left as it was.
void put_data_header(ByteWriter& to, const Host& sender, const Data& data, size_t packet_bytes) {
  put_header(to, PacketType::data, 0, sender, packet_bytes);
  const uint32_t own =
      static_cast<uint32_t>(data.service) | static_cast<uint32_t>(data.body) << 8 | static_cast<uint32_t>(data.piece_count) << 16;
  put_ring(to, data.ring, own);
  to.put(data.seq.value);
  to.put(data.previous.value);
  to.put(data.round);
}

bool encode_ring_only(PacketType type, const Host& sender, const RingId& ring, std::vector<std::byte>& out) {
  if (!is_host(sender.id) || !is_ring(ring)) return false;
  ByteWriter to(out, kRingHeaderBytes);
  put_header(to, type, 0, sender, kRingHeaderBytes);
  put_ring(to, ring, 0);
  return true;
}

// Everybody whom somebody is obliged to, once: the entries then say it with a bit each.
Hosts obliged_to(const std::vector<CommitEntry>& entries) {
  Hosts all;
  for (const CommitEntry& entry : entries) all.insert(all.end(), entry.obligations.begin(), entry.obligations.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void put_entry(ByteWriter& to, const CommitEntry& entry, const Hosts& obliged) {
  to.put(entry.old_ring.representative);
  to.put(static_cast<uint8_t>(entry.filled ? kEntryFilled : 0));
  to.put_zero<uint8_t>();
  to.put_zero<uint16_t>();
  to.put(entry.old_ring.sequence);
  to.put(entry.old_ring.nonce);
  to.put(entry.received_up_to.value);
  to.put(entry.high.value);
  to.put(entry.delivered.value);
  std::array<uint64_t, kObligedWords> bits{};
  for (const Host& host : entry.obligations) {
    const size_t at = std::lower_bound(obliged.begin(), obliged.end(), host) - obliged.begin();
    bits[at / kWordBits] |= uint64_t{1} << (at % kWordBits);
  }
  for (size_t word = 0; word < words_for(obliged.size()); ++word) to.put(bits[word]);
}

}  // namespace

bool encode(const Host& sender, const Data& data, std::vector<std::byte>& out) {
  if (!is_host(sender.id) || check(data) != Malformed::none) return false;
  {
    ByteWriter to(out, kDataHeaderBytes);
    put_data_header(to, sender, data, kDataHeaderBytes + data.payload.size());
  }
  out.insert(out.end(), data.payload.begin(), data.payload.end());
  return true;
}

bool encode_around(const Host& sender, const Data& data, std::span<std::byte> packet) {
  if (packet.size() < kDataHeaderBytes || packet.size() > kMaxPacketBytes) return false;
  if (!is_host(sender.id) || check(data) != Malformed::none) return false;
  ByteWriter to(packet.first(kDataHeaderBytes));
  put_data_header(to, sender, data, packet.size());
  return true;
}

bool encode(const Host& sender, const Token& token, std::vector<std::byte>& out) {
  if (!is_host(sender.id) || check(token) != Malformed::none) return false;
  const size_t bytes = token_bytes(token.wanted.size());
  ByteWriter to(out, bytes);
  put_header(to, PacketType::token, token.recovering ? kTokenRecovering : 0, sender, bytes);
  put_ring(to, token.ring, token.lowered_by);
  to.put(token.visit);
  to.put(token.high.value);
  to.put(token.received_by_all.value);
  to.put(token.spent);
  to.put(token.backlog);
  to.put(static_cast<uint32_t>(token.wanted.size()));
  to.put(static_cast<uint32_t>(token.stage));
  to.put(token.change.value);
  to.put(token.delivered_by_all.value);
  to.put(token.stage_by);
  to.put(token.delayed_by);
  to.put(token.held_by);
  to.put_zero<uint32_t>();
  for (const SeqRange& range : token.wanted) {
    to.put(range.first.value);
    to.put(range.count);
    to.put_zero<uint32_t>();
  }
  return true;
}

bool encode(const Host& sender, const Join& join, std::vector<std::byte>& out) {
  if (!is_host(sender.id) || check(join) != Malformed::none) return false;
  const size_t bytes = join_bytes(join.candidates.size(), join.failed.size(), join.superseded.size());
  ByteWriter to(out, bytes);
  put_header(to, PacketType::join, join.leaving ? kJoinLeaving : 0, sender, bytes);
  to.put(static_cast<uint16_t>(join.candidates.size()));
  to.put(static_cast<uint16_t>(join.failed.size()));
  to.put(static_cast<uint16_t>(join.superseded.size()));
  to.put_zero<uint16_t>();
  to.put(join.ring_sequence);
  put_hosts(to, join.candidates);
  put_hosts(to, join.failed);
  for (const uint64_t nonce : join.superseded) to.put(nonce);
  return true;
}

bool encode(const Host& sender, const Commit& commit, std::vector<std::byte>& out) {
  if (!is_host(sender.id) || check(commit) != Malformed::none) return false;
  const Hosts obliged = obliged_to(commit.entries);
  if (obliged.size() > kMaxObliged) return false;
  const size_t bytes = commit_bytes(commit.members.size(), obliged.size());
  ByteWriter to(out, bytes);
  put_header(to, PacketType::commit, 0, sender, bytes);
  put_ring(to, commit.ring, commit.index);
  to.put(static_cast<uint16_t>(commit.members.size()));
  to.put(static_cast<uint16_t>(obliged.size()));
  to.put_zero<uint32_t>();
  put_hosts(to, commit.members);
  put_hosts(to, obliged);
  for (const CommitEntry& entry : commit.entries) put_entry(to, entry, obliged);
  return true;
}

bool encode(const Host& sender, const Probe& probe, std::vector<std::byte>& out) {
  return encode_ring_only(PacketType::probe, sender, probe.ring, out);
}

bool encode(const Host& sender, const HoldCancel& cancel, std::vector<std::byte>& out) {
  return encode_ring_only(PacketType::hold_cancel, sender, cancel.ring, out);
}

void set_round(std::span<std::byte> data_packet, uint64_t round) {
  if (data_packet.size() >= kDataHeaderBytes) store_little(data_packet.data() + kRoundAt, round);
}

}  // namespace evs::ordering::wire
