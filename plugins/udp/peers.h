// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/peers.h - index <-> address, and what a flood of forged addresses may do to it: nothing.
//
// Three kinds of peers. *Configured* ones stand in the peer list and stay. *Marked* ones are those the host vouches for
// (evs.peers/1), because it could authenticate what they sent; they stay until the host lets go. All others are
// *strangers*: an address that something arrived from, which anybody can forge. There are at most kStrangers of them, and
// a new one takes the place of the one not heard for longest. So whoever sends from a million addresses pushes out other
// strangers, and never anybody the host knows.
//
// One danger is left: among the million stands the first frame of a host that just started, and before the host above
// could look at it and mark its sender, the sender is pushed out. Hence a round: what receive() hands out in one call is
// not pushed out before the next call. When all strangers' places are taken in one round, learn() says so, and the rest
// waits for the next.
//
// An index is the place and its generation, so that an index kept for too long leads nowhere instead of to whoever took
// the place. Fixed memory, no allocation after the constructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "plugins/udp/address.h"

namespace evs::udp {

inline constexpr uint32_t kPlaces = 1024;    // hosts of a ring, with much to spare
inline constexpr uint32_t kStrangers = 128;  // more than one receive() of a busy host brings
inline constexpr uint32_t kNoPeer = 0xffffffffu;  // EVS_PEER_ALL: no index is this

class Peers {
 public:
  explicit Peers(uint64_t seed);  // of the hash: nobody outside may know which addresses collide

  // A peer of the configuration; kNoPeer when the table is full.
  uint32_t configure(const Address& address);
  // It is one no more: the address is our own now.
  void release(const Address& address);

  void begin_round() { ++round_; }
  // The index of the sender of something that arrived. kNoPeer: every stranger's place was taken in this round.
  uint32_t learn(const Address& address);

  bool mark(uint32_t index, bool& full);  // false: no such peer, or full
  void forget(uint32_t index);
  const Address* find(uint32_t index) const;  // nullptr: no such peer (any more)

  // Who gets what is sent to all, where that means to each.
  const std::vector<uint32_t>& everybody() const { return everybody_; }
  uint32_t strangers() const { return strangers_; }
  uint32_t kept() const { return kept_; }
  uint64_t pushed_out() const { return pushed_out_; }

 private:
  enum class Kind : uint8_t { free, stranger, marked, configured };
  struct Place {
    Address address;
    Kind kind = Kind::free;
    uint32_t generation = 0;
    uint32_t next = kNoPeer;  // in its chain, or among the free places
    uint64_t heard = 0;       // rises with each frame: the order of strangers
    uint64_t round = 0;
  };

  uint32_t* link_to(const Address& address);  // the chain's word that leads to it, or the chain's end
  uint32_t take(const Address& address, Kind kind);
  bool push_out_a_stranger();
  void free_place(uint32_t* link);
  void keep(uint32_t at, Kind kind);
  Place* place_of(uint32_t index);
  uint32_t index_of(uint32_t place) const;
  void remove_from_everybody(uint32_t index);

  const uint64_t seed_;
  std::vector<Place> places_;
  std::vector<uint32_t> chains_;
  std::vector<uint32_t> everybody_;
  uint32_t free_ = 0, strangers_ = 0, kept_ = 0;
  uint64_t round_ = 1, heard_ = 0, pushed_out_ = 0;
};

}  // namespace evs::udp
