// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/wire_allocation_test.cc - a frame on its way asks nobody for memory.
//
// A program of its own: it counts what operator new is asked for.
#include <gtest/gtest.h>

#include "tests/support/counted_new.h"
#include "tests/unit/ordering/wire_samples.h"

namespace evs::ordering::wire {
namespace {

using Packet = std::vector<std::byte>;

TEST(WireAllocation, AFrameIsEncodedAndDecodedInMemoryThatIsThere) {
  const Packet bytes(100);
  Packet payload, packet, recovered;
  size_t warm = 0;
  for (int round = 0; round < 3; ++round) {
    if (round == 1) warm = g_allocations;
    payload.clear();
    packet.clear();
    recovered.clear();
    for (int i = 0; i < 5; ++i) append_piece({.bytes = bytes}, payload);
    Data data = sample_data(payload);
    data.piece_count = 5;
    ASSERT_TRUE(encode(kSeven, data, packet));
    ASSERT_TRUE(encode(kSeven, sample_recovered(packet), recovered));
    ASSERT_EQ(decode(packet, data), Malformed::none);
    Piece piece;
    for (Bytes rest = data.payload; take_piece(rest, piece);) continue;
    ASSERT_EQ(decode(recovered, data), Malformed::none);
    packet.pop_back();
    ASSERT_EQ(decode(packet, data), Malformed::truncated);
  }
  EXPECT_GT(warm, 0u);  // the counter counts
  EXPECT_EQ(g_allocations, warm);
}

TEST(WireAllocation, ATokenIsEncodedAndDecodedInMemoryThatIsThere) {
  const Token token = sample_token();
  Token heard;
  Packet packet;
  size_t warm = 0;
  for (int round = 0; round < 3; ++round) {
    if (round == 1) warm = g_allocations;
    packet.clear();
    ASSERT_TRUE(encode(kSeven, token, packet));
    ASSERT_EQ(decode(packet, heard), Malformed::none);
  }
  EXPECT_GT(warm, 0u);
  EXPECT_EQ(g_allocations, warm);
}

}  // namespace
}  // namespace evs::ordering::wire
