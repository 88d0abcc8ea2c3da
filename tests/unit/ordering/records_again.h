// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/records_again.h - what the decoders of records make of any bytes, and whether the encoders say the same again.
//
// For the tests and for the fuzzer: a record has one form and is of one kind; what is refused leaves nothing behind.
#pragma once

#include <algorithm>
#include <tuple>
#include <vector>

#include "bus/ordering/processes.h"
#include "tests/support/again.h"

namespace evs::ordering {

inline bool operator==(const Member& a, const Member& b) {
  return std::tie(a.process, a.in_configuration, a.groups) == std::tie(b.process, b.in_configuration, b.groups);
}
inline bool operator==(const ChangeRecord& a, const ChangeRecord& b) {
  return std::tie(a.what, a.process, a.groups) == std::tie(b.what, b.process, b.groups) && std::equal(a.carried.begin(), a.carried.end(), b.carried.begin(), b.carried.end());
}
inline bool operator==(const Opening& a, const Opening& b) {
  return std::tie(a.configuration, a.configuration_members, a.processes, a.voter) ==
         std::tie(b.configuration, b.configuration_members, b.processes, b.voter);
}
inline bool operator==(const Vote& a, const Vote& b) { return a.ring == b.ring && a.epoch == b.epoch; }

namespace records {

inline constexpr HostId kFrom = 7;  // the host that sent the samples

inline bool decode(Bytes message, HostId, Vote& vote) { return decode(message, vote); }

struct Verdict {
  int taken = 0;  // by how many decoders
  bool consistent = true;
};

template <typename Record>
void again_as(Bytes bytes, HostId from, RecordKind kind, Verdict& verdict) {
  RecordKind said{};
  const auto say = [&](const Record& record, std::vector<std::byte>& out) {
    encode(record, out);
    return kind_of(bytes, said) && said == kind;
  };
  const test::Again again = test::again_as<Record>(
      bytes, [&](Bytes some, Record& record) { return decode(some, from, record); }, say, [](const Record& a, const Record& b) { return a == b; });
  verdict.taken += again.taken;
  verdict.consistent &= again.consistent;
}

inline Verdict again(Bytes bytes, HostId from) {
  Verdict verdict;
  again_as<ChangeRecord>(bytes, from, RecordKind::change, verdict);
  again_as<Opening>(bytes, from, RecordKind::opening, verdict);
  again_as<Vote>(bytes, from, RecordKind::vote, verdict);
  NodeId sender = 0;
  Bytes payload;
  if (decode_message(bytes, from, sender, payload)) {
    std::vector<std::byte> out;
    encode_message(sender, payload, out);
    ++verdict.taken;
    verdict.consistent &= std::equal(bytes.begin(), bytes.end(), out.begin(), out.end());
  } else {
    verdict.consistent &= sender == 0 && payload.empty();
  }
  verdict.consistent &= verdict.taken <= 1;
  return verdict;
}

}  // namespace records
}  // namespace evs::ordering
