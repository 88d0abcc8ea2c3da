// SPDX-License-Identifier: BSD-3-Clause
// tests/support/real_host.cc - see real_host.h.
#include "tests/support/real_host.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "bus/runtime/sealing/key_file.h"

namespace evs::test {
namespace {

using namespace ordering;
namespace sealing = runtime::sealing;

constexpr uint64_t kSecond = 1'000'000'000;

uint64_t clock_ns(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<uint64_t>(at.tv_sec) * kSecond + static_cast<uint64_t>(at.tv_nsec);
}

template <class Result>
auto or_give_up(Result result) {
  if (!result) give_up(result.failure().text);
  return std::move(*result);
}

}  // namespace

uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }

void give_up(const std::string& why) {
  fprintf(stderr, "host: %s\n", why.c_str());
  _exit(2);
}

RealHost::PluginsHost::PluginsHost() {
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

RealHost::RealHost(const Wishes& wishes, runtime::uplink::Sink& sink)
    : transport_(open(wishes)), service_(transport_.service()), sealing_(seal(wishes)),
      medium_{&transport_.datagram(), transport_.self(), transport_.extension<evs_peers_extension>(EVS_EXTENSION_PEERS)},
      link_(settings(wishes), *sealing_, medium_, sink, wishes.hello_period) {}

runtime::Transport RealHost::open(const Wishes& wishes) {
  for (const std::string& one : wishes.parameters) values_.emplace_back(one.substr(0, one.find('=')), one.substr(one.find('=') + 1));
  std::vector<evs_plugin_parameter> parameters;
  for (const auto& [key, value] : values_) parameters.push_back({key.c_str(), value.c_str()});
  const auto log = [](int32_t, std::string_view) {};
  const runtime::LoadedPlugin plugin = or_give_up(runtime::PluginHost::load_transport(wishes.plugin, {}, log));
  runtime::Transport transport = or_give_up(runtime::Transport::create(plugin, plugins_host_.table, parameters));
  if (const auto failure = transport.service().begin()) give_up(failure->text);
  if (const auto failure = transport.start(kSecond)) give_up(failure->text);
  return transport;
}

std::unique_ptr<sealing::Sealing> RealHost::seal(const Wishes& wishes) {
  sealing::Settings settings;
  settings.host = wishes.id;
  settings.life = sealing::next_life(clock_ns(CLOCK_REALTIME), 0, wishes.nonce);
  if (wishes.key_file != "none") settings.keys = or_give_up(sealing::read_key_file(wishes.key_file));
  settings.key_file = wishes.key_file;
  return or_give_up(sealing::Sealing::begin(settings));
}

Settings RealHost::settings(const Wishes& wishes) const {
  Settings settings;
  settings.self = {wishes.id, wishes.nonce};
  settings.frame_bytes = static_cast<uint32_t>(runtime::uplink::packet_bytes_for(medium_, *sealing_));
  wishes.adjust(settings);
  if (const std::string why = check(settings); !why.empty()) give_up(why);
  return settings;
}

bool RealHost::wait(bool more, int other, uint64_t until) {
  const uint64_t begin = monotonic_ns();
  const uint64_t due = std::min({link_.next(Instant{begin}).ns, service_.work(begin), until});
  const uint64_t patience = more || due <= begin ? 0 : due - begin;
  pollfd fds[] = {{other, POLLIN, 0}, {link_.fd(), POLLIN, 0}, {plugins_host_.wake_fd, POLLIN, 0}, {service_.fd(), POLLIN, 0}};
  const timespec time{static_cast<time_t>(patience / kSecond), static_cast<long>(patience % kSecond)};
  ppoll(fds, std::size(fds), due == UINT64_MAX && !more ? nullptr : &time, nullptr);
  uint64_t rung = 0;
  if ((fds[2].revents & POLLIN) != 0 && read(plugins_host_.wake_fd, &rung, sizeof rung) < 0) return false;
  return fds[0].revents != 0;
}

}  // namespace evs::test
