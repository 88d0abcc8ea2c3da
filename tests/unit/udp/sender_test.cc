// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/sender_test.cc - what the sender makes of a kernel that refuses, runs out of room or takes half.
//
// The kernel is played: this program's sendmsg and sendmmsg (linked with --wrap) ask the story. Only the error queue is a real,
// empty one.
#include "plugins/udp/sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/udp.h>

#include <cerrno>
#include <functional>
#include <map>

namespace {

// What one message looks like to the kernel, and what the story lets it answer: 0 or an error number.
struct Message {
  std::string to;
  std::vector<std::string> frames;
  bool as_segments = false;
};
std::function<int(const Message&)> answer;
std::vector<Message> taken;

int play(const msghdr& raw) {
  Message message;
  message.to = evs::udp::Address::of(static_cast<const sockaddr*>(raw.msg_name))->text();
  for (size_t i = 0; i < raw.msg_iovlen; ++i)
    message.frames.emplace_back(static_cast<const char*>(raw.msg_iov[i].iov_base), raw.msg_iov[i].iov_len);
  message.as_segments = raw.msg_controllen > 0;
  const int error = answer(message);
  if (error == 0) taken.push_back(message);
  return error;
}

}  // namespace

extern "C" int __wrap_sendmmsg(int, mmsghdr* messages, unsigned count, int) {
  for (unsigned i = 0; i < count; ++i) {
    const int error = play(messages[i].msg_hdr);
    if (error == 0) continue;
    errno = error;
    return i == 0 ? -1 : static_cast<int>(i);
  }
  return static_cast<int>(count);
}

extern "C" ssize_t __wrap_sendmsg(int, const msghdr* message, int) {
  const int error = play(*message);
  errno = error;
  return error == 0 ? 1 : -1;
}

namespace evs::udp {
namespace {

using testing::ElementsAre;

class SenderTest : public testing::Test {
 protected:
  SenderTest() {
    settings_.group = *Address::parse("239.1.1.1", 5);
    answer = [](const Message&) { return 0; };
    taken.clear();
    sockets_.own = Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockets_.cuts = true;
  }
  void be_unicast(uint32_t peers) {
    settings_.mode = Mode::unicast;
    settings_.peers = {*Address::parse("10.0.0.1", 5)};
    for (uint32_t i = 0; i < peers; ++i) peers_.configure(*Address::parse("10.0.0." + std::to_string(i + 1), 5));
  }
  int32_t send(const std::vector<std::string>& frames, size_t* done, uint32_t to = EVS_PEER_ALL) {
    std::vector<evs_datagram> raw;
    for (const std::string& frame : frames) raw.push_back({to, 0, const_cast<char*>(frame.data()), frame.size()});
    return sender().send(sockets_, raw.data(), raw.size(), done);
  }
  Sender& sender() {
    if (!sender_) {
      sender_ = std::make_unique<Sender>(settings_, counters_, voice_, peers_);
      sender_->limit_path(1500);
    }
    return *sender_;
  }
  static std::vector<std::string> numbered(size_t count) {
    std::vector<std::string> out;
    for (size_t i = 0; i < count; ++i) out.push_back(std::to_string(100'000 + i));
    return out;
  }
  static std::vector<std::string> all_taken() {
    std::vector<std::string> out;
    for (const Message& message : taken) out.insert(out.end(), message.frames.begin(), message.frames.end());
    return out;
  }
  uint64_t count(Count what) { return values_[kCountText[static_cast<size_t>(what)].name]; }

  std::map<std::string, uint64_t> values_;
  std::vector<std::string> lines_;
  evs_host host_{sizeof(evs_host),
                 EVS_PLUGIN_ABI_MINOR,
                 this,
                 "bus",
                 [](void* context, int32_t, const char* kind, const char*, size_t) { static_cast<SenderTest*>(context)->lines_.emplace_back(kind); },
                 [](void* context, const char* name, const char*) { return &static_cast<SenderTest*>(context)->values_[name]; },
                 nullptr,
                 nullptr};
  Settings settings_;
  Counters counters_{&host_};
  Voice voice_{&host_, counters_};
  Peers peers_{1};
  Sockets sockets_;
  std::unique_ptr<Sender> sender_;
};

TEST_F(SenderTest, OneMessageForARunAndOrderKept) {
  size_t done = 0;
  EXPECT_EQ(send(numbered(1000), &done), EVS_P_OK);
  EXPECT_EQ(done, 1000u);
  EXPECT_TRUE(all_taken() == numbered(1000));
  EXPECT_LT(taken.size(), 20u);
  EXPECT_EQ(count(Count::sent_segments), 1000u);
}

TEST_F(SenderTest, ARefusedOffloadIsLeftAndEveryFrameGoes) {
  for (const int error : {EIO, EINVAL, EOPNOTSUPP, EMSGSIZE}) {
    taken.clear();
    lines_.clear();
    sockets_.cuts = true;
    answer = [&](const Message& message) { return message.as_segments ? error : 0; };
    size_t done = 0;
    for (int round = 0; round < 2; ++round) EXPECT_EQ(send(numbered(100), &done), EVS_P_OK);
    EXPECT_EQ(done, 100u);
    EXPECT_EQ(taken.size(), 200u) << error;
    EXPECT_FALSE(sockets_.cuts);
    EXPECT_THAT(lines_, ElementsAre("udp.offload"));
  }
  EXPECT_EQ(count(Count::other_errors) + count(Count::unreachable) + count(Count::too_big), 0u);
}

TEST_F(SenderTest, ARunThatFailsFrameByFrameTooIsLossAndNotTheOffload) {
  answer = [](const Message& message) { return message.as_segments ? EINVAL : ENETUNREACH; };
  size_t done = 0;
  EXPECT_EQ(send(numbered(10), &done), EVS_P_OK);
  EXPECT_EQ(done, 10u);
  EXPECT_TRUE(sockets_.cuts);
  EXPECT_EQ(count(Count::unreachable), 10u);
  EXPECT_TRUE(sender().suspects());
  EXPECT_FALSE(sender().suspects()) << "once";
}

TEST_F(SenderTest, NoRoomIsToldAtTheFrameItBeginsWith) {
  sockets_.cuts = false;
  for (const int error : {EAGAIN, ENOBUFS, ENOMEM}) {
    for (const size_t room : {0u, 1u, 63u, 64u, 65u, 513u}) {
      taken.clear();
      answer = [&](const Message&) { return taken.size() < room ? 0 : error; };
      size_t done = 99;
      EXPECT_EQ(send(numbered(600), &done), EVS_P_AGAIN);
      EXPECT_EQ(done, room);
      EXPECT_EQ(taken.size(), room);
    }
  }
}

TEST_F(SenderTest, NoRoomInTheMidstOfRefusedRunIsNotTakenTwice) {
  answer = [&](const Message& message) { return message.as_segments ? EIO : taken.size() < 3 ? 0 : EAGAIN; };
  size_t done = 0;
  const int32_t status = send(numbered(10), &done);
  EXPECT_EQ(status, EVS_P_OK);  // the rest of the run is lost: offered again, its beginning would go twice
  EXPECT_EQ(all_taken(), numbered(3));
}

TEST_F(SenderTest, InterruptedGoesOn) {
  int interruptions = 3;
  answer = [&](const Message&) { return interruptions-- > 0 ? EINTR : 0; };
  size_t done = 0;
  EXPECT_EQ(send(numbered(5), &done), EVS_P_OK);
  EXPECT_EQ(done, 5u);
}

TEST_F(SenderTest, ASocketThatIsNoneIsTheEnd) {
  answer = [](const Message&) { return EBADF; };
  size_t done = 99;
  EXPECT_EQ(send(numbered(5), &done), EVS_P_CLOSED);
  EXPECT_EQ(done, 0u);
}

TEST_F(SenderTest, ToEachWhereThereIsNoToAll) {
  be_unicast(3);
  size_t done = 0;
  EXPECT_EQ(send({"a", "b"}, &done), EVS_P_OK);
  ASSERT_EQ(taken.size(), 3u);
  EXPECT_EQ(taken[0].to, "10.0.0.1:5");
  EXPECT_EQ(taken[2].to, "10.0.0.3:5");
  for (const Message& message : taken) EXPECT_THAT(message.frames, ElementsAre("a", "b"));
  EXPECT_EQ(count(Count::sent_datagrams), 6u);
}

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

TEST_F(SenderTest, OneDeadPeerIsLossForItAlone) {
  be_unicast(3);
  answer = [](const Message& message) { return message.to == "10.0.0.2:5" ? EHOSTUNREACH : 0; };
  size_t done = 0;
  EXPECT_EQ(send({"a"}, &done), EVS_P_OK);
  EXPECT_EQ(done, 1u);
  EXPECT_EQ(taken.size(), 2u);
  EXPECT_THAT(lines_, ElementsAre("udp.unreachable"));
}

// An interface that cannot be asked has no path of no bytes.
TEST_F(SenderTest, APathNotKnownTakesNothing) {
  sender().limit_path(0);
  EXPECT_EQ(sender().largest_frame(), 1472u);
  EXPECT_TRUE(lines_.empty());
}

TEST_F(SenderTest, AForgedReportOfATinyPathStopsAtAFloor) {
  sender().limit_path(68);
  EXPECT_EQ(sender().largest_frame(), 512u);
  sender().limit_path(9000);
  EXPECT_EQ(sender().largest_frame(), 512u);
}

}  // namespace
}  // namespace evs::udp
