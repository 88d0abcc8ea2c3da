// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/networked_test.cc - a bus with an uplink in one process on one host, through the C API: what it refuses, and what must be as without one.
//
// The other hosts are nobody: datagrams go to the loopback interface, and nobody there answers.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <utility>

#include "tests/unit/uplink/networked_story.h"

namespace evs::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr uint64_t kSlotBits = 12;

TEST(Networked, AHostAloneTalksToItself) {
  Story one(wishes("alone"));
  ASSERT_EQ(one.result, CS_OK) << one.error;
  ASSERT_EQ(one.join("g"), CS_OK);
  until_line(one, "group g " + std::to_string(status_of(one).nodeid) + " joined");
  ASSERT_EQ(one.say("hello"), CS_OK);
  until_line(one, "msg hello");
  EXPECT_EQ(one.last_message.nodeid, status_of(one).nodeid);
}

TEST(Networked, AProcessIsNamedAfterItsHost) {
  Story one(wishes("named", {{"uplink.host_id", "77"}}));
  ASSERT_EQ(one.result, CS_OK) << one.error;
  const evs_status_t status = status_of(one);
  EXPECT_EQ(status.nodeid >> kSlotBits, 77u);
  EXPECT_EQ(status.members, 1u);
  EXPECT_EQ(status.configuration.nodeid, status.nodeid);
  EXPECT_EQ(status.handles, 1u);
  EXPECT_GT(status.ring_capacity_bytes, 0u);
  EXPECT_EQ(status.expulsions, 0u);
  ASSERT_EQ(one.join("g"), CS_OK);
  ASSERT_EQ(one.say("12345"), CS_OK);
  until_line(one, "msg 12345");
  const evs_status_t later = status_of(one);
  EXPECT_EQ(later.joined_groups, 1u);
  EXPECT_EQ(later.sent_messages, 1u);
  EXPECT_EQ(later.sent_bytes, 5u);
  EXPECT_EQ(later.delivered_messages, 1u);
  EXPECT_EQ(later.delivered_bytes, 5u);
  EXPECT_TRUE(later.holder_nodeid == 0 || later.holder_nodeid >> kSlotBits == 77u) << later.holder_nodeid << ": as everybody knows it";
}

TEST(Networked, WithoutAKeyItRefusesInWords) {
  Story one(wishes("nokey", {{"uplink.security", nullptr}, {"uplink.key_file", "/nonexistent/key"}}));
  EXPECT_EQ(one.result, CS_ERR_ACCESS);
  EXPECT_THAT(one.error, HasSubstr("/nonexistent/key"));
}

TEST(Networked, AnUplinkThatThereIsNot) {
  Story one(wishes("nosuch", {{"uplink.transport", "nosuch"}}));
  EXPECT_EQ(one.result, CS_ERR_NOT_EXIST);
  EXPECT_THAT(one.error, StartsWith("there is no transport \"nosuch\": "));
}

TEST(Networked, AnUplinkThatIsNoneIsRefusedInWords) {
  Story one(wishes("wrong", {{"uplink.transport", "shm"}}));
  EXPECT_EQ(one.result, CS_ERR_INVALID_PARAM);
  EXPECT_THAT(one.error, HasSubstr("carry datagrams"));
  EXPECT_THAT(one.error, HasSubstr("udp"));
}

TEST(Networked, ALocalRingThatIsNoneIsRefusedInWords) {
  Story one(wishes("wronglocal", {{"local.transport", "udp"}}));
  EXPECT_EQ(one.result, CS_ERR_INVALID_PARAM);
  EXPECT_THAT(one.error, HasSubstr("ordered medium"));
}

TEST(Networked, AnInterfaceThatThereIsNot) {
  Story one(wishes("noface", {{"plugin.udp.interface", "nosuch0"}, {"bus.initialize_timeout", "2s"}}));
  EXPECT_NE(one.result, CS_OK);
  EXPECT_THAT(one.error, HasSubstr("nosuch0"));
}

TEST(Networked, APortThatIsTakenNamesItsKey) {
  const std::string port = std::to_string(41000 + getpid() % 20000);
  const int taken = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(taken, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  Story one(wishes("taken", {{"plugin.udp.port", port.c_str()}}));
  EXPECT_NE(one.result, CS_OK);
  EXPECT_THAT(one.error, HasSubstr("127.0.0.1:" + port + " is taken by another process"));
  EXPECT_THAT(one.error, HasSubstr("plugin.udp.port"));
  close(taken);
}

TEST(Networked, WhoMayNotBeTheGatewayAndFindsNoneIsToldSo) {
  Story one(wishes("never", {{"uplink.gateway", "never"}, {"bus.initialize_timeout", "200ms"}}));
  EXPECT_EQ(one.result, CS_ERR_TIMEOUT);
  EXPECT_THAT(one.error, HasSubstr("there is no gateway on this host, and uplink.gateway = never (parameter)"));
  EXPECT_THAT(one.error, HasSubstr("evs gateway"));
}

TEST(Networked, HostIdsBeginAtOneAndComeFromTheMachineWithoutOne) {
  Story one(wishes("machine", {{"uplink.host_id", "0"}}));
  std::string machine;
  if (std::ifstream("/etc/machine-id") >> machine) {
    ASSERT_EQ(one.result, CS_OK) << one.error;
    EXPECT_NE(status_of(one).nodeid >> kSlotBits, 0u);
  } else {
    EXPECT_EQ(one.result, CS_ERR_INVALID_PARAM);
    EXPECT_THAT(one.error, HasSubstr("uplink.host_id"));
  }
  Story large(wishes("large", {{"uplink.host_id", "99999999"}}));
  EXPECT_NE(large.result, CS_OK);
  EXPECT_THAT(large.error, HasSubstr("uplink.host_id"));
}

TEST(Networked, ARingThatIsTooSmallForItsMessagesIsRefusedInWords) {
  Story one(wishes("small", {{"local.ring_size", "4MiB"}, {"local.message_limit", "1700KiB"}}));
  EXPECT_EQ(one.result, CS_ERR_INVALID_PARAM);
  EXPECT_THAT(one.error, HasSubstr("local.ring_size"));
  EXPECT_THAT(one.error, HasSubstr("local.message_limit"));
}

TEST(Networked, ABusMayHaveTheLongestName) {
  const std::string name(32, 'n');
  Story one(wishes(name.c_str()));
  Story longer(wishes((name + "n").c_str()));
  EXPECT_EQ(one.result, CS_OK) << one.error;
  EXPECT_NE(longer.result, CS_OK);
}

TEST(Networked, AMessageOfTheLimitIsTakenAndOneByteMoreIsNot) {
  Story one(wishes("limit", {{"local.message_limit", "64KiB"}, {"local.ring_size", "16MiB"}}));
  ASSERT_EQ(one.result, CS_OK) << one.error;
  evs_limits_t limits{};
  limits.struct_size = sizeof limits;
  ASSERT_EQ(evs_limits(one.handle, &limits), CS_OK);
  EXPECT_EQ(limits.message_bytes, 64u << 10);
  ASSERT_EQ(one.join("g"), CS_OK);
  const std::string largest(64 << 10, 'x');
  ASSERT_EQ(until_taken([&] { return one.say(largest); }), CS_OK);
  EXPECT_EQ(one.say(largest + "x"), CS_ERR_TOO_BIG);
  until_line(one, "msg " + largest);
}

TEST(Networked, FinalizedAndInitializedAgainItIsANewProcessor) {
  for (int i = 0; i < 3; ++i) {
    Story one(wishes("again"));
    ASSERT_EQ(one.result, CS_OK) << one.error;
    ASSERT_EQ(one.join("g"), CS_OK);
    ASSERT_EQ(one.say("round"), CS_OK);
    until_line(one, "msg round");
    EXPECT_EQ(status_of(one).members, 1u);
  }
}

TEST(Networked, BesideABusWithoutAnUplink) {
  Story far(wishes("far"));
  Story::Wishes near_by;
  near_by.bus = "near";
  near_by.extended = true;
  near_by.parameters = {{"local.transport", "shm"}};
  Story near(near_by);
  ASSERT_EQ(far.result, CS_OK) << far.error;
  ASSERT_EQ(near.result, CS_OK) << near.error;
  for (Story* story : {&far, &near}) ASSERT_EQ(story->join("g"), CS_OK);
  ASSERT_EQ(far.say("to the hosts"), CS_OK);
  ASSERT_EQ(near.say("to this one"), CS_OK);
  EXPECT_THAT(until_line(far, "msg to the hosts"), Not(Contains("msg to this one")));
  EXPECT_THAT(until_line(near, "msg to this one"), Not(Contains("msg to the hosts")));
}

TEST(Networked, AChildOfForkHasNoneOfIt) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's allocator stays locked in a child, when another thread was in it at the fork";
#endif
  Story one(wishes("fork"));
  ASSERT_EQ(one.result, CS_OK) << one.error;
  ASSERT_EQ(one.join("g"), CS_OK);
  const pid_t child = fork();
  if (child == 0) {
    const bool refused = one.say("from the child") != CS_OK && one.dispatch() != CS_OK;
    _exit(refused ? 0 : 1);
  }
  int end = -1;
  ASSERT_EQ(waitpid(child, &end, 0), child);
  EXPECT_EQ(end, 0) << "it spoke in its parent's name";
  ASSERT_EQ(one.say("from the parent"), CS_OK);
  EXPECT_THAT(until_line(one, "msg from the parent"), Not(Contains("msg from the child")));
}

Story* g_story = nullptr;
cs_error_t g_answer = CS_OK;

TEST(Networked, ASignalHandlerMaySend) {
  Story one(wishes("signal"));
  ASSERT_EQ(one.result, CS_OK) << one.error;
  ASSERT_EQ(one.join("g"), CS_OK);
  g_story = &one;
  struct sigaction action {};
  action.sa_handler = [](int) {
    char text[] = "from a handler";
    const iovec part{text, sizeof text - 1};
    g_answer = evs_mcast_joined(g_story->handle, EVS_TYPE_AGREED, &part, 1);
  };
  struct sigaction before {};
  sigaction(SIGUSR1, &action, &before);
  raise(SIGUSR1);
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(g_answer, CS_OK);
  until_line(one, "msg from a handler");
}

TEST(Networked, AFullOutboxAnswersTryAgainAndSaysWhenThereIsRoom) {
  Story one(wishes("full", {{"local.message_limit", "64KiB"}, {"local.ring_size", "4MiB"}}));
  ASSERT_EQ(one.result, CS_OK) << one.error;
  ASSERT_EQ(one.join("g"), CS_OK);
  const std::string text(60 << 10, 'x');
  size_t sent = 0;
  cs_error_t answer = CS_OK;
  while (sent < 10'000 && (answer = one.say(text)) == CS_OK) ++sent;
  ASSERT_EQ(answer, CS_ERR_TRY_AGAIN);
  EXPECT_GT(status_of(one).try_again, 0u);
  size_t came = 0;
  until(one, [&](const Lines& all) {
    came = static_cast<size_t>(std::count(all.begin(), all.end(), "msg " + text));
    return came == sent && std::find(all.begin(), all.end(), "room") != all.end();
  });
  EXPECT_EQ(came, sent) << "what was taken is delivered, and nothing else";
  EXPECT_EQ(one.say("more"), CS_OK);
  until_line(one, "msg more");
}

// They share one bell, which rings for who wants little first. None dispatches until it rings for it: each dispatch would ask anew.
TEST(Networked, OfSeveralWhoWaitForRoomNoneCancelsAnothersWish) {
  const auto made = wishes("severalwait", {{"local.message_limit", "1MiB"}, {"local.ring_size", "8MiB"}});
  Story reader(made), little(made), much(made), little_too(made);
  ASSERT_EQ(reader.result, CS_OK) << reader.error;
  ASSERT_EQ(reader.join("g"), CS_OK);
  Story* const waiting[] = {&much, &little, &little_too};
  pollfd bells[std::size(waiting)];
  for (size_t i = 0; i < std::size(waiting); ++i) {
    bells[i] = {-1, POLLIN, 0};
    ASSERT_EQ(evs_fd_get(waiting[i]->handle, &bells[i].fd), CS_OK);
    waiting[i]->told();
  }
  for (const size_t bytes : {8000, 100}) {  // the room comes in pieces
    const std::string text(bytes, 'x');
    for (int refused = 0; refused < 50;)
      if (little.say_to({"g"}, text) == CS_OK) refused = 0;
      else ++refused, poll(nullptr, 0, 1);
  }
  for (Story* one : waiting) {
    EXPECT_EQ(one->say_to({"g"}, std::string(one == &much ? 1000 << 10 : 100, 'x')), CS_ERR_TRY_AGAIN);
    EXPECT_THAT(one->told(), Not(Contains("room")));
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto ring = [&](int patience_ms) { return poll(bells, std::size(bells), patience_ms); };
  for (int ringing = 0; ringing != std::size(bells) && std::chrono::steady_clock::now() < end; ringing = ring(1)) reader.dispatch(CS_DISPATCH_ONE_NONBLOCKING);
  EXPECT_EQ(ring(0), std::size(bells)) << "who wants much is forgotten";
  for (Story* one : waiting) EXPECT_THAT(one->told(), Contains("room"));
}

uint64_t cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<uint64_t>(used.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(used.tv_nsec);
}

// Nobody reads here, so the order ring, the gateway's queue and the outbox are full in turn. What stands in the outbox keeps its bell rung, and is no reason to look.
TEST(Networked, WhileNothingCanGoOnTheServiceThreadSleeps) {
  Story one(wishes("asleep", {{"local.message_limit", "64KiB"}, {"local.ring_size", "4MiB"}}));
  ASSERT_EQ(one.result, CS_OK) << one.error;
  ASSERT_EQ(one.join("g"), CS_OK);
  const std::string text(60 << 10, 'x');
  for (int refused = 0; refused < 50;)
    if (one.say(text) == CS_OK) refused = 0;
    else ++refused, poll(nullptr, 0, 1);
  const uint64_t before = cpu_ns();
  poll(nullptr, 0, 400);
  EXPECT_LT(cpu_ns() - before, 200'000'000u) << "of 400 ms: it turns without a pause";
}

// A process that leaves, or is killed, rings the others for its membership of the order ring, and nothing on the board changes behind that.
TEST(Networked, WhenAnotherHasGoneTheServiceThreadSleeps) {
  Story one(wishes("stays"));
  ASSERT_EQ(one.result, CS_OK) << one.error;
  ASSERT_EQ(one.join("g"), CS_OK);
  for (const bool killed : {false, true}) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
      Story other(wishes("stays"));
      const char byte = other.result == CS_OK ? 1 : 0;
      if (write(ready[1], &byte, 1) != 1) _exit(2);
      if (killed) raise(SIGKILL);
      evs_finalize(other.handle);
      _exit(0);
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    EXPECT_EQ(byte, 1);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
    until(one, [&](const Lines&) { return status_of(one).members == 1; });
    one.told();
    const uint64_t before = cpu_ns();
    poll(nullptr, 0, 400);
    EXPECT_LT(cpu_ns() - before, 100'000'000u) << "of 400 ms, killed " << killed;
  }
}

// In a process of its own, which is told to read nothing until it has been expelled.
TEST(Networked, ASlowReaderComesBackAsAnother) {
  const auto small = [] { return wishes("slow", {{"local.slow_reader_timeout", "1s"}, {"local.message_limit", "64KiB"}, {"local.ring_size", "4MiB"}}); };
  int go[2], result[2];
  ASSERT_EQ(pipe(go), 0);
  ASSERT_EQ(pipe(result), 0);
  const pid_t child = fork();
  if (child == 0) {
    Story slow(small());
    if (slow.result != CS_OK || slow.join("g") != CS_OK) _exit(2);
    until_line(slow, "group g " + std::to_string(status_of(slow).nodeid) + " joined");
    const uint32_t before = status_of(slow).nodeid;
    char byte = 1;
    if (write(result[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1) _exit(3);  // reads nothing meanwhile
    const Lines lines = until(slow, [](const Lines& all) {
      return std::any_of(all.begin(), all.end(), [](const std::string& line) { return line.find("expelled") != std::string::npos; });
    });
    until_line(slow, "msg after");
    const evs_status_t after = status_of(slow);
    _exit(after.nodeid != before && after.expulsions == 1 ? 0 : 4);
  }
  char byte = 0;
  ASSERT_EQ(read(result[0], &byte, 1), 1);
  Story fast(small());
  ASSERT_EQ(fast.result, CS_OK) << fast.error;
  ASSERT_EQ(fast.join("g"), CS_OK);
  const std::string text(60 << 10, 'x');
  // One of two processes: when it is expelled, we hear that it has gone.
  until(fast, [&](const Lines& all) {
    fast.say(text);
    return std::any_of(all.begin(), all.end(), [](const std::string& line) { return line.rfind("trans", 0) == 0 && line.find(" -") != std::string::npos; });
  });
  ASSERT_EQ(write(go[1], &byte, 1), 1);
  until(fast, [&](const Lines& all) {
    return std::any_of(all.begin(), all.end(), [](const std::string& line) { return line.rfind("group g", 0) == 0 && line.find("joined") != std::string::npos; });
  });
  int end = -1;
  for (int i = 0; i < 500 && waitpid(child, &end, WNOHANG) == 0; ++i) {
    until_taken([&] { return fast.say("after"); });
    fast.told();
    poll(nullptr, 0, 20);
  }
  EXPECT_EQ(end, 0);
}

}  // namespace
}  // namespace evs::test
