// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/voice_test.cc - each failure is counted by its kind, and said once an episode.
#include "plugins/udp/voice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <vector>

#include "plugins/udp/sockets.h"

namespace evs::udp {
namespace {

using testing::HasSubstr;

struct Listener {
  std::vector<std::string> lines;
  std::map<std::string, uint64_t> values;
  evs_host table{sizeof(evs_host), EVS_PLUGIN_ABI_MINOR, this, "bus", log, counter, nullptr, nullptr};
  static void log(void* context, int32_t, const char* kind, const char* text, size_t length) {
    static_cast<Listener*>(context)->lines.push_back(std::string(kind) + ": " + std::string(text, length));
  }
  static uint64_t* counter(void* context, const char* name, const char*) { return &static_cast<Listener*>(context)->values[name]; }
};

TEST(Voice, CountedByKindAndSaidOnceAnEpisode) {
  Listener host;
  Counters counters(&host.table);
  Voice voice(&host.table, counters);
  for (int i = 0; i < 50; ++i) {
    voice.failed(ENETUNREACH, "10.0.0.1:5");
    voice.failed(EHOSTUNREACH, "10.0.0.2:5");
    voice.failed(ECONNREFUSED, "10.0.0.3:5");
    voice.failed(EPERM, "10.0.0.4:5");
    voice.failed(EIO, "10.0.0.5:5");
  }
  EXPECT_EQ(host.values["evs_udp_unreachable_total"], 100u);
  EXPECT_EQ(host.values["evs_udp_refused_total"], 50u);
  EXPECT_EQ(host.values["evs_udp_denied_total"], 50u);
  EXPECT_EQ(host.values["evs_udp_other_errors_total"], 50u);
  ASSERT_EQ(host.lines.size(), 3u);
  EXPECT_THAT(host.lines[0], HasSubstr("10.0.0.1:5"));
}

TEST(Voice, ARefusalIsSaidWhenItGoesOn) {
  Listener host;
  Counters counters(&host.table);
  Voice voice(&host.table, counters);
  constexpr uint64_t kStart = 5'000'000'000, kMs = 1'000'000;
  // A port that is handed over: refused for some milliseconds, again and again.
  for (uint64_t i = 0; i < 5; ++i)
    for (uint64_t ms = 0; ms < 100; ms += 10) voice.failed_at(kStart + i * (kEpisodeNs + 1000 * kMs) + ms * kMs, ECONNREFUSED, "10.0.0.3:5");
  EXPECT_TRUE(host.lines.empty());
  const uint64_t later = kStart + 10 * kEpisodeNs;
  for (uint64_t ms = 0; ms < 5000; ms += 100) voice.failed_at(later + ms * kMs, ECONNREFUSED, "10.0.0.3:5");
  ASSERT_EQ(host.lines.size(), 1u);
  EXPECT_THAT(host.lines[0], HasSubstr("udp.refused: nobody listens at 10.0.0.3:5"));
}

// Who took its leave is expected to listen no more.
TEST(Voice, WhereNobodyIsExpectedItIsNoNews) {
  Listener host;
  Counters counters(&host.table);
  Voice voice(&host.table, counters);
  constexpr uint64_t kStart = 5'000'000'000, kMs = 1'000'000;
  voice.went("10.0.0.3:5");
  for (uint64_t ms = 0; ms < 10'000; ms += 100) voice.failed_at(kStart + ms * kMs, ECONNREFUSED, "10.0.0.3:5");
  EXPECT_TRUE(host.lines.empty());
  EXPECT_EQ(host.values["evs_udp_refused_total"], 100u);
  voice.came("10.0.0.3:5");
  for (uint64_t ms = 10'000; ms < 20'000; ms += 100) voice.failed_at(kStart + ms * kMs, ECONNREFUSED, "10.0.0.3:5");
  EXPECT_EQ(host.lines.size(), 1u);
}

TEST(Voice, AHostWithoutRoomForCounters) {
  Listener host;
  host.table.counter = [](void*, const char*, const char*) -> uint64_t* { return nullptr; };
  Counters counters(&host.table);
  counters.add(Count::truncated);
  host.table.counter = nullptr;
  Counters others(&host.table);
  others.add(Count::truncated);
}

TEST(Voice, NamesOfCountersEndInTotal) {
  for (const CountText& text : kCountText) EXPECT_THAT(text.name, testing::MatchesRegex("evs_udp_[a-z_]+_total"));
}

TEST(BufferWarning, SaysWhatWasGrantedAndTheWayOut) {
  EXPECT_EQ(buffer_warning("receive_buffer", "net.core.rmem_max", 4096, 4096), "");
  EXPECT_THAT(buffer_warning("receive_buffer", "net.core.rmem_max", 8388608, 212992),
              testing::AllOf(HasSubstr("receive_buffer"), HasSubstr("212992"), HasSubstr("sysctl -w net.core.rmem_max=8388608")));
}

}  // namespace
}  // namespace evs::udp
