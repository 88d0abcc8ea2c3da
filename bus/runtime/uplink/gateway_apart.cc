// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/gateway_apart.cc - another host has our id, and it is this one that goes (twins.h): it has the role, listens, says in its status file why, and says nothing on the wire.
//
// Processes of this host come and go meanwhile, and with them gateways. Each would have to meet the other one anew, and would disturb the ring in doing so: so a gateway that ends apart leaves its
// status file, and the next one begins by listening.
#include <fcntl.h>

#include "bus/runtime/config_descriptor.h"
#include "bus/runtime/uplink/gateway.h"
#include "bus/runtime/uplink/status_lines.h"
#include "bus/runtime/uplink/uplink_settings.h"
#include "bus/runtime/uplink/words.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr uint64_t kOfLateNs = 600'000'000'000;
constexpr uint64_t kApartStatusEveryNs = 250'000'000;

}  // namespace

// Its seal opens what any life says in our name: a life of this moment would take the other one for a former one of its own. It never seals.
std::optional<PluginFailure> Gateway::open_lookout(uint64_t now_ns) {
  auto sealed = sealing_settings(*making_.config, settings_.self);
  if (!sealed) return sealed.failure();
  sealed->life = {0, settings_.self.nonce};
  auto ear = sealing::Sealing::begin(*sealed);
  if (!ear) return PluginFailure{CS_ERR_LIBRARY, ear.error()};
  ear_ = std::move(*ear);
  lookout_ = std::make_unique<Lookout>(settings_.self, *ear_, medium(), **making_.twin, Instant{now_ns});
  return std::nullopt;
}

void Gateway::look_for_twin(Instant now) {
  if (!link_->must_go(now)) return;
  has_twin_ = true;
  twin_at_ = link_->twins().other();
  give_up(twins_in_words(making_.host_id, {}, twin_at_));
}

uint64_t Gateway::keep_apart(uint64_t now_ns, uint64_t next) {
  may_speak_ |= lookout_->turn(Instant{now_ns});
  twin_at_ = lookout_->at();
  if (lookout_->is_closed()) give_up("the medium is closed: its interface, or what it stands on, is gone for good");
  if (now_ns >= status_ns_) {
    status_ns_ = now_ns + kApartStatusEveryNs;
    write_status(apart_status(now_ns));
  }
  if (status_file_) status_file_->leave(!may_speak_);
  return std::min({next, lookout_->next().ns, status_ns_});
}

std::string Gateway::apart_status(uint64_t now_ns) const {
  StatusLines lines;
  lines.add_teller(making_.stands);
  lines.add("written_ns", now_ns);
  lines.add("host_id", making_.host_id);
  lines.add("state", "apart");
  lines.add("twin_at", lookout_->at());
  lines.add_problems({twins_in_words(making_.host_id, {}, lookout_->at()) + ". This host keeps apart until the other one is not heard any more"});
  return lines.text();
}

std::optional<std::string> Gateway::twin_of_late(const Making& making, uint64_t now_ns) {
  const std::string text = StatusFile::read(*making.directory, making.config->text("bus.name"));
  const auto value_of = [&](const std::string& name) -> std::optional<std::string> {
    const std::string key = "\nevs_uplink_" + name + " ";
    const size_t at = text.find(key);
    if (at == std::string::npos) return std::nullopt;
    return text.substr(at + key.size(), text.find('\n', at + key.size()) - at - key.size());
  };
  if (value_of("state") != "apart" || value_of("host_id") != std::to_string(making.host_id)) return std::nullopt;
  const uint64_t written = std::strtoull(value_of("written_ns").value_or("0").c_str(), nullptr, 10);
  if (written > now_ns || now_ns - written > kOfLateNs) return std::nullopt;
  return value_of("twin_at").value_or("");
}

}  // namespace evs::runtime::uplink
