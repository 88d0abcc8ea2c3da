// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_golden_test.cc - a window file's bytes are those of docs/stored-state.md.
#include <gmock/gmock.h>

#include "bus/runtime/uplink/window_papers.h"
#include "tests/support/golden.h"
#include "tests/unit/uplink/window_ground.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;
using testing::HasSubstr;

std::string without_blanks(const std::string& text) {
  std::string dense;
  for (const char c : text)
    if (c != ' ' && c != '\n') dense += c;
  return dense;
}
std::string document() { return without_blanks(test::read_file(EVS_SOURCE_DIR "/docs/stored-state.md")); }

TEST(WindowGolden, Papers) {
  StoredState state;
  state.ring_sequence = 40;
  state.lives = {7, 8};
  state.ring = {40, 1, 8};
  state.members = {{1, 8}, {2, 9}};
  state.transitional_told = true;
  state.ending = Ending{{44, 2, 9}, {{1, 8}}, {{1, 8}}, {}, Seq{5}, Seq{3}};
  std::vector<std::byte> bytes;
  window::encode(state, bytes);
  EXPECT_THAT(document(), HasSubstr(test::hex(bytes)));
  StoredState again;
  ASSERT_TRUE(window::decode(bytes, again));
  EXPECT_EQ(difference(state, again), "");
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(window::decode(Bytes(bytes).first(size), again)) << size;
}

TEST(WindowGolden, Header) {
  const window::Geometry g = window::Geometry::of({8, 300, 5000, 4096});
  const window::Header header = window::header_of(g, 0x1122334455667788, "01234567-89ab-cdef-0123-456789abcdef");
  EXPECT_EQ(test::hex(std::as_bytes(std::span(&header, 1))).substr(0, 192),
            "65767377696e3100" "02000000" "68000000" "0028180000000000" "8877665544332211"
            "08000000" "2c010000" "88130000" "00100000" "40010000" "20110000"
            "30313233343536372d383961622d636465662d303132332d34353637383961626364656600000000");
  EXPECT_EQ(g.places, 16u);
  EXPECT_EQ(g.slot_bytes, 320u);
  EXPECT_EQ(g.journal_room, 16u + 832u);
  EXPECT_EQ(g.papers_at % 4096, 0u);
  EXPECT_EQ(g.tables_at, g.papers_at + 2 * 65536);
  EXPECT_EQ(g.told_at, g.tables_at + 2 * (256 * 32 + 16 * 16));
  EXPECT_EQ(g.slots_at, g.processes_at + 2 * 4096);
  EXPECT_EQ(g.file_bytes, g.slots_at + uint64_t{g.slot_count} * 320);
}

// By the document alone: a file written here is read by the library.
TEST(WindowGolden, WordsPlacesAndAPreparedStep) {
  const WindowFile::Shape shape{8, 300, 1u << 20, 4096};
  const window::Geometry g = window::Geometry::of(shape);
  WindowGround ground;
  const Protocol protocol{Settings{.self = {1, 7}}};
  auto file = ground.open("w", shape);
  Output out;
  const RingId ring{40, 1, 7};
  out.configure({true, ring, ring, {{1, 7}}});
  out.store_window(ring, Seq{17}, {}, 0);
  for (const uint32_t index : {0u, 2u}) {
    Delivery& delivery = out.deliver();
    delivery.ring = ring;
    delivery.seq = Seq{18};
    delivery.index = index;
  }
  for (const Effect& effect : out.effects) ASSERT_TRUE(file->take(effect, out, protocol).ok());
  ASSERT_TRUE(file->take({.outbox = WindowFile::Outbox{0x1000, 2, 9}, .processes = {}}).ok());
  out.clear();
  out.deliver().ring = ring;
  out.deliveries[0].seq = Seq{19};
  ASSERT_TRUE(file->prepare(out.effects[0], out, protocol).ok());
  file->claimed(0x2000);
  const std::string bytes = test::read_file(ground.path() + "/w");
  const auto hex_at = [&](uint64_t at, size_t count) { return test::hex(std::as_bytes(std::span(bytes)).subspan(at, count)); };
  EXPECT_EQ(hex_at(512, 24), "1100000000000000" "1200000000000000" "0100000000000000");
  EXPECT_EQ(hex_at(552, 24), "0010000000000000" "0200000000000000" "0900000000000000");
  EXPECT_EQ(hex_at(576, 16), "0020000000000000" "0400000000000000") << "claimed; one more than three words are prepared";
  const auto entry = [](uint64_t at, uint64_t value) {
    const uint64_t words[] = {at, value};
    return test::hex(std::as_bytes(std::span(words)));
  };
  // Told in order up to 19; of place 3 the bits, and up to which one they count.
  EXPECT_EQ(hex_at(4096, 16), "00000000000000000000000000000000");
  EXPECT_EQ(hex_at(4112, 16), "0802000000000000" "1300000000000000");
  EXPECT_EQ(hex_at(4128, 16), entry(g.told_at + 3 * 128, 1));
  const uint64_t told = g.tables_at + g.table_bytes + 256 * 32 + 3 * 16 + 8;
  EXPECT_EQ(hex_at(4144, 16), entry(told, 0x10001));
  // Place 2 of the table that counts: told, and of no frame.
  const uint64_t place = g.tables_at + g.table_bytes + 256 * 32 + 2 * 16;
  EXPECT_EQ(hex_at(place, 16), "0000000000000000" "0300010000000000");
  EXPECT_EQ(hex_at(g.told_at + 2 * 128, 8), "0500000000000000");
  EXPECT_THAT(document(), HasSubstr("0500000100000000" + hex_at(place + 8, 8)));
}

}  // namespace
}  // namespace evs::runtime::uplink
