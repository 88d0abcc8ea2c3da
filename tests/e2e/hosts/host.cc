// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/hosts/host.cc - evs-test-host: one real host on the ring, over the udp plugin, with a trace of what it saw. Driven by lines on its standard input:
//
//   load N      submits N messages a second, of all services and many sizes, from here on
//   say N       submits N messages now
//   status      answers on standard output: "PHASE members=1,2 sent=N unstamped=N delivered=N refused=N"
//   end         writes the trace's end and exits
//   leave       leaves the ring, as a host that stops does
//
// evs-test-host PLUGIN DIRECTORY HOST LIFE KEYFILE|none [parameter=value ...]     its parameters are the plugin's
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>

#include "bus/runtime/plugin_instance.h"
#include "bus/runtime/sealing/key_file.h"
#include "tests/e2e/hosts/witness.h"
#include "tests/support/dice.h"

namespace evs::test {
namespace {

using namespace ordering;
namespace sealing = runtime::sealing;

constexpr uint64_t kSecond = 1'000'000'000;

uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<uint64_t>(at.tv_sec) * kSecond + static_cast<uint64_t>(at.tv_nsec);
}

// What the plugin is handed.
struct PluginsHost {
  PluginsHost() {
    table.struct_size = sizeof table;
    table.abi_minor = EVS_PLUGIN_ABI_MINOR;
    table.context = this;
    table.bus = "test";
    table.log = [](void*, int32_t level, const char*, const char* text, size_t length) {
      if (level >= EVS_HOST_LOG_WARNING) fprintf(stderr, "%.*s\n", static_cast<int>(length), text);
    };
    table.counter = [](void* self, const char*, const char*) { return &static_cast<PluginsHost*>(self)->counters.emplace_back(0); };
    table.wake = [](void* self) {
      const uint64_t one = 1;
      if (write(static_cast<PluginsHost*>(self)->wake_fd, &one, sizeof one) < 0) return;  // it is awake already
    };
    table.get_extension = [](void*, const char*) -> const void* { return nullptr; };
  }
  evs_host table{};
  int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::deque<uint64_t> counters;
};

[[noreturn]] void give_up(const std::string& why) {
  fprintf(stderr, "evs-test-host: %s\n", why.c_str());
  exit(2);
}

template <class Result>
auto or_die(Result result) {
  if (!result) give_up(result.failure().text);
  return std::move(*result);
}

class TestHost {
 public:
  TestHost(int argc, char** argv)
      : id_(static_cast<HostId>(atoi(argv[3]))), life_(strtoull(argv[4], nullptr, 10)), witness_(argv[2], id_, life_), dice_(id_ * 1000 + life_),
        transport_(open(argv[1], argc, argv)), service_(transport_.service()), sealing_(seal(argv[5])),
        medium_{&transport_.datagram(), transport_.self(), transport_.extension<evs_peers_extension>(EVS_EXTENSION_PEERS)},
        link_(settings(), *sealing_, medium_, witness_) {}

  int run() {
    link_.start(now());
    std::string input;
    while (!over_) {
      const bool more = link_.turn(now());
      load();
      if (!wait(more)) continue;
      char buffer[256];
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      if (got <= 0) return 1;  // whoever started us is gone
      input.append(buffer, static_cast<size_t>(got));
      for (size_t end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
        obey(input.substr(0, end));
        input.erase(0, end + 1);
      }
    }
    return 0;
  }

 private:
  static Instant now() { return Instant{now_ns()}; }

  runtime::Transport open(const std::string& plugin, int argc, char** argv) {
    for (int i = 6; i < argc; ++i) {
      const std::string one = argv[i];
      values_.emplace_back(one.substr(0, one.find('=')), one.substr(one.find('=') + 1));
    }
    std::vector<evs_plugin_parameter> parameters;
    for (const auto& [key, value] : values_) parameters.push_back({key.c_str(), value.c_str()});
    const auto log = [](int32_t, std::string_view) {};
    runtime::Transport transport = or_die(runtime::Transport::create(or_die(runtime::PluginHost::load_transport(plugin, {}, log)), plugins_host_.table, parameters));
    if (const auto failure = transport.service().begin()) give_up(failure->text);
    if (const auto failure = transport.start(kSecond)) give_up(failure->text);
    return transport;
  }

  std::unique_ptr<sealing::Sealing> seal(const std::string& key_file) {
    sealing::Settings settings;
    uint64_t drawn = 0;
    if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn) give_up("no random number");
    nonce_ = drawn / Witness::kLives * Witness::kLives + life_;
    settings.host = id_;
    settings.life = sealing::next_life(now_ns(CLOCK_REALTIME), 0, nonce_);
    if (key_file != "none") settings.keys = or_die(sealing::read_key_file(key_file));
    settings.key_file = key_file;
    return or_die(sealing::Sealing::begin(settings));
  }

  Settings settings() const {
    Settings settings;
    settings.self = {id_, nonce_};
    settings.ring_sequence = witness_.stored_sequence();
    settings.frame_bytes = runtime::uplink::Link::frame_bytes_for(medium_, *sealing_);
    if (const std::string why = check(settings); !why.empty()) give_up(why);
    return settings;
  }

  bool submit() {
    const auto service = static_cast<Service>(dice_.below(4));
    std::vector<std::byte> message(dice_.one_in(50) ? 8 + dice_.below(40000) : 8 + dice_.below(300));
    for (std::byte& b : message) b = static_cast<std::byte>(dice_.next());
    uint64_t number = 0;
    // Its stamp may come within the call: written down before.
    const uint64_t coming = next_number_;
    witness_.submitted(coming, message);
    if (link_.submit(now(), service, message, number) != Submitted::ok) {
      witness_.withdraw(coming);
      return false;
    }
    if (number != coming) give_up("messages are numbered from 1 on, one by one");
    ++next_number_;
    return true;
  }

  void load() {
    while (rate_ != 0 && now_ns() >= next_submit_) {
      submit();
      next_submit_ += kSecond / rate_;
    }
  }

  // True: there is something to read.
  bool wait(bool more) {
    const uint64_t begin = now_ns();
    uint64_t due = std::min(link_.next(Instant{begin}).ns, service_.work(begin));
    if (rate_ != 0) due = std::min(due, next_submit_);
    const uint64_t patience = more || due <= begin ? 0 : due - begin;
    pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {link_.fd(), POLLIN, 0}, {plugins_host_.wake_fd, POLLIN, 0}, {service_.fd(), POLLIN, 0}};
    const timespec time{static_cast<time_t>(patience / kSecond), static_cast<long>(patience % kSecond)};
    ppoll(fds, std::size(fds), due == UINT64_MAX && !more ? nullptr : &time, nullptr);
    uint64_t rung = 0;
    if ((fds[2].revents & POLLIN) != 0 && read(plugins_host_.wake_fd, &rung, sizeof rung) < 0) return false;
    return fds[0].revents != 0;
  }

  void obey(const std::string& line) {
    const uint64_t n = line.find(' ') == std::string::npos ? 0 : strtoull(line.c_str() + line.find(' '), nullptr, 10);
    if (line.rfind("load ", 0) == 0) {
      rate_ = n;
      next_submit_ = now_ns();
    } else if (line.rfind("say ", 0) == 0) {
      for (uint64_t i = 0; i < n; ++i) submit();
    } else if (line == "status") {
      status();
    } else if (line == "end") {
      witness_.end();
      over_ = true;
    } else if (line == "leave") {
      link_.leave(now());
      witness_.fail();
      over_ = true;
    } else {
      give_up("what is '" + line + "'?");
    }
  }

  void status() const {
    std::string members;
    for (const Host& host : link_.protocol().members()) members += (members.empty() ? "" : ",") + std::to_string(host.id);
    const RingId ring = link_.protocol().ring();
    uint64_t refused = 0;
    for (size_t i = 1; i < sealing::kRefusals; ++i)
      if (static_cast<sealing::Refusal>(i) != sealing::Refusal::echo) refused += sealing_->counts().refused[i];
    printf("%s members=%s ring=%llu.%u.%llu sent=%llu unstamped=%llu delivered=%llu refused=%llu\n", link_.protocol().phase_name(), members.c_str(),
           static_cast<unsigned long long>(ring.sequence), ring.representative, static_cast<unsigned long long>(ring.nonce),
           static_cast<unsigned long long>(next_number_ - 1), static_cast<unsigned long long>(witness_.unstamped()),
           static_cast<unsigned long long>(witness_.delivered()), static_cast<unsigned long long>(refused));
    fflush(stdout);
  }

  const HostId id_;
  const uint64_t life_;
  uint64_t nonce_ = 0;
  Witness witness_;
  Dice dice_;
  PluginsHost plugins_host_;
  std::deque<std::pair<std::string, std::string>> values_;
  runtime::Transport transport_;
  runtime::ServiceCalls service_;
  std::unique_ptr<sealing::Sealing> sealing_;
  runtime::uplink::Medium medium_;
  runtime::uplink::Link link_;
  uint64_t next_number_ = 1, rate_ = 0, next_submit_ = 0;
  bool over_ = false;
};

}  // namespace
}  // namespace evs::test

int main(int argc, char** argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: evs-test-host PLUGIN DIRECTORY HOST LIFE KEYFILE|none [parameter=value ...]\n");
    return 2;
  }
  return evs::test::TestHost(argc, argv).run();
}
