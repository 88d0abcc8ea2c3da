// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/growth/growth.cc - evs-ring-growth: what becomes of a ring with 3 to 100 hosts, in virtual time, with what packets cost (docs/performance.md, "Growth").
//
//   evs-ring-growth [--hosts=N] [--frame-ns=N] [--link-mbit=N] [--delay-us=N]
//
// Every host is the core itself, with the settings of an uplink, and has one processor that does one thing at a time: a packet costs it --frame-ns, sent or received;
// then it takes its bytes' time on the host's link, and --delay-us on the way, which stands for the switch and for waking who reads. Nothing is lost. All hosts send as much as the ring takes,
// one message a frame. Printed: the mean rotation of the token, what each host delivers, and how long after the death of one host until the last of the others has the ring
// without it, token timeout included.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "bus/ordering/protocol.h"

namespace {

using namespace evs::ordering;

constexpr Duration kMs = kMillisecond;
constexpr size_t kMessageBytes = 1300;

struct Costs {
  Duration frame_ns = 2400, delay_us = 30;
  uint64_t link_mbit = 10'000;
};

// As the uplink sets them (bus/runtime/uplink/uplink_settings.cc), for frames of 1400 bytes.
Settings settings_of(HostId id) {
  Settings s;
  s.self = {id, id};
  s.frame_bytes = 1400;
  s.personal_frames = 256;
  s.window_frames = 1024;
  s.token_lost = 200 * kMs;
  s.token_resend = 40 * kMs;
  s.token_hold = 40 * kMs;
  s.consensus = 240 * kMs;
  s.join_resend = 24 * kMs;
  return s;
}

class Ring {
 public:
  Ring(uint32_t hosts, const Costs& costs) : costs_(costs), payload_(kMessageBytes) {
    for (HostId id = 1; id <= hosts; ++id) hosts_.push_back(std::make_unique<Host>(settings_of(id)));
  }

  bool form() {
    for (auto& host : hosts_) {
      host->protocol.start(now_, host->out);
      carry_out(*host);
    }
    return run_until([&] { return all_in(hosts_.size()); }, 10'000 * kMs);
  }

  struct Load {
    double rotation_us = 0, delivered_per_s = 0;
  };
  Load load(Duration time) {
    loaded_ = true;
    for (auto& host : hosts_) fill(*host);
    run_until([] { return false; }, time / 2);  // until it is as it stays
    Host& one = *hosts_.front();
    const uint64_t visits = one.visits, delivered = one.delivered;
    run_until([] { return false; }, time);
    const double seconds = static_cast<double>(time) / 1e9;
    const uint64_t rotations = std::max<uint64_t>(1, one.visits - visits);
    return {seconds * 1e6 / static_cast<double>(rotations), static_cast<double>(one.delivered - delivered) / seconds};
  }

  // Milliseconds; negative: never.
  double reform() {
    const Instant died = now_;
    hosts_.back()->dead = true;
    if (!run_until([&] { return all_in(hosts_.size() - 1); }, 10'000 * kMs)) return -1;
    return static_cast<double>(now_ - died) / 1e6;
  }

 private:
  using Packet = std::shared_ptr<const std::vector<std::byte>>;
  struct Host {
    explicit Host(const Settings& settings) : protocol(settings) {}
    Protocol protocol;
    Output out;
    Instant free{}, link_free{}, token{};
    uint64_t visits = 0, delivered = 0, messages = 0;
    std::deque<Packet> inbox;
    size_t installed = 0;  // members of the regular configuration
    bool dead = false;
  };
  struct Event {
    size_t host;
    Packet packet;  // it arrives there; none: the host has come to the first of its inbox
  };

  bool all_in(size_t members) const {
    return std::all_of(hosts_.begin(), hosts_.end(), [&](const auto& host) { return host->dead || host->installed == members; });
  }

  void fill(Host& host) {
    for (uint64_t number = 0; host.protocol.submit(std::max(now_, host.free), Service::agreed, payload_, number, host.out) == Submitted::ok;) ++host.messages;
    carry_out(host);
  }

  void send(Host& from, HostId to, Bytes bytes) {
    const auto packet = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
    from.free = std::max(now_, from.free) + costs_.frame_ns;
    from.link_free = std::max(from.free, from.link_free) + bytes.size() * 8000 / costs_.link_mbit;
    for (size_t i = 0; i < hosts_.size(); ++i)
      if (hosts_[i].get() != &from && (to == kNoHost || to == i + 1)) events_.emplace(from.link_free + costs_.delay_us * 1000, Event{i, packet});
  }

  void carry_out(Host& host) {
    for (const Effect& effect : host.out.effects) {
      if (effect.kind == Effect::Kind::send_to_all) send(host, kNoHost, host.out.packet(effect));
      if (effect.kind == Effect::Kind::send_to) send(host, effect.to, host.out.packet(effect));
      if (effect.kind == Effect::Kind::deliver) ++host.delivered;
      if (effect.kind != Effect::Kind::configuration) continue;
      const Configuration& hosts = host.out.configurations[effect.begin];
      host.installed = hosts.regular ? hosts.members.size() : 0;
    }
    host.out.clear();
    if (host.protocol.token_came_at() == host.token) return;
    host.token = host.protocol.token_came_at();
    ++host.visits;
    if (loaded_) fill(host);
  }

  void arrive(const Event& event) {
    Host& host = *hosts_[event.host];
    if (host.dead) return;
    host.inbox.push_back(event.packet);
    if (host.inbox.size() == 1) events_.emplace(std::max(now_, host.free), Event{event.host, nullptr});
  }

  void take_first(size_t which) {
    Host& host = *hosts_[which];
    if (host.dead) return;
    host.free = std::max(now_, host.free) + costs_.frame_ns;
    host.protocol.on_packet(host.free, *host.inbox.front(), host.out);
    host.inbox.pop_front();
    carry_out(host);
    if (!host.inbox.empty()) events_.emplace(host.free, Event{which, nullptr});
  }

  template <class Done>
  bool run_until(Done&& done, Duration most) {
    const Instant end = now_ + most;
    while (!done()) {
      Host* due = nullptr;
      Instant next = events_.empty() ? kNever : events_.begin()->first;
      for (auto& host : hosts_) {
        const Instant wanted = std::max(host->protocol.next_deadline(), host->free);  // a timer waits like all else
        if (host->dead || wanted >= next) continue;
        next = wanted;
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
        continue;
      }
      const Event event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      if (event.packet) arrive(event);
      else take_first(event.host);
    }
    return true;
  }

  const Costs costs_;
  const std::vector<std::byte> payload_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::multimap<Instant, Event> events_;  // of one instant in the order in which they were sent
  Instant now_ = Instant{} + 1000 * kMs;
  bool loaded_ = false;
};

bool number(const char* argument, const char* name, uint64_t& out) {
  const size_t length = std::strlen(name);
  if (std::strncmp(argument, name, length) != 0) return false;
  char* end = nullptr;
  out = std::strtoull(argument + length, &end, 10);
  return end != argument + length && *end == 0;
}

bool measure(uint32_t hosts, const Costs& costs) {
  Ring ring(hosts, costs);
  if (!ring.form()) {
    printf("%u hosts formed no ring\n", hosts);
    return false;
  }
  const Ring::Load load = ring.load((hosts > 30 ? 100 : 300) * kMs);
  const double reform = ring.reform();
  printf("%5u   %11.0f   %14.0f   %14.0f   %9.0f\n", hosts, load.rotation_us, load.delivered_per_s, load.delivered_per_s * kMessageBytes / 1e6, reform);
  fflush(stdout);
  return reform >= 0 && load.delivered_per_s > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Costs costs;
  uint64_t hosts = 0;
  for (int i = 1; i < argc; ++i) {
    const char* a = argv[i];
    if (number(a, "--hosts=", hosts) || number(a, "--frame-ns=", costs.frame_ns) || number(a, "--link-mbit=", costs.link_mbit) || number(a, "--delay-us=", costs.delay_us)) continue;
    fprintf(stderr, "usage: evs-ring-growth [--hosts=N] [--frame-ns=N] [--link-mbit=N] [--delay-us=N]\n");
    return 2;
  }
  if (costs.link_mbit == 0 || hosts == 1 || hosts > kMaxHosts) {
    fprintf(stderr, "evs-ring-growth: 2 to %zu hosts, and a link that carries something\n", static_cast<size_t>(kMaxHosts));
    return 2;
  }
  printf("a packet %llu ns, a link %llu Mbit/s, a way %llu us\n", static_cast<unsigned long long>(costs.frame_ns), static_cast<unsigned long long>(costs.link_mbit),
         static_cast<unsigned long long>(costs.delay_us));
  printf("hosts   rotation us   messages/s each   MB/s at a host   reform ms\n");
  bool all = true;
  std::vector<uint32_t> sizes = {3, 5, 10, 20, 30, 50, 70, 100};
  if (hosts != 0) sizes = {static_cast<uint32_t>(hosts)};
  for (const uint32_t size : sizes) all &= measure(size, costs);
  return all ? 0 : 1;
}
