// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/sealing/format_test.cc - the bytes of the document, which vectors.py computes without us; and what is no packet.
#include <cstdlib>
#include <sstream>

#include "tests/support/golden.h"
#include "tests/unit/sealing/sealing_world.h"

namespace evs::runtime::sealing {
namespace {

constexpr HostId kHost = 7;
constexpr Life kLife{0x18a0b3c4d5e6f708, 0x1122334455667788};

GroupKey document_key() {
  GroupKey key;
  key.id = 3;
  for (size_t i = 0; i < kKeyBytes; ++i) key.secret.bytes[i] = static_cast<std::byte>(i);
  return key;
}

// The hex blocks of the document's section, without what is said beside them.
std::vector<std::string> drawn() {
  const std::string document = test::read_file(std::string(EVS_SOURCE_DIR) + "/docs/wire-format.md");
  std::istringstream lines(document.substr(document.find("## Sealed packets")));
  std::vector<std::string> blocks;
  bool within = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.substr(0, 3) == "```") {
      within = line == "```hex";
      if (within) blocks.emplace_back();
    } else if (within) {
      for (const char each : line.substr(0, line.find('#')))
        if (each != ' ') blocks.back() += each;
    }
  }
  return blocks;
}

Letter from_hex(const std::string& digits) {
  Letter bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) bytes.push_back(static_cast<std::byte>(std::strtoul(digits.substr(i, 2).c_str(), nullptr, 16)));
  return bytes;
}

// sealed, sealed in the next stretch, clear; the packet within is what the clear one ends with.
struct Document {
  std::vector<std::string> blocks = drawn();
  Letter packet = from_hex(blocks.at(2).substr(2 * kHeaderBytes));
};

TEST(Format, SealedAsDrawn) {
  const Document document;
  for (const auto& [counter, block] : {std::pair<uint64_t, size_t>{1, 0}, {uint64_t{1} << kStretchBits, 1}}) {
    Station host({.host = kHost, .life = kLife, .keys = Keyring(document_key()), .first_counter = counter});
    EXPECT_EQ(test::hex(host.say(document.packet)), document.blocks.at(block));
  }
}

TEST(Format, ClearAsDrawn) {
  const Document document;
  Station host({.host = kHost, .life = kLife, .keys = {}});
  EXPECT_EQ(test::hex(host.say(document.packet)), document.blocks.at(2));
  EXPECT_EQ(host.sealing->overhead(), 40u);
}

TEST(Format, WhatIsDrawnOpens) {
  const Document document;
  Station sealed({.host = 1, .life = {1, 2}, .keys = Keyring(document_key())}), clear({.host = 1, .life = {1, 2}, .keys = {}});
  for (size_t block : {0, 1, 2}) {
    Station& host = block == 2 ? clear : sealed;
    EXPECT_EQ(host.hear(from_hex(document.blocks.at(block))), Refusal::none);
    EXPECT_EQ(host.last, document.packet);
    EXPECT_EQ(host.sender, (ordering::Host{kHost, kLife.nonce}));
  }
}

TEST(Format, TheOverheadIsAConstant) {
  Station a({});
  EXPECT_EQ(a.sealing->overhead(), 56u);
  for (size_t bytes : {size_t{0}, size_t{1}, size_t{24}, size_t{1400}, kMostPacketBytes}) {
    const Letter letter = a.say(Letter(bytes));
    EXPECT_EQ(letter.size(), bytes + 56);
    Station b({.host = 2});
    EXPECT_EQ(b.hear(letter), Refusal::none) << bytes;
    EXPECT_EQ(b.last.size(), bytes);
  }
}

TEST(Format, TooBigIsRefusedAndNothingIsUsedUp) {
  Station a({});
  Letter packet(kMostPacketBytes + 1), room(packet.size() + 100);
  ToSeal large{packet, room};
  EXPECT_EQ(a.sealing->seal({&large, 1}), SealStatus::too_big);
  ToSeal cramped{Bytes(packet).first(100), std::span(room).first(155)};
  EXPECT_EQ(a.sealing->seal({&cramped, 1}), SealStatus::too_big);
  EXPECT_EQ(cramped.size, 0u);
  EXPECT_EQ(counter_of(a.say("next")), 1u);
  EXPECT_EQ(a.sealing->counts().sealed, 1u);
}

struct Spoilt {
  const char* what;
  size_t at;
  uint8_t value;
  Refusal refusal;
};

TEST(Format, WhatNobodyWritesIsNotLookedInto) {
  Station a({}), b({.host = 2});
  const Letter good = a.say("x");
  for (const Spoilt& spoilt : {Spoilt{"magic", 0, 'E', Refusal::foreign}, {"version", 4, 2, Refusal::version}, {"form", 5, 3, Refusal::foreign},
                               {"form 0", 5, 0, Refusal::foreign}, {"no key id", 6, 0, Refusal::foreign}, {"host 0", 8, 0, Refusal::foreign},
                               {"host beyond", 11, 1, Refusal::foreign}, {"reserved", 13, 1, Refusal::foreign}, {"counter 0", 32, 0, Refusal::foreign}}) {
    Letter letter = good;
    letter[spoilt.at] = static_cast<std::byte>(spoilt.value);
    EXPECT_EQ(b.hear(letter), spoilt.refusal) << spoilt.what;
  }
  for (size_t bytes = 0; bytes < good.size(); ++bytes)
    EXPECT_EQ(b.hear(Letter(good.begin(), good.begin() + static_cast<ptrdiff_t>(bytes))), bytes < 56 ? Refusal::too_short : Refusal::tag) << bytes;
  EXPECT_EQ(b.sealing->senders(), 0u);
  EXPECT_EQ(b.hear(good), Refusal::none);
}

TEST(Format, NoBitOfAPacketCanBeChanged) {
  Station a({}), b({.host = 2});
  const Letter good = a.say("some words");
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Letter letter = good;
    letter[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    EXPECT_NE(b.hear(letter), Refusal::none) << bit;
  }
  EXPECT_EQ(b.sealing->senders(), 0u);
  EXPECT_EQ(b.sealing->counts().opened, 0u);
  EXPECT_EQ(b.hear(good), Refusal::none);
}

}  // namespace
}  // namespace evs::runtime::sealing
