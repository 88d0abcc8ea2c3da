// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/asio_test.cc - evs/asio.hpp: every operation ends once, with an event or with the reason, whatever happens
// to the bus.
//
// Over a libevs whose transport is loopback. io_context::run() returns when nothing is outstanding: a lost completion
// would hang a test, and its timeout would tell.
#include "evs/asio.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using evs::AsioBus;
using evs::Event;
using ::testing::ElementsAre;

evs::Options loopback() {
  return evs::Options().bus("asio_test").config_file("/dev/null").parameter("local.transport", "loopback");
}

// A bus that has joined `group` and has nothing waiting.
AsioBus opened(asio::io_context& io, const char* group = "g") {
  std::string reason;
  auto bus = AsioBus::open(io.get_executor(), loopback(), &reason);
  if (!bus) throw std::runtime_error(reason);
  if (!bus->bus().join(*evs::Group::from(group))) throw std::runtime_error("cannot join");
  while (bus->bus().next()) {
  }
  return std::move(*bus);
}

void say(AsioBus& bus, std::string_view text) {
  ASSERT_TRUE(bus.bus().send(evs::Guarantee::agreed, evs::bytes(text)));
}

std::string text_of(const Event& event) {
  const auto* message = std::get_if<evs::Message>(&event);
  return message != nullptr ? std::string(message->text()) : "(no message)";
}

TEST(AsioBus, CompletesWithWhatWaitsAndNeverInsideTheCall) {
  asio::io_context io;
  AsioBus bus = opened(io);
  say(bus, "waiting");
  std::vector<std::string> seen;
  bus.async_next([&](error_code error, Event event) {
    EXPECT_FALSE(error) << error.message();
    seen.push_back(text_of(event));
  });
  EXPECT_TRUE(seen.empty());
  io.run();
  EXPECT_THAT(seen, ElementsAre("waiting"));
}

TEST(AsioBus, CompletesWithWhatComes) {
  asio::io_context io;
  AsioBus bus = opened(io);
  std::vector<std::string> seen;
  std::function<void(error_code, Event)> again = [&](error_code error, Event event) {
    ASSERT_FALSE(error) << error.message();
    seen.push_back(text_of(event));
    if (seen.size() < 3) bus.async_next(again);
  };
  bus.async_next(again);
  io.poll();
  EXPECT_TRUE(seen.empty());
  for (const char* text : {"a", "b", "c"}) say(bus, text);
  io.restart();
  io.run();
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));
}

TEST(AsioBus, AFutureIsATokenToo) {
  asio::io_context io;
  AsioBus bus = opened(io);
  auto future = bus.async_next(asio::use_future);
  std::thread runner([&] { io.run(); });
  say(bus, "for the future");
  EXPECT_EQ(text_of(future.get()), "for the future");
  runner.join();
}

TEST(AsioBus, CancelEndsWhatIsOutstandingAndTheBusGoesOn) {
  asio::io_context io;
  AsioBus bus = opened(io);
  std::vector<error_code> errors;
  for (int i = 0; i < 3; ++i) bus.async_next([&](error_code error, Event) { errors.push_back(error); });
  io.poll();
  bus.cancel();
  io.restart();
  io.run();
  const error_code aborted = asio::error::operation_aborted;
  EXPECT_THAT(errors, ElementsAre(aborted, aborted, aborted));
  std::string got;
  say(bus, "still here");
  bus.async_next([&](error_code, Event event) { got = text_of(event); });
  io.restart();
  io.run();
  EXPECT_EQ(got, "still here");
}

TEST(AsioBus, CancelledWhileItsDescriptorWasReadyItTakesNothing) {
  asio::io_context io;
  AsioBus bus = opened(io);
  std::optional<error_code> first;
  bus.async_next([&](error_code error, Event) { first = error; });
  io.poll();
  say(bus, "untouched");
  bus.cancel();  // the wait may have ended well already; its operation has not run
  io.restart();
  io.run();
  EXPECT_EQ(first, error_code(asio::error::operation_aborted));
  EXPECT_EQ(text_of(bus.bus().next().value()), "untouched");
}

TEST(AsioBus, MayBeClosedByAHandlerWhileAnotherOperationIsOut) {
  asio::io_context io;
  AsioBus bus = opened(io);
  std::vector<std::string> seen;
  bus.async_next([&](error_code error, Event event) {
    seen.push_back(error ? error.message() : text_of(event));
    bus.close();
    bus.close();
  });
  bus.async_next(
      [&](error_code error, Event) { seen.push_back(error == asio::error::operation_aborted ? "aborted" : "?"); });
  say(bus, "first");
  io.run();
  EXPECT_THAT(seen, ElementsAre("first", "aborted"));
  error_code afterwards;
  bus.async_next([&](error_code error, Event) { afterwards = error; });
  io.restart();
  io.run();
  EXPECT_EQ(afterwards, evs::asio_error(evs::Error(CS_ERR_BAD_HANDLE)));
  EXPECT_EQ(afterwards.message(), cs_strerror(CS_ERR_BAD_HANDLE));
}

TEST(AsioBus, MayBeDestroyedWithAnOperationOut) {
  asio::io_context io;
  std::vector<error_code> errors;
  {
    AsioBus bus = opened(io);
    bus.async_next([&](error_code error, Event) { errors.push_back(error); });
    io.poll();
    bus.async_next([&](error_code error, Event) { errors.push_back(error); });
  }
  io.restart();
  io.run();
  const error_code aborted = asio::error::operation_aborted;
  EXPECT_THAT(errors, ElementsAre(aborted, aborted));
}

TEST(AsioBus, MayBeDestroyedByItsOwnHandler) {
  asio::io_context io;
  std::optional<AsioBus> bus = opened(io);
  bool called = false;
  bus->async_next([&](error_code, Event) {
    called = true;
    bus.reset();
  });
  say(*bus, "the last");
  io.run();
  EXPECT_TRUE(called);
  EXPECT_FALSE(bus);
}

TEST(AsioBus, AnIoContextMayGoWithAnOperationOut) {
  auto io = std::make_unique<asio::io_context>();
  auto kept = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = kept;
  {
    AsioBus bus = opened(*io);
    bus.async_next([kept = std::move(kept)](error_code, Event) { FAIL() << "nobody runs it"; });
    io->poll();
  }
  EXPECT_FALSE(watch.expired());
  io.reset();
  EXPECT_TRUE(watch.expired()) << "the handler was leaked";
}

TEST(AsioBus, SeveralThreadsShareTheEventsOfOneBus) {
  constexpr int kMessages = 2000, kOperations = 4, kThreads = 4;
  asio::io_context io;
  AsioBus bus = opened(io, "crowd");
  std::mutex lock;
  std::multiset<std::string> seen;
  std::function<void(error_code, Event)> again = [&](error_code error, Event event) {
    if (error) return;
    bool last;
    {
      const std::lock_guard guard(lock);
      seen.insert(text_of(event));
      last = seen.size() == kMessages;
    }
    if (last) return bus.close();
    bus.async_next(again);
  };
  for (int i = 0; i < kOperations; ++i) bus.async_next(again);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&] { io.run(); });
  evs::Bus sender = std::move(*evs::Bus::open(loopback()));
  for (int i = 0; i < kMessages; ++i) {
    const std::string text = std::to_string(i);
    while (!sender.send_to(evs::Group("crowd"), evs::Guarantee::agreed, evs::bytes(text))) std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
  ASSERT_EQ(seen.size(), size_t(kMessages));
  for (int i = 0; i < kMessages; ++i) EXPECT_EQ(seen.count(std::to_string(i)), 1u) << i;
}

#if EVS_HAS_COROUTINES
TEST(AsioBus, CoroutinesAwaitEventsAndSeeCancellationAsAnException) {
  asio::io_context io;
  AsioBus bus = opened(io);
  std::vector<std::string> seen;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        try {
          for (;;) {
            const Event event = co_await bus.next();
            seen.push_back(text_of(event));
            if (seen.size() == 2) bus.close();
          }
        } catch (const boost::system::system_error& error) {
          seen.push_back(error.what());
        }
      },
      asio::detached);
  say(bus, "a");
  say(bus, "b");
  io.run();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0], "a");
  EXPECT_EQ(seen[1], "b");
  EXPECT_THAT(seen[2], ::testing::HasSubstr(cs_strerror(CS_ERR_BAD_HANDLE)));
}
#endif

TEST(AsioBus, CoroutinesAreThereWithThisCompiler) {
#if defined(__clang__)
  EXPECT_EQ(EVS_HAS_COROUTINES, 0) << "Boost 1.74 wants <experimental/coroutine> of clang, which libstdc++ has not";
#else
  EXPECT_EQ(EVS_HAS_COROUTINES, 1);
#endif
}

}  // namespace
