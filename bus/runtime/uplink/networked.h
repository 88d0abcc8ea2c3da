// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/networked.h - a bus that spans hosts, as handles see it: an ordered medium made of two rings of this host and a gateway
// (docs/decisions/networked-bus.md).
//
//     append --> outbox ring --> gateway of this host <--> other hosts' gateways
//     read   <-- order ring  <-- gateway
//
// It is a transport like any other to the bus: networked_table.cc has its tables. Its parts: networked.cc opening, leaving, joining again; networked_service.cc
// the service thread's turn and who takes the gateway role; networked_sending.cc the outbox; networked_reading.cc cursors.
//
// Threads as evs/plugin.h says. What the application's threads and the service thread share is atomic or guarded by the mutex beside it; identity and rings change
// only in start() and rejoin(), when nobody else is inside.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "bus/runtime/log.h"
#include "bus/runtime/uplink/board.h"
#include "bus/runtime/uplink/gateway.h"
#include "bus/runtime/uplink/local_ring.h"
#include "bus/runtime/uplink/making.h"

namespace evs::runtime::uplink {

class NetworkedCursor;

class Networked {
 public:
  static PluginResult<std::unique_ptr<Networked>> create(const Making& making);
  ~Networked();
  Networked(const Networked&) = delete;
  Networked& operator=(const Networked&) = delete;

  // networked.cc
  std::optional<PluginFailure> start(uint64_t timeout_ns);
  void say_why(const PluginFailure& failure) { failure_ = failure; }
  void stop();
  int32_t rejoin(uint64_t* lost, evs_error_text* error);
  evs_ordered_member self() const;
  void limits(evs_ordered_limits& out) const;
  void usage(evs_ordered_usage& out) const;
  int32_t membership(void* buffer, size_t size, size_t* needed) const;

  // networked_service.cc
  int32_t begin();
  uint64_t work(uint64_t now_ns);
  void end();
  int fd() const { return epoll_; }

  // networked_sending.cc
  int32_t append(const evs_append& frame, uint64_t* position, void (*before)(void*, uint64_t), void* context);
  int32_t room(NetworkedCursor* cursor, size_t size, uint32_t group_count);
  int32_t wait_room(size_t size, uint32_t group_count, uint64_t timeout_ns);
  void forget_waiting(NetworkedCursor* cursor);

  // networked_reading.cc
  int32_t open_cursor(NetworkedCursor*& out);
  void note_state(uint64_t position, const evs_frame& control, GroupState state);
  int32_t members_of(const evs_plugin_group& group, uint64_t position, void (*visit)(void*, const evs_ordered_member*), void* context);

  const LocalRing& order() const { return *order_; }
  // evs.stats/1: this process's words beside the order ring.
  int32_t add_to_stats(uint32_t word, uint64_t n) const { return stats_ == nullptr ? EVS_P_NOT_SUPPORTED : stats_->add(order_->self(), word, n); }
  const Board& board() const { return *board_; }
  bool is_in(const ProcessesInForce& configuration) const;
  void note_expelled() { expelled_.store(true, std::memory_order_release); }

 private:
  explicit Networked(const Making& making) : config_(*making.config), host_(*making.host), log_(*making.log), failure_(*making.failure) {}

  // networked.cc
  void wake_service() const { host_.wake(host_.context); }
  std::optional<PluginFailure> create_rings();
  std::optional<PluginFailure> open_board();
  std::optional<PluginFailure> await_configuration(uint64_t deadline_ns);
  bool has_gateway();
  void take_identity();
  std::optional<PluginFailure> open_bells();
  void leave_rings();

  // networked_service.cc
  // Whose a descriptor is: a ring's by its place in the turn, or one of these.
  static constexpr uint32_t kGatewaysOwn = 3, kFollower = 4, kRoomBell = 5;
  bool watch_descriptor(int fd, uint32_t whose);
  uint32_t who_asks() const;
  void heed_outbox();
  uint64_t follow(uint64_t now_ns, bool rang);
  void tell_who_waits();
  uint64_t consider_role(uint64_t now_ns);
  bool is_member(uint64_t holder) const;
  bool is_last_here() const;
  bool stands() const { return may_stand_ && config_.text("uplink.gateway") == "standing"; }
  void stand_down();
  bool may_be_handed();
  Gateway::Making making();
  bool another_stands() const;
  bool somebody_else_stands(uint64_t now_ns);
  bool is_handed_over(uint64_t now_ns, uint64_t holder);
  Holder own_holder() const;
  void let_go();
  void tell_of_twin(uint64_t now_ns);
  bool drive_apart(uint64_t now_ns);
  void forget_twin();
  void take_role(uint64_t now_ns, uint64_t seen);
  uint64_t drive_gateway(uint64_t now_ns);
  void ring_who_waits_for_room();
  void ask_for_least();

  // networked_sending.cc
  OutboxHeader header(Ask ask, uint32_t guarantee) const;
  int32_t ask(Ask what);

  const Config& config_;
  const evs_host host_;
  Log& log_;
  std::optional<PluginFailure>& failure_;
  uint32_t host_id_ = 0;
  std::vector<std::string> state_directories_;  // asked of the environment where the application calls us: it may change that later
  std::unique_ptr<LocalRing> order_, outbox_, role_;
  const evs_stats_extension* stats_ = nullptr;
  uint64_t message_limit_ = 0;
  shm::Directory directory_;
  std::optional<Board> board_;
  Resident identity_;
  std::mutex turn_mutex_;              // held by the service thread's turn while attached_, and by who ends that
  std::atomic<bool> attached_{false};  // start() has opened all of it: the service thread does its part
  std::atomic<bool> expelled_{false};
  int epoll_ = -1;

  // ---- The service thread's. ----
  std::unique_ptr<Gateway> gateway_;
  bool heeds_outbox_ = true;  // the bell of the gateway's reader counts
  evs_cursor* follower_ = nullptr;  // rings when the configuration changes
  bool announced_ = false;
  uint64_t followed_turn_ = 0;
  bool follower_watches_ = false;
  uint64_t role_again_ns_ = 0, looked_for_standing_ns_ = 0;
  uint64_t awaited_ = 0, awaited_since_ns_ = 0;  // who has the role that we stand for
  bool somebody_stands_ = false, yields_ = false;
  bool may_stand_ = true;  // until it is seen that it could not be the gateway
  bool looked_for_state_ = false;
  std::optional<std::string> twin_;    // where another host is that has our id: the gateway is to keep apart from it
  bool looked_for_twin_ = false;
  uint64_t twin_told_ns_ = 0;          // in the log; 0: never

  // ---- start() and stop() wait for the service thread. ----
  const std::shared_ptr<Patience> patience_ = std::make_shared<Patience>();  // what that one waits for
  std::mutex waiting_mutex_;
  std::condition_variable waiting_;
  bool in_configuration_ = false;
  bool resigning_ = false, resigned_ = false;
  std::optional<PluginFailure> no_gateway_because_;
  std::string why_apart_;  // empty: the gateway, which we are, does not keep apart

  // ---- Who waits for room in the outbox. ----
  std::mutex room_mutex_;
  evs_cursor* room_bell_ = nullptr;  // parked: rings when there is room
  std::map<NetworkedCursor*, size_t> want_room_;  // bytes of an outbox record

  // ---- Who was in the groups that were joined here. ----
  std::mutex states_mutex_;
  struct State {
    evs_plugin_group group;
    std::vector<Resident> members;
  };
  std::map<uint64_t, std::vector<State>> states_;  // by position
};

// A handle's cursor: one of the order ring, whose records are told as frames.
class NetworkedCursor {
 public:
  NetworkedCursor(Networked& of, evs_cursor* reader) : bus(of), inner(reader) {}
  int32_t watch(void* buffer, size_t size, size_t* needed);
  void park();
  int32_t read(evs_read& request);

  Networked& bus;
  evs_cursor* const inner;

 private:
  bool watches_ = false;
};

}  // namespace evs::runtime::uplink
