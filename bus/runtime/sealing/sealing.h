// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/sealing.h - what stands between the ordering layer and any datagram medium: packets go out sealed, and only sealed ones come in.
//
//     ordering layer -- packet --> seal() -- datagram --> transport          open() is the same way back
//
// Like an envelope: the ordering layer does not know of it, the medium sees nothing else. AES-256-GCM over the packet, its header in plain sight and under the same
// tag. Each life of each host has keys of its own, out of the group's key, so the nonce can be a plain counter; see docs/security.md, "Between hosts", for who
// is kept out and who is not, and docs/wire-format.md for the bytes.
//
// What an outsider sends costs a bounded amount of work a packet (a look at 40 bytes, one derivation, one pass over the packet), no memory, and no answer.
// In the steady state nothing is allocated. No clock and no randomness in here: both are arguments. With Settings::keys empty packets go in the clear, in the same
// header, and nothing is remembered.
//
// One thread at a time. A child of fork() cannot seal; open() is harmless there.
#pragma once

#include <memory>
#include <optional>

#include "bus/runtime/sealing/aead.h"
#include "bus/runtime/sealing/fork_mark.h"
#include "bus/runtime/sealing/notices.h"
#include "bus/runtime/sealing/senders.h"

namespace evs::runtime::sealing {

struct Settings {
  HostId host = ordering::kNoHost;
  Life life;     // never one that this host had before
  Keyring keys;  // empty: in the clear
  std::string key_file = "/etc/evs/key";  // for the messages
  std::string bus;                        // its name: buses that share a key and a port keep apart
  uint32_t most_senders = kMostSenders;
  uint64_t first_counter = 1;             // for tests of what happens to a sender that has said much
};

struct ToSeal {
  Bytes packet;
  std::span<std::byte> room;  // apart from the packet; or the packet stands in it, kHeaderBytes from its beginning
  size_t size = 0;            // out: of the datagram at the beginning of `room`; 0: none
};

struct ToOpen {
  std::span<std::byte> datagram;
  std::span<std::byte> packet{};  // out: within the datagram; empty when it was refused, and the datagram may be noise then
  ordering::Host sender{};        // out: who sealed it (in the clear: who says so); not always who said what is in it first
  Refusal refusal = Refusal::none;
};

// forked: by a child of the process that began. exhausted: the counter's end (of 64 bits), for a new life to go on. too_big: larger than kMostPacketBytes, or than
// its room. failed: OpenSSL refused, which it has no reason to.
enum class SealStatus : uint8_t { ok, forked, exhausted, too_big, failed };

struct Counts {
  uint64_t sealed = 0, opened = 0;
  uint64_t refused[kRefusals] = {};  // by Refusal; echo is no fault
  uint64_t of(Refusal why) const { return refused[static_cast<size_t>(why)]; }
};

class Sealing {
 public:
  static Result<std::unique_ptr<Sealing>> begin(const Settings& settings) noexcept;
  ~Sealing();
  Sealing(const Sealing&) = delete;  // two with one counter must not be
  Sealing& operator=(const Sealing&) = delete;

  bool is_clear() const { return !library_.has_value(); }
  size_t overhead() const { return is_clear() ? kOverheadClear : kOverheadSealed; }

  // In order, until one fails: that one and those behind it have size 0 and may be given again.
  SealStatus seal(std::span<ToSeal> packets);
  // Answers how many were opened. `now_ns`: any clock that only goes forward.
  size_t open(uint64_t now_ns, std::span<ToOpen> datagrams);

  // The key file was changed: reads it again, and goes on with what stands in it now. A failure changes nothing. Not for who began in the clear.
  Result<bool> reload() noexcept;  // true: the keys are others, or in another order
  Result<bool> reload(const Keyring& keys) noexcept;

  const Counts& counts() const { return counts_; }
  // The next line that a person should read; false: none.
  bool next_notice(std::string& line);
  size_t senders() const { return senders_.size(); }

 private:
  struct LiveKey {
    GroupKey key;
    uint32_t serial = 0;
    Derivation derivation;
  };

  explicit Sealing(const Settings& settings);
  Result<std::vector<LiveKey>> make_live(const Keyring& keys);
  LiveKey* find(uint16_t id);
  bool ready_to_seal();
  SealStatus seal_one(ToSeal& packet);
  Refusal open_one(uint64_t now_ns, ToOpen& datagram, Header& header);
  Refusal open_sealed(uint64_t now_ns, ToOpen& datagram, const Header& header);
  Refusal remember(uint64_t now_ns, const Header& header, Sender* sender, const KeyName& name, bool derived);

  const HostId host_;
  const Life life_;
  const std::string key_file_, bus_;
  std::optional<Library> library_;  // none: in the clear
  ForkMark mark_;
  std::vector<LiveKey> keys_;       // the first seals
  std::vector<uint32_t> live_;      // their serials
  uint32_t last_serial_ = 0;
  uint64_t next_counter_;
  PacketCipher seals_{PacketCipher::Use::seals}, scratch_{PacketCipher::Use::opens};
  KeyName seals_with_;
  Senders senders_;
  Notices notices_;
  Counts counts_;
};

}  // namespace evs::runtime::sealing
