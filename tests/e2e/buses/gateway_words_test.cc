// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/gateway_words_test.cc - what people are told when hosts have one id, or part.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "tests/e2e/buses/gateway_story.h"

namespace evs::test {
namespace {

// A number that was given twice: the newcomer hears who has it, keeps apart and says why, whoever is started there; the ring does not notice.
TEST_F(StandingGateway, ANewcomerWithTheIdOfAnotherHostKeepsApart) {
  Crowd crowd(3);
  for (const size_t host : {0, 1}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  Crowd::go_on(5000);  // else it is a newcomer itself (bus/runtime/uplink/twins.h)
  const std::string conf = crowd.status(1).conf;
  const std::vector<std::string> same_id = {"uplink.host_id=1"};
  const std::string here = "host id 1 is used by two hosts: this one and ";
  Driven twin;
  start(crowd, 2, twin, same_id);
  ASSERT_TRUE(Crowd::until([&] { return text(crowd, 2).find("  problem  " + here) != std::string::npos; })) << text(crowd, 2);
  EXPECT_EQ(told(crowd, 2, "state"), Json("apart")) << text(crowd, 2);
  EXPECT_TRUE(Crowd::until([&] { return text(crowd, 0).find("  problem  " + here) != std::string::npos; })) << text(crowd, 0);
  twin.kill();
  const Ran again = run(crowd, 2, {"gateway"}, same_id);
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.error.find(here), std::string::npos) << again.error;
  EXPECT_EQ(crowd.status(1).conf, conf) << "the ring was disturbed";
  // It comes when the other one is gone.
  start(crowd, 2, twin, {"uplink.host_id=1", "bus.initialize_timeout=1min"});
  ASSERT_TRUE(Crowd::until([&] { return text(crowd, 2).find("  problem  " + here) != std::string::npos; })) << text(crowd, 2);
  crowd.kill(0);
  EXPECT_TRUE(Crowd::until([&] { return told(crowd, 2, "state") == Json("operational") && told(crowd, 1, "members") == Json({1, 2}); })) << text(crowd, 2);
  EXPECT_EQ(text(crowd, 2).find("problem"), std::string::npos) << text(crowd, 2);
}

// What an older life says nobody opens who has heard a newer one: here it is the older one that keeps apart, and comes back.
TEST_F(StandingGateway, OfTwoSealedHostsOfOneIdTheOlderOneKeepsApart) {
  Crowd::Options options;
  options.sealed = true;
  Crowd crowd(3, options);
  for (const size_t host : {0, 1}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  Driven twin;
  start(crowd, 2, twin, {"uplink.host_id=1"});
  ASSERT_TRUE(Crowd::until([&] { return text(crowd, 0).find("  problem  host id 1 is used by two hosts: this one and ") != std::string::npos; })) << text(crowd, 0);
  ASSERT_TRUE(Crowd::until([&] { return told(crowd, 2, "state") == Json("operational") && told(crowd, 2, "members") == Json({1, 2}); })) << text(crowd, 2);
  const Json ring = told(crowd, 2, "ring_sequence");
  Crowd::go_on(5000);
  EXPECT_EQ(told(crowd, 0, "state"), Json("apart")) << text(crowd, 0);
  EXPECT_EQ(told(crowd, 2, "ring_sequence"), ring) << "the ring was disturbed";
  twin.kill();
  EXPECT_TRUE(crowd.until_one()) << text(crowd, 0);
}

// The groups are those of all hosts; and what sleeps, the library's own cursors among it, is not behind.
TEST_F(StandingGateway, StatusShowsTheGroupsOfAllHostsAndNobodyBehindWhoSleeps) {
  Crowd crowd(2);
  for (const size_t host : {0, 1}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  const auto groups = [&](size_t host) { return told(crowd, host, "groups"); };
  ASSERT_TRUE(Crowd::until([&] { return groups(0).is_array() && !groups(0).empty() && groups(0)[0]["members"].size() == 2; })) << text(crowd, 0);
  EXPECT_EQ(groups(0), groups(1)) << text(crowd, 1);
  crowd.tell_all("load 500");
  Crowd::go_on(500);
  crowd.tell_all("load 0");
  ASSERT_TRUE(crowd.until_quiet());
  const auto asleep = [&] {
    const Json ring = status(crowd, 0)["ring"];
    return ring["holder_what"] == "role" || ring["holder_what"] == "sleeper" || ring["holder_what"] == "";
  };
  EXPECT_TRUE(Crowd::until(asleep)) << text(crowd, 0);
  EXPECT_TRUE(Crowd::until([&] {
    const std::string all = text(crowd, 0);
    return all.find("  live         2       1     0 B\n") != std::string::npos;
  })) << text(crowd, 0);
}

// Three steps, while the bus runs. Who comes then has the new key alone, and is understood.
TEST_F(StandingGateway, AKeyIsReplacedWhileTheBusRuns) {
  Crowd::Options options;
  options.sealed = true;
  Crowd crowd(3, options);
  for (const size_t host : {0, 1}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  const std::string conf = crowd.status(0).conf;
  for (const char* step : {"--add", "--rotate", "--retire"}) {
    Driven keygen;
    keygen.start([&](int input, int output) { return crowd.wire().start(0, {EVS_COMMAND, "keygen", step, crowd.key_file()}, input, output); });
    keygen.wait();
    Crowd::go_on(1500);  // each host has looked
  }
  EXPECT_EQ(crowd.status(0).conf, conf) << "nobody was cut off meanwhile";
  crowd.start(2);
  EXPECT_TRUE(crowd.until_one()) << text(crowd, 2);
}

// Whether it carries the bus does not hang on a file that is for people.
TEST_F(StandingGateway, WhoCannotShowItselfIsTheGatewayAllTheSame) {
  Crowd crowd(1);
  crowd.start(0);
  ASSERT_TRUE(crowd.until_one());
  Driven gateway;
  start(crowd, 0, gateway);
  ASSERT_TRUE(Crowd::until([&] { return carries(crowd, 0, gateway); })) << text(crowd, 0);
  std::filesystem::create_directory(crowd.board_of(0) + "/default.uplink.new");
  std::filesystem::remove(crowd.board_of(0) + "/default.uplink");
  Crowd::go_on(12'000);  // longer than it would go without the role
  int status = 0;
  EXPECT_FALSE(has_ended(gateway, status));
  EXPECT_TRUE(told(crowd, 0, "state").is_null());
}

// A line of `evs cat --json` with all of these; empty: it did not come.
std::string line_with(Driven& cat, const std::vector<std::string>& words) {
  std::string line;
  while (cat.answer(line, 20'000))
    if (std::all_of(words.begin(), words.end(), [&](const std::string& each) { return line.find(each) != std::string::npos; })) return line;
  return {};
}

// It has not left: its host and this one hear each other no more.
TEST_F(StandingGateway, WhoIsCutOffHasParted) {
  Crowd crowd(2);
  Driven here, there;
  start_command(crowd, 0, here, {"cat", "-g", "g", "--json", "--listen"});
  start_command(crowd, 1, there, {"cat", "-g", "g", "--json", "--listen"});
  const std::string pid = "\"pid\":" + std::to_string(there.pid());
  EXPECT_NE(line_with(here, {"\"type\":\"group\"", pid, "\"joined\""}), "");
  crowd.wire().cut(0, 1);
  crowd.wire().cut(1, 0);
  EXPECT_NE(line_with(here, {"\"type\":\"configuration\"", "\"transitional\"", pid + ",\"reason\":\"parted\""}), "");
  EXPECT_NE(line_with(here, {"\"type\":\"group\"", pid, "\"parted\""}), "");
  crowd.wire().heal_all();
  EXPECT_NE(line_with(here, {"\"type\":\"group\"", pid, "\"joined\""}), "");
  there.signal(SIGTERM);
  EXPECT_NE(line_with(here, {"\"type\":\"group\"", pid, "\"left\""}), "");
}

}  // namespace
}  // namespace evs::test
