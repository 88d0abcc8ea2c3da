// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/load_driver.cc - see load_driver.h.
#include "tests/e2e/buses/load_driver.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <thread>

namespace evs::test {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr size_t kSamples = 1 << 18;
constexpr uint64_t kUnstamped = 0x7878787878787878;  // what the messages are filled with: no time of this machine

uint64_t now_ns() {
  timespec at{};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return static_cast<uint64_t>(at.tv_sec) * kSecond + static_cast<uint64_t>(at.tv_nsec);
}

void sleep_us(uint64_t us) {
  const timespec gap{static_cast<time_t>(us / 1'000'000), static_cast<long>(us % 1'000'000 * 1000)};
  if (us != 0) nanosleep(&gap, nullptr);
}

}  // namespace

double own_cpu_ms() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) { return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3; };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

LoadDriver::LoadDriver(size_t bytes, bool sends) : message_(std::max(bytes, sizeof(uint64_t)), 'x'), sends_(sends), samples_ns_(kSamples) {}

void LoadDriver::delivered(const void* bytes, size_t size, bool own) {
  delivered_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(size, std::memory_order_relaxed);
  uint64_t stamp = kUnstamped;
  if (size >= sizeof stamp) std::memcpy(&stamp, bytes, sizeof stamp);
  if (stamp == kUnstamped) return;
  const size_t n = samples_.load(std::memory_order_relaxed);
  if (n < kSamples) {
    samples_ns_[n] = now_ns() - stamp;
    samples_.store(n + 1, std::memory_order_release);
  }
  if (!own) {
    if (const int to = reports_.load(std::memory_order_acquire); to >= 0 && write(to, "", 1) != 1) reports_ = -1;
    return;
  }
  own_.fetch_add(1, std::memory_order_release);
  own_.notify_one();
}

void LoadDriver::configured(size_t members) {
  configurations_.fetch_add(1);
  members_.store(members);
}

void LoadDriver::saturate(const Send& send) {
  while (!over_) {
    if (sends_ && sending_) send(message_);
    else poll(nullptr, 0, 1);
  }
}

void LoadDriver::go(uint64_t ms, const Cores& cpu_ms) {
  sending_ = true;
  poll(nullptr, 0, 300);  // the queues fill
  const uint64_t delivered = delivered_, bytes = bytes_, configurations = configurations_, begin = now_ns();
  const double cpu = cpu_ms();
  poll(nullptr, 0, static_cast<int>(ms));
  const double seconds = static_cast<double>(now_ns() - begin) / 1e9;
  printf("rate=%.0f mb=%.1f configurations=%llu cores=%.2f\n", static_cast<double>(delivered_ - delivered) / seconds, static_cast<double>(bytes_ - bytes) / seconds / 1e6,
         static_cast<unsigned long long>(configurations_ - configurations), (cpu_ms() - cpu) / seconds / 1e3);
  sending_ = false;
}

void LoadDriver::pace(const Send& send, uint64_t ms, uint64_t gap_us) {
  std::vector<char> message = message_;
  samples_ = 0;
  const uint64_t end = now_ns() + ms * 1'000'000;
  while (now_ns() < end) {
    const uint32_t before = own_.load();
    const uint64_t stamp = now_ns();
    std::memcpy(message.data(), &stamp, sizeof stamp);
    if (!send(message)) continue;
    own_.wait(before, std::memory_order_acquire);
    if (!await_reports()) break;
    sleep_us(gap_us);
  }
  tell_latencies();
}

bool LoadDriver::open_reports(const char* path, unsigned awaited) {
  awaited_ = awaited;
  reports_ = open(path, O_RDWR | O_CLOEXEC);  // for both, so that nobody waits for the other end
  return reports_ >= 0;
}

bool LoadDriver::await_reports() const {
  char bytes[16];
  for (unsigned got = 0; got < awaited_;) {
    pollfd ready{reports_, POLLIN, 0};
    if (poll(&ready, 1, 1000) != 1) return false;
    const ssize_t n = read(reports_, bytes, std::min<size_t>(sizeof bytes, awaited_ - got));
    if (n <= 0) return false;
    got += static_cast<unsigned>(n);
  }
  return true;
}

void LoadDriver::tell_latencies() {
  std::vector<uint64_t> ns(samples_ns_.begin(), samples_ns_.begin() + static_cast<ptrdiff_t>(samples_.load(std::memory_order_acquire)));
  samples_ = 0;
  std::sort(ns.begin(), ns.end());
  const auto us = [&](double part) { return ns.empty() ? 0 : static_cast<double>(ns[static_cast<size_t>(part * static_cast<double>(ns.size() - 1))]) / 1e3; };
  printf("p50_us=%.1f p99_us=%.1f count=%zu\n", us(0.5), us(0.99), ns.size());
}

void LoadDriver::obey(const Send& send, const Cores& cpu_ms) {
  std::thread sender([&] { saturate(send); });
  char line[128];
  while (fgets(line, sizeof line, stdin) != nullptr && strcmp(line, "end\n") != 0) {
    unsigned long long ms = 0, gap = 0;
    char path[100] = "";
    unsigned awaited = 0;
    if (sscanf(line, "go %llu", &ms) == 1) go(ms, cpu_ms);
    else if (sscanf(line, "pace %llu %llu", &ms, &gap) == 2) pace(send, ms, gap);
    else if (sscanf(line, "report %99s", path) == 1) puts(open_reports(path, 0) ? "ok" : "no FIFO");
    else if (sscanf(line, "await %99s %u", path, &awaited) == 2) puts(open_reports(path, awaited) ? "ok" : "no FIFO");
    else if (strcmp(line, "heard\n") == 0) tell_latencies();
    else if (strcmp(line, "members\n") == 0) printf("%llu\n", static_cast<unsigned long long>(members_.load()));
    fflush(stdout);
  }
  over_ = true;
  sender.join();
}

}  // namespace evs::test
