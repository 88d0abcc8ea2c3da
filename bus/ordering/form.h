// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/form.h - what a packet may say, whoever says it.
//
// The reader asks after it has taken the fields, the writer before it puts them: what one of them sends the other accepts. Only form is
// judged here (ranges, sets, sums); whether a packet fits into what is going on is for who receives it.
#pragma once

#include "bus/ordering/wire.h"

namespace evs::ordering::wire {

constexpr bool is_host(HostId id) { return id != kNoHost && id <= kMaxHostId; }
constexpr bool is_ring(const RingId& ring) { return ring.sequence > 0 && ring.sequence <= kMaxSequence && is_host(ring.representative); }

// A set: at most `most`, sorted, each one once.
Malformed check(const Hosts& hosts, size_t most);

Malformed check(const Data& data);  // its header; not what is inside of the payload
Malformed check(const Token& token);
Malformed check(const Join& join);
Malformed check(const Commit& commit);
Malformed check(const Probe& probe);
Malformed check(const HoldCancel& cancel);

}  // namespace evs::ordering::wire
