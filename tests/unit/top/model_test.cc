// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/top/model_test.cc - what frames come to: rates, courses, the history of memberships; and which files a process has loaded.
#include <gtest/gtest.h>

#include "tests/unit/top/frames.h"
#include "tools/top/history.h"
#include "tools/top/loaded.h"
#include "tools/top/processes.h"
#include "tools/top/trend.h"

namespace evs::top {
namespace {

using test::frame;

Frame sent(uint64_t second, uint64_t feed, uint64_t desk) {
  Frame out = frame(second);
  out.detail->members[0].sent_messages = feed;
  out.detail->members[1].sent_messages = desk;
  return out;
}

TEST(Trend, ARateIsBetweenTwoFrames) {
  Trend trend;
  trend.add(sent(0, 100, 10));
  EXPECT_EQ(trend.rate(kSent), std::nullopt);
  trend.add(sent(2, 300, 10));
  EXPECT_EQ(trend.rate(kSent), 100);
  EXPECT_EQ(trend.rate(sent_key("812.1")), 100);
  EXPECT_EQ(trend.rate(sent_key("900.1")), 0);
  EXPECT_EQ(trend.course(kSent), std::deque<double>{100});
}

TEST(Trend, WhoEndsTakesNothingFromTheRateOfAll) {
  Trend trend;
  trend.add(sent(0, 1000, 10));
  Frame without = sent(1, 0, 15);
  without.detail->members.erase(without.detail->members.begin());
  trend.add(without);
  EXPECT_EQ(trend.rate(kSent), 5);
  EXPECT_EQ(trend.rate(sent_key("812.1")), std::nullopt);
}

TEST(Trend, ACountThatFellMakesNoRate) {
  Trend trend;
  trend.add(sent(0, 100, 0));
  trend.add(sent(1, 5, 0));
  EXPECT_EQ(trend.rate(sent_key("812.1")), std::nullopt);
  trend.add(sent(2, 8, 0));
  EXPECT_EQ(trend.rate(sent_key("812.1")), 3);
}

TEST(Trend, FramesOfOneMomentMakeNoRate) {
  Trend trend;
  trend.add(sent(5, 100, 0));
  trend.add(sent(5, 200, 0));
  EXPECT_EQ(trend.rate(kSent), std::nullopt);
  trend.add(sent(4, 300, 0));
  EXPECT_EQ(trend.rate(kSent), std::nullopt);
}

TEST(Trend, ACourseHasABound) {
  Trend trend;
  for (uint64_t i = 0; i < 3 * kCourse; ++i) trend.add(sent(i, i, 0));
  EXPECT_EQ(trend.course(kSent).size(), kCourse);
}

TEST(Trend, OfAHistogramWhatCameSince) {
  const auto with = [](uint64_t second, double fast, double all) {
    Frame out = frame(second);
    out.families = {{"evs_x_seconds", Kind::histogram, {{{}, 0, {{0.001, fast}, {0.1, all}}, 1, all}}}};
    return out;
  };
  Trend trend;
  const std::string key = key_of("evs_x_seconds", {});
  trend.add(with(0, 1000, 1000));
  EXPECT_EQ(trend.recent(key), nullptr);
  trend.add(with(1, 1000, 1010));
  ASSERT_NE(trend.recent(key), nullptr);
  EXPECT_EQ(trend.recent(key)->samples.count, 10);
  EXPECT_EQ(trend.recent(key)->seconds, 1);
  EXPECT_GT(quantile(trend.recent(key)->samples, 0.01), 0.001) << "the thousand from before are not in it";
  for (uint64_t second = 2; second <= 3 * kWindow; ++second) trend.add(with(second, 1000, 1010));
  EXPECT_EQ(trend.recent(key)->samples.count, 0) << "the ten are past";
  EXPECT_EQ(trend.recent(key)->seconds, kWindow);
  trend.add(with(100, 5, 5));
  EXPECT_EQ(trend.recent(key), nullptr) << "it began anew";
  trend.add(with(102, 5, 9));
  EXPECT_EQ(trend.recent(key)->samples.count, 4);
}

TEST(Trend, OfAnExporterItsCounters) {
  const auto told = [](uint64_t second, double value) {
    Frame out = frame(second);
    out.detail.reset();
    out.families = {{"evs_ring_appended_records_total", Kind::counter, {{{{"ring", "order"}}, value, {}, 0, 0}}}};
    return out;
  };
  Trend trend;
  trend.add(told(0, 10));
  trend.add(told(1, 60));
  EXPECT_EQ(trend.rate(kSent), 50);
}

TEST(Processes, OneThatIsInBothRingsIsOne) {
  Frame both = frame();
  both.detail->outbox = metrics::Outbox{{}, both.detail->members};
  both.detail->outbox->members[0].sent_messages = 5;
  both.detail->members[0].sent_messages = 1000;  // as the gateway, for all
  const auto again = test::member(3, 812, "feed");
  both.detail->members.push_back(again);
  const auto rows = processes_of(both);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].nodeids, (std::vector<uint32_t>{1, 3}));
  EXPECT_EQ(rows[0].sent_records, 5u);
  EXPECT_EQ(rows[0].handles, 2u);
}

TEST(Processes, TheWorstOfItsLivesIsShown) {
  metrics::Member one = test::member(1, 5, "a");
  EXPECT_EQ(life_of(one), Life::well);
  one.state = metrics::MemberState::expelled;
  EXPECT_EQ(life_of(one), Life::expelled);
  one.heartbeat_age_ns = metrics::kHungNs;
  EXPECT_EQ(life_of(one), Life::hung);
  one.stopped_for_ns = 0;
  EXPECT_EQ(life_of(one), Life::stopped);
  one.process_gone = true;
  EXPECT_EQ(life_of(one), Life::gone);
  EXPECT_FALSE(is_ill(Life::expelled));
  EXPECT_TRUE(is_ill(Life::hung));
}

TEST(History, WhoCameAndWhoWentAndWhy) {
  History history;
  history.add(frame(0));
  Frame died = frame(10);
  died.detail->change = 6;
  died.detail->members.pop_back();
  died.detail->departed = {{2, 1, 900, "died"}};
  history.add(frame(5));
  history.add(died);
  Frame joined = died;
  joined.monotonic_ns += test::kSecond;
  joined.detail->change = 8;
  joined.detail->members.push_back(test::member(3, 901, "audit"));
  history.add(joined);
  ASSERT_EQ(history.changes().size(), 3u);
  EXPECT_TRUE(history.changes()[0].first);
  EXPECT_EQ(history.changes()[0].in_force_ns, 10 * test::kSecond);
  EXPECT_EQ(history.changes()[1].cause, "900 (desk) died");
  EXPECT_EQ(history.changes()[1].members, 1u);
  EXPECT_EQ(history.changes()[1].in_force_ns, test::kSecond);
  EXPECT_EQ(history.changes()[2].cause, "901 (audit) joined");
  EXPECT_EQ(history.changes()[2].in_force_ns, std::nullopt);
}

TEST(History, WhoseSlotIsTakenWentForNoReasonThatIsKnown) {
  History history;
  history.add(frame(0));
  Frame next = frame(1);
  next.detail->change = 10;
  next.detail->members[1] = test::member(2, 950, "desk");
  next.detail->members[1].generation = 2;
  history.add(next);
  EXPECT_EQ(history.changes().back().cause, "900 (desk) went; 950 (desk) joined");
}

TEST(History, ARingOfHostsThatCameToBeAndHowLongThatTook) {
  const auto with = [](uint64_t second, const char* state, const char* sequence, const char* members) {
    Frame out = frame(second);
    out.detail->uplink.values = {{"state", state}, {"ring_sequence", sequence}, {"members", members}};
    return out;
  };
  History history;
  history.add(with(0, "operational", "4", "1 2 3"));
  history.add(with(1, "gather", "4", "1 2 3"));
  history.add(with(2, "recovery", "8", "1 3"));
  history.add(with(3, "operational", "8", "1 3"));
  const Change& last = history.changes().back();
  EXPECT_TRUE(last.hosts);
  EXPECT_EQ(last.name, "ring 8");
  EXPECT_EQ(last.cause, "host 2 went");
  EXPECT_EQ(last.took_ns, 2 * test::kSecond);
}

TEST(History, HasABound) {
  History history;
  for (uint64_t i = 0; i < kMostChanges + 50; ++i) {
    Frame next = frame(i);
    next.detail->change = 2 * i;
    history.add(next);
  }
  EXPECT_EQ(history.changes().size(), kMostChanges);
}

TEST(Loaded, OfAllMappingsThoseOfEvs) {
  const auto files = evs_files_in(
      "7f00-7f01 r-xp 00000000 08:01 5 /usr/lib/libc.so.6\n7f01-7f02 r--p 00000000 08:01 6                          /usr/lib/libevs.so.4.1.0\n"
      "7f02-7f03 r-xp 00001000 08:01 6                          /usr/lib/libevs.so.4.1.0\n7f03-7f04 r-xp 00000000 08:01 7 /opt/with blank/evs-transport-shm.so (deleted)\n"
      "7ffd-7ffe rw-p 00000000 00:00 0                          [stack]\n7f04-7f05 rw-s 00000000 00:17 9 /dev/shm/evs-0/default.ring\n");
  EXPECT_EQ(files, (std::vector<Mapped>{{"/usr/lib/libevs.so.4.1.0", false}, {"/opt/with blank/evs-transport-shm.so", true}}));
}

}  // namespace
}  // namespace evs::top
