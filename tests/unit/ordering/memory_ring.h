// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/memory_ring.h - some hosts on one ring, in one thread, over a medium that is a queue and loses nothing.
//
// For what a good day costs: what is allocated, how many instructions a frame takes. Faults are the simulator's (tests/sim/ring). Once it is
// built it asks for no memory, so that whoever counts what is asked for counts the protocol's.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>

#include "bus/ordering/protocol.h"

namespace evs::ordering {

class MemoryRing {
 public:
  struct Letter {
    HostId to = kNoHost;
    std::vector<std::byte> bytes;
    PacketType type() const { return static_cast<PacketType>(bytes[5]); }  // docs/wire-format.md
  };
  struct Member {
    explicit Member(const Settings& settings) : protocol(settings) {}
    Protocol protocol;
    Output out;
    uint64_t delivered = 0, delivered_bytes = 0, stamped = 0;
  };

  MemoryRing(uint32_t hosts, Settings settings) {
    letters_.resize(kLetters);
    for (Letter& letter : letters_) letter.bytes.reserve(settings.frame_bytes + size_t{1});
    for (HostId id = 1; id <= hosts; ++id) {
      settings.self = {id, 7};
      members_.emplace_back(settings);
      members_.back().protocol.start(now_, members_.back().out);
      carry_out(id);
    }
  }

  std::function<void(const Effect&, Member&)> watch;  // each effect, when it is carried out

  Member& member(HostId id) { return members_[id - 1]; }
  HostId hosts() const { return static_cast<HostId>(members_.size()); }
  Instant now() const { return now_; }

  void until_one_ring() {
    while (!is_one_ring()) step();
  }
  bool is_one_ring() const {
    for (const Member& one : members_)
      if (!one.protocol.is_operational() || one.protocol.members().size() != members_.size()) return false;
    return true;
  }

  // The letter that is next, if one is under way: whoever wants to hand it over by hand says taken() afterwards.
  const Letter* next() const { return first_ == end_ ? nullptr : &letters_[first_ % kLetters]; }
  const Letter* behind(size_t n) const { return first_ + n >= end_ ? nullptr : &letters_[(first_ + n) % kLetters]; }
  void taken() { ++first_; }

  // One letter arrives; without one, the time comes for which somebody waits.
  void step() {
    now_ = now_ + 1000;
    if (const Letter* letter = next()) {
      Member& to = member(letter->to);
      to.protocol.on_packet(now_, letter->bytes, to.out);
      taken();
      return carry_out(letter->to);
    }
    Instant soonest = kNever;
    for (const Member& one : members_) soonest = std::min(soonest, one.protocol.next_deadline());
    now_ = std::max(now_, soonest);
    for (HostId id = 1; id <= hosts(); ++id) {
      if (member(id).protocol.next_deadline() > now_) continue;
      member(id).protocol.on_deadline(now_, member(id).out);
      carry_out(id);
    }
  }

  Submitted submit(HostId id, Service service, Bytes message) {
    uint64_t number = 0;
    const Submitted how = member(id).protocol.submit(now_, service, message, number, member(id).out);
    carry_out(id);
    return how;
  }

  void carry_out(HostId from) {
    Member& one = member(from);
    for (const Effect& effect : one.out.effects) {
      if (watch) watch(effect, one);
      if (effect.kind == Effect::Kind::send_to_all || effect.kind == Effect::Kind::send_to) post(from, effect.to, one.out.packet(effect));
      if (effect.kind == Effect::Kind::stamped) ++one.stamped;
      if (effect.kind != Effect::Kind::deliver) continue;
      ++one.delivered;
      one.delivered_bytes += one.out.deliveries[effect.begin].bytes.size();
    }
    one.out.clear();
  }

 private:
  static constexpr size_t kLetters = 1024;  // more than a few members' windows

  void post(HostId from, HostId to, Bytes packet) {
    for (HostId each = 1; each <= hosts(); ++each) {
      if (each == from || (to != kNoHost && each != to)) continue;
      if (end_ - first_ == kLetters) {
        std::fprintf(stderr, "memory_ring: more letters are under way than there is room for\n");
        std::abort();
      }
      Letter& letter = letters_[end_++ % kLetters];
      letter.to = each;
      letter.bytes.assign(packet.begin(), packet.end());
    }
  }

  Instant now_{1'000'000};
  std::deque<Member> members_;
  std::vector<Letter> letters_;  // a circle
  size_t first_ = 0, end_ = 0;
};

}  // namespace evs::ordering
