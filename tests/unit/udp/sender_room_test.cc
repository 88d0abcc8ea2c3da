// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/sender_room_test.cc - to each, where the room never holds a copy for each: it goes on where it stopped.
#include <cerrno>

#include "tests/unit/udp/sender_story.h"

namespace evs::udp {
namespace {

using testing::ElementsAre;

// The kernel has room for `room` messages, of which each says what arrived where.
class SenderRoomTest : public SenderTest {
 protected:
  SenderRoomTest() {
    answer = [this](const Message& message) {
      if (room_ == 0) return EAGAIN;
      --room_;
      for (const std::string& frame : message.frames) got_[message.to + " " + frame]++;
      return 0;
    };
  }
  // Of those words that arrived somewhere: where, and how often.
  std::vector<std::string> arrived() const {
    std::vector<std::string> out;
    for (const auto& [what, times] : got_) out.push_back(what + (times == 1 ? "" : " " + std::to_string(times) + " times"));
    return out;
  }
  int room_ = 0;
  std::map<std::string, int> got_;
};

// Room for one message a call, and three peers: what is offered again goes on where it stopped.
TEST_F(SenderRoomTest, RoomThatNeverHoldsAllStarvesNobody) {
  be_unicast(3);
  for (int i = 0; i < 3; ++i) {
    room_ = 1;
    size_t done = 99;
    EXPECT_EQ(send({"frame"}, &done), i == 2 ? EVS_P_OK : EVS_P_AGAIN);
    EXPECT_EQ(done, i == 2 ? 1u : 0u);
  }
  EXPECT_THAT(arrived(), ElementsAre("10.0.0.1:5 frame", "10.0.0.2:5 frame", "10.0.0.3:5 frame"));
  room_ = 3;  // the same words are another frame once they are through
  size_t done = 0;
  EXPECT_EQ(send({"frame"}, &done), EVS_P_OK);
  EXPECT_THAT(arrived(), ElementsAre("10.0.0.1:5 frame 2 times", "10.0.0.2:5 frame 2 times", "10.0.0.3:5 frame 2 times"));
}

// More peers than one system call has messages, and frames that came meanwhile stand behind: they would lengthen the run.
TEST_F(SenderRoomTest, WhatIsAppendedMeanwhileWaitsForItsTurn) {
  be_unicast(150);
  std::vector<std::string> words = {"a1", "a2"};
  size_t calls = 0;
  while (!words.empty() && ++calls < 100) {
    room_ = 7;
    size_t done = 0;
    send(words, &done);
    words.erase(words.begin(), words.begin() + static_cast<long>(done));
    if (calls == 3) words.insert(words.end(), {"b1", "b2", "b3"});
  }
  EXPECT_EQ(calls, (2 * 150 + 6) / 7u) << "two runs to 150 peers, seven a call";
  EXPECT_EQ(got_.size(), 5u * 150);
  for (const auto& [what, times] : got_) EXPECT_EQ(times, 1) << what;
}

// The token behind what is said to all leaves with the last of it.
TEST_F(SenderRoomTest, WhatStandsBehindLeaves) {
  be_unicast(3);
  const uint32_t second = peers_.everybody()[1];
  std::string word = "word", token = "token";
  std::vector<evs_datagram> raw = {{EVS_PEER_ALL, 0, word.data(), word.size()}, {second, 0, token.data(), token.size()}};
  for (const size_t through : {0u, 2u}) {
    room_ = 2;
    size_t done = 99;
    sender().send(sockets_, raw.data(), raw.size(), &done);
    EXPECT_EQ(done, through);
  }
  EXPECT_THAT(arrived(), ElementsAre("10.0.0.1:5 word", "10.0.0.2:5 token", "10.0.0.2:5 word", "10.0.0.3:5 word"));
}

TEST_F(SenderRoomTest, SomethingElseBeginsAnew) {
  be_unicast(3);
  size_t done = 99;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"one"}, {"two"}, {"tw", "o"}, {"tw"}, {}, {"one"}}) {
    room_ = 2;
    EXPECT_EQ(send(words, &done), words.empty() ? EVS_P_OK : EVS_P_AGAIN);
    EXPECT_EQ(done, 0u);
  }
  EXPECT_THAT(arrived(), ElementsAre("10.0.0.1:5 o", "10.0.0.1:5 one 2 times", "10.0.0.1:5 tw 2 times", "10.0.0.1:5 two",  //
                                     "10.0.0.2:5 o", "10.0.0.2:5 one 2 times", "10.0.0.2:5 tw 2 times", "10.0.0.2:5 two"));
  room_ = 1;  // not to all, although it is the same
  EXPECT_EQ(send({"one"}, &done, peers_.everybody()[0]), EVS_P_OK);
  EXPECT_EQ(got_["10.0.0.1:5 one"], 3);
}

// Who is new gets it, who is forgotten does not, and nobody who stays misses it.
TEST_F(SenderRoomTest, PeersChangeInItsMidst) {
  be_unicast(1);
  bool full = false;
  std::vector<uint32_t> marked;
  const auto vouch = [&](const char* address) {
    marked.push_back(peers_.learn(*Address::parse(address, 5)));
    ASSERT_TRUE(peers_.mark(marked.back(), full));
  };
  vouch("10.0.0.2");
  vouch("10.0.0.3");
  room_ = 1;
  size_t done = 99;
  EXPECT_EQ(send({"a"}, &done), EVS_P_AGAIN);
  vouch("10.0.0.4");
  peers_.forget(marked[0]);
  room_ = 2;
  EXPECT_EQ(send({"a"}, &done), EVS_P_OK);
  EXPECT_THAT(arrived(), ElementsAre("10.0.0.1:5 a", "10.0.0.3:5 a", "10.0.0.4:5 a"));
  // One that has it is forgotten: who comes after may get it twice, but gets it.
  got_.clear();
  vouch("10.0.0.5");
  room_ = 3;
  EXPECT_EQ(send({"b"}, &done), EVS_P_AGAIN);
  peers_.forget(marked[1]);
  room_ = 3;
  EXPECT_EQ(send({"b"}, &done), EVS_P_OK);
  EXPECT_THAT(arrived(), ElementsAre("10.0.0.1:5 b", "10.0.0.3:5 b", "10.0.0.4:5 b 2 times", "10.0.0.5:5 b"));
}

// All that are left are forgotten: it is through, and what stands behind has no room.
TEST_F(SenderRoomTest, NobodyIsLeftToGetIt) {
  be_unicast(1);
  bool full = false;
  const uint32_t other = peers_.learn(*Address::parse("10.0.0.2", 5));
  ASSERT_TRUE(peers_.mark(other, full));
  room_ = 1;
  size_t done = 99;
  EXPECT_EQ(send({"a"}, &done), EVS_P_AGAIN);
  peers_.forget(other);
  EXPECT_EQ(send({"a", "longer"}, &done), EVS_P_AGAIN);
  EXPECT_EQ(done, 1u);
}

// The offload ends in the midst of a run: who has the run has each frame of it.
TEST_F(SenderRoomTest, TheOffloadEndsInItsMidst) {
  be_unicast(3);
  size_t done = 99;
  room_ = 2;
  EXPECT_EQ(send({"a", "b"}, &done), EVS_P_AGAIN);
  sockets_.cuts = false;
  room_ = 5;
  EXPECT_EQ(send({"a", "b", "c"}, &done), EVS_P_OK);
  EXPECT_EQ(done, 3u);
  EXPECT_EQ(got_.size(), 9u);
  for (const auto& [what, times] : got_) EXPECT_EQ(times, 1) << what;
}

}  // namespace
}  // namespace evs::udp
