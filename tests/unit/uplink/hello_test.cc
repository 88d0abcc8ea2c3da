// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/hello_test.cc - the bytes are those of docs/wire-format.md, and no hello has two forms.
#include "bus/runtime/uplink/hello.h"

#include <gtest/gtest.h>

#include "tests/support/golden.h"
#include "tests/unit/uplink/hello_sample.h"

namespace evs::runtime::uplink {
namespace {

std::vector<std::byte> bytes_of(const Hello& hello, size_t bytes = 0) {
  std::vector<std::byte> packet;
  encode(hello, bytes, packet);
  return packet;
}

// The document's block in the section, without comments and spaces.
std::string drawn() {
  const std::string document = test::read_file(std::filesystem::path(EVS_SOURCE_DIR) / "docs/wire-format.md");
  const size_t section = document.find("\n## Hellos"), begin = document.find("```hex\n", section), end = document.find("```", begin + 7);
  std::string digits;
  std::istringstream lines(document.substr(begin + 7, end - begin - 7));
  for (std::string line; std::getline(lines, line);)
    for (const char c : line.substr(0, line.find('#')))
      if (c != ' ') digits += c;
  return digits;
}

TEST(Hello, IsAsTheDocumentDrawsIt) {
  EXPECT_EQ(test::hex(bytes_of(sample_hello())), kSampleHelloHex);
  EXPECT_EQ(drawn(), kSampleHelloHex);
}

TEST(Hello, ComesBackAsItWas) {
  Hello hello = sample_hello(), back;
  ASSERT_TRUE(decode(bytes_of(hello), back));
  EXPECT_EQ(back, hello);
  hello.large = true;
  const std::vector<std::byte> large = bytes_of(hello, 1400);
  EXPECT_EQ(large.size(), 1400u);
  ASSERT_TRUE(decode(large, back));
  EXPECT_EQ(back, hello);
}

TEST(Hello, OfAsManyHostsAsARingHasFitsIntoAFrame) {
  Hello hello, back;
  for (ordering::HostId id = 1; id <= ordering::kMaxHosts + 10; ++id) hello.heard.push_back({id, true, true});
  const std::vector<std::byte> packet = bytes_of(hello);
  EXPECT_LE(packet.size(), 1400u);
  ASSERT_TRUE(decode(packet, back));
  EXPECT_EQ(back.heard.size(), ordering::kMaxHosts);
}

TEST(Hello, WhatNobodyWritesIsRefused) {
  const std::vector<std::byte> good = bytes_of(sample_hello());
  const auto refused = [&](size_t at, uint8_t value) {
    std::vector<std::byte> packet = good;
    packet.at(at) = std::byte{value};
    Hello hello = sample_hello();
    return !decode(packet, hello) && hello == Hello{};
  };
  EXPECT_TRUE(refused(0, 'x'));
  EXPECT_TRUE(refused(4, 4)) << "a flag that nobody knows";
  EXPECT_TRUE(refused(5, 1));
  EXPECT_TRUE(refused(6, 3)) << "more hosts than there are";
  EXPECT_TRUE(refused(6, 1)) << "and fewer: bytes are left over";
  EXPECT_TRUE(refused(7, 2)) << "more than a hello has";
  EXPECT_TRUE(refused(12, 0)) << "no host";
  EXPECT_TRUE(refused(15, 0x40)) << "of a host";
  EXPECT_TRUE(refused(16, 3)) << "one host twice";
  Hello hello;
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(decode(ordering::Bytes(good).first(size), hello)) << size;
  Hello large = sample_hello();
  large.large = true;
  std::vector<std::byte> filled = bytes_of(large, 100);
  filled[99] = std::byte{1};
  EXPECT_FALSE(decode(filled, hello)) << "filled with zeros and nothing else";
}

}  // namespace
}  // namespace evs::runtime::uplink
