// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/fit_to_frames_test.cc - windows for frames of every size that a medium may have.
#include <gtest/gtest.h>

#include "bus/ordering/wire.h"
#include "bus/runtime/uplink/uplink_settings.h"

namespace evs::runtime::uplink {
namespace {

ordering::Settings fitted(uint32_t frame_bytes) {
  ordering::Settings settings;
  settings.self = {1, 1};
  settings.frame_bytes = frame_bytes;
  fit_to_frames(settings);
  return settings;
}

TEST(FitToFrames, SmallFramesAreManyInAVisitAndLargeOnesFew) {
  EXPECT_EQ(fitted(1400).personal_frames, 256u);
  EXPECT_EQ(fitted(1400).window_frames, 1024u);
  EXPECT_EQ(fitted(1400).store_frames, 4096u);
  EXPECT_EQ(fitted(8900).personal_frames, 64u);
  EXPECT_EQ(fitted(65000).personal_frames, 64u);
  EXPECT_EQ(fitted(65000).store_frames, 512u);
}

TEST(FitToFrames, WhateverAMediumHasTheCoreTakesIt) {
  for (uint32_t bytes = 512; bytes <= ordering::wire::kMaxPacketBytes; bytes += 61) {
    const ordering::Settings settings = fitted(bytes);
    EXPECT_EQ(ordering::check(settings), "") << bytes;
    EXPECT_LE(uint64_t{settings.store_frames} * bytes, uint64_t{40} << 20) << bytes;
  }
}

}  // namespace
}  // namespace evs::runtime::uplink
