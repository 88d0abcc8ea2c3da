// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/uplink_settings.cc - see uplink_settings.h.
#include "bus/runtime/uplink/uplink_settings.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "bus/ordering/processes.h"
#include "bus/runtime/sealing/security.h"
#include "bus/runtime/uplink/local_records.h"

namespace evs::runtime::uplink {
namespace {

constexpr char kMachineId[] = "/etc/machine-id";
constexpr ordering::Duration kTokenLinger = 2 * ordering::kMillisecond;  // what is lost while one host alone speaks is found so late at most

uint64_t with_groups(uint64_t limit) { return limit + uint64_t{kMostGroups} * sizeof(evs_plugin_group) + kWireHeaderBytes; }

// FNV-1a: a machine id is random already, and is cut to twenty bits.
ordering::HostId fold(const std::string& machine_id) {
  uint64_t sum = 0xcbf29ce484222325u;
  for (const char c : machine_id) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return static_cast<ordering::HostId>((sum ^ sum >> 32) % ordering::kMaxHostId) + 1;
}

}  // namespace

PluginSearch plugin_search(const Config& config) { return {config.text("plugins.path"), EVS_PLUGIN_INSTALL_DIR}; }

PluginResult<ordering::HostId> host_id_of(const Config& config) {
  if (const uint64_t id = config.integer("uplink.host_id"); id != 0) return static_cast<ordering::HostId>(id);
  std::string machine_id;
  if (std::ifstream(kMachineId) >> machine_id && !machine_id.empty()) return fold(machine_id);
  return PluginFailure{CS_ERR_INVALID_PARAM, std::string("this host has no id: ") + kMachineId +
                                                 " cannot be read; give each host of the bus a number of its own with uplink.host_id"};
}

uint64_t largest_outbox_record(uint64_t limit) { return with_groups(limit) + sizeof(OutboxHeader); }
uint64_t largest_order_record(uint64_t limit) { return with_groups(limit) + sizeof(OrderHeader); }

ordering::Settings ordering_settings(const Config& config, const ordering::Host& self) {
  ordering::Settings settings;
  settings.self = self;
  settings.for_successor = true;
  settings.exchange = true;
  settings.message_limit = static_cast<uint32_t>(with_groups(config.bytes("local.message_limit")) + ordering::records::kMessageHeaderBytes);
  // An application's message and as much again, so that the next one is ready when the token comes.
  settings.queue_bytes = std::max<uint32_t>(settings.queue_bytes, 4 * settings.message_limit);
  settings.stalled_host = config.nanoseconds("uplink.stalled_host_timeout");
  settings.token_lost = config.nanoseconds("uplink.token_timeout");
  settings.token_resend = settings.token_lost / 5;
  settings.token_hold = std::min(settings.token_hold, settings.token_lost / 5);
  settings.token_linger = std::min(kTokenLinger, settings.token_resend / 3);
  settings.consensus = settings.token_lost + settings.token_lost / 5;
  settings.join_resend = std::min(settings.join_resend, settings.consensus / 10);
  return settings;
}

// A visit of small frames costs the token's way and a few wake-ups, whatever is said in it: the more frames, the less of that each pays (docs/performance.md, "Between hosts").
// Bounded by bytes, so that one host's visit is some milliseconds of a gigabit link, and its burst fits into the receive buffers that the udp transport asks for.
void fit_to_frames(ordering::Settings& settings) {
  constexpr uint32_t kVisitBytes = 384u << 10, kLeast = 64, kMost = 256, kHostsAtOnce = 4, kMostKept = 32u << 20;
  settings.personal_frames = std::clamp(kVisitBytes / settings.frame_bytes, kLeast, kMost);
  settings.window_frames = kHostsAtOnce * settings.personal_frames;
  settings.store_frames = std::clamp(std::bit_floor(kMostKept / settings.frame_bytes), 2 * std::bit_ceil(settings.window_frames), settings.store_frames);
}

std::vector<std::string> state_directories(const Config& config) {
  if (std::string one = config.text("uplink.state_directory"); !one.empty()) return {std::move(one)};
  std::vector<std::string> all{"/var/lib/evs"};
  const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");
  if (state != nullptr && state[0] == '/') all.push_back(std::string(state) + "/evs");  // relative paths do not count (XDG says so)
  else if (home != nullptr && home[0] == '/') all.push_back(std::string(home) + "/.local/state/evs");
  return all;
}

ordering::Quorum quorum_of(const Config& config) {
  using ordering::Quorum;
  static_assert(kMostHosts == ordering::kMaxHosts);
  const std::string& rule = config.text("uplink.quorum");
  if (rule == "off") return {};
  if (rule == "auto") return {Quorum::Rule::last_primary, 0};
  return {Quorum::Rule::fixed, static_cast<uint32_t>(std::stoul(rule))};
}

PluginResult<uint64_t> draw_nonce() {
  uint64_t nonce = 0;
  while (nonce == 0)
    if (getrandom(&nonce, sizeof nonce, 0) != static_cast<ssize_t>(sizeof nonce))
      return PluginFailure{CS_ERR_LIBRARY, "the kernel gives no random numbers (getrandom)"};
  return nonce;
}

uint64_t wall_clock_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

PluginResult<sealing::Settings> sealing_settings(const Config& config, const ordering::Host& self) {
  auto security = sealing::security_of(config);
  if (!security) return PluginFailure{CS_ERR_ACCESS, security.error()};
  sealing::Settings settings;
  settings.host = self.id;
  settings.life = sealing::next_life(wall_clock_ns(), 0, self.nonce);
  settings.keys = std::move(security->keys);
  settings.key_file = security->key_file;
  settings.bus = config.text("bus.name");
  return settings;
}

}  // namespace evs::runtime::uplink
