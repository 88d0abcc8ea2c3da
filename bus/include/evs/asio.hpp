// SPDX-License-Identifier: BSD-3-Clause
//
// evs/asio.hpp - an evs::Bus in an Asio program: async_next(token) completes with one owned event.
//
// Relies on evs.hpp's pull interface and on the descriptor of evs_fd_get(): take what waits, else wait for the
// descriptor and look again. The descriptor is dup()ed, so that Asio owns and closes one of its own; the state is
// shared with every operation under way, so that AsioBus may be destroyed, closed or cancelled while some are
// outstanding: they complete with operation_aborted. Not a thread of its own, no polling, and no event is taken from
// the bus before it is handed to somebody.
//
// Works with callbacks, futures, and with C++20 coroutines where the compiler and Asio have them (EVS_HAS_COROUTINES;
// GCC 10 and later with Boost 1.74, not clang 14 with libstdc++):
//   boost::asio::awaitable<void> listen(evs::AsioBus& bus) {
//     for (;;) if (auto event = co_await bus.next(); auto* m = std::get_if<evs::Message>(&event)) use(m->text());
//   }
#ifndef EVS_ASIO_HPP_DEFINED
#define EVS_ASIO_HPP_DEFINED

// Boost 1.74's awaitable uses std::exchange without including it.
#include <utility>
// Then Asio itself.
#include <boost/asio.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#if defined(BOOST_ASIO_HAS_CO_AWAIT) && defined(__cpp_impl_coroutine)
#define EVS_HAS_COROUTINES 1
#else
#define EVS_HAS_COROUTINES 0
#endif

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "evs.hpp"

namespace evs {

// The codes of evs.h as Asio's handlers want them.
inline const boost::system::error_category& asio_category() {
// Boost's base class has no virtual destructor, on purpose: categories are never destroyed through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
  class Category final : public boost::system::error_category {
    const char* name() const noexcept override { return "evs"; }
    std::string message(int value) const override { return cs_strerror(static_cast<cs_error_t>(value)); }
  };
#pragma GCC diagnostic pop
  static const Category category;
  return category;
}
inline boost::system::error_code asio_error(Error error) {
  return {error.code(), asio_category()};
}

// A Bus on an executor. Move-only. async_next(), cancel() and close() may be called from any thread and any handler;
// the other calls are those of bus().
class AsioBus {
 public:
  using Executor = boost::asio::any_io_executor;

  // Takes a Bus that was opened without callbacks, or whose callbacks may go uncalled: async_next() pulls.
  static Result<AsioBus> over(const Executor& executor, Bus bus) {
    const auto fd = bus.fd();
    if (!fd) return fd.error();
    const int own = ::fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) return Error(CS_ERR_NO_RESOURCES);
    auto core = std::make_shared<Core>(std::move(bus), executor);
    boost::system::error_code error;
    core->ready.assign(own, error);
    if (error) {
      ::close(own);
      return Error(CS_ERR_NO_RESOURCES);
    }
    return AsioBus(std::move(core));
  }
  static Result<AsioBus> open(const Executor& executor, Options options = {}, std::string* reason = nullptr) {
    auto bus = Bus::open(std::move(options), reason);
    if (!bus) return bus.error();
    return over(executor, std::move(*bus));
  }

  AsioBus(AsioBus&&) noexcept = default;
  AsioBus& operator=(AsioBus&& other) noexcept {
    if (this != &other) {
      close();
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~AsioBus() { close(); }

  // To join, send, look. Valid until this AsioBus is destroyed, also after close().
  Bus& bus() { return core_->bus; }
  Executor get_executor() { return core_->ready.get_executor(); }

  // Completes with the next event: void(boost::system::error_code, evs::Event). Errors: operation_aborted after
  // cancel(), close() or destruction; else the dispatch's, of asio_category(). The handler is never called from inside
  // this call. Several may be outstanding; each event goes to one of them.
  template <class CompletionToken>
  auto async_next(CompletionToken&& token) {
    return boost::asio::async_compose<CompletionToken, void(boost::system::error_code, Event)>(
        NextOperation{core_, core_->cancellations(), {}, {}, NextOperation::Step::start}, token, core_->ready);
  }

#if EVS_HAS_COROUTINES
  // The same for `co_await bus.next()`; errors are thrown as boost::system::system_error.
  boost::asio::awaitable<Event> next() {
    return async_next(boost::asio::use_awaitable);
  }
#endif

  // Ends the outstanding operations with operation_aborted; the bus stays open.
  void cancel() {
    const std::lock_guard guard(core_->lock);
    ++core_->cancelled;
    boost::system::error_code ignored;
    core_->ready.cancel(ignored);
  }

  // Closes the bus and ends the outstanding operations. Doing it again does nothing.
  void close() {
    if (!core_) return;
    {
      // First: an operation that meets the closed bus in another thread shall know why.
      const std::lock_guard guard(core_->lock);
      ++core_->cancelled;
    }
    (void)core_->bus.close();
    const std::lock_guard guard(core_->lock);
    boost::system::error_code ignored;
    core_->ready.close(ignored);
  }

 private:
  struct Core {
    Core(Bus&& opened, const Executor& executor) : bus(std::move(opened)), ready(executor) {}
    uint64_t cancellations() {
      const std::lock_guard guard(lock);
      return cancelled;
    }
    Bus bus;
    // An Asio object is for one thread at a time, and operations may go on in several.
    std::mutex lock;
    boost::asio::posix::stream_descriptor ready;
    uint64_t cancelled = 0;
  };

  // start -> (an event waits, or an error: post) -> hand it over; or (nothing: wait for the descriptor) -> look again.
  struct NextOperation {
    enum class Step { start, waiting, hand_over };
    std::shared_ptr<Core> core;
    uint64_t cancelled_before;
    Event event;
    boost::system::error_code error;
    Step step;

    template <class Self>
    void operator()(Self& self, boost::system::error_code waited = {}) {
      if (step == Step::hand_over) return finish(self);
      const bool in_initiation = step == Step::start;
      if (!look(waited)) {
        step = Step::waiting;
        const std::shared_ptr<Core> keep = core;
        const std::lock_guard guard(keep->lock);
        // Asked under the lock: a cancel() before this wait begins would otherwise find nothing to end.
        if (keep->cancelled == cancelled_before)
          return keep->ready.async_wait(boost::asio::posix::stream_descriptor::wait_read, std::move(self));
        error = boost::asio::error::operation_aborted;
      }
      step = Step::hand_over;
      if (!in_initiation) return finish(self);
      const std::shared_ptr<Core> keep = core;
      boost::asio::post(keep->ready.get_executor(), std::move(self));
    }

    // True when there is something to complete with.
    bool look(boost::system::error_code waited) {
      if (waited || core->cancellations() != cancelled_before) {
        error = waited ? waited : boost::system::error_code(boost::asio::error::operation_aborted);
        return true;
      }
      Result<void> outcome;
      if (auto next = core->bus.next(&outcome)) {
        event = std::move(*next);
        return true;
      }
      if (outcome.try_again()) return false;
      error = core->cancellations() == cancelled_before
                  ? asio_error(outcome.error())
                  : boost::asio::error::make_error_code(boost::asio::error::operation_aborted);
      return true;
    }

    template <class Self>
    void finish(Self& self) {
      core.reset();  // the handler may destroy what is left of the bus
      self.complete(error, std::move(event));
    }
  };

  explicit AsioBus(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  std::shared_ptr<Core> core_;
};

}  // namespace evs

#endif  // EVS_ASIO_HPP_DEFINED
