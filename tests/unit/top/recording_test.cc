// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/top/recording_test.cc - frames written and read again; and what is no recording is refused in words.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "tests/unit/top/frames.h"
#include "tools/top/recording.h"

namespace evs::top {
namespace {

std::string frame_refusal(const std::string& line) {
  Frame frame;
  std::string failure;
  EXPECT_FALSE(read_frame(line, frame, failure)) << line;
  return failure;
}

Frame all_of_it() {
  Frame frame = test::frame();
  frame.source = "http://host:1/metrics";
  frame.undetailed = "it may not be read";
  frame.families = {{"evs_up", Kind::gauge, {{{}, 1, {}, 0, 0}}}, {"evs_x_seconds", Kind::histogram, {{{{"guarantee", "safe"}}, 0, {{0.001, 3}, {0.002, 5}}, 0.01, 6}}}, {"none", Kind::gauge, {{{}, kNone, {}, 0, 0}}}};
  frame.loaded = {{"/usr/lib/libevs.so.4", true, {812, 900}}};
  metrics::Snapshot& snapshot = *frame.detail;
  snapshot.members[0].stopped_for_ns = 0;
  snapshot.members[1].process_gone = true;
  snapshot.members[1].state = metrics::MemberState::expelled;
  snapshot.departed = {{3, 7, 11, "died"}};
  snapshot.outbox = metrics::Outbox{snapshot.ring, snapshot.members};
  snapshot.uplink.gateway = metrics::GatewayState::silent;
  snapshot.uplink.age_ns = 5;
  snapshot.uplink.values = {{"state", "operational"}, {"members", "7 9"}, {"high", "75"}, {"gateway_command", "42"}, {"problem_1", "host 8 has another key"}, {"group_1", "63686174" + std::string(metrics::GroupKey{}.size() * 2 - 8, '0') + " 28673:812 36865:5"}};
  snapshot.ring.holder_nodeid.reset();
  return frame;
}

TEST(Recording, AFrameIsReadAsItWasWritten) {
  const std::string line = write_frame(all_of_it());
  Frame again;
  std::string failure;
  ASSERT_TRUE(read_frame(line, again, failure)) << failure;
  // But for when the snapshot was taken, which the frame says.
  again.detail->taken_at_unix_ns = all_of_it().detail->taken_at_unix_ns;
  EXPECT_EQ(write_frame(again), line);
  EXPECT_EQ(*again.detail->uplink.value("members"), "7 9");
  EXPECT_EQ(again.detail->uplink.number("high"), 75u);
  EXPECT_EQ(again.detail->members[0].stopped_for_ns, 0u);
  EXPECT_EQ(*again.detail->uplink.value("problem_1"), "host 8 has another key");
  EXPECT_EQ(*again.detail->uplink.value("group_1"), *all_of_it().detail->uplink.value("group_1"));
  EXPECT_NE(line.find(R"("grade":"WARNING","words":"host 8 has another key")"), std::string::npos) << line;
  EXPECT_EQ(again.loaded, all_of_it().loaded);
}

TEST(Recording, WhatIsMissingOrOfAnotherKindIsNamed) {
  EXPECT_EQ(frame_refusal("{"), "it is no JSON");
  EXPECT_EQ(frame_refusal("[]"), "it is no object");
  EXPECT_EQ(frame_refusal("{}"), "\"unix_ns\" is missing");
  const std::string good = R"("unix_ns":1,"monotonic_ns":2,"bus":"b")";
  EXPECT_EQ(frame_refusal("{\"unix_ns\":-1}"), "\"unix_ns\": it is no number from 0 to 18446744073709551615");
  EXPECT_EQ(frame_refusal(R"({"unix_ns":1,"monotonic_ns":2,"bus":3})"), "\"bus\": it is no text");
  EXPECT_EQ(frame_refusal("{" + good + R"(,"status":[]})"), "\"status\": it is no object");
  EXPECT_EQ(frame_refusal("{" + good + R"(,"status":{"bus":"b","members":[{"nodeid":1}]}})"), "\"status.members[0]\": \"pid\" is missing");
  EXPECT_EQ(frame_refusal("{" + good + R"(,"status":{"bus":"b","members":[{"nodeid":1,"pid":4294967295}]}})"), "\"status.members[0].pid\": it is no number from 0 to 2147483647");
  EXPECT_EQ(frame_refusal("{" + good + R"(,"status":{"bus":"b","members":[{"nodeid":1,"pid":2,"state":"asleep"}]}})"), "\"status.members[0]\": state 'asleep' is not known");
  EXPECT_EQ(frame_refusal("{" + good + R"(,"metrics":[{"name":"h","kind":"histogram","series":[{"buckets":[[2,1],[1,2]]}]}]})"), "\"metrics[0].series[0].buckets[1]\": the bounds of a histogram do not rise");
  std::string many;
  for (int i = 0; i < 257; ++i) many += (i == 0 ? "" : ",") + std::string("\"p\"");
  EXPECT_EQ(frame_refusal("{" + good + R"(,"status":{"bus":"b","uplink":{"problems":[)" + many + "]}}}"), "\"status.uplink\": it has more than 256 values");
  EXPECT_EQ(frame_refusal("{" + good + R"(,"status":{"bus":"b","uplink":{"groups":[{"group":"g","members":[{"nodeid":1,"pid":-1}]}]}}})"), "\"status.uplink.groups[0].members[0].pid\": it is no number from 0 to 2147483647");
  EXPECT_EQ(frame_refusal("{" + good + R"(,"metrics":7})"), "\"metrics\": it is no list");
}

TEST(Recording, NamesThatAreNotKnownArePassedOver) {
  Frame frame;
  std::string failure;
  EXPECT_TRUE(read_frame(R"({"unix_ns":1,"monotonic_ns":2,"bus":"b","later":{"a":[1]}})", frame, failure)) << failure;
  EXPECT_FALSE(frame.detail);
}

class InAFile : public ::testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(path_) << text; }
  ~InAFile() override { std::remove(path_.c_str()); }
  std::string cannot_open() {
    Recording recording;
    std::string failure;
    EXPECT_FALSE(recording.open(path_, failure));
    EXPECT_TRUE(failure.starts_with(path_ + ": ")) << failure;
    return failure.substr(std::min(failure.size(), path_.size() + 2));
  }
  std::string stops_with() {
    Recording recording;
    Frame frame;
    std::string failure;
    EXPECT_TRUE(recording.open(path_, failure)) << failure;
    Recording::Next next = Recording::Next::frame;
    while (next == Recording::Next::frame) next = recording.next(frame, failure);
    return next == Recording::Next::end ? "end" : failure.substr(std::min(failure.size(), path_.size() + 2));
  }
  const std::string path_ = ::testing::TempDir() + "evs_top_recording_test.jsonl";
};

TEST_F(InAFile, WhatItBeginsWithSaysWhetherItIsOne) {
  EXPECT_EQ(cannot_open(), "No such file or directory");
  write("");
  EXPECT_EQ(cannot_open(), "it is empty");
  write("{\"a\":1}\n");
  EXPECT_EQ(cannot_open(), "it is no recording of evs-top");
  write("\x7f" "ELF");
  EXPECT_EQ(cannot_open(), "it is no recording of evs-top");
  write("{\"evs_top_recording\":2}\n");
  EXPECT_EQ(cannot_open(), "it is a recording of version 2; this evs-top reads version 1");
}

TEST_F(InAFile, AFrameThatCannotBeReadIsNamedByItsLine) {
  const std::string good = recording_header() + write_frame(test::frame());
  write(good);
  EXPECT_EQ(stops_with(), "end");
  write(good + "{}\n");
  EXPECT_EQ(stops_with(), "line 3: \"unix_ns\" is missing");
  write(good + write_frame(test::frame(1)).substr(0, 100));
  EXPECT_EQ(stops_with(), "line 3: it is cut short");
  write(good + std::string(kMostFrameBytes + 1, ' '));
  EXPECT_EQ(stops_with(), "line 3 is longer than 16.0 MiB");
}

}  // namespace
}  // namespace evs::top
