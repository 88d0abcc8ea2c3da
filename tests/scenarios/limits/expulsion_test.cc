// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/expulsion_test.cc - a process that read too slowly, and what it may and may not do afterwards.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>

#include "tests/scenarios/limits/peer_process.h"
#include "tests/unit/api/story.h"

namespace evs::limits {
namespace {

using test::Story;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Two places, a small ring, little patience.
struct Bus {
  const char* name;
  Story story{Story::Wishes{.bus = name,
                            .parameters = {{"local.ring_size", "512KiB"},
                                           {"local.message_limit", "8KiB"},
                                           {"local.max_processes", "2"},
                                           {"local.slow_reader_timeout", "100ms"}}}};
  std::string open(const std::string& more = "") const { return "open " + test::directory() + " " + name + more; }

  // Sends until there is no room, reading what comes. How many bytes went; at most `most`.
  size_t fill(size_t most) {
    const std::string text(4000, 'x');
    size_t sent = 0;
    for (int refusals = 0; refusals < 8 && sent < most;) {
      if (story.say_to({"g"}, text) == CS_OK) sent += text.size();
      else ++refusals;
      EXPECT_EQ(story.dispatch(), CS_OK);
    }
    return sent;
  }
  void wait_for(const std::string& line) {
    while (std::find(story.lines.begin(), story.lines.end(), line) == story.lines.end())
      ASSERT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
    story.lines.clear();
  }
  // Lets the peer with nodeid 2 hold the full ring until it is expelled.
  void expel() {
    wait_for("conf 1 2 +2");
    fill(1 << 20);
    wait_for("conf 1 -2");
  }
};

// The lock that whoever joins must have.
class JoinLock {
 public:
  explicit JoinLock(const std::string& bus) : fd_(::open((test::directory() + "/" + bus + ".lock").c_str(), O_RDWR | O_CLOEXEC)) {
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    whole.l_len = 1;
    EXPECT_EQ(::fcntl(fd_, F_OFD_SETLKW, &whole), 0);
  }
  ~JoinLock() { ::close(fd_); }

 private:
  const int fd_;
};

TEST(Expulsion, IsHeardOfAndTheGroupsAreJoinedAgain) {
  Bus bus{"again"};
  ASSERT_EQ(bus.story.result, CS_OK) << bus.story.error;
  ASSERT_EQ(bus.story.join("g"), CS_OK);
  PeerProcess slow;
  ASSERT_THAT(slow.ask(bus.open()), StartsWith("CS_OK"));
  ASSERT_EQ(slow.ask("join g"), "CS_OK");
  bus.expel();
  // The places are two, and its own is free again once it has heard of it.
  const std::string told = slow.ask("until +1 10000");
  EXPECT_THAT(told, HasSubstr("conf 2 -1")) << "alone first";
  EXPECT_THAT(told, HasSubstr("conf 1 2 -2 +1 +2")) << "then with all, under a new identity (here the number has to be the old one)";
  bus.wait_for("conf 1 2 +2");
  ASSERT_EQ(bus.story.say_to({"g"}, "welcome"), CS_OK);
  EXPECT_THAT(slow.ask("until welcome 10000"), HasSubstr("msg welcome"));
  // It had a descriptor before, and sleeps on it again: its bell is still there, though its place was taken anew.
  std::thread sleeper([&] { EXPECT_THAT(slow.ask("until late 10000"), HasSubstr("msg late")); });
  slow.wait_until_polling();
  EXPECT_EQ(bus.story.say_to({"g"}, "late"), CS_OK);
  sleeper.join();
}

// Nobody is left on the bus that it was expelled from, and others have built a new one under the name: it must not live on in the old one alone.
TEST(Expulsion, WhoComesBackToAnotherBusIsTold) {
  PeerProcess slow;
  {
    Bus bus{"another"};
    ASSERT_EQ(bus.story.result, CS_OK) << bus.story.error;
    ASSERT_EQ(bus.story.join("g"), CS_OK);
    ASSERT_THAT(slow.ask(bus.open(" local.attach_timeout=100ms")), StartsWith("CS_OK"));
    ASSERT_EQ(slow.ask("join g"), "CS_OK");
    ASSERT_THAT(slow.ask("told"), HasSubstr("conf 1 2"));
    bus.expel();
    const JoinLock nobody_joins("another");
    EXPECT_THAT(slow.ask("told"), Not(StartsWith("CS_OK")));
  }
  Bus other{"another"};
  ASSERT_EQ(other.story.result, CS_OK) << other.story.error;
  EXPECT_THAT(slow.ask("told"), StartsWith("CS_ERR_LIBRARY"));
  EXPECT_EQ(slow.ask("finalize"), "CS_OK");
  EXPECT_THAT(slow.ask(other.open()), StartsWith("CS_OK"));
  EXPECT_THAT(slow.ask("told"), HasSubstr("conf 1 2"));
}

// Its place is another's by then. What it still does with its handle, closing it above all, must not touch that one's cursor.
TEST(Expulsion, ARejoinThatFailsLeavesThePlaceToOthers) {
  Bus bus{"failed"};
  ASSERT_EQ(bus.story.result, CS_OK) << bus.story.error;
  ASSERT_EQ(bus.story.join("g"), CS_OK);
  PeerProcess slow;
  ASSERT_THAT(slow.ask(bus.open(" local.attach_timeout=100ms")), StartsWith("CS_OK"));
  ASSERT_EQ(slow.ask("join g"), "CS_OK");
  ASSERT_THAT(slow.ask("told"), HasSubstr("conf 1 2"));
  bus.expel();
  {
    const JoinLock nobody_joins("failed");
    EXPECT_THAT(slow.ask("told"), Not(StartsWith("CS_OK"))) << "gives its place back, and gets none";
  }
  PeerProcess next;
  ASSERT_THAT(next.ask(bus.open()), StartsWith("CS_OK"));
  ASSERT_EQ(next.ask("join g"), "CS_OK");
  EXPECT_THAT(next.ask("told"), HasSubstr("conf 1 2"));
  EXPECT_THAT(slow.ask("told"), Not(StartsWith("CS_OK"))) << "both places are taken";
  EXPECT_THAT(slow.ask("join h"), Not(StartsWith("CS_OK")));
  EXPECT_EQ(slow.ask("finalize"), "CS_OK");
  EXPECT_LT(bus.fill(1 << 20), size_t{512} * 1024) << "the ring is held for the new member, which has not read yet";
}

}  // namespace
}  // namespace evs::limits
