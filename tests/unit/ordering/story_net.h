// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/story_net.h - a few hosts and a network that does what a story says: no chance, no clock.
//
// Each packet takes 100 us. What is lost the story decides, packet by packet. A host's log is what its application saw: "ring 1 2 3", "trans 1 2", and
// the messages' texts.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bus/ordering/protocol.h"

namespace evs::ordering {

inline constexpr Duration kMs = kMillisecond;

struct Sent {
  Instant at;
  HostId from = kNoHost, to = kNoHost;  // to nobody: to all
  PacketType type = PacketType::data;
  std::vector<std::byte> bytes;

  Token token() const { return as<Token>(); }
  Data data() const { return as<Data>(); }
  Commit commit() const { return as<Commit>(); }

 private:
  template <class Packet>
  Packet as() const {
    Packet packet;
    EXPECT_EQ(wire::decode(Bytes(bytes), packet), wire::Malformed::none);
    return packet;
  }
};

class StoryNet {
 public:
  using Log = std::vector<std::string>;
  static constexpr Duration kHop = 100'000;

  explicit StoryNet(std::vector<HostId> ids, std::function<void(Settings&)> change = {}) : change_(std::move(change)) {
    for (const HostId id : ids) start(id);
  }

  // Is this copy lost? Asked for each receiver of each packet.
  std::function<bool(const Sent&, HostId)> loses = [](const Sent&, HostId) { return false; };
  std::vector<Sent> sent;  // since the story last cleared it

  void start(HostId id) {
    Settings settings;
    settings.token_lost = 50 * kMs;
    settings.token_resend = 10 * kMs;
    settings.token_hold = 5 * kMs;
    settings.join_resend = 10 * kMs;
    settings.consensus = 60 * kMs;
    settings.merge_probe = 20 * kMs;
    settings.store_frames = 256;
    settings.window_frames = 64;
    settings.personal_frames = 16;
    settings.queue_bytes = 1 << 20;
    if (change_) change_(settings);
    settings.self = {id, 1000 * ++lives_[id] + id};
    settings.ring_sequence = stored_[id];
    seats_[id] = std::make_unique<Protocol>(settings);
    seats_[id]->start(now_, out_);
    carry_out(id);
  }
  void crash(HostId id) { seats_.erase(id); }
  void cut(HostId from, HostId to) { cut_.insert({from, to}); }
  void split(const std::set<HostId>& side) {
    for (const auto& [a, unused] : seats_)
      for (const auto& [b, unused2] : seats_)
        if (side.count(a) != side.count(b)) cut(a, b);
  }
  void mend() { cut_.clear(); }

  void submit(HostId id, const std::string& text, Service service = Service::agreed) {
    uint64_t number = 0;
    EXPECT_EQ(try_submit(id, text, number, service), Submitted::ok);
  }
  Submitted try_submit(HostId id, const std::string& text, uint64_t& number, Service service = Service::agreed) {
    const Submitted result = seats_.at(id)->submit(now_, service, std::as_bytes(std::span(text)), number, out_);
    carry_out(id);
    return result;
  }
  void change(HostId id, const std::string& text, uint64_t& number) {
    EXPECT_EQ(seats_.at(id)->submit_change(now_, std::as_bytes(std::span(text)), number, out_), Submitted::ok);
    carry_out(id);
  }
  void room(HostId id, uint64_t bytes) {
    seats_.at(id)->on_room(now_, bytes, out_);
    carry_out(id);
  }
  void open(HostId id, const std::string& text) {
    uint64_t number = 0;
    EXPECT_EQ(seats_.at(id)->submit_opening(now_, std::as_bytes(std::span(text)), number, out_), Submitted::ok);
    carry_out(id);
  }
  void exchanged(HostId id) {
    seats_.at(id)->exchange_complete(now_, out_);
    carry_out(id);
  }
  void say(HostId from, HostId to, std::vector<std::byte> bytes) {  // a packet of the story's own
    seats_.at(to)->on_packet(now_, bytes, out_);
    (void)from;
    carry_out(to);
  }

  void run(Duration duration) {
    const Instant end = now_ + duration;
    while (step(end)) {}
    now_ = end;
  }
  // False: it did not come to pass within two seconds.
  bool until(const std::function<bool()>& done) {
    const Instant end = now_ + 2000 * kMs;
    while (!done())
      if (!step(end)) return false;
    return true;
  }
  bool until_one_ring(size_t members) {
    return until([&] {
      for (const auto& [id, seat] : seats_)
        if (!seat->is_operational() || seat->members().size() != members) return false;
      return true;
    });
  }
  bool until_delivered(HostId id, const std::string& text) { return until([&] { return has(id, text); }); }
  bool has(HostId id, const std::string& text) {
    const Log& log = logs_[id];
    return std::find(log.begin(), log.end(), text) != log.end();
  }

  Protocol& at(HostId id) { return *seats_.at(id); }
  Instant now() const { return now_; }
  // What was logged since this was asked last.
  Log log(HostId id) { return std::exchange(logs_[id], {}); }
  void forget_log(HostId id) { logs_[id].clear(); }
  size_t messages(HostId id) {  // in the log: neither ring nor trans
    const Log& log = logs_[id];
    return static_cast<size_t>(std::count_if(log.begin(), log.end(), [](const std::string& line) { return line[0] != 'r' && line[0] != 't'; }));
  }
  void forget_logs() {
    for (auto& [id, log] : logs_) log.clear();
    sent.clear();
  }
  std::vector<Sent> of(PacketType type) const {
    std::vector<Sent> some;
    for (const Sent& packet : sent)
      if (packet.type == type) some.push_back(packet);
    return some;
  }

 private:
  bool step(Instant end) {
    Instant at = way_.empty() ? kNever : way_.begin()->first.first;
    HostId due = kNoHost;
    for (const auto& [id, seat] : seats_)
      if (seat->next_deadline() < at) {
        at = seat->next_deadline();
        due = id;
      }
    if (at > end) return false;
    now_ = std::max(now_, at);
    if (due != kNoHost) {
      seats_[due]->on_deadline(now_, out_);
      carry_out(due);
      return true;
    }
    const auto [to, bytes] = std::move(way_.begin()->second);
    way_.erase(way_.begin());
    if (seats_.count(to) == 0) return true;
    seats_[to]->on_packet(now_, bytes, out_);
    carry_out(to);
    return true;
  }

  void carry_out(HostId id) {
    for (const Effect& effect : out_.effects) {
      if (effect.kind == Effect::Kind::send_to_all || effect.kind == Effect::Kind::send_to) {
        const Bytes bytes = out_.packet(effect);
        wire::Envelope envelope;
        EXPECT_EQ(wire::decode(bytes, envelope), wire::Malformed::none);
        sent.push_back({now_, id, effect.kind == Effect::Kind::send_to ? effect.to : kNoHost, envelope.type, {bytes.begin(), bytes.end()}});
        for (const auto& [to, unused] : seats_) {
          const bool meant = to != id && (sent.back().to == kNoHost || sent.back().to == to);
          if (meant && cut_.count({id, to}) == 0 && !loses(sent.back(), to)) way_[{now_ + kHop, order_++}] = {to, sent.back().bytes};
        }
      } else if (effect.kind == Effect::Kind::store) {
        stored_[id] = effect.stored.number;
      } else if (effect.kind == Effect::Kind::deliver) {
        const Bytes bytes = out_.deliveries[effect.begin].bytes;
        logs_[id].push_back({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      } else if (effect.kind == Effect::Kind::configuration) {
        const Configuration& c = out_.configurations[effect.begin];
        std::string line = c.regular ? "ring" : "trans";
        for (const Host& host : c.members) line.append(" ").append(std::to_string(host.id));
        logs_[id].push_back(line);
      }
    }
    out_.clear();
  }

  std::function<void(Settings&)> change_;
  std::map<HostId, std::unique_ptr<Protocol>> seats_;
  std::map<HostId, Log> logs_;
  std::map<HostId, uint64_t> lives_, stored_;
  std::set<std::pair<HostId, HostId>> cut_;
  std::map<std::pair<Instant, uint64_t>, std::pair<HostId, std::vector<std::byte>>> way_;
  uint64_t order_ = 0;
  Instant now_{kMs};
  Output out_;
};

inline StoryNet::Log lines(std::initializer_list<const char*> some) { return {some.begin(), some.end()}; }

}  // namespace evs::ordering
