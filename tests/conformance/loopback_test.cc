// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/loopback_test.cc - what only the loopback's control extension can bring about: expulsion, a failing
// medium, and members that are played.
#include "plugins/loopback/control.h"
#include "tests/conformance/suite.h"

namespace evs::conformance {
namespace {

using testing::ElementsAre;

class Loopback : public testing::Test {
 protected:
  void SetUp() override {
    if (plugin().name() != "loopback") GTEST_SKIP() << "for the loopback alone";
    member_ = std::make_unique<Member>(fresh_bus());
    reader_ = std::make_unique<Reader>(*member_);
    control_ = member_->transport().extension<evs_loopback_control>(EVS_EXTENSION_LOOPBACK_CONTROL);
    ASSERT_NE(control_, nullptr);
    reader_->join("g");
  }
  void TearDown() override {
    reader_.reset();
    member_.reset();
  }
  evs_transport* self() { return member_->self(); }
  void expel() { ASSERT_EQ(control_->member_go(self(), member_->who().nodeid, EVS_MEMBER_EXPELLED), EVS_P_OK); }

  std::unique_ptr<Member> member_;
  std::unique_ptr<Reader> reader_;
  const evs_loopback_control* control_ = nullptr;
};

TEST_F(Loopback, AnExpelledProcessHearsItEverywhereAndRejoinsAsNew) {
  const auto before = member_->who();
  const int fd = reader_->ops().fd(reader_->cursor());
  for (const char* group : {"g", "g", "elsewhere"}) ASSERT_EQ(member_->append(to(group, "unread")), EVS_P_OK);
  expel();
  EXPECT_TRUE(reader_->readable()) << "so that the application comes and learns of it";
  EXPECT_EQ(member_->append(to("g", "x")), EVS_P_EXPELLED);
  EXPECT_EQ(reader_->read(), EVS_P_EXPELLED);
  EXPECT_EQ(reader_->ops().wait(reader_->cursor(), kLong), EVS_P_EXPELLED);
  EXPECT_EQ(reader_->ops().room(self(), nullptr, 1, 1), EVS_P_EXPELLED);
  EXPECT_EQ(reader_->ops().wait_room(self(), 1, 1, kLong), EVS_P_EXPELLED);
  EXPECT_EQ(member_->who().nodeid, before.nodeid) << "until it rejoins";

  uint64_t lost = 0;
  char text[256] = "";
  evs_error_text error{text, sizeof(text)};
  ASSERT_EQ(reader_->ops().rejoin(self(), &lost, &error), EVS_P_OK) << text;
  EXPECT_EQ(lost, 2u) << "what went elsewhere did not concern it";
  EXPECT_NE(member_->who().nodeid, before.nodeid);
  EXPECT_GT(member_->who().incarnation, before.incarnation);
  EXPECT_EQ(reader_->read(), EVS_P_AGAIN) << "parked";
  EXPECT_EQ(reader_->ops().fd(reader_->cursor()), fd);
  EXPECT_THAT(nodeids(reader_->watch().members), ElementsAre(member_->who().nodeid));
  ASSERT_EQ(member_->append(to("g", "anew")), EVS_P_OK);
  reader_->until_messages(1);
  EXPECT_THAT(reader_->data(), ElementsAre("anew")) << "its interest has stayed";
}

TEST_F(Loopback, AnExpulsionEndsWaitsThatAreUnderWay) {
  Reader asleep(*member_);
  asleep.join("quiet");
  while (member_->append(to("g", std::string(1000, 'f'))) == EVS_P_OK) {
  }
  asleep.drain();
  std::thread sleeper([&] { EXPECT_EQ(asleep.ops().wait(asleep.cursor(), kLong), EVS_P_EXPELLED); });
  std::thread sender([&] { EXPECT_EQ(member_->ops().wait_room(self(), 1000, 1, kLong), EVS_P_EXPELLED); });
  expel();
  sleeper.join();
  sender.join();
}

TEST_F(Loopback, PlayedMembersComeSendAndGo) {
  uint32_t nodeid = 0;
  ASSERT_EQ(control_->member_join(self(), 4711, &nodeid), EVS_P_OK);
  const evs_plugin_group key = group("g");
  char data[] = "from afar";
  const iovec part{data, 9};
  const evs_append frame{sizeof(evs_append), EVS_FRAME_MESSAGE, 2, 1, &key, &part, 1, 0, 9};
  uint64_t position = 0;
  ASSERT_EQ(control_->member_append(self(), nodeid, &frame, &position), EVS_P_OK);
  ASSERT_EQ(control_->member_go(self(), nodeid, EVS_MEMBER_DIED), EVS_P_OK);
  reader_->drain();
  ASSERT_EQ(reader_->got().size(), 3u);
  EXPECT_EQ(reader_->got()[1].nodeid, nodeid);
  ASSERT_EQ(reader_->got()[2].left.size(), 1u);
  EXPECT_EQ(reader_->got()[2].left[0].pid, 4711);
  EXPECT_EQ(reader_->got()[2].left[0].reason, EVS_MEMBER_DIED);
  EXPECT_EQ(control_->member_append(self(), nodeid, &frame, &position), EVS_P_BAD_PARAMETER) << "the dead send nothing";
}

TEST_F(Loopback, AFullMediumStillTakesADeath) {
  uint32_t nodeid = 0;
  ASSERT_EQ(control_->member_join(self(), 4711, &nodeid), EVS_P_OK);
  size_t sent = 0;
  while (member_->append(to("g", std::string(1000, 'f'))) == EVS_P_OK) ++sent;
  while (member_->append(to("g", "")) == EVS_P_OK) ++sent;
  ASSERT_EQ(control_->member_go(self(), nodeid, EVS_MEMBER_DIED), EVS_P_OK);
  reader_->drain();
  EXPECT_EQ(reader_->messages().size(), sent);
  EXPECT_THAT(nodeids(reader_->got().back().left), ElementsAre(nodeid));
}

TEST_F(Loopback, GoingsThatEvenTheReserveCannotTakeAreToldTogetherLater) {
  std::vector<uint32_t> all(15);
  for (uint32_t& nodeid : all) ASSERT_EQ(control_->member_join(self(), 1, &nodeid), EVS_P_OK);
  while (member_->append(to("g", "")) == EVS_P_OK) {
  }
  for (uint32_t nodeid : all) ASSERT_EQ(control_->member_go(self(), nodeid, EVS_MEMBER_DIED), EVS_P_OK);
  reader_->drain();
  std::vector<uint32_t> left;
  uint64_t change = 0;
  for (const Got& got : reader_->got()) {
    if (got.kind != EVS_FRAME_MEMBERSHIP) continue;
    EXPECT_GT(got.change, change);
    change = got.change;
    for (const auto& member : got.left) left.push_back(member.nodeid);
  }
  EXPECT_THAT(left, testing::UnorderedElementsAreArray(all));
}

TEST_F(Loopback, AFailedMediumSaysSo) {
  control_->fail(self());
  EXPECT_EQ(member_->append(to("g", "x")), EVS_P_CLOSED);
  EXPECT_EQ(reader_->read(), EVS_P_CLOSED);
  EXPECT_EQ(reader_->ops().wait(reader_->cursor(), kLong), EVS_P_CLOSED);
}

TEST_F(Loopback, WhoHoldsTheRoomIsNamedInTheLog) {
  const uint64_t deadline = now_ns() + kLong;
  const auto named = [&] {
    for (const std::string& line : member_->host().lines())
      if (line.rfind("ring.full: ", 0) == 0 &&
          line.find(numbered("pid ", static_cast<uint64_t>(getpid()))) != std::string::npos)
        return true;
    return false;
  };
  while (!named() && now_ns() < deadline) member_->append(to("g", std::string(1000, 'f')));
  EXPECT_TRUE(named());
}

}  // namespace
}  // namespace evs::conformance
