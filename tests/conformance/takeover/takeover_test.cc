// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/takeover/takeover_test.cc - a gateway dies, at any moment and at each step, and another process finds what it had not let go of.
//
// Real processes and real kills, on the shared-memory transport with places to die compiled in (shm/crash_point.h).
#include <limits.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "tests/conformance/takeover/stage.h"

namespace evs::conformance {
namespace {

TEST_F(Takeover, AtRandomMoments) {
  start_writers();
  std::mt19937 dice(1);
  for (int round = 0; round < 25 && well(); ++round) {
    const uint64_t opened = board.opened, target = board.read_total + dice() % 4000;  // before it can have opened
    const auto one = gateway();
    ASSERT_TRUE(until([&] { return !well() || one->ended() || (board.read_total >= target && board.opened > opened); })) << "round " << round;
    ASSERT_FALSE(one->ended()) << "round " << round << ": " << board.fault;
    one->die();
    if (round % 5 == 4) until_full();
  }
  const auto last = gateway();
  settle(*last);
  EXPECT_GT(board.read_total, 25u * 1000);
}

TEST_F(Takeover, AtEachStepOfTheRolesOwn) {
  start_writers();
  for (const char* point : {"role.placing", "role.placed", "read.copied", "role.kept", "read.copied:9", "role.kept:9", "role.kept:100", "view.written",
                            "view.published", "attach.live", "attach.joining"}) {
    const auto dying = gateway(point);
    ASSERT_TRUE(until([&] { return !well() || dying->ended(); })) << point;
    ASSERT_TRUE(WIFSIGNALED(dying->status) && WTERMSIG(dying->status) == SIGKILL) << point << " " << dying->status << " " << board.fault;
    if (std::string(point) == "role.placed") until_full();
    if (std::string(point) == "role.placing") continue;  // the next one sets it anew
    const auto next = gateway();
    const uint64_t target = board.read_total + 500;
    ASSERT_TRUE(until([&] { return !well() || next->ended() || board.read_total >= target; })) << point;
  }
  const auto last = gateway();
  settle(*last);
}

// Before the second look at the tail others may have counted on room that the pin was to take: what they wrote until then is not promised.
TEST_F(Takeover, ThePlaceIsThatOfTheSecondLook) {
  Member other(bus_);
  const auto one = player({"opener"}, "role.placing", "STOP");
  ASSERT_TRUE(until([&] { return one->stopped(); }));
  uint64_t position = 0;
  ASSERT_EQ(other.append(to("g", certified(0, 0, 9)), &position), EVS_P_OK);
  one->signal(SIGCONT);
  ASSERT_TRUE(until([&] { return board.opened == 1; }));
  EXPECT_GT(board.told, position);
  one->die();
  EXPECT_EQ(Role(other).begun, board.told) << "and so it stays";
}

// The append under way, at each step of it; asked by a successor, and checked by somebody who reads the ring all the while.
class SettledClaims : public Takeover, public testing::WithParamInterface<std::pair<const char*, int>> {};

struct Verdict {
  int32_t status;
  uint32_t committed;
};
Verdict settled(Role& role, uint64_t position) {
  Verdict v{EVS_P_AGAIN, 7};
  until([&] { return (v.status = role.settle(position, v.committed)) != EVS_P_AGAIN; });
  return v;
}
bool was_read(const Reader& reader, uint64_t position) {
  for (const Got& got : reader.messages())
    if (got.position == position) return true;
  return false;
}

// What the successor is told of the position, and what the reader found there.
void expect_truth(Role& role, Reader& reader, uint64_t position, bool committed) {
  const Verdict v = settled(role, position);
  EXPECT_EQ(v.status, EVS_P_OK) << position;
  EXPECT_EQ(v.committed, committed ? 1u : 0u) << position;
  reader.drain();
  EXPECT_EQ(was_read(reader, position), committed) << position;
}

enum { kToldIsThere = 1, kToldIsNot, kNextIsNot };

TEST_P(SettledClaims, TheSuccessorIsToldTheTruth) {
  const auto [point, outcome] = GetParam();
  Member successor(bus_);
  Reader reader(successor);
  reader.join("g");
  const bool by_plan = std::string(point).rfind("before_commit", 0) == 0, wraps = std::string(point).find("lap") != std::string::npos;
  const std::string skip = "commit.skip";
  const auto dying = player({"appender", by_plan && !wraps ? "20" : wraps ? "0" : "99999", wraps || point == skip ? "50000" : "300"},
                            by_plan ? "" : point);
  ASSERT_TRUE(until([&] {
    reader.drain();
    return dying->ended();
  }));
  ASSERT_TRUE(WIFSIGNALED(dying->status) && WTERMSIG(dying->status) == SIGKILL) << dying->status;
  Role role(successor);
  ASSERT_EQ(role.status, EVS_P_OK);
  const uint64_t told = board.told, next = board.expected;
  EXPECT_LE(role.begun, told) << "the place of the last append is kept";
  expect_truth(role, reader, told, outcome != kToldIsNot);
  if (outcome == kNextIsNot) expect_truth(role, reader, next, false);
  // The ring goes on, for everybody.
  ASSERT_EQ(successor.append(to("g", "on")), EVS_P_OK);
  const auto has = [](const std::vector<std::string>& texts) { return std::find(texts.begin(), texts.end(), "on") != texts.end(); };
  EXPECT_TRUE(until([&] { return has(role.drained()); }));
  EXPECT_TRUE(until([&] {
    reader.drain();
    return has(reader.data());
  }));
}

INSTANTIATE_TEST_SUITE_P(EachStep, SettledClaims,
                         testing::Values(std::pair("claim.room:20", kToldIsThere), std::pair("claim.intent:20", kToldIsThere),
                                         std::pair("claim.won:20", kNextIsNot), std::pair("claim.owner:20", kNextIsNot),
                                         std::pair("write.payload:20", kNextIsNot), std::pair("write.groups:20", kNextIsNot),
                                         std::pair("write.header:20", kNextIsNot), std::pair("before_commit", kToldIsNot),
                                         std::pair("before_commit, a new lap", kToldIsNot), std::pair("commit.record:20", kToldIsThere),
                                         std::pair("commit.skip", kToldIsThere), std::pair("clear:20", kToldIsThere)),
                         [](const auto& of) {
                           std::string name;
                           for (const char* c = of.param.first; *c != 0; ++c)
                             if (isalnum(static_cast<unsigned char>(*c))) name += *c;
                           return name;
                         });

TEST_F(Takeover, WhoIsStoppedInItsAppendIsNotDead) {
  Member successor(bus_);
  Reader reader(successor);
  reader.join("g");
  const auto one = player({"appender", "99999", "300"}, "claim.owner:20", "STOP");
  ASSERT_TRUE(until([&] { return one->stopped(); }));
  Role role(successor);
  uint32_t committed = 7;
  const uint32_t turns = successor.service_turns();
  ASSERT_TRUE(until([&] { return successor.service_turns() >= turns + 3; })) << "long enough for anybody to find it dead";
  EXPECT_EQ(role.settle(board.expected, committed), EVS_P_AGAIN);
  one->die();
  expect_truth(role, reader, board.expected, false);
}

// Killed after the first unit that it padded of what another one left: the next one pads on.
TEST_F(Takeover, TheSuccessorMayDieInTheMiddleOfSettling) {
  Member third(bus_);
  Reader reader(third);
  reader.join("g");
  const auto second = player({"settler"}, "fill.padded");  // before the other one is stopped: who stands in a claim keeps joins waiting
  ASSERT_TRUE(until([&] { return board.opened != 0; }));
  const auto first = player({"appender", "99999", "50000"}, "claim.owner:6", "STOP");
  ASSERT_TRUE(until([&] { return first->stopped(); }));
  board.writers_finish = 1;
  ASSERT_TRUE(until([&] { return board.read_total != 0; })) << "it asked, and is told to ask again";
  first->die();
  ASSERT_TRUE(until([&] { return second->ended(); }));  // unless somebody else padded it all: then it was told so, and is done
  Role role(third);
  expect_truth(role, reader, board.expected, false);
}

}  // namespace
}  // namespace evs::conformance

int main(int argc, char** argv) {
  using namespace evs::conformance;
  testing::InitGoogleTest(&argc, argv);
  char self[PATH_MAX] = "";
  if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) return 2;
  options().self = self;
  options().plugin = EVS_TAKEOVER_PLUGIN;
  char made[] = "/dev/shm/evs-takeover-XXXXXX";
  const bool plays = argc > 2 && std::string(argv[2]) == "--play";
  options().directory = plays ? argv[1] : mkdtemp(made);
  options().parameters = {{"directory", options().directory}, {"group", ""}, {"ring_size", "512KiB"}, {"message_limit", "64KiB"}, {"max_processes", "64"},
                          {"slow_reader_timeout", "1h"}, {"stalled_writer_timeout", "0"}, {"attach_timeout", "10s"}, {"spin", "20us"}};
  try {
    if (plays) return play({argv + 3, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
  const int result = RUN_ALL_TESTS();
  std::filesystem::remove_all(options().directory);
  return result;
}
