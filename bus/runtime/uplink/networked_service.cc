// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/networked_service.cc - the service thread's turn: the rings' own work, the configuration as it changes, and the gateway role.
#include <sys/epoll.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "bus/runtime/uplink/moment.h"
#include "bus/runtime/uplink/networked.h"
#include "bus/runtime/uplink/words.h"

namespace evs::runtime::uplink {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kLookAgainNs = 250 * kMillisecond;   // for a gateway that died unseen; the kernel tells of nearly all
constexpr uint64_t kTryAgainNs = 1000 * kMillisecond;   // to open an uplink that could not be opened
constexpr uint64_t kLookForStandingNs = 50 * kMillisecond;
// Who has the role gives it to one that stands within kLookForStandingNs, and no bell says that it has: meanwhile the other hosts wait for a token.
constexpr uint64_t kHandOverNs = 1000 * kMillisecond, kLookSoonNs = 2 * kMillisecond;
constexpr uint64_t kTwinEpisodeNs = 600'000 * kMillisecond;
constexpr uint64_t kFollowAfterBytes = 64 << 10;
constexpr int kMostDescriptors = 16;

}  // namespace

bool Networked::watch_descriptor(int fd, uint32_t whose) {
  epoll_event event{EPOLLIN, {}};
  event.data.u32 = whose;
  return fd < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

// A bit for each whose descriptor is readable.
uint32_t Networked::who_asks() const {
  epoll_event ready[kMostDescriptors];
  uint32_t who = 0;
  const int count = epoll_wait(epoll_, ready, kMostDescriptors, 0);
  for (int i = 0; i < count; ++i) who |= 1u << ready[i].data.u32;
  return who;
}

// A queue that is full leaves what is in the outbox there, and its bell would have us turn without a pause.
void Networked::heed_outbox() {
  if (gateway_->takes_outbox() == heeds_outbox_) return;
  heeds_outbox_ = gateway_->takes_outbox();
  epoll_event event{heeds_outbox_ ? static_cast<uint32_t>(EPOLLIN) : 0u, {}};
  event.data.u32 = kGatewaysOwn;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, gateway_->outbox_descriptor(), &event);
}

int32_t Networked::begin() {
  LocalRing* const rings[] = {order_.get(), role_.get(), outbox_.get()};
  for (size_t i = 0; i < std::size(rings); ++i) {
    if (!rings[i]->service().begin() && watch_descriptor(rings[i]->service().fd(), static_cast<uint32_t>(i))) continue;
    while (i > 0) rings[--i]->service().end();
    return EVS_P_NO_RESOURCES;
  }
  return EVS_P_OK;
}

void Networked::end() {
  gateway_.reset();
  outbox_->service().end();
  role_->service().end();
  order_->service().end();
}

uint64_t Networked::work(uint64_t now_ns) {
  uint64_t next = UINT64_MAX;
  const uint32_t asking = who_asks();
  LocalRing* const rings[] = {order_.get(), role_.get(), outbox_.get()};
  for (size_t i = 0; i < std::size(rings); ++i) {
    next = std::min(next, rings[i]->work(now_ns, (asking >> i & 1) != 0));
    if (!rings[i]->service().fault().empty()) throw std::runtime_error(rings[i]->service().fault());
  }
  const std::lock_guard turn(turn_mutex_);
  if (!attached_.load(std::memory_order_acquire)) return next;
  next = std::min(next, gateway_ ? drive_gateway(now_ns) : consider_role(now_ns));
  if (!announced_ && board_->outbox_read() == outbox_->build()) announced_ = ask(Ask::arrive) == EVS_P_OK;
  next = std::min({next, follow(now_ns, (asking >> kFollower & 1) != 0), announced_ ? UINT64_MAX : now_ns + kMillisecond});
  if ((asking >> kRoomBell & 1) != 0) ring_who_waits_for_room();
  tell_who_waits();
  return next;
}

// Moves the cursor that rings for changes to the end of the order: what it passes stands on the board. Members of the order ring that come and go ring it, too, and may
// change nothing there; it must be silenced all the same.
uint64_t Networked::follow(uint64_t now_ns, bool rang) {
  const bool is_changing = board_->is_changing();  // before the turn: what is between its record and the board will not ring again
  const uint64_t turn = board_->processes_turn();
  if (!rang && !is_changing && follower_watches_ && turn == followed_turn_ && order_->ops().lag(follower_) < kFollowAfterBytes) return UINT64_MAX;
  order_->ops().park(follower_);
  follower_watches_ = false;
  std::vector<uint64_t>& scratch = order_->scratch();
  size_t needed = 0;
  const int32_t status = order_->ops().watch(follower_, scratch.data(), scratch.size() * sizeof(uint64_t), &needed);
  if (status == EVS_P_EXPELLED) note_expelled();
  if (status == EVS_P_TOO_BIG) scratch.resize(needed / sizeof(uint64_t) + 1);
  if (status == EVS_P_EXPELLED || status == EVS_P_CLOSED) return UINT64_MAX;  // whoever reads or sends hears of it
  if (status != EVS_P_OK) return now_ns + kMillisecond;
  follower_watches_ = true;
  followed_turn_ = turn;
  order_->ops().arm(follower_);
  // A change between the look at the board and the bell would not have rung.
  if (board_->processes_turn() != turn) return now_ns;
  return is_changing ? now_ns + kMillisecond : UINT64_MAX;
}

void Networked::tell_who_waits() {
  const std::lock_guard guard(waiting_mutex_);
  if (!in_configuration_) {
    ProcessesInForce configuration;
    uint64_t position = 0;
    in_configuration_ = board_->read(configuration, position) && is_in(configuration) && !configuration.is_transitional();
  }
  const bool may_go = resigning_ && (!gateway_ || gateway_->is_over());
  if (may_go && gateway_) {
    let_go();
  }
  resigned_ |= may_go;
  if (in_configuration_ || no_gateway_because_ || resigned_) waiting_.notify_all();
}

bool Networked::is_member(uint64_t holder) const {
  bool found = false;
  const bool known = role_->visit_members([&](const evs_membership& now) {
    const uint64_t build = (now.ring_sequence & 0xffffffffu) << 32;
    for (uint32_t i = 0; i < now.member_count; ++i) found |= Holder{now.members[i].nodeid, build | now.members[i].incarnation}.word() == holder;
  });
  return found || !known;
}

// Who holds the role was a member of the order ring before it took it. The membership is read up to the end behind the look at the board, so a holder that is not
// in it has left it, or its death is proved.
uint64_t Networked::consider_role(uint64_t now_ns) {
  {
    const std::lock_guard guard(waiting_mutex_);
    if (resigning_) return UINT64_MAX;
  }
  if (config_.text("uplink.gateway") == "never") return UINT64_MAX;
  if (stands() && !may_be_handed()) stand_down();
  if (stands()) board_->stand(own_holder());
  else if (another_stands()) return now_ns + kLookAgainNs;
  if (now_ns < role_again_ns_) return role_again_ns_;
  const uint64_t seen = board_->holder();
  if (seen != 0 && is_member(seen)) {
    if (std::exchange(looked_for_twin_, false)) forget_twin();  // whoever is the gateway now knows better than what we heard
    return now_ns + (is_handed_over(now_ns, seen) ? kLookSoonNs : kLookAgainNs);
  }
  take_role(now_ns, seen);
  return now_ns;
}

void Networked::take_role(uint64_t now_ns, uint64_t seen) {
  const Holder self = own_holder();
  if (!board_->take_role(seen, self)) return;
  evs_gateway_moment("role-taken");
  if (!std::exchange(looked_for_twin_, true)) {
    twin_ = Gateway::twin_of_late(making(), now_ns);
    if (twin_) tell_of_twin(now_ns);
  }
  auto gateway = Gateway::open(making(), now_ns);
  if (gateway) {
    gateway_ = std::move(*gateway);
    for (const int fd : gateway_->descriptors()) watch_descriptor(fd, kGatewaysOwn);
    heeds_outbox_ = true;
    if (!twin_) log_.info("gateway", "this process is the gateway of host " + std::to_string(host_id_));
    return;
  }
  board_->leave_role(self);
  role_again_ns_ = now_ns + kTryAgainNs;
  const std::lock_guard guard(waiting_mutex_);
  if (!in_configuration_) return static_cast<void>(no_gateway_because_ = gateway.failure());  // start() says it
  log_.warning("gateway", "this process cannot be the gateway: " + gateway.failure().text);
  stand_down();
}

Gateway::Making Networked::making() {
  return {&config_, &log_, &host_, role_.get(), outbox_.get(), &*board_, &directory_, host_id_, &state_directories_, stands(), patience_, &twin_};
}

// Who has the role gives it to whoever stands for it, and all hosts wait meanwhile: not in vain for what can be known before. Asked once.
bool Networked::may_be_handed() {
  if (std::exchange(looked_for_state_, true)) return true;
  const uint64_t holder = board_->holder();
  if (holder == 0 || holder == own_holder().word() || !is_member(holder)) return true;  // start() says it
  const auto state = Gateway::state_directory(making());
  if (state) return true;
  log_.warning("gateway", "this process cannot be the gateway: " + state.failure().text);
  return false;
}

uint64_t Networked::drive_gateway(uint64_t now_ns) {
  {
    const std::lock_guard guard(waiting_mutex_);
    if (resigning_) gateway_->resign(now_ns, is_last_here());
  }
  if (!yields_ && !stands() && somebody_else_stands(now_ns)) {
    yields_ = true;
    gateway_->resign(now_ns, false);
  }
  const uint64_t next = gateway_->turn(now_ns);
  heed_outbox();
  if (yields_ && gateway_->is_over()) {
    log_.info("gateway", "this process hands the role of the gateway over to one that stands for it");
    yields_ = false;
    let_go();
    return now_ns + kLookAgainNs;
  }
  if (drive_apart(now_ns)) return now_ns;
  const std::string why = gateway_->failure();
  if (why.empty()) return next;
  log_.error("gateway", "this process is no longer the gateway: " + why);
  let_go();
  role_again_ns_ = now_ns + kTryAgainNs;
  return role_again_ns_;
}

void Networked::forget_twin() {
  twin_.reset();
  const std::lock_guard guard(waiting_mutex_);
  why_apart_.clear();
}

// True: this gateway is over, and the next one begins at once: by listening, as another host has our id; or by speaking, as that one is silent.
bool Networked::drive_apart(uint64_t now_ns) {
  if (gateway_->may_speak()) {
    log_.info("uplink.duplicate", "host id " + std::to_string(host_id_) + " is not heard of another host any more: this one joins the ring");
    forget_twin();
  } else if (gateway_->has_twin()) {
    twin_ = gateway_->twin_at();
    tell_of_twin(now_ns);
  } else {
    return false;
  }
  let_go();
  return true;
}

// In the log once an episode: two that meet again and again in ten minutes are one.
void Networked::tell_of_twin(uint64_t now_ns) {
  {
    const std::lock_guard guard(waiting_mutex_);
    why_apart_ = twins_in_words(host_id_, {}, *twin_);
  }
  if (twin_told_ns_ != 0 && now_ns - twin_told_ns_ < kTwinEpisodeNs) return;
  twin_told_ns_ = now_ns;
  log_.error("uplink.duplicate", twins_in_words(host_id_, {}, *twin_) + ". This host keeps apart until the other one is not heard any more");
}

// Others have handed the role over to it and would again, each time that it tries: from now on it is one of them.
void Networked::stand_down() {
  if (!stands()) return;
  may_stand_ = false;
  board_->stand_down(own_holder());
  log_.warning("gateway", "this process does not stand for the gateway's role any more, and leaves it to others: start it again when it can have it");
}

Holder Networked::own_holder() const {
  const evs_ordered_member self = role_->member();
  return {self.nodeid, self.incarnation};
}

void Networked::let_go() {
  gateway_.reset();
  board_->leave_role(own_holder());
}

// Who stands may be gone, and then its word means nothing.
bool Networked::another_stands() const {
  const uint64_t standing = board_->standing();
  return standing != 0 && standing != own_holder().word() && is_member(standing);
}

// For who has turns by the packet.
bool Networked::somebody_else_stands(uint64_t now_ns) {
  if (now_ns < looked_for_standing_ns_ + kLookForStandingNs) return somebody_stands_;
  looked_for_standing_ns_ = now_ns;
  return somebody_stands_ = another_stands();
}

// To us, by `holder`, who has just seen that we stand. One that hangs does not, and is not asked at this pace for ever.
bool Networked::is_handed_over(uint64_t now_ns, uint64_t holder) {
  if (!stands()) return false;
  if (std::exchange(awaited_, holder) != holder) awaited_since_ns_ = now_ns;
  return now_ns < awaited_since_ns_ + kHandOverNs;
}

bool Networked::is_last_here() const {
  uint32_t members = UINT32_MAX;
  outbox_->visit_members([&](const evs_membership& now) { members = now.member_count; });
  return members <= 1;
}

}  // namespace evs::runtime::uplink
