// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/link.cc - see link.h.
#include "bus/runtime/uplink/link.h"

#include <algorithm>

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr size_t kBatch = 64;          // datagrams a call of the medium
constexpr size_t kBatchesATurn = 8;    // then timers have their turn
constexpr size_t kRoom = 65536;        // of a datagram
constexpr size_t kMostDrained = 1024;  // batches: beyond, somebody sends as fast as we read
constexpr size_t kMostPeers = 2 * kMaxHosts;
constexpr Duration kAskAgain = 100'000;  // a medium rings no bell when it has room

}  // namespace

Link::Link(const Settings& settings, sealing::Sealing& sealing, const Medium& medium, Sink& sink)
    : medium_(medium), sealing_(sealing), sink_(sink), protocol_(settings), outgoing_(sealing, medium_), room_(kBatch * kRoom), datagrams_(kBatch) {
  to_open_.reserve(kBatch);
}

void Link::start(Instant now) {
  call(now, [&](Protocol& protocol, Output& out) { return protocol.start(now, out), true; });
}

void Link::resume(Instant now, const StoredState& stored) {
  call(now, [&](Protocol& protocol, Output& out) { return protocol.resume(now, stored, out), true; });
}

void Link::leave(Instant now) {
  call(now, [&](Protocol& protocol, Output& out) { return protocol.leave(now, out), true; });
}

Instant Link::next(Instant now) const {
  const Instant due = protocol_.next_deadline();
  return outgoing_.is_waiting() ? std::min(due, now + kAskAgain) : due;
}

std::string Link::failure() const {
  if (closed_ || outgoing_.medium_is_closed()) return "the medium is closed: its interface, or what it stands on, is gone for good";
  switch (outgoing_.status()) {
    case sealing::SealStatus::ok: return {};
    case sealing::SealStatus::forked: return "this is a child of the process that joined the ring: it cannot speak for it";
    case sealing::SealStatus::exhausted: return "the packet counter of this life has come to its end: another life must begin";
    case sealing::SealStatus::too_big: return {};
    case sealing::SealStatus::failed: return "packets cannot be sealed: OpenSSL refused";
  }
  return {};
}

bool Link::turn(Instant now) {
  // First what is due: who did not run for a while must not act on what waits.
  if (protocol_.next_deadline() <= now) call(now, [&](Protocol& protocol, Output& out) { return protocol.on_deadline(now, out), true; });
  if (outgoing_.is_waiting()) outgoing_.flush();
  bool more = true;
  for (size_t i = 0; more && i < kBatchesATurn; ++i) more = receive(now);
  if (protocol_.is_held()) call(now, [&](Protocol& protocol, Output& out) { return protocol.on_room(now, sink_.room(), out), true; });
  return more;
}

// True: there may be more.
bool Link::receive(Instant now) {
  for (size_t i = 0; i < kBatch; ++i) datagrams_[i] = {0, 0, room_.data() + i * kRoom, kRoom};
  size_t got = 0;
  const int32_t status = medium_.receive(datagrams_.data(), kBatch, &got);
  closed_ |= status == EVS_P_CLOSED;
  if (status != EVS_P_OK || got == 0) return false;
  counts_.received += got;
  to_open_.clear();
  for (size_t i = 0; i < got; ++i) to_open_.push_back({{static_cast<std::byte*>(datagrams_[i].data), datagrams_[i].size}});
  sealing_.open(now.ns, to_open_);
  for (size_t i = 0; i < got; ++i) {
    const sealing::ToOpen& opened = to_open_[i];
    if (opened.refusal != sealing::Refusal::none) continue;
    learn(opened.sender, datagrams_[i].peer);
    const Bytes packet = is_part(opened.packet) ? joiner_.add(opened.sender, opened.packet) : Bytes(opened.packet);
    if (packet.empty()) continue;
    drained_ = false;
    call(now, [&](Protocol& protocol, Output& out) { return protocol.on_packet(now, packet, out), true; });
    if (drained_) return true;  // what is left of these is as old
  }
  return got == kBatch;
}

// What came while we did not run says of the others what is no longer so.
void Link::drain() {
  for (size_t batch = 0; batch < kMostDrained; ++batch) {
    size_t got = 0;
    for (size_t i = 0; i < kBatch; ++i) datagrams_[i] = {0, 0, room_.data() + i * kRoom, kRoom};
    if (medium_.receive(datagrams_.data(), kBatch, &got) != EVS_P_OK || got == 0) return;
    counts_.flushed += got;
  }
  ++counts_.not_flushed;
}

// A token goes to one host, by the address that its packets come from. An address that is no longer a host's is let go.
void Link::learn(const Host& sender, uint32_t index) {
  const auto known = peers_.find(sender.id);
  if (known != peers_.end() && known->second.host == sender && known->second.index == index) {
    if (!known->second.vouched) known->second.vouched = medium_.vouch_for(index);
    return;
  }
  if (known != peers_.end() && known->second.index != index) medium_.forget(known->second.index);
  if (known == peers_.end() && peers_.size() >= kMostPeers) make_room_for_a_peer();
  peers_[sender.id] = {sender, index, medium_.vouch_for(index)};
}

// Of hosts that are not in the ring: one is learned again from its next packet.
void Link::make_room_for_a_peer() {
  const Hosts& members = protocol_.members();
  const auto stranger = std::find_if(peers_.begin(), peers_.end(), [&](const auto& peer) { return !contains(members, peer.second.host); });
  const auto victim = stranger == peers_.end() ? peers_.begin() : stranger;
  medium_.forget(victim->second.index);
  joiner_.forget(victim->first);
  peers_.erase(victim);
}

void Link::send(const Effect& effect) {
  if (effect.kind == Effect::Kind::send_to_all) return outgoing_.add(EVS_PEER_ALL, out_.packet(effect));
  const auto peer = peers_.find(effect.to);
  if (peer == peers_.end()) ++counts_.to_nobody;
  else outgoing_.add(peer->second.index, out_.packet(effect));
}

void Link::carry_out(Instant now) {
  do {
    bool unsent = false, drains = false;
    for (const Effect& effect : out_.effects) {
      if (effect.kind == Effect::Kind::send_to_all || effect.kind == Effect::Kind::send_to) {
        send(effect);
        unsent = true;
        continue;
      }
      // The token first: the others can work while we deliver.
      if (std::exchange(unsent, false)) outgoing_.flush();
      if (effect.kind == Effect::Kind::flush_receive) drains = true;
      else sink_.carry_out(out_, effect, protocol_);
    }
    if (unsent) outgoing_.flush();
    if (drains) drain();
    drained_ |= drains;
    out_.clear();
    protocol_.set_room(sink_.room());
  } while (sink_.follow_up(now, protocol_, out_));
}

}  // namespace evs::runtime::uplink
