// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/datagram_test.cc - what every datagram medium does with frames: who gets them, whole, up to which size.
//
// A datagram medium may lose. On the quiet media that the suite is run on it does not, as long as little is under way; a story that
// waits for a frame fails when it was lost.
#include <algorithm>

#include "tests/conformance/station.h"

namespace evs::conformance {
namespace {

using testing::ElementsAre;

TEST(DatagramTo, AllReachesAllOthersAndNotTheSender) {
  Party party;
  for (size_t i = 0; i < Party::kSize; ++i) party[i].say(EVS_PEER_ALL, {"from " + std::to_string(i)});
  for (size_t i = 0; i < Party::kSize; ++i) party[i].until_heard(Party::kSize - 1);
  EXPECT_THAT(party[0].data(), ElementsAre("from 1", "from 2"));
  EXPECT_THAT(party[1].data(), ElementsAre("from 0", "from 2"));
  EXPECT_THAT(party[2].data(), ElementsAre("from 0", "from 1"));
  for (size_t i = 0; i < Party::kSize; ++i)
    for (const Heard& one : party[i].heard()) EXPECT_EQ(one.peer, party.peer(i, static_cast<size_t>(one.data[5] - '0')));
}

TEST(DatagramTo, OneReachesThatOneAlone) {
  Party party;
  party[0].say(party.peer(0, 1), {"to 1"});
  party[0].say(EVS_PEER_ALL, {"to all"});
  party[1].until_heard(2);
  party[2].until_heard(1);
  EXPECT_THAT(party[1].data(), ElementsAre("to 1", "to all"));
  EXPECT_THAT(party[2].data(), ElementsAre("to all"));
}

TEST(DatagramTo, WhatCameToOneIsNotFlaggedAsToAll) {
  Party party;
  party[0].say(party.peer(0, 1), {"to 1"});
  party[1].until_heard(1);
  EXPECT_EQ(party[1].heard()[0].flags & EVS_DATAGRAM_TO_ALL, 0u);
  party[0].say(EVS_PEER_ALL, {"a", "b"});
  party[1].until_heard(3);
  for (size_t i = 1; i < 3; ++i)
    EXPECT_EQ((party[1].heard()[i].flags & EVS_DATAGRAM_TO_ALL) != 0, party.to_all_is_told()) << "told always, or never";
}

TEST(DatagramTo, MixedInOneCall) {
  Party party;
  size_t taken = 0;
  EXPECT_EQ(party[0].send({{party.peer(0, 1), "x1"}, {EVS_PEER_ALL, "y1"}, {party.peer(0, 2), "x2"}, {EVS_PEER_ALL, "y2"}}, &taken), EVS_P_OK);
  EXPECT_EQ(taken, 4u);
  party[1].until_heard(3);
  party[2].until_heard(3);
  EXPECT_THAT(party[1].data(), ElementsAre("x1", "y1", "y2"));
  EXPECT_THAT(party[2].data(), ElementsAre("x2", "y1", "y2"));
}

TEST(DatagramTo, APeerThatIsNotThereIsLoss) {
  Party party;
  size_t taken = 0;
  EXPECT_EQ(party[0].send({{party.peer(0, 1) ^ 0x40000000u, "nobody"}, {EVS_PEER_ALL, "after"}}, &taken), EVS_P_OK);
  EXPECT_EQ(taken, 2u);
  party[1].until_heard(1);
  EXPECT_THAT(party[1].data(), ElementsAre("after"));
}

TEST(DatagramFrames, OfAllSizesArriveWhole) {
  Party party;
  const size_t largest = party[0].largest_frame();
  ASSERT_GE(largest, 512u);
  std::vector<size_t> sizes = {16, 17, 100, 511, 512, largest / 2, largest - 1, largest, largest, largest, 20};
  size_t heard = 0;
  for (size_t i = 0; i < sizes.size(); ++i) party[0].say(i % 2 == 0 ? EVS_PEER_ALL : party.peer(0, 1), {sealed(i, sizes[i])});
  for (size_t i = 0; i < sizes.size(); ++i) party[1].until_heard(++heard);
  std::vector<size_t> got;
  for (const Heard& one : party[1].heard()) {
    EXPECT_TRUE(is_whole(one.data)) << one.data.size();
    got.push_back(one.data.size());
  }
  std::sort(got.begin(), got.end());
  std::sort(sizes.begin(), sizes.end());
  EXPECT_EQ(got, sizes);
}

TEST(DatagramFrames, AnEmptyOneIsOne) {
  Party party;
  party[0].say(party.peer(0, 1), {"", "after"});
  party[1].until_heard(2);
  EXPECT_THAT(party[1].data(), ElementsAre("", "after"));
}

TEST(DatagramFrames, LargerThanTheLargestIsRefusedWhereItStands) {
  Party party;
  const std::string large(party[0].largest_frame() + 1, 'x');
  size_t taken = 99;
  EXPECT_EQ(party[0].send({{EVS_PEER_ALL, large}}, &taken), EVS_P_TOO_BIG);
  EXPECT_EQ(taken, 0u);
  EXPECT_EQ(party[0].send({{EVS_PEER_ALL, "one"}, {EVS_PEER_ALL, "two"}, {EVS_PEER_ALL, large}, {EVS_PEER_ALL, "four"}}, &taken),
            EVS_P_TOO_BIG);
  EXPECT_EQ(taken, 2u);
  party[0].say(EVS_PEER_ALL, {"last"});
  party[1].until_heard(3);
  EXPECT_THAT(party[1].data(), ElementsAre("last", "one", "two"));
}

TEST(DatagramFrames, OneThatExceedsItsRoomIsLostAndLeavesTheRestWhole) {
  Party party;
  party[0].say(EVS_PEER_ALL, {sealed(1, 64), sealed(2, 400), sealed(3, 64)});
  std::vector<Heard> heard;
  const uint64_t deadline = now_ns() + kLong;
  while (heard.size() < 2 && now_ns() < deadline) {
    party[1].readable(100);
    party[1].receive(8, heard, 100);
  }
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_TRUE(is_whole(heard[0].data) && is_whole(heard[1].data));
  EXPECT_EQ(heard[0].data.size() + heard[1].data.size(), 128u);
}

// Batches of every shape, each heard before the next is said: what is under way at once always fits.
TEST(DatagramFrames, BatchesOfEveryShape) {
  Party party;
  const size_t largest = party[0].largest_frame();
  uint64_t number = 0;
  size_t heard = 0;
  std::vector<std::string> said;
  for (const size_t count : {1u, 2u, 63u, 64u, 65u, 200u}) {
    for (const size_t size : {size_t{16}, size_t{1000}, std::min<size_t>(largest, 1400)}) {
      std::vector<std::string> batch;
      for (size_t i = 0; i < count; ++i) batch.push_back(sealed(number++, i % 50 == 49 ? size / 2 : size));
      party[0].say(EVS_PEER_ALL, batch);
      heard += count;
      party[1].until_heard(heard);
      party[2].until_heard(heard);
      said.insert(said.end(), batch.begin(), batch.end());
    }
  }
  std::sort(said.begin(), said.end());
  EXPECT_TRUE(party[1].data() == said);
  EXPECT_TRUE(party[2].data() == said);
}

// A medium that has no room says so, at the frame it has none for; what it took before is out, and the rest may come again.
TEST(DatagramFrames, NoRoomIsToldWhereItBegins) {
  Party party;
  std::vector<std::pair<uint32_t, std::string>> frames;
  for (uint64_t i = 0; i < 20'000; ++i) frames.emplace_back(party.peer(0, 1), sealed(i, 1000));
  size_t taken = 0;
  const int32_t status = party[0].send(frames, &taken);
  ASSERT_TRUE(status == EVS_P_OK || status == EVS_P_AGAIN) << status;
  EXPECT_EQ(status == EVS_P_OK, taken == frames.size());
  // It may have lost many of these; what it delivers is whole, and nothing that it did not take.
  std::vector<Heard> heard;
  while (party[1].readable(200) && party[1].receive(64, heard) == EVS_P_OK) {
  }
  EXPECT_GT(heard.size(), 0u);
  for (const Heard& one : heard) {
    ASSERT_TRUE(is_whole(one.data));
    uint64_t number = 0;
    std::copy_n(one.data.data(), 8, reinterpret_cast<char*>(&number));
    ASSERT_LT(number, taken);
  }
}

TEST(DatagramWake, ReadableAsLongAsSomethingIsThere) {
  Party party;
  EXPECT_FALSE(party[1].readable());
  party[0].say(party.peer(0, 1), std::vector<std::string>(5, "word"));
  ASSERT_TRUE(party[1].readable(static_cast<int>(kLong / kMs)));
  std::vector<Heard> heard;
  const uint64_t deadline = now_ns() + kLong;
  while (heard.size() < 5 && now_ns() < deadline) {  // one by one: the rest must go on ringing
    ASSERT_TRUE(party[1].readable(static_cast<int>(kLong / kMs))) << heard.size() << " of 5";
    party[1].receive(1, heard);
  }
  EXPECT_EQ(party[1].receive(1, heard), EVS_P_AGAIN);
  EXPECT_FALSE(party[1].readable());
  EXPECT_EQ(heard.size(), 5u);
}

TEST(DatagramWake, TheDescriptorIsOneForLife) {
  Station station(0);
  const int32_t fd = station.ops().receive_fd(station.self());
  EXPECT_GE(fd, 0);
  station.say(EVS_PEER_ALL, {"word"});
  station.work();
  EXPECT_EQ(station.ops().receive_fd(station.self()), fd);
}

TEST(DatagramPeers, HaveNamesOfTheirOwn) {
  Party party;
  const std::string first = party[0].name_of(party.peer(0, 1)), second = party[0].name_of(party.peer(0, 2));
  EXPECT_NE(first, "");
  EXPECT_NE(second, "");
  EXPECT_NE(first, second);
  EXPECT_EQ(party[2].name_of(party.peer(2, 1)), first) << "an address is the same to all";
  EXPECT_EQ(party[0].name_of(EVS_PEER_ALL), "");
  char little[5] = "####";
  party[0].ops().peer_name(party[0].self(), party.peer(0, 1), little, 4);
  EXPECT_EQ(std::string(little), first.substr(0, 3));
}

TEST(DatagramPeers, AreVouchedFor) {
  Party party;
  const auto* peers = party[0].transport().extension<evs_peers_extension>(EVS_EXTENSION_PEERS);
  if (peers == nullptr) GTEST_SKIP() << "no " << EVS_EXTENSION_PEERS;
  EXPECT_EQ(peers->mark(party[0].self(), party.peer(0, 1)), EVS_P_OK);
  EXPECT_EQ(peers->mark(party[0].self(), party.peer(0, 1)), EVS_P_OK);
  EXPECT_EQ(peers->mark(party[0].self(), EVS_PEER_ALL), EVS_P_BAD_PARAMETER);
  party[0].say(EVS_PEER_ALL, {"once"});
  party[1].until_heard(1);
  peers->forget(party[0].self(), party.peer(0, 1));
  peers->forget(party[0].self(), EVS_PEER_ALL);
  party[0].say(party.peer(0, 1), {"and still"});
  party[1].until_heard(2);
  EXPECT_THAT(party[1].data(), ElementsAre("and still", "once"));
}

}  // namespace
}  // namespace evs::conformance
