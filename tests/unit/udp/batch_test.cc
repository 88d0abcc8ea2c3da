// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/batch_test.cc - which frames travel together, and that what came together is cut where it was joined.
#include "plugins/udp/batch.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace evs::udp {
namespace {

constexpr size_t kSegment = 1472;

std::vector<evs_datagram> frames(const std::vector<size_t>& sizes, uint32_t peer = EVS_PEER_ALL) {
  std::vector<evs_datagram> out;
  for (const size_t size : sizes) out.push_back({peer, 0, nullptr, size});
  return out;
}

// The lengths of the runs that all frames make.
std::vector<size_t> runs(const std::vector<evs_datagram>& all, size_t largest = kSegment) {
  std::vector<size_t> out;
  for (size_t at = 0; at < all.size(); at += out.back()) out.push_back(next_run(&all[at], all.size() - at, largest).count);
  return out;
}

TEST(Run, OneSizeTravelsTogether) {
  EXPECT_EQ(runs(frames({900, 900, 900})), (std::vector<size_t>{3}));
  EXPECT_EQ(runs(frames({900})), (std::vector<size_t>{1}));
}

TEST(Run, TheLastMayBeShorterAndEndsIt) {
  EXPECT_EQ(runs(frames({900, 900, 100, 900})), (std::vector<size_t>{3, 1}));
  EXPECT_EQ(runs(frames({900, 100, 100, 100})), (std::vector<size_t>{2, 2}));
  EXPECT_EQ(runs(frames({100, 900, 900})), (std::vector<size_t>{1, 2}));  // never longer
}

TEST(Run, OneDestination) {
  std::vector<evs_datagram> all = frames({900, 900}, 1);
  all.push_back({2, 0, nullptr, 900});
  all.push_back({EVS_PEER_ALL, 0, nullptr, 900});
  EXPECT_EQ(runs(all), (std::vector<size_t>{2, 1, 1}));
}

TEST(Run, NoMoreSegmentsAndBytesThanTheKernelTakes) {
  EXPECT_EQ(runs(frames(std::vector<size_t>(130, 10))), (std::vector<size_t>{64, 64, 2}));
  const auto run = next_run(frames(std::vector<size_t>(64, 1472)).data(), 64, kSegment);
  EXPECT_EQ(run.count, kRunBytes / 1472);
  EXPECT_EQ(run.bytes, run.count * 1472);
}

TEST(Run, WhatIsLargerThanThePathOrEmptyTravelsAlone) {
  EXPECT_EQ(runs(frames({1473, 1473})), (std::vector<size_t>{1, 1}));
  EXPECT_EQ(runs(frames({0, 0, 5, 0})), (std::vector<size_t>{1, 1, 1, 1}));
  EXPECT_EQ(runs(frames({900, 900}), 0), (std::vector<size_t>{1, 1}));  // no offload
}

std::vector<size_t> pieces(size_t bytes, size_t segment) {
  std::vector<size_t> out;
  size_t at = 0;
  for (Cut cut(bytes, segment); cut.more(); cut.advance()) {
    EXPECT_EQ(cut.offset(), at);
    out.push_back(cut.size());
    at += cut.size();
  }
  EXPECT_EQ(at, bytes);
  return out;
}

TEST(Cut, WhereItWasJoined) {
  EXPECT_EQ(pieces(1000, 0), (std::vector<size_t>{1000}));
  EXPECT_EQ(pieces(1000, 1000), (std::vector<size_t>{1000}));
  EXPECT_EQ(pieces(1000, 400), (std::vector<size_t>{400, 400, 200}));
  EXPECT_EQ(pieces(800, 400), (std::vector<size_t>{400, 400}));
  EXPECT_EQ(pieces(100, 400), (std::vector<size_t>{100}));
  EXPECT_EQ(pieces(0, 0), (std::vector<size_t>{0}));  // an empty datagram is a frame
  EXPECT_FALSE(Cut().more());
}

TEST(Cut, UndoesWhatRunDoes) {
  std::mt19937 dice(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<size_t> sizes(1 + dice() % 100, 1 + dice() % 1472);
    if (dice() % 2 == 0) sizes.back() = 1 + dice() % sizes.front();
    const std::vector<evs_datagram> all = frames(sizes);
    std::vector<size_t> arrived;
    for (size_t at = 0; at < all.size();) {
      const auto run = next_run(&all[at], all.size() - at, kSegment);
      for (const size_t size : pieces(run.bytes, run.offloaded() ? all[at].size : 0)) arrived.push_back(size);
      at += run.count;
    }
    ASSERT_EQ(arrived, sizes);
  }
}

}  // namespace
}  // namespace evs::udp
