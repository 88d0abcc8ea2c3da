// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/resume_world.h - a host whose protocol can be killed between two effects, alone or as one of a pair in virtual time.
//
// A log reads "[1.0 2.0] a T(1.0) b [1.1]": configurations with members as id and number of their process, what was delivered between.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "bus/ordering/stored.h"

namespace evs::ordering {

inline constexpr uint64_t kFirstNonce = 100;

struct OneHost {
  explicit OneHost(HostId id = 1) {
    settings.self = {id, kFirstNonce};
    settings.for_successor = true;
    settings.accelerated_frames = 0;
    settings.personal_frames = 2;
  }

  Settings settings;
  StoredState stored;
  std::map<uint64_t, std::pair<Service, std::string>> outbox;
  std::set<Stored::Kind> kinds_stored;
  std::string log;
  std::function<void(HostId to, Bytes packet)> send = [](HostId, Bytes) {};
  std::function<void(const Effect&, const Output&, const Protocol&)> took = [](const Effect&, const Output&, const Protocol&) {};  // each that was carried out
  Instant now{kMillisecond};

  Protocol& protocol() { return *core_; }
  bool up() const { return core_ != nullptr; }
  void kill_after(uint64_t effects) { left_ = effects; }
  void kill_before_delivery() { no_delivery_ = true; }
  void kill() { core_.reset(); }

  void start() {
    core_ = std::make_unique<Protocol>(settings);
    core_->start(now, out_);
    carry_out();
  }
  void resume() {
    ++settings.self.nonce;
    no_delivery_ = false;
    core_ = std::make_unique<Protocol>(settings);
    core_->resume(now, stored, out_);
    carry_out();
  }
  void submit(const std::string& text, Service service = Service::agreed) {
    uint64_t number = 0;
    ASSERT_EQ(core_->submit(now, service, std::as_bytes(std::span(text)), number, out_), Submitted::ok);
    outbox[number] = {service, text};
    settings.first_message = number + 1;
    carry_out();
  }
  void resubmit() {
    for (const auto& [number, message] : std::exchange(outbox, {})) submit(message.second, message.first);
  }
  void carry_out() {
    for (const Effect& effect : out_.effects) {
      if (left_ == 0 || (no_delivery_ && effect.kind == Effect::Kind::deliver)) {
        core_.reset();
        left_ = UINT64_MAX;
        break;
      }
      if (left_ != UINT64_MAX) --left_;
      carry_out(effect);
      apply(stored, effect, out_, *core_);
      took(effect, out_, *core_);
    }
    out_.clear();
  }
  std::string take_log() { return std::exchange(log, {}); }
  Output& out() { return out_; }

  // Words of a log; what ends with a bracket is looked for within words.
  static size_t count(const std::string& log, const std::string& word) {
    const bool whole = word.back() != '(' && word.back() != '[';
    const auto spaced = [](const std::string& text) { return std::string(" ").append(text).append(" "); };
    const std::string line = spaced(log), wanted = whole ? spaced(word) : word;
    size_t n = 0;
    for (size_t at = line.find(wanted); at != std::string::npos; at = line.find(wanted, at + 1)) ++n;
    return n;
  }

 private:
  void write(const std::string& word) { log.append(log.empty() ? "" : " ").append(word); }
  static std::string names(const Hosts& hosts) {
    std::string text;
    for (const Host& host : hosts)
      text.append(text.empty() ? "" : " ").append(std::to_string(host.id)).append(".").append(std::to_string(host.nonce - kFirstNonce));
    return text;
  }
  void carry_out(const Effect& effect) {
    switch (effect.kind) {
      case Effect::Kind::send_to_all: return send(kNoHost, out_.packet(effect));
      case Effect::Kind::send_to: return send(effect.to, out_.packet(effect));
      case Effect::Kind::store: kinds_stored.insert(effect.stored.kind); return;
      case Effect::Kind::stamped:
        outbox.erase(out_.stamped[effect.begin].message);
        return write("stamped");
      case Effect::Kind::configuration: {
        const Configuration& c = out_.configurations[effect.begin];
        return write(std::string(c.regular ? "[" : "T(").append(names(c.members)).append(c.regular ? "]" : ")"));
      }
      case Effect::Kind::deliver: {
        const Bytes bytes = out_.deliveries[effect.begin].bytes;
        const bool small = bytes.size() < 32;
        return write(small ? std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) : std::to_string(bytes.size()) + "-bytes");
      }
      default: return;
    }
  }

  std::unique_ptr<Protocol> core_;
  Output out_;
  uint64_t left_ = UINT64_MAX;
  bool no_delivery_ = false;
};

// Hosts 1 and 2, and a network that keeps everything and its order.
struct RingPair {
  static constexpr Duration kDelay = 100'000;
  static constexpr uint32_t kMostSteps = 100'000;

  std::array<OneHost, 2> hosts{OneHost(1), OneHost(2)};
  struct Flying {
    Instant at;
    HostId to;
    std::vector<std::byte> bytes;
  };
  std::deque<Flying> flying;
  Instant now{kMillisecond};

  RingPair() {
    for (OneHost& each : hosts)
      each.send = [this, &each](HostId to, Bytes packet) {
        const HostId other = 3 - each.settings.self.id;
        if (to == kNoHost || to == other) flying.push_back({now + kDelay, other, {packet.begin(), packet.end()}});
      };
  }
  OneHost& host(HostId id) { return hosts[id - 1]; }
  const std::string& log(HostId id) { return host(id).log; }

  // One packet or one deadline, whichever comes first.
  void step() {
    OneHost* due = nullptr;
    Instant at = flying.empty() ? kNever : flying.front().at;
    for (OneHost& each : hosts)
      if (each.up() && each.protocol().next_deadline() < at) {
        at = each.protocol().next_deadline();
        due = &each;
      }
    ASSERT_NE(at, kNever);
    now = std::max(now, at);
    for (OneHost& each : hosts) each.now = now;
    if (due != nullptr) {
      due->protocol().on_deadline(now, due->out());
      return due->carry_out();
    }
    const Flying packet = std::move(flying.front());
    flying.pop_front();
    OneHost& to = host(packet.to);
    if (!to.up()) return;
    to.protocol().on_packet(now, packet.bytes, to.out());
    to.carry_out();
  }
  void until(const std::function<bool()>& done) {
    for (uint32_t i = 0; i < kMostSteps; ++i) {
      if (done()) return;
      step();
    }
    FAIL() << "did not come: " << log(1) << " | " << log(2);
  }
  bool one_ring() {
    for (OneHost& each : hosts)
      if (!each.up() || !each.protocol().is_operational() || each.protocol().members().size() != 2) return false;
    return host(1).protocol().ring() == host(2).protocol().ring();
  }
  void form() {
    for (OneHost& each : hosts) each.start();
    until([this] { return one_ring(); });
    for (OneHost& each : hosts) each.take_log();
  }
  void until_delivered(HostId id, const std::string& word) {
    until([&] { return OneHost::count(log(id), word) != 0; });
  }
  void rest() {
    const Instant end = now + 1000 * kMillisecond;
    until([&] { return now >= end; });
  }
};

}  // namespace evs::ordering
