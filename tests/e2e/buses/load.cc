// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/load.cc - evs-test-load: an application that sends as fast as it can, or at a pace, and counts what it is told. Driven by lines:
//
//   go MS          counts for so long, then answers "delivered=N bytes=N configurations=N cpu_ms=N"
//   pace MS GAP_US  sends one message, waits for it and for GAP_US, for so long; answers "p50_us=N p99_us=N count=N"
//   members        answers the number of members of its configuration
//
// evs-test-load BYTES GUARANTEE SENDS(0|1) key=value ...
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "evs/evs.h"

namespace {

constexpr evs_group kGroup = {"load"};
constexpr uint64_t kSecond = 1'000'000'000;

uint64_t now_ns() {
  timespec at{};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return static_cast<uint64_t>(at.tv_sec) * kSecond + static_cast<uint64_t>(at.tv_nsec);
}

double cpu_ms() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) { return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3; };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

std::atomic<uint64_t> g_delivered{0}, g_bytes{0}, g_configurations{0}, g_members{0}, g_own{0};
std::atomic<bool> g_joined{false};
uint32_t g_node = 0;

evs_handle_t open_bus(const std::vector<evs_parameter_t>& parameters) {
  evs_callbacks_ex_t callbacks{};
  callbacks.struct_size = sizeof callbacks;
  callbacks.deliver = [](evs_handle_t, void*, const evs_message_t* message) {
    g_delivered.fetch_add(1, std::memory_order_relaxed);
    g_bytes.fetch_add(message->size, std::memory_order_relaxed);
    if (message->nodeid == g_node) g_own.fetch_add(1, std::memory_order_release);
  };
  callbacks.configure = [](evs_handle_t, void*, const evs_configuration_t* conf) {
    if (conf->kind != EVS_CONFIGURATION_REGULAR) return;
    g_configurations.fetch_add(1);
    g_members.store(conf->member_entries);
  };
  callbacks.group_changed = [](evs_handle_t, void*, const evs_group_change_t* change) {
    if (change->nodeid == g_node) g_joined.store(true);
  };
  char error[1024] = "";
  evs_options_t options{};
  options.struct_size = sizeof options;
  options.parameters = parameters.data();
  options.parameter_entries = parameters.size();
  options.callbacks_ex = &callbacks;
  options.error = error;
  options.error_size = sizeof error;
  evs_handle_t handle = 0;
  if (const cs_error_t answer = evs_initialize_ex(&handle, &options); answer != CS_OK) {
    fprintf(stderr, "load: %s: %s\n", cs_strerror(answer), error);
    _exit(2);
  }
  evs_status_t status{};
  status.struct_size = sizeof status;
  evs_status(handle, &status);
  g_node = status.nodeid;
  while (evs_join(handle, &kGroup, 1) == CS_ERR_TRY_AGAIN) poll(nullptr, 0, 1);
  return handle;
}

bool send(evs_handle_t handle, evs_guarantee_t guarantee, std::vector<char>& message) {
  const iovec iov{message.data(), message.size()};
  return evs_mcast_wait(handle, guarantee, &kGroup, 1, &iov, 1, 100'000'000) == CS_OK;
}

void pace(evs_handle_t handle, evs_guarantee_t guarantee, std::vector<char>& message, uint64_t ms, uint64_t gap_us) {
  std::vector<double> us;
  const uint64_t end = now_ns() + ms * 1'000'000;
  while (now_ns() < end) {
    const uint64_t before = g_own.load(), begin = now_ns();
    if (!send(handle, guarantee, message)) continue;
    while (g_own.load(std::memory_order_acquire) == before) {}
    us.push_back(static_cast<double>(now_ns() - begin) / 1e3);
    const timespec gap{static_cast<time_t>(gap_us / 1'000'000), static_cast<long>(gap_us % 1'000'000 * 1000)};
    if (gap_us != 0) nanosleep(&gap, nullptr);
  }
  std::sort(us.begin(), us.end());
  const auto at = [&](double part) { return us.empty() ? 0 : us[static_cast<size_t>(part * static_cast<double>(us.size() - 1))]; };
  printf("p50_us=%.1f p99_us=%.1f count=%zu\n", at(0.5), at(0.99), us.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  std::vector<char> message(strtoull(argv[1], nullptr, 10), 'x');
  const auto guarantee = static_cast<evs_guarantee_t>(atoi(argv[2]));
  const bool sends = atoi(argv[3]) != 0;
  std::vector<std::pair<std::string, std::string>> values;
  for (int i = 4; i < argc; ++i) values.emplace_back(std::string(argv[i], strcspn(argv[i], "=")), strchr(argv[i], '=') + 1);
  std::vector<evs_parameter_t> parameters;
  for (const auto& [key, value] : values) parameters.push_back({key.c_str(), value.c_str()});
  const evs_handle_t handle = open_bus(parameters);
  std::atomic<bool> sending{false}, over{false};
  std::thread reader([&] {
    while (!over) evs_dispatch(handle, CS_DISPATCH_ONE);
  });
  std::thread sender([&] {
    while (!over) {
      if (!sends || !sending) poll(nullptr, 0, 1);
      else send(handle, guarantee, message);
    }
  });
  char line[128];
  while (fgets(line, sizeof line, stdin) != nullptr) {
    unsigned long long ms = 0, gap = 0;
    if (sscanf(line, "go %llu", &ms) == 1) {
      sending = true;
      poll(nullptr, 0, 300);  // the queues fill
      const uint64_t delivered = g_delivered, bytes = g_bytes, configurations = g_configurations, begin = now_ns();
      const double cpu = cpu_ms();
      poll(nullptr, 0, static_cast<int>(ms));
      const double seconds = static_cast<double>(now_ns() - begin) / 1e9;
      printf("rate=%.0f mb=%.1f configurations=%llu cores=%.2f\n", static_cast<double>(g_delivered - delivered) / seconds,
             static_cast<double>(g_bytes - bytes) / seconds / 1e6, static_cast<unsigned long long>(g_configurations - configurations), (cpu_ms() - cpu) / seconds / 1e3);
      sending = false;
    } else if (sscanf(line, "pace %llu %llu", &ms, &gap) == 2) {
      pace(handle, guarantee, message, ms, gap);
    } else if (strcmp(line, "members\n") == 0) {
      printf("%llu\n", g_joined ? static_cast<unsigned long long>(g_members) : 0ull);
    }
    fflush(stdout);
  }
  _exit(0);
}
