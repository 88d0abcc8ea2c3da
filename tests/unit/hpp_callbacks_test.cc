// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/hpp_callbacks_test.cc - evs/evs.hpp: where an exception of a callback goes, and who owns a Bus that a
// callback ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

#include "tests/unit/hpp_loopback.h"

namespace {

using evs::Bus;
using evs::Dispatch;
using evs::Guarantee;
using evs::Options;
using evs::test::loopback;
using evs::test::opened;
using evs::test::say;
using ::testing::ElementsAre;

TEST(Callbacks, AreCalledInOrderWithViews) {
  std::vector<std::string> seen;
  Bus bus = opened(loopback()
                       .on_configuration([&](const evs::Configuration& c) {
                         seen.push_back(c.regular() ? "regular" : "transitional");
                       })
                       .on_message([&](const evs::MessageView& m) { seen.emplace_back(m.text()); }));
  ASSERT_TRUE(bus.join("g"));
  ASSERT_TRUE(say(bus, "a"));
  const iovec pieces[] = {{const_cast<char*>("b"), 1}, {nullptr, 0}, {const_cast<char*>("c"), 1}};
  ASSERT_TRUE(bus.send(Guarantee::fifo, pieces));
  ASSERT_TRUE(bus.dispatch());
  EXPECT_THAT(seen, ElementsAre("regular", "a", "bc"));
  EXPECT_EQ(bus.dispatch(Dispatch::one_nonblocking).code(), CS_ERR_TRY_AGAIN);
  EXPECT_TRUE(bus.dispatch()) << "all of nothing is all";
}

TEST(Callbacks, AnExceptionComesOutOfDispatchAndWhatIsBehindItWaits) {
  std::vector<std::string> seen;
  Bus bus = opened(loopback().on_message([&](const evs::MessageView& m) {
    seen.emplace_back(m.text());
    if (m.text() == "bad") throw std::invalid_argument("a bad one");
  }));
  ASSERT_TRUE(bus.join("g"));
  for (const char* text : {"a", "bad", "b"}) ASSERT_TRUE(say(bus, text));
  try {
    (void)bus.dispatch();
    FAIL() << "the exception was swallowed";
  } catch (const std::invalid_argument& thrown) {
    EXPECT_STREQ(thrown.what(), "a bad one");
  }
  EXPECT_THAT(seen, ElementsAre("a", "bad"));
  ASSERT_TRUE(bus.dispatch());
  EXPECT_THAT(seen, ElementsAre("a", "bad", "b"));
}

TEST(Callbacks, ABrokenPromiseNotToThrowLosesNothing) {
  std::vector<std::string> seen;
  Bus bus = opened(loopback().callbacks_never_throw().on_message([&](const evs::MessageView& m) {
    seen.emplace_back(m.text());
    if (m.text() != "b") throw std::runtime_error(seen.back());
  }));
  ASSERT_TRUE(bus.join("g"));
  for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(say(bus, text));
  try {
    (void)bus.dispatch();
    FAIL() << "the exception was swallowed";
  } catch (const std::runtime_error& thrown) {
    EXPECT_STREQ(thrown.what(), "a") << "the first of them";
  }
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));
}

TEST(Callbacks, AnExceptionUnderTheCDispatchIsKeptForTheNext) {
  Bus bus = opened(loopback().on_configuration([](const evs::Configuration&) { throw std::runtime_error("kept"); }));
  EXPECT_EQ(evs_dispatch(bus.handle(), CS_DISPATCH_ALL), CS_OK);
  EXPECT_THROW((void)bus.dispatch(), std::runtime_error);
  EXPECT_TRUE(bus.dispatch()) << "thrown once";
}

TEST(Callbacks, OneMayDispatchAnotherBus) {
  std::vector<std::string> seen;
  Bus inner = opened(loopback().on_message([&](const evs::MessageView& m) {
    seen.push_back("inner " + std::string(m.text()));
    throw std::runtime_error("inner");
  }));
  Bus outer = opened(loopback().on_message([&](const evs::MessageView& m) {
    EXPECT_THROW((void)inner.dispatch(), std::runtime_error) << "not the outer dispatch's";
    seen.push_back("outer " + std::string(m.text()));
  }));
  ASSERT_TRUE(inner.join("g"));
  ASSERT_TRUE(outer.join("g"));
  ASSERT_TRUE(say(outer, "x"));
  ASSERT_TRUE(outer.dispatch());
  EXPECT_THAT(seen, ElementsAre("inner x", "outer x"));
}

TEST(Callbacks, AllEndsThoughEveryCallbackSendsTheNext) {
  size_t calls = 0;
  Bus* self = nullptr;
  Bus bus = opened(loopback().on_message([&](const evs::MessageView&) {
    ++calls;
    EXPECT_TRUE(say(*self, "again"));
  }));
  self = &bus;
  ASSERT_TRUE(bus.join("g"));
  ASSERT_TRUE(say(bus, "first"));
  EXPECT_TRUE(bus.dispatch());
  const size_t first = calls;
  EXPECT_GE(first, 2u) << "what came meanwhile is taken too";
  EXPECT_TRUE(bus.dispatch());
  EXPECT_GT(calls, first) << "and the rest by the next";
}

TEST(Callbacks, OneMayPullWhatIsBehindIt) {
  std::vector<std::string> seen;
  Bus* self = nullptr;
  Bus bus = opened(loopback().on_message([&](const evs::MessageView& m) {
    seen.emplace_back(m.text());
    if (const auto behind = self->next())
      seen.push_back("pulled " + std::string(std::get<evs::Message>(*behind).text()));
  }));
  self = &bus;
  ASSERT_TRUE(bus.join("g"));
  ASSERT_TRUE(say(bus, "a"));
  ASSERT_TRUE(say(bus, "b"));
  ASSERT_TRUE(bus.dispatch());
  EXPECT_THAT(seen, ElementsAre("a", "pulled b"));
}

TEST(Close, FromACallbackEndsABlockingDispatch) {
  Bus* self = nullptr;
  int calls = 0;
  Bus bus = opened(loopback().on_message([&](const evs::MessageView&) {
    ++calls;
    EXPECT_TRUE(self->close());
  }));
  self = &bus;
  ASSERT_TRUE(bus.join("g"));
  ASSERT_TRUE(say(bus, "a"));
  ASSERT_TRUE(say(bus, "b"));
  EXPECT_TRUE(bus.dispatch(Dispatch::blocking));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(bus.close().code(), CS_ERR_BAD_HANDLE);
  EXPECT_EQ(say(bus, "c").code(), CS_ERR_BAD_HANDLE);
  EXPECT_EQ(bus.dispatch().code(), CS_ERR_BAD_HANDLE);
}

TEST(Close, FromAnotherThreadEndsABlockingDispatch) {
  for (const bool never_throw : {false, true}) {
    std::promise<void> dispatching;
    Options options = loopback().on_configuration([&](const evs::Configuration&) { dispatching.set_value(); });
    if (never_throw) options.callbacks_never_throw();
    Bus bus = opened(std::move(options));
    auto blocked = std::async(std::launch::async, [&] { return bus.dispatch(Dispatch::blocking).code(); });
    dispatching.get_future().wait();
    EXPECT_TRUE(bus.close());
    EXPECT_EQ(blocked.get(), CS_OK);
  }
}

TEST(Close, ABusMayBeDestroyedByItsOwnCallback) {
  std::optional<Bus> bus;
  auto alive = std::make_shared<int>(1);
  std::weak_ptr<int> watch = alive;
  bool there_at_the_end = false;
  bus = opened(loopback().on_message([&, alive](const evs::MessageView&) {
    bus.reset();
    there_at_the_end = *alive == 1 && !watch.expired();  // the callback outlives the Bus that held it
  }));
  alive.reset();
  ASSERT_TRUE(bus->join("g"));
  ASSERT_TRUE(say(*bus, "a"));
  (void)bus->dispatch();
  EXPECT_FALSE(bus);
  EXPECT_TRUE(there_at_the_end);
  EXPECT_TRUE(watch.expired()) << "and is gone when dispatch() has returned";
}

TEST(Move, TakesTheHandleAndTheCallbacksAlong) {
  int calls = 0;
  Bus first = opened(loopback().on_message([&](const evs::MessageView&) { ++calls; }));
  ASSERT_TRUE(first.join("g"));
  Bus second = std::move(first);
  EXPECT_EQ(say(first, "x").code(), CS_ERR_BAD_HANDLE);
  EXPECT_EQ(first.dispatch().code(), CS_ERR_BAD_HANDLE);
  EXPECT_FALSE(first.next());
  ASSERT_TRUE(say(second, "x"));
  ASSERT_TRUE(second.dispatch());
  EXPECT_EQ(calls, 1);
  const evs_handle_t old = second.handle();
  second = opened(loopback());
  EXPECT_EQ(evs_finalize(old), CS_ERR_BAD_HANDLE) << "assignment closes what it replaces";
}

}  // namespace
