// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/decode.cc - the one reader of docs/wire-format.md.
//
// Each packet goes the same way: the common header; is the type the one that is asked for; are its fixed bytes there; are the counts
// within their bounds, and is the packet exactly as long as they say; only then the lists; and at last the rules of form.h. What comes
// out of a packet that is refused anywhere on this way is an empty one.
#include <algorithm>
#include <array>
#include <bit>

#include "bus/ordering/piece_reader.h"
#include "bus/ordering/wire_header.h"

namespace evs::ordering::wire {
namespace {

PacketType type_of(const Header& header) { return static_cast<PacketType>(header.type); }

constexpr uint16_t flags_of(PacketType type) {
  if (type == PacketType::token) return kTokenRecovering;
  return type == PacketType::join ? kJoinLeaving : 0;
}

Malformed read_header(Bytes packet, Header& header) {
  const Malformed why = wire::read_header(packet, static_cast<uint8_t>(PacketType::data), static_cast<uint8_t>(PacketType::hold_cancel), header);
  if (why != Malformed::none) return why;
  if ((header.flags & ~flags_of(type_of(header))) == 0) return Malformed::none;
  header = {};
  return Malformed::range;
}

void take_hosts(ByteReader& in, size_t count, Hosts& hosts) {
  hosts.resize(count);
  for (Host& host : hosts) {
    host.id = in.take<uint32_t>();
    in.take_zero<uint32_t>();
    host.nonce = in.take<uint64_t>();
  }
}

Malformed read_data(Bytes packet, Data& data) {
  if (packet.size() < kDataHeaderBytes) return Malformed::truncated;
  ByteReader in(packet.subspan(kHeaderBytes));
  data.ring.representative = in.take<uint32_t>();
  data.service = static_cast<Service>(in.take<uint8_t>());
  data.body = static_cast<Body>(in.take<uint8_t>());
  data.piece_count = in.take<uint16_t>();
  data.ring.sequence = in.take<uint64_t>();
  data.ring.nonce = in.take<uint64_t>();
  data.seq.value = in.take<uint64_t>();
  data.previous.value = in.take<uint64_t>();
  data.round = in.take<uint64_t>();
  data.payload = in.rest();
  return check(data);
}

// The packet of a ring before that a recovered frame holds. One level: what it holds is read by walk_pieces() and by nobody else, so
// that no packet decides how deep we go.
Malformed check_recovered(const Data& data) {
  Header header;
  Data inner;
  Malformed why = read_header(data.payload, header);
  if (why == Malformed::none && type_of(header) != PacketType::data) why = Malformed::type;
  if (why == Malformed::none) why = read_data(data.payload, inner);
  if (why == Malformed::none && inner.body != Body::pieces) why = Malformed::range;
  if (why == Malformed::none && inner.ring.sequence >= data.ring.sequence) why = Malformed::range;
  return why == Malformed::none ? walk_pieces(inner.payload, inner.piece_count) : why;
}

Malformed read(Bytes packet, uint16_t, Data& data) {
  const Malformed why = read_data(packet, data);
  if (why != Malformed::none) return why;
  return data.body == Body::pieces ? walk_pieces(data.payload, data.piece_count) : check_recovered(data);
}

Malformed read(Bytes packet, uint16_t flags, Token& token) {
  if (packet.size() < kTokenBytes) return Malformed::truncated;
  ByteReader in(packet.subspan(kHeaderBytes));
  token.recovering = (flags & kTokenRecovering) != 0;
  token.ring.representative = in.take<uint32_t>();
  token.lowered_by = in.take<uint32_t>();
  token.ring.sequence = in.take<uint64_t>();
  token.ring.nonce = in.take<uint64_t>();
  token.visit = in.take<uint64_t>();
  token.high.value = in.take<uint64_t>();
  token.received_by_all.value = in.take<uint64_t>();
  token.spent = in.take<uint32_t>();
  token.backlog = in.take<uint32_t>();
  const size_t wanted = in.take<uint32_t>();
  token.stage = static_cast<Stage>(in.take<uint8_t>());
  in.take_zero<uint8_t>();
  in.take_zero<uint16_t>();
  token.change.value = in.take<uint64_t>();
  token.delivered_by_all.value = in.take<uint64_t>();
  token.stage_by = in.take<uint32_t>();
  token.delayed_by = in.take<uint32_t>();
  token.held_by = in.take<uint32_t>();
  in.take_zero<uint32_t>();
  if (wanted > kMaxWanted) return Malformed::length;
  const Malformed why = compare(packet, token_bytes(wanted));
  if (why != Malformed::none) return why;
  token.wanted.resize(wanted);
  for (SeqRange& range : token.wanted) {
    range.first.value = in.take<uint64_t>();
    range.count = in.take<uint32_t>();
    in.take_zero<uint32_t>();
  }
  return in.ok() ? check(token) : Malformed::range;
}

Malformed read(Bytes packet, uint16_t flags, Join& join) {
  if (packet.size() < kJoinBytes) return Malformed::truncated;
  ByteReader in(packet.subspan(kHeaderBytes));
  join.leaving = (flags & kJoinLeaving) != 0;
  const size_t candidates = in.take<uint16_t>();
  const size_t failed = in.take<uint16_t>();
  const size_t superseded = in.take<uint16_t>();
  in.take_zero<uint16_t>();
  join.ring_sequence = in.take<uint64_t>();
  if (candidates > kMaxHosts || failed > kMaxHosts || superseded > kMaxSuperseded) return Malformed::length;
  const Malformed why = compare(packet, join_bytes(candidates, failed, superseded));
  if (why != Malformed::none) return why;
  take_hosts(in, candidates, join.candidates);
  take_hosts(in, failed, join.failed);
  join.superseded.resize(superseded);
  for (uint64_t& nonce : join.superseded) nonce = in.take<uint64_t>();
  return in.ok() ? check(join) : Malformed::range;
}

using Bits = std::array<uint64_t, kObligedWords>;

// The hosts whose bit is set. Bits behind the last host would be lost between reading and writing: refused.
Malformed take_obligations(ByteReader& in, const Hosts& obliged, Hosts& obligations, Bits& used) {
  obligations.clear();
  for (size_t word = 0; word < words_for(obliged.size()); ++word) {
    auto bits = in.take<uint64_t>();
    used[word] |= bits;
    if (obligations.size() + std::popcount(bits) > kMaxHosts) return Malformed::length;
    for (; bits != 0; bits &= bits - 1) {
      const size_t at = word * kWordBits + std::countr_zero(bits);
      if (at >= obliged.size()) return Malformed::range;
      obligations.push_back(obliged[at]);
    }
  }
  return Malformed::none;
}

Malformed take_entry(ByteReader& in, const Hosts& obliged, CommitEntry& entry, Bits& used) {
  entry.old_ring.representative = in.take<uint32_t>();
  const auto flags = in.take<uint8_t>();
  in.take_zero<uint8_t>();
  in.take_zero<uint16_t>();
  entry.old_ring.sequence = in.take<uint64_t>();
  entry.old_ring.nonce = in.take<uint64_t>();
  entry.received_up_to.value = in.take<uint64_t>();
  entry.high.value = in.take<uint64_t>();
  entry.delivered.value = in.take<uint64_t>();
  if ((flags & ~kEntryFilled) != 0) return Malformed::range;
  entry.filled = flags != 0;
  return take_obligations(in, obliged, entry.obligations, used);
}

// Entries with their bits. A host that no entry names has no place in the list: each commit has one form.
Malformed take_entries(ByteReader& in, const Hosts& obliged, std::vector<CommitEntry>& entries) {
  Bits used{};
  for (CommitEntry& entry : entries) {
    const Malformed why = take_entry(in, obliged, entry, used);
    if (why != Malformed::none) return why;
  }
  size_t named = 0;
  for (const uint64_t word : used) named += std::popcount(word);
  return named == obliged.size() ? Malformed::none : Malformed::range;
}

Malformed read(Bytes packet, uint16_t, Commit& commit) {
  if (packet.size() < kCommitBytes) return Malformed::truncated;
  ByteReader in(packet.subspan(kHeaderBytes));
  commit.ring.representative = in.take<uint32_t>();
  commit.index = in.take<uint32_t>();
  commit.ring.sequence = in.take<uint64_t>();
  commit.ring.nonce = in.take<uint64_t>();
  const size_t members = in.take<uint16_t>();
  const size_t obliged = in.take<uint16_t>();
  in.take_zero<uint32_t>();
  if (members > kMaxHosts || obliged > kMaxObliged) return Malformed::length;
  Malformed why = compare(packet, commit_bytes(members, obliged));
  if (why != Malformed::none) return why;
  take_hosts(in, members, commit.members);
  Hosts table;
  take_hosts(in, obliged, table);
  why = check(table, kMaxObliged);
  if (why != Malformed::none) return why;
  commit.entries.resize(members);
  why = take_entries(in, table, commit.entries);
  if (why != Malformed::none) return why;
  return in.ok() ? check(commit) : Malformed::range;
}

// Probe and HoldCancel: a ring's name.
template <typename RingOnly>
Malformed read(Bytes packet, uint16_t, RingOnly& said) {
  const Malformed why = compare(packet, kRingHeaderBytes);
  if (why != Malformed::none) return why;
  ByteReader in(packet.subspan(kHeaderBytes));
  said.ring.representative = in.take<uint32_t>();
  in.take_zero<uint32_t>();
  said.ring.sequence = in.take<uint64_t>();
  said.ring.nonce = in.take<uint64_t>();
  return in.ok() ? check(said) : Malformed::range;
}

template <typename Packet>
Malformed decode_as(PacketType type, Bytes packet, Packet& result) {
  Header header;
  Malformed why = read_header(packet, header);
  if (why == Malformed::none && type_of(header) != type) why = Malformed::type;
  if (why == Malformed::none) why = read(packet, header.flags, result);
  if (why != Malformed::none) result = Packet{};
  return why;
}

}  // namespace

Malformed decode(Bytes packet, Envelope& envelope) {
  Header header;
  const Malformed why = read_header(packet, header);
  envelope = why == Malformed::none ? Envelope{.type = type_of(header), .sender = header.sender} : Envelope{};
  return why;
}

uint64_t sequence_in(Bytes packet) {
  constexpr size_t kSequenceAt = 32;
  ByteReader in(packet.subspan(std::min(packet.size(), kSequenceAt)));
  return in.take<uint64_t>();
}

Malformed decode(Bytes packet, Data& data) { return decode_as(PacketType::data, packet, data); }
Malformed decode(Bytes packet, Token& token) { return decode_as(PacketType::token, packet, token); }
Malformed decode(Bytes packet, Join& join) { return decode_as(PacketType::join, packet, join); }
Malformed decode(Bytes packet, Commit& commit) { return decode_as(PacketType::commit, packet, commit); }
Malformed decode(Bytes packet, Probe& probe) { return decode_as(PacketType::probe, packet, probe); }
Malformed decode(Bytes packet, HoldCancel& cancel) { return decode_as(PacketType::hold_cancel, packet, cancel); }

}  // namespace evs::ordering::wire
