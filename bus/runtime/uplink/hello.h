// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/hello.h - whom I hear, and how: docs/wire-format.md, "Hellos", draws it.
//
// The link's own packet beside those of the ring. It goes to all now and then, small and as large as a frame gets, and to those alone who do not say that they hear
// what goes to all. So what comes shows which ways carry what, and what stands in it shows the same of the ways back (hearing.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bus/ordering/packets.h"

namespace evs::runtime::uplink {

inline constexpr uint32_t kHelloMagic = 0x68737665;  // "evsh"
inline constexpr size_t kHelloBytes = 12;             // and 4 a host
inline constexpr size_t kMostInHello = ordering::kMaxHosts;
static_assert(kHelloBytes + 4 * kMostInHello <= 1400, "a hello needs one Ethernet frame, also when it is sealed and tunnelled");

struct HeardHost {
  ordering::HostId id = ordering::kNoHost;
  bool to_all = false;  // what it sends to all comes
  bool large = false;   // and its largest frames do, too
  friend bool operator==(const HeardHost&, const HeardHost&) = default;
};

struct Hello {
  bool to_all = false;      // this one was sent to all
  bool large = false;       // filled up to the sender's largest frame
  uint32_t large_sent = 0;  // to all, of this life; a large one counts itself
  std::vector<HeardHost> heard;  // of late; sorted, each once
  friend bool operator==(const Hello&, const Hello&) = default;
};

bool is_hello(ordering::Bytes packet);
// At least `bytes` long: filled with zeros, and only if it is large.
void encode(const Hello& hello, size_t bytes, std::vector<std::byte>& out);
// False: not as anybody writes it, and `hello` is empty.
bool decode(ordering::Bytes packet, Hello& hello);

}  // namespace evs::runtime::uplink
