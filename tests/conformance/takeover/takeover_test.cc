// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/takeover/takeover_test.cc - a gateway dies, at any moment and at each step, and another process finds what it had not let go of.
//
// Real processes and real kills, on the shared-memory transport with places to die compiled in (shm/crash_point.h).
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "tests/conformance/role.h"
#include "tests/conformance/takeover/board.h"

extern char** environ;

namespace evs::conformance {
namespace {

class Player {
 public:
  explicit Player(std::vector<std::string> words, const std::string& crash_at = "", const std::string& crash_by = "") {
    words.insert(words.begin(), {options().self, options().directory, "--play"});
    std::vector<std::string> environment;
    for (char** e = environ; *e != nullptr; ++e) environment.emplace_back(*e);
    if (!crash_at.empty()) environment.push_back("EVS_CRASH_AT=" + crash_at);
    if (!crash_by.empty()) environment.push_back("EVS_CRASH_BY=" + crash_by);
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> all;
      for (std::string& text : texts) all.push_back(text.data());
      all.push_back(nullptr);
      return all;
    };
    if (posix_spawn(&pid_, options().self.c_str(), nullptr, nullptr, pointers(words).data(), pointers(environment).data()) != 0)
      throw std::runtime_error("no player");
  }
  Player(const Player&) = delete;
  ~Player() { die(); }
  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  // Has it ended? Its wait status is in `status`.
  bool ended() {
    if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
    return pid_ < 0;
  }
  bool stopped() const {
    int seen = 0;
    return waitpid(pid_, &seen, WNOHANG | WUNTRACED) == pid_ && WIFSTOPPED(seen);
  }
  void die() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, &status, 0);
    pid_ = -1;
  }
  int status = 0;

 private:
  pid_t pid_ = -1;
};

class Takeover : public testing::Test {
 protected:
  Takeover() : board_path_(options().directory + "/" + bus_ + ".board"), board(open_board(board_path_)) {}
  ~Takeover() override {
    if (board.faulty != 0) ADD_FAILURE() << board.fault;
  }
  std::unique_ptr<Player> player(std::vector<std::string> words, const std::string& crash_at = "", const std::string& crash_by = "") {
    words.insert(words.begin() + 1, {board_path_, bus_});
    return std::make_unique<Player>(std::move(words), crash_at, crash_by);
  }
  void start_writers() {
    for (uint32_t i = 0; i < kWriters; ++i) writers_.push_back(player({"writer", std::to_string(i)}));
  }
  std::unique_ptr<Player> gateway(const std::string& crash_at = "") {
    return player({"gateway", std::to_string(++seed_)}, crash_at);
  }
  bool well() const { return board.faulty == 0; }
  // Nobody reads: until each writer was refused again and again.
  void until_full() {
    uint64_t before[kWriters];
    for (uint32_t i = 0; i < kWriters; ++i) before[i] = board.refused[i];
    for (uint32_t i = 0; i < kWriters; ++i) ASSERT_TRUE(until([&] { return board.refused[i] >= before[i] + 3; }));
  }
  // The last gateway reads all that was ever written.
  void settle(Player& last) {
    board.writers_finish = 1;
    for (auto& writer : writers_) EXPECT_TRUE(until([&] { return writer->ended(); }));
    EXPECT_TRUE(until([&] {
      bool all = true;
      for (uint32_t i = 0; i < kWriters; ++i) all = all && board.seen_next[i] == board.written[i];
      return all || !well();
    }));
    board.gateway_finishes = 1;
    EXPECT_TRUE(until([&] { return last.ended(); }));
    EXPECT_EQ(last.status, 0);
  }

  const std::string bus_ = fresh_bus();
  const std::string board_path_;
  Board& board;
  std::vector<std::unique_ptr<Player>> writers_;
  uint32_t seed_ = 0;
};

TEST_F(Takeover, AtRandomMoments) {
  start_writers();
  std::mt19937 dice(1);
  for (int round = 0; round < 25 && well(); ++round) {
    const auto one = gateway();
    const uint64_t opened = board.opened, target = board.read_total + dice() % 4000;
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

// --- several transports on one thread of one process

class Three : public Takeover {
 protected:
  std::unique_ptr<Player> three(const std::string& ending) {
    auto player = std::make_unique<Player>(std::vector<std::string>{"three", board_path_, bus_, outbox_name_, ending});
    EXPECT_TRUE(until([&] { return board.opened == 1 || player->ended(); }));
    EXPECT_EQ(members(), 5u);
    return player;
  }
  size_t members() { return membership_of(order_).members.size() + membership_of(outbox_).members.size(); }
  const std::string outbox_name_ = bus_ + "-out";
  Member order_{bus_}, outbox_{outbox_name_};
};

TEST_F(Three, AreFoundDeadTogether) {
  for (const char* ending : {"execs", "forks"}) {
    board.opened = 0;
    board.writers_finish = 0;
    const auto one = three(ending);
    EXPECT_EQ(lines_with(order_, "died") + lines_with(outbox_, "died"), std::string(ending) == "execs" ? 0u : 3u);
    board.writers_finish = 1;
    EXPECT_TRUE(until([&] { return members() == 2; })) << ending << ": its pid lives on, what the thread held tells";
    EXPECT_FALSE(one->ended());
  }
  EXPECT_EQ(lines_with(order_, "died"), 4u);
  EXPECT_EQ(lines_with(outbox_, "died"), 2u);
  board.gateway_finishes = 1;
}

TEST_F(Three, AreKilledOrLeaveOnTheirOwnThread) {
  {
    const auto one = three("leaves");
    board.writers_finish = 1;
    EXPECT_TRUE(until([&] { return one->ended(); }));
    EXPECT_EQ(one->status, 0);
    EXPECT_EQ(members(), 2u);
    EXPECT_EQ(lines_with(order_, "died"), 0u);
  }
  board.opened = 0;
  board.writers_finish = 0;
  three("leaves")->die();
  EXPECT_TRUE(until([&] { return members() == 2; }));
  EXPECT_EQ(lines_with(order_, "died"), 2u);
}

TEST_F(Three, AreStoppedInOneLineAndGoOnInAnother) {
  const auto one = three("leaves");
  one->signal(SIGSTOP);
  ASSERT_TRUE(until([&] { return lines_with(order_, "is stopped") != 0 && lines_with(outbox_, "is stopped") != 0; }));
  const uint32_t turns = order_.service_turns();
  ASSERT_TRUE(until([&] { return order_.service_turns() >= turns + 3; }));
  EXPECT_EQ(lines_with(order_, "is stopped"), 1u);
  one->signal(SIGCONT);
  ASSERT_TRUE(until([&] { return lines_with(order_, "runs again") != 0 && lines_with(outbox_, "runs again") != 0; }));
  EXPECT_EQ(lines_with(order_, "runs again"), 1u);
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
