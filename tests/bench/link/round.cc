// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/link/round.cc - see round.h.
#include "tests/bench/link/round.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "tests/support/real_host.h"

namespace evs::bench {

using namespace ordering;
using test::RealHost;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint32_t kAtOnce = 256;  // messages between two looks at the network
constexpr size_t kSamples = 1 << 16;
constexpr uint64_t kPatience = 20 * kSecond;

struct alignas(128) Seat {
  std::atomic<uint32_t> ready;
  std::atomic<uint64_t> messages, bytes;
  std::atomic<uint32_t> samples;
};

}  // namespace

struct Board {
  std::atomic<uint32_t> go, stop;
  Seat seats[kLinkHosts];
  uint64_t latency_ns[kSamples];
};

namespace {

class Counter : public runtime::uplink::Sink {
 public:
  Counter(Board& board, size_t host, bool timed) : board_(board), seat_(board.seats[host]), timed_(timed) {}
  uint64_t room() override { return UINT64_MAX; }
  void carry_out(const Output& out, const Effect& effect, const Protocol&) override {
    if (effect.kind != Effect::Kind::deliver) return;
    const Delivery& delivery = out.deliveries[effect.begin];
    seat_.messages.store(seat_.messages.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    seat_.bytes.store(seat_.bytes.load(std::memory_order_relaxed) + delivery.bytes.size(), std::memory_order_relaxed);
    if (!timed_ || board_.go.load(std::memory_order_relaxed) == 0) return;
    uint64_t sent = 0;
    std::memcpy(&sent, delivery.bytes.data(), sizeof sent);
    const uint32_t n = seat_.samples.load(std::memory_order_relaxed);
    if (n == kSamples) return;
    board_.latency_ns[n] = test::monotonic_ns() - sent;
    seat_.samples.store(n + 1, std::memory_order_release);
  }

 private:
  Board& board_;
  Seat& seat_;
  const bool timed_;
};

class BenchHost {
 public:
  BenchHost(Board& board, size_t index, const LinkSetting& setting, const Load& load)
      : board_(board), load_(load), index_(index), counter_(board, index, load.gap_ns != 0 && index == kLinkHosts - 1), host_(wishes(setting, index), counter_),
        message_(std::max(load.bytes, sizeof(uint64_t))) {}

  void run() {
    runtime::uplink::Link& link = host_.link();
    link.start(RealHost::now());
    while (board_.stop.load(std::memory_order_relaxed) == 0) {
      bool more = link.turn(RealHost::now());
      board_.seats[index_].ready.store(link.protocol().is_operational() && link.protocol().members().size() == kLinkHosts, std::memory_order_relaxed);
      const bool sends = index_ < load_.senders && board_.go.load(std::memory_order_relaxed) != 0;
      if (sends && load_.gap_ns == 0) more |= send_what_is_taken();
      if (sends && load_.gap_ns != 0 && test::monotonic_ns() >= next_) send_one();
      // Looks at the board now and then.
      const uint64_t look = test::monotonic_ns() + kSecond / 100;
      host_.wait(more, -1, sends && load_.gap_ns != 0 ? std::min(look, next_) : look);
    }
  }

 private:
  static RealHost::Wishes wishes(const LinkSetting& setting, size_t index) {
    RealHost::Wishes wishes;
    wishes.plugin = setting.plugin;
    wishes.key_file = setting.key_file;
    wishes.parameters = setting.parameters;
    wishes.id = static_cast<HostId>(index + 1);
    if (getrandom(&wishes.nonce, sizeof wishes.nonce, 0) != sizeof wishes.nonce) test::give_up("no random number");
    return wishes;
  }

  bool submit() {
    uint64_t number = 0;
    return host_.link().submit(RealHost::now(), load_.service, message_, number) == Submitted::ok;
  }
  bool send_what_is_taken() {
    for (uint32_t i = 0; i < kAtOnce; ++i)
      if (!submit()) return false;  // the token makes room
    return true;
  }
  void send_one() {
    const uint64_t now = test::monotonic_ns();
    std::memcpy(message_.data(), &now, sizeof now);
    submit();
    next_ = now + load_.gap_ns;
  }

  Board& board_;
  const Load load_;
  const size_t index_;
  Counter counter_;
  RealHost host_;
  std::vector<std::byte> message_;
  uint64_t next_ = 0;
};

// The children die with us.
class Crew {
 public:
  Crew(const test::Wire& wire, Board& board, const LinkSetting& setting, const Load& load) : board_(board) {
    const pid_t self = getpid();
    for (size_t i = 0; i < kLinkHosts; ++i) {
      const pid_t child = fork();
      if (child < 0) throw std::runtime_error("no process for a host");
      if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == self) wire.inside(i, [&] { BenchHost(board, i, setting, load).run(); });
        _exit(0);
      }
      children_.push_back(child);
    }
  }
  ~Crew() {
    board_.stop.store(1);
    for (const pid_t child : children_) {
      int status = 0;
      waitpid(child, &status, 0);
      if (status != 0) fprintf(stderr, "a host ended with status %d\n", status);
    }
  }
  double cpu_seconds() const {
    double all = 0;
    for (const pid_t child : children_) {
      clockid_t clock;
      timespec at{};
      if (clock_getcpuclockid(child, &clock) == 0 && clock_gettime(clock, &at) == 0) all += static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) / 1e9;
    }
    return all;
  }

 private:
  Board& board_;
  std::vector<pid_t> children_;
};

void pause_ms(int milliseconds) {
  const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
  nanosleep(&time, nullptr);
}

}  // namespace

LinkResult run_link(const test::Wire& wire, const LinkSetting& setting, const Load& load, int milliseconds) {
  void* const memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory for the board");
  Board& board = *static_cast<Board*>(memory);
  LinkResult result;
  {
    Crew crew(wire, board, setting, load);
    const uint64_t deadline = test::monotonic_ns() + kPatience;
    const auto all_ready = [&] { return std::all_of(std::begin(board.seats), std::end(board.seats), [](const Seat& seat) { return seat.ready.load() != 0; }); };
    while (!all_ready()) {
      if (test::monotonic_ns() > deadline) throw std::runtime_error("the hosts form no ring");
      pause_ms(2);
    }
    board.go.store(1);
    pause_ms(milliseconds / 5);  // until it runs evenly
    uint64_t messages[kLinkHosts], bytes[kLinkHosts];
    for (size_t i = 0; i < kLinkHosts; ++i) messages[i] = board.seats[i].messages.load(), bytes[i] = board.seats[i].bytes.load();
    const double cpu = crew.cpu_seconds();
    const uint64_t begin = test::monotonic_ns();
    pause_ms(milliseconds);
    const double seconds = static_cast<double>(test::monotonic_ns() - begin) / 1e9;
    result.cpu = (crew.cpu_seconds() - cpu) / seconds;
    result.messages = result.bytes = 1e18;
    for (size_t i = 0; i < kLinkHosts; ++i) {
      result.messages = std::min(result.messages, static_cast<double>(board.seats[i].messages.load() - messages[i]) / seconds);
      result.bytes = std::min(result.bytes, static_cast<double>(board.seats[i].bytes.load() - bytes[i]) / seconds);
    }
  }
  result.latency_ns.assign(board.latency_ns, board.latency_ns + board.seats[kLinkHosts - 1].samples.load());
  std::sort(result.latency_ns.begin(), result.latency_ns.end());
  munmap(memory, sizeof(Board));
  return result;
}

}  // namespace evs::bench
