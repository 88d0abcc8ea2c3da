// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/process_world.h - hosts with processes on a network that does what a story says: virtual time, nothing by chance.
//
// Names: host 1 is A, its processes a1, a2. What the processes of a host are told is written down in words:
//   "R a1 b1"  regular configuration    "T a1"  transitional    "x"  a message    "-a2"  a2 is gone
//   "R a1 @3"  a primary one of epoch 3    "V 2 3"  the host writes down: 2 is the last that was formed, 3 is tried
//
// In every story a twin goes on at each effect from what was saved with the one before: it must tell the same and come to the same. By induction, what is
// saved is enough at every moment. So does one that finds another disk: it tells the processes the same, and writes down nothing that its next life would refuse.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/ordering/primary_bytes.h"
#include "bus/ordering/process_level.h"

namespace evs::ordering {

class ProcessWorld {
 public:
  using Lines = std::vector<std::string>;
  static constexpr Duration kHop = 100'000;
  static constexpr uint8_t kDataType = 1, kTokenType = 2;

  explicit ProcessWorld(uint32_t hosts, const std::function<void(Settings&)>& adjust = {}, const std::function<Voter(HostId)>& voter = {}) {
    for (HostId id = 1; id <= hosts; ++id) {
      Settings settings;
      settings.self = {id, 100 + id};
      settings.exchange = true;
      settings.store_frames = 1024;
      settings.queue_bytes = 1 << 18;
      settings.message_limit = 1 << 16;
      settings.accelerated_frames = 0;
      if (adjust) adjust(settings);
      hosts_.push_back(std::make_unique<Host>(settings, voter ? voter(id) : Voter{}));
    }
    for (auto& host : hosts_) {
      host->protocol.start(now_, host->out);
      carry_out(*host);
    }
  }

  // false: the packet is lost. Asked for each receiver.
  std::function<bool(HostId from, HostId to, Bytes packet)> lets_pass = [](HostId, HostId, Bytes) { return true; };

  static NodeId node(const std::string& name) { return static_cast<NodeId>(name[0] - 'a' + 1) << kSlotBits | static_cast<NodeId>(name[1] - '0'); }
  static std::string name(NodeId node) {
    return std::string(1, static_cast<char>('a' + host_of(node) - 1)) + static_cast<char>('0' + (node & 0xf));
  }

  Submitted join(const std::string& name) { return in(name, [&](Host& h) { return h.level.join(now_, {node(name), 1, ++incarnation_}, number_, h.out); }); }
  Submitted leave(const std::string& name) { return in(name, [&](Host& h) { return h.level.leave(now_, node(name), Change::leave, number_, h.out); }); }
  Submitted say(const std::string& name, const std::string& text, Service service = Service::agreed) {
    return in(name, [&](Host& h) {
      return h.level.send(now_, node(name), service, std::as_bytes(std::span(text)), number_, h.out);
    });
  }
  // A message that host 1 has just delivered: the token goes round, and what is submitted now on host 1 is stamped in one visit.
  void wake_from(const std::string& name) {
    ASSERT_EQ(say(name, "wake"), Submitted::ok);
    ASSERT_TRUE(run_until([&] { return has_told(1, "wake"); }));
  }
  // Of all groups that are named, sorted; `carried`: for its own host.
  Submitted group(const std::string& name, Change how, const std::string& keys, const std::string& carried = {}) {
    std::vector<Group> groups;
    for (const char key : keys) groups.emplace_back()[0] = static_cast<std::byte>(key);
    return in(name, [&](Host& h) { return h.level.change_groups(now_, node(name), how, groups, std::as_bytes(std::span(carried)), number_, h.out); });
  }

  // Where a twin told something else, or came to something else; empty, for no story has that.
  std::string take_difference() { return std::exchange(difference_, {}); }
  ~ProcessWorld() { EXPECT_EQ(difference_, ""); }

  void crash(HostId host) { at(host).dead = true; }
  // Whenever it has written down what it would vote for, it does nothing more; or says this in its place.
  void never_votes(HostId host) { at(host).never_votes = true; }
  void say_instead(HostId host, const std::vector<std::byte>& record) {
    at(host).protocol.submit_opening(now_, record, number_, at(host).out);
    carry_out(at(host));
  }

  // Runs until `done`, or for `most`; false: it did not come.
  bool run_until(const std::function<bool()>& done, Duration most = 20'000 * kMillisecond) {
    const Instant end = now_ + most;
    while (!done()) {
      if (!step(end)) return false;
    }
    return true;
  }
  void run_for(Duration time) {
    run_until([] { return false; }, time);
  }

  Lines& told(HostId host) { return at(host).told; }
  bool has_told(HostId host, const std::string& line) {
    const Lines& lines = told(host);
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  }
  // Where `line` stands first; all lines when it does not.
  size_t place_of(HostId host, const std::string& line) {
    const Lines& lines = told(host);
    return static_cast<size_t>(std::find(lines.begin(), lines.end(), line) - lines.begin());
  }
  // The last "R ..." or "T ..." above place `before`.
  std::string configuration_above(HostId host, size_t before) {
    for (size_t i = before; i-- > 0;)
      if (told(host)[i][0] == 'R' || told(host)[i][0] == 'T') return told(host)[i];
    return {};
  }
  const Protocol& protocol(HostId host) { return at(host).protocol; }
  const ProcessLevel& level(HostId host) { return at(host).level; }
  Instant now() const { return now_; }
  uint64_t packets() const { return packets_; }

  // All hosts named in one ring that has had its exchange.
  bool together(const std::vector<HostId>& hosts) {
    for (const HostId id : hosts) {
      Host& host = at(id);
      if (!host.protocol.is_operational() || !host.level.exchanged() || host.protocol.members().size() != hosts.size()) return false;
      if (host.protocol.ring() != at(hosts.front()).protocol.ring()) return false;
    }
    return true;
  }

 private:
  struct Host {
    Host(const Settings& settings, const Voter& voter)
        : id(settings.self.id), protocol(settings), level(id, settings.message_limit, protocol, voter), closed(settings) {
      level.save(saved);
    }
    HostId id;
    Protocol protocol;
    ProcessLevel level;
    Protocol closed;  // the twins': it hears nothing
    std::vector<std::byte> saved;
    Output out;
    Lines told;
    uint32_t level_limit() const { return protocol.settings().message_limit; }
    bool votes() const { return !never_votes || told.empty() || told.back()[0] != 'V'; }
    bool dead = false, never_votes = false;
  };
  struct Packet {
    HostId to = 0;
    std::vector<std::byte> bytes;
  };

  Host& at(HostId id) { return *hosts_[id - 1]; }

  Submitted in(const std::string& name, const std::function<Submitted(Host&)>& act) {
    Host& host = at(host_of(node(name)));
    const Submitted result = act(host);
    carry_out(host);
    return result;
  }

  void send(HostId from, HostId to, Bytes packet) {
    if (to == kNoHost) {
      for (auto& host : hosts_)
        if (host->id != from) send(from, host->id, packet);
      return;
    }
    ++packets_;
    if (to <= hosts_.size() && lets_pass(from, to, packet)) under_way_.emplace(now_ + kHop, Packet{to, {packet.begin(), packet.end()}});
  }

  void carry_out(Host& host) {
    do {
      for (const Effect& effect : host.out.effects) {
        if (effect.kind == Effect::Kind::send_to_all) send(host.id, kNoHost, host.out.packet(effect));
        if (effect.kind == Effect::Kind::send_to) send(host.id, effect.to, host.out.packet(effect));
        digest(host, effect);
      }
      host.out.clear();
    } while (host.votes() && host.level.follow_up(now_, host.out));
  }

  void digest(Host& host, const Effect& effect) {
    if (effect.kind != Effect::Kind::deliver && effect.kind != Effect::Kind::configuration) return;
    ProcessLevel twin(host.id, host.level_limit(), host.closed, host.level.voter());
    const bool restored = twin.restore(host.saved);
    const Voter lost{host.level.voter().quorum, host.level.voter().disk + 1'000'000, {}};
    ProcessLevel on_another_disk(host.id, host.level_limit(), host.closed, lost);
    on_another_disk.restore(host.saved);
    const uint64_t revision = host.level.revision();
    std::vector<Told> told, twins;
    host.level.digest(host.out, effect, told);
    twin.digest(host.out, effect, twins);
    std::string said, twin_said;
    for (const Told& each : told) {
      host.told.push_back(words(each, host.level));
      said += host.told.back() + ", ";
    }
    for (const Told& each : twins) twin_said += words(each, twin) + ", ";
    std::vector<std::byte> before, twins_saved;
    before.swap(host.saved);
    host.level.save(host.saved);
    twin.save(twins_saved);
    if (!restored) difference_ = "what was saved is refused";
    else if (twin_said != said) difference_ = "a twin tells " + twin_said + "and not " + said;
    else if (twins_saved != host.saved) difference_ = "a twin comes to something else behind " + said;
    else if (host.level.revision() == revision && host.saved != before) difference_ = "no new revision behind " + said;
    else if (host.level.revision() != revision && host.saved == before) difference_ = "a revision without a change behind " + said;
    else if (const char* why = why_not_on_another_disk(on_another_disk, host, effect, twin)) difference_ = why + (" behind " + said);
  }

  // Its disk was lost together with the gateway before it.
  const char* why_not_on_another_disk(ProcessLevel& level, Host& host, const Effect& effect, const ProcessLevel& twin) {
    std::vector<Told> told;
    level.digest(host.out, effect, told);
    std::vector<std::byte> disk, saved, twins_saved;
    stored::encode(level.voter(), host.id, disk);
    level.save(saved);
    twin.save(twins_saved);
    Voter again{level.voter().quorum, 0, {}};
    const bool votes = level.voter().quorum.rule != Quorum::Rule::off;
    if (votes && !(stored::decode(disk, host.id, again) && again == level.voter())) return "a successor on another disk writes what its next life refuses";
    return saved == twins_saved ? nullptr : "a successor on another disk comes to something else";
  }

  static std::string words(const Told& told, const ProcessLevel& level) {
    std::string line;
    if (told.kind == Told::Kind::message) return {reinterpret_cast<const char*>(told.payload.data()), told.payload.size()};
    if (told.kind == Told::Kind::carried) return "C " + name(told.process.node) + " " + std::string(reinterpret_cast<const char*>(told.payload.data()), told.payload.size());
    if (told.kind == Told::Kind::gone) return "-" + name(told.process.node);
    if (told.kind == Told::Kind::group) {
      line = std::string("G ") + static_cast<char>(told.group[0]);
      for (const Process& process : told.joined) line += " " + name(process.node);
      return line;
    }
    if (told.kind == Told::Kind::record) {
      const PrimaryRecord& record = level.voter().record;
      line = "V " + std::to_string(record.formed.epoch);
      for (const Attempt& tried : record.attempts) line += " " + std::to_string(tried.epoch);
      return line;
    }
    line = told.kind == Told::Kind::regular ? "R" : "T";
    for (const Process& process : told.configuration.members) line += " " + name(process.node);
    if (told.configuration.is_primary()) line += " @" + std::to_string(told.configuration.epoch);
    return line;
  }

  bool step(Instant end) {
    Host* due = nullptr;
    Instant next = under_way_.empty() ? kNever : under_way_.begin()->first;
    for (auto& host : hosts_) {
      if (host->dead || host->protocol.next_deadline() >= next) continue;
      next = host->protocol.next_deadline();
      due = host.get();
    }
    if (next > end) {
      now_ = end;
      return false;
    }
    now_ = std::max(now_, next);
    if (due != nullptr) {
      due->protocol.on_deadline(now_, due->out);
      carry_out(*due);
      return true;
    }
    const Packet packet = std::move(under_way_.begin()->second);
    under_way_.erase(under_way_.begin());
    Host& host = at(packet.to);
    if (host.dead) return true;
    host.protocol.on_packet(now_, packet.bytes, host.out);
    carry_out(host);
    return true;
  }

  std::string difference_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::multimap<Instant, Packet> under_way_;
  Instant now_{kMillisecond};
  uint64_t packets_ = 0, incarnation_ = 0, number_ = 0;
};

}  // namespace evs::ordering
