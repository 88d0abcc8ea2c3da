// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/hosts/words_test.cc - real hosts on a network that does not do its part: the host that it concerns says so, in one line, and the others do not.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/hosts/fleet.h"

namespace evs::test {
namespace {

constexpr int kAWhile = 2000;  // for a second line, which must not come

class WordsOfHosts : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Wire::refused(); !why.empty()) GTEST_SKIP() << "no network namespaces here: " << why;
  }
};

// It comes, and once.
void expect_line(Fleet& fleet, size_t host, const std::string& words) {
  EXPECT_TRUE(Fleet::until([&] { return fleet.told(host, words) != 0; })) << "host " << host + 1 << ": " << words;
}
void expect_once(const Fleet& fleet, size_t host, const std::string& words) {
  std::string all;
  for (const std::string& line : fleet.log(host)) all += line + "\n";
  EXPECT_EQ(fleet.told(host, words), 1u) << "host " << host + 1 << ": " << words << "\n" << all;
}

const std::string kFine = "the network does its part";
const std::string kNoMulticast = "multicast from 3 to 2 is blocked";

TEST_F(WordsOfHosts, AllIsWell) {
  Fleet fleet(3);
  fleet.start_all();
  for (size_t i = 0; i < 3; ++i) expect_line(fleet, i, kFine);
  ASSERT_TRUE(fleet.until_one_ring());
  Fleet::go_on(kAWhile);
  for (size_t i = 0; i < 3; ++i) {
    expect_once(fleet, i, kFine);
    expect_once(fleet, i, "of hosts 1, 2, 3 (this is host " + std::to_string(i + 1) + ") formed in ");
    EXPECT_EQ(fleet.told(i, "warning"), 0u);
  }
}

// A list of peers in place of multicast: nothing is missed.
TEST_F(WordsOfHosts, AllIsWellByUnicast) {
  Fleet fleet(3, {true, {"mode=unicast", "peers=10.86.0.1,10.86.0.2,10.86.0.3"}});
  fleet.start_all();
  for (size_t i = 0; i < 3; ++i) expect_line(fleet, i, kFine);
  Fleet::go_on(kAWhile);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(fleet.told(i, "warning uplink.hearing"), 0u);
}

TEST_F(WordsOfHosts, MulticastIsBlockedOneWay) {
  Fleet fleet(3);
  fleet.wire().cut_multicast(2, 1);
  fleet.start_all();
  expect_line(fleet, 1, kNoMulticast);
  Fleet::go_on(kAWhile);
  expect_once(fleet, 1, kNoMulticast);
  expect_once(fleet, 1, "host 2 (this one) does not hear what host 3 sends to all, though packets from it to this host alone arrive");
  for (const size_t other : {0, 2}) EXPECT_EQ(fleet.told(other, "warning uplink.hearing"), 0u);
}

TEST_F(WordsOfHosts, MulticastIsBlockedBothWaysFromTheBeginningOn) {
  Fleet fleet(3);
  fleet.wire().cut_multicast(2, 1);
  fleet.wire().cut_multicast(1, 2);
  fleet.start_all();
  const std::string to_2 = "nothing from host 3 arrives here, though host 1 hears it", to_3 = "nothing from host 2 arrives here, though host 1 hears it";
  expect_line(fleet, 1, to_2);
  expect_line(fleet, 2, to_3);
  Fleet::go_on(kAWhile);
  expect_once(fleet, 1, to_2);
  expect_once(fleet, 2, to_3);
  EXPECT_EQ(fleet.told(0, "warning uplink.hearing"), 0u);
}

// While they are on a ring, and know where the other is.
TEST_F(WordsOfHosts, MulticastIsBlockedBothWaysAndHealed) {
  Fleet fleet(3);
  fleet.start_all();
  for (size_t i = 0; i < 3; ++i) expect_line(fleet, i, kFine);
  fleet.wire().cut_multicast(2, 1);
  fleet.wire().cut_multicast(1, 2);
  const std::string to_3 = "multicast from 2 to 3 is blocked";
  expect_line(fleet, 1, kNoMulticast);
  expect_line(fleet, 2, to_3);
  Fleet::go_on(kAWhile);
  expect_once(fleet, 1, kNoMulticast);
  expect_once(fleet, 2, to_3);
  fleet.wire().heal_all();
  expect_line(fleet, 1, "info uplink.hearing: of host 3: what it sends to all arrives here again");
  EXPECT_TRUE(fleet.until_one_ring());
}

TEST_F(WordsOfHosts, AnMtuThatIsSmallerThanInterfacesSay) {
  Fleet fleet(3);
  fleet.wire().narrow(2, 1200);
  fleet.start_all();
  const std::string of_3 = "large packets of host 3 do not arrive here, though small ones do", of_1 = "large packets of host 1 do not arrive here, though small ones do";
  expect_line(fleet, 0, of_3);
  expect_line(fleet, 2, of_1);
  Fleet::go_on(kAWhile);
  expect_once(fleet, 0, of_3);
  expect_once(fleet, 1, of_3);
  expect_once(fleet, 2, of_1);
  EXPECT_EQ(fleet.told(0, "large packets of host 2"), 0u);
}

TEST_F(WordsOfHosts, AnotherKey) {
  Fleet fleet(3);
  fleet.use_key(2, "another-key");
  fleet.start_all();
  const std::string of_3 = "packets in the name of host 3 do not open with key 1: that host has another key by this id";
  for (const size_t one : {0, 1}) expect_line(fleet, one, of_3);
  expect_line(fleet, 2, "packets in the name of host 1 do not open with key 1");
  expect_line(fleet, 2, "no other host of this bus is heard");
  Fleet::go_on(kAWhile);
  for (const size_t one : {0, 1}) expect_once(fleet, one, of_3);
  // It gets the key that the others have while it runs.
  std::filesystem::copy_file(fleet.directory() + "/key", fleet.directory() + "/copied-key");
  fleet.tell(2, "key " + fleet.directory() + "/copied-key");
  EXPECT_TRUE(fleet.until_one_ring());
  expect_line(fleet, 2, "info uplink.key: the key file was read again: its keys are others now");
}

// The second one hears, and is not heard.
TEST_F(WordsOfHosts, ALinkThatWorksOneWay) {
  Fleet fleet(2);
  fleet.wire().cut(1, 0);
  fleet.start_all();
  const std::string deaf = "host 1 hears nothing from this host, though this host hears it: the link works one way";
  expect_line(fleet, 1, deaf);
  expect_line(fleet, 0, "no other host of this bus is heard");
  Fleet::go_on(kAWhile);
  expect_once(fleet, 1, deaf);
}

TEST_F(WordsOfHosts, AHostIsKilledAndComesBack) {
  Fleet fleet(3);
  fleet.start_all();
  ASSERT_TRUE(fleet.until_one_ring());
  for (size_t i = 0; i < 3; ++i) expect_line(fleet, i, kFine);
  fleet.kill(2);
  ASSERT_TRUE(fleet.until_one_ring());
  for (const size_t one : {0, 1}) expect_line(fleet, one, "warning uplink.member: host 3 (10.86.0.3:5410) is lost: ");
  fleet.start(2);
  ASSERT_TRUE(fleet.until_one_ring());
  Fleet::go_on(kAWhile);
  for (const size_t one : {0, 1}) {
    expect_once(fleet, one, "host 3 (10.86.0.3:5410) is lost: ");
    EXPECT_EQ(fleet.told(one, "warning uplink.hearing"), 0u);
  }
}

TEST_F(WordsOfHosts, AHostThatWasStoppedSaysHowLong) {
  Fleet fleet(2);
  fleet.start_all();
  ASSERT_TRUE(fleet.until_one_ring());
  fleet.pause(1, true);
  ASSERT_TRUE(Fleet::until([&] { return fleet.status(0).members == "1"; }));
  fleet.pause(1, false);
  ASSERT_TRUE(fleet.until_one_ring());
  expect_line(fleet, 1, "warning uplink.pause: this process, its host's gateway, did not run for ");
  expect_once(fleet, 1, "this process, its host's gateway, did not run for ");
}

}  // namespace
}  // namespace evs::test
