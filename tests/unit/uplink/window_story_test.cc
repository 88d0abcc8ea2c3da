// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_story_test.cc - a process that goes on from a window file delivers what is due, whatever its predecessor's moment of death.
#include "tests/unit/ordering/resume_world.h"
#include "tests/unit/uplink/window_ground.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

// Host 1's state is in a file, and nowhere else: a kill leaves what the file has.
struct InAFile {
  WindowGround ground;
  RingPair pair;
  std::unique_ptr<WindowFile> file;
  OneHost& host() { return pair.host(1); }

  InAFile() {
    for (OneHost& each : pair.hosts) each.settings.store_frames = 512;
    open();
    host().took = [this](const Effect& effect, const Output& out, const Protocol& protocol) {
      const shm::Status s = file->take(effect, out, protocol);
      ASSERT_TRUE(s.ok()) << s.text;
    };
    pair.form();
  }
  void open() {
    file.reset();
    file = ground.open("w", WindowFile::shape_for(host().settings));
  }
  void resume() {
    open();
    host().stored = file->load();
    host().resume();
  }
};

TEST(WindowStory, WhatATokenHasToldOfIsDeliveredByTheSuccessor) {
  InAFile story;
  story.pair.host(2).submit("s", Service::safe);
  story.pair.until_delivered(2, "s");  // because host 1 has told that it has it
  ASSERT_EQ(OneHost::count(story.pair.log(1), "s"), 0u) << "the story is of one that host 1 has not delivered";
  story.host().kill();
  story.resume();
  EXPECT_EQ(story.pair.log(1), "T(1.0) s [1.1]");
  story.pair.until([&] { return story.pair.one_ring(); });
  EXPECT_EQ(story.pair.log(2), "stamped s T(2.0) [1.1 2.0]") << "and the others let the dead one go at once";
}

TEST(WindowStory, TheBeginningOfAMessageOutlivesItsFrames) {
  InAFile story;
  story.pair.host(2).submit(std::string(20000, 'x'), Service::safe);
  story.pair.until([&] { return !story.file->load().beginnings.empty(); });
  story.host().kill_before_delivery();
  story.pair.until([&] { return !story.host().up(); });
  story.resume();
  EXPECT_EQ(OneHost::count(story.pair.log(1), "20000-bytes"), 1u) << story.pair.log(1);
}

// A message's record and its step are there together: whether the gateway was killed before the record was committed or behind that, its successor's log has the
// message once. It is killed as well, behind each of its effects.
void expect_once(bool has_record, uint64_t effects) {
  SCOPED_TRACE((has_record ? "killed behind the record, " : "killed before the record, ") + std::to_string(effects) + " effects of the successor");
  InAFile story;
  bool dead = false;
  const auto send = story.host().send;
  const auto take = story.host().took;
  story.host().took = [&](const Effect& effect, const Output& out, const Protocol& protocol) {
    if (effect.kind == Effect::Kind::deliver && !dead) {
      ASSERT_TRUE(story.file->prepare(effect, out, protocol).ok());
      story.file->claimed(64);
      dead = true;  // it is in the log
      if (!has_record) story.host().log.resize(story.host().log.size() - 1);
    }
    if (!dead) take(effect, out, protocol);
  };
  story.host().send = [&](HostId to, Bytes packet) {
    if (!dead) send(to, packet);
  };
  story.pair.host(2).submit("m", Service::safe);  // which is stored before it is delivered
  story.pair.until([&] { return dead; });
  ASSERT_EQ(OneHost::count(story.pair.log(1), "m"), has_record ? 1u : 0u);
  story.host().kill();
  story.host().took = take;
  story.host().send = send;
  story.open();
  ASSERT_EQ(story.file->under_way(), std::optional<uint64_t>(64));
  ASSERT_TRUE(story.file->load().told.empty());
  ASSERT_TRUE(WindowFile::finish_under_way(story.file, has_record).ok());
  ASSERT_EQ(story.file->load().told.size(), has_record ? 1u : 0u);
  story.host().kill_after(effects);
  story.resume();
  if (!story.host().up()) story.resume();
  EXPECT_EQ(OneHost::count(story.pair.log(1), "m"), 1u) << story.pair.log(1);
}

TEST(WindowStory, AMessageWhoseRecordWasUnderWayIsInTheLogOnce) {
  for (const bool has_record : {false, true})
    for (uint64_t effects = 0; effects < 10 && !testing::Test::HasFailure(); ++effects) expect_once(has_record, effects);
}

// Of our own messages only the frames are there: the outbox has its words, and is told nothing by the successor.
TEST(WindowStory, OurMessageIsDeliveredOnceWhateverTheMomentOfDeath) {
  uint32_t by_successor = 0;
  for (uint64_t effects = 0; effects < 8; ++effects) {
    InAFile story;
    story.host().kill_after(effects);
    story.host().submit("m");
    for (uint32_t i = 0; i < 40 && story.host().up(); ++i) story.pair.step();
    if (story.host().up()) story.host().kill();
    const size_t before = OneHost::count(story.pair.log(1), "m"), frames = story.file->load().frames.size();
    story.resume();
    const size_t after = OneHost::count(story.pair.log(1), "m");
    EXPECT_LE(after, 1u) << "killed behind " << effects << " effects: " << story.pair.log(1);
    if (frames != 0) {
      EXPECT_EQ(after, 1u) << "it was stamped, and killed behind " << effects << " effects: " << story.pair.log(1);
    }
    by_successor += after - before;
  }
  EXPECT_GT(by_successor, 0u);
}

}  // namespace
}  // namespace evs::runtime::uplink
