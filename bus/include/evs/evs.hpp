// SPDX-License-Identifier: BSD-3-Clause
//
// evs/evs.hpp - evs/evs.h in C++20: a bus is an object, a payload a span, an answer a value. Header only; no Boost.
//
// It owns what C leaves to discipline (the handle, the callbacks' context, copies of what must outlive a callback) and
// adds no thread, no lock and no copy to a send or a callback. Every call answers with a Result; nothing here throws
// but std::bad_alloc, and dispatch(), which hands over what one of your callbacks threw.
//
// Two ways to receive, on one Bus even: push, with callbacks given to Options and called inside dispatch(); pull, with
// next(), which returns one owned Event. Threads, signals and fork: as evs.h says. See evs_cpp(3), and evs/asio.hpp for
// Asio.
//
//   auto bus = evs::Bus::open(evs::Options().on_message([](const evs::MessageView& m) { std::cout << m.text() << '\n';
//   })); if (!bus) return fail(bus.error().what()); bus->join("chat"); bus->send(evs::Guarantee::agreed,
//   evs::bytes("hello")); bus->dispatch(evs::Dispatch::blocking);
#ifndef EVS_EVS_HPP_DEFINED
#define EVS_EVS_HPP_DEFINED

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evs.h"
#include "evs_options.hpp"
#include "evs_values.hpp"

namespace evs {

enum class Dispatch : int {
  one = CS_DISPATCH_ONE,                         // one callback, waiting for it
  all = CS_DISPATCH_ALL,                         // all that wait; never blocks
  blocking = CS_DISPATCH_BLOCKING,               // as they come, until close()
  one_nonblocking = CS_DISPATCH_ONE_NONBLOCKING  // at most one; CS_ERR_TRY_AGAIN when there was none
};

// No limit to how long send_wait() waits.
inline constexpr std::chrono::nanoseconds kNoTimeout = std::chrono::nanoseconds::max();

// A message to send with send_batch().
struct Outgoing {
  std::span<const Group> groups{};  // empty: the joined groups
  Guarantee guarantee = Guarantee::agreed;
  Bytes data{};
};

// An open handle. Move-only; closes itself. Every call may be made from any thread and from a callback; moving and
// destroying it are, as for any object, for one thread at a time, and close() is how another thread ends a dispatch. A
// Bus that was moved from answers CS_ERR_BAD_HANDLE.
class Bus {
 public:
  // Opens a handle; *reason receives a sentence about what failed. A Bus opened with callbacks receives the kinds of
  // event that have one, with next() too; opened with none, next() gives all kinds.
  static Result<Bus> open(Options options = {}, std::string* reason = nullptr) {
    auto state = std::make_shared<detail::State>(std::move(options));
    const Options& wanted = state->call_back;
    const bool all = !wanted.wants_callbacks();
    evs_callbacks_ex_t callbacks{};
    callbacks.struct_size = sizeof callbacks;
    if (all || wanted.message_) callbacks.deliver = &detail::State::deliver;
    if (all || wanted.configuration_) callbacks.configure = &detail::State::configure;
    if (all || wanted.group_change_) callbacks.group_changed = &detail::State::group_changed;
    if (all || wanted.room_) callbacks.room = &detail::State::room;
    std::vector<evs_parameter_t> parameters;
    for (const auto& [key, value] : wanted.parameters_) parameters.push_back({key.c_str(), value.c_str()});
    char text[512] = "";
    evs_options_t raw{};
    raw.struct_size = sizeof raw;
    raw.bus = wanted.bus_ ? wanted.bus_->c_str() : nullptr;
    raw.config_file = wanted.config_file_ ? wanted.config_file_->c_str() : nullptr;
    raw.parameters = parameters.data();
    raw.parameter_entries = parameters.size();
    raw.callbacks_ex = &callbacks;
    raw.context = state.get();
    raw.log = wanted.log_;
    raw.log_context = wanted.log_context_;
    raw.error = text;
    raw.error_size = sizeof text;
    const cs_error_t answer = evs_initialize_ex(&state->handle, &raw);
    if (answer != CS_OK) {
      if (reason != nullptr) *reason = text[0] != '\0' ? text : cs_strerror(answer);
      return Error(answer);
    }
    return Bus(std::move(state));
  }

  Bus(Bus&&) noexcept = default;
  Bus& operator=(Bus&& other) noexcept {
    if (this != &other) {
      (void)close();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus() { (void)close(); }

  // Closes the handle: a blocking dispatch returns, every later call answers CS_ERR_BAD_HANDLE. From a callback of this
  // Bus it takes effect when the callback returns. Any thread.
  Result<void> close() {
    if (!state_ || state_->closed.exchange(true)) return Error(CS_ERR_BAD_HANDLE);
    return answer(evs_finalize(state_->handle));
  }

  // For calls of evs.h. It stays the Bus's: do not finalize it, and leave its context alone.
  evs_handle_t handle() const { return state_ ? state_->handle : 0; }

  // Readable while dispatch() would call a callback. The library's: do not read, write or close it.
  Result<int> fd() const {
    int fd = -1;
    const cs_error_t error = evs_fd_get(handle(), &fd);
    if (error != CS_OK) return Error(error);
    return fd;
  }

  // ---- Groups

  Result<void> join(std::span<const Group> groups) { return answer(evs_join(handle(), raw(groups), groups.size())); }
  Result<void> join(const Group& group) { return join(std::span(&group, 1)); }
  Result<void> leave(std::span<const Group> groups) { return answer(evs_leave(handle(), raw(groups), groups.size())); }
  Result<void> leave(const Group& group) { return leave(std::span(&group, 1)); }

  // Who has joined `group` now, which may be ahead of the callbacks; with an uplink, where these are.
  Result<std::vector<Member>> group_members(const Group& group) const {
    std::vector<evs_member_t> found(16);
    for (;;) {
      size_t entries = found.size();
      const cs_error_t error = evs_group_members(handle(), raw(std::span(&group, 1)), found.data(), &entries);
      if (error != CS_OK) return Error(error);
      if (entries <= found.size()) return members_of(found.data(), entries);
      found.resize(entries);  // a member that comes between the two calls sends us around again
    }
  }

  // ---- Sending. None blocks but send_wait(); CS_ERR_TRY_AGAIN: nothing was sent, dispatch and try again (or wait for
  // Room).

  // To all groups that this Bus joined.
  Result<void> send(Guarantee guarantee, Bytes data) {
    const iovec piece = as_iovec(data);
    return send(guarantee, std::span(&piece, 1));
  }
  Result<void> send(Guarantee guarantee, std::span<const iovec> pieces) {
    return answer(evs_mcast_joined(handle(), static_cast<evs_guarantee_t>(guarantee), pieces.data(), count(pieces)));
  }
  // To the groups named, joined or not. No groups: delivered to nobody.
  Result<void> send_to(std::span<const Group> groups, Guarantee guarantee, Bytes data) {
    const iovec piece = as_iovec(data);
    return send_to(groups, guarantee, std::span(&piece, 1));
  }
  Result<void> send_to(const Group& group, Guarantee guarantee, Bytes data) {
    return send_to(std::span(&group, 1), guarantee, data);
  }
  Result<void> send_to(std::span<const Group> groups, Guarantee guarantee, std::span<const iovec> pieces) {
    return answer(evs_mcast_groups(handle(), static_cast<evs_guarantee_t>(guarantee), raw(groups), groups.size(),
                                   pieces.data(), count(pieces)));
  }
  // As send(), or with groups as send_to(), waiting for room at most `timeout`: CS_ERR_TIMEOUT.
  Result<void> send_wait(Guarantee guarantee, Bytes data, std::chrono::nanoseconds timeout) {
    return send_wait({}, guarantee, data, timeout);
  }
  Result<void> send_wait(std::span<const Group> groups, Guarantee guarantee, Bytes data,
                         std::chrono::nanoseconds timeout) {
    const iovec piece = as_iovec(data);
    const uint64_t ns = timeout == kNoTimeout ? UINT64_MAX : timeout.count() < 0 ? 0 : uint64_t(timeout.count());
    return answer(evs_mcast_wait(handle(), static_cast<evs_guarantee_t>(guarantee),
                                 groups.empty() ? nullptr : raw(groups), groups.size(), &piece, 1, ns));
  }
  // Several in this order. `sent` is how many went out; `outcome` is why the next one did not.
  struct BatchResult {
    size_t sent = 0;
    Result<void> outcome;
  };
  BatchResult send_batch(std::span<const Outgoing> messages) {
    std::vector<iovec> pieces(messages.size());
    std::vector<evs_outgoing_t> out(messages.size());
    for (size_t i = 0; i < messages.size(); ++i) {
      pieces[i] = as_iovec(messages[i].data);
      const auto& groups = messages[i].groups;
      out[i] = {groups.empty() ? nullptr : raw(groups), groups.size(), &pieces[i], 1,
                static_cast<int32_t>(messages[i].guarantee)};
    }
    BatchResult result;
    result.outcome = answer(evs_mcast_batch(handle(), out.data(), out.size(), &result.sent));
    return result;
  }

  // ---- Receiving

  // Calls callbacks, in this thread. What a callback throws is kept out of the C library and thrown again here once the
  // callback is over: nothing is lost, what was behind it waits for the next dispatch (but see
  // callbacks_never_throw()).
  Result<void> dispatch(Dispatch how = Dispatch::all) {
    const std::shared_ptr<detail::State> state = state_;
    if (!state) return Error(CS_ERR_BAD_HANDLE);
    throw_stray(*state);
    const bool one = how == Dispatch::one || how == Dispatch::one_nonblocking;
    if (one || state->call_back.never_throw_) return answer(step(*state, static_cast<cs_dispatch_flags_t>(how)));
    // One at a time: a callback that throws must be the last.
    const cs_dispatch_flags_t each = how == Dispatch::all ? CS_DISPATCH_ONE_NONBLOCKING : CS_DISPATCH_ONE;
    for (size_t called = 0; how == Dispatch::blocking || called < kMostOfAll; ++called) {
      const cs_error_t error = step(*state, each);
      if (error == CS_OK && how == Dispatch::blocking && state->closed) return {};
      if (error == CS_OK) continue;
      if (error == CS_ERR_TRY_AGAIN && how == Dispatch::all) return {};
      // Closed by a callback or another thread: what a dispatch that did its work calls success.
      if (error == CS_ERR_BAD_HANDLE && called > 0) return {};
      return Error(error);
    }
    return {};
  }

  // The next event, owned; nullopt when none waits, and on an error, which *outcome tells apart (CS_ERR_TRY_AGAIN: none
  // waits). Calls no callbacks. std::bad_alloc means that the event, already taken, did not fit in memory and is lost.
  std::optional<Event> next(Result<void>* outcome = nullptr) { return take(CS_DISPATCH_ONE_NONBLOCKING, outcome); }

  // The same, waiting for it; nullopt when the Bus is closed meanwhile or fails.
  std::optional<Event> wait_next(Result<void>* outcome = nullptr) { return take(CS_DISPATCH_ONE, outcome); }

  // ---- Looking

  Result<Membership> membership() const {
    Membership found;
    unsigned int nodeid = 0;
    for (size_t room = 64;; room = found.members.size()) {
      found.members.resize(room);
      size_t entries = room;
      const cs_error_t error = evs_membership_get(handle(), &nodeid, found.members.data(), &entries);
      if (error != CS_OK) return Error(error);
      found.nodeid = nodeid;
      found.members.resize(entries);
      if (entries <= room) return found;
    }
  }
  Result<evs_status_t> status() const {
    evs_status_t figures{};
    figures.struct_size = sizeof figures;
    const cs_error_t error = ::evs_status(handle(), &figures);
    if (error != CS_OK) return Error(error);
    return figures;
  }
  Result<evs_limits_t> limits() const {
    evs_limits_t bounds{};
    bounds.struct_size = sizeof bounds;
    const cs_error_t error = ::evs_limits(handle(), &bounds);
    if (error != CS_OK) return Error(error);
    return bounds;
  }

 private:
  // Dispatch::all takes what was there and what comes meanwhile, but not for ever: a sender that is faster than the
  // callbacks must not keep an event loop here. The descriptor stays readable then.
  static constexpr size_t kMostOfAll = 4096;

  explicit Bus(std::shared_ptr<detail::State> state) : state_(std::move(state)) {}

  static Result<void> answer(cs_error_t error) { return error == CS_OK ? Result<void>() : Result<void>(Error(error)); }
  static const struct evs_group* raw(std::span<const Group> groups) {
    return reinterpret_cast<const struct evs_group*>(groups.data());
  }
  static iovec as_iovec(Bytes data) { return {const_cast<std::byte*>(data.data()), data.size()}; }
  // More pieces than evs.h can count are more than it takes: its own refusal serves.
  static unsigned int count(std::span<const iovec> pieces) {
    return pieces.size() > UINT32_MAX ? UINT32_MAX : static_cast<unsigned int>(pieces.size());
  }

  static cs_error_t step(detail::State& state, cs_dispatch_flags_t flags) {
    detail::State::Call call{&state, nullptr, nullptr, nullptr};
    const cs_error_t error = state.run(call, flags);
    if (call.thrown) std::rethrow_exception(call.thrown);
    return error;
  }

  std::optional<Event> take(cs_dispatch_flags_t flags, Result<void>* outcome) {
    const std::shared_ptr<detail::State> state = state_;
    std::optional<Event> event;
    cs_error_t error = CS_ERR_BAD_HANDLE;
    if (state) {
      throw_stray(*state);
      detail::State::Call call{state.get(), &event, nullptr, nullptr};
      error = state->run(call, flags);
      if (call.thrown) std::rethrow_exception(call.thrown);
    }
    // Ended by close(): evs.h calls that success, but there is no event to show for it.
    if (error == CS_OK && !event) error = CS_ERR_BAD_HANDLE;
    if (outcome != nullptr) *outcome = answer(error);
    return event;
  }

  static void throw_stray(detail::State& state) {
    std::exception_ptr thrown;
    {
      const std::lock_guard guard(state.stray_lock);
      thrown = std::exchange(state.stray, nullptr);
    }
    if (thrown) std::rethrow_exception(thrown);
  }

  std::shared_ptr<detail::State> state_;
};

}  // namespace evs

#endif  // EVS_EVS_HPP_DEFINED
