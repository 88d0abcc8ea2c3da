// SPDX-License-Identifier: BSD-3-Clause
//
// evs/evs_options.hpp - how an evs::Bus is opened, and what stands behind it: the way from the C callbacks to yours.
//
// Part of evs/evs.hpp; include that. The C library knows one context pointer, to a detail::State. It is shared: the Bus
// holds it, and so does every dispatch under way, so that a callback may close, move or destroy the Bus that called it.
// Which dispatch a callback belongs to is told by a chain through the stack of the thread, its top in a thread_local:
// no lock.
#ifndef EVS_EVS_OPTIONS_HPP_DEFINED
#define EVS_EVS_OPTIONS_HPP_DEFINED

#include <cxxabi.h>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evs.h"
#include "evs_values.hpp"

namespace evs {

namespace detail {
struct State;
}

// How a Bus is opened: evs_options_t as a builder. Every setter may be left out.
class Options {
 public:
  Options& bus(std::string name) { return bus_ = std::move(name), *this; }
  Options& config_file(std::string path) { return config_file_ = std::move(path), *this; }
  // A key of evs.toml(5) and its value.
  Options& parameter(std::string key, std::string value) {
    parameters_.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  Options& on_message(std::function<void(const MessageView&)> call) { return message_ = std::move(call), *this; }
  Options& on_configuration(std::function<void(const Configuration&)> call) {
    return configuration_ = std::move(call), *this;
  }
  Options& on_group_change(std::function<void(const GroupChange&)> call) {
    return group_change_ = std::move(call), *this;
  }
  // Once after a send answered CS_ERR_TRY_AGAIN, when a message of that size has room.
  Options& on_room(std::function<void()> call) { return room_ = std::move(call), *this; }
  // Promises that the callbacks do not throw: dispatch() then takes whole batches. One that throws all the same is
  // handed over after the rest of what waited was called back, and ends Dispatch::blocking only with close().
  Options& callbacks_never_throw() { return never_throw_ = true, *this; }
  // Receives the bus's log lines. `call` and `context` must stay valid until the last handle of this process on the bus
  // is closed, which may be later than this Bus: hence a plain function.
  Options& log(evs_log_fn_t call, void* context = nullptr) { return log_ = call, log_context_ = context, *this; }

 private:
  friend class Bus;
  friend struct detail::State;
  bool wants_callbacks() const { return message_ || configuration_ || group_change_ || room_; }

  std::optional<std::string> bus_, config_file_;
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::function<void(const MessageView&)> message_;
  std::function<void(const Configuration&)> configuration_;
  std::function<void(const GroupChange&)> group_change_;
  std::function<void()> room_;
  bool never_throw_ = false;
  evs_log_fn_t log_ = nullptr;
  void* log_context_ = nullptr;
};

namespace detail {

// What the C callbacks reach through their context pointer. Shared with every dispatch under way, so that a callback
// may destroy the Bus that called it.
struct State {
  // One dispatch or next() under way in this thread; the innermost first, for a callback may dispatch another Bus.
  struct Call {
    State* state;
    std::optional<Event>* into;  // next(): where the event goes; otherwise null and the callbacks are called
    std::exception_ptr thrown;
    Call* outer;
  };

  explicit State(Options&& options) : call_back(std::move(options)) {}
  virtual ~State() = default;

  // Virtual, so that it runs in the module that opened the Bus whichever module dispatches it: the C callbacks below
  // and `innermost` must be of one module, and each that hides its symbols has copies of its own.
  virtual cs_error_t run(Call& call, cs_dispatch_flags_t flags) {
    struct Innermost {
      explicit Innermost(Call& call) : outer(std::exchange(innermost(), &call)) { call.outer = outer; }
      ~Innermost() { innermost() = outer; }
      Call* outer;
    } const while_dispatching(call);
    return evs_dispatch(handle, flags);
  }

  static Call*& innermost() {
    static thread_local Call* call = nullptr;
    return call;
  }

  // Runs `capture(event)` or `push()`, and keeps what it throws from crossing into C. Not the unwinding of a thread that is cancelled in a
  // callback: evs_dispatch() lets that pass, and nobody may stop it.
  template <class Capture, class Push>
  void guarded(Capture capture, Push push) {
    Call* call = innermost();
    while (call != nullptr && call->state != this) call = call->outer;
    try {
      if (call != nullptr && call->into != nullptr) {
        capture(*call->into);
      } else {
        push();
      }
    } catch (abi::__forced_unwind&) {
      throw;
    } catch (...) {
      if (call != nullptr) {
        if (!call->thrown) call->thrown = std::current_exception();
      } else {
        // Somebody dispatched our handle through C: the next dispatch() of the Bus hands it over.
        const std::lock_guard guard(stray_lock);
        if (!stray) stray = std::current_exception();
      }
    }
  }

  static void deliver(evs_handle_t, void* context, const evs_message_t* message) {
    auto* self = static_cast<State*>(context);
    const MessageView view(*message);
    self->guarded([&](std::optional<Event>& into) { into.emplace(view.copy()); },
                  [&] {
                    if (self->call_back.message_) self->call_back.message_(view);
                  });
  }
  static void configure(evs_handle_t, void* context, const evs_configuration_t* configuration) {
    auto* self = static_cast<State*>(context);
    self->guarded([&](std::optional<Event>& into) { into.emplace(Configuration(*configuration)); },
                  [&] {
                    if (self->call_back.configuration_) self->call_back.configuration_(Configuration(*configuration));
                  });
  }
  static void group_changed(evs_handle_t, void* context, const evs_group_change_t* change) {
    auto* self = static_cast<State*>(context);
    self->guarded([&](std::optional<Event>& into) { into.emplace(GroupChange(*change)); },
                  [&] {
                    if (self->call_back.group_change_) self->call_back.group_change_(GroupChange(*change));
                  });
  }
  static void room(evs_handle_t, void* context) {
    auto* self = static_cast<State*>(context);
    self->guarded([](std::optional<Event>& into) { into.emplace(Room{}); },
                  [&] {
                    if (self->call_back.room_) self->call_back.room_();
                  });
  }

  evs_handle_t handle = 0;
  std::atomic<bool> closed{false};
  const Options call_back;
  std::mutex stray_lock;
  std::exception_ptr stray;
};

}  // namespace detail

}  // namespace evs

#endif  // EVS_EVS_OPTIONS_HPP_DEFINED
