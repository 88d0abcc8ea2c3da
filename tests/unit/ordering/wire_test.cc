// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/wire_test.cc - packets to bytes and back: the bytes are those of the document, what comes back is what went out,
// and no packet has two forms.
//
// EVS_SEED=n replays one seed of the random stories alone; EVS_LONG=1 runs many more.
#include "bus/ordering/wire.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bus/ordering/little_endian.h"
#include "bus/ordering/wire_layout.h"
#include "tests/support/golden.h"
#include "tests/support/seeds.h"
#include "tests/unit/ordering/wire_again.h"
#include "tests/unit/ordering/wire_dice.h"
#include "tests/unit/ordering/wire_samples.h"

namespace evs::ordering::wire {
namespace {

using test::hex;
using test::read_file;

// Into a vector that holds something already, and back.
template <typename Said>
Packet round_trip(const Host& sender, const Said& said) {
  const Packet before(3, std::byte{0x5a});
  Packet out = before;
  EXPECT_TRUE(encode(sender, said, out));
  EXPECT_TRUE(std::equal(before.begin(), before.end(), out.begin()));
  out.erase(out.begin(), out.begin() + before.size());
  Envelope envelope;
  EXPECT_EQ(decode(out, envelope), Malformed::none);
  EXPECT_EQ(envelope.sender, sender);
  Said heard;
  EXPECT_EQ(decode(out, heard), Malformed::none);
  EXPECT_TRUE(same(said, heard));
  EXPECT_TRUE(again(out).consistent);
  return out;
}

std::vector<Packet> one_of_each(Dice& dice) {
  Packet pieces, before;
  std::vector<Packet> all;
  const Data data = dice.data(pieces);
  all.push_back(round_trip(dice.host(), data));
  EXPECT_TRUE(pieces_again(data));
  all.push_back(round_trip(dice.host(), dice.recovered(before)));
  all.push_back(round_trip(dice.host(), dice.token()));
  all.push_back(round_trip(dice.host(), dice.join()));
  all.push_back(round_trip(dice.host(), dice.commit()));
  all.push_back(round_trip(dice.host(), Probe{dice.ring()}));
  all.push_back(round_trip(dice.host(), HoldCancel{dice.ring()}));
  return all;
}

TEST(Wire, EachSampleHasTheBytesOfTheDocument) {
  const std::string document = read_file(std::filesystem::path(EVS_SOURCE_DIR) / "docs/wire-format.md");
  std::string drawn;  // the document's hex blocks, without what is said beside them
  std::istringstream lines(document);
  for (std::string line; std::getline(lines, line);)
    for (const char each : line.substr(0, line.find('#')))
      if (each != ' ') drawn += each;
  for (const Sample& sample : samples()) {
    EXPECT_EQ(hex(sample.bytes), sample.hex) << sample.name;
    EXPECT_NE(drawn.find(sample.hex), std::string::npos) << sample.name << " is not in the document";
  }
}

TEST(Wire, WhatGoesOutComesBack) {
  test::for_each_seed<Dice>([](Dice& dice) { one_of_each(dice); });
}

TEST(Wire, APacketCutAnywhereIsRefused) {
  test::for_each_seed<Dice>([](Dice& dice) {
    const std::vector<Packet> all = one_of_each(dice);
    const Packet& packet = all[dice.below(all.size())];
    // In memory of its own, so that a sanitizer sees who reads on; a large one in every seventh length, to come to an end.
    const size_t step = packet.size() < 3000 ? 1 : 7;
    for (size_t length = 0; length < packet.size(); length += step) {
      Packet cut(packet.begin(), packet.begin() + length);
      EXPECT_EQ(again(cut).why, Malformed::truncated) << length;
      // The same with a header that tells the truth about the length.
      if (length < kHeaderBytes) continue;
      store_little(cut.data() + 12, static_cast<uint32_t>(length));
      const Verdict verdict = again(cut);
      EXPECT_NE(verdict.why, Malformed::none) << length;
      EXPECT_TRUE(verdict.consistent) << length;
    }
  });
}

TEST(Wire, AByteTooManyIsRefused) {
  for (const Sample& sample : samples()) {
    Packet longer = sample.bytes;
    longer.push_back(std::byte{0});
    EXPECT_EQ(again(longer).why, Malformed::length) << sample.name;
    longer[12] = static_cast<std::byte>(longer.size());
    EXPECT_EQ(again(longer).why, Malformed::length) << sample.name;
  }
}

TEST(Wire, AChangedByteIsRefusedOrIsAnotherPacketInItsOneForm) {
  for (const Sample& sample : samples()) {
    for (size_t at = 0; at < sample.bytes.size(); ++at) {
      Packet changed = sample.bytes;
      for (int value = 0; value < 256; ++value) {
        changed[at] = static_cast<std::byte>(value);
        EXPECT_TRUE(again(changed).consistent) << sample.name << " byte " << at << " = " << value;
      }
    }
  }
  test::for_each_seed<Dice>([](Dice& dice) {
    for (Packet& packet : one_of_each(dice)) {
      for (int i = 0; i < 40; ++i) {
        const size_t at = dice.below(packet.size());
        const auto change = static_cast<std::byte>(dice.coin() ? 1 + dice.below(255) : 1 << dice.below(8));
        packet[at] ^= change;
        EXPECT_TRUE(again(packet).consistent) << "byte " << at << " ^ " << std::to_integer<int>(change);
        packet[at] ^= change;
      }
    }
  });
}

TEST(Wire, OnlyTheRoundChangesWhenAFrameIsSaidAgain) {
  Packet pieces = sample_pieces(), first, second;
  Data data = sample_data(pieces);
  ASSERT_TRUE(encode(kSeven, data, first));
  set_round(first, 0x0102030405060708);
  data.round = 0x0102030405060708;
  ASSERT_TRUE(encode(kSeven, data, second));
  EXPECT_EQ(first, second);
  Packet stump(kDataHeaderBytes - 1);
  set_round(stump, UINT64_MAX);
  EXPECT_EQ(stump, Packet(kDataHeaderBytes - 1));
}

// Packets with a fault of a known shape, which take a fuzzer long to come upon.
std::vector<Sample> hostile() {
  const std::vector<Sample> good = samples();
  const auto changed = [&good](size_t which, size_t at, uint32_t value) {
    Packet packet = good[which].bytes;
    store_little(packet.data() + at, value);
    return packet;
  };
  const Packet& commit = good[4].bytes;
  Packet cut(commit.begin(), commit.begin() + kDataHeaderBytes);
  store_little(cut.data() + 12, static_cast<uint32_t>(cut.size()));
  Data outer = sample_recovered(good[1].bytes);
  ++outer.ring.sequence;
  Packet nest;
  encode(kSeven, outer, nest);
  return {{"commit_that_ends_early", cut, ""},
          {"join_counts_that_wrap", changed(3, 24, 0xffff'0003), ""},
          {"piece_length_that_wraps", changed(0, kDataHeaderBytes, 0xffff'fff8), ""},
          {"range_that_wraps", changed(2, kTokenBytes + 8, 0xffff'ffff), ""},
          {"recovered_in_recovered", nest, ""},
          {"token_count_that_wraps", changed(2, 80, 0x1000'0002), ""}};
}

// The fuzzer starts from these. EVS_WRITE_CORPUS=1 writes them anew.
TEST(Wire, TheFuzzersCorpusHoldsEachSample) {
  const std::filesystem::path corpus = std::filesystem::path(EVS_SOURCE_DIR) / "tests/fuzz/corpus/wire";
  std::vector<Sample> all = samples();
  for (const Sample& each : hostile()) {
    EXPECT_NE(again(each.bytes).why, Malformed::none) << each.name;
    all.push_back(each);
  }
  for (const Sample& sample : all) {
    const std::string bytes(reinterpret_cast<const char*>(sample.bytes.data()), sample.bytes.size());
    if (std::getenv("EVS_WRITE_CORPUS") != nullptr) std::ofstream(corpus / sample.name, std::ios::binary) << bytes;
    EXPECT_EQ(read_file(corpus / sample.name), bytes) << sample.name;
  }
}

}  // namespace
}  // namespace evs::ordering::wire
