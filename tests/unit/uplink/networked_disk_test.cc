// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/networked_disk_test.cc - a bus with an uplink on a host without a place on a disk, and on a disk that hangs.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <future>
#include <mutex>
#include <optional>

#include "tests/unit/uplink/hanging_disk.h"
#include "tests/unit/uplink/networked_story.h"

namespace evs::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(NetworkedDisk, WithoutAPlaceOnADiskItSaysWhatFollows) {
  if (access("/var/lib/evs", F_OK) == 0) GTEST_SKIP() << "this machine has a /var/lib/evs";
  struct Heard {
    std::mutex mutex;
    Lines lines;
  } heard;
  setenv("XDG_STATE_HOME", "/nonexistent", 1);
  auto made = wishes("placeless", {{"log.level", "info"}});
  made.log = [](void* self, int, const char* text, size_t length) {
    const std::lock_guard hold(static_cast<Heard*>(self)->mutex);
    static_cast<Heard*>(self)->lines.emplace_back(text, length);
  };
  made.log_context = &heard;
  {
    Story one(made);
    EXPECT_EQ(one.result, CS_OK) << one.error;
  }
  unsetenv("XDG_STATE_HOME");
  const auto said = std::find_if(heard.lines.begin(), heard.lines.end(), [](const std::string& line) { return line.find("rings are numbered anew") != std::string::npos; });
  ASSERT_NE(said, heard.lines.end()) << testing::PrintToString(heard.lines);
  EXPECT_THAT(*said, HasSubstr("/nonexistent/evs: No such file"));
  EXPECT_THAT(*said, HasSubstr("uplink.state_directory"));
}

Story::Wishes on_disk(const char* bus, const std::string& state, std::vector<evs_parameter_t> more = {}) {
  more.insert(more.end(), {{"uplink.quorum", "auto"}, {"uplink.state_directory", state.c_str()}});
  return wishes(bus, more);
}

// While it makes its directory, and while it writes into one that is there.
TEST(NetworkedDisk, ADiskThatHangsKeepsNobodyWhoOpensTheBus) {
  const std::string state = directory() + "/state";
  const auto hasty = on_disk("hanging", state, {{"uplink.found", "yes"}, {"bus.initialize_timeout", "500ms"}}), patient = on_disk("hanging", state, {{"uplink.found", "yes"}});
  for (const bool is_there : {false, true}) {
    {
      const HangingDisk disk;
      Story one(hasty);
      EXPECT_EQ(one.result, CS_ERR_TIMEOUT) << is_there;
      EXPECT_THAT(one.error, AllOf(HasSubstr("hanging.1."), HasSubstr("the disk has not answered"), Not(HasSubstr("emove")), Not(HasSubstr("make"))));
    }
    Story again(patient);
    EXPECT_EQ(again.result, CS_OK) << again.error;
  }
}

// Two hosts on one interface, each with a port: when the other one comes, ours votes.
TEST(NetworkedDisk, ADiskThatHangsKeepsNobodyWhoLeavesTheBus) {
  const std::string port = std::to_string(42000 + getpid() % 10000), other_port = std::to_string(52000 + getpid() % 10000);
  const std::string peers = "127.0.0.1:" + port + ",127.0.0.1:" + other_port;
  const Directory own, others;
  const std::string state = own.path() + "/state", other_state = others.path() + "/state";
  const auto two = [&](const std::string& where, const std::string& own_port, std::vector<evs_parameter_t> more) {
    more.insert(more.end(), {{"plugin.udp.interface", nullptr}, {"plugin.udp.mode", "unicast"}, {"plugin.udp.peers", peers.c_str()}, {"plugin.udp.address", "127.0.0.1"},
                             {"plugin.udp.port", own_port.c_str()}});
    return on_disk("leaving", where, more);
  };
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  const pid_t other = fork();
  if (other == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char byte = 0;
    if (read(go[0], &byte, 1) != 1) _exit(1);
    const Story comes(two(other_state, other_port, {{"uplink.host_id", "2"}, {"local.directory", others.path().c_str()}}));
    for (;;) pause();
  }
  Story one(two(state, port, {{"uplink.found", "yes"}}));
  ASSERT_EQ(one.result, CS_OK) << one.error;

  std::optional<HangingDisk> disk(HangingDisk::kFlush);
  ASSERT_EQ(write(go[1], "", 1), 1);
  disk->until_somebody_hangs();
  auto left = std::async(std::launch::async, [&] { return evs_finalize(std::exchange(one.handle, 0)); });
  if (left.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
    ADD_FAILURE() << "it waits for the disk";
    disk.reset();
  }
  EXPECT_EQ(left.get(), CS_OK);
  disk.reset();
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  close(go[0]);
  close(go[1]);
  Story again(two(state, port, {}));
  EXPECT_EQ(again.result, CS_OK) << again.error;
}

}  // namespace
}  // namespace evs::test
