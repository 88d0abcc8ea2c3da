// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/api/rejoin_test.cc - a rejoin that takes its time, and one that finds no place to begin at.
//
// The transport is the loopback medium with two of its functions behind doors that the test opens and shuts: so a rejoin hangs for as long as
// the story needs it to, without a second process and without a clock.
#include <gmock/gmock.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "bus/runtime/handle.h"
#include "bus/runtime/handle_table.h"
#include "bus/runtime/plugin_host.h"
#include "plugins/loopback/control.h"
#include "tests/unit/api/story.h"

namespace evs::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::StartsWith;

class Door {
 public:
  void shut() {
    const std::lock_guard lock(mutex_);
    shut_ = true;
    knocks_ = 0;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    shut_ = false;
    changed_.notify_all();
  }
  // Somebody stands before it, for the `count`th time since it was shut.
  void wait_for_knocks(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return knocks_ >= count; }));
  }
  bool is_shut() {
    const std::lock_guard lock(mutex_);
    if (!shut_) return false;
    ++knocks_;
    changed_.notify_all();
    return true;
  }
  // Not for ever, so that a call that waits for the rejoin although it should not fails its test and does not hang.
  void pass() {
    if (!is_shut()) return;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return !shut_; });
  }

 private:
  static constexpr std::chrono::seconds kPatience{10};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool shut_ = false;
  int knocks_ = 0;
};

Door to_rejoin, to_watch;
const evs_ordered_ops* loopback = nullptr;

int32_t rejoin(evs_transport* self, uint64_t* lost, evs_error_text* error) {
  to_rejoin.pass();
  return loopback->rejoin(self, lost, error);
}
// AGAIN, as where a member stands in a claim before the end of the order.
int32_t watch(evs_cursor* cursor, void* buffer, size_t size, size_t* needed) {
  return to_watch.is_shut() ? EVS_P_AGAIN : loopback->watch(cursor, buffer, size, needed);
}

class Rejoin : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto found = runtime::PluginHost::load_transport("loopback", {}, {});
    ASSERT_TRUE(found) << found.failure().text;
    static evs_plugin_descriptor descriptor = *found->descriptor;
    static evs_transport_ops transport = *descriptor.transport;
    static evs_ordered_ops ordered = *transport.ordered;
    static evs_plugin_entry entry = *found->entry;
    loopback = found->descriptor->transport->ordered;
    ordered.rejoin = rejoin;
    ordered.watch = watch;
    transport.ordered = &ordered;
    descriptor.name = "doors";
    descriptor.transport = &transport;
    entry.descriptors = &descriptor;
    entry.descriptor_count = 1;
    ASSERT_TRUE(runtime::PluginHost::register_plugin(&entry));
  }
  Rejoin() {
    EXPECT_EQ(story.result, CS_OK) << story.error;
    EXPECT_EQ(story.join("a"), CS_OK);
    story.told();
  }
  ~Rejoin() override {
    to_rejoin.open();
    to_watch.open();
  }
  void expel() {
    runtime::Bus& bus = *runtime::handle_table::slot_of(story.handle).handle.load()->bus;
    const auto* control = bus.extension<evs_loopback_control>(EVS_EXTENSION_LOOPBACK_CONTROL);
    ASSERT_EQ(control->member_go(bus.transport(), bus.self().nodeid, EVS_MEMBER_EXPELLED), EVS_P_OK);
  }

  Story story{Story::Wishes{.extended = true, .parameters = {{"local.transport", "doors"}}}};
};

TEST_F(Rejoin, WhileItHangsNothingButADispatchThatBlocksWaitsForIt) {
  to_rejoin.shut();
  expel();
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE_NONBLOCKING), CS_ERR_TRY_AGAIN);  // learns of it, and gives it a moment
  to_rejoin.wait_for_knocks(1);
  EXPECT_EQ(story.dispatch(), CS_ERR_TRY_AGAIN);
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE_NONBLOCKING), CS_ERR_TRY_AGAIN);
  EXPECT_EQ(story.say("too early"), CS_ERR_TRY_AGAIN);
  std::thread waiting([&] { EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK); });
  to_rejoin.open();
  waiting.join();
  EXPECT_THAT(story.take(), ElementsAre(StartsWith("trans expelled")));
  EXPECT_EQ(story.say("in time"), CS_OK);
  EXPECT_THAT(story.told(), Contains("msg in time"));
}

// Its place is found later, by the service thread; until then nothing can be sent that it would miss.
TEST_F(Rejoin, AHandleThatFindsNoPlaceToBeginAtMissesNothing) {
  to_watch.shut();
  expel();
  EXPECT_EQ(story.dispatch(CS_DISPATCH_ONE), CS_OK);
  EXPECT_THAT(story.take(), ElementsAre(StartsWith("trans expelled")));
  to_watch.wait_for_knocks(3);
  EXPECT_EQ(story.say("too early"), CS_ERR_TRY_AGAIN);
  EXPECT_EQ(story.join("b"), CS_ERR_TRY_AGAIN);
  to_watch.open();
  const evs_group key = group("a");
  const iovec part{const_cast<char*>("in time"), 7};
  EXPECT_EQ(evs_mcast_wait(story.handle, EVS_TYPE_AGREED, &key, 1, &part, 1, 10'000'000'000), CS_OK);
  const Lines lines = story.told();
  EXPECT_THAT(lines, Contains(StartsWith("regular")));
  EXPECT_THAT(lines, Contains("msg in time"));
}

}  // namespace
}  // namespace evs::test
