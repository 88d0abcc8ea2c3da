// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/api/epoch_test.cc - which configurations a handle is told to be primary, and since which epoch.
#include <gtest/gtest.h>

#include <cstddef>

#include "bus/runtime/configuration.h"
#include "tests/unit/api/story.h"

namespace evs::test {
namespace {

using runtime::Configuration;
using runtime::ConfigurationTeller;
using runtime::Membership;

const evs_ordered_member kSelf{0x1001, 11, 1, EVS_MEMBER_STAYS, 0}, kOther{0x2001, 22, 1, EVS_MEMBER_STAYS, 0};

Membership of(uint64_t change, uint64_t epoch, std::vector<evs_ordered_member> members) { return {change, 7, 0, std::move(members), {}, epoch}; }

TEST(Epoch, OfRegularConfigurationsAlone) {
  ConfigurationTeller teller;
  std::vector<Configuration> told;
  teller.begin(of(2, 3, {kSelf}), kSelf, told);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].epoch, 3u);
  EXPECT_EQ(told[0].flags, EVS_CONFIGURATION_PRIMARY);
  teller.advance(of(4, 4, {kSelf, kOther}), told);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[1].epoch, 0u) << "transitional";
  EXPECT_EQ(told[1].flags, 0u);
  EXPECT_EQ(told[2].epoch, 4u);
  EXPECT_EQ(told[2].flags, EVS_CONFIGURATION_PRIMARY);
  teller.advance(of(6, 0, {kSelf}), told);
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told[4].epoch, 0u);
  EXPECT_EQ(told[4].flags, 0u);
}

// What comes of several changes at once is as primary as the last of them.
TEST(Epoch, OfMergedOnesTheLast) {
  ConfigurationTeller teller;
  std::vector<Configuration> told;
  teller.begin(of(2, 3, {kSelf}), kSelf, told);
  teller.advance(of(8, 5, {kSelf, kOther}), told);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[1].flags, EVS_CONFIGURATION_MERGED);
  EXPECT_EQ(told[2].flags, EVS_CONFIGURATION_MERGED | EVS_CONFIGURATION_PRIMARY);
  EXPECT_EQ(told[2].epoch, 5u);
  teller.expelled(kSelf, told);
  EXPECT_EQ(told.back().flags, EVS_CONFIGURATION_EXPELLED);
  EXPECT_EQ(told.back().epoch, 0u);
}

// The word behind its struct is another one's.
TEST(Epoch, APluginOfBeforeHasNone) {
  evs_membership raw{};
  raw.epoch = 99;
  raw.struct_size = offsetof(evs_membership, epoch);
  EXPECT_EQ(runtime::copy_of(raw).epoch, 0u);
  raw.struct_size = sizeof raw;
  EXPECT_EQ(runtime::copy_of(raw).epoch, 99u);
}

TEST(Epoch, ABusOfOneHostIsNeverPrimary) {
  Story story;
  evs_status_t status{};
  status.struct_size = sizeof status;
  status.epoch = 5;
  ASSERT_EQ(evs_status(story.handle, &status), CS_OK);
  EXPECT_EQ(status.epoch, 0u);
  EXPECT_EQ(status.struct_size, sizeof status);
}

}  // namespace
}  // namespace evs::test
