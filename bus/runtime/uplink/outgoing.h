// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/outgoing.h - packets on their way out: put side by side, sealed together, handed to the medium together.
//
// A visit of the token puts tens of frames here; one call of the medium takes them, so that it can send them as one super-packet.
// What the medium has no room for waits here, in its order, up to a bound; beyond that packets are lost and counted: the ring says again what is missed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bus/runtime/sealing/sealing.h"
#include "bus/runtime/uplink/medium.h"

namespace evs::runtime::uplink {

// What a packet may have so that the medium takes it sealed; 0: its frames are too small for any.
size_t packet_bytes_for(const Medium& medium, const sealing::Sealing& sealing);

class Outgoing {
 public:
  struct Counts {
    uint64_t packets = 0, bytes = 0;
    uint64_t postponed = 0;   // calls in which the medium had no room for all
    uint64_t given_up = 0;    // packets for which it had none for long
    uint64_t given_up_bytes = 0;  // the last of them
    uint64_t overflowed = 0;  // packets for which there was no room here either
    uint64_t cut = 0;         // packets that were sent in parts
    uint64_t too_big = 0;     // for the medium, or for parts
    uint64_t refused = 0;     // the medium failed
  };

  Outgoing(sealing::Sealing& sealing, const Medium& medium) : sealing_(sealing), medium_(medium), most_(packet_bytes_for(medium, sealing)) {}

  void add(uint32_t peer, ordering::Bytes packet);
  // True: the medium has all of it.
  bool flush(ordering::Instant now);
  bool is_waiting() const { return first_ != packets_.size(); }
  const Counts& counts() const { return counts_; }
  size_t packet_bytes() const { return most_; }  // beyond that, in parts
  // ok, or why nothing can be sealed any more: a new life must begin.
  sealing::SealStatus status() const { return status_; }
  bool medium_is_closed() const { return closed_; }

 private:
  struct Packet {
    uint32_t peer;
    size_t begin, size;  // in bytes_: what is to be sealed; then the datagram
  };
  void put(uint32_t peer, ordering::Bytes packet);
  void seal();
  void keep_waiting();

  sealing::Sealing& sealing_;
  const Medium& medium_;
  std::vector<std::byte> bytes_;
  std::vector<Packet> packets_;
  std::vector<sealing::ToSeal> to_seal_;
  std::vector<evs_datagram> datagrams_;
  std::vector<std::byte> scratch_;
  size_t most_ = 0;    // bytes of a packet that the medium takes sealed
  uint32_t next_cut_ = 0;
  bool closed_ = false;
  size_t first_ = 0;   // that the medium has not taken
  size_t sealed_ = 0;  // up to here
  ordering::Instant refused_since_ = ordering::kNever;  // the first that waits
  sealing::SealStatus status_ = sealing::SealStatus::ok;
  Counts counts_;
};

}  // namespace evs::runtime::uplink
