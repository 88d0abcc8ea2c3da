// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_dice_test.cc - what no correct member sends, and places without end: a window file and ordering::apply() still say the same.
#include "tests/support/dice.h"
#include "tests/support/seeds.h"
#include "tests/unit/ordering/resume_world.h"
#include "tests/unit/uplink/window_ground.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

// Host 1 of a ring of two: what it holds is what a test says that the other one has sent.
struct Forged {
  RingPair pair;
  WindowGround ground;
  StoredState state;
  std::unique_ptr<WindowFile> file;
  Output out;
  Seq last, forgotten;
  test::Dice dice;

  explicit Forged(uint64_t seed) : dice(seed) {
    for (OneHost& host : pair.hosts) host.settings.message_limit = 5000;
    pair.form();
    file = open();
    out.configure({true, ring(), ring(), protocol().members()});
    carry_out();
    last = pair.host(1).stored.frames.empty() ? pair.host(1).stored.forgotten : pair.host(1).stored.frames.rbegin()->first;
    forgotten = last;
    out.store_window(ring(), last, {}, 0);
    carry_out();
  }
  const Protocol& protocol() { return pair.host(1).protocol(); }
  const RingId& ring() { return protocol().ring(); }
  std::unique_ptr<WindowFile> open() { return ground.open("w", WindowFile::shape_for(pair.host(1).settings)); }

  void carry_out() {
    for (const Effect& effect : out.effects) {
      apply(state, effect, out, protocol());
      const shm::Status taken = file->take(effect, out, protocol());
      ASSERT_TRUE(taken.ok()) << taken.text;
    }
    out.clear();
    ASSERT_EQ(difference(file->load(), state), "");
    if (!dice.one_in(20)) return;
    file.reset();
    file = open();
    ASSERT_EQ(difference(file->load(), state), "") << "opened again";
  }

  // A frame of fragments that mostly follow on each other.
  struct UnderWay {
    uint64_t message = 1;
    uint32_t index = 0, total = 0, said = 0;
  } at;
  void fragment(std::vector<std::byte>& payload) {
    if (at.said >= at.total || dice.one_in(30)) at = {at.message + 1, 0, static_cast<uint32_t>(dice.between(2, dice.one_in(20) ? 5500 : 5000)), 0};
    const auto bytes = static_cast<uint32_t>(std::min<uint64_t>(dice.between(1, 300), at.total - at.said));
    const std::vector<std::byte> body(bytes, static_cast<std::byte>(dice.next()));
    wire::Piece piece{.bytes = body, .fragment = true, .message = at.message, .index = at.index, .total_bytes = at.total, .last = at.said + bytes == at.total};
    if (dice.one_in(25)) ++piece.message;
    if (dice.one_in(25)) piece.index += piece.last ? 0 : 1;
    if (dice.one_in(25)) piece.total_bytes += 1;
    if (dice.one_in(25)) piece.last = !piece.last;
    if (!dice.one_in(40)) {  // else it comes twice
      at.said += bytes;
      ++at.index;
    }
    if (dice.one_in(15)) at.said -= std::min(at.said, 150u);  // they will be more than the message
    wire::append_piece(piece, payload);
  }
  void hold() {
    std::vector<std::byte> payload, packet;
    Data data;
    for (uint64_t i = dice.between(1, 3); i != 0; --i, ++data.piece_count) {
      if (dice.one_in(3)) wire::append_piece({.bytes = std::as_bytes(std::span("whole", 5))}, payload);
      else fragment(payload);
    }
    data.ring = ring();
    data.seq = next(last);
    data.service = Service::safe;
    data.payload = payload;
    Output ignored;
    if (!wire::encode(Host{2, kFirstNonce}, data, packet)) return;
    pair.host(1).protocol().on_packet(pair.now, packet, ignored);
    if (protocol().frame(ring(), data.seq) != nullptr) last = data.seq;
  }
};

TEST(WindowDice, BeginningsAreThoseThatApplyKeeps) {
  uint64_t begun = 0, frames = 0;
  for (uint64_t seed = 1; seed <= (std::getenv("EVS_LONG") != nullptr ? 200u : 8u) && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Forged world(seed);
    for (uint32_t i = 0; i < 300 && !HasFailure(); ++i) {
      std::vector<Seq> held;
      const Seq before = world.last;
      for (uint64_t n = world.dice.below(6); n != 0; --n) world.hold();
      for (Seq s = next(before); s <= world.last; s = next(s)) held.push_back(s);
      world.forgotten = Seq{world.dice.between(world.forgotten.value, world.last.value)};
      world.out.store_window(world.ring(), world.forgotten, held, 0);
      world.carry_out();
      begun += world.state.beginnings.size();
      frames += held.size();
    }
  }
  EXPECT_GT(begun, 500u);
  EXPECT_GT(frames, 3000u);
}

// Deliveries in any order of places and indices, while what is forgotten goes round the places several times.
TEST(WindowDice, WhatWasToldIsWhatApplyKeeps) {
  for (uint64_t seed = 1; seed <= 8 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    WindowGround ground;
    WindowFile::Shape shape;
    shape.store_frames = 8;
    test::Dice dice(seed);
    auto file = ground.open("w", shape);
    const RingId ring{10, 1, 7};
    const Protocol protocol{Settings{.self = {1, 7}}};
    StoredState state;
    Output out;
    const auto carry_out = [&] {
      apply(state, out.effects[0], out, protocol);
      ASSERT_TRUE(file->take(out.effects[0], out, protocol).ok());
      out.clear();
      ASSERT_EQ(difference(file->load(), state), "");
    };
    out.configure({true, ring, ring, {{1, 7}, {2, 7}}});
    carry_out();
    Seq forgotten;
    for (uint32_t i = 0; i < 3000 && !HasFailure(); ++i) {
      if (dice.one_in(4)) {
        forgotten.value += dice.below(dice.one_in(30) ? 60 : 4);
        out.store_window(ring, forgotten, {}, 0);
      } else {
        Delivery& delivery = out.deliver();
        delivery.ring = dice.one_in(20) ? RingId{9, 1, 7} : ring;
        delivery.seq = Seq{forgotten.value + dice.between(1, 16)};
        delivery.index = static_cast<uint32_t>(dice.one_in(4) ? dice.below(kMaxPieces) : dice.below(5));
        delivery.service = static_cast<Service>(dice.below(4));
        delivery.transitional = dice.one_in(4);
      }
      carry_out();
    }
  }
}

TEST(WindowDice, APlaceThatCannotBeIsAnErrorAndChangesNothing) {
  WindowGround ground;
  WindowFile::Shape shape;
  shape.store_frames = 8;
  auto file = ground.open("w", shape);
  const Protocol protocol{Settings{.self = {1, 7}}};
  Output out;
  out.deliver().seq = Seq{17};
  const StoredState before = file->load();
  const shm::Status s = file->take(out.effects[0], out, protocol, {.outbox = WindowFile::Outbox{1, 2, 3}, .processes = {}});
  EXPECT_EQ(s.code, shm::Code::internal);
  EXPECT_NE(s.text.find("has no place for frame 17"), std::string::npos) << s.text;
  EXPECT_EQ(difference(file->load(), before), "");
  EXPECT_EQ(file->kept().outbox, WindowFile::Outbox{});
}

}  // namespace
}  // namespace evs::runtime::uplink
