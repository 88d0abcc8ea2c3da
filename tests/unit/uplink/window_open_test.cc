// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_open_test.cc - which window files are taken, which are begun anew, which are refused; and what nobody may do by writing into one.
#include <gmock/gmock.h>

#include "tests/unit/uplink/window_one_file.h"
#include "tests/unit/uplink/window_world.h"

namespace evs::runtime::uplink {
namespace {

using ordering::Output;
using ordering::Protocol;
using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

TEST(WindowOpen, WhatIsThereIsGoneOnWith) {
  OneFile one;
  const ordering::StoredState before = one.file->load();
  EXPECT_EQ(before.ring, (ordering::RingId{40, 1, 7}));
  EXPECT_EQ(one.refusal(), "ok");
  EXPECT_EQ(difference(one.ground.open("w", one.shape)->load(), before), "");
}

TEST(WindowOpen, OfAnotherBuildsFileTheSequenceAndTheLivesAreKept) {
  OneFile one;
  ASSERT_TRUE(one.file->take({.outbox = WindowFile::Outbox{1, 2, 3}, .processes = {}}).ok());
  one.file.reset();
  for (uint32_t frames : {8u, 16u}) {  // of another shape as well
    one.shape.store_frames = frames;
    const auto file = one.ground.open("w", one.shape, 1 + frames);
    ordering::StoredState expected;
    expected.ring_sequence = 40;
    expected.lives = {7};
    EXPECT_EQ(difference(file->load(), expected), "");
    EXPECT_EQ(file->kept().outbox, WindowFile::Outbox{});
  }
}

TEST(WindowOpen, OneFromBeforeTheLastBootIsBegunAnew) {
  OneFile one;
  window::Header header = one.header();
  header.boot_id[0] = header.boot_id[0] == 'a' ? 'b' : 'a';
  one.put(header);
  EXPECT_EQ(one.refusal(), "ok");
  EXPECT_EQ(difference(one.ground.open("w", one.shape)->load(), {}), "");
}

TEST(WindowOpen, WhoWasKilledWhileItBuiltOneLeavesNothingInTheWay) {
  WindowGround ground;
  std::ofstream(ground.path() + "/w.new") << "half";
  EXPECT_EQ(ground.refusal("w", {}), "ok");
  EXPECT_FALSE(fs::exists(ground.path() + "/w.new"));
  EXPECT_EQ(fs::status(ground.path() + "/w").permissions(), fs::perms{0600});
}

TEST(WindowOpen, WhatCannotBeUsedIsRefusedWithTheWayOut) {
  const auto way_out = [](const std::string& why) { return AllOf(HasSubstr("/w"), HasSubstr(why), HasSubstr("remove")); };
  const auto spoilt = [](const std::function<void(OneFile&)>& spoil) {
    OneFile one;
    spoil(one);
    return one.refusal();
  };
  const auto in_header = [&](const std::function<void(window::Header&)>& change) {
    return spoilt([&](OneFile& one) {
      window::Header header = one.header();
      change(header);
      one.put(header);
    });
  };
  EXPECT_THAT(spoilt([](OneFile& one) { std::ofstream(one.path()) << "something else"; }), way_out("shorter than its header"));
  EXPECT_THAT(spoilt([](OneFile& one) { one.put(0, 1); }), way_out("magic"));
  EXPECT_THAT(spoilt([](OneFile& one) { one.put(24, 1234); }), way_out("its header is damaged"));
  EXPECT_THAT(spoilt([](OneFile& one) { fs::resize_file(one.path(), fs::file_size(one.path()) - 4096); }), way_out("and should have"));
  EXPECT_THAT(in_header([](window::Header& header) { header.version = 3; }), way_out("has version 3, this library has 2"));
  EXPECT_THAT(in_header([](window::Header& header) { header.store_frames = 3; }), way_out("its geometry is impossible"));
  EXPECT_THAT(in_header([](window::Header& header) { header.slot_count += 1; }), way_out("its geometry does not add up"));
  EXPECT_THAT(in_header([](window::Header& header) { header.file_bytes += 1; }), way_out("its geometry does not add up"));
  EXPECT_THAT(spoilt([](OneFile& one) { one.put(window::kJournal, 1u << 20); }), way_out("its journal is longer"));
  EXPECT_THAT(spoilt([](OneFile& one) {
                one.put(window::kJournalEntries, 8);
                one.put(window::kJournal, 1);
              }),
              way_out("its journal names a place"));
  EXPECT_THAT(spoilt([](OneFile& one) { one.put(window::kPapers, UINT64_MAX); }), way_out("rings and lives"));
  EXPECT_THAT(spoilt([](OneFile& one) { one.put(window::kProcesses, UINT64_MAX); }), way_out("processes"));
  EXPECT_THAT(spoilt([](OneFile& one) { one.put(window::kPrepared, 1u << 20); }), way_out("its journal is longer"));
  for (const uint64_t place : {uint64_t{8}, window::kPrepared, window::kClaimed, window::kJournal})
    EXPECT_THAT(spoilt([&](OneFile& one) {
                  one.put(window::kJournalEntries, place);
                  one.put(window::kPrepared, 2);
                }),
                way_out("its journal names a place"))
        << place;
  EXPECT_THAT(spoilt([](OneFile& one) { one.put(window::kForgotten, UINT64_MAX); }), way_out("beyond any ring's end"));
  EXPECT_THAT(spoilt([](OneFile& one) { one.shape.message_limit = 5000; }), way_out("other sizes"));
  EXPECT_THAT(spoilt([](OneFile& one) { fs::permissions(one.path(), fs::perms{0666}); }), way_out("others may write"));
  EXPECT_THAT(spoilt([](OneFile& one) { one.shape.store_frames = 3; }), HasSubstr("store_frames is 3: it must be a power of two"));
}

// Random words of random files: whatever stands there, it is refused, or read within its bounds, and may be gone on with.
TEST(WindowOpen, NoBytesLeadOutOfTheFile) {
  test::Dice dice(3);
  WindowWorld world(3);
  world.compared = false;
  world.run(2500);
  const window::Geometry g = window::Geometry::of(world.shape());
  const std::string from = world.ground().path() + "/bus1.window", to = world.ground().path() + "/spoilt";
  uint32_t taken = 0, refused = 0, finished = 0, not_finished = 0;
  for (uint32_t i = 0; i < (std::getenv("EVS_LONG") != nullptr ? 20000u : 600u); ++i) {
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
    {
      std::fstream stream(to, std::ios::binary | std::ios::in | std::ios::out);
      const auto put = [&](uint64_t at, uint64_t value) {
        stream.seekp(static_cast<std::streamoff>(at / 8 * 8));
        stream.write(reinterpret_cast<const char*>(&value), sizeof value);
      };
      const uint64_t prepared = dice.one_in(2) ? dice.between(1, 12) : 0;
      for (uint64_t n = 0; n + 1 < prepared; ++n) {
        const bool is_word = dice.one_in(2);
        put(window::kJournalEntries + 16 * n, is_word ? dice.between(window::kForgotten, window::kClaimed - 1) / 8 * 8 : g.tables_at + dice.below(2 * g.table_bytes) / 8 * 8);
        put(window::kJournalEntries + 16 * n + 8, dice.one_in(2) ? dice.below(1000) : dice.next());
      }
      if (prepared != 0) put(window::kPrepared, prepared);
      for (uint64_t n = dice.between(1, 40); n != 0; --n) {
        const uint64_t areas[] = {dice.between(window::kForgotten, window::kWordsEnd - 8), g.tables_at + dice.below(2 * g.table_bytes),
                                  g.slot_at(static_cast<uint32_t>(dice.below(80))), g.papers_at + dice.below(300), window::kJournal + dice.below(64)};
        const uint64_t at = areas[dice.one_in(10) ? dice.below(5) : dice.between(1, 2)];
        uint64_t value = dice.one_in(2) ? dice.next() : dice.below(300);
        if (dice.one_in(3)) value = value << 32 | dice.below(400);
        put(at, value);
      }
    }
    std::unique_ptr<WindowFile> file;
    if (!world.ground().try_open("spoilt", world.shape(), 1, file).ok()) {
      ++refused;
      continue;
    }
    if (file->under_way()) {
      if (!WindowFile::finish_under_way(file, !dice.one_in(4)).ok()) {
        EXPECT_FALSE(file);
        ++not_finished;
        continue;
      }
      ++finished;
      EXPECT_FALSE(file->under_way());
    }
    ++taken;
    const ordering::StoredState state = file->load();
    file->kept();
    Output out;
    out.store_window(state.ring, ordering::Seq{state.forgotten.value + dice.below(200)}, {}, 0);
    out.configure({true, {1u << 20, 1, 7}, {1u << 20, 1, 7}, {{1, 7}}});
    ordering::Settings settings;
    settings.message_limit = world.shape().message_limit;
    const Protocol protocol(settings);
    for (const Effect& effect : out.effects) EXPECT_TRUE(file->take(effect, out, protocol).ok());
    EXPECT_TRUE(file->load().frames.empty());
  }
  EXPECT_GT(taken, 20u);
  EXPECT_GT(refused, 20u);
  EXPECT_GT(finished, 5u);
  EXPECT_GT(not_finished, 5u);
}

TEST(WindowOpen, ProcessesAreKeptAsTheyWereGiven) {
  OneFile one;
  std::vector<std::byte> bytes(4097, std::byte{5});
  EXPECT_EQ(one.file->take({.outbox = {}, .processes = bytes}).code, shm::Code::too_big);
  EXPECT_TRUE(one.file->kept().processes.empty());
  for (const size_t size : {4096u, 10u, 0u, 3000u}) {
    bytes.resize(size);
    ASSERT_TRUE(one.file->take({.outbox = {}, .processes = bytes}).ok());
    EXPECT_EQ(one.file->kept().processes, bytes);
    one.file.reset();
    one.file = one.ground.open("w", one.shape);
    EXPECT_EQ(one.file->kept().processes, bytes);
  }
}

}  // namespace
}  // namespace evs::runtime::uplink
