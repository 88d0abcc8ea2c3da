// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/role.cc - evs.role/1: the reader that outlives whoever reads (docs/shm-layout.md, "The role's pin").
//
// The role's reader is a cursor whose cell says that it is parked: the segment's pin holds the ring for it, and no judge finds it slow. Service thread.
#include "shm/role.h"

#include "plugins/shm/cursor.h"

namespace evs::plugin_shm {

int32_t Transport::open_role(Cursor*& out, uint64_t& position) {
  if (!member()) return EVS_P_EXPELLED;
  if (role_ != nullptr) return EVS_P_NO_RESOURCES;
  Cursor* cursor = nullptr;
  if (const int32_t opened = open_cursor(cursor); opened != EVS_P_OK) return opened;
  cursor->take_role();
  if (const int32_t begun = cursor->begin_at_pin(position); begun != EVS_P_OK) {
    close_cursor(cursor);
    return begun;
  }
  role_ = cursor;
  out = cursor;
  return EVS_P_OK;
}

void Transport::close_role() {
  role_ = nullptr;
  shm::close_role(segment_, slot_, generation_);
}

int32_t Transport::keep_role(uint64_t position) {
  if (!member()) return EVS_P_EXPELLED;
  if (position == EVS_ROLE_ALL_READ) {
    if (role_ == nullptr || role_->place() == 0) return EVS_P_BAD_PARAMETER;
    position = role_->place();
  }
  if (!shm::keep_role(segment_, position)) return EVS_P_BAD_PARAMETER;
  // Where nobody else reads, nothing but our following moves `covered`, and the room that the pin gave back would end there.
  if (segment_.hot().covered.load(std::memory_order_relaxed) + segment_.geometry().capacity / 8 < position) follow();
  bells_.ring_room();
  return EVS_P_OK;
}

int32_t Transport::settle(uint64_t position, uint32_t& committed) {
  if (!member()) return EVS_P_EXPELLED;
  uint64_t padded = 0;
  shm::Settled found;
  {
    const std::lock_guard lock(fill_mutex_);
    found = shm::settle_claim(segment_, slot_, position, padded);
  }
  if (padded != 0) {
    count(shm::Counter::padded_units, padded);
    bells_.ring_armed(true, nullptr, 0);
  }
  committed = found == shm::Settled::committed ? 1 : 0;
  switch (found) {
    case shm::Settled::committed:
    case shm::Settled::padded: return EVS_P_OK;
    case shm::Settled::alive: return EVS_P_AGAIN;
    case shm::Settled::lost: return EVS_P_TIMEOUT;
    case shm::Settled::not_claimed: return EVS_P_BAD_PARAMETER;
    case shm::Settled::damaged: break;
  }
  return EVS_P_CLOSED;
}

// Who holds a ring that the role's pin bounds, in words.
std::string Transport::whose_role(const std::string& bytes) const {
  const uint32_t holder = shm::role_holder(segment_);
  if (holder != UINT32_MAX) return std::string("the gateway, ").append(who(holder)).append(", has not let go of ").append(bytes);
  return bytes + " are kept for the gateway, and no process has that role: the last one died or left, and nobody took it over";
}

int32_t Cursor::begin_at_pin(uint64_t& position) {
  position = shm::open_role(transport.segment(), transport.slot(), transport.generation());
  position_.store(position, std::memory_order_relaxed);
  if (position != 0) return EVS_P_OK;
  transport.log(EVS_HOST_LOG_ERROR, "segment.damaged",
                "the gateway's place in the ring is an impossible one: a member wrote into the segment against the rules; stop all members and start again");
  return EVS_P_CLOSED;
}

int32_t Cursor::begin_at(uint64_t position) {
  const shm::Segment& segment = transport.segment();
  if (!role_) return EVS_P_BAD_PARAMETER;
  if (!transport.member()) return EVS_P_EXPELLED;
  if (position % shm::kUnit != 0 || before_pin(position) || position > segment.hot().tail.load(std::memory_order_acquire)) return EVS_P_BAD_PARAMETER;
  position_.store(position, std::memory_order_relaxed);
  return EVS_P_OK;
}

bool Cursor::before_pin(uint64_t position) const { return position < shm::role_position(transport.segment()); }

}  // namespace evs::plugin_shm
