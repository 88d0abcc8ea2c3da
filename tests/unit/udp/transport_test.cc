// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/transport_test.cc - a transport on the loopback, whose kernel is played where it tells of interfaces and takes what is
// to be waited on.
//
// This program's getifaddrs, epoll_ctl and recv (linked with --wrap) ask the story: which address the loopback has today, whether there
// is a descriptor left, and what rtnetlink has to say. Sockets and datagrams are real ones. Time is an argument.
#include "plugins/udp/transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <map>

namespace {

struct Story {
  std::string address = "127.0.54.1";  // of the loopback; empty: it has none
  int list_error = 0, epoll_error = 0;
  int looks = 0;
  std::deque<std::vector<char>> news;
} story;

}  // namespace

extern "C" int __real_getifaddrs(ifaddrs** list);
extern "C" int __wrap_getifaddrs(ifaddrs** list) {
  ++story.looks;
  if (story.list_error != 0) return errno = story.list_error, -1;
  const int result = __real_getifaddrs(list);
  for (ifaddrs* entry = *list; result == 0 && entry != nullptr; entry = entry->ifa_next) {
    if (std::strcmp(entry->ifa_name, "lo") != 0 || entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    if (story.address.empty()) entry->ifa_addr->sa_family = AF_UNSPEC;
    else std::memcpy(entry->ifa_addr, evs::udp::Address::parse(story.address, 0)->raw(), sizeof(sockaddr_in));
  }
  return result;
}

extern "C" int __real_epoll_ctl(int epoll, int what, int fd, epoll_event* event);
extern "C" int __wrap_epoll_ctl(int epoll, int what, int fd, epoll_event* event) {
  int type = 0;
  socklen_t size = sizeof(type);
  const bool is_socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
  if (is_socket && story.epoll_error != 0) return errno = story.epoll_error, -1;
  return __real_epoll_ctl(epoll, what, fd, event);
}

// Of all that is called here, the watch of the links alone uses recv().
extern "C" ssize_t __wrap_recv(int, void* data, size_t room, int) {
  if (story.news.empty()) return errno = EAGAIN, -1;
  const std::vector<char> message = std::move(story.news.front());
  story.news.pop_front();
  EXPECT_LE(message.size(), room);
  std::memcpy(data, message.data(), message.size());
  return static_cast<ssize_t>(message.size());
}

namespace evs::udp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr uint64_t kMs = 1'000'000;

class TransportTest : public testing::Test {
 protected:
  TransportTest() {
    story = {};
    settings_.mode = Mode::unicast;
    settings_.interface = "lo";
    settings_.port = 5488;
    for (const char* peer : {"127.0.54.1", "127.0.54.2", "127.0.54.3"}) settings_.peers.push_back(*Address::parse(peer, settings_.port));
  }
  // Opened, and looked once.
  void open() {
    ASSERT_FALSE(self().open());
    ASSERT_GE(self().links.fd(), 0) << "no netlink here";
    self().work(now_);
    now_ += 10'000 * kMs;
    story.looks = 0;
  }
  evs_transport& self() {
    if (!self_) self_ = std::make_unique<evs_transport>(&host_, settings_, 1);
    return *self_;
  }
  // Netlink tells that something of an interface changed.
  template <class Body>
  static void tell(uint16_t type, unsigned index) {
    struct {
      nlmsghdr header;
      Body body;
    } message{};
    message.header.nlmsg_type = type;
    message.header.nlmsg_len = sizeof(message);
    if constexpr (std::is_same_v<Body, ifaddrmsg>) message.body.ifa_index = index;
    else message.body.ifi_index = static_cast<int>(index);
    const char* const begin = reinterpret_cast<const char*>(&message);
    story.news.emplace_back(begin, begin + sizeof(message));
  }
  static void tell_of_address(unsigned index) { tell<ifaddrmsg>(RTM_NEWADDR, index); }
  static unsigned lo() { return if_nametoindex("lo"); }
  uint64_t work_after(uint64_t ns) { return self().work(now_ += ns); }

  std::vector<std::string> list_of_peers() {
    std::vector<std::string> out;
    for (const uint32_t index : self().peers.everybody()) out.push_back(self().peers.find(index)->host());
    return out;
  }
  size_t lines_of(const std::string& kind) const {
    size_t count = 0;
    for (const std::string& line : lines_) count += line.rfind(kind + ": ", 0) == 0;
    return count;
  }
  uint64_t reopened() { return values_["evs_udp_reopened_total"]; }

  uint64_t now_ = 1'000'000 * kMs;
  std::vector<std::string> lines_;
  std::map<std::string, uint64_t> values_;
  evs_host host_{sizeof(evs_host),
                 EVS_PLUGIN_ABI_MINOR,
                 this,
                 "bus",
                 [](void* context, int32_t, const char* kind, const char* text, size_t length) {
                   static_cast<TransportTest*>(context)->lines_.push_back(std::string(kind) + ": " + std::string(text, length));
                 },
                 [](void* context, const char* name, const char*) { return &static_cast<TransportTest*>(context)->values_[name]; },
                 nullptr,
                 nullptr};
  Settings settings_;
  std::unique_ptr<evs_transport> self_;
};

// The application is at its limit of descriptors, and something changed: nothing is known, so nothing is concluded.
TEST_F(TransportTest, AListThatFailsIsNoAbsence) {
  open();
  const size_t largest = self().sender.largest_frame();
  story.list_error = EMFILE;
  tell<ifinfomsg>(RTM_DELLINK, lo());
  EXPECT_EQ(work_after(0), now_ + 1000 * kMs) << "looked at again in a second";
  work_after(1000 * kMs);
  EXPECT_EQ(story.looks, 2);
  EXPECT_EQ(lines_of("udp.absent"), 0u);
  EXPECT_EQ(lines_of("udp.blind"), 1u);
  EXPECT_EQ(reopened(), 0u);
  EXPECT_EQ(self().sender.largest_frame(), largest);
  story.list_error = 0;
  EXPECT_EQ(work_after(1000 * kMs), UINT64_MAX);
  EXPECT_EQ(reopened(), 1u) << "that it was removed is not forgotten";
}

TEST_F(TransportTest, OtherInterfacesAreOthersBusiness) {
  open();
  for (unsigned other = 1000; other < 2000; ++other) {
    tell<ifinfomsg>(RTM_NEWLINK, other);
    tell<ifaddrmsg>(RTM_NEWADDR, other);
    tell<ifinfomsg>(RTM_DELLINK, other);
    EXPECT_EQ(work_after(1 * kMs), UINT64_MAX);
  }
  EXPECT_EQ(story.looks, 0);
  tell_of_address(lo());
  work_after(0);
  EXPECT_EQ(story.looks, 1);
}

// While we have no place, it may come back under any number.
TEST_F(TransportTest, AnyNewsIsOursWhileWeAreAbsent) {
  open();
  story.address = "";
  tell_of_address(lo());
  work_after(0);
  EXPECT_EQ(lines_of("udp.absent"), 1u);
  story.address = "127.0.54.1";
  tell<ifinfomsg>(RTM_NEWLINK, lo() + 1000);
  work_after(100 * kMs);
  EXPECT_EQ(reopened(), 1u);
}

TEST_F(TransportTest, ASwarmOfChangesIsOneLookAtATime) {
  open();
  uint64_t next = 0;
  for (int i = 0; i < 1000; ++i) {  // one second
    if (i == 500) tell<ifinfomsg>(RTM_DELLINK, lo());
    tell_of_address(lo());
    next = work_after(1 * kMs);
  }
  EXPECT_GE(story.looks, 9);
  EXPECT_LE(story.looks, 10);
  EXPECT_EQ(reopened(), 1u);
  ASSERT_LE(next, now_ + 100 * kMs) << "the last change is looked at too";
  const int before = story.looks;
  EXPECT_EQ(self().work(now_ = next), UINT64_MAX);
  EXPECT_EQ(story.looks, before + 1);
}

TEST_F(TransportTest, ASocketThatCannotBeWaitedOnIsNoSocket) {
  story.epoll_error = ENOSPC;
  const Trouble trouble = self().open();
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->status, EVS_P_NO_RESOURCES);
  EXPECT_THAT(trouble->text, HasSubstr("cannot wait on the sockets"));
  EXPECT_THAT(trouble->text, HasSubstr("fs.epoll.max_user_watches"));
}

TEST_F(TransportTest, NorIsOneThatWasOpenedAnew) {
  open();
  story.epoll_error = ENOSPC;
  tell<ifinfomsg>(RTM_DELLINK, lo());
  work_after(0);
  ASSERT_EQ(lines_of("udp.absent"), 1u);
  EXPECT_THAT(lines_.back(), HasSubstr("cannot wait on the sockets"));
  std::string word = "word";
  const evs_datagram frame{EVS_PEER_ALL, 0, word.data(), word.size()};
  size_t taken = 0;
  EXPECT_EQ(self().send(&frame, 1, &taken), EVS_P_OK);
  EXPECT_EQ(values_["evs_udp_sent_datagrams_total"], 0u) << "who hears nothing says nothing";
  story.epoll_error = 0;
  work_after(1000 * kMs);
  EXPECT_EQ(reopened(), 1u);
}

// Our own address is never a peer, and the one we had may be another host's now.
TEST_F(TransportTest, TheListIsReadAgainWhenOurAddressChanges) {
  open();
  EXPECT_THAT(list_of_peers(), ElementsAre("127.0.54.2", "127.0.54.3"));
  story.address = "127.0.54.2";
  tell_of_address(lo());
  work_after(0);
  EXPECT_THAT(list_of_peers(), UnorderedElementsAre("127.0.54.1", "127.0.54.3"));
  story.address = "127.0.54.9";
  tell_of_address(lo());
  work_after(100 * kMs);
  EXPECT_THAT(list_of_peers(), UnorderedElementsAre("127.0.54.1", "127.0.54.2", "127.0.54.3"));
}

// What arrived before the sockets were opened anew did arrive; the kernel's count of drops that stands beside it is the old socket's.
TEST_F(TransportTest, TheStageOutlivesTheSockets) {
  settings_.receive_buffer = 4096;
  open();
  const Fd other(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const Address from = *Address::parse("127.0.54.3", 5488), to = *Address::parse("127.0.54.1", 5488);
  ASSERT_EQ(bind(other.get(), from.raw(), from.size()), 0);
  char room[1000] = {};
  evs_datagram frame{0, 0, room, sizeof(room)};
  size_t got = 0;
  for (int i = 0; i < 100; ++i) ASSERT_EQ(sendto(other.get(), room, sizeof(room), 0, to.raw(), to.size()), 1000);
  while (self().receive(&frame, 1, &got) == EVS_P_OK) frame.size = sizeof(room);
  for (const char* word : {"one", "two"}) ASSERT_EQ(sendto(other.get(), word, 3, 0, to.raw(), to.size()), 3);
  const auto readable = [&] {
    pollfd wait{self().receiver.fd(), POLLIN, 0};
    return poll(&wait, 1, 10'000) == 1;
  };
  ASSERT_TRUE(readable());
  ASSERT_EQ(self().receive(&frame, 1, &got), EVS_P_OK);
  EXPECT_EQ(std::string(room, frame.size), "one");
  const uint64_t drops = values_["evs_udp_kernel_drops_total"];
  EXPECT_GT(drops, 0u);
  tell<ifinfomsg>(RTM_DELLINK, lo());
  work_after(0);
  ASSERT_EQ(reopened(), 1u);
  ASSERT_TRUE(readable()) << "the bell is still rung";
  frame.size = sizeof(room);
  ASSERT_EQ(self().receive(&frame, 1, &got), EVS_P_OK);
  EXPECT_EQ(std::string(room, frame.size), "two");
  EXPECT_EQ(self().peers.find(frame.peer)->text(), "127.0.54.3:5488");
  frame.size = sizeof(room);
  ASSERT_EQ(sendto(other.get(), "three", 5, 0, to.raw(), to.size()), 5);
  ASSERT_TRUE(readable());
  ASSERT_EQ(self().receive(&frame, 1, &got), EVS_P_OK);
  EXPECT_EQ(std::string(room, frame.size), "three");
  EXPECT_EQ(values_["evs_udp_kernel_drops_total"], drops);
}

}  // namespace
}  // namespace evs::udp
