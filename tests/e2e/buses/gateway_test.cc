// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/gateway_test.cc - `evs gateway` and `evs status` on a bus that spans hosts: who carries it, who takes over, and who holds it up.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/e2e/buses/gateway_story.h"

namespace evs::test {
namespace {

TEST_F(StandingGateway, TakesTheRoleFromAnApplicationAndAnotherOneFollowsWhenItIsKilled) {
  Crowd crowd(3);
  for (const size_t host : {0, 0, 1, 2}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  Driven gateway;
  start(crowd, 0, gateway);
  ASSERT_TRUE(Crowd::until([&] { return carries(crowd, 0, gateway); })) << text(crowd, 0);
  ASSERT_TRUE(Crowd::until([&] { return told(crowd, 0, "members") == Json({1, 2, 3}) && told(crowd, 1, "members") == Json({1, 2, 3}); })) << text(crowd, 0);

  for (const size_t host : {0, 1, 2}) {
    ASSERT_TRUE(Crowd::until([&] { return told(crowd, host, "members") == Json({1, 2, 3}) && told(crowd, host, "processes") == Json(5); })) << text(crowd, host);
    const Json seen = status(crowd, host), uplink = seen["uplink"];
    EXPECT_EQ(seen["role"], "gateway");
    EXPECT_EQ(uplink["gateway"], "there");
    EXPECT_EQ(uplink["gateway_pid"], host == 0 ? gateway.pid() : crowd.process(crowd.gateway_of(host)).pid());
    EXPECT_EQ(uplink["gateway_command"], host == 0 ? "evs" : "evs-test-member");
    EXPECT_EQ(uplink["gateway_standing"], host == 0 ? 1 : 0);
    EXPECT_EQ(uplink["host_id"], host + 1);
    EXPECT_EQ(uplink["state"], "operational");
    EXPECT_EQ(uplink["held_by"], 0);
    EXPECT_GE(uplink["high"], uplink["received_up_to"]);
    EXPECT_GE(uplink["received_up_to"], uplink["stable"]);
    EXPECT_LT(uplink["token_age_ns"], 5'000'000'000u);
    EXPECT_EQ(seen["outbox"]["holder_what"], "role");
    EXPECT_NE(text(crowd, host).find("  uplink   operational, ring "), std::string::npos) << text(crowd, host);
    EXPECT_NE(text(crowd, host).find(": hosts 1 2 3; this is host " + std::to_string(host + 1)), std::string::npos) << text(crowd, host);
  }

  const Ran second = run(crowd, 0, {"gateway"});
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.error.find("has a standing gateway on this host already, pid " + std::to_string(gateway.pid()) + " (evs)"), std::string::npos) << second.error;
  EXPECT_TRUE(carries(crowd, 0, gateway));

  gateway.kill();
  ASSERT_TRUE(until_application(crowd, 0)) << text(crowd, 0);
  ASSERT_TRUE(crowd.until_one());
  EXPECT_EQ(told(crowd, 0, "gateway_standing"), Json(0));
  crowd.tell_all("load 300");
  Crowd::go_on(300);
  crowd.tell_all("load 0");
  EXPECT_TRUE(crowd.until_quiet());
}

TEST_F(StandingGateway, EveryNameThatIsToldIsInTheManualPage) {
  std::ifstream page(EVS_SOURCE_DIR "/docs/man/evs-status.1.scd");
  std::stringstream read;
  read << page.rdbuf();
  std::string manual = read.str();
  std::erase(manual, '\\');
  ASSERT_NE(manual.find("# UPLINK"), std::string::npos);
  manual = manual.substr(manual.find("# UPLINK"));
  Crowd crowd(2);
  for (const size_t host : {0, 1}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  ASSERT_TRUE(Crowd::until([&] { return told(crowd, 0, "members") == Json({1, 2}); })) << text(crowd, 0);
  const Json names = status(crowd, 0)["uplink"];
  constexpr const char* kByReason[] = {"refused_", "lost_", "gathered_", "ignored_"};
  EXPECT_TRUE(names.contains("token_age_ns"));
  for (const auto& [name, value] : names.items()) {
    const bool by_reason = std::any_of(std::begin(kByReason), std::end(kByReason), [&name = name](const char* what) { return name.rfind(what, 0) == 0; });
    const size_t reason = name.find('_') + 1;
    const std::string wanted = "_" + (by_reason ? name.substr(reason, name.size() - 6 - reason) : name) + "_";
    EXPECT_NE(manual.find(wanted), std::string::npos) << name;
  }
}

TEST_F(StandingGateway, HandsTheRoleOverInOrderWhenItIsToldToEnd) {
  Crowd crowd(2);
  for (const size_t host : {0, 1}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  for (const int signal : {SIGTERM, SIGINT}) {
    Driven gateway;
    start(crowd, 0, gateway);
    ASSERT_TRUE(Crowd::until([&] { return carries(crowd, 0, gateway); })) << text(crowd, 0);
    gateway.signal(signal);
    int status = -1;
    ASSERT_TRUE(Crowd::until([&] { return has_ended(gateway, status); }));
    EXPECT_EQ(status, 0);
    gateway.wait();
    ASSERT_TRUE(until_application(crowd, 0)) << text(crowd, 0);
    ASSERT_TRUE(crowd.until_one());
  }
}

// The role would be handed over in vain, and all hosts would wait for a token meanwhile.
TEST_F(StandingGateway, WhoHasNoPlaceForItsStateIsNotHandedTheRole) {
  Crowd crowd(2);
  for (const size_t host : {0, 1}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  ASSERT_TRUE(until_application(crowd, 0)) << text(crowd, 0);
  ASSERT_TRUE(Crowd::until([&] { return told(crowd, 0, "members") == Json({1, 2}); })) << text(crowd, 0);
  const Json ring = told(crowd, 0, "ring_sequence");
  const Ran ran = run(crowd, 0, {"gateway"}, {"uplink.state_directory=/dev/null/nowhere"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.error.find("this process cannot be the gateway: uplink.state_directory: no directory to keep default.1.rings in (/dev/null/nowhere: "), std::string::npos) << ran.error;
  EXPECT_NE(ran.error.find("is; the log says why"), std::string::npos) << ran.error;
  EXPECT_EQ(told(crowd, 0, "ring_sequence"), ring);
  EXPECT_EQ(told(crowd, 0, "gateway_pid"), Json(crowd.process(0).pid()));
  EXPECT_EQ(told(crowd, 0, "gateway_standing"), Json(0));
}

// The first look of either is before the other one stands.
TEST_F(StandingGateway, OfTwoThatAreStartedAtOnceOneRemains) {
  Crowd crowd(1);
  Driven one, two;
  start(crowd, 0, one);
  start(crowd, 0, two);
  int status = -1;
  ASSERT_TRUE(Crowd::until([&] { return has_ended(one, status) || has_ended(two, status); })) << text(crowd, 0);
  EXPECT_EQ(status, 1);
  const Driven& left = has_ended(one, status) ? two : one;
  EXPECT_TRUE(Crowd::until([&] { return carries(crowd, 0, left); })) << text(crowd, 0);
  EXPECT_FALSE(has_ended(left, status));
}

TEST_F(StandingGateway, WhoIsStoppedIsSilentThereAndNoMemberElsewhere) {
  Crowd crowd(2);
  for (const size_t host : {0, 1}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  Driven gateway;
  start(crowd, 1, gateway);
  ASSERT_TRUE(Crowd::until([&] { return carries(crowd, 1, gateway) && told(crowd, 0, "members") == Json({1, 2}); })) << text(crowd, 1);
  gateway.signal(SIGSTOP);
  EXPECT_TRUE(Crowd::until([&] { return told(crowd, 1, "gateway") == Json("silent") && told(crowd, 0, "members") == Json({1}); })) << text(crowd, 1) << text(crowd, 0);
  EXPECT_NE(text(crowd, 1).find("pid " + std::to_string(gateway.pid()) + " (evs), which stands for the role has told nothing since"), std::string::npos) << text(crowd, 1);
  EXPECT_EQ(status(crowd, 1)["role"], "silent gateway");
  EXPECT_EQ(run(crowd, 1, {"gateway"}).status, 1) << "a stopped one is not dead";
  gateway.signal(SIGCONT);
  EXPECT_TRUE(Crowd::until([&] { return told(crowd, 1, "gateway") == Json("there") && told(crowd, 0, "members") == Json({1, 2}); })) << text(crowd, 1) << text(crowd, 0);
  gateway.kill();
  ASSERT_TRUE(until_application(crowd, 1));
}

TEST_F(StandingGateway, WhoHoldsTheRingUpIsNamedOnEachHost) {
  Crowd::Options options;
  options.parameters = {"local.slow_reader_timeout=1min", "uplink.stalled_host_timeout=1min"};
  Crowd crowd(3, options);
  for (const size_t host : {0, 1, 2, 2}) crowd.start(host);
  ASSERT_TRUE(crowd.until_one());
  Driven gateway;
  start(crowd, 2, gateway);
  ASSERT_TRUE(Crowd::until([&] { return carries(crowd, 2, gateway) && told(crowd, 0, "members") == Json({1, 2, 3}); })) << text(crowd, 2);
  const size_t slow = 3;
  crowd.tell(slow, "stop");
  crowd.tell(0, "load 4000");
  for (const size_t host : {0, 1, 2}) {
    ASSERT_TRUE(Crowd::until([&] { return told(crowd, host, "held_by") == Json(3); })) << text(crowd, host);
    EXPECT_NE(text(crowd, host).find("  held up  by host 3, whose processes read slowly\n"), std::string::npos) << text(crowd, host);
  }
  const Json there = status(crowd, 2);
  const Json holder = there["ring"]["holder_nodeid"];
  ASSERT_TRUE(holder.is_number()) << there.dump();
  const auto found = std::find_if(there["members"].begin(), there["members"].end(), [&](const Json& member) { return member["nodeid"] == holder; });
  ASSERT_NE(found, there["members"].end());
  EXPECT_EQ((*found)["pid"], crowd.process(slow).pid());
  EXPECT_GT(told(crowd, 0, "backlog_bytes").get<uint64_t>() + told(crowd, 0, "outbox_used_bytes").get<uint64_t>(), 0u);
  crowd.tell(0, "load 0");
  crowd.tell(slow, "go");
  for (const size_t host : {0, 1, 2}) EXPECT_TRUE(Crowd::until([&] { return told(crowd, host, "held_by") == Json(0); })) << text(crowd, host);
  EXPECT_TRUE(crowd.until_quiet());
}

}  // namespace
}  // namespace evs::test
