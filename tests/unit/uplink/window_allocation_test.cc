// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_allocation_test.cc - who keeps a window all day asks nobody for memory.
//
// A program of its own: it counts what operator new is asked for. Two hosts of a ring are at work, and each step of the first one is kept.
#include <gtest/gtest.h>

#include "tests/support/counted_new.h"
#include "tests/unit/ordering/memory_ring.h"
#include "tests/unit/uplink/window_ground.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

struct Kept {
  static Settings settings() {
    Settings settings;
    settings.for_successor = true;
    settings.store_frames = 1024;
    return settings;
  }
  Kept() : file(ground.open("w", WindowFile::shape_for(settings()))), ring(2, settings()) {
    ring.watch = [this](const Effect& effect, MemoryRing::Member& member) {
      if (&member != &ring.member(1)) return;
      const bool stored = effect.kind == Effect::Kind::store && effect.stored.kind == Stored::Kind::window;
      windows += stored;
      WindowFile::Also also;
      if (stored) also.outbox = WindowFile::Outbox{windows, 1, 2};
      const shm::Status s = appends(effect) ? take_with_record(*file, 64, effect, member.out, member.protocol)
                                            : file->take(effect, member.out, member.protocol, also);
      failed += !s.ok();
    };
    ring.until_one_ring();
  }
  void run(int steps, size_t bytes) {
    for (int i = 0; i < steps; ++i) {
      for (HostId id = 1; id <= 2; ++id) {
        uint64_t& mine = submitted[id - 1];
        if (mine - ring.member(id).stamped >= 20) continue;
        ASSERT_EQ(ring.submit(id, static_cast<Service>(mine % 4), Bytes(message).first(bytes)), Submitted::ok);
        ++mine;
      }
      ring.step();
    }
  }

  WindowGround ground;
  std::unique_ptr<WindowFile> file;
  MemoryRing ring;
  uint64_t windows = 0, failed = 0, submitted[2] = {0, 0};
  std::vector<std::byte> message = std::vector<std::byte>(100'000);
};

void expect_none(size_t bytes, uint64_t least_windows, uint64_t least_delivered) {
  Kept kept;
  kept.run(60'000, bytes);
  const size_t warm = g_allocations;
  const uint64_t windows = kept.windows, delivered = kept.ring.member(1).delivered;
  EXPECT_GT(warm, 0u);  // the counter counts
  kept.run(40'000, bytes);
  EXPECT_EQ(g_allocations - warm, 0u);
  EXPECT_EQ(kept.failed, 0u);
  EXPECT_GT(kept.windows - windows, least_windows);
  EXPECT_GT(kept.ring.member(1).delivered - delivered, least_delivered);
}

TEST(WindowAllocation, SmallMessagesAskForNothing) { expect_none(64, 500, 20'000); }

TEST(WindowAllocation, MessagesOfFragmentsAskForNothing) { expect_none(5000, 200, 1000); }

}  // namespace
}  // namespace evs::runtime::uplink
