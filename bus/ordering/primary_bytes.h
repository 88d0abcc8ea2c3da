// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/primary_bytes.h - a host's voting record as bytes: in its openings (docs/wire-format.md), and on its disk (docs/stored-state.md).
#pragma once

#include <string>

#include "bus/ordering/byte_reader.h"
#include "bus/ordering/byte_writer.h"
#include "bus/ordering/primary.h"

namespace evs::ordering {

namespace records {

inline constexpr size_t kVoterBytes = 16, kAttemptBytes = 32, kVoterHostBytes = 16;
// All that a host may remember: its opening keeps room for so much.
inline constexpr size_t kMaxVoterBytes = kVoterBytes + (1 + kMaxAttempts) * (kAttemptBytes + kMaxHosts * kVoterHostBytes);

size_t voter_bytes(const Voter& voter);  // 0 with quorum off
uint32_t word_of(const Quorum& quorum);
bool take_quorum(uint32_t word, Quorum& quorum);
void put(ByteWriter& to, const Voter& voter);
// Disk and record, of host `from`. False: no host can have come to this.
bool take_voter(ByteReader& in, HostId from, Voter& voter);

}  // namespace records

namespace stored {

inline constexpr uint32_t kVoterFormat = 1;

// The whole file. Which rule is the host's is its configuration's, and not in it.
void encode(const Voter& voter, HostId self, std::vector<std::byte>& out);
// A disk is not to be trusted more than a peer. False: another format or another host's, or no host can have stored this; `voter` is as it was.
bool decode(Bytes saved, HostId self, Voter& voter);

}  // namespace stored

// Empty, or a sentence that names what is wrong and the way out. `opening_limit`: as for ProcessLevel.
std::string check(const Voter& voter, uint32_t opening_limit);

}  // namespace evs::ordering
