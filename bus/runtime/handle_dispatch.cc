// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/handle_dispatch.cc - calling back: one at a time, in order, and never from inside.
//
// ALL answers after what was there and what came meanwhile, but not for ever: a sender faster than this reader would keep it
// here. kRefillsOfAll reads, each of one batch, is the bound; the descriptor stays readable then. A thread that finds
// another one calling back does not wait for it (ALL, ONE_NONBLOCKING): what is there is being told.
//
// After each callback the number is looked at again: finalized in the callback, or a child of a fork now, it tells nothing more.
#include <time.h>

#include <mutex>
#include <utility>

#include "bus/runtime/call.h"
#include "bus/runtime/handle.h"
#include "bus/runtime/no_cancel.h"

namespace evs::runtime {
namespace {

constexpr uint32_t kRefillsOfAll = 64;
constexpr long kRejoinPauseNs = 100'000'000;  // between attempts, for a dispatch that blocks

// Callbacks may throw, or their thread may be cancelled in one: the count and the pin are kept right.
struct InCallback {
  InCallback() { ++t_callback_depth; }
  ~InCallback() { --t_callback_depth; }
  InCallback(const InCallback&) = delete;
  InCallback& operator=(const InCallback&) = delete;
};
struct Pin {
  explicit Pin(Batch& pinned) : batch(pinned) { batch.pin(); }
  ~Pin() { batch.unpin(); }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  Batch& batch;
};

}  // namespace

bool Handle::is_open() const {
  return handle_table::slot_of(id).tag.load(std::memory_order_acquire) == id;
}

bool Handle::has_something() const { return dirty_.load(std::memory_order_acquire) != 0 || ops->pending(cursor) != 0; }

// The number is no longer valid. In the child of a fork it never was.
cs_error_t Handle::gone(const Call& call) const {
  if (forks_ != handle_table::g_forks.load(std::memory_order_relaxed)) return CS_ERR_BAD_HANDLE;
  // TRY_AGAIN: a rejoin is under way, and this dispatch does not wait for it.
  return call.error() == CS_ERR_LIBRARY || call.error() == CS_ERR_TRY_AGAIN ? call.error() : CS_OK;
}

// What was read and not told yet: has_something() shall know, and who sleeps in another dispatch, whom no bell rings for it. With the callback
// lock held. Either the sleeper's look (after it was counted) finds the bit, or we find it counted. (Where a rejoin keeps us out, it wakes them.)
void Handle::note_leftovers(Call& call) {
  if (batch_ == nullptr) return;
  const bool leftover = !batch_->drained() || next_event_ < events_.size();
  const bool known = (dirty_.load(std::memory_order_relaxed) & kLeftover) != 0;
  if (leftover && !known) {
    dirty_.fetch_or(kLeftover, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) == 0 || !call.enter()) return;
    const NoCancel not_in_here;
    ops->wake(cursor);
  }
  if (!leftover && known) dirty_.fetch_and(~static_cast<uint32_t>(kLeftover), std::memory_order_release);
}

cs_error_t Handle::dispatch(Call& call, cs_dispatch_flags_t flags) {
  const bool single = flags == CS_DISPATCH_ONE || flags == CS_DISPATCH_ONE_NONBLOCKING;
  const bool blocking = flags == CS_DISPATCH_ONE || flags == CS_DISPATCH_BLOCKING;
  const cs_error_t nothing = flags == CS_DISPATCH_ONE_NONBLOCKING ? CS_ERR_TRY_AGAIN : CS_OK;
  struct Holder {
    Holder(Handle& handle, Call& its_call) : held(handle), in(its_call) {}
    ~Holder() {  // also of a thread that is cancelled in a callback
      held.note_leftovers(in);
      in.leave();  // releasing may take the handle down, which waits for those inside
      held.release_callback_lock();
    }
    Handle& held;
    Call& in;
  };

  for (;;) {
    Outcome outcome = Outcome::nothing;
    if (!blocking || has_something()) {
      if (!callback_lock_.try_lock(&t_callback_depth)) {
        if (!blocking) return nothing;
        call.leave();
        callback_lock_.lock(&t_callback_depth);
      }
      const Holder holder(*this, call);
      outcome = call.enter() ? run(call, single) : Outcome::gone;
    }
    switch (outcome) {
      case Outcome::delivered:
        if (flags != CS_DISPATCH_BLOCKING) return CS_OK;
        break;
      case Outcome::paused:
      case Outcome::nothing:
        if (!blocking) return nothing;
        break;
      case Outcome::gone:
        return gone(call);
      case Outcome::closed:
        return CS_ERR_LIBRARY;
      case Outcome::expelled: {
        if (!call.enter()) return gone(call);
        const int32_t rejoined = await_rejoin(call, blocking ? kRejoinWaitNs : kRejoinMomentNs);
        if (!call.inside()) return gone(call);
        if (rejoined == EVS_P_OK) continue;
        if (!blocking) return error_of_status(rejoined);
        call.leave();
        const NoCancel not_in_here;
        const timespec pause{0, kRejoinPauseNs};
        nanosleep(&pause, nullptr);
        if (!call.enter()) return gone(call);
        continue;
      }
    }
    if (!call.enter()) return gone(call);
    if (outcome == Outcome::nothing) {
      const cs_error_t slept = sleep(call);
      if (slept != CS_OK) return slept == CS_ERR_BAD_HANDLE ? gone(call) : slept;
    }
  }
}

Handle::Outcome Handle::run(Call& call, bool single) {
  bool called = false;
  uint32_t refills = 0;
  for (;;) {
    while (next_event_ < events_.size() || !batch_->drained()) {
      if (__builtin_expect(next_event_ == events_.size() && batch_->next().kind == EVS_FRAME_MESSAGE, 1)) {
        if (!has_deliver_) {
          batch_->take();
          continue;
        }
        if (!deliver_messages(call, single)) return Outcome::gone;
        if (single) return Outcome::delivered;
        called = true;
        continue;
      }
      switch (deliver_next(call)) {
        case Step::called:
          if (!is_open()) return Outcome::gone;
          if (single) return Outcome::delivered;
          called = true;
          break;
        case Step::gone:
          return Outcome::gone;
        default:
          break;
      }
    }
    if (!call.enter()) return Outcome::gone;
    if (__builtin_expect(callback_ns_ != 0, 0)) note_callback();
    if (called && !has_something() && !fd_wanted_.load(std::memory_order_relaxed)) return Outcome::delivered;
    if (refills++ == kRefillsOfAll) return called ? Outcome::delivered : Outcome::paused;
    if (__builtin_expect(next_event_ > 0, 0)) {
      events_.clear();
      next_event_ = 0;
    }
    switch (dirty_.load(std::memory_order_acquire) == 0 ? read_locked() : refill()) {
      case Refill::more: break;
      case Refill::empty: return called ? Outcome::delivered : Outcome::nothing;
      case Refill::expelled: return called ? Outcome::delivered : Outcome::expelled;
      case Refill::closed:
        bus->close("the transport has failed");
        return Outcome::closed;
      case Refill::gone: return Outcome::gone;
    }
  }
}

Handle::Refill Handle::read_locked() {
  const std::lock_guard guard(scan_lock_);
  if (__builtin_expect(!tokens_.empty(), 0)) return Refill::more;  // posted meanwhile: it is told first
  return read_or_ask();
}

// Arming may have taken the ring away that a send's wish for room was answered with: then that is looked at, too.
Handle::Refill Handle::read_or_ask() {
  const Refill found = read_more();
  if (found != Refill::empty || !fd_wanted_.load(std::memory_order_relaxed)) return found;
  return (dirty_.load(std::memory_order_acquire) & kRoom) != 0 ? Refill::more : found;
}

// Everything told so far; what comes next: a token, a membership that a parked handle missed, room, the order.
Handle::Refill Handle::refill() {
  const NoCancel not_in_here;
  Token token{Token::Kind::membership, {}, {}};
  {
    const std::lock_guard guard(scan_lock_);
    if (!tokens_.empty()) {
      token = std::move(tokens_.front());
      tokens_.erase(tokens_.begin());
      if (tokens_.empty()) dirty_.fetch_and(~static_cast<uint32_t>(kToken), std::memory_order_acq_rel);
    } else if ((dirty_.load(std::memory_order_relaxed) & kMembership) != 0) {
      dirty_.fetch_and(~static_cast<uint32_t>(kMembership), std::memory_order_acq_rel);
      if (watching_) return Refill::more;
      token.self = bus->self();
      const int32_t status = bus->membership(token.membership);
      if (status == EVS_P_EXPELLED) return Refill::expelled;
      if (status != EVS_P_OK) return Refill::closed;
    } else if ((dirty_.fetch_and(~static_cast<uint32_t>(kRoom | kLeftover), std::memory_order_acq_rel) & kRoom) != 0) {
      const auto ask = [this] {
        return ops->room(transport, cursor, room_size_.load(std::memory_order_relaxed),
                         room_groups_.load(std::memory_order_relaxed));
      };
      if (ask() == EVS_P_AGAIN) {
        dirty_.fetch_or(kRoom, std::memory_order_release);  // the medium rings
        const Refill found = read_more();
        if (found != Refill::empty || !fd_wanted_.load(std::memory_order_relaxed)) return found;
        if (ask() == EVS_P_AGAIN) return found;  // it rang in between, and arming took the ring away: asked once more
        dirty_.fetch_and(~static_cast<uint32_t>(kRoom), std::memory_order_acq_rel);
      }
      events_.emplace_back(RoomEvent{});
      return Refill::more;
    } else {
      return read_or_ask();
    }
  }
  expand(token);
  return Refill::more;
}

Handle::Step Handle::deliver_next(Call& call) {
  if (next_event_ < events_.size()) {
    const Event event = std::move(events_[next_event_++]);
    if (!due(event)) return Step::silent;
    call_back(call, event);
    return Step::called;
  }
  events_.clear();
  next_event_ = 0;
  return expand(call, batch_->take());
}

// Calls back for the messages that come next in the batch, or for one. false: the handle is gone.
bool Handle::deliver_messages(Call& call, bool single) {
  Batch& batch = *batch_;
  const Pin pin(batch);
  const InCallback in_callback;
  call.leave();
  const evs_deliver_fn_t deliver = callbacks_.extended.deliver == nullptr ? callbacks_.compatible.evs_deliver_fn : nullptr;
  do {
    const evs_frame& frame = batch.take();
    std::atomic<uint64_t>& count = counts_.messages[frame.guarantee % shm::kGuarantees];
    const uint64_t nth = count.load(std::memory_order_relaxed);
    count.store(nth + 1, std::memory_order_relaxed);
    SendCounts::add(counts_.bytes, frame.size);
    if (__builtin_expect(sampling_.takes(nth), 0)) {
      call_timed(frame);
    } else if (__builtin_expect(deliver != nullptr, 1)) {
      deliver(id, frame.nodeid, frame.data, frame.size);
    } else {
      call_extended(frame);
    }
    if (__builtin_expect(!is_open(), 0)) return false;
    // A callback that dispatches goes on in this batch, and may leave it used up.
  } while (!single && !batch.drained() && batch.next().kind == EVS_FRAME_MESSAGE);
  return true;
}

// One in many. It may be gone afterwards, and is outside: the transport is told later.
[[gnu::noinline, gnu::cold]] void Handle::call_timed(const evs_frame& frame) {
  const uint64_t began_ns = monotonic_ns();
  if (callbacks_.extended.deliver != nullptr) call_extended(frame);
  else callbacks_.compatible.evs_deliver_fn(id, frame.nodeid, frame.data, frame.size);
  if (is_open()) callback_ns_ = std::max<uint64_t>(1, monotonic_ns() - began_ns);
}

void Handle::note_callback() { bus->stats().took(shm::Histogram::callback, std::exchange(callback_ns_, 0)); }

void Handle::call_extended(const evs_frame& frame) {
  if (last_sender_.nodeid != frame.nodeid || last_sender_.incarnation != frame.incarnation) {
    last_sender_.nodeid = frame.nodeid;
    last_sender_.incarnation = frame.incarnation;
    last_sender_.pid = teller_.pid_of(frame.nodeid, frame.incarnation);
  }
  evs_message_t message{};
  message.struct_size = sizeof message;
  message.nodeid = frame.nodeid;
  message.pid = last_sender_.pid;
  message.guarantee = static_cast<int32_t>(frame.guarantee);
  message.groups = reinterpret_cast<const evs_group*>(frame.groups);
  message.group_entries = frame.group_count;
  message.data = frame.data;
  message.size = frame.size;
  message.configuration = teller_.current();
  message.sequence = frame.position;
  callbacks_.extended.deliver(id, context.load(std::memory_order_relaxed), &message);
}

void Handle::call_back(Call& call, const Event& event) {
  const InCallback in_callback;
  call.leave();
  void* const app_context = context.load(std::memory_order_relaxed);
  if (const auto* configuration = std::get_if<Configuration>(&event)) {
    call_configuration(*configuration);
  } else if (const auto* change = std::get_if<evs_group_change_t>(&event)) {
    callbacks_.extended.group_changed(id, app_context, change);
  } else {
    callbacks_.extended.room(id, app_context);
  }
}

void Handle::call_configuration(const Configuration& told) {
  if (callbacks_.extended.configure != nullptr) {
    evs_configuration_t view{};
    view.struct_size = sizeof view;
    view.kind = told.kind;
    view.flags = told.flags;
    view.id = told.id;
    view.members = told.members.data();
    view.member_entries = told.members.size();
    view.left = told.left.data();
    view.left_entries = told.left.size();
    view.joined = told.joined.data();
    view.joined_entries = told.joined.size();
    view.epoch = told.epoch;
    callbacks_.extended.configure(id, context.load(std::memory_order_relaxed), &view);
    return;
  }
  const auto nodeids = [](const std::vector<evs_member_t>& members) {
    std::vector<unsigned int> ids;
    ids.reserve(members.size());
    for (const evs_member_t& member : members) ids.push_back(member.nodeid);
    return ids;
  };
  const auto members = nodeids(told.members), left = nodeids(told.left), joined = nodeids(told.joined);
  callbacks_.compatible.evs_confchg_fn(id, members.data(), members.size(), left.data(), left.size(), joined.data(),
                                       joined.size(), &told.id);
}

// Inside on entry and, when the answer is CS_OK, on return. One thread at a time waits in the transport, the others for it.
cs_error_t Handle::sleep(Call& call) {
  const NoCancel not_in_here;
  hold();
  call.leave();
  sleep_lock_.lock();
  // Room is waited for asleep: the medium wakes us when it has some.
  const bool quiet = is_open() && (dirty_.load(std::memory_order_seq_cst) & ~static_cast<uint32_t>(kRoom)) == 0;
  const int32_t status = quiet ? ops->wait(cursor, UINT64_MAX) : EVS_P_INTERRUPTED;
  sleep_lock_.unlock();
  release();
  if (!call.enter()) return CS_ERR_BAD_HANDLE;
  if (status == EVS_P_CLOSED) {
    bus->close("the transport has failed");
    return CS_ERR_LIBRARY;
  }
  if (status == EVS_P_EXPELLED) await_rejoin(call, kRejoinWaitNs);
  return call.inside() ? CS_OK : CS_ERR_BAD_HANDLE;
}

cs_error_t Handle::fd(Call&, int& out) {
  const int fd = ops->fd(cursor);
  if (fd < 0) return CS_ERR_NO_RESOURCES;
  // What waits already was not rung for; the dispatch that finds nothing arms it.
  fd_wanted_.store(true, std::memory_order_seq_cst);
  ops->ring(cursor);
  out = fd;
  return CS_OK;
}

}  // namespace evs::runtime
