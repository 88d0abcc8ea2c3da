// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/records_samples.h - a record of each kind, and the bytes that the document says it has.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "tests/support/golden.h"
#include "tests/unit/ordering/records_again.h"

namespace evs::ordering::records {

using Record = std::vector<std::byte>;

struct Sample {
  std::string name;
  Record bytes;
  std::string hex;  // what the bytes must be; written down by a program that knows the document and not our code
};

inline Group group_of(const std::string& name) {
  Group group{};
  std::transform(name.begin(), name.end(), group.begin(), [](char c) { return static_cast<std::byte>(c); });
  return group;
}

inline const Process kOne{kFrom << kSlotBits | 1, 4242, 3}, kTwo{kFrom << kSlotBits | 2, 4343, 1};

inline Opening sample_opening() {
  return {.configuration = {uint64_t{5} << 32 | 6, 3 << kSlotBits | 1},
          .configuration_members = 3,
          .processes = {{kOne, true, {group_of("orders"), group_of("trades")}}, {kTwo, false, {}}}};
}

// Host 7 knows of a primary ring with host 3, and has voted for one with host 9.
inline Opening sample_voting() {
  Opening said;
  said.voter = {{Quorum::Rule::last_primary, 0}, 0x71, {{4, {5, 3, 0x31}, {{3, 0x33}, {kFrom, 0x71}}}, {{6, {9, kFrom, 0x41}, {{kFrom, 0x71}, {9, 0x99}}}}}};
  return said;
}

inline std::vector<Sample> samples() {
  const std::string orders = "6f7264657273" + std::string(52, '0'), trades = "747261646573" + std::string(52, '0');
  std::vector<Sample> all{
      {"message", {}, "010000000270000068656c6c6f"},
      {"change", {}, "0204020001700000" "9210000000000000" "0300000000000000" + orders + trades + "68656c6c6f"},
      {"leave", {}, "0202000002700000" "f710000000000000" "0100000000000000"},
      {"opening", {},
       "0300000002000000" "0600000005000000" "0130000003000000" "0000000000000000"
       "0170000092100000" "0300000000000000" "0200000001000000" + orders + trades +
       "02700000f7100000" "0100000000000000" "0000000000000000"},
      {"voting", {},
       "0300000000000000" "0000000000000000" "0000000000000000" "ffffffff90000000"
       "7100000000000000" "0100000000000000"
       "0400000000000000" "0500000000000000" "3100000000000000" "0300000002000000" "0300000000000000" "3300000000000000" "0700000000000000" "7100000000000000"
       "0600000000000000" "0900000000000000" "4100000000000000" "0700000002000000" "0700000000000000" "7100000000000000" "0900000000000000" "9900000000000000"},
      {"vote", {}, "0400000007000000" "0900000000000000" "4100000000000000" "0600000000000000"}};
  encode_message(kTwo.node, std::as_bytes(std::span("hello", 5)), all[0].bytes);
  encode(ChangeRecord{Change::join_group, kOne, {group_of("orders"), group_of("trades")}, std::as_bytes(std::span("hello", 5))}, all[1].bytes);
  encode(ChangeRecord{Change::leave, kTwo, {}, {}}, all[2].bytes);
  encode(sample_opening(), all[3].bytes);
  encode(sample_voting(), all[4].bytes);
  encode(Vote{{9, kFrom, 0x41}, 6}, all[5].bytes);
  return all;
}
enum { kMessage, kChange, kLeave, kOpening, kVoting, kVote };  // of samples()

// Behind something that is there already, and back.
template <typename Said>
Record round_trip(const Said& said, HostId from) {
  Record out(3, std::byte{0x5a});
  encode(said, out);
  EXPECT_EQ(test::hex(Bytes(out).first(3)), "5a5a5a");
  out.erase(out.begin(), out.begin() + 3);
  Said heard;
  EXPECT_TRUE(decode(out, from, heard));
  EXPECT_TRUE(heard == said);
  return out;
}

}  // namespace evs::ordering::records
