// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/bus.h - one bus of this process: the transport, the service thread, and the handles that share them.
//
// The gate says who may use the transport. Handles look at it in every call, after having made themselves known in their
// thread's presence record; so raising it and waiting for the records gives the transport to one alone (presence.h).
//
//     open          everybody
//     sends_closed  after a rejoin, until every handle's groups have been joined again: a message to them must come after
//     exclusive     the service thread rejoins
//     closed        the medium failed, or a CHECK of ours did: every call answers CS_ERR_LIBRARY
//
// Rejoining is the service thread's: a send that learns of the expulsion may be in a signal handler, and must not
// block. It asks (bus_rejoin.cc), waits a moment, and answers TRY_AGAIN if that was not enough.
//
// Locks, outer to inner: handles_mutex_, a handle's scan lock, ProcessGroups. Nobody waits for a presence but the holder of
// handles_mutex_, and nobody inside a call takes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/runtime/batch.h"
#include "bus/runtime/check.h"
#include "bus/runtime/config.h"
#include "bus/runtime/futex.h"
#include "bus/runtime/host_table.h"
#include "bus/runtime/log.h"
#include "bus/runtime/membership.h"
#include "bus/runtime/plugin_instance.h"
#include "bus/runtime/plugin_result.h"
#include "bus/runtime/presence.h"
#include "bus/runtime/process_groups.h"
#include "bus/runtime/service_thread.h"
#include "bus/runtime/services.h"
#include "bus/runtime/stats.h"
#include "bus/runtime/uplink/making.h"
#include "evs/plugin.h"

namespace evs::runtime {

class Handle;

enum Gate : uint32_t { kGateOpen = 0, kGateSendsClosed = 1, kGateExclusive = 2, kGateClosed = 3 };

inline constexpr uint32_t kNoCountedSlot = UINT32_MAX;  // more buses than kCountedBuses: counted in Bus::shared_counts

struct BusRequest {
  Config config;
  LogFunction log = nullptr;
  void* log_context = nullptr;
  bool hands_out_why = false;  // why it could not be opened is handed to the application as a text
};

class Bus {
 public:
  // Loads the transport, starts the service thread, joins. `counted_slot`: where the records count this bus's sends.
  static PluginResult<std::unique_ptr<Bus>> open(BusRequest request, uint32_t counted_slot);
  // Leaves and takes everything down. No handle is open.
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  // Constant while open.
  evs_transport* transport() const { return transport_->self(); }
  const evs_ordered_ops* ops() const { return &transport_->ordered(); }
  const evs_groups_extension* groups_extension() const { return groups_extension_; }
  template <class Table>
  const Table* extension(const char* name) const {
    return transport_->extension<Table>(name);
  }
  const evs_ordered_limits& limits() const { return limits_; }
  const Config& config() const { return config_; }
  uint32_t counted_slot() const { return counted_slot_; }
  Log& log() { return *log_; }
  const HostTable& host() const { return *host_; }

  // Inside a call, or on the service thread: it changes only while nobody is inside.
  const evs_ordered_member& self() const { return self_; }

  std::atomic<uint32_t> gate{kGateOpen};

  // Ends the bus for this process: a line in the log, and CS_ERR_LIBRARY from now on. [any]
  void close(std::string_view why) noexcept;
  void close_for(const CheckFailed& failed) noexcept;
  void wake_service() { host_->wake(); }  // [signal]

  // The transport answered EXPELLED. Asks the service thread and waits for one attempt, at most timeout_ns; not inside a call.
  // EVS_P_OK: try again what was to be done; AGAIN: not yet; else the attempt's status. [signal]
  int32_t await_rejoin(uint64_t timeout_ns);

  // The membership that this process has read. Inside a call.
  int32_t membership(Membership& out);
  // Runs read(buffer, size, needed) with a buffer that is large enough.
  static int32_t read_membership(const std::function<int32_t(void*, size_t, size_t*)>& read, Membership& out);

  // Handles. attach() opens the cursor and begins; detach() leaves the groups, and closes it.
  int32_t attach(Handle& handle);
  void detach(Handle& handle);
  uint32_t handle_count() const { return handle_count_.load(std::memory_order_relaxed); }
  // Ends the wait() of a handle that is being closed, but not while a rejoin has the transport for itself.
  void wake_sleeper(Handle& handle);

  ProcessGroups& groups() { return groups_; }
  const Stats& stats() const { return stats_; }

  struct Totals {
    presence::SendTotals sent;
    uint64_t expulsions = 0, lost_messages = 0, outsider_messages = 0;
  };
  Totals totals() const;
  SendCounts shared_counts;  // with locked additions: signal handlers within a call, more threads than records

 private:
  struct DeferredLeave {
    uint64_t handle;
    std::vector<groups::GroupKey> keys;
  };

  Bus(BusRequest request, uint32_t counted_slot);
  std::optional<PluginFailure> start();
  std::optional<PluginFailure> load();
  std::optional<PluginFailure> load_networked();
  uint64_t after_work(uint64_t now_ns);
  uint64_t look_after_handles(uint64_t now_ns);
  void notice_membership();
  bool send_deferred();
  bool join_again();
  void lower_gate(uint32_t to);
  void rejoin();
  void keep_everybody_out();

  Config config_;
  const uint32_t counted_slot_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<HostTable> host_;
  ServiceThread service_;
  uplink::Making making_;                // of a bus with an uplink
  std::optional<PluginFailure> networked_failure_;
  evs_host networked_host_{};
  std::optional<Transport> transport_;
  Services beside_;
  const evs_groups_extension* groups_extension_ = nullptr;
  bool joined_ = false;
  evs_ordered_limits limits_{};
  evs_ordered_member self_{};
  ProcessGroups groups_;
  Stats stats_;

  std::mutex handles_mutex_;
  std::vector<Handle*> handles_;
  std::atomic<uint32_t> handle_count_{0};  // for those who may not take the lock
  std::vector<DeferredLeave> deferred_;  // of handles that closed while the ring was full
  bool closing_told_ = false;
  uint64_t seen_change_ = 0, seen_ring_ = 0;
  bool joining_again_ = false;
  Batch passed_;  // for pass_unwanted()
  uint64_t log_tick_ns_ = 0;

  std::atomic<uint32_t> rejoin_wanted_{0};
  std::atomic<uint32_t> rejoin_attempts_{0};  // counts up when an attempt has ended
  std::atomic<int32_t> rejoin_status_{0};
  std::atomic<bool> ready_{false};   // start() is through: the service thread looks after handles
  std::atomic<uint64_t> expulsions_{0}, lost_messages_{0};
};

}  // namespace evs::runtime
