// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/primary_bytes_test.cc - a host's voting record on its disk: the bytes of docs/stored-state.md, and what is no record of this host.
// What breaks a rule within the record: records_hostile_test.cc, for openings have the same bytes.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "bus/ordering/primary_bytes.h"
#include "tests/support/golden.h"
#include "tests/unit/ordering/records_samples.h"

namespace evs::ordering {
namespace {

constexpr HostId kHost = records::kFrom;

std::vector<std::byte> bytes_of(const Voter& voter) {
  std::vector<std::byte> out;
  stored::encode(voter, kHost, out);
  return out;
}

TEST(VotingRecord, HasTheBytesOfTheDocument) {
  const std::string document = test::read_file(std::filesystem::path(EVS_SOURCE_DIR) / "docs/stored-state.md");
  std::string drawn;
  std::istringstream lines(document);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) drawn += '|';
    for (const char each : line.substr(0, line.find('#')))
      if (each != ' ') drawn += each;
  }
  EXPECT_NE(drawn.find("```hex" + test::hex(bytes_of(records::sample_voting().voter)) + "|"), std::string::npos);
}

// The rule is the configuration's: with quorum off what was voted is kept.
TEST(VotingRecord, OutlivesTheRule) {
  const Voter voter = records::sample_voting().voter;
  Voter off = voter;
  off.quorum = {};
  EXPECT_EQ(bytes_of(off), bytes_of(voter));
  Voter read{{Quorum::Rule::fixed, 3}, 0, {}};
  ASSERT_TRUE(stored::decode(bytes_of(voter), kHost, read));
  EXPECT_EQ(read, (Voter{{Quorum::Rule::fixed, 3}, voter.disk, voter.record}));
}

TEST(VotingRecord, WhatIsNoneOfThisHostIsRefusedAndLeavesNothing) {
  const std::vector<std::byte> good = bytes_of(records::sample_voting().voter);
  const Voter before{{Quorum::Rule::last_primary, 0}, 5, {}};
  const auto refused = [&](Bytes bytes, HostId host = kHost) {
    Voter voter = before;
    return !stored::decode(bytes, host, voter) && voter == before;
  };
  EXPECT_TRUE(refused(good, kHost + 1));
  for (size_t end = 0; end < good.size(); ++end) EXPECT_TRUE(refused(std::vector<std::byte>(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(end)))) << end;
  std::vector<std::byte> spoilt = good;
  spoilt.push_back(std::byte{0});
  EXPECT_TRUE(refused(spoilt));
  for (const uint8_t format : {0, 2}) {
    spoilt = good;
    spoilt[0] = std::byte{format};
    EXPECT_TRUE(refused(spoilt));
  }
}

TEST(VotingRecord, WhatCannotWorkIsRefusedWithTheWayOut) {
  const auto says = [](const Voter& voter, uint32_t limit, const char* what) { return check(voter, limit).find(what) != std::string::npos; };
  EXPECT_EQ(check({}, 1), "");
  EXPECT_EQ(check({{Quorum::Rule::last_primary, 0}, 1, {}}, 1 << 20), "");
  EXPECT_EQ(check({{Quorum::Rule::fixed, kMaxHosts}, 1, {}}, 1 << 20), "");
  EXPECT_TRUE(says({{Quorum::Rule::fixed, 0}, 1, {}}, 1 << 20, "1 to 256 hosts"));
  EXPECT_TRUE(says({{Quorum::Rule::fixed, kMaxHosts + 1}, 1, {}}, 1 << 20, "quorum is 257"));
  EXPECT_TRUE(says({{Quorum::Rule::last_primary, 0}, 0, {}}, 1 << 20, "draw one"));
  EXPECT_TRUE(says({{Quorum::Rule::last_primary, 0}, 1, {}}, 1 << 16, "make it at least 74288"));
}

}  // namespace
}  // namespace evs::ordering
