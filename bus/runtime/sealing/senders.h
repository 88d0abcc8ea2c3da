// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/senders.h - what is remembered of the hosts whose packets were opened.
//
// A host gets its place with the first packet of it that was proven to be its own, never before: what anybody can send changes nothing in here, and so
// cannot push out who is alive. One place a host, whatever lives it has had: the newest is what counts.
//
// The table has kMostSenders places. When they are all taken a newcomer gets that of the host that has been silent longest, if it has been so for
// kForgetAfterNs; otherwise it is refused. Only who has the key, or recordings of that many hosts, can fill it.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "bus/runtime/sealing/aead.h"
#include "bus/runtime/sealing/window.h"

namespace evs::runtime::sealing {

inline constexpr uint32_t kMostSenders = 1024;  // three rings of 256 hosts that meet, and those that went (ordering/wire.h, kMaxObliged)
inline constexpr uint64_t kForgetAfterNs = 600'000'000'000;

// Which packet key: that of a group key (by the serial number of its load) and of a stretch of the counter.
struct KeyName {
  uint32_t serial = 0;  // 0: none
  uint64_t stretch = 0;
  friend bool operator==(const KeyName&, const KeyName&) = default;
};

struct Sender {
  HostId host = ordering::kNoHost;
  Life life;
  uint64_t heard_ns = 0;
  ReplayWindow window;

  // Ready for `name`; null when the key must be derived first.
  PacketCipher* cipher(const KeyName& name);
  // `proven` opened a packet of this sender under `name`: it is kept in the place of the older of two, whose context it gets in exchange. Two: around the end of a
  // stretch, and while keys are replaced, packets of both are on their way. False: no memory for the second, and nothing has changed.
  bool keep(const KeyName& name, PacketCipher& proven);
  void remember_key(uint32_t serial, std::span<const uint32_t> live);
  void follow(const Life& next);  // an older life is over; its keys are of no use any more
  // Forgets ciphers of other keys than these. False: none of them has ever opened a packet of this sender.
  bool keep_only(std::span<const uint32_t> live);

 private:
  struct Slot {
    KeyName name;
    PacketCipher cipher{PacketCipher::Use::opens};
  };
  std::array<Slot, 2> slots_;
  uint32_t used_ = 0;                          // the slot that was filled last
  std::array<uint32_t, kMostKeys> proven_{};   // serials of the group keys that this life was heard under
};

class Senders {
 public:
  explicit Senders(uint32_t most = kMostSenders);

  Sender* find(HostId host);
  // A place for a host that has none; null: the table is full, or there is no memory.
  Sender* admit(uint64_t now_ns, HostId host);
  void keep_only(std::span<const uint32_t> live_keys);
  size_t size() const { return taken_.size(); }
  size_t most() const { return most_; }

 private:
  static constexpr uint16_t kEmpty = UINT16_MAX;
  size_t start(HostId host) const { return static_cast<size_t>(host * 0x9e3779b97f4a7c15ull >> shift_); }
  void index_all();
  bool make_room(uint64_t now_ns);

  const uint32_t most_;
  unsigned shift_;
  std::vector<std::unique_ptr<Sender>> taken_;
  std::vector<uint16_t> index_;  // by host, linear probing, at most half full
};

}  // namespace evs::runtime::sealing
