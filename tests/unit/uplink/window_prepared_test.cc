// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_prepared_test.cc - a step that is prepared: alone until its end, and of one who is killed what its successor says.
#include <gmock/gmock.h>

#include "tests/unit/uplink/window_one_file.h"

namespace evs::runtime::uplink {
namespace {

using ordering::Output;
using testing::HasSubstr;

// What a prepared step would make of the file is looked at when it is made.
TEST(WindowPrepared, AStepUnderWayThatMakesNonsenseIsRefusedWhenItCounts) {
  for (const bool committed : {false, true}) {
    OneFile one;
    one.file.reset();
    one.put(window::kJournalEntries, window::kPapers);
    one.put(window::kJournalEntries + 8, UINT64_MAX);
    one.put(window::kPrepared, 2);
    auto file = one.ground.open("w", one.shape);
    const ordering::StoredState before = file->load();
    const shm::Status s = WindowFile::finish_under_way(file, committed);
    EXPECT_EQ(s.ok(), !committed);
    if (committed) {
      EXPECT_FALSE(file);
      EXPECT_THAT(s.text, HasSubstr("rings and lives"));
    } else {
      EXPECT_EQ(difference(file->load(), before), "");
    }
  }
}

TEST(WindowPrepared, OneThatWasSpoiltSinceIsNotFinished) {
  OneFile one;
  one.file.reset();
  one.put(window::kJournalEntries, window::kPapers);
  one.put(window::kPrepared, 2);
  auto file = one.ground.open("w", one.shape);
  one.put(window::kJournalEntries, 8);
  EXPECT_EQ(WindowFile::finish_under_way(file, true).code, shm::Code::corrupt);
  EXPECT_FALSE(file);
  EXPECT_EQ(one.header().magic, window::kMagic) << "and changes nothing";
  EXPECT_EQ(one.word(window::kJournal), 0u);
  EXPECT_EQ(one.word(window::kPrepared), 2u);
}

TEST(WindowPrepared, WhileAStepIsPreparedThereIsNoOther) {
  for (const bool commits : {false, true}) {
    OneFile one;
    Output out;
    out.configure({true, {44, 1, 7}, {44, 1, 7}, {{1, 7}}});
    out.store(ordering::Stored::Kind::sequence, 48);
    const WindowFile::Also also{.outbox = WindowFile::Outbox{1, 2, 3}, .processes = {}};
    EXPECT_FALSE(one.file->under_way());
    const ordering::StoredState before = one.file->load();
    ASSERT_TRUE(one.file->prepare(out.effects[0], out, one.protocol).ok());
    EXPECT_EQ(one.file->under_way(), std::optional<uint64_t>(0));
    one.file->claimed(640);
    EXPECT_EQ(one.file->under_way(), std::optional<uint64_t>(640));
    EXPECT_EQ(one.file->take(out.effects[1], out, one.protocol).code, shm::Code::internal);
    EXPECT_EQ(one.file->take(also).code, shm::Code::internal);
    EXPECT_THAT(one.file->prepare(out.effects[1], out, one.protocol).text, HasSubstr("the one that is prepared"));
    EXPECT_EQ(one.file->under_way(), std::optional<uint64_t>(640)) << "and that one is as it was";
    if (commits) one.file->commit();
    else one.file->abandon();
    EXPECT_FALSE(one.file->under_way());
    const ordering::StoredState behind = one.file->load();
    EXPECT_EQ(behind.ring.sequence, commits ? 44u : 40u);
    if (!commits) {
      EXPECT_EQ(difference(behind, before), "");
    }
    EXPECT_EQ(one.file->kept().outbox, WindowFile::Outbox{});
    one.take(out.effects[1], out);
    EXPECT_EQ(one.file->load().ring_sequence, 48u);
  }
}

// Its bytes lie where the others do not: the one who is killed has written them, and they count or do not.
TEST(WindowPrepared, ProcessesOfAStepUnderWay) {
  for (const bool committed : {false, true}) {
    OneFile one;
    const std::vector<std::byte> first(3000, std::byte{1}), second(4000, std::byte{2}), third(4096, std::byte{3});
    ASSERT_TRUE(one.file->take({.outbox = {}, .processes = first}).ok());
    Output out;
    out.deliver().ring = {40, 1, 7};
    out.deliveries[0].seq = {1};
    ASSERT_TRUE(one.file->prepare(out.effects[0], out, one.protocol, {.outbox = WindowFile::Outbox{1, 2, 3}, .processes = second}).ok());
    one.file->claimed(640);
    one.file.reset();
    one.file = one.ground.open("w", one.shape);
    EXPECT_EQ(one.file->kept().processes, first);
    EXPECT_TRUE(one.file->load().told.empty());
    ASSERT_TRUE(WindowFile::finish_under_way(one.file, committed).ok());
    EXPECT_EQ(one.file->kept().processes, committed ? second : first);
    EXPECT_EQ(one.file->kept().outbox, committed ? (WindowFile::Outbox{1, 2, 3}) : WindowFile::Outbox{});
    EXPECT_EQ(one.file->load().told.size(), committed ? 1u : 0u);
    ASSERT_TRUE(one.file->take({.outbox = {}, .processes = third}).ok());
    EXPECT_EQ(one.file->kept().processes, third);
  }
}

}  // namespace
}  // namespace evs::runtime::uplink
