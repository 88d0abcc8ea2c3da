// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/local_ring.h - one membership of this process in one of the two rings of its host.
//
// A process with an uplink has three: `order` as a reader, `outbox` as a sender, and `order` once more for the gateway role. The last is apart so that expelling the
// process because it does not read leaves what it appends for all others in force.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "bus/runtime/config.h"
#include "bus/runtime/plugin_instance.h"
#include "bus/runtime/plugin_parameters.h"

namespace evs::runtime::uplink {

class LocalRing {
 public:
  struct Wishes {
    std::string bus;                            // the ring's name
    std::map<std::string, std::string> instead; // of the configuration's values, where the plugin has such a parameter
    bool is_main = false;                       // its counters and what it has to say are the bus's; of another ring only what is wrong with it
  };
  static PluginResult<std::unique_ptr<LocalRing>> create(const LoadedPlugin& plugin, const Config& config, const evs_host& host, Wishes wishes);
  LocalRing(const LocalRing&) = delete;
  LocalRing& operator=(const LocalRing&) = delete;

  const evs_ordered_ops& ops() const { return transport_->ordered(); }
  evs_transport* self() const { return transport_->self(); }
  Transport& transport() { return *transport_; }
  ServiceCalls& service() { return service_; }
  // Its turn of the service thread, when something of it is due: `readable`, its descriptor is; or its time has come, or it has asked for one. The turns are those of
  // the whole bus, one a packet, and most of them are none of a ring's business.
  uint64_t work(uint64_t now_ns, bool readable);

  evs_ordered_member member() const;
  // Which build of the ring this is: no other one has had its number.
  uint64_t build() const;
  // The membership in force; false: it cannot be told now.
  template <class Visit>
  bool visit_members(Visit&& visit) const {
    for (;;) {
      size_t needed = 0;
      const int32_t status = ops().membership(self(), buffer_.data(), buffer_.size() * sizeof(uint64_t), &needed);
      if (status == EVS_P_TOO_BIG && needed > buffer_.size() * sizeof(uint64_t)) {
        buffer_.resize((needed + 7) / 8);
        continue;
      }
      if (status != EVS_P_OK) return false;
      visit(*reinterpret_cast<const evs_membership*>(buffer_.data()));
      return true;
    }
  }

  // For what a call writes and nobody reads. The service thread's.
  std::vector<uint64_t>& scratch() { return buffer_; }

 private:
  LocalRing(const evs_host& host, const Wishes& wishes);

  static void wake(void* self);
  static void log(void* self, int32_t level, const char* kind, const char* text, size_t length);
  static void log_what_is_wrong(void* self, int32_t level, const char* kind, const char* text, size_t length);

  const std::string bus_;
  const evs_host outer_;
  evs_host host_;
  std::optional<Transport> transport_;
  ServiceCalls service_;
  uint64_t next_ns_ = 0;
  std::atomic<bool> asked_{true};
  mutable std::vector<uint64_t> buffer_;  // the service thread's, and start()'s before it
};

}  // namespace evs::runtime::uplink
