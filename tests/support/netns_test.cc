// SPDX-License-Identifier: BSD-3-Clause
// tests/support/netns_test.cc - the wire is what it says: everybody hears everybody, one way is cut, and nothing is left behind.
#include "tests/support/netns.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace evs::test {
namespace {

constexpr int kPatienceMs = 5000;

class WireTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Wire::refused(); !why.empty()) GTEST_SKIP() << "SKIPPED, no network namespaces: " << why;
  }
};

sockaddr_in address_of(size_t host) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(4000);
  inet_pton(AF_INET, Wire::v4(host).c_str(), &out.sin_addr);
  return out;
}

int listener(const Wire& wire, size_t host) {
  int fd = -1;
  wire.inside(host, [&] {
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const sockaddr_in here = address_of(host);
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof(here)), 0);
  });
  return fd;
}

void say(int from, size_t to, char what) {
  const sockaddr_in there = address_of(to);
  ASSERT_EQ(sendto(from, &what, 1, 0, reinterpret_cast<const sockaddr*>(&there), sizeof(there)), 1);
}

// The next thing that is heard, within reason.
char heard(int fd, int patience_ms = kPatienceMs) {
  pollfd wait{fd, POLLIN, 0};
  char what = 0;
  return poll(&wait, 1, patience_ms) == 1 && recv(fd, &what, 1, 0) == 1 ? what : '-';
}

TEST_F(WireTest, OneWayIsCutAndHealed) {
  Wire wire(3);
  const int a = listener(wire, 0), b = listener(wire, 1), c = listener(wire, 2);
  say(a, 1, '1');
  EXPECT_EQ(heard(b), '1');
  wire.cut(0, 1);
  say(a, 1, '2');  // lost: what comes after it comes first
  say(c, 1, '3');
  EXPECT_EQ(heard(b), '3');
  say(b, 0, '4');  // the other way stands
  EXPECT_EQ(heard(a), '4');
  wire.heal(0, 1);
  say(a, 1, '5');
  EXPECT_EQ(heard(b), '5');
  for (const int fd : {a, b, c}) close(fd);
}

TEST_F(WireTest, MulticastAloneIsCutOneWay) {
  Wire wire(2);
  sockaddr_in group = address_of(0);
  inet_pton(AF_INET, "239.192.54.10", &group.sin_addr);
  int fds[2];
  for (size_t host = 0; host < 2; ++host) {
    fds[host] = -1;
    wire.inside(host, [&] {  // bound to any address: it hears the group and its own
      fds[host] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      sockaddr_in here = group;
      here.sin_addr.s_addr = INADDR_ANY;
      ASSERT_EQ(bind(fds[host], reinterpret_cast<const sockaddr*>(&here), sizeof(here)), 0);
      ip_mreq membership{group.sin_addr, address_of(host).sin_addr};
      ASSERT_EQ(setsockopt(fds[host], IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof(membership)), 0);
      ASSERT_EQ(setsockopt(fds[host], IPPROTO_IP, IP_MULTICAST_IF, &membership.imr_interface, sizeof(in_addr)), 0);
      const unsigned char no = 0;
      ASSERT_EQ(setsockopt(fds[host], IPPROTO_IP, IP_MULTICAST_LOOP, &no, sizeof(no)), 0);
    });
  }
  const auto say_to_all = [&](size_t from, char what) {
    ASSERT_EQ(sendto(fds[from], &what, 1, 0, reinterpret_cast<const sockaddr*>(&group), sizeof(group)), 1);
  };
  say_to_all(0, '1');
  EXPECT_EQ(heard(fds[1]), '1');
  wire.cut_multicast(0, 1);
  say_to_all(0, '2');  // lost
  say(fds[0], 1, '3');
  EXPECT_EQ(heard(fds[1]), '3');
  say_to_all(1, '4');
  EXPECT_EQ(heard(fds[0]), '4');
  wire.heal_all();
  say_to_all(0, '5');
  EXPECT_EQ(heard(fds[1]), '5');
  for (const int fd : fds) close(fd);
}

TEST_F(WireTest, ANarrowPortTakesSmallPacketsAlone) {
  Wire wire(2);
  const int a = listener(wire, 0), b = listener(wire, 1);
  const std::string large(1400, '1');
  const auto say_large = [&](int from, size_t to) {
    const sockaddr_in there = address_of(to);
    ASSERT_EQ(sendto(from, large.data(), large.size(), 0, reinterpret_cast<const sockaddr*>(&there), sizeof(there)), 1400);
  };
  say_large(a, 1);
  EXPECT_EQ(heard(b), '1');
  wire.narrow(1, 1200);
  say_large(a, 1);  // lost
  say(a, 1, '2');
  EXPECT_EQ(heard(b), '2');
  say_large(b, 0);
  say(b, 0, '3');
  EXPECT_EQ(heard(a), '3');
  close(a);
  close(b);
}

TEST_F(WireTest, AboutAsMuchIsLostAsIsAsked) {
  Wire wire(2);
  const int a = listener(wire, 0), b = listener(wire, 1);
  say(a, 1, '0');  // the neighbour is known: from here on a packet is a packet
  ASSERT_EQ(heard(b), '0');
  wire.lose(0, 1, 50);
  for (int i = 0; i < 400; ++i) say(a, 1, 'x');
  wire.heal_all();
  say(a, 1, '.');
  int arrived = 0;
  for (char what = heard(b); what == 'x'; what = heard(b)) ++arrived;
  EXPECT_GT(arrived, 120);  // 200 +- 10; that it is off by 80 happens once in 10^15 runs
  EXPECT_LT(arrived, 280);
  close(a);
  close(b);
}

TEST_F(WireTest, AnUnpluggedHostHearsNothing) {
  Wire wire(2);
  const int a = listener(wire, 0), b = listener(wire, 1);
  say(a, 1, '1');
  ASSERT_EQ(heard(b), '1');
  wire.unplug(1, true);
  say(a, 1, '2');
  EXPECT_EQ(heard(b, 50), '-');
  wire.unplug(1, false);
  // The bridge takes its port back when it sees the carrier: said until it is heard.
  char what = '-';
  for (int i = 0; i < 100 && what == '-'; ++i) {
    say(a, 1, '3');
    what = heard(b, 50);
  }
  EXPECT_EQ(what, '3');
  close(a);
  close(b);
}

std::string first_line_in(const Wire& wire, size_t host, const std::string& command) {
  std::string out;
  wire.inside(host, [&] {
    FILE* pipe = popen(command.c_str(), "re");
    char line[256] = "";
    if (fgets(line, sizeof(line), pipe) != nullptr) out = line;
    pclose(pipe);
  });
  return out;
}

TEST_F(WireTest, NothingIsSeenOfItOutside) {
  const auto interfaces = [] {
    std::ifstream file("/proc/thread-self/net/dev");
    size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  };
  const size_t before = interfaces();
  Wire wire(2);
  EXPECT_EQ(interfaces(), before);
  EXPECT_NE(first_line_in(wire, 1, "ip -o -4 addr show eth0").find(Wire::v4(1)), std::string::npos);
}

TEST_F(WireTest, AKilledOwnerLeavesNoProcessBehind) {
  int up[2];
  ASSERT_EQ(pipe2(up, O_CLOEXEC), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    Wire wire(1);
    const pid_t inner = wire.start(0, {"sleep", "1000"});
    [[maybe_unused]] const ssize_t told = write(up[1], &inner, sizeof(inner));
    pause();
    _exit(0);
  }
  pid_t inner = 0;
  ASSERT_EQ(read(up[0], &inner, sizeof(inner)), static_cast<ssize_t>(sizeof(inner)));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  // It is no child of ours: its end is seen by its absence, or as whoever reaps it has not yet.
  for (int i = 0; i < kPatienceMs / 10; ++i) {
    std::ifstream stat("/proc/" + std::to_string(inner) + "/stat");
    std::string id, name, state;
    if (!(stat >> id >> name >> state) || state == "Z") return;
    poll(nullptr, 0, 10);
  }
  FAIL() << "process " << inner << " outlived the wire it was in";
}

}  // namespace
}  // namespace evs::test
