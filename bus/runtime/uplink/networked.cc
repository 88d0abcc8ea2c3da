// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/networked.cc - opening the rings of this host, leaving them, joining again after an expulsion.
#include "bus/runtime/uplink/networked.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "bus/runtime/uplink/planted.h"
#include "bus/runtime/uplink/uplink_settings.h"

namespace evs::runtime::uplink {
namespace {

constexpr uint64_t kLastPlaceNs = 200'000'000;  // for a place for what we say last
constexpr uint64_t kDiskAtLeavingNs = 2'000'000'000;  // one that is busy has answered by then

uint64_t monotonic_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}
uint64_t left_until(uint64_t deadline_ns) {
  const uint64_t now = monotonic_ns();
  return deadline_ns > now ? deadline_ns - now : 0;
}

}  // namespace

PluginResult<std::unique_ptr<Networked>> Networked::create(const Making& making) {
  std::unique_ptr<Networked> made(new Networked(making));
  auto host_id = host_id_of(*making.config);
  if (!host_id) return host_id.failure();
  made->host_id_ = *host_id;
  made->state_directories_ = state_directories(*making.config);
  if (auto failure = made->create_rings()) return *failure;
  made->epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (made->epoll_ < 0) return PluginFailure{CS_ERR_NO_RESOURCES, "out of file descriptors: cannot make an epoll descriptor"};
  return made;
}

Networked::~Networked() {
  if (epoll_ >= 0) close(epoll_);
}

std::optional<PluginFailure> Networked::create_rings() {
  const PluginLog log = [this](int32_t level, std::string_view text) { log_.say(static_cast<int>(level), "plugin", text); };
  auto plugin = PluginHost::load_transport(config_.text("local.transport"), plugin_search(config_), log);
  if (!plugin) return plugin.failure();
  if (plugin->descriptor->transport->medium != EVS_MEDIUM_ORDERED)
    return PluginFailure{CS_ERR_INVALID_PARAM, "local.transport = \"" + config_.text("local.transport") +
                                                   "\": this plugin carries datagrams; the local ring needs an ordered medium"};
  message_limit_ = config_.bytes("local.message_limit");
  const std::string bus = config_.text("bus.name");
  const uint64_t processes = config_.integer("local.max_processes");
  // Each process is a member of the order ring twice, and its messages have our headers before them.
  const std::map<std::string, std::string> order = {{"message_limit", std::to_string(largest_order_record(message_limit_)) + "B"},
                                                    {"max_processes", std::to_string(std::min<uint64_t>(2 * processes, 1024))}};
  const std::map<std::string, std::string> outbox = {{"message_limit", std::to_string(largest_outbox_record(message_limit_)) + "B"}};
  const auto make = [&](std::unique_ptr<LocalRing>& ring, LocalRing::Wishes wishes) -> std::optional<PluginFailure> {
    auto made = LocalRing::create(*plugin, config_, host_, std::move(wishes));
    if (!made) return made.failure();
    ring = std::move(*made);
    return std::nullopt;
  };
  if (auto failure = make(order_, {bus, order, true})) return failure;
  stats_ = order_->transport().extension<evs_stats_extension>(EVS_EXTENSION_STATS);
  if (auto failure = make(role_, {bus, order, false})) return failure;
  return make(outbox_, {bus + shm::kOutboxSuffix, outbox, false});
}

std::optional<PluginFailure> Networked::open_board() {
  if (const shm::Status status = directory_.open(config_.text("local.directory"), config_.text("local.group"), true); !status.ok()) return failure_of(status);
  auto board = Board::open(directory_, config_.text("bus.name"));
  if (!board) return board.failure();
  board_.emplace(std::move(*board));
  return std::nullopt;
}

std::optional<PluginFailure> Networked::open_bells() {
  const PluginFailure none{CS_ERR_NO_RESOURCES, "out of file descriptors, or of this process's cursors: raise the limit of open files"};
  const auto open = [&](LocalRing& ring, evs_cursor*& bell, uint32_t whose) {
    return ring.ops().cursor_open(ring.self(), &bell) == EVS_P_OK && watch_descriptor(ring.ops().fd(bell), whose);
  };
  if (!open(*order_, follower_, kFollower) || !open(*outbox_, room_bell_, kRoomBell)) return none;
  return order_->ops().interest_add(follower_, &kChangesGroup, 1) == EVS_P_OK ? std::nullopt : std::optional(none);
}

void Networked::take_identity() {
  const evs_ordered_member member = order_->member();
  identity_ = {host_id_ << ordering::kSlotBits | member.nodeid, member.pid, member.incarnation};
}

std::optional<PluginFailure> Networked::start(uint64_t timeout_ns) {
  const uint64_t deadline = monotonic_ns() + timeout_ns;
  LocalRing* const rings[] = {order_.get(), role_.get(), outbox_.get()};
  size_t started = 0;
  std::optional<PluginFailure> failure;
  for (; started < std::size(rings) && !failure; ++started) failure = rings[started]->transport().start(left_until(deadline));
  if (failure) --started;
  if (!failure) failure = open_board();
  if (!failure) failure = open_bells();
  if (!failure) {
    take_identity();
    patience_->end_at(deadline - timeout_ns / 8);  // so that what it was is told
    attached_.store(true, std::memory_order_release);
    wake_service();
    failure = await_configuration(deadline);
    patience_->end_at(failure ? 0 : UINT64_MAX);
    if (!failure) return std::nullopt;
    leave_rings();
    return failure;
  }
  while (started > 0) rings[--started]->transport().stop();
  return failure;
}

std::optional<PluginFailure> Networked::await_configuration(uint64_t deadline_ns) {
  std::unique_lock lock(waiting_mutex_);
  // A process that cannot be the gateway waits for one; it gives up at once where there is none.
  const bool done = waiting_.wait_for(lock, std::chrono::nanoseconds(left_until(deadline_ns)), [&] { return in_configuration_ || no_gateway_because_; });
  if (in_configuration_) return std::nullopt;
  if (done) return *no_gateway_because_;
  const std::string apart = why_apart_;
  lock.unlock();
  const std::string none = "this process is in no configuration of bus \"" + config_.text("bus.name") + "\" yet: ";
  if (!apart.empty()) return PluginFailure{CS_ERR_TIMEOUT, none + apart};
  if (config_.text("uplink.gateway") == "never" && !has_gateway())
    return PluginFailure{CS_ERR_TIMEOUT, none + "there is no gateway on this host, and uplink.gateway = never (" + std::string(config_.origin("uplink.gateway")) +
                                             ") keeps this process from being it; start `evs gateway`, or a process that may be"};
  return PluginFailure{CS_ERR_TIMEOUT, none + "its host's gateway has no ring, or the ring's other hosts do not answer; `evs status` says what it waits for"};
}

bool Networked::has_gateway() {
  const std::lock_guard turn(turn_mutex_);
  const uint64_t holder = board_->holder();
  return holder != 0 && is_member(holder);
}

// What this process has said is taken by the gateway, ourselves or another process, before it goes.
void Networked::stop() {
  const uint64_t deadline = monotonic_ns() + kLastPlaceNs;
  while (ask(Ask::go) == EVS_P_AGAIN && left_until(deadline) != 0 &&
         outbox_->ops().wait_room(outbox_->self(), sizeof(OutboxHeader), 1, left_until(deadline)) == EVS_P_OK) {}
  {
    std::unique_lock lock(waiting_mutex_);
    resigning_ = true;
    wake_service();
    patience_->end_at(monotonic_ns() + kDiskAtLeavingNs);
    waiting_.wait(lock, [&] { return resigned_; });  // the service thread bounds it
  }
  leave_rings();
}

void Networked::leave_rings() {
  {
    std::unique_lock lock(waiting_mutex_);
    resigning_ = true;
    wake_service();
    waiting_.wait(lock, [&] { return resigned_; });
  }
  {
    const std::lock_guard turn(turn_mutex_);  // a turn that is under way uses them
    attached_.store(false, std::memory_order_release);
    for (const auto& [ring, bell] : {std::pair{order_.get(), &follower_}, std::pair{outbox_.get(), &room_bell_}}) {
      if (*bell != nullptr) ring->ops().cursor_close(*bell);
      *bell = nullptr;
    }
  }
  outbox_->transport().stop();
  role_->transport().stop();
  order_->transport().stop();
}

// Only the membership as a reader is lost by an expulsion; what was sent under the old name and has no place yet is not taken any more.
int32_t Networked::rejoin(uint64_t* lost, evs_error_text* error) {
  const int32_t status = order_->ops().rejoin(order_->self(), lost, error);
  if (status != EVS_P_OK) return status;
  const Resident before = identity_;
  if (!planted(Planted::expelled_not_gone)) take_identity();
  expelled_.store(false, std::memory_order_release);
  if (identity_ != before) announced_ = follower_watches_ = false;
  wake_service();
  return EVS_P_OK;
}

evs_ordered_member Networked::self() const { return {identity_.node, identity_.pid, identity_.incarnation, EVS_MEMBER_STAYS, 0}; }

void Networked::limits(evs_ordered_limits& out) const {
  order_->ops().limits(order_->self(), &out);
  out.message_bytes = message_limit_;
  out.cursors -= 1;  // the one that rings when the configuration changes
}

// The order ring's; who holds most of it is named as everybody knows it.
void Networked::usage(evs_ordered_usage& out) const {
  order_->ops().usage(order_->self(), &out);
  if (out.holder_nodeid != 0) out.holder_nodeid |= host_id_ << ordering::kSlotBits;
}

bool Networked::is_in(const ProcessesInForce& configuration) const {
  for (const evs_ordered_member& member : configuration.members)
    if (member.nodeid == identity_.node && member.incarnation == identity_.incarnation) return true;
  return false;
}

int32_t Networked::membership(void* buffer, size_t size, size_t* needed) const {
  ProcessesInForce configuration;
  uint64_t position = 0;
  if (!board_->read(configuration, position) || !is_in(configuration)) return EVS_P_AGAIN;
  return write_membership(configuration, position, buffer, size, needed) ? EVS_P_OK : EVS_P_TOO_BIG;
}

}  // namespace evs::runtime::uplink
