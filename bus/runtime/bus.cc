// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/bus.cc - opening a bus step by step, closing it, and what the service thread does for its handles.
#include "bus/runtime/bus.h"

#include <sched.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "bus/runtime/handle.h"
#include "bus/runtime/handle_table.h"
#include "bus/runtime/plugin_host.h"
#include "bus/runtime/plugin_parameters.h"

namespace evs::runtime {
namespace {

constexpr uint64_t kRetryNs = 1'000'000;         // a record that found no room
constexpr uint64_t kLogTickNs = 1'000'000'000;   // reports of suppressed log lines

}  // namespace

Bus::Bus(BusRequest request, uint32_t counted_slot) : config_(std::move(request.config)), counted_slot_(counted_slot) {
  LogOptions options = log_options(config_);
  options.function = request.log;
  options.context = request.log_context;
  log_ = std::make_unique<Log>(options);
  host_ = std::make_unique<HostTable>(config_.text("bus.name"), *log_);
}

PluginResult<std::unique_ptr<Bus>> Bus::open(BusRequest request, uint32_t counted_slot) {
  presence::prepare();
  // A program that is handed the sentence prints it: on its stderr it would stand twice.
  const bool is_said_twice = request.hands_out_why && request.log == nullptr && log_options(request.config).is_stderr();
  std::unique_ptr<Bus> bus(new Bus(std::move(request), counted_slot));
  std::optional<PluginFailure> failure = bus->load();
  if (!failure) failure = bus->start();
  if (!failure) return bus;
  if (!is_said_twice) bus->log_->error("open", failure->text);
  return *failure;
}

std::optional<PluginFailure> Bus::load() {
  if (!host_->ok()) return PluginFailure{CS_ERR_NO_RESOURCES, "out of file descriptors: cannot make an eventfd"};
  if (!config_.text("uplink.transport").empty()) return load_networked();
  PluginSearch search{config_.text("plugins.path"), EVS_PLUGIN_INSTALL_DIR};
  const PluginLog log = [this](int32_t level, std::string_view text) { log_->say(static_cast<int>(level), "plugin", text); };
  auto plugin = PluginHost::load_transport(config_.text("local.transport"), search, log);
  if (!plugin) return plugin.failure();
  if (plugin->descriptor->transport->medium != EVS_MEDIUM_ORDERED) {
    return PluginFailure{CS_ERR_INVALID_PARAM, "local.transport = \"" + config_.text("local.transport") +
                                                   "\": this plugin carries datagrams; the local ring needs an ordered medium"};
  }
  std::optional<ParameterList> parameters;
  if (auto failure = asked(*plugin, "get_extension", [&] { parameters.emplace(config_, *plugin); })) return failure;
  auto transport = Transport::create(*plugin, *host_->table(), parameters->view());
  if (!transport) return transport.failure();
  transport_.emplace(std::move(*transport));
  return std::nullopt;
}

// Two rings of this host and its gateway, which are a transport like any other to all else here.
std::optional<PluginFailure> Bus::load_networked() {
  making_ = {&config_, host_->table(), log_.get(), &networked_failure_};
  networked_host_ = *host_->table();
  networked_host_.context = &making_;
  auto transport = Transport::create({nullptr, &uplink::networked_descriptor(), "libevs"}, networked_host_, {});
  if (!transport) return networked_failure_ ? *networked_failure_ : transport.failure();
  transport_.emplace(std::move(*transport));
  return std::nullopt;
}

std::optional<PluginFailure> Bus::start() {
  ServiceThread::Duties duties{transport_->service(), [this](uint64_t now) { return after_work(now); },
                               [this](std::vector<pollfd>& wishes) { beside_.add_descriptors(wishes); }, [this] { beside_.end(); }};
  if (auto failure = service_.start(*host_, std::move(duties))) return failure;
  if (auto failure = transport_->start(config_.nanoseconds("bus.initialize_timeout"))) return networked_failure_ ? networked_failure_ : failure;
  joined_ = true;
  groups_extension_ = transport_->extension<evs_groups_extension>(EVS_EXTENSION_GROUPS);
  groups_.attach(transport(), ops(), groups_extension_);
  stats_.attach(transport(), transport_->extension<evs_stats_extension>(EVS_EXTENSION_STATS), config_);
  limits_.struct_size = sizeof limits_;
  ops()->limits(transport(), &limits_);
  ops()->self(transport(), &self_);
  ready_.store(true, std::memory_order_release);
  beside_.open(config_, *host_->table(), *log_);
  host_->wake();
  return std::nullopt;
}

Bus::~Bus() {
  if (joined_) {
    ready_.store(false, std::memory_order_release);
    {
      const std::lock_guard rejoin_under_way_ends_first(handles_mutex_);
      stats_.publish(handles_, totals().sent);
    }
    transport_->stop();  // the service thread still does the transport's work
  }
  service_.stop();
  if (counted_slot_ != kNoCountedSlot) presence::clear_sent(counted_slot_);
}

void Bus::close(std::string_view why) noexcept {
  if (gate.exchange(kGateClosed, std::memory_order_seq_cst) == kGateClosed) return;
  log_->error("closed", std::string_view(why));
  handle_table::g_gate_moves.fetch_add(1, std::memory_order_release);
  futex_wake(handle_table::g_gate_moves, std::numeric_limits<int>::max());
  host_->wake();
}

void Bus::close_for(const CheckFailed& failed) noexcept {
  try {
    close(std::string("a check of evs failed: ") + failed.condition + " at " + failed.file + ":" +
          std::to_string(failed.line) + "; this process leaves the bus, please report it");
  } catch (...) {
    close("a check of evs failed");
  }
}

int32_t Bus::read_membership(const std::function<int32_t(void*, size_t, size_t*)>& read, Membership& out) {
  std::vector<uint64_t> buffer((sizeof(evs_membership) + 64 * sizeof(evs_ordered_member)) / sizeof(uint64_t));
  for (;;) {
    size_t needed = 0;
    const int32_t status = read(buffer.data(), buffer.size() * sizeof(uint64_t), &needed);
    if (status == EVS_P_OK) {
      out = copy_of(*reinterpret_cast<const evs_membership*>(buffer.data()));
      return EVS_P_OK;
    }
    if (status != EVS_P_TOO_BIG) return status;
    if (needed <= buffer.size() * sizeof(uint64_t)) return EVS_P_INTERNAL;  // it would have fitted
    buffer.assign((needed + sizeof(uint64_t) - 1) / sizeof(uint64_t), 0);
  }
}

int32_t Bus::membership(Membership& out) {
  return read_membership(
      [this](void* buffer, size_t size, size_t* needed) { return ops()->membership(transport(), buffer, size, needed); }, out);
}

int32_t Bus::attach(Handle& handle) {
  const std::lock_guard guard(handles_mutex_);
  handles_.reserve(handles_.size() + 1);
  const int32_t status = handle.open_on(*this);
  if (status == EVS_P_OK) handles_.push_back(&handle);
  handle_count_.store(static_cast<uint32_t>(handles_.size()), std::memory_order_relaxed);
  return status;
}

void Bus::detach(Handle& handle) {
  const std::lock_guard guard(handles_mutex_);
  handles_.erase(std::remove(handles_.begin(), handles_.end(), &handle), handles_.end());
  handle_count_.store(static_cast<uint32_t>(handles_.size()), std::memory_order_relaxed);
  DeferredLeave deferred{handle.id, {}};
  stats_.keep(handle.delivered());
  handle.close_on_bus(deferred.keys);
  if (deferred.keys.empty()) return;
  try {
    deferred_.push_back(std::move(deferred));
  } catch (const std::bad_alloc&) {
    log_->warning("leave", "out of memory: the others learn only when this process leaves that a handle left its groups");
  }
  host_->wake();
}

void Bus::wake_sleeper(Handle& handle) {
  const std::lock_guard guard(handles_mutex_);
  ops()->wake(handle.cursor);
}

Bus::Totals Bus::totals() const {
  Totals totals;
  if (counted_slot_ != kNoCountedSlot) totals.sent = presence::sent(counted_slot_);
  totals.sent.add(shared_counts);
  totals.expulsions = expulsions_.load(std::memory_order_relaxed);
  totals.lost_messages = lost_messages_.load(std::memory_order_relaxed);
  totals.outsider_messages = host_->counter("evs_outsider_messages_total");
  return totals;
}

// ---- The service thread. ----

uint64_t Bus::after_work(uint64_t now_ns) {
  uint64_t next = UINT64_MAX;
  try {
    if (!service_.fault().empty()) close(service_.fault());
    if (ready_.load(std::memory_order_acquire)) next = std::min(look_after_handles(now_ns), beside_.work(now_ns));
  } catch (const CheckFailed& failed) {
    close_for(failed);
  } catch (const std::bad_alloc&) {
    next = now_ns + kRetryNs;  // what was to be done is still marked
  }
  if (now_ns >= log_tick_ns_) {
    log_->tick_at(now_ns);
    log_tick_ns_ = now_ns + kLogTickNs;
  }
  return next;
}

uint64_t Bus::look_after_handles(uint64_t now_ns) {
  const std::lock_guard guard(handles_mutex_);
  if (!ready_.load(std::memory_order_acquire)) return UINT64_MAX;  // stop() came first
  if (gate.load(std::memory_order_acquire) == kGateClosed) {
    if (!std::exchange(closing_told_, true))
      for (Handle* handle : handles_) handle->notify();  // who sleeps must come and hear it
    return UINT64_MAX;
  }
  if (rejoin_wanted_.load(std::memory_order_acquire) != 0) {
    try {
      rejoin();
    } catch (const std::bad_alloc&) {
      // The gate is up and some handles have been told: an error is better than calls that wait for ever.
      close("out of memory while this process joined again after its expulsion");
    }
  }
  stats_.publish_when_due(now_ns, handles_, totals().sent);
  notice_membership();
  bool again = joining_again_ && !join_again();
  again = !send_deferred() || again;
  evs_ordered_usage usage{};
  usage.struct_size = sizeof usage;
  ops()->usage(transport(), &usage);
  // A quarter of the ring, or less where two of the largest messages would not fit beside it: nobody shall hold up others for what he does not want.
  const uint64_t two = 2 * (limits_.message_bytes + uint64_t{limits_.groups_per_message} * sizeof(evs_plugin_group));
  const uint64_t lag = std::min(usage.capacity_bytes / 4, usage.capacity_bytes > two ? (usage.capacity_bytes - two) / 2 : 0);
  for (Handle* handle : handles_) {
    handle->ask_for_room();
    if (usage.used_bytes >= lag) handle->pass_unwanted(lag, passed_);
  }
  return again ? now_ns + kRetryNs : UINT64_MAX;
}

void Bus::notice_membership() {
  Membership now;
  if (membership(now) != EVS_P_OK) return;
  if (now.change == seen_change_ && now.ring_sequence == seen_ring_) return;
  seen_change_ = now.change;
  seen_ring_ = now.ring_sequence;
  for (Handle* handle : handles_) handle->membership_changed();
}

bool Bus::send_deferred() {
  while (!deferred_.empty()) {
    DeferredLeave& leave = deferred_.back();
    while (!leave.keys.empty()) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(groups::kGroupsPerControl, leave.keys.size()));
      const groups::GroupKey* keys = &leave.keys[leave.keys.size() - count];
      // No reader of ours waits for it: the handle is closed, and its serials with it.
      if (groups_.append(groups::ControlType::leave, leave.handle, 0, keys, count) == EVS_P_AGAIN) return false;
      leave.keys.resize(leave.keys.size() - count);
    }
    deferred_.pop_back();
  }
  return true;
}

}  // namespace evs::runtime
