// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/process_bytes.h - the bytes of a process with its groups, which openings and stored states have in common.
#pragma once

#include "bus/ordering/byte_reader.h"
#include "bus/ordering/byte_writer.h"
#include "bus/ordering/processes.h"

namespace evs::ordering::records {

bool is_nodeid(NodeId node);  // of a host; slots count from 1
inline size_t member_bytes(const Member& member) { return kMemberBytes + member.groups.size() * kGroupBytes; }
void put(ByteWriter& to, const Member& member);
// False: not the bytes of any process.
bool take_member(ByteReader& in, Member& member);

}  // namespace evs::ordering::records
