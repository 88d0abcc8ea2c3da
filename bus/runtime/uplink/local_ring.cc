// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/local_ring.cc - see local_ring.h.
#include "bus/runtime/uplink/local_ring.h"

#include <cstring>
#include <utility>

namespace evs::runtime::uplink {
namespace {

constexpr size_t kSomeMembers = (sizeof(evs_membership) + 64 * sizeof(evs_ordered_member)) / sizeof(uint64_t);

uint64_t* no_counter(void*, const char*, const char*) { return nullptr; }

}  // namespace

// A member that died, is stopped or goes on is told once, by the ring that handles read; and an outbox is full whenever applications send faster than hosts take it, which is no fault.
void LocalRing::log_what_is_wrong(void* self, int32_t level, const char* kind, const char* text, size_t length) {
  const evs_host& outer = static_cast<LocalRing*>(self)->outer_;
  const bool is_of_a_process = std::strcmp(kind, "member.stopped") == 0 || std::strcmp(kind, "member.resumed") == 0;
  if (level < EVS_HOST_LOG_WARNING || is_of_a_process) level = EVS_HOST_LOG_DEBUG;
  else if (std::strcmp(kind, "ring.full") == 0) level = EVS_HOST_LOG_INFO;
  outer.log(outer.context, level, kind, text, length);
}

void LocalRing::log(void* self, int32_t level, const char* kind, const char* text, size_t length) {
  const evs_host& outer = static_cast<LocalRing*>(self)->outer_;
  outer.log(outer.context, level, kind, text, length);
}

// From any thread, and from a signal handler.
void LocalRing::wake(void* self) {
  auto& ring = *static_cast<LocalRing*>(self);
  ring.asked_.store(true, std::memory_order_release);
  ring.outer_.wake(ring.outer_.context);
}

LocalRing::LocalRing(const evs_host& host, const Wishes& wishes) : bus_(wishes.bus), outer_(host), host_(host), buffer_(kSomeMembers) {
  host_.bus = bus_.c_str();
  host_.context = this;
  host_.wake = &wake;
  if (wishes.is_main) {
    host_.counter = [](void* self, const char* name, const char* help) {
      const evs_host& outer = static_cast<LocalRing*>(self)->outer_;
      return outer.counter(outer.context, name, help);
    };
    host_.log = &log;
    host_.get_extension = [](void* self, const char* id) {
      const evs_host& outer = static_cast<LocalRing*>(self)->outer_;
      return outer.get_extension(outer.context, id);
    };
    return;
  }
  host_.counter = &no_counter;
  host_.log = &log_what_is_wrong;
  host_.get_extension = [](void*, const char*) -> const void* { return nullptr; };
}

uint64_t LocalRing::work(uint64_t now_ns, bool readable) {
  const bool asked = asked_.exchange(false, std::memory_order_acq_rel);  // before the work: what is asked for meanwhile is the next turn's
  if (!asked && !readable && now_ns < next_ns_) return next_ns_;
  next_ns_ = service_.work(now_ns);
  return next_ns_;
}

PluginResult<std::unique_ptr<LocalRing>> LocalRing::create(const LoadedPlugin& plugin, const Config& config, const evs_host& host, Wishes wishes) {
  std::unique_ptr<LocalRing> ring(new LocalRing(host, wishes));
  std::optional<ParameterList> parameters;
  if (auto failure = asked(plugin, "get_extension", [&] { parameters.emplace(config, plugin, wishes.instead); })) return *failure;
  auto transport = Transport::create(plugin, ring->host_, parameters->view());
  if (!transport) return transport.failure();
  ring->transport_.emplace(std::move(*transport));
  ring->service_ = ring->transport_->service();
  return ring;
}

evs_ordered_member LocalRing::member() const {
  evs_ordered_member member{};
  ops().self(self(), &member);
  member.incarnation |= build() << 32;
  return member;
}

uint64_t LocalRing::build() const {
  uint64_t build = 0;
  visit_members([&](const evs_membership& now) { build = now.ring_sequence; });
  return build & 0xffffffffu;
}

}  // namespace evs::runtime::uplink
