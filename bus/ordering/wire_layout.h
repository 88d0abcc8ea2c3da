// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/wire_layout.h - the numbers of docs/wire-format.md that its writer and its reader share.
//
// Sizes of the parts of each packet, flag bits, and the bounds that they imply: every packet that keeps its bounds fits
// into one datagram, and a token into one Ethernet frame.
#pragma once

#include "bus/ordering/wire.h"

namespace evs::ordering::wire {

inline constexpr size_t kRingHeaderBytes = 48;  // the common header and a ring's name: all of a probe, and of a hold_cancel
inline constexpr size_t kHostBytes = 16;
inline constexpr size_t kTokenBytes = 120;      // and a range behind the other
inline constexpr size_t kRangeBytes = 16;
inline constexpr size_t kJoinBytes = 40;        // and the candidates, the failed, the superseded nonces
inline constexpr size_t kNonceBytes = 8;
inline constexpr size_t kCommitBytes = 56;      // and members, those obliged to, entries
inline constexpr size_t kEntryBytes = 48;       // and a bit for each host of the list of those obliged to
inline constexpr size_t kWordBits = 64;
inline constexpr size_t kObligedWords = kMaxObliged / kWordBits;

inline constexpr size_t kRoundAt = 64;  // of a data packet: the one field that is written again

inline constexpr uint16_t kTokenRecovering = 1;
inline constexpr uint16_t kJoinLeaving = 1;
inline constexpr uint8_t kEntryFilled = 1;
inline constexpr size_t kPieceFlagsAt = 4, kPieceMessageAt = 8, kPieceIndexAt = 16, kPieceTotalAt = 20;
inline constexpr uint8_t kPieceFragment = 1;
inline constexpr uint8_t kPieceLast = 2;

constexpr size_t words_for(size_t obliged) { return (obliged + kWordBits - 1) / kWordBits; }
constexpr size_t token_bytes(size_t wanted) { return kTokenBytes + wanted * kRangeBytes; }
constexpr size_t join_bytes(size_t candidates, size_t failed, size_t superseded) {
  return kJoinBytes + (candidates + failed) * kHostBytes + superseded * kNonceBytes;
}
constexpr size_t commit_bytes(size_t members, size_t obliged) {
  return kCommitBytes + (members + obliged) * kHostBytes + members * (kEntryBytes + words_for(obliged) * sizeof(uint64_t));
}

inline constexpr size_t kDatagramBytes = 65507;  // 65535 - IPv4 - UDP
static_assert(token_bytes(kMaxWanted) <= 1400, "a token needs one Ethernet frame, also when it is sealed and tunnelled");
static_assert(join_bytes(kMaxHosts, kMaxHosts, kMaxSuperseded) <= kDatagramBytes);
static_assert(commit_bytes(kMaxHosts, kMaxObliged) <= kDatagramBytes);
static_assert(kMaxObliged % kWordBits == 0);

}  // namespace evs::ordering::wire
