// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/format.h - the 40 bytes before a packet on a datagram medium; docs/wire-format.md, "Sealed packets", draws them.
//
// All that a receiver needs before it can open a packet, in plain sight and under the tag: which key, whose packet, of which life, the
// how many-eth. A host that sends in the clear writes the same header and no tag, so that both kinds of hosts can say of the other what it is.
#pragma once

#include <compare>

#include "bus/ordering/ids.h"
#include "bus/ordering/little_endian.h"
#include "bus/ordering/packets.h"
#include "bus/ordering/wire_layout.h"

namespace evs::runtime::sealing {

using ordering::Bytes;
using ordering::HostId;

inline constexpr uint32_t kMagic = 0x73737665;  // "evss"
inline constexpr uint8_t kVersion = 1;
inline constexpr size_t kHeaderBytes = 40;
inline constexpr size_t kTagBytes = 16;
inline constexpr size_t kOverheadSealed = kHeaderBytes + kTagBytes;
inline constexpr size_t kOverheadClear = kHeaderBytes;
inline constexpr size_t kMostPacketBytes = ordering::wire::kDatagramBytes - kOverheadSealed;

enum class Form : uint8_t { sealed = 1, clear = 2 };

// One run of a host's gateway. Lives of one host compare by age: `birth` rises from life to life (next_life), and the nonce, which is the ordering
// layer's boot nonce too, is drawn: no two lives are ever the same, so no two have the same keys.
struct Life {
  uint64_t birth = 0;
  uint64_t nonce = 0;
  friend auto operator<=>(const Life&, const Life&) = default;
};

// `wall_ns` is the time of day, `last_birth` what was stored of the host's life before this one (0: nothing). A clock that went back
// meanwhile does no harm as long as that is known.
constexpr Life next_life(uint64_t wall_ns, uint64_t last_birth, uint64_t drawn_nonce) {
  return {wall_ns > last_birth ? wall_ns : last_birth + 1, drawn_nonce};
}

struct Header {
  Form form = Form::sealed;
  uint16_t key = 0;
  HostId host = ordering::kNoHost;
  Life life;
  uint64_t counter = 0;
};

// Why a datagram was not opened.
enum class Refusal : uint8_t {
  none,
  too_short,    // ends before what every packet has
  version,      // of a version that this one does not know
  foreign,      // not of this protocol, or nothing that this version writes
  unsealed,     // in the clear, and we have a key
  sealed,       // sealed, and we are configured without a key
  unknown_key,  // its key id is not in our key file
  tag,          // not made with our key of that id, or damaged
  replay,       // was opened before, or is older than what we remember
  old_life,     // of a life of that host which another one followed
  table_full,   // of a new host, and there is no room to remember another
  echo,         // our own packet came back
  count_
};
inline constexpr size_t kRefusals = static_cast<size_t>(Refusal::count_);

// As metrics and logs name it.
constexpr const char* name_of(Refusal why) {
  constexpr const char* kNames[] = {"none", "short",  "version",  "foreign",    "unsealed", "sealed", "unknown_key",
                                    "tag",  "replay", "old_life", "table_full", "echo"};
  static_assert(std::size(kNames) == kRefusals);
  return static_cast<size_t>(why) < kRefusals ? kNames[static_cast<size_t>(why)] : "?";
}

inline void write_header(std::byte* at, const Header& header) {
  using ordering::store_little;
  store_little(at, kMagic);
  at[4] = std::byte{kVersion};
  at[5] = static_cast<std::byte>(header.form);
  store_little(at + 6, header.key);
  store_little(at + 8, header.host);
  store_little(at + 12, uint32_t{0});
  store_little(at + 16, header.life.birth);
  store_little(at + 24, header.life.nonce);
  store_little(at + 32, header.counter);
}

// Form alone, and nothing is believed yet. With `version` the fields stay as they were.
inline Refusal read_header(Bytes datagram, Header& header) {
  using ordering::load_little;
  if (datagram.size() < kHeaderBytes) return Refusal::too_short;
  const std::byte* at = datagram.data();
  if (load_little<uint32_t>(at) != kMagic) return Refusal::foreign;
  if (std::to_integer<uint8_t>(at[4]) != kVersion) return Refusal::version;
  header.form = static_cast<Form>(at[5]);
  header.key = load_little<uint16_t>(at + 6);
  header.host = load_little<uint32_t>(at + 8);
  header.life = {load_little<uint64_t>(at + 16), load_little<uint64_t>(at + 24)};
  header.counter = load_little<uint64_t>(at + 32);
  const bool known_form = header.form == Form::sealed || header.form == Form::clear;
  if (!known_form || (header.form == Form::sealed) != (header.key != 0)) return Refusal::foreign;
  if (load_little<uint32_t>(at + 12) != 0 || header.counter == 0) return Refusal::foreign;
  if (header.host == ordering::kNoHost || header.host > ordering::kMaxHostId) return Refusal::foreign;
  return datagram.size() < (header.form == Form::sealed ? kOverheadSealed : kOverheadClear) ? Refusal::too_short : Refusal::none;
}

}  // namespace evs::runtime::sealing
