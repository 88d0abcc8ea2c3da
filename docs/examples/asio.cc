// SPDX-License-Identifier: BSD-3-Clause
//
// asio.cc - evs in an Asio program: a heartbeat is sent every second, what the group hears is printed, Ctrl-C ends it.
//
// Three things share one thread and one io_context: a timer, a signal, the bus. With coroutines the receiving side is a
// loop; without them (clang 14) the same loop is a handler that asks again.
//
//   asio GROUP [COUNT]     run it several times; ends after COUNT messages, or with Ctrl-C
#include <evs/asio.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>

namespace {

namespace asio = boost::asio;

class Listener {
 public:
  Listener(asio::io_context& io, evs::AsioBus bus, evs::Group group, long count)
      : bus_(std::move(bus)), group_(group), left_(count), beat_(io), signals_(io, SIGINT, SIGTERM) {}

  void start() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (!error) stop();
    });
    beat();
#if EVS_HAS_COROUTINES
    asio::co_spawn(bus_.get_executor(), listen(), asio::detached);
#else
    listen();
#endif
  }

 private:
  void stop() {
    bus_.close();  // what is outstanding ends with operation_aborted, and run() returns
    beat_.cancel();
    signals_.cancel();
  }

  void beat() {
    // A heartbeat that finds no room is not worth a queue: the next one comes in a second.
    const std::string text = "beat of " + std::to_string(++beats_);
    const auto sent = bus_.bus().send_to(group_, evs::Guarantee::agreed, evs::bytes(text));
    if (!sent && !sent.try_again()) return stop();
    beat_.expires_after(std::chrono::seconds(1));
    beat_.async_wait([this](boost::system::error_code error) {
      if (!error) beat();
    });
  }

  void show(const evs::Event& event) {
    if (const auto* message = std::get_if<evs::Message>(&event)) {
      std::cout << message->pid << ": " << message->text() << std::endl;
      if (--left_ == 0) stop();
    } else if (const auto* change = std::get_if<evs::Configuration>(&event); change != nullptr && change->regular()) {
      std::cout << "-- " << change->members.size() << " here" << std::endl;
    }
  }

#if EVS_HAS_COROUTINES
  asio::awaitable<void> listen() {
    try {
      for (;;) show(co_await bus_.next());
    } catch (const boost::system::system_error&) {
      // Closed: by stop().
    }
  }
#else
  void listen() {
    bus_.async_next([this](boost::system::error_code error, evs::Event event) {
      if (error) return;
      show(event);
      listen();
    });
  }
#endif

  evs::AsioBus bus_;
  evs::Group group_;
  long left_;  // messages until we end; below zero: never
  long beats_ = 0;
  asio::steady_timer beat_;
  asio::signal_set signals_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto group = argc > 1 ? evs::Group::from(argv[1]) : evs::Result<evs::Group>(evs::Error(CS_ERR_INVALID_PARAM));
  if (!group) return std::cerr << "usage: asio GROUP [COUNT], with a GROUP of at most 32 bytes" << std::endl, 2;
  asio::io_context io;
  std::string reason;
  auto bus = evs::AsioBus::open(io.get_executor(), {}, &reason);
  if (!bus) return std::cerr << reason << std::endl, 1;
  if (const auto joined = bus->bus().join(*group); !joined) return std::cerr << joined.error().what() << std::endl, 1;
  Listener listener(io, std::move(*bus), *group, argc > 2 ? std::atol(argv[2]) : -1);
  listener.start();
  io.run();
}
