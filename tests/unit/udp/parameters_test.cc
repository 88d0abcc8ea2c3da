// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/parameters_test.cc - what may be said to the udp transport, and in which words the rest is refused.
#include "plugins/udp/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evs::udp {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Pairs = std::vector<std::pair<const char*, const char*>>;

Trouble read(const Pairs& pairs, Settings& out) {
  std::vector<evs_plugin_parameter> parameters;
  for (const auto& [key, value] : pairs) parameters.push_back({key, value});
  return read_parameters(parameters.data(), parameters.size(), out);
}

Settings accepted(const Pairs& pairs) {
  Settings out;
  const Trouble trouble = read(pairs, out);
  EXPECT_FALSE(trouble) << trouble->text;
  return out;
}

std::string refused(const Pairs& pairs) {
  Settings out;
  const Trouble trouble = read(pairs, out);
  if (!trouble) return "accepted";
  EXPECT_EQ(trouble->status, EVS_P_BAD_PARAMETER);
  return trouble->text;
}

TEST(UdpParameters, Defaults) {
  const Settings s = accepted({});
  EXPECT_EQ(s.mode, Mode::multicast);
  EXPECT_EQ(s.group.text(), "239.192.54.10:5410");
  EXPECT_EQ(s.ttl, 1u);
  EXPECT_EQ(s.frame, 0u);
  EXPECT_EQ(s.receive_buffer, 4u << 20);
  EXPECT_EQ(s.offload, Offload::automatic);
}

// The table that people read says of each default what the settings are without it.
TEST(UdpParameters, TheTableTellsTheDefaults) {
  const evs_params_extension& table = *parameter_table();
  for (uint32_t i = 0; i < table.count; ++i) {
    const evs_parameter_info& info = table.parameters[i];
    if (std::string(info.key) == "peers") continue;  // none, and then only with unicast
    const Settings told = accepted({{info.key, info.fallback}}), silent = accepted({});
    EXPECT_TRUE(told.mode == silent.mode && told.group == silent.group && told.port == silent.port && told.ttl == silent.ttl &&
                told.frame == silent.frame && told.receive_buffer == silent.receive_buffer && told.send_buffer == silent.send_buffer &&
                told.offload == silent.offload && told.interface == silent.interface)
        << info.key;
    EXPECT_NE(std::string(info.help), "");
    EXPECT_NE(std::string(info.range), "");
  }
}

TEST(UdpParameters, Multicast) {
  const Settings s = accepted({{"group", "ff15::7"}, {"port", "99"}, {"interface", "eth1"}, {"ttl", "4"}, {"offload", "off"}});
  EXPECT_TRUE(s.v6());
  EXPECT_EQ(s.group.text(), "[ff15::7]:99");
  EXPECT_EQ(s.header_bytes(), 48u);
  EXPECT_EQ(accepted({{"frame", "64KiB"}}).frame, 65507u) << "no datagram holds 64 KiB";
}

TEST(UdpParameters, Unicast) {
  const Settings s = accepted({{"mode", "unicast"}, {"peers", "10.0.0.1, 10.0.0.2:7"}, {"port", "99"}, {"address", "10.0.0.1"}});
  ASSERT_EQ(s.peers.size(), 2u);
  EXPECT_EQ(s.peers[0].text(), "10.0.0.1:99");
  EXPECT_EQ(s.peers[1].text(), "10.0.0.2:7");
  EXPECT_EQ(s.address.text(), "10.0.0.1:99");
}

TEST(UdpParameters, ABadValueIsNamedWithItsKey) {
  const Pairs bad = {{"mode", "broadcast"}, {"mode", ""},          {"group", "10.0.0.1"},     {"group", "all"},     {"group", "239.1.1.1:5"},
                     {"port", "0"},         {"port", "65536"},     {"port", "-1"},            {"port", "1e3"},      {"port", ""},
                     {"ttl", "0"},          {"ttl", "256"},        {"frame", "511B"},         {"frame", "1472"},    {"frame", "65KiB"},
                     {"frame", "99999999999GiB"},                  {"receive_buffer", "1KiB"}, {"send_buffer", "2GiB"}, {"offload", "yes"},
                     {"interface", "a-name-too-long-for-one"},     {"address", "10.0.0.1:5"}, {"address", "::1"},   {"address", "0.0.0.0"},
                     {"address", "239.1.1.1"}};
  for (const auto& [key, value] : bad)
    EXPECT_THAT(refused({{key, value}}), AllOf(HasSubstr(std::string("parameter ") + key), HasSubstr(value))) << key << " " << value;
  for (const char* peers : {"host-a", ",", "10.0.0.1,,10.0.0.2", "10.0.0.1,fd00::1", "239.1.1.1", "0.0.0.0", "fe80::1", "10.0.0.1:x"})
    EXPECT_THAT(refused({{"mode", "unicast"}, {"peers", peers}}), HasSubstr("parameter peers")) << peers;
}

TEST(UdpParameters, WhatDoesNotGoTogether) {
  EXPECT_THAT(refused({{"mode", "unicast"}}), HasSubstr("parameter peers is empty"));
  EXPECT_THAT(refused({{"peers", "10.0.0.1"}}), HasSubstr("unicast"));
  EXPECT_THAT(refused({{"mode", "unicast"}, {"peers", "10.0.0.1"}, {"group", "239.1.1.1"}}), HasSubstr("multicast"));
  EXPECT_THAT(refused({{"mode", "unicast"}, {"peers", "10.0.0.1"}, {"address", "fd00::1"}}), HasSubstr("IPv6"));
}

TEST(UdpParameters, AnUnknownOneIsNamedWithThoseThereAre) {
  EXPECT_THAT(refused({{"prot", "1"}}), AllOf(HasSubstr("\"prot\""), HasSubstr("port"), HasSubstr("receive_buffer")));
}

TEST(UdpParameters, CheckSaysWhatCreateWould) {
  char text[256] = "";
  evs_error_text error{text, sizeof(text)};
  const evs_plugin_parameter bad{"ttl", "0"}, good{"ttl", "3"};
  EXPECT_EQ(parameter_table()->check(&bad, 1, &error), EVS_P_BAD_PARAMETER);
  EXPECT_THAT(text, HasSubstr("parameter ttl"));
  EXPECT_EQ(parameter_table()->check(&good, 1, &error), EVS_P_OK);
}

}  // namespace
}  // namespace evs::udp
