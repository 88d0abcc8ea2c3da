// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/ordered_world.h - hosts on an ordered medium that does what the story says: who reads what, and when.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/ordering/ordered_path.h"

namespace evs::ordering {

class OrderedStory {
 public:
  using Ids = std::vector<HostId>;

  explicit OrderedStory(HostId hosts, Settings settings = {}) : settings_(settings) {
    for (HostId id = 1; id <= hosts; ++id) start(id);
  }

  void start(HostId id, uint64_t nonce = 7) {
    settings_.self = {id, nonce};
    settings_.ring_sequence = hosts_[id].stored;
    hosts_[id].path = std::make_unique<OrderedPath>(settings_);
    hosts_[id].unread.clear();
    hosts_[id].path->start(now_, out_);
    carry_out(id);
  }
  OrderedPath& path(HostId id) { return *hosts_[id].path; }
  Output& output() { return out_; }

  void membership(const Ids& readers, const Ids& members, const Ids& joined, const Ids& left = {}) {
    for (const HostId id : readers) {
      path(id).on_membership(now_, {members, joined, left}, out_);
      carry_out(id);
    }
  }
  // The next packet that `from` handed over gets its place, and these read it.
  void order(HostId from, const Ids& readers) {
    ASSERT_FALSE(hosts_[from].unread.empty()) << "host " << from << " has said nothing";
    const std::vector<std::byte> packet = hosts_[from].unread.front();
    hosts_[from].unread.pop_front();
    ++position_;
    for (const HostId id : readers) {
      path(id).on_message(now_, from, position_, packet, out_);
      carry_out(id);
    }
  }
  // All that they say to each other, until nobody says anything more; acknowledgements that are promised included.
  void settle(const Ids& all) {
    for (bool moved = true; moved;) {
      moved = false;
      for (const HostId id : all)
        while (!hosts_[id].unread.empty()) {
          order(id, all);
          moved = true;
        }
      if (!moved) moved = tick(all);
    }
  }
  bool tick(const Ids& all) {
    now_ = now_ + kMillisecond;
    bool said = false;
    for (const HostId id : all) {
      const size_t before = hosts_[id].unread.size();
      path(id).on_deadline(now_, out_);
      carry_out(id);
      said |= hosts_[id].unread.size() != before;
    }
    return said;
  }
  void stable(HostId id, uint64_t position) {
    path(id).on_stable(now_, position, out_);
    carry_out(id);
  }
  void together(const Ids& all) {
    membership(all, all, all);
    settle(all);
    for (const HostId id : all) log(id);
  }

  Submitted submit(HostId id, Service service, const std::string& text) {
    uint64_t number = 0;
    const Submitted answer = path(id).submit(now_, service, std::as_bytes(std::span(text)), number, out_);
    carry_out(id);
    return answer;
  }
  void change(HostId id, const std::string& text) {
    uint64_t number = 0;
    EXPECT_EQ(path(id).submit_change(now_, std::as_bytes(std::span(text)), number, out_), Submitted::ok);
    carry_out(id);
  }

  // "view 1 2|m|trans 1|": what was delivered since the last look.
  std::string log(HostId id) { return std::exchange(hosts_[id].log, {}); }
  size_t unread(HostId id) { return hosts_[id].unread.size(); }
  uint64_t stored(HostId id) { return hosts_[id].stored; }
  uint64_t position() const { return position_; }
  uint32_t acknowledgements = 0, frames = 0, states = 0;
  std::vector<std::string> order_of_effects;  // of the last event

 private:
  struct HostHere {
    std::unique_ptr<OrderedPath> path;
    std::deque<std::vector<std::byte>> unread;
    std::string log;
    uint64_t stored = 0;
  };
  void carry_out(HostId id) {
    HostHere& host = hosts_[id];
    order_of_effects.clear();
    for (const Effect& effect : out_.effects) {
      if (effect.kind == Effect::Kind::send_to_all) {
        const Bytes packet = out_.packet(effect);
        wire::OrderedEnvelope envelope;
        ASSERT_EQ(wire::decode(packet, envelope), wire::Malformed::none);
        (envelope.type == OrderedType::frame ? frames : envelope.type == OrderedType::state ? states : acknowledgements) += 1;
        host.unread.emplace_back(packet.begin(), packet.end());
        order_of_effects.push_back("send");
      } else if (effect.kind == Effect::Kind::store) {
        EXPECT_GE(effect.stored.number, host.stored);
        host.stored = effect.stored.number;
        order_of_effects.push_back("store");
      } else if (effect.kind == Effect::Kind::deliver) {
        const Bytes bytes = out_.deliveries[effect.begin].bytes;
        const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        order_of_effects.push_back("deliver");
        host.log += (text.size() > 20 ? text.substr(0, 3) + "..." + std::to_string(text.size()) : text) + "|";
      } else if (effect.kind == Effect::Kind::configuration) {
        const Configuration& c = out_.configurations[effect.begin];
        host.log += c.regular ? "view" : "trans";
        for (const Host& member : c.members) host.log += " " + std::to_string(member.id);
        host.log += "|";
        order_of_effects.push_back("configuration");
      }
    }
    out_.clear();
  }

  Settings settings_;
  std::map<HostId, HostHere> hosts_;
  Output out_;
  Instant now_{1};
  uint64_t position_ = 0;
};

inline const OrderedStory::Ids kTwo{1, 2}, kAll{1, 2, 3};

}  // namespace evs::ordering
