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

Link::Link(const Settings& settings, sealing::Sealing& sealing, const Medium& medium, Sink& sink, Duration hello_period)
    : medium_(medium), sealing_(sealing), sink_(sink), protocol_(settings), outgoing_(sealing, medium_), room_(kBatch * kRoom), datagrams_(kBatch),
      hearing_(settings.self.id, hello_period), twins_(settings.self, hello_period, !sealing.is_clear()) {
  to_open_.reserve(kBatch);
}

void Link::start(Instant now) {
  hearing_.begin(now);
  twins_.begin(now);
  rings_.begin(now);
  call(now, [&](Protocol& protocol, Output& out) { return protocol.start(now, out), true; });
}

void Link::resume(Instant now, const StoredState& stored) {
  hearing_.begin(now);
  twins_.begin(now);
  rings_.begin(now);
  call(now, [&](Protocol& protocol, Output& out) { return protocol.resume(now, stored, out), true; });
}

void Link::leave(Instant now) {
  hearing_.end();
  call(now, [&](Protocol& protocol, Output& out) { return protocol.leave(now, out), true; });
}

Instant Link::next(Instant now) const {
  const Instant due = std::min(protocol_.next_deadline(), hearing_.next());
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

void Link::act_on_deadlines(Instant now) {
  if (protocol_.next_deadline() <= now) call(now, [&](Protocol& protocol, Output& out) { return protocol.on_deadline(now, out), true; });
}

bool Link::turn(Instant now) {
  act_on_deadlines(now);  // first: who did not run for a while must not act on what waits
  if (outgoing_.is_waiting()) outgoing_.flush(now);
  if (hearing_.next() <= now) say_hello(now);
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
  for (size_t i = 0; i < got; ++i) {
    counts_.received_bytes += datagrams_[i].size;
    to_open_.push_back({{static_cast<std::byte*>(datagrams_[i].data), datagrams_[i].size}});
  }
  sealing_.open(now.ns, to_open_);
  for (size_t i = 0; i < got; ++i) {
    if (to_open_[i].refusal != sealing::Refusal::none) continue;
    drained_ = false;
    open_one(now, to_open_[i], datagrams_[i]);
    if (drained_) return true;  // what is left of these is as old
  }
  return got == kBatch;
}

void Link::open_one(Instant now, const sealing::ToOpen& opened, const evs_datagram& datagram) {
  Peer& peer = learn(now, opened.sender, datagram.peer);
  const bool to_all = (datagram.flags & EVS_DATAGRAM_TO_ALL) != 0;
  const Bytes packet = is_part(opened.packet) ? joiner_.add(opened.sender, opened.packet) : Bytes(opened.packet);
  if (is_hello(packet)) {
    Hello hello;
    if (opened.sender.id == protocol_.settings().self.id) twins_.own(now, opened.sender.nonce, medium_.name_of(datagram.peer), false);
    if (decode(packet, hello)) hearing_.heard(now, opened.sender, hello);
    else ++peer.complaints.not_understood;
    return;
  }
  if (peer.ear != nullptr) peer.ear->heard(now, to_all);
  if (packet.empty()) return;
  speaker_ = datagram.peer;
  speaker_host_ = opened.sender;
  call(now, [&](Protocol& protocol, Output& out) { return protocol.on_packet(now, packet, out), true; });
  speaker_.reset();
  blame(peer);
}

// Of what the protocol counts altogether, whose packets they were.
void Link::blame(Peer& peer) {
  const uint64_t given_up = protocol_.dropped(Drop::join_names_us_failed) + protocol_.rare(Rare::failed_us_in_return);
  const uint64_t not_understood = protocol_.dropped(Drop::malformed);
  if (given_up != given_up_) peer.complaints.gave_us_up += given_up - std::exchange(given_up_, given_up);
  if (not_understood != not_understood_) peer.complaints.not_understood += not_understood - std::exchange(not_understood_, not_understood);
}

void Link::say_hello(Instant now) {
  bool large_too = false;
  Hello hello = hearing_.say(now, large_too);
  std::vector<std::byte> packet;
  encode(hello, 0, packet);
  outgoing_.add(EVS_PEER_ALL, packet);
  for (const HostId host : hearing_.to_tell_alone(now)) {
    const auto peer = peers_.find(host);
    if (peer == peers_.end()) continue;
    hello.to_all = false;
    encode(hello, 0, packet);
    outgoing_.add(peer->second.index, packet);
  }
  if (large_too) {
    hello.to_all = hello.large = true;
    ++hello.large_sent;
    encode(hello, outgoing_.packet_bytes(), packet);
    outgoing_.add(EVS_PEER_ALL, packet);
  }
  outgoing_.flush(now);
}

Result<bool> Link::reload_key() {
  Result<bool> result = sealing_.reload();
  if (!result) notices_.push_back({true, "the key file was not taken, and the keys stay as they were: " + result.failure().text});
  else notices_.push_back({false, std::string("the key file was read again: ") + (*result ? "its keys are others now, or in another order" : "nothing has changed")});
  return result;
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
Link::Peer& Link::learn(Instant now, const Host& sender, uint32_t index) {
  const auto known = peers_.find(sender.id);
  if (known != peers_.end() && known->second.host == sender && known->second.index == index) {
    if (!known->second.vouched) known->second.vouched = medium_.vouch_for(index);
    return known->second;
  }
  if (known != peers_.end() && known->second.host != sender)
    twins_.changed(now, known->second.host, medium_.name_of(known->second.index), sender, medium_.name_of(index));
  if (known != peers_.end() && known->second.index != index) medium_.forget(known->second.index);
  if (known == peers_.end() && peers_.size() >= kMostPeers) make_room_for_a_peer();
  Peer& peer = peers_[sender.id];
  peer.host = sender;
  peer.index = index;
  peer.vouched = medium_.vouch_for(index);
  if (sender.id != protocol_.settings().self.id) peer.ear = &hearing_.of(sender.id);  // else another machine goes by our id
  return peer;
}

// Of hosts that are not in the ring: one is learned again from its next packet.
void Link::make_room_for_a_peer() {
  const Hosts& members = protocol_.members();
  const auto stranger = std::find_if(peers_.begin(), peers_.end(), [&](const auto& peer) { return !contains(members, peer.second.host); });
  const auto victim = stranger == peers_.end() ? peers_.begin() : stranger;
  forget(victim);
}

void Link::forget(std::map<HostId, Peer>::iterator peer) {
  medium_.forget(peer->second.index);
  joiner_.forget(peer->first);
  hearing_.forget(peer->first);
  peers_.erase(peer);
}

// Who took leave is not missed: that nobody is at its address any more is no news, and it is heard no more from here on.
void Link::forget_who_left(const Snapshot& seen) {
  const bool in_order = seen.rings.left && seen.rings.ended_by == Why::join_heard;
  for (const Host& host : std::exchange(looked_at_, seen.members)) {
    const auto peer = peers_.find(host.id);
    if (in_order && peer != peers_.end() && with_id(seen.members, host.id) == nullptr) forget(peer);
  }
}

void Link::send(const Effect& effect) {
  if (effect.kind == Effect::Kind::send_to_all) return outgoing_.add(EVS_PEER_ALL, out_.packet(effect));
  const auto peer = peers_.find(effect.to);
  if (peer == peers_.end()) ++counts_.to_nobody;
  else outgoing_.add(peer->second.index, out_.packet(effect));
}

// True: a ring was formed.
bool Link::note(Instant now, const Effect& effect) {
  // Of another host the ordering layer says it when a gateway has followed a killed one, too.
  if (effect.kind == Effect::Kind::duplicate_host && effect.to == protocol_.settings().self.id && speaker_) {
    twins_.own(now, speaker_host_.nonce, medium_.name_of(*speaker_), true);
  } else if (effect.kind == Effect::Kind::paused) {
    paused_for_ = effect.paused_for;
    ++pauses_;
  }
  return effect.kind == Effect::Kind::configuration && out_.configurations[effect.begin].regular;
}

void Link::carry_out(Instant now) {
  do {
    bool unsent = false, drains = false, configured = false;
    for (const Effect& effect : out_.effects) {
      if (!sink_.goes_on()) return out_.clear();
      if (effect.kind == Effect::Kind::send_to_all || effect.kind == Effect::Kind::send_to) {
        send(effect);
        unsent = true;
        continue;
      }
      // The token first: the others can work while we deliver.
      if (std::exchange(unsent, false)) outgoing_.flush(now);
      if (effect.kind == Effect::Kind::flush_receive) drains = true;
      else sink_.carry_out(out_, effect, protocol_);
      configured |= note(now, effect);
    }
    rings_.note(now, protocol_, configured, speaker_ ? speaker_host_ : Host{});
    if (unsent) outgoing_.flush(now);
    if (drains) drain();
    drained_ |= drains;
    out_.clear();
    protocol_.set_room(sink_.room());
  } while (sink_.follow_up(now, protocol_, out_));
}

Snapshot Link::look(Instant now) {
  Snapshot seen;
  seen.self = protocol_.settings().self;
  seen.ring = protocol_.ring();
  seen.members = protocol_.members();
  seen.rings = rings_.counts();
  seen.ended_at = rings_.ended_at();
  seen.ended_by = rings_.ended_by();
  seen.token_lost = protocol_.settings().token_lost;
  seen.held_by = protocol_.held_by();
  seen.is_held = protocol_.is_held();
  seen.stalled = protocol_.rare(Rare::stalled_left);
  seen.ran_out = protocol_.ran_out_of_sequences();
  seen.duplicate = twins_.id();
  seen.duplicate_one = twins_.one();
  seen.duplicate_other = twins_.other();
  seen.duplicates = twins_.total();
  seen.pauses = pauses_;
  seen.paused_for = paused_for_;
  seen.faults = hearing_.faults(now);
  seen.heard = hearing_.heard_now(now);
  seen.all_is_well = hearing_.all_is_well(now);
  seen.is_lonely = hearing_.is_lonely(now);
  seen.packet_bytes = outgoing_.packet_bytes() + sealing_.overhead();
  seen.sending = outgoing_.counts();
  if (std::exchange(looked_at_ring_, seen.rings.formed) != seen.rings.formed) {
    for (const auto& [host, peer] : peers_) seen.addresses[host] = medium_.name_of(peer.index);
    forget_who_left(seen);
  }
  for (const auto& [host, peer] : peers_)
    if (peer.complaints.any()) seen.complaints.emplace_back(host, peer.complaints);
  seen.failure = failure();
  for (size_t i = 1; i < sealing::kRefusals; ++i)
    if (const auto why = static_cast<sealing::Refusal>(i); why != sealing::Refusal::echo && why != sealing::Refusal::replay) seen.refused += sealing_.counts().of(why);
  seen.notices = std::exchange(notices_, {});
  for (std::string line; sealing_.next_notice(line);) seen.notices.push_back({true, line});
  return seen;
}

}  // namespace evs::runtime::uplink
