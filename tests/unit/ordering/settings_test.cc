// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/settings_test.cc - settings that cannot work are refused in a sentence, and what no queue can take is answered for good.
#include <gtest/gtest.h>

#include <functional>

#include "bus/ordering/ordered_path.h"
#include "bus/ordering/processes.h"
#include "bus/ordering/protocol.h"

namespace evs::ordering {
namespace {

Settings good() {
  Settings settings;
  settings.self = {1, 7};
  return settings;
}

TEST(Settings, TheDefaultsWork) { EXPECT_EQ(check(good()), ""); }

TEST(Settings, EachBadOneIsNamedAndSoIsTheWayOut) {
  struct Bad {
    const char* field;
    std::function<void(Settings&)> spoil;
    const char* way_out;
  };
  const Bad kAll[] = {
      {"self.id", [](Settings& s) { s.self.id = 0; }, "1 to 1048575"},
      {"self.id", [](Settings& s) { s.self.id = kMaxHostId + 1; }, "1 to 1048575"},
      {"ring_sequence", [](Settings& s) { s.ring_sequence = kMaxSequence - kSequencesToStart + 1; }, "remove what they have stored"},
      {"frame_bytes", [](Settings& s) { s.frame_bytes = 100; }, "256 to 65536"},
      {"frame_bytes", [](Settings& s) { s.frame_bytes = 65537; }, "256 to 65536"},
      {"store_frames", [](Settings& s) { s.store_frames = 1000; }, "power of two"},
      {"window_frames", [](Settings& s) { s.window_frames = s.store_frames / 2 + 1; }, "1 to 2048"},
      {"personal_frames", [](Settings& s) { s.personal_frames = 0; }, "1 to"},
      {"own_frames", [](Settings& s) { s.own_frames = 0; }, "1 to"},
      {"groups_per_process", [](Settings& s) { s.groups_per_process = kMaxGroupsOfProcess + 1; }, "1 to 1024"},
      {"changes_per_ring", [](Settings& s) { s.changes_per_ring = 0; }, "1 to"},
      {"changes_per_ring", [](Settings& s) { s.changes_per_ring = kMostChangesPerRing + 1; }, "1 to"},
      {"message_limit", [](Settings& s) { s.message_limit = 0; }, "1 to"},
      {"message_limit", [](Settings& s) { s.message_limit = s.queue_bytes; }, "at most 3670016, or queue_bytes larger"},
      {"token_resend", [](Settings& s) { s.token_resend = s.token_lost; }, "less than token_lost"},
      {"consensus", [](Settings& s) { s.consensus = s.token_lost; }, "more than token_lost"},
      {"token_linger", [](Settings& s) { s.token_linger = s.token_hold + 1; }, "no more than token_hold"},
      {"token_hold", [](Settings& s) { s.token_hold = s.token_lost; }, "less than token_lost"},
      {"stalled_host", [](Settings& s) { s.stalled_host = 0; }, "usual"},
      {"join_resend", [](Settings& s) { s.join_resend = s.consensus; }, "less than consensus"},
  };
  for (const Bad& bad : kAll) {
    Settings settings = good();
    bad.spoil(settings);
    const std::string why = check(settings);
    EXPECT_EQ(why.rfind(std::string(bad.field) + " is ", 0), 0u) << bad.field << ": \"" << why << "\"";
    EXPECT_NE(why.find(bad.way_out), std::string::npos) << bad.field << ": \"" << why << "\"";
  }
}

TEST(Settings, TheLargestMessageThatFitsIsTaken) {
  Settings settings = good();
  settings.queue_bytes = 80'000;
  settings.message_limit = 70'000;
  ASSERT_EQ(check(settings), "");
  ++settings.message_limit;
  EXPECT_NE(check(settings), "");
}

// Settings that nobody checked: "again" would be a lie for ever.
template <class Core>
void expect_definite_answers() {
  Settings settings = good();
  settings.queue_bytes = settings.message_limit = 80'000;
  Core core(settings);
  Output out;
  uint64_t number = 0;
  core.start(Instant{1}, out);
  const auto submit = [&](size_t bytes) { return core.submit(Instant{1}, Service::agreed, std::vector<std::byte>(bytes), number, out); };
  EXPECT_EQ(submit(70'001), Submitted::too_big);
  EXPECT_EQ(core.submit_change(Instant{1}, std::vector<std::byte>(80'001), number, out), Submitted::too_big);
  EXPECT_EQ(submit(70'000), Submitted::ok);
}

TEST(Settings, AMessageThatNoQueueCanTakeIsTooBig) {
  expect_definite_answers<Protocol>();
  expect_definite_answers<OrderedPath>();
}

}  // namespace
}  // namespace evs::ordering
