// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/link_test.cc - hosts that are joined by links over a medium within one thread, in virtual time.
#include "bus/runtime/uplink/link.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/uplink/fake_medium.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr Duration kMs = kMillisecond;

// A log with as much room as the test says.
class Log : public Sink {
 public:
  uint64_t room() override { return room_left; }
  void carry_out(const Output& out, const Effect& effect) override {
    if (effect.kind != Effect::Kind::deliver) return;
    const Bytes bytes = out.deliveries[effect.begin].bytes;
    messages.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    room_left -= std::min<uint64_t>(room_left, bytes.size() + ordering::Settings().delivery_overhead);
  }
  std::vector<std::string> messages;
  uint64_t room_left = UINT64_MAX / 2;
};

struct World {
  explicit World(uint32_t hosts, size_t largest_frame = 1472) : air(largest_frame), logs(hosts) {
    for (uint32_t i = 0; i < hosts; ++i) {
      sealing::Settings seal;
      seal.host = i + 1;
      seal.life = {1, i + 100};
      seals.push_back(std::move(*sealing::Sealing::begin(seal)));
      media.push_back(air.add());
      ordering::Settings settings;
      settings.self = {i + 1, i + 100};
      settings.frame_bytes = Link::frame_bytes_for(media.back(), *seals.back());
      settings.stalled_host = 500 * kMs;
      links.push_back(std::make_unique<Link>(settings, *seals.back(), media.back(), logs[i]));
      links.back()->start(now);
    }
  }
  bool until(const std::function<bool()>& done, Duration most = 60'000 * kMs) {
    const Instant end = now + most;
    while (!done()) {
      if (now > end) return false;
      bool more = false;
      for (auto& link : links) more |= link->turn(now);
      if (more || std::any_of(links.begin(), links.end(), [&](const auto& link) { return !air.at(&link - links.data()).inbox.empty(); })) {
        now = now + 10'000;
        continue;
      }
      Instant next = end + 1;
      for (auto& link : links) next = std::min(next, link->next(now));
      now = std::max(now + 1, next);
    }
    return true;
  }
  bool one_ring() const {
    return std::all_of(links.begin(), links.end(), [&](const auto& link) {
      return link->protocol().is_operational() && link->protocol().members().size() == links.size();
    });
  }
  void say(size_t host, const std::string& text) {
    uint64_t number = 0;
    ASSERT_EQ(links[host]->submit(now, Service::agreed, std::as_bytes(std::span(text)), number), Submitted::ok);
  }

  Instant now{kMs};
  Air air;
  std::vector<Log> logs;
  std::vector<std::unique_ptr<sealing::Sealing>> seals;
  std::vector<Medium> media;
  std::vector<std::unique_ptr<Link>> links;
};

TEST(Link, HostsFormARingAndDeliver) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.say(0, "hello");
  ASSERT_TRUE(world.until([&] { return std::all_of(world.logs.begin(), world.logs.end(), [](const Log& log) { return log.messages.size() == 1; }); }));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(world.air.at(i).marked.size(), 2u) << "whom it could open packets of it has vouched for";
}

// Joins and commits of so many do not fit into frames of an Ethernet's size.
TEST(Link, MoreHostsThanAFrameHasRoomFor) {
  World world(24);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.say(5, "hello");
  ASSERT_TRUE(world.until([&] { return std::all_of(world.logs.begin(), world.logs.end(), [](const Log& log) { return log.messages.size() == 1; }); }));
  uint64_t cut = 0;
  for (const auto& link : world.links) cut += link->outgoing().counts().cut;
  EXPECT_NE(cut, 0u);
}

TEST(Link, ALogWithoutRoomHoldsDeliveriesUntilThereIsSome) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.logs[1].room_left = 0;
  world.say(0, "hello");
  ASSERT_TRUE(world.until([&] { return world.logs[2].messages.size() == 1 && world.links[1]->protocol().is_held(); }));
  EXPECT_TRUE(world.logs[1].messages.empty());
  world.logs[1].room_left = 1000;
  ASSERT_TRUE(world.until([&] { return world.logs[1].messages.size() == 1; }));
  EXPECT_TRUE(world.one_ring());
}

TEST(Link, WhoNeverHasRoomLeavesAndTheOthersGoOn) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.logs[1].room_left = 0;
  world.say(0, "hello");
  ASSERT_TRUE(world.until([&] { return world.links[0]->protocol().members().size() == 2; }));
  world.logs[1].room_left = 1000;
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  EXPECT_EQ(world.logs[1].messages.size(), 1u);
}

TEST(Link, AClosedMediumIsSaidInWords) {
  World world(2);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  EXPECT_EQ(world.links[0]->failure(), "");
  world.air.at(0).failure = EVS_P_CLOSED;
  world.links[0]->turn(world.now);
  EXPECT_NE(world.links[0]->failure().find("closed"), std::string::npos);
}

// Somebody sends faster than anybody can read: the pause before it is noticed, and the link comes back.
TEST(Link, AFloodBehindAPauseIsNotReadForEver) {
  World world(2);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  for (int i = 0; i < 100'000; ++i) world.air.at(0).inbox.push_back({7, std::vector<std::byte>(60)});
  world.now = world.now + 10'000 * kMs;
  world.links[0]->turn(world.now);
  EXPECT_EQ(world.links[0]->counts().not_flushed, 1u);
  EXPECT_FALSE(world.air.at(0).inbox.empty());
}

}  // namespace
}  // namespace evs::runtime::uplink
