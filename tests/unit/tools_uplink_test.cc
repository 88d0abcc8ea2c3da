// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/tools_uplink_test.cc - what the gateway tells, as it is read, judged and shown; and what nobody tells.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "metrics/uplink.h"
#include "shm/death.h"
#include "shm/inspect.h"
#include "tools/evs/json.h"
#include "tools/evs/status_text.h"

namespace evs::tools {
namespace {

using metrics::GatewayState;
using metrics::Uplink;

std::string told(uint64_t pid, uint64_t written_ns) {
  return "evs_uplink_gateway_pid " + std::to_string(pid) + "\nevs_uplink_gateway_command my feed\nevs_uplink_gateway_standing 0\nevs_uplink_written_ns " +
         std::to_string(written_ns) +
         "\nevs_uplink_host_id 2\nevs_uplink_state operational\nevs_uplink_ring_sequence 12\nevs_uplink_ring_representative 1\n"
         "evs_uplink_members 1 2 3\nevs_uplink_token_age_ns 1500\nevs_uplink_received_up_to 77\nevs_uplink_stable 75\nevs_uplink_high 79\nevs_uplink_held_by 0\nevs_uplink_lagging 0\n"
         "evs_uplink_backlog_bytes 2048\nevs_uplink_backlog_messages 9\nevs_uplink_refused_tag_total 3\nevs_uplink_lost_no_room_total 0\n";
}

metrics::Member process(uint32_t node, int32_t pid, uint64_t sent_bytes) {
  metrics::Member member;
  member.nodeid = node;
  member.pid = pid;
  member.command = "feed";
  member.sent_bytes = sent_bytes;
  return member;
}

metrics::Snapshot between_hosts() {
  metrics::Snapshot s;
  s.bus = "default";
  s.directory = "/dev/shm/evs-0";
  s.ring_sequence = 1;
  s.change = 8;
  s.ring.capacity_bytes = 4 << 20;
  for (const uint32_t node : {1u, 2u}) s.members.push_back(process(node, 811, 0));
  metrics::Outbox outbox;
  outbox.ring = {1 << 20, 64 << 10, 4096, 5, "role"};
  for (const uint32_t node : {4u, 5u, 6u, 7u, 8u})
    outbox.members.push_back(process(node, 800 + static_cast<int32_t>(node), uint64_t{node} << 20));
  s.outbox = outbox;
  s.uplink = metrics::parse_uplink(told(811, 1'000));
  metrics::judge_uplink(s.uplink, true, 40'001'000);
  return s;
}

TEST(UplinkFile, LinesAreValuesByNameAndTheRestIsLeftOut) {
  const Uplink uplink = metrics::parse_uplink("evs_uplink_state gather\nother 1\nevs_uplink_ 5\nevs_uplink_x\nevs_uplink_new_thing some words\nevs_uplink_stable 7");
  ASSERT_EQ(uplink.values.size(), 3u);
  EXPECT_EQ(*uplink.value("state"), "gather");
  EXPECT_EQ(*uplink.value("new_thing"), "some words");
  EXPECT_EQ(uplink.number("stable"), 7u);
  EXPECT_EQ(uplink.number("state"), 0u);
  EXPECT_EQ(uplink.value("x"), nullptr);
}

TEST(UplinkFile, PidAndAgeSayWhetherItIsTrueStill) {
  Uplink uplink = metrics::parse_uplink(told(5, 1'000'000'000));
  const auto judged = [&](bool there, uint64_t now_ns) { return metrics::judge_uplink(uplink, there, now_ns), uplink.gateway; };
  EXPECT_EQ(judged(true, 1'900'000'000), GatewayState::there);
  EXPECT_EQ(uplink.age_ns, 900'000'000u);
  EXPECT_EQ(judged(true, 2'000'000'000), GatewayState::silent);
  EXPECT_EQ(judged(false, 1'000'000'001), GatewayState::gone);
  EXPECT_EQ(judged(true, 5), GatewayState::gone) << "it was told before this host was started anew";
  EXPECT_EQ(uplink.age_ns, 0u);
}

class UplinkDirectory : public testing::Test {
 protected:
  UplinkDirectory() {
    char name[] = "/dev/shm/evs-uplink-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~UplinkDirectory() override { std::filesystem::remove_all(path_); }
  void write(const std::string& text, mode_t mode = 0640) {
    std::ofstream(path_ + "/bus.uplink") << text;
    chmod((path_ + "/bus.uplink").c_str(), mode);
  }
  bool read() { return metrics::read_uplink(path_, "", "bus", uplink_, failure_); }
  static uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
  }

  std::string path_, failure_;
  Uplink uplink_;
};

TEST_F(UplinkDirectory, AFileIsReadAndItsGatewayJudged) {
  ASSERT_TRUE(read());
  EXPECT_EQ(uplink_.gateway, GatewayState::none);
  write(told(static_cast<uint64_t>(getpid()), now_ns()));
  ASSERT_TRUE(read()) << failure_;
  EXPECT_EQ(uplink_.gateway, GatewayState::there);
  EXPECT_EQ(uplink_.number("ring_sequence"), 12u);
  write(told(INT32_MAX, now_ns()));  // beyond the kernel's largest pid
  ASSERT_TRUE(read());
  EXPECT_EQ(uplink_.gateway, GatewayState::gone);
  write(told(0, now_ns()));  // kill(0) would be our own group
  ASSERT_TRUE(read());
  EXPECT_EQ(uplink_.gateway, GatewayState::gone);
}

// In a container each life of a gateway may have the pid of the last one.
TEST_F(UplinkDirectory, APidThatIsAnotherProcessNowIsAGatewayThatIsGone) {
  const std::string mine = told(static_cast<uint64_t>(getpid()), now_ns());
  const uint64_t started = shm::process_start_time(getpid());
  ASSERT_NE(started, 0u);
  write(mine + "evs_uplink_gateway_start_time " + std::to_string(started) + "\n");
  ASSERT_TRUE(read());
  EXPECT_EQ(uplink_.gateway, GatewayState::there);
  write(mine + "evs_uplink_gateway_start_time " + std::to_string(started - 1) + "\n");
  ASSERT_TRUE(read());
  EXPECT_EQ(uplink_.gateway, GatewayState::gone);
}

TEST_F(UplinkDirectory, AnOldFileIsSilentAndOneOfALaterClockIsGone) {
  write(told(static_cast<uint64_t>(getpid()), now_ns() - 3'000'000'000));
  ASSERT_TRUE(read());
  EXPECT_EQ(uplink_.gateway, GatewayState::silent);
  EXPECT_GE(uplink_.age_ns, 3'000'000'000u);
  write(told(static_cast<uint64_t>(getpid()), now_ns() + 3'600'000'000'000));
  ASSERT_TRUE(read());
  EXPECT_EQ(uplink_.gateway, GatewayState::gone);
}

TEST_F(UplinkDirectory, WhateverIsInItIsBoundedAndHarmsNoTerminalAndNoJson) {
  std::string noise;
  for (int i = 0; i < 100'000; ++i) noise += "evs_uplink_n" + std::to_string(i) + " 1\n";
  write(noise);
  ASSERT_TRUE(read());
  EXPECT_EQ(uplink_.gateway, GatewayState::gone) << "no pid";
  EXPECT_EQ(uplink_.values.size(), 256u);
  std::string evil = "evs_uplink_state \x1b[31mred\xff\nevs_uplink_a\x1b[0m 1\nevs_uplink_members 1 x 99999999999999999999999 \nevs_uplink_gateway there\nevs_uplink_age_ns 1\n";
  evil += "evs_uplink_state second\nevs_uplink_host_id -1\nevs_uplink_held_by 18446744073709551616\nevs_uplink_token_age_ns\n";
  evil += std::string("evs_uplink_nul a\0b\n", 19) + std::string(100, '\0') + "\nevs_uplink_stable";
  write(evil);
  ASSERT_TRUE(read());
  metrics::Snapshot s = between_hosts();
  s.uplink = uplink_;
  const std::string text = status_text(s, {}, Palette(false)), json = json_line(status_json(s));
  EXPECT_EQ(text.find_first_of(std::string("\x1b\xff\0", 3)), std::string::npos) << text;
  EXPECT_NE(text.find("[31mred"), std::string::npos) << text;
  EXPECT_EQ(text.find("held up"), std::string::npos) << "that is no number";
  EXPECT_NE(json.find(R"("uplink":{"gateway":"gone","age_ns":)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("members":[1,"x","99999999999999999999999"],"host_id":"-1","held_by":"18446744073709551616","nul":"a\u0000b"})"), std::string::npos) << json;
}

TEST_F(UplinkDirectory, AnOutboxIsNoBus) {
  for (const char* name : {"a.ring", "a+outbox.ring", "b.ring", "b.uplink"}) std::ofstream(path_ + "/" + name);
  EXPECT_EQ(shm::list_buses(path_), (std::vector<std::string>{"a", "b"}));
}

TEST_F(UplinkDirectory, AFileThatOthersMayWriteIsNotBelieved) {
  write(told(1, 1), 0666);
  EXPECT_FALSE(read());
  EXPECT_NE(failure_.find("bus.uplink has mode 0666"), std::string::npos) << failure_;
  EXPECT_TRUE(uplink_.values.empty());
  std::filesystem::remove(path_ + "/bus.uplink");
  std::filesystem::create_symlink("/etc/hostname", path_ + "/bus.uplink");
  EXPECT_FALSE(read());
}

TEST(StatusOfAnUplink, SaysWhichRingWhoseGatewayAndWhatWaits) {
  EXPECT_EQ(status_text(between_hosts(), {}, Palette(false)),
            R"(bus default in /dev/shm/evs-0
  ring     0 B of 4.0 MiB used (0 %)
  members  2 of 1 process of this host (each once to read, once for the gateway's role), configuration 1.8
  uplink   operational, ring 12 of host 1: hosts 1 2 3; this is host 2
  gateway  pid 811 (my feed), told 40.00 ms ago
  order    received up to 77 of 79, stable up to 75; token age 1.50 us
  backlog  2.0 KiB for the token, 9 messages without a place yet
  lost     dropped packets: tag 3
  outbox   64.0 KiB of 1.0 MiB used (6 %), kept by the gateway, 5 (pid 805, feed); filled by 8 (pid 808, feed) with 8.0 MiB, 7 (pid 807, feed) with 7.0 MiB, 6 (pid 806, feed) with 6.0 MiB and 2 more

  NODEID  PID  COMMAND  STATE  HANDLES  GROUPS  BEHIND
       1  811  feed     live         0       0     0 B
       2  811  feed     live         0       0     0 B
)");
}

TEST(StatusOfAnUplink, NamesWhoeverIsWaitedFor) {
  metrics::Snapshot s = between_hosts();
  const auto says = [&](const char* what) { return status_text(s, {}, Palette(false)).find(what) != std::string::npos; };
  const auto set = [&](const char* name, const char* value) {
    for (auto& [known, old] : s.uplink.values)
      if (known == name) old = value;
  };
  EXPECT_FALSE(says("held up"));
  set("lagging", "3");
  EXPECT_TRUE(says("  held up  by host 3, which lacks what others have\n"));
  set("held_by", "2");
  EXPECT_TRUE(says("  held up  by host 2, whose processes read slowly\n"));
  set("members", "2");
  EXPECT_TRUE(says(": this host (2) alone\n"));
  set("gateway_standing", "1");
  EXPECT_TRUE(says("pid 811 (my feed), which stands for the role, told"));
  metrics::judge_uplink(s.uplink, true, 9'000'001'000);
  EXPECT_TRUE(says("has told nothing since 9.0 s ago: it is stopped, or hangs"));
  EXPECT_TRUE(says("  uplink   not known, the gateway pid 811 (my feed) is stopped or hangs; 9.0 s ago it was operational, ring 12"));
  metrics::judge_uplink(s.uplink, false, 9'000'001'000);
  EXPECT_TRUE(says("is gone; what it told 9.0 s ago is shown"));
  EXPECT_TRUE(says("  uplink   not known, the gateway pid 811 (my feed) is gone; 9.0 s ago it was operational, ring 12"));
  s.uplink = {};
  EXPECT_TRUE(says("  uplink   no gateway on this host: nobody carries the bus to other hosts\n"));
}

TEST(StatusOfAnUplink, SaysWhetherTheHostsMayActForAll) {
  metrics::Snapshot s = between_hosts();
  const auto says = [&](const char* what) { return status_text(s, {}, Palette(false)).find(what) != std::string::npos; };
  EXPECT_FALSE(says("  quorum ")) << "without a quorum nobody asks";
  s.uplink.values.insert(s.uplink.values.end(), {{"epoch", "7"}, {"quorum", "primary"}});
  EXPECT_TRUE(says("  quorum   primary, epoch 7\n"));
  const Json json = status_json(s);
  EXPECT_EQ(json["uplink"]["epoch"], 7);
  EXPECT_EQ(json["uplink"]["quorum"], "primary");
  s.uplink.values.resize(s.uplink.values.size() - 2);
  s.uplink.values.insert(s.uplink.values.end(), {{"epoch", "0"}, {"quorum", "no majority of the last primary ring"}});
  EXPECT_TRUE(says("  quorum   not primary: no majority of the last primary ring\n"));
}

// Whoever looks sees them first, and programs as a list.
TEST(StatusOfAnUplink, WhatIsWrongStandsAtTheHead) {
  metrics::Snapshot s = between_hosts();
  s.uplink = metrics::parse_uplink(told(811, 1'000) + "evs_uplink_problem_1 host id 2 is used by two hosts\nevs_uplink_problem_2 packets in the name of host 3 do not open\n");
  metrics::judge_uplink(s.uplink, true, 40'001'000);
  EXPECT_EQ(status_text(s, {}, Palette(false)).find("bus default in /dev/shm/evs-0\n  problem  host id 2 is used by two hosts\n  problem  packets in the name of host 3 do not open\n  ring     "), 0u)
      << status_text(s, {}, Palette(false));
  EXPECT_EQ(status_json(s)["uplink"]["problems"], Json({"host id 2 is used by two hosts", "packets in the name of host 3 do not open"}));
  EXPECT_FALSE(status_json(s)["uplink"].contains("problem_1"));
}

// Of all hosts, as the gateway tells them; a process of this host is found in them by its nodeid.
TEST(StatusOfAnUplink, GroupsAreThoseOfAllHosts) {
  metrics::Snapshot s = between_hosts();
  const std::string chat = "63686174" + std::string(56, '0'), other = std::string(64, 'f');
  s.uplink = metrics::parse_uplink(told(811, 1'000) + "evs_uplink_group_1 " + chat + " 4097:77 8193:811\nevs_uplink_group_2 " + other + " 8193:811\nevs_uplink_group_count 5\n");
  metrics::judge_uplink(s.uplink, true, 40'001'000);
  const std::string text = status_text(s, {}, Palette(false));
  EXPECT_NE(text.find("       1  811  feed     live         0       2     0 B\n       2  811  feed     live         0       0     0 B\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  4097 8193\n  hex:" + other + "  8193\n  and 3 more\n"), std::string::npos) << text;
  EXPECT_EQ(json_line(status_json(s)["uplink"]["groups"]), R"([{"group":"chat","members":[{"nodeid":4097,"pid":77},{"nodeid":8193,"pid":811}]},{"group":"hex:)" + other +
                                                                R"(","members":[{"nodeid":8193,"pid":811}]}])" "\n");
  s.uplink = metrics::parse_uplink(told(811, 1'000) + "evs_uplink_group_1 zz 1:1\nevs_uplink_group_2 " + chat + " x:1 5 :3 4097:77\n");
  metrics::judge_uplink(s.uplink, true, 40'001'000);
  EXPECT_EQ(json_line(status_json(s)["uplink"]["groups"]), R"([{"group":"chat","members":[{"nodeid":4097,"pid":77}]}])" "\n");
}

// Nothing for it is there: it would have been rung.
TEST(StatusOfAnUplink, WhoSleepsIsNotBehind) {
  metrics::Snapshot s = between_hosts();
  s.members[0].handles = {{0, true, true, 60'000, 1, 0, 0}, {1, true, false, 5, 1, 0, 0}};
  s.ring.used_bytes = 60'000;
  s.ring.holder_nodeid = 1;
  s.ring.holder_what = "sleeper";
  const std::string text = status_text(s, {}, Palette(false));
  EXPECT_NE(text.find("       1  811  feed     live         2       0     5 B\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  ring     58.6 KiB of 4.0 MiB used (1 %)\n"), std::string::npos) << text;
}

// It has no ring.
TEST(StatusOfAnUplink, OfAGatewayThatKeepsApart) {
  metrics::Snapshot s = between_hosts();
  s.uplink = metrics::parse_uplink("evs_uplink_gateway_pid 811\nevs_uplink_gateway_command my feed\nevs_uplink_written_ns 1000\nevs_uplink_host_id 2\nevs_uplink_state apart\nevs_uplink_problem_1 two\n");
  metrics::judge_uplink(s.uplink, true, 40'001'000);
  const std::string text = status_text(s, {}, Palette(false));
  EXPECT_NE(text.find("  uplink   apart: this is host 2\n  gateway  pid 811 (my feed), told 40.00 ms ago\n  outbox "), std::string::npos) << text;
}

TEST(StatusOfAnUplink, AsJsonHasNumbersAndTheHostsAsAList) {
  const Json json = status_json(between_hosts());
  EXPECT_EQ(json_line(json["uplink"]),
            R"({"gateway":"there","age_ns":40000000,"problems":[],"groups":[],"gateway_pid":811,"gateway_command":"my feed","gateway_standing":0,"written_ns":1000,"host_id":2,)"
            R"("state":"operational","ring_sequence":12,"ring_representative":1,"members":[1,2,3],"token_age_ns":1500,"received_up_to":77,"stable":75,"high":79,)"
            R"("held_by":0,"lagging":0,"backlog_bytes":2048,"backlog_messages":9,"refused_tag_total":3,"lost_no_room_total":0})"
            "\n");
  EXPECT_EQ(json["outbox"]["holder_what"], "role");
  EXPECT_EQ(json["outbox"]["used_bytes"], 64 << 10);
  EXPECT_EQ(json["outbox"]["members"].size(), 5u);
  EXPECT_EQ(json["outbox"]["members"][0]["sent_bytes"], 4 << 20);
  metrics::Snapshot alone = between_hosts();
  alone.outbox.reset();
  EXPECT_TRUE(status_json(alone)["uplink"].is_null());
  EXPECT_TRUE(status_json(alone)["outbox"].is_null());
}

}  // namespace
}  // namespace evs::tools
