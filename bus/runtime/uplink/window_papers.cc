// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_papers.cc - see window_papers.h.
#include "bus/runtime/uplink/window_papers.h"

#include "bus/ordering/byte_reader.h"
#include "bus/ordering/byte_writer.h"

namespace evs::runtime::uplink::window {

using namespace ordering;

namespace {

constexpr uint32_t kTransitionalTold = 1, kEnding = 2;
constexpr size_t kHostBytes = 12;

template <class T>
void put(std::vector<std::byte>& out, T value) {
  const size_t at = out.size();
  out.resize(at + sizeof value);
  store_little(out.data() + at, value);
}
void put(std::vector<std::byte>& out, const RingId& ring) {
  put(out, ring.sequence);
  put(out, ring.representative);
  put(out, ring.nonce);
}
void put(std::vector<std::byte>& out, const Hosts& hosts) {
  put(out, static_cast<uint32_t>(hosts.size()));
  for (const Host& host : hosts) {
    put(out, host.id);
    put(out, host.nonce);
  }
}

RingId take_ring(ByteReader& in) {
  RingId ring;
  ring.sequence = in.take<uint64_t>();
  ring.representative = in.take<uint32_t>();
  ring.nonce = in.take<uint64_t>();
  return ring;
}
bool take_hosts(ByteReader& in, size_t most, Hosts& hosts) {
  const size_t count = in.take<uint32_t>();
  if (count > most || count * kHostBytes > in.rest().size()) return false;
  hosts.resize(count);
  for (Host& host : hosts) {
    host.id = in.take<uint32_t>();
    host.nonce = in.take<uint64_t>();
  }
  // Who looks for a host looks for it as in a sorted set.
  for (size_t i = 1; i < count; ++i)
    if (!(hosts[i - 1] < hosts[i])) return false;
  return true;
}
bool take_ending(ByteReader& in, Ending& ending) {
  ending.next = take_ring(in);
  const bool sets = take_hosts(in, kMaxHosts, ending.members) && take_hosts(in, kMaxHosts, ending.going_on) &&
                    take_hosts(in, in.rest().size(), ending.obligations);
  ending.delivered_by_one = Seq{in.take<uint64_t>()};
  ending.begins_behind = Seq{in.take<uint64_t>()};
  return sets;
}

}  // namespace

void encode(const StoredState& state, std::vector<std::byte>& out) {
  out.clear();
  put(out, state.ring_sequence);
  put(out, static_cast<uint32_t>(state.lives.size()));
  for (const uint64_t life : state.lives) put(out, life);
  put(out, state.ring);
  put(out, state.members);
  put(out, state.obligations);
  put(out, (state.transitional_told ? kTransitionalTold : 0u) | (state.ending ? kEnding : 0u));
  if (!state.ending) return;
  put(out, state.ending->next);
  put(out, state.ending->members);
  put(out, state.ending->going_on);
  put(out, state.ending->obligations);
  put(out, state.ending->delivered_by_one.value);
  put(out, state.ending->begins_behind.value);
}

bool decode(Bytes bytes, StoredState& state) {
  ByteReader in(bytes);
  state = {};
  state.ring_sequence = in.take<uint64_t>();
  const auto lives = in.take<uint32_t>();
  if (lives > kMaxSuperseded) return false;
  for (uint32_t i = 0; i < lives; ++i) state.lives.push_back(in.take<uint64_t>());
  state.ring = take_ring(in);
  if (!take_hosts(in, kMaxHosts, state.members) || !take_hosts(in, in.rest().size(), state.obligations)) return false;
  const auto flags = in.take<uint32_t>();
  if ((flags & ~(kTransitionalTold | kEnding)) != 0) return false;
  state.transitional_told = (flags & kTransitionalTold) != 0;
  if ((flags & kEnding) != 0 && !take_ending(in, state.ending.emplace())) return false;
  return in.ok() && in.rest().empty();
}

}  // namespace evs::runtime::uplink::window
