// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/sender_test.cc - what the sender makes of a kernel that refuses, runs out of room or takes half.
#include <netinet/udp.h>

#include <cerrno>

#include "tests/unit/udp/sender_story.h"

namespace {

int play(const msghdr& raw) {
  evs::udp::Message message;
  message.to = evs::udp::Address::of(static_cast<const sockaddr*>(raw.msg_name))->text();
  for (size_t i = 0; i < raw.msg_iovlen; ++i)
    message.frames.emplace_back(static_cast<const char*>(raw.msg_iov[i].iov_base), raw.msg_iov[i].iov_len);
  message.as_segments = raw.msg_controllen > 0;
  const int error = evs::udp::answer(message);
  if (error == 0) evs::udp::taken.push_back(message);
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
  EXPECT_EQ(count(Count::no_buffers), 12u);
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
