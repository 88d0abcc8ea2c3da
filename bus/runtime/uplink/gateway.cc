// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/gateway.cc - opening the uplink, going on where a predecessor was killed, and the gateway's turn.
#include "bus/runtime/uplink/gateway.h"

#include <algorithm>

#include "bus/runtime/plugin_parameters.h"
#include "bus/runtime/uplink/moment.h"
#include "bus/runtime/uplink/uplink_settings.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr uint64_t kMediumStartNs = 1'000'000'000;
constexpr uint64_t kGoodbyeNs = 200 * kMillisecond;
constexpr uint64_t kEpisodesEveryNs = 100 * kMillisecond;
constexpr uint64_t kAskAgainNs = kMillisecond;
constexpr uint64_t kKeyEveryNs = 1'000'000'000;
constexpr uint64_t kForConfigurations = 256 << 10;  // of the order ring, beside its largest record

}  // namespace

Gateway::Gateway(const Making& making) : making_(making), measured_(*making.role, *making.config) {}

PluginResult<std::unique_ptr<Gateway>> Gateway::open(const Making& making, uint64_t now_ns) {
  std::unique_ptr<Gateway> gateway(new Gateway(making));
  if (auto failure = gateway->open_medium()) return *failure;
  if (making.twin->has_value()) {
    if (auto failure = gateway->open_lookout(now_ns)) return *failure;
    return gateway;
  }
  if (auto failure = gateway->open_outbox()) return *failure;
  if (auto failure = gateway->open_window()) return *failure;
  if (auto failure = gateway->open_state()) return *failure;
  gateway->take_over(now_ns);
  return gateway;
}

Gateway::~Gateway() {
  link_.reset();
  if (reader_ != nullptr) making_.outbox->ops().cursor_close(reader_);
  if (order_reader_ != nullptr) making_.role->ops().cursor_close(order_reader_);
  if (!transport_) return;
  transport_->stop();
  service_.end();
}

std::optional<PluginFailure> Gateway::open_medium() {
  const Config& config = *making_.config;
  const std::string name = config.text("uplink.transport");
  const PluginLog log = [this](int32_t level, std::string_view text) { making_.log->say(static_cast<int>(level), "plugin", text); };
  auto plugin = PluginHost::load_transport(name, plugin_search(config), log);
  if (!plugin) return plugin.failure();
  if (plugin->descriptor->transport->medium != EVS_MEDIUM_DATAGRAM)
    return PluginFailure{CS_ERR_INVALID_PARAM, "uplink.transport = \"" + name + "\": this version's uplinks carry datagrams, and this plugin does not; take udp"};
  std::optional<ParameterList> parameters;
  if (auto failure = asked(*plugin, "get_extension", [&] { parameters.emplace(ParameterList::of_section(config, *plugin)); })) return failure;
  auto nonce = draw_nonce();
  if (!nonce) return nonce.failure();
  const Host self{making_.host_id, *nonce};
  auto sealed = sealing_settings(config, self);
  if (!sealed) return sealed.failure();
  key_mark_ = KeyFileMark::of(sealed->key_file);  // before: who changes it while it is read is seen later
  auto sealing = sealing::Sealing::begin(*sealed);
  if (!sealing) return PluginFailure{CS_ERR_LIBRARY, sealing.error()};
  sealing_ = std::move(*sealing);
  auto transport = Transport::create(*plugin, *making_.host, parameters->view());
  if (!transport) return transport.failure();
  transport_.emplace(std::move(*transport));
  service_ = transport_->service();
  std::optional<PluginFailure> failure = service_.begin();
  if (!failure) failure = transport_->start(kMediumStartNs);
  if (failure) return failure;
  episodes_.emplace("the uplink's port (plugin." + plugin->name() + ".port)");
  settings_ = ordering_settings(config, self);
  const Medium medium = this->medium();
  settings_.frame_bytes = static_cast<uint32_t>(packet_bytes_for(medium, *sealing_));
  fit_to_frames(settings_);
  return std::nullopt;
}

Medium Gateway::medium() const {
  return {&transport_->datagram(), transport_->self(), transport_->extension<evs_peers_extension>(EVS_EXTENSION_PEERS)};
}

std::optional<PluginFailure> Gateway::open_window() {
  LocalRing& role = *making_.role;
  evs_ordered_usage usage{};
  usage.struct_size = sizeof usage;
  role.ops().usage(role.self(), &usage);
  const uint64_t largest = largest_order_record(making_.config->bytes("local.message_limit")), kept_free = largest + kForConfigurations;
  wanted_bytes_ = kept_free + largest;
  room_at_most_ = usage.capacity_bytes > kept_free ? usage.capacity_bytes - kept_free : 0;
  const uint64_t least = Protocol::least_room(settings_);
  if (room_at_most_ < least)
    return PluginFailure{CS_ERR_INVALID_PARAM, "local.ring_size = " + std::to_string(usage.capacity_bytes) + " is too small for an uplink with local.message_limit = " +
                                                   std::to_string(making_.config->bytes("local.message_limit")) + ": it must hold " +
                                                   std::to_string(least + kept_free) + " bytes; make it larger, or messages smaller"};
  uint64_t position = 0;
  if (const int32_t status = order_role_->open(role.self(), &order_reader_, &position); status != EVS_P_OK)
    return PluginFailure{error_of_status(status), std::string("the order ring cannot be kept for a successor: ") + text_of_status(status)};
  std::unique_ptr<WindowFile> window;
  const std::string name = making_.config->text("bus.name") + ".window";
  if (const shm::Status status = WindowFile::open(*making_.directory, name, WindowFile::shape_for(settings_), build(), window); !status.ok()) return failure_of(status);
  window_ = std::move(window);
  if (std::string why = check(settings_); !why.empty()) return PluginFailure{CS_ERR_INVALID_PARAM, "the uplink cannot run with these settings: " + why};
  return std::nullopt;
}

// False: whether the append that a predecessor had under way was committed cannot be told yet. Its death is proved in a moment.
bool Gateway::take_over(uint64_t now_ns) {
  if (const std::optional<uint64_t> position = window_->under_way()) {
    uint32_t committed = 0;
    const int32_t status = *position == 0 ? EVS_P_OK : order_role_->settle(making_.role->self(), *position, &committed);
    if (status == EVS_P_AGAIN) return false;
    if (status != EVS_P_OK) return give_up(std::string("what the last gateway appended cannot be told: ") + text_of_status(status)), false;
    if (const shm::Status finished = WindowFile::finish_under_way(window_, committed != 0); !finished.ok()) return give_up(finished.text), false;
  }
  evs_gateway_moment("settled");
  const StoredState stored = window_->load();
  const WindowFile::Kept kept = window_->kept();
  stamped_ = {kept.outbox.position, kept.outbox.part};
  if (stamped_.position != 0) {
    const int32_t status = outbox_role_->begin_at(reader_, stamped_.position);
    if (status != EVS_P_OK) return give_up(std::string("the outbox cannot be read from where the last gateway was: ") + text_of_status(status)), false;
  }
  settings_.ring_sequence = stored.ring_sequence;
  // The window file knows it to one, and is gone when the machine has been down.
  if (stored.ring_sequence == 0 && sequences_) settings_.ring_sequence = sequences_->reserved();
  if (std::string why = check(settings_); !why.empty()) return give_up("the uplink cannot run with these settings: " + why), false;
  const Instant now{now_ns};
  link_ = std::make_unique<Link>(settings_, *sealing_, medium(), *this);
  level_ = std::make_unique<ProcessLevel>(making_.host_id, settings_.message_limit, link_->protocol(), votes_ ? votes_->voter() : Voter{});
  Bytes saved;
  if (!kept.processes.empty() && !(decode_kept(kept.processes, in_force_, saved) && level_->restore(saved)))
    return give_up("what the last gateway kept of processes is damaged"), false;
  saved_revision_ = level_->revision();
  rebuild_groups();
  making_.board->set_outbox_read(making_.outbox->build());
  evs_gateway_moment("outbox-read");
  if (making_.board->is_changing()) publish_in_force();
  link_->resume(now, stored);
  return true;
}

// The last gateway was killed around a change: what is on the board may be behind the order ring.
void Gateway::publish_in_force() {
  if (in_force_.number != 0) making_.board->publish(in_force_, 0);
  evs_gateway_moment("published-again");
  making_.board->end_change();
  evs_gateway_moment("change-ended");
}

uint64_t Gateway::turn(uint64_t now_ns) {
  const Instant now{now_ns};
  uint64_t next = service_.work(now_ns);
  if (!service_.fault().empty()) give_up(service_.fault());
  if (!failure_.empty()) return next;
  if (lookout_) return keep_apart(now_ns, next);
  if (!link_ && !take_over(now_ns)) return now_ns + kAskAgainNs;
  bool more = link_->turn(now);
  measured_.look(link_->protocol(), link_->rings());
  look_for_twin(now);
  if (!failure_.empty()) return now_ns;
  more |= take_outbox(now);
  link_->act_on_deadlines(now);  // a token that stays here waited for all that was taken
  look_for_the_gone(now);
  if (const std::string why = link_->failure(); !why.empty()) give_up(why);
  if (link_->protocol().is_closed() && !over_) give_up("the ordering layer has closed: " + link_->protocol().drops_text());
  if (saying_goodbye_) say_goodbye(now);
  if (now_ns >= status_ns_) publish_status(now_ns);
  if (now_ns >= key_ns_) look_at_key(now_ns);
  if (now_ns >= episodes_ns_) say_what_is_wrong(now);
  if (more) return now_ns;
  // Readers that make room for us ring nobody.
  if (link_->protocol().is_held()) {
    ask_for_room(now_ns);
    next = std::min(next, now_ns + kAskAgainNs);
  }
  if (next_frame_ != frame_count_ && submitted_.empty()) next = std::min(next, now_ns + kAskAgainNs);
  return std::min({next, link_->next(now).ns, gone_.empty() ? UINT64_MAX : now_ns + kAskAgainNs, status_ns_, episodes_ns_});
}

std::vector<int> Gateway::descriptors() const {
  std::vector<int> all{transport_->datagram().receive_fd(transport_->self())};
  if (!lookout_) all.push_back(outbox_descriptor());
  if (const int fd = const_cast<ServiceCalls&>(service_).fd(); fd >= 0) all.push_back(fd);
  return all;
}

void Gateway::give_up(const std::string& why) {
  if (failure_.empty()) failure_ = why;
}

void Gateway::resign(uint64_t now_ns, bool is_last) {
  if (over_ || saying_goodbye_) return;
  if (!link_ || !is_last) {
    over_ = true;
    return;
  }
  saying_goodbye_ = true;
  goodbye_until_ns_ = now_ns + kGoodbyeNs;
}

void Gateway::say_goodbye(Instant now) {
  if (over_) return;
  const auto own = level_->table().lower_bound(making_.host_id << kSlotBits);
  const bool somebody = own != level_->table().end() && host_of(own->first) == making_.host_id;
  if (somebody && now.ns < goodbye_until_ns_) return;
  over_ = true;
  link_->leave(now);
}

// A key is replaced while the bus runs (docs/security.md). Seconds are soon enough: each step must have reached all hosts before the next one.
void Gateway::look_at_key(uint64_t now_ns) {
  key_ns_ = now_ns + kKeyEveryNs;
  if (sealing_->is_clear()) return;
  const KeyFileMark mark = KeyFileMark::of(making_.config->text("uplink.key_file"));
  if (mark == key_mark_ || mark == KeyFileMark{}) return;
  key_mark_ = mark;
  static_cast<void>(link_->reload_key());  // what came of it is among what is said
}

void Gateway::say_what_is_wrong(Instant now) {
  episodes_ns_ = now.ns + kEpisodesEveryNs;
  for (const Line& line : episodes_->note(now, link_->look(now))) making_.log->say(static_cast<int>(line.level), line.kind, line.text);
}

}  // namespace evs::runtime::uplink
