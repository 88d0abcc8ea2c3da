// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/hosts/host.cc - evs-test-host: one real host on the ring, over the udp plugin, with a trace of what it saw. Driven by lines on its standard input:
//
//   load N      submits N messages a second, of all services and many sizes, from here on
//   say N       submits N messages now
//   status      answers on standard output: "PHASE members=1,2 sent=N unstamped=N delivered=N refused=N"
//   end         writes the trace's end and exits
//   leave       leaves the ring, as a host that stops does
//   key FILE    has FILE in place of its key file, and reads it
//
// What it has for people (bus/runtime/uplink/episodes.h) it says on standard error, a line each: "warning uplink.member: host 3 (10.86.0.3:5410) is lost: ...".
//
// evs-test-host PLUGIN DIRECTORY HOST LIFE KEYFILE|none [parameter=value ...]     its parameters are the plugin's
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "bus/runtime/uplink/episodes.h"
#include "tests/e2e/hosts/witness.h"
#include "tests/support/dice.h"
#include "tests/support/real_host.h"

namespace evs::test {
namespace {

using namespace ordering;
namespace sealing = runtime::sealing;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kLook = kSecond / 10;
constexpr Duration kHello = kSecond / 4;  // faster than hosts do it, so that a test need not wait

// It says which life this is, so that a trace can name the sender of a message.
uint64_t drawn_nonce(uint64_t life) {
  uint64_t drawn = 0;
  if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn) give_up("no random number");
  return drawn / Witness::kLives * Witness::kLives + life;
}

class TestHost {
 public:
  TestHost(int argc, char** argv)
      : witness_(argv[2], static_cast<HostId>(atoi(argv[3])), strtoull(argv[4], nullptr, 10)), dice_(strtoull(argv[3], nullptr, 10) * 1000 + strtoull(argv[4], nullptr, 10)),
        host_(wishes(argc, argv), witness_), link_(host_.link()), key_file_(argv[5]) {}

  int run() {
    link_.start(now());
    std::string input;
    while (!over_) {
      const bool more = link_.turn(now());
      load();
      look();
      if (!host_.wait(more, STDIN_FILENO, rate_ != 0 ? std::min(next_submit_, next_look_) : next_look_)) continue;
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
  static Instant now() { return RealHost::now(); }

  RealHost::Wishes wishes(int argc, char** argv) const {
    RealHost::Wishes wishes;
    wishes.plugin = argv[1];
    wishes.id = static_cast<HostId>(atoi(argv[3]));
    wishes.nonce = drawn_nonce(strtoull(argv[4], nullptr, 10));
    wishes.key_file = argv[5];
    wishes.parameters.assign(argv + 6, argv + argc);
    wishes.hello_period = kHello;
    wishes.adjust = [this](Settings& settings) { settings.ring_sequence = witness_.stored_sequence(); };
    return wishes;
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
    while (rate_ != 0 && monotonic_ns() >= next_submit_) {
      submit();
      next_submit_ += kSecond / rate_;
    }
  }

  void look() {
    if (monotonic_ns() < next_look_) return;
    next_look_ = monotonic_ns() + kLook;
    constexpr const char* kLevels[] = {"trace", "debug", "info", "warning", "error", "off"};
    for (const runtime::uplink::Line& line : episodes_.note(now(), link_.look(now())))
      fprintf(stderr, "%s %s: %s\n", kLevels[static_cast<size_t>(line.level)], line.kind, line.text.c_str());
  }

  void obey(const std::string& line) {
    const uint64_t n = line.find(' ') == std::string::npos ? 0 : strtoull(line.c_str() + line.find(' '), nullptr, 10);
    if (line.rfind("load ", 0) == 0) {
      rate_ = n;
      next_submit_ = monotonic_ns();
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
    } else if (line.rfind("key ", 0) == 0) {
      if (rename(line.c_str() + 4, key_file_.c_str()) != 0) give_up("there is no " + line.substr(4));
      (void)link_.reload_key();  // it is said what came of it
    } else {
      give_up("what is '" + line + "'?");
    }
  }

  void status() {
    std::string members;
    for (const Host& host : link_.protocol().members()) members += (members.empty() ? "" : ",") + std::to_string(host.id);
    const RingId ring = link_.protocol().ring();
    uint64_t refused = 0;
    for (size_t i = 1; i < sealing::kRefusals; ++i)
      if (static_cast<sealing::Refusal>(i) != sealing::Refusal::echo) refused += host_.sealing().counts().refused[i];
    printf("%s members=%s ring=%llu.%u.%llu sent=%llu unstamped=%llu delivered=%llu refused=%llu\n", link_.protocol().phase_name(), members.c_str(),
           static_cast<unsigned long long>(ring.sequence), ring.representative, static_cast<unsigned long long>(ring.nonce),
           static_cast<unsigned long long>(next_number_ - 1), static_cast<unsigned long long>(witness_.unstamped()),
           static_cast<unsigned long long>(witness_.delivered()), static_cast<unsigned long long>(refused));
    fflush(stdout);
  }

  Witness witness_;
  Dice dice_;
  RealHost host_;
  runtime::uplink::Link& link_;
  const std::string key_file_;
  runtime::uplink::Episodes episodes_;
  uint64_t next_number_ = 1, rate_ = 0, next_submit_ = 0, next_look_ = 0;
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
