// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/ordered_wire_test.cc - packets over an ordered medium: the bytes are those of docs/wire-format.md, and no packet has two forms.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bus/ordering/little_endian.h"
#include "tests/support/golden.h"
#include "tests/unit/ordering/ordered_again.h"
#include "tests/unit/ordering/wire_samples.h"

namespace evs::ordering::wire {
namespace {

using test::hex;
using test::read_file;

// The bytes were written down by a program that knows the document and not our code.
std::vector<Sample> ordered_samples() {
  const std::vector<std::byte> pieces = sample_pieces();
  OrderedFrame frame;
  frame.ring = kOldRing;
  frame.service = Service::safe;
  frame.change = true;
  frame.piece_count = 2;
  frame.acknowledged = {290};
  frame.changes = 2;
  frame.number = 40;
  frame.payload = pieces;
  std::vector<Sample> all{
      {"ordered_frame", {},
       "65767331011001000700000073000000887766554433221103000000030002000500000000000000a8a7a6a5a4a3a2a1"
       "220100000000000002000000000000002800000000000000050000000200000068656c6c6f0600000001000000090000"
       "00000000000100000088130000776f726c6421"},
      {"ordered_acknowledgement", {},
       "65767331011100000700000038000000887766554433221103000000000000000500000000000000a8a7a6a5a4a3a2a1"
       "2201000000000000"},
      {"ordered_state", {},
       "65767331011200000700000040000000887766554433221103000000000000000500000000000000a8a7a6a5a4a3a2a1"
       "09000000000000002201000000000000"}};
  EXPECT_TRUE(encode(kSeven, frame, all[0].bytes));
  EXPECT_TRUE(encode(kSeven, Acknowledgement{kOldRing, {290}}, all[1].bytes));
  EXPECT_TRUE(encode(kSeven, State{kOldRing, 9, {290}}, all[2].bytes));
  return all;
}

TEST(OrderedWire, EachSampleHasTheBytesOfTheDocument) {
  std::istringstream lines(read_file(std::filesystem::path(EVS_SOURCE_DIR) / "docs/wire-format.md"));
  std::string drawn;
  for (std::string line; std::getline(lines, line);)
    for (const char each : line.substr(0, line.find('#')))
      if (each != ' ') drawn += each;
  for (const Sample& sample : ordered_samples()) {
    EXPECT_EQ(hex(sample.bytes), sample.hex) << sample.name;
    EXPECT_NE(drawn.find(sample.hex), std::string::npos) << sample.name << " is not in the document";
    EXPECT_EQ(ordered_again(sample.bytes).why, Malformed::none) << sample.name;
    EXPECT_EQ(again(sample.bytes).why, Malformed::type) << "nothing for a token ring";
  }
  for (const Sample& sample : samples()) EXPECT_EQ(ordered_again(sample.bytes).why, Malformed::type) << sample.name;
}

TEST(OrderedWire, CutAnywhereOrAByteTooLongIsRefused) {
  for (const Sample& sample : ordered_samples()) {
    for (size_t length = 0; length < sample.bytes.size(); ++length) {
      std::vector<std::byte> cut(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_EQ(ordered_again(cut).why, Malformed::truncated);
      if (length < kHeaderBytes) continue;
      store_little(cut.data() + 12, static_cast<uint32_t>(length));
      EXPECT_NE(ordered_again(cut).why, Malformed::none) << sample.name << " of " << length;
      EXPECT_TRUE(ordered_again(cut).consistent);
    }
    std::vector<std::byte> longer = sample.bytes;
    longer.push_back(std::byte{0});
    EXPECT_EQ(ordered_again(longer).why, Malformed::length);
    longer[12] = static_cast<std::byte>(longer.size());
    EXPECT_EQ(ordered_again(longer).why, Malformed::length);
  }
}

TEST(OrderedWire, AChangedByteIsRefusedOrIsAnotherPacketInItsOneForm) {
  for (const Sample& sample : ordered_samples())
    for (size_t at = 0; at < sample.bytes.size(); ++at) {
      std::vector<std::byte> changed = sample.bytes;
      for (int value = 0; value < 256; ++value) {
        changed[at] = static_cast<std::byte>(value);
        EXPECT_TRUE(ordered_again(changed).consistent) << sample.name << " byte " << at << " = " << value;
      }
    }
}

TEST(OrderedWire, EachBoundIsAsked) {
  const auto changed = [](size_t which, size_t at, uint64_t value, size_t bytes) {
    std::vector<std::byte> packet = ordered_samples()[which].bytes;
    for (size_t i = 0; i < bytes; ++i) packet[at + i] = static_cast<std::byte>(value >> (8 * i));
    return ordered_again(packet).why;
  };
  EXPECT_EQ(changed(0, 6, 2, 2), Malformed::range) << "an unknown flag";
  EXPECT_EQ(changed(1, 6, 1, 2), Malformed::range) << "a frame's flag";
  EXPECT_EQ(changed(0, 8, 0, 4), Malformed::range) << "no host";
  EXPECT_EQ(changed(0, 24, 0, 4), Malformed::range) << "no representative";
  EXPECT_EQ(changed(0, 28, 4, 1), Malformed::range) << "no service";
  EXPECT_EQ(changed(0, 29, 1, 1), Malformed::range) << "reserved";
  EXPECT_EQ(changed(0, 30, 0, 2), Malformed::range) << "no piece";
  EXPECT_EQ(changed(0, 30, 3, 2), Malformed::length) << "more pieces than there are";
  EXPECT_EQ(changed(0, 32, 0, 8), Malformed::range) << "no sequence";
  EXPECT_EQ(changed(0, 64, 0, 8), Malformed::range) << "no number";
  EXPECT_EQ(changed(0, 72, 0xffff'fff8, 4), Malformed::length) << "a piece whose length wraps";
  EXPECT_EQ(changed(1, 28, 1, 4), Malformed::range) << "reserved";
  EXPECT_EQ(changed(1, 48, 0, 8), Malformed::range) << "acknowledges nothing";
  EXPECT_EQ(changed(2, 28, 1, 4), Malformed::range) << "reserved";
  EXPECT_EQ(changed(0, 32, kMaxSequence + 1, 8), Malformed::range) << "beyond the last sequence";
  EXPECT_EQ(changed(2, 48, kMaxSequence, 8), Malformed::none);
  EXPECT_EQ(changed(2, 48, kMaxSequence + 1, 8), Malformed::range) << "beyond the last sequence";
  EXPECT_EQ(changed(2, 48, 5, 8), Malformed::range) << "proposes what it has";
}

// As in wire_test.cc; EVS_WRITE_CORPUS=1 writes them anew.
TEST(OrderedWire, TheFuzzersCorpusHoldsEachSample) {
  const std::filesystem::path corpus = std::filesystem::path(EVS_SOURCE_DIR) / "tests/fuzz/corpus/wire";
  for (const Sample& sample : ordered_samples()) {
    const std::string bytes(reinterpret_cast<const char*>(sample.bytes.data()), sample.bytes.size());
    if (std::getenv("EVS_WRITE_CORPUS") != nullptr) std::ofstream(corpus / sample.name, std::ios::binary) << bytes;
    EXPECT_EQ(read_file(corpus / sample.name), bytes) << sample.name;
  }
}

}  // namespace
}  // namespace evs::ordering::wire
