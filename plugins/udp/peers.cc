// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/peers.cc - the table: places, chains of a hash, and who is pushed out.
#include "plugins/udp/peers.h"

#include <algorithm>

namespace evs::udp {

namespace {

constexpr uint32_t kPlaceBits = 10;
constexpr uint32_t kPlaceMask = (1u << kPlaceBits) - 1;
constexpr uint32_t kGenerationMask = (1u << (32 - kPlaceBits)) - 2;  // the highest generation is left out: kNoPeer is no index
static_assert(kPlaces == 1u << kPlaceBits);

}  // namespace

Peers::Peers(uint64_t seed) : seed_(seed), places_(kPlaces), chains_(2 * kPlaces, kNoPeer) {
  for (uint32_t i = 0; i < kPlaces; ++i) places_[i].next = i + 1 == kPlaces ? kNoPeer : i + 1;
  everybody_.reserve(kPlaces);
}

uint32_t* Peers::link_to(const Address& address) {
  uint32_t* link = &chains_[address.hash(seed_) % chains_.size()];
  while (*link != kNoPeer && !(places_[*link].address == address)) link = &places_[*link].next;
  return link;
}

uint32_t Peers::index_of(uint32_t place) const {
  return (places_[place].generation % kGenerationMask) << kPlaceBits | place;
}

Peers::Place* Peers::place_of(uint32_t index) {
  const uint32_t place = index & kPlaceMask;
  return places_[place].kind != Kind::free && index_of(place) == index ? &places_[place] : nullptr;
}

const Address* Peers::find(uint32_t index) const {
  const Place* place = const_cast<Peers*>(this)->place_of(index);
  return place == nullptr ? nullptr : &place->address;
}

// There must be a free place, and the address must be in none.
uint32_t Peers::take(const Address& address, Kind kind) {
  const uint32_t at = free_;
  Place& place = places_[at];
  free_ = place.next;
  place.address = address;
  place.kind = kind;
  place.next = kNoPeer;
  *link_to(address) = at;
  ++(kind == Kind::stranger ? strangers_ : kept_);
  if (kind != Kind::stranger) everybody_.push_back(index_of(at));
  return at;
}

uint32_t Peers::configure(const Address& address) {
  const uint32_t known = *link_to(address);
  if (known != kNoPeer && places_[known].kind != Kind::stranger) {
    places_[known].kind = Kind::configured;
    return index_of(known);
  }
  if (kept_ == kPlaces - kStrangers) return kNoPeer;
  if (known == kNoPeer) return index_of(take(address, Kind::configured));
  keep(known, Kind::configured);
  return index_of(known);
}

void Peers::release(const Address& address) {
  uint32_t* link = link_to(address);
  if (*link == kNoPeer || places_[*link].kind != Kind::configured) return;
  remove_from_everybody(index_of(*link));
  free_place(link);
  --kept_;
}

// A stranger no more.
void Peers::keep(uint32_t at, Kind kind) {
  places_[at].kind = kind;
  --strangers_;
  ++kept_;
  everybody_.push_back(index_of(at));
}

uint32_t Peers::learn(const Address& address) {
  uint32_t at = *link_to(address);
  if (at == kNoPeer) {
    if (strangers_ == kStrangers && !push_out_a_stranger()) return kNoPeer;
    at = take(address, Kind::stranger);
  }
  places_[at].heard = ++heard_;
  places_[at].round = round_;
  return index_of(at);
}

// A look at all places, for each new address once all strangers' places are taken: a microsecond, which bounds what a flood costs.
bool Peers::push_out_a_stranger() {
  Place* oldest = nullptr;
  for (Place& place : places_)
    if (place.kind == Kind::stranger && (oldest == nullptr || place.heard < oldest->heard)) oldest = &place;
  if (oldest->round == round_) return false;
  free_place(link_to(oldest->address));
  --strangers_;
  ++pushed_out_;
  return true;
}

void Peers::free_place(uint32_t* link) {
  const uint32_t at = *link;
  Place& place = places_[at];
  *link = place.next;
  place.kind = Kind::free;
  ++place.generation;
  place.next = free_;
  free_ = at;
}

bool Peers::mark(uint32_t index, bool& full) {
  full = false;
  Place* place = place_of(index);
  if (place == nullptr) return false;
  if (place->kind != Kind::stranger) return true;
  if (kept_ == kPlaces - kStrangers) {
    full = true;
    return false;
  }
  keep(index & kPlaceMask, Kind::marked);
  return true;
}

void Peers::forget(uint32_t index) {
  Place* place = place_of(index);
  if (place == nullptr || place->kind != Kind::marked) return;
  // A stranger again, if there is room for one more; else another stranger makes room, or it goes itself.
  if (strangers_ == kStrangers && !push_out_a_stranger()) place->heard = 0;
  place->kind = Kind::stranger;
  ++strangers_;
  --kept_;
  remove_from_everybody(index);
  if (strangers_ > kStrangers) {
    place->round = 0;
    push_out_a_stranger();
  }
}

void Peers::remove_from_everybody(uint32_t index) {
  everybody_.erase(std::remove(everybody_.begin(), everybody_.end(), index), everybody_.end());
}

}  // namespace evs::udp
