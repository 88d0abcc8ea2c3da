// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/senders.cc - the table of hosts.
#include "bus/runtime/sealing/senders.h"

#include <algorithm>
#include <bit>
#include <new>

namespace evs::runtime::sealing {
namespace {

bool contains(std::span<const uint32_t> list, uint32_t serial) { return std::find(list.begin(), list.end(), serial) != list.end(); }

}  // namespace

PacketCipher* Sender::cipher(const KeyName& name) {
  if (slots_[used_].name == name) return &slots_[used_].cipher;
  if (slots_[1 - used_].name != name) return nullptr;
  return &slots_[1 - used_].cipher;
}

bool Sender::keep(const KeyName& name, PacketCipher& proven) {
  Slot& oldest = slots_[1 - used_];
  if (!oldest.cipher.is_made()) oldest.cipher = PacketCipher(PacketCipher::Use::opens);
  if (!oldest.cipher.is_made()) return false;
  std::swap(oldest.cipher, proven);
  oldest.name = name;
  used_ = 1 - used_;
  return true;
}

// No more keys than fit are live at a time, so one that is not live any more makes room.
void Sender::remember_key(uint32_t serial, std::span<const uint32_t> live) {
  if (contains(proven_, serial)) return;
  const auto room = std::find_if(proven_.begin(), proven_.end(), [&](uint32_t each) { return !contains(live, each); });
  if (room != proven_.end()) *room = serial;
}

void Sender::follow(const Life& next) {
  life = next;
  window = {};
  for (Slot& slot : slots_) slot.name = {};
  proven_ = {};
}

bool Sender::keep_only(std::span<const uint32_t> live) {
  for (Slot& slot : slots_) {
    if (slot.name.serial == 0 || contains(live, slot.name.serial)) continue;
    slot.name = {};
    slot.cipher = PacketCipher(PacketCipher::Use::opens);  // the key itself is gone, too
  }
  return std::any_of(proven_.begin(), proven_.end(), [&](uint32_t serial) { return serial != 0 && contains(live, serial); });
}

Senders::Senders(uint32_t most) : most_(std::clamp<uint32_t>(most, 1, kEmpty - 1)) {
  const uint32_t slots = std::bit_ceil(most_ * 2);
  shift_ = 64 - static_cast<unsigned>(std::countr_zero(slots));
  index_.assign(slots, kEmpty);
  taken_.reserve(most_);
}

Sender* Senders::find(HostId host) {
  for (size_t at = start(host); index_[at] != kEmpty; at = (at + 1) & (index_.size() - 1))
    if (taken_[index_[at]]->host == host) return taken_[index_[at]].get();
  return nullptr;
}

void Senders::index_all() {
  std::fill(index_.begin(), index_.end(), kEmpty);
  for (size_t i = 0; i < taken_.size(); ++i) {
    size_t at = start(taken_[i]->host);
    while (index_[at] != kEmpty) at = (at + 1) & (index_.size() - 1);
    index_[at] = static_cast<uint16_t>(i);
  }
}

bool Senders::make_room(uint64_t now_ns) {
  if (taken_.size() < most_) return true;
  const auto silent = std::min_element(taken_.begin(), taken_.end(), [](const auto& a, const auto& b) { return a->heard_ns < b->heard_ns; });
  if (now_ns - std::min(now_ns, (*silent)->heard_ns) < kForgetAfterNs) return false;
  taken_.erase(silent);
  return true;
}

Sender* Senders::admit(uint64_t now_ns, HostId host) try {
  auto made = std::make_unique<Sender>();
  if (!make_room(now_ns)) return nullptr;
  made->host = host;
  taken_.push_back(std::move(made));
  index_all();
  return taken_.back().get();
} catch (const std::bad_alloc&) {
  return nullptr;
}

void Senders::keep_only(std::span<const uint32_t> live_keys) {
  const auto gone = std::remove_if(taken_.begin(), taken_.end(), [&](const auto& sender) { return !sender->keep_only(live_keys); });
  taken_.erase(gone, taken_.end());
  index_all();
}

}  // namespace evs::runtime::sealing
