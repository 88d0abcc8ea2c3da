// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/membership_test.cc - who is there, at which position, and in which groups.
#include <algorithm>

#include "tests/conformance/suite.h"

namespace evs::conformance {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

class Membership : public testing::Test {
 protected:
  Membership() : bus_(fresh_bus()), member_(bus_), reader_(member_) { reader_.join("g"); }

  // Reads until a membership arrives that is another than the last; what it says.
  Got next_membership() {
    const uint64_t deadline = now_ns() + kLong;
    while (now_ns() < deadline) {
      for (; seen_ < reader_.got().size(); ++seen_)
        if (reader_.got()[seen_].kind == EVS_FRAME_MEMBERSHIP) return reader_.got()[seen_++];
      if (reader_.read() == EVS_P_AGAIN) reader_.ops().wait(reader_.cursor(), 100 * kMs);
    }
    ADD_FAILURE() << "no membership came";
    return {};
  }

  Got present() {
    alignas(64) std::byte room[64 * 1024];
    size_t needed = 0;
    EXPECT_EQ(member_.ops().membership(member_.self(), room, sizeof(room), &needed), EVS_P_OK);
    return copy_of(*reinterpret_cast<const evs_membership*>(room));
  }

  std::string bus_;
  Member member_;
  Reader reader_;
  size_t seen_ = 0;
};

int32_t reason_of(const std::vector<evs_ordered_member>& members, uint32_t nodeid) {
  for (const auto& member : members)
    if (member.nodeid == nodeid) return member.reason;
  return -1;
}

TEST_F(Membership, AJoinAndALeaveStandInTheOrder) {
  auto peer = Peer::start(bus_);
  const Got joined = next_membership();
  const uint32_t self = member_.who().nodeid, other = peer->who().nodeid;
  EXPECT_THAT(nodeids(joined.members), UnorderedElementsAre(self, other));
  EXPECT_EQ(reason_of(joined.members, other), EVS_MEMBER_JOINED);
  EXPECT_EQ(reason_of(joined.members, self), EVS_MEMBER_STAYS);
  EXPECT_TRUE(joined.left.empty());
  EXPECT_EQ(joined.nodeid, 0u);
  EXPECT_EQ(joined.change % 2, 0u);

  peer->send("g", "m", 3);
  peer->leave();
  const Got left = next_membership();
  EXPECT_THAT(nodeids(left.members), ElementsAre(self));
  EXPECT_THAT(nodeids(left.left), ElementsAre(other));
  EXPECT_EQ(reason_of(left.left, other), EVS_MEMBER_LEFT);
  EXPECT_EQ(left.change, joined.change + 2);
  EXPECT_EQ(reader_.messages().size(), 3u) << "all that it sent stands before its going";
  for (const Got& got : reader_.messages()) {
    EXPECT_GT(got.position, joined.position);
    EXPECT_LT(got.position, left.position);
  }
}

TEST_F(Membership, TheListIsSortedAndTellsLivesApart) {
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(Peer::start(bus_));
  Got last;
  while (last.members.size() < 5) {
    last = next_membership();
    ASSERT_FALSE(last.members.empty());
  }
  const auto ids = nodeids(last.members);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  for (const auto& peer : peers)
    for (const auto& member : last.members)
      if (member.nodeid == peer->who().nodeid) {
        EXPECT_EQ(member.incarnation, peer->who().incarnation);
      }
}

TEST_F(Membership, ADeathIsSeenWithItsReason) {
  if (!options().processes) GTEST_SKIP() << "an instance in this process cannot die";
  auto peer = Peer::start(bus_);
  next_membership();
  const uint32_t nodeid = peer->who().nodeid;
  peer->send("g", "m", 1'000'000);
  reader_.until_messages(10);
  peer->die();
  const Got died = next_membership();
  EXPECT_EQ(reason_of(died.left, nodeid), EVS_MEMBER_DIED);
  EXPECT_THAT(nodeids(died.members), ElementsAre(member_.who().nodeid));
  const auto messages = reader_.messages();
  for (size_t i = 0; i < messages.size(); ++i) ASSERT_EQ(messages[i].data, numbered("m.", i));
  ASSERT_EQ(member_.append(to("g", "on we go")), EVS_P_OK);
  reader_.until_messages(messages.size() + 1);
}

TEST_F(Membership, ThePresentOneIsAsNewAsTheReading) {
  auto peer = Peer::start(bus_);
  const Got joined = next_membership();
  size_t needed = 0;
  alignas(64) char tiny[8];
  EXPECT_EQ(member_.ops().membership(member_.self(), tiny, sizeof(tiny), &needed), EVS_P_TOO_BIG);
  EXPECT_GE(present().change, joined.change);
  EXPECT_EQ(nodeids(present().members), nodeids(joined.members));
}

TEST_F(Membership, AWatchingCursorIsToldTheMembershipAtItsPlace) {
  const Got before = reader_.watch();
  auto peer = Peer::start(bus_);
  EXPECT_EQ(reader_.ops().wait(reader_.cursor(), kLong), EVS_P_OK);
  EXPECT_EQ(reader_.watch().change, before.change) << "it has not read the new one yet";
  const Got joined = next_membership();
  EXPECT_EQ(reader_.watch().change, joined.change);
}

TEST_F(Membership, AProcessWithoutReadersLearnsOfAChangeOnItsServiceThread) {
  reader_.ops().park(reader_.cursor());
  const uint64_t before = present().change;
  const uint32_t turns = member_.service_turns();
  auto peer = Peer::start(bus_);
  const uint64_t deadline = now_ns() + kLong;
  while (present().change == before && now_ns() < deadline) std::this_thread::yield();
  EXPECT_EQ(present().members.size(), 2u);
  while (member_.service_turns() == turns && now_ns() < deadline) std::this_thread::yield();
  EXPECT_NE(member_.service_turns(), turns) << "the bus tells its parked handles from there";
}

// ---- evs.groups/1 ----

class Groups : public Membership {
 protected:
  void SetUp() override {
    groups_ = member_.transport().extension<evs_groups_extension>(EVS_EXTENSION_GROUPS);
    if (groups_ == nullptr) GTEST_SKIP() << "no " << EVS_EXTENSION_GROUPS;
  }
  std::vector<uint32_t> at(const std::string& name, uint64_t position) {
    std::vector<evs_ordered_member> found;
    const evs_plugin_group key = group(name);
    EXPECT_EQ(
        groups_->members(
            member_.self(), &key, position,
            [](void* context, const evs_ordered_member* m) { static_cast<decltype(found)*>(context)->push_back(*m); },
            &found),
        EVS_P_OK);
    return nodeids(found);
  }
  struct Stamp {
    const evs_groups_extension* groups;
    evs_transport* self;
    uint64_t token;
  };
  // Announces, appends the record and stamps it, as the bus does; where it stands.
  uint64_t join(const std::string& name, uint64_t& token) {
    const evs_plugin_group key = group(name);
    EXPECT_EQ(groups_->announce(member_.self(), &key, &token), EVS_P_OK);
    Stamp stamp{groups_, member_.self(), token};
    uint64_t position = 0;
    const auto stamp_join = [](void* context, uint64_t p) {
      auto& s = *static_cast<Stamp*>(context);
      s.groups->stamp_join(s.self, s.token, p);
    };
    EXPECT_EQ(member_.append({{key}, "joins", EVS_FRAME_CONTROL}, &position, stamp_join, &stamp), EVS_P_OK);
    return position;
  }
  uint64_t leave(const std::string& name, uint64_t token) {
    Stamp stamp{groups_, member_.self(), token};
    uint64_t position = 0;
    const auto stamp_leave = [](void* context, uint64_t p) {
      auto& s = *static_cast<Stamp*>(context);
      s.groups->stamp_leave(s.self, s.token, p);
    };
    EXPECT_EQ(member_.append({{group(name)}, "leaves", EVS_FRAME_CONTROL}, &position, stamp_leave, &stamp), EVS_P_OK);
    return position;
  }

  const evs_groups_extension* groups_ = nullptr;
};

TEST_F(Groups, MembershipIsAFunctionOfThePosition) {
  const uint32_t self = member_.who().nodeid;
  uint64_t token = 0;
  EXPECT_THAT(at("room", UINT64_MAX), ElementsAre());
  const uint64_t joined = join("room", token);
  EXPECT_THAT(at("room", joined - 1), ElementsAre());
  EXPECT_THAT(at("room", joined), ElementsAre(self));
  EXPECT_THAT(at("room", UINT64_MAX), ElementsAre(self));
  EXPECT_THAT(at("another", UINT64_MAX), ElementsAre());
  const uint64_t left = leave("room", token);
  EXPECT_THAT(at("room", left - 1), ElementsAre(self)) << "a reader before it may ask";
  EXPECT_THAT(at("room", UINT64_MAX), ElementsAre());
}

TEST_F(Groups, WhatIsRetractedWasNever) {
  const evs_plugin_group key = group("room");
  uint64_t token = 0;
  ASSERT_EQ(groups_->announce(member_.self(), &key, &token), EVS_P_OK);
  groups_->retract(member_.self(), token);
  EXPECT_THAT(at("room", UINT64_MAX), ElementsAre());
}

TEST_F(Groups, JoiningAgainAndAgainStaysFlat) {
  for (int i = 0; i < 20'000; ++i) {
    uint64_t token = 0;
    const evs_plugin_group key = group("room");
    ASSERT_EQ(groups_->announce(member_.self(), &key, &token), EVS_P_OK) << i;
    groups_->retract(member_.self(), token);
  }
  for (int i = 0; i < 3000; ++i) {
    uint64_t token = 0;
    join("room", token);
    leave("room", token);
    reader_.ops().park(reader_.cursor());
    reader_.watch();
  }
  EXPECT_THAT(at("room", UINT64_MAX), ElementsAre());
}

TEST_F(Groups, AThousandGroupsOfOneMember) {
  std::vector<uint64_t> tokens(1000);
  for (size_t i = 0; i < tokens.size(); ++i) {
    join(numbered("room ", i), tokens[i]);
    reader_.drain();
  }
  for (size_t i : {0, 500, 999}) EXPECT_THAT(at(numbered("room ", i), UINT64_MAX), ElementsAre(member_.who().nodeid));
}

}  // namespace
}  // namespace evs::conformance
