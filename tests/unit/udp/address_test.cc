// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/address_test.cc - addresses as people write them.
#include "plugins/udp/address.h"

#include <gtest/gtest.h>

namespace evs::udp {
namespace {

std::string read(const std::string& text) {
  const auto address = Address::parse(text, 5410);
  return address ? address->text() : "refused";
}

TEST(Address, WithAndWithoutAPort) {
  EXPECT_EQ(read("10.0.0.1"), "10.0.0.1:5410");
  EXPECT_EQ(read("10.0.0.1:7"), "10.0.0.1:7");
  EXPECT_EQ(read("fd00::1"), "[fd00::1]:5410");
  EXPECT_EQ(read("[fd00::1]"), "[fd00::1]:5410");
  EXPECT_EQ(read("[FD00:0::1]:65535"), "[fd00::1]:65535");
  EXPECT_EQ(read("::ffff:10.0.0.1"), "[::ffff:10.0.0.1]:5410");
}

TEST(Address, WhatIsNoneIsRefused) {
  for (const char* text : {"", "localhost", "10.0.0", "10.0.0.256", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:5x", "10.0.0.1:-1",
                           "[10.0.0.1]:5", "[fd00::1", "[fd00::1]5", "[fd00::1]:", "fd00::1::2", "10.0.0.1 ", " 10.0.0.1", "[]:5", ":5",
                           "fe80::1%eth0"})
    EXPECT_EQ(read(text), "refused") << text;
}

TEST(Address, EqualWhateverTheScope) {
  sockaddr_in6 one{}, other{};
  one.sin6_family = other.sin6_family = AF_INET6;
  one.sin6_addr.s6_addr[0] = other.sin6_addr.s6_addr[0] = 0xfe;
  one.sin6_addr.s6_addr[1] = other.sin6_addr.s6_addr[1] = 0x80;
  one.sin6_scope_id = 2;
  other.sin6_scope_id = 7;  // the interface came back under another number
  other.sin6_flowinfo = 1;
  const auto a = Address::of(reinterpret_cast<sockaddr*>(&one)), b = Address::of(reinterpret_cast<sockaddr*>(&other));
  ASSERT_TRUE(a && b);
  EXPECT_TRUE(*a == *b);
  EXPECT_EQ(a->hash(3), b->hash(3));
  EXPECT_TRUE(a->is_link_local());
}

TEST(Address, ItsParts) {
  const Address group = *Address::parse("239.1.2.3", 9), host = *Address::parse("10.0.0.1", 9), group6 = *Address::parse("ff15::1", 9);
  EXPECT_TRUE(group.is_multicast());
  EXPECT_TRUE(group6.is_multicast());
  EXPECT_FALSE(host.is_multicast());
  EXPECT_TRUE(Address::parse("0.0.0.0", 9)->is_wildcard());
  EXPECT_TRUE(Address::parse("::", 9)->is_wildcard());
  EXPECT_FALSE(host == host.with_port(10));
  EXPECT_TRUE(host.same_host(host.with_port(10)));
  EXPECT_TRUE(Address().empty());
  sockaddr other{};
  other.sa_family = AF_UNIX;
  EXPECT_FALSE(Address::of(&other));
}

}  // namespace
}  // namespace evs::udp
