// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/udp/trouble_test.cc - what networks do: paths shrink, interfaces go and come back, peers refuse, strangers flood.
// None of it ends the medium.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/conformance/udp/host.h"

namespace evs::udp_test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

class UdpTrouble : public OnAWire {};
class UdpOpening : public OnAWire {};
class UdpPeers : public OnAWire {};

std::string refusal(const test::Wire& wire, const Parameters& parameters) {
  try {
    Host host(wire, 0, parameters);
    return "it was accepted";
  } catch (const std::runtime_error& problem) {
    return problem.what();
  }
}

TEST_F(UdpOpening, NamesTheInterfacesThereAre) {
  test::Wire wire(1);
  EXPECT_THAT(refusal(wire, {{"interface", "eth7"}}), AllOf(HasSubstr("\"eth7\""), HasSubstr("lo, eth0")));
  wire.ip(0, "link set eth0 down");
  EXPECT_THAT(refusal(wire, {{"interface", "eth0"}}), HasSubstr("ip link set eth0 up"));
}

TEST_F(UdpOpening, FindsTheOnlyInterfaceItself) {
  test::Wire wire(2);
  Host a(wire, 0, {}), b(wire, 1, {});
  a.say("hello");
  EXPECT_EQ(b.until("hello").size(), 1u);
}

TEST_F(UdpOpening, APortThatIsTakenIsNamed) {
  test::Wire wire(1);
  Host first(wire, 0, multicast());
  EXPECT_THAT(refusal(wire, multicast()), AllOf(HasSubstr("10.86.0.1:5410"), HasSubstr("another process")));
  Host other(wire, 0, multicast({{"port", "5411"}}));
}

// Two buses of one host, each with its group, share nothing but the wire.
TEST_F(UdpOpening, AnotherGroupOnTheSamePortIsAnotherBus) {
  test::Wire wire(2);
  wire.ip(1, "addr add 10.86.0.50/24 dev eth0");
  Host a(wire, 0, multicast({{"group", "239.192.54.11"}}));
  Host b(wire, 1, multicast({{"group", "239.192.54.11"}})), c(wire, 1, multicast({{"group", "239.192.54.12"}, {"address", "10.86.0.50"}}));
  a.say("hello");
  EXPECT_EQ(b.until("hello").size(), 1u);
  EXPECT_FALSE(c.readable(50));
}

TEST_F(UdpTrouble, AFrameLargerThanThePathShrinksTheLargest) {
  test::Wire wire(2);
  Host a(wire, 0, multicast()), b(wire, 1, multicast());
  EXPECT_EQ(a.largest_frame(), 1472u);
  wire.ip(0, "link set eth0 mtu 1000");  // and nobody told us
  a.say(EVS_PEER_ALL, {std::string(1472, 'x'), "small"});
  EXPECT_EQ(b.until("small").size(), 1u);
  EXPECT_EQ(a.largest_frame(), 972u);
  EXPECT_EQ(a.lines_of("udp.path"), 1u);
  EXPECT_GE(a.count("too_big"), 1u);
  EXPECT_TRUE(a.take().empty());
  EXPECT_FALSE(a.readable(0)) << "the report that woke us was taken";
}

// The same when it is found out with a run: the offload is not to blame.
TEST_F(UdpTrouble, ARunLargerThanThePathDoesNotEndTheOffload) {
  test::Wire wire(2);
  Host a(wire, 0, multicast()), b(wire, 1, multicast());
  wire.ip(0, "link set eth0 mtu 1000");
  a.say(EVS_PEER_ALL, std::vector<std::string>(20, std::string(1472, 'x')));
  EXPECT_EQ(a.largest_frame(), 972u);
  EXPECT_EQ(a.lines_of("udp.offload"), 0u);
  a.say(EVS_PEER_ALL, std::vector<std::string>(20, std::string(972, 'y')));
  a.say("end");
  EXPECT_EQ(b.until("end").size(), 21u);
  EXPECT_GE(a.count("sent_segments"), 20u);
  EXPECT_FALSE(a.readable(0));
}

TEST_F(UdpTrouble, TheServiceThreadHearsOfASmallerPath) {
  test::Wire wire(1);
  Host a(wire, 0, multicast());
  wire.ip(0, "link set eth0 mtu 1280");
  ASSERT_TRUE(a.told_of_change());
  a.work();
  EXPECT_EQ(a.largest_frame(), 1252u);
  wire.ip(0, "link set eth0 mtu 1500");
  ASSERT_TRUE(a.told_of_change());
  a.work();
  EXPECT_EQ(a.largest_frame(), 1252u) << "it may shrink, and never grows";
}

TEST_F(UdpTrouble, AnInterfaceThatIsDownLosesAllAndComesBack) {
  test::Wire wire(2);
  Host a(wire, 0, multicast()), b(wire, 1, multicast());
  const int32_t fd = a.ops().receive_fd(a.self());
  wire.ip(0, "link set eth0 down");
  for (int i = 0; i < 20; ++i) a.say("lost");
  EXPECT_GE(a.count("unreachable"), 20u);
  EXPECT_LE(a.lines_of("udp.unreachable"), 1u);
  ASSERT_TRUE(a.told_of_change());
  a.work();
  EXPECT_EQ(a.lines_of("udp.absent"), 1u);
  a.say("lost too");
  wire.ip(0, "link set eth0 up");
  ASSERT_TRUE(a.told_of_change());
  a.work();
  EXPECT_EQ(a.count("reopened"), 1u);
  EXPECT_EQ(a.ops().receive_fd(a.self()), fd);
  EXPECT_TRUE(a.reaches(b, "back"));
  EXPECT_TRUE(b.reaches(a, "welcome"));
}

TEST_F(UdpTrouble, AnInterfaceThatIsMadeAnewIsJoinedAnew) {
  test::Wire wire(2);
  const auto plug = [&](const char* index) {
    wire.ip(0, std::string("link add x0 index ") + index + " type veth peer name x1 netns " + wire.path(1));
    for (const size_t host : {0u, 1u}) {
      const std::string name = "x" + std::to_string(host);
      wire.ip(host, "link set " + name + " up");
      wire.ip(host, "addr add 10.87.0." + std::to_string(host + 1) + "/24 dev " + name);
    }
  };
  plug("70");
  Host a(wire, 0, {{"interface", "x0"}}), b(wire, 1, {{"interface", "x1"}});
  ASSERT_TRUE(a.reaches(b, "one"));
  for (const char* index : {"71", "71"}) {  // under another number, and under the same
    wire.ip(0, "link del x0");
    for (Host* host : {&a, &b}) {
      ASSERT_TRUE(host->told_of_change());
      host->work();
      EXPECT_GE(host->lines_of("udp.absent"), 1u);
    }
    a.say("lost");
    plug(index);
    for (Host* host : {&a, &b}) {
      ASSERT_TRUE(host->told_of_change());
      host->work();
    }
    ASSERT_TRUE(a.reaches(b, "again"));
    ASSERT_TRUE(b.reaches(a, "answer"));
  }
  EXPECT_EQ(a.count("reopened"), 2u);
}

TEST_F(UdpTrouble, AnAddressThatChangesIsFollowed) {
  test::Wire wire(2);
  Host a(wire, 0, multicast()), b(wire, 1, multicast());
  wire.ip(0, "addr del 10.86.0.1/24 dev eth0");
  wire.ip(0, "addr add 10.86.0.9/24 dev eth0");
  ASSERT_TRUE(a.told_of_change());
  a.work();
  a.say("moved");
  const uint32_t peer = b.speaker_of("moved");
  char name[64];
  b.ops().peer_name(b.self(), peer, name, sizeof(name));
  EXPECT_STREQ(name, "10.86.0.9:5410");
}

// Every host has the same list. One takes another address of it, and a newcomer the one that it had.
TEST_F(UdpTrouble, HostsOfAListTakeEachOthersAddresses) {
  test::Wire wire(3);
  const std::string list = "10.86.0.1,10.86.0.2,10.86.0.9";
  Host a(wire, 0, unicast(list)), b(wire, 1, unicast(list));
  ASSERT_TRUE(a.reaches(b, "here"));
  wire.ip(0, "addr del 10.86.0.1/24 dev eth0");
  wire.ip(0, "addr add 10.86.0.9/24 dev eth0");
  ASSERT_TRUE(a.told_of_change());
  a.work();
  wire.ip(2, "addr add 10.86.0.1/24 dev eth0");
  Host c(wire, 2, unicast(list, {{"address", "10.86.0.1"}}));
  EXPECT_TRUE(a.reaches(c, "welcome"));
  EXPECT_TRUE(a.reaches(b, "moved"));
  EXPECT_TRUE(a.take().empty());
  EXPECT_EQ(a.count("own_datagrams"), 0u) << "we are no peer of ours";
}

TEST_F(UdpTrouble, AnApplicationThatHasNoDescriptorLeft) {
  test::Wire wire(2);
  Host a(wire, 0, unicast("10.86.0.1,10.86.0.2")), b(wire, 1, unicast("10.86.0.1,10.86.0.2"));
  wire.ip(0, "link set eth0 mtu 1400");
  ASSERT_TRUE(a.told_of_change());
  a.work_without_descriptors();
  EXPECT_EQ(a.lines_of("udp.blind"), 1u);
  EXPECT_EQ(a.lines_of("udp.absent"), 0u);
  EXPECT_EQ(a.largest_frame(), 1472u);
  EXPECT_TRUE(a.reaches(b, "still here"));
  wire.ip(0, "link set eth0 mtu 1300");
  ASSERT_TRUE(a.told_of_change());
  a.work();
  EXPECT_EQ(a.largest_frame(), 1272u);
  EXPECT_EQ(a.count("reopened"), 0u);
}

TEST_F(UdpTrouble, APeerThatRefusesIsCountedAndNamedOnce) {
  test::Wire wire(2);
  Host a(wire, 0, unicast("10.86.0.2"));
  uint64_t refusals = 0;
  for (int i = 0; i < 500 && (refusals < 3 || a.lines().empty()); ++i) {  // one that is soon over is not worth a line
    a.say("is there anybody");
    if (a.readable(200)) {
      EXPECT_TRUE(a.take().empty());
    }
    EXPECT_FALSE(a.readable(0)) << "a report that is not taken rings for ever";
    refusals = a.count("refused");
  }
  EXPECT_GE(refusals, 3u);
  EXPECT_EQ(a.lines_of("udp.refused"), 1u);
  EXPECT_THAT(a.lines(), Contains(HasSubstr("10.86.0.2:5410")));
  Host b(wire, 1, unicast("10.86.0.1"));
  a.say("now there is");
  EXPECT_EQ(b.until("now there is").size(), 1u);
}

TEST_F(UdpTrouble, NoWayToOnePeerIsLossForThatPeerAlone) {
  test::Wire wire(2);
  wire.ip(0, "route add unreachable 10.99.0.1");
  wire.ip(0, "route add prohibit 10.99.0.2");
  Host a(wire, 0, unicast("10.86.0.2,10.99.0.1,10.99.0.2")), b(wire, 1, unicast("10.86.0.1"));
  for (int i = 0; i < 10; ++i) a.say("word");
  a.say("end");
  EXPECT_EQ(b.until("end").size(), 11u);
  EXPECT_EQ(a.count("unreachable"), 11u);
  EXPECT_EQ(a.count("denied"), 11u);
  EXPECT_EQ(a.lines_of("udp.unreachable"), 1u);
  EXPECT_EQ(a.lines_of("udp.denied"), 1u);
}

// A thousand senders nobody knows: the peers that count keep their place.
TEST_F(UdpPeers, AFloodOfStrangersPushesOutNobodyWhoIsVouchedFor) {
  test::Wire wire(2);
  Host a(wire, 0, multicast()), b(wire, 1, multicast());
  b.say("hello");
  const uint32_t peer = a.speaker_of("hello");
  const auto* peers = a.transport().extension<evs_peers_extension>(EVS_EXTENSION_PEERS);
  ASSERT_NE(peers, nullptr);
  ASSERT_EQ(peers->mark(a.self(), peer), EVS_P_OK);
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(5410);
  inet_pton(AF_INET, "10.86.0.1", &there.sin_addr);
  wire.inside(1, [&] {
    for (int i = 0; i < 1000; ++i) {
      const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);  // a port of its own each
      sendto(fd, "flood", 5, 0, reinterpret_cast<sockaddr*>(&there), sizeof(there));
      close(fd);
    }
  });
  b.say("and still here");
  size_t heard = 0;
  bool again = false;
  while (!again && a.readable(kPatienceMs)) {
    for (const Heard& one : a.take(1000)) {
      ++heard;
      if (one.data != "and still here") continue;
      EXPECT_EQ(one.peer, peer);
      again = true;
    }
  }
  while (heard < 1001 && a.readable(kPatienceMs)) heard += a.take(1000).size();
  EXPECT_EQ(heard, 1001u);
  a.work();
  EXPECT_GT(a.count("strangers_pushed_out"), 500u);
}

// A host whose list is older does not name the newcomer; once it vouches for it, what it says to all reaches it too.
TEST_F(UdpPeers, WhoIsVouchedForGetsWhatIsSaidToAll) {
  test::Wire wire(3);
  Host a(wire, 0, unicast("10.86.0.1,10.86.0.2")), b(wire, 1, unicast("10.86.0.1,10.86.0.2"));
  Host c(wire, 2, unicast("10.86.0.1,10.86.0.2,10.86.0.3"));
  c.say("let me in");
  const uint32_t newcomer = a.speaker_of("let me in");
  a.say("not yet");
  EXPECT_FALSE(b.until("not yet").empty());
  const auto* peers = a.transport().extension<evs_peers_extension>(EVS_EXTENSION_PEERS);
  ASSERT_EQ(peers->mark(a.self(), newcomer), EVS_P_OK);
  a.say("to all of you");
  EXPECT_EQ(c.until("to all of you").size(), 1u);
  peers->forget(a.self(), newcomer);
  a.say("without you");
  a.say(newcomer, {"farewell"});
  EXPECT_EQ(c.until("farewell").size(), 1u);
}

TEST_F(UdpPeers, ACutThatIsHealed) {
  test::Wire wire(3);
  Host a(wire, 0, multicast()), b(wire, 1, multicast()), c(wire, 2, multicast());
  wire.cut(0, 1);
  a.say("one");
  EXPECT_EQ(c.until("one").size(), 1u);
  b.say("two");
  EXPECT_EQ(a.until("two").size(), 1u) << "the other way stands";
  wire.heal(0, 1);
  a.say("three");
  EXPECT_EQ(b.until("three").size(), 1u);
  EXPECT_EQ(a.count("own_datagrams"), 0u) << "nothing that we multicast comes back to us";
}

}  // namespace
}  // namespace evs::udp_test
