// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/place_test.cc - which interface and address are meant, on machines that are made up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "plugins/udp/interface.h"

namespace evs::udp {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Interface interface(const char* name, unsigned index, const std::vector<const char*>& addresses, bool up = true) {
  Interface out;
  out.name = name;
  out.index = index;
  out.mtu = 1500;
  out.up = up;
  out.loopback = out.name == "lo";
  for (const char* address : addresses) out.addresses.push_back(*Address::parse(address, 5410));
  for (Address& address : out.addresses) address = address.with_port(0);
  return out;
}

const Interface kLo = interface("lo", 1, {"127.0.0.1", "::1"});
const Interface kEth = interface("eth0", 2, {"fe80::2", "10.0.0.2", "10.0.0.3", "fd00::2"});
const Interface kDown = interface("eth1", 3, {"10.1.0.2"}, false);
const Interface kBare = interface("eth2", 4, {"fe80::4"});

Settings multicast(const char* group, const char* name = "", const char* address = "") {
  Settings s;
  s.group = *Address::parse(group, s.port);
  s.interface = name;
  if (*address != '\0') s.address = *Address::parse(address, s.port);
  return s;
}

std::string chosen(const Settings& settings, const std::vector<Interface>& all) {
  Place place;
  const Trouble trouble = choose_place(settings, all, place);
  return trouble ? trouble->text : place.interface.name + " " + place.own.text();
}

TEST(Place, TheOnlyInterfaceBesideTheLoopback) {
  EXPECT_EQ(chosen(multicast("239.1.1.1"), {kLo, kEth, kDown}), "eth0 10.0.0.2:5410");
  EXPECT_EQ(chosen(multicast("ff15::1"), {kLo, kEth}), "eth0 [fd00::2]:5410") << "rather than the link-local one";
}

TEST(Place, LinkLocalWhenThereIsNoOther) {
  EXPECT_EQ(chosen(multicast("ff15::1"), {kLo, kBare}), "eth2 [fe80::4]:5410");
}

TEST(Place, SeveralAreNamedForAChoice) {
  EXPECT_THAT(chosen(multicast("ff15::1"), {kLo, kEth, kBare}), AllOf(HasSubstr("parameter interface"), HasSubstr("eth0, eth2")));
}

TEST(Place, TheNamedOne) {
  EXPECT_EQ(chosen(multicast("239.1.1.1", "lo"), {kLo, kEth}), "lo 127.0.0.1:5410");
  EXPECT_THAT(chosen(multicast("239.1.1.1", "eth9"), {kLo, kEth, kDown}),
              AllOf(HasSubstr("\"eth9\""), HasSubstr("lo, eth0, eth1 (down)")));
  EXPECT_THAT(chosen(multicast("239.1.1.1", "eth1"), {kLo, kDown}), HasSubstr("ip link set eth1 up"));
  EXPECT_THAT(chosen(multicast("239.1.1.1", "eth2"), {kLo, kBare}), HasSubstr("has no IPv4 address"));
}

TEST(Place, TheAddressLeadsToItsInterface) {
  EXPECT_EQ(chosen(multicast("239.1.1.1", "", "10.0.0.3"), {kLo, kEth, kBare}), "eth0 10.0.0.3:5410");
  EXPECT_EQ(chosen(multicast("239.1.1.1", "lo", "127.0.0.9"), {kLo, kEth}), "lo 127.0.0.9:5410");
  EXPECT_THAT(chosen(multicast("239.1.1.1", "", "10.9.9.9"), {kLo, kEth}), AllOf(HasSubstr("parameter address"), HasSubstr("lo, eth0")));
  EXPECT_THAT(chosen(multicast("239.1.1.1", "lo", "10.0.0.2"), {kLo, kEth}), HasSubstr("interface lo has no address 10.0.0.2"));
}

TEST(Place, TiedToTheInterfaceWhenItIsNamedOrMulticast) {
  Place place;
  ASSERT_FALSE(choose_place(multicast("239.1.1.1"), {kLo, kEth}, place));
  EXPECT_TRUE(place.tied);
  Settings unicast;
  unicast.mode = Mode::unicast;
  unicast.peers = {*Address::parse("127.0.0.1", 5410)};
  std::vector<Interface> all;
  ASSERT_FALSE(list_interfaces(all));
  ASSERT_FALSE(choose_place(unicast, all, place));  // this machine's: the way to its own loopback is known everywhere
  EXPECT_FALSE(place.tied);
  EXPECT_EQ(place.own.text(), "127.0.0.1:5410");
  unicast.interface = "lo";
  ASSERT_FALSE(choose_place(unicast, {kLo, kEth}, place));
  EXPECT_TRUE(place.tied);
}

// An application that has no descriptor left says nothing about the network.
TEST(Place, WhoCannotLookSaysSo) {
  std::vector<Interface> all;
  ASSERT_FALSE(list_interfaces(all));
  Settings unicast;
  unicast.mode = Mode::unicast;
  unicast.peers = {*Address::parse("127.0.0.1", 5410)};
  Place place;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  std::vector<Interface> unseen;
  const Trouble list = list_interfaces(unseen), way = choose_place(unicast, all, place);
  setrlimit(RLIMIT_NOFILE, &before);
  for (const Trouble& trouble : {list, way}) {
    ASSERT_TRUE(trouble);
    EXPECT_TRUE(trouble->blind);
    EXPECT_THAT(trouble->text, AllOf(HasSubstr("cannot look at this machine's interfaces"), HasSubstr("ulimit -n")));
  }
  const Trouble none_there = choose_place(multicast("239.1.1.1"), {}, place);
  ASSERT_TRUE(none_there);
  EXPECT_FALSE(none_there->blind);
}

TEST(Place, NothingThere) {
  EXPECT_THAT(chosen(multicast("239.1.1.1"), {kLo}), AllOf(HasSubstr("parameter interface"), HasSubstr("this machine has lo")));
  EXPECT_THAT(chosen(multicast("239.1.1.1"), {}), HasSubstr("this machine has none"));
}

}  // namespace
}  // namespace evs::udp
