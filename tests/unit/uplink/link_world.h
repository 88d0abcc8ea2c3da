// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/link_world.h - hosts that are joined by links over a medium within one thread, in virtual time, and what their logs have. Host i has id i + 1.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "bus/runtime/uplink/episodes.h"
#include "bus/runtime/uplink/link.h"
#include "tests/unit/uplink/fake_medium.h"

namespace evs::runtime::uplink {

inline constexpr ordering::Duration kMs = ordering::kMillisecond;

// A log with as much room as the test says.
class LinkLog : public Sink {
 public:
  uint64_t room() override { return room_left; }
  void carry_out(const ordering::Output& out, const ordering::Effect& effect, const ordering::Protocol& protocol) override {
    carried_out_behind += over;
    over |= cannot_store && effect.kind == ordering::Effect::Kind::store;
    if (over) return;
    ordering::apply(stored, effect, out, protocol);
    if (effect.kind != ordering::Effect::Kind::deliver) return;
    const ordering::Bytes bytes = out.deliveries[effect.begin].bytes;
    messages.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    room_left -= std::min<uint64_t>(room_left, bytes.size() + ordering::Settings().delivery_overhead);
  }
  bool goes_on() const override { return !over; }
  bool cannot_store = false, over = false;
  size_t carried_out_behind = 0;
  std::vector<std::string> messages;
  ordering::StoredState stored;  // for who goes on when the link is gone
  uint64_t room_left = UINT64_MAX / 2;
};

struct World {
  explicit World(uint32_t hosts, size_t largest_frame = 1472, bool tells = true) : air(largest_frame, tells), logs(hosts) {
    for (uint32_t i = 0; i < hosts; ++i) {
      media.push_back(air.add());
      seals.emplace_back();
      links.emplace_back();
      make(i, 1);
      links.back()->start(now);
    }
  }
  void make(uint32_t i, uint64_t life) { make(i, life, i + 1); }
  void make(uint32_t i, uint64_t life, ordering::HostId id) {
    links[i].reset();
    sealing::Settings seal;
    seal.host = id;
    seal.life = {life, life * 1000 + i};
    seals[i] = std::move(*sealing::Sealing::begin(seal));
    ordering::Settings settings;
    settings.self = {id, seal.life.nonce};
    settings.frame_bytes = static_cast<uint32_t>(packet_bytes_for(media[i], *seals[i]));
    settings.stalled_host = 500 * kMs;
    settings.for_successor = true;
    settings.first_message = life * 1000;
    links[i] = std::make_unique<Link>(settings, *seals[i], media[i], logs[i]);
  }
  void look() {
    episodes.resize(links.size());
    told.resize(links.size());
    for (size_t i = 0; i < links.size(); ++i)
      for (Line& line : episodes[i].note(now, links[i]->look(now))) told[i].push_back(std::move(line));
    next_look = now + 100 * kMs;
  }
  size_t told_of(size_t host, const std::string& words) const {
    return static_cast<size_t>(std::count_if(told[host].begin(), told[host].end(), [&](const Line& line) { return line.text.find(words) != std::string::npos; }));
  }
  void pass(ordering::Duration time) {
    const ordering::Instant end = now + time;
    until([&] { return now >= end; }, 2 * time);
  }
  bool until(const std::function<bool()>& done, ordering::Duration most = 60'000 * kMs) {
    const ordering::Instant end = now + most;
    while (!done()) {
      if (now > end) return false;
      if (now >= next_look) look();
      bool more = false;
      for (auto& link : links) more |= link->turn(now);
      if (more || std::any_of(links.begin(), links.end(), [&](const auto& link) { return !air.at(&link - links.data()).inbox.empty(); })) {
        now = now + 10'000;
        continue;
      }
      ordering::Instant next = end + 1;
      for (auto& link : links) next = std::min(next, link->next(now));
      next = std::min(next, next_look);
      now = std::max(now + 1, next);
    }
    return true;
  }
  bool one_ring() const {
    return std::all_of(links.begin(), links.end(), [&](const auto& link) {
      return link->protocol().is_operational() && link->protocol().members().size() == links.size();
    });
  }
  void say(size_t host, const std::string& text, ordering::Service service = ordering::Service::agreed) {
    uint64_t number = 0;
    ASSERT_EQ(links[host]->submit(now, service, std::as_bytes(std::span(text)), number), ordering::Submitted::ok);
  }

  ordering::Instant now{kMs};
  Air air;
  std::vector<LinkLog> logs;
  std::vector<std::unique_ptr<sealing::Sealing>> seals;
  std::vector<Medium> media;
  std::vector<std::unique_ptr<Link>> links;
  std::vector<Episodes> episodes;
  std::vector<Lines> told;
  ordering::Instant next_look;
};

}  // namespace evs::runtime::uplink
