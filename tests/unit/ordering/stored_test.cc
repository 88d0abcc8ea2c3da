// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/stored_test.cc - what is kept for a successor is bounded, whatever a member sends.
#include <gtest/gtest.h>

#include "bus/ordering/stored.h"

namespace evs::ordering {
namespace {

constexpr uint32_t kLimit = 5000, kPiece = 100;
constexpr Host kSelf{1, 7}, kPeer{2, 7}, kStranger{9, 7};
constexpr RingId kRing{10, 1, 7};

// Frames of a peer, each forgotten as soon as it came.
struct Keeper {
  StoredState state;
  Protocol protocol{settings()};
  Seq seq;

  Keeper() {
    state.ring = kRing;
    state.members = {kSelf, kPeer};
  }
  static Settings settings() {
    Settings settings;
    settings.self = kSelf;
    settings.message_limit = kLimit;
    return settings;
  }

  struct Fragment {
    uint64_t message = 1;
    uint32_t index = 0, total = kLimit, bytes = kPiece;
    bool last = false;
  };
  void forget(const std::vector<Fragment>& fragments, const Host& sender = kPeer) {
    std::vector<std::byte> payload, packet;
    for (const Fragment& f : fragments) {
      const std::vector<std::byte> bytes(f.bytes, static_cast<std::byte>(f.index));
      wire::append_piece({.bytes = bytes, .fragment = true, .message = f.message, .index = f.index, .total_bytes = f.total, .last = f.last}, payload);
    }
    Data data;
    data.ring = kRing;
    data.seq = seq = next(seq);
    data.piece_count = static_cast<uint16_t>(fragments.size());
    data.payload = payload;
    ASSERT_TRUE(wire::encode(sender, data, packet));
    state.frames[seq] = std::move(packet);
    Output out;
    out.store_window(kRing, seq, {}, 0);
    apply(state, out.effects.back(), out, protocol);
  }
  size_t kept() const {
    size_t bytes = 0;
    for (const auto& [sender, partial] : state.beginnings) bytes += partial.bytes.size();
    return bytes;
  }
};

TEST(Stored, TheBeginningOfAMessageIsKeptUntilItsEnd) {
  Keeper keeper;
  keeper.forget({{.index = 0, .total = 300}});
  keeper.forget({{.index = 1, .total = 300}});
  EXPECT_EQ(keeper.kept(), 200u);
  keeper.forget({{.index = 2, .total = 300, .last = true}});
  EXPECT_TRUE(keeper.state.beginnings.empty());
}

TEST(Stored, OneMessageEndsAndAnotherBeginsInOneFrame) {
  Keeper keeper;
  keeper.forget({{.message = 1, .index = 0, .total = 200}});
  keeper.forget({{.message = 1, .index = 1, .total = 200, .last = true}, {.message = 2, .index = 0, .total = 300}});
  EXPECT_EQ(keeper.kept(), 100u);
  EXPECT_EQ(keeper.state.beginnings[kPeer.id].message, 2u);
}

TEST(Stored, AFragmentThatDoesNotFollowIsNotKeptNorWhatWasBeforeIt) {
  const Keeper::Fragment kBad[] = {{.index = 2}, {.index = 1, .total = kLimit - 1}, {.message = 2, .index = 1}, {.index = 7}};
  for (const Keeper::Fragment& bad : kBad) {
    Keeper keeper;
    keeper.forget({{.index = 0}});
    keeper.forget({bad});
    EXPECT_TRUE(keeper.state.beginnings.empty()) << "message " << bad.message << " index " << bad.index << " of " << bad.total;
  }
  Keeper keeper;
  keeper.forget({{.index = 3}});
  EXPECT_TRUE(keeper.state.beginnings.empty()) << "nothing was before it";
}

TEST(Stored, AMessageBeyondTheLimitIsNotBegun) {
  Keeper keeper;
  keeper.forget({{.index = 0, .total = kLimit + 1}});
  EXPECT_TRUE(keeper.state.beginnings.empty());
}

// Fragments without an end; others that begin again and again, the same one for ever, many in a frame.
TEST(Stored, WhateverAMemberSendsOneMessageOfItIsTheMost) {
  Keeper keeper;
  size_t most = 0;
  for (uint32_t i = 0; i < 3 * kLimit; ++i) {
    const uint32_t kind = i / kLimit;
    if (kind == 0) keeper.forget({{.index = i, .bytes = 1}});
    if (kind == 1) keeper.forget({{.message = i, .index = 0}});
    if (kind == 2) keeper.forget(std::vector<Keeper::Fragment>(20, {.index = i % 2}));
    most = std::max(most, keeper.kept());
    ASSERT_LE(keeper.state.beginnings.size(), 1u);
  }
  EXPECT_LE(most, kLimit);
}

TEST(Stored, OfWhoIsNoMemberNothingIsKept) {
  Keeper keeper;
  keeper.forget({{.index = 0}}, kStranger);
  EXPECT_TRUE(keeper.state.beginnings.empty());
}

}  // namespace
}  // namespace evs::ordering
