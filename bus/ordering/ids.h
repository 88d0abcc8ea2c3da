// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ids.h - the nouns of the ordering layer: hosts, rings, places in a ring's order, moments.
//
// A host is told by its id and by a number that it drew when it started (its boot nonce): who comes back after a crash, or a second
// machine with the same id, is somebody else. A ring is told by its representative, that one's nonce and a sequence that
// every member keeps across restarts: no two rings ever have one name, and the later of two that follow each other has the
// larger sequence.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

namespace evs::ordering {

using HostId = uint32_t;  // 1 to 2^20 - 1; 0: none
inline constexpr HostId kNoHost = 0;
inline constexpr HostId kMaxHostId = (1u << 20) - 1;
inline constexpr uint32_t kMaxHosts = 256;  // of one ring: a commit token of them fits into a datagram of 64 KiB

struct Host {
  HostId id = kNoHost;
  uint64_t nonce = 0;
  friend auto operator<=>(const Host&, const Host&) = default;
};
using Hosts = std::vector<Host>;  // sorted by id, then nonce, where it stands for a set

struct RingId {
  uint64_t sequence = 0;  // first: rings compare by age
  HostId representative = kNoHost;
  uint64_t nonce = 0;  // the representative's
  friend auto operator<=>(const RingId&, const RingId&) = default;
};

// A new ring's is higher by more than one, so that who comes back with one more than it stored does not fit into the ring that it crashed out of.
inline constexpr uint64_t kSequenceStep = 4;

// The end of sequences. A configuration of processes has its ring's in the upper half of a number (processes.h), so a ring beyond would have another one's
// names. Packets that name one are malformed; a host that would have to form one closes. At four a ring, a ring a second lasts for 34 years.
inline constexpr uint64_t kMaxSequence = UINT32_MAX;
inline constexpr uint64_t kSequencesToStart = 1u << 20;  // fewer than these are left: a host is not started with them

// One packet raises what a host knows of rings' sequences by no more than this. What is known is stored, and rings are named above it: a single packet
// that says the highest number there is would end the forming of rings for good. Who is further behind learns from several.
inline constexpr uint64_t kMostAhead = 1u << 20;

// A frame's place in the order of its ring: 1 is the first. 0 comes before everything. Sixty-four bits never wrap in a ring.
struct Seq {
  uint64_t value = 0;
  friend auto operator<=>(const Seq&, const Seq&) = default;
};
constexpr Seq next(Seq s) { return Seq{s.value + 1}; }

using Duration = uint64_t;  // nanoseconds

struct Instant {  // nanoseconds of a clock that only goes forward
  uint64_t ns = 0;
  friend auto operator<=>(const Instant&, const Instant&) = default;
};
inline constexpr Instant kNever{UINT64_MAX};
constexpr Instant operator+(Instant at, Duration d) { return at.ns > UINT64_MAX - d ? kNever : Instant{at.ns + d}; }
constexpr Duration operator-(Instant later, Instant earlier) { return later.ns > earlier.ns ? later.ns - earlier.ns : 0; }

// What a message is promised (docs/semantics.md); the numbers are evs_guarantee_t's.
enum class Service : uint8_t { unordered = 0, fifo = 1, agreed = 2, safe = 3 };

}  // namespace evs::ordering
