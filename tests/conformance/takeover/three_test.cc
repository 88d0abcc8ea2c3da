// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/takeover/three_test.cc - one thread of a process serves three transports, two of them of one bus: as the gateway's does.
#include "tests/conformance/takeover/stage.h"

namespace evs::conformance {
namespace {

class Three : public Takeover {
 protected:
  std::unique_ptr<Player> three(const std::string& ending) {
    auto player = std::make_unique<Player>(std::vector<std::string>{"three", board_path_, bus_, outbox_name_, ending});
    EXPECT_TRUE(until([&] { return board.opened == 1 || player->ended(); }));
    EXPECT_EQ(members(), 5u);
    return player;
  }
  size_t members() { return membership_of(order_).members.size() + membership_of(outbox_).members.size(); }
  const std::string outbox_name_ = bus_ + "-out";
  Member order_{bus_}, outbox_{outbox_name_};
};

TEST_F(Three, AreFoundDeadTogether) {
  for (const char* ending : {"execs", "forks"}) {
    board.opened = 0;
    board.writers_finish = 0;
    const auto one = three(ending);
    EXPECT_EQ(lines_with(order_, "died") + lines_with(outbox_, "died"), std::string(ending) == "execs" ? 0u : 2u) << "once a ring, however many members the process had there";
    board.writers_finish = 1;
    EXPECT_TRUE(until([&] { return members() == 2; })) << ending << ": its pid lives on, what the thread held tells";
    EXPECT_FALSE(one->ended());
  }
  EXPECT_EQ(lines_with(order_, "died"), 2u);
  EXPECT_EQ(lines_with(outbox_, "died"), 2u);
  board.gateway_finishes = 1;
}

TEST_F(Three, AreKilledOrLeaveOnTheirOwnThread) {
  {
    const auto one = three("leaves");
    board.writers_finish = 1;
    EXPECT_TRUE(until([&] { return one->ended(); }));
    EXPECT_EQ(one->status, 0);
    EXPECT_EQ(members(), 2u);
    EXPECT_EQ(lines_with(order_, "died"), 0u);
  }
  board.opened = 0;
  board.writers_finish = 0;
  three("leaves")->die();
  EXPECT_TRUE(until([&] { return members() == 2; }));
  EXPECT_EQ(lines_with(order_, "died"), 1u);
}

TEST_F(Three, AreStoppedInOneLineAndGoOnInAnother) {
  const auto one = three("leaves");
  one->signal(SIGSTOP);
  ASSERT_TRUE(until([&] { return lines_with(order_, "is stopped") != 0 && lines_with(outbox_, "is stopped") != 0; }));
  const uint32_t turns = order_.service_turns();
  ASSERT_TRUE(until([&] { return order_.service_turns() >= turns + 3; }));
  EXPECT_EQ(lines_with(order_, "is stopped"), 1u);
  one->signal(SIGCONT);
  ASSERT_TRUE(until([&] { return lines_with(order_, "runs again") != 0 && lines_with(outbox_, "runs again") != 0; }));
  EXPECT_EQ(lines_with(order_, "runs again"), 1u);
}

}  // namespace
}  // namespace evs::conformance
