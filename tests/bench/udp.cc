// SPDX-License-Identifier: BSD-3-Clause
// udp.cc - the udp transport between two hosts, against bare sockets that do the same.
#include <dlfcn.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "bus/include/evs/plugin.h"
#include "tests/bench/alternate.h"
#include "tests/bench/crew.h"
#include "tests/bench/speeds.h"
#include "tests/bench/udp_round.h"

namespace evs::bench {

namespace {

constexpr size_t kFrameRoom = 2048, kFramesAtOnce = 256;

// Through the plugin's tables as they stand, so that nothing but the plugin is measured.
class Udp {
 public:
  explicit Udp(bool offload) {
    const char* path = std::getenv("EVS_PLUGIN_PATH");
    std::string directory = path == nullptr ? EVS_SPEED_PLUGINS_BUILT : path;
    directory.resize(std::min(directory.find(':'), directory.size()));  // the first of the list
    void* library = dlopen((directory + "/evs-transport-udp.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw Malfunction(dlerror());
    ops_ = static_cast<const evs_plugin_entry*>(dlsym(library, EVS_PLUGIN_ENTRY_SYMBOL))->descriptors[0].transport;
    const evs_plugin_parameter parameters[] = {{"interface", "eth0"}, {"offload", offload ? "on" : "off"}};
    char text[512] = "";
    evs_error_text error{text, sizeof(text)};
    if (ops_->create(&host_, parameters, 2, &self_, &error) != EVS_P_OK) throw Malfunction(text);
  }
  ~Udp() { ops_->destroy(self_); }
  Udp(const Udp&) = delete;
  Udp& operator=(const Udp&) = delete;
  const evs_datagram_ops& ops() const { return *ops_->datagram; }
  evs_transport* self() const { return self_; }

 private:
  evs_host host_{sizeof(evs_host), EVS_PLUGIN_ABI_MINOR, nullptr, "speed", nullptr, nullptr, nullptr, nullptr};
  const evs_transport_ops* ops_;
  evs_transport* self_ = nullptr;
};

void send_all(UdpSendLoop& loop, bool offload) {
  Udp udp(offload);
  evs_datagram frames[kUdpBatch];
  loop.ready();
  while (unsigned char* batch = loop.next()) {
    for (size_t i = 0; i < kUdpBatch; ++i) frames[i] = {EVS_PEER_ALL, 0, batch + i * kUdpFrameBytes, kUdpFrameBytes};
    for (size_t at = 0; at < kUdpBatch;) {
      size_t taken = 0;
      const int32_t status = udp.ops().send(udp.self(), frames + at, kUdpBatch - at, &taken);
      if (status != EVS_P_OK && status != EVS_P_AGAIN) throw Malfunction("send answered " + std::to_string(status));
      at += taken;
    }
  }
}

void receive_all(UdpReceiveLoop& loop, bool offload) {
  Udp udp(offload);
  std::vector<char> memory(kFramesAtOnce * kFrameRoom);
  std::vector<evs_datagram> frames(kFramesAtOnce);
  loop.ready();
  while (!loop.complete()) {
    for (size_t i = 0; i < kFramesAtOnce; ++i) frames[i] = {0, 0, memory.data() + i * kFrameRoom, kFrameRoom};
    size_t got = 0;
    if (udp.ops().receive(udp.self(), frames.data(), kFramesAtOnce, &got) == EVS_P_AGAIN) {
      pollfd wait{udp.ops().receive_fd(udp.self()), POLLIN, 0};
      poll(&wait, 1, 10);
      continue;
    }
    for (size_t i = 0; i < got; ++i) loop.take(frames[i].data, frames[i].size);
    loop.published();
  }
}

Outcome compare_udp(const Plan& plan, TargetId id, const test::Wire& wire, bool offload) {
  const auto rounds = alternate(
      plan.rounds, [&] { return probe_udp(wire, plan.milliseconds, offload); },
      [&] {
        return run_udp_round(
            wire, plan.milliseconds, [&](UdpSendLoop& loop) { send_all(loop, offload); },
            [&](UdpReceiveLoop& loop) { receive_all(loop, offload); });
      });
  const auto itself = [](double rate) { return rate; };
  const auto compared = compare(rounds, itself, [](double probe, double ours) { return ours / probe; });
  return {id,
          compared.values,
          {{"udp transport", median_over(rounds, [](const auto& r) { return r.ours; }) / 1e6, "MB/s"},
           {"bare sockets", median_over(rounds, [](const auto& r) { return r.before; }) / 1e6, "MB/s"}},
          compared.unsteady,
          ""};
}

}  // namespace

std::vector<Outcome> measure_udp(const Plan& plan) {
  if (const std::string why = test::Wire::refused(); !why.empty())
    return {{TargetId::udp_offload, {}, {}, 0, why}, {TargetId::udp_plain, {}, {}, 0, why}};
  const test::Wire wire(2);
  return {compare_udp(plan, TargetId::udp_offload, wire, true), compare_udp(plan, TargetId::udp_plain, wire, false)};
}

}  // namespace evs::bench
