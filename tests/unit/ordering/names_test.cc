// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/names_test.cc - the names of configurations end somewhere, and nobody goes round: not in a ring, and not over rings.
#include <set>

#include "bus/ordering/little_endian.h"
#include "bus/ordering/ordered_path.h"
#include "tests/unit/ordering/process_world.h"
#include "tests/unit/ordering/resume_world.h"

namespace evs::ordering {
namespace {

constexpr uint64_t sequence_of(const ConfigurationId& id) { return id.number >> 32; }
constexpr uint64_t change_of(const ConfigurationId& id) { return id.number & UINT32_MAX; }

// Three a ring in place of two thousand million.
TEST(Names, ARingWhoseChangesRunOutIsFormedAnew) {
  ProcessWorld world(2, [](Settings& settings) { settings.changes_per_ring = 3; });
  world.join("b1");
  ASSERT_TRUE(world.run_until([&] { return world.together({1, 2}) && world.level(1).configuration().members.size() == 1; }));
  std::set<ConfigurationId> names;
  std::set<uint64_t> sequences;
  for (int i = 0; i < 20; ++i) {
    const bool joins = i % 2 == 0;
    ASSERT_EQ(joins ? world.join("a1") : world.leave("a1"), Submitted::ok);
    const size_t members = joins ? 2 : 1;
    ASSERT_TRUE(world.run_until([&] {
      return world.together({1, 2}) && world.level(1).configuration().members.size() == members && world.level(2).configuration().members.size() == members;
    })) << "change " << i;
    const ConfigurationId id = world.level(1).configuration().id;
    EXPECT_EQ(id, world.level(2).configuration().id);
    EXPECT_TRUE(names.empty() || *names.rbegin() < id) << "a name that does not rise";
    EXPECT_LE(change_of(id), 4u + 2 * 3);
    names.insert(id);
    sequences.insert(sequence_of(id));
  }
  EXPECT_GE(sequences.size(), 20u / 4);
  EXPECT_GT(world.protocol(1).entered_gather(Why::names_run_out) + world.protocol(2).entered_gather(Why::names_run_out), 0u);
  EXPECT_EQ(world.level(1).refused_total(), 0u);
}

TEST(Names, AProcessAloneOutlivesTheNamesOfItsRing) {
  ProcessWorld world(1, [](Settings& settings) { settings.changes_per_ring = 1; });
  for (const char* name : {"a1", "a2", "a3", "a4"}) ASSERT_EQ(world.join(name), Submitted::ok);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 a2 a3 a4"); }));
  EXPECT_TRUE(world.run_until([&] { return world.together({1}); }));
  EXPECT_GT(world.protocol(1).entered_gather(Why::names_run_out), 0u);
}

TEST(Names, TheLastChangeOfARingHasNoNext) {
  EXPECT_TRUE(has_next_change(kLastChange - 2));
  EXPECT_FALSE(has_next_change(kLastChange));
  EXPECT_EQ(kLastChange % 2, 0u) << "a regular configuration";
  EXPECT_LT(kLastChange, uint64_t{1} << 32);
}

std::vector<std::byte> naming(uint64_t sequence) {
  std::vector<std::byte> bytes;
  EXPECT_TRUE(wire::encode(Host{2, 9}, Probe{RingId{5, 2, 9}}, bytes));
  store_little(bytes.data() + 32, sequence);
  return bytes;
}

TEST(Names, ARingBeyondTheLastSequenceIsMalformed) {
  OneHost host;
  host.start();
  host.protocol().on_packet(host.now, naming(kMaxSequence), host.out());
  EXPECT_EQ(host.protocol().dropped(Drop::malformed), 0u);
  host.protocol().on_packet(host.now, naming(kMaxSequence + 1), host.out());
  host.protocol().on_packet(host.now, naming(UINT64_MAX), host.out());
  EXPECT_EQ(host.protocol().dropped(Drop::malformed), 2u);
}

// Rings are named up to the last sequence, and then no more: who would have to closes.
TEST(Names, AHostThatRunsOutOfSequencesClosesAndDoesNotGoRound) {
  RingPair pair;
  for (OneHost& each : pair.hosts) {
    each.settings.ring_sequence = kMaxSequence - 30;
    each.start();
  }
  uint64_t highest = 0;
  const auto closed = [&] { return pair.host(1).protocol().ran_out_of_sequences() || pair.host(2).protocol().ran_out_of_sequences(); };
  for (int kills = 0; kills < 100 && !closed(); ++kills) {
    pair.until([&] { return closed() || (pair.one_ring() && pair.host(1).stored.members.size() == 2); });
    if (closed()) break;
    const uint64_t sequence = pair.host(1).protocol().ring().sequence;
    EXPECT_GT(sequence, highest);
    EXPECT_LE(sequence, kMaxSequence);
    highest = sequence;
    pair.host(1).kill();
    pair.host(1).resume();
  }
  ASSERT_TRUE(closed());
  EXPECT_GT(highest, kMaxSequence - 30);
  for (OneHost& each : pair.hosts) {
    EXPECT_LE(each.stored.ring_sequence, kMaxSequence);
    if (!each.protocol().ran_out_of_sequences()) continue;
    EXPECT_STREQ(each.protocol().phase_name(), "closed");
    uint64_t number = 0;
    EXPECT_EQ(each.protocol().submit(pair.now, Service::agreed, {}, number, each.out()), Submitted::closed);
    EXPECT_EQ(each.protocol().next_deadline(), kNever);
  }
}

TEST(Names, AHostThatStoredTheLastSequenceDoesNotStart) {
  OneHost host;
  host.settings.ring_sequence = kMaxSequence;
  host.start();
  EXPECT_TRUE(host.protocol().ran_out_of_sequences());
  EXPECT_EQ(host.log, "");
  host.settings.ring_sequence = 0;
  host.stored.ring_sequence = kMaxSequence;
  host.resume();
  EXPECT_TRUE(host.protocol().ran_out_of_sequences());
}

TEST(Names, OverAnOrderedMediumNobodyProposesASequenceBeyondTheLast) {
  Settings settings;
  settings.self = {1, 7};
  settings.ring_sequence = kMaxSequence - 4;
  OrderedPath path(settings);
  Output out;
  path.start(Instant{1}, out);
  size_t said = 0;
  for (int i = 0; i < 3; ++i) {
    out.clear();
    path.on_membership(Instant{1}, {{}, {}, {}}, out);  // what was under way is lost with it
    path.on_membership(Instant{1}, {{1, 2}, {2}, {}}, out);
    for (const Effect& effect : out.effects) {
      if (effect.kind == Effect::Kind::store) {
        EXPECT_LE(effect.stored.number, kMaxSequence);
      }
      said += effect.kind == Effect::Kind::send_to_all;
    }
  }
  EXPECT_EQ(said, 1u);
  EXPECT_TRUE(path.ran_out_of_sequences());
}

}  // namespace
}  // namespace evs::ordering
