// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/stores_test.cc - whatever store of a gateway is its last one, its host and the others saw extended virtual synchrony.
//
// A round: the gateway of the first host is told at which of its stores to die, by a number of steps or by the name of a moment (mortal.h); then something happens that
// makes it take such steps, while everybody talks. Often its successors are told to die as well, within their first stores. The rounds of a seed share their
// hosts, and all that was seen is judged at their end.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <optional>

#include "bus/runtime/uplink/planted.h"
#include "tests/e2e/buses/crowd.h"
#include "tests/support/dice.h"

namespace evs::test {
namespace {

// What a gateway can die at, beside any of its stores in turn.
constexpr const char* kInOperation[] = {"claimed", "appended", "order-kept", "prepared", "journal", "entry", "word", "bytes", "outbox-kept", "effect"};
constexpr const char* kInAChange[] = {"change-begun", "change-published", "change-ended", "claimed", "appended"};
constexpr const char* kOfASuccessor[] = {"role-taken", "settled", "outbox-read", "published-again", "claimed", "appended", "change-begun", "change-published"};
constexpr size_t kHost = 0, kOther = 1, kProcesses = 5;

template <size_t N>
std::string one_of(const char* const (&names)[N], Dice& dice) {
  return names[dice.below(N)];
}

class Rounds {
 public:
  explicit Rounds(uint64_t seed) : crowd_(2), dice_(seed) {}
  Crowd& crowd() { return crowd_; }

  void round() {
    if (crowd_.alive_on(kHost) < 3 || crowd_.alive_on(kOther) < 2) fill_up();
    if (testing::Test::HasFatalFailure()) return;
    before_ = crowd_.death_count();
    switch (dice_.below(5)) {
      case 0:
        return in_operation();
      case 1:
        return in_a_change();
      case 2:
        return when_hosts_part();
      case 3:
        return when_hosts_meet();
      default:
        return at_birth();
    }
  }

  // Who is alive lives on, and all come together.
  void calm(bool quiet = false) {
    crowd_.wire().heal_all();
    crowd_.tell_all("die 0");
    if (quiet) crowd_.tell_all("load 0");
    ASSERT_TRUE(crowd_.until_one(60'000));
    if (quiet) ASSERT_TRUE(crowd_.until_quiet(60'000));
  }

 private:
  // Who reads joins in a quiet moment: its trace has everything from its first configuration on.
  void fill_up() {
    calm(true);
    expect_same_gateway();
    for (const size_t host : {kHost, kOther})
      for (size_t i = crowd_.alive_on(host); i < (host == kHost ? kProcesses : 3); ++i) crowd_.start(host);
    calm();
    other_gateway_ = crowd_.gateway_of(kOther);
    crowd_.tell_all("load 60");
  }
  // What becomes of a gateway makes no other host's gateway give up.
  void expect_same_gateway() {
    if (other_gateway_) EXPECT_EQ(crowd_.gateway_of(kOther), *other_gateway_);
  }
  void in_operation() {
    tell_gateway(dice_.chance(0.5) ? number(600) : name(one_of(kInOperation, dice_), 60));
    tell_successors();
    await_deaths();
  }
  void in_a_change() {
    const bool named = dice_.chance(0.7);
    tell_gateway(named ? name(one_of(kInAChange, dice_), 2) : number(200));
    tell_successors();
    const size_t leaving = somebody_else();
    if (leaving == crowd_.size()) return;
    if (dice_.chance(0.5)) crowd_.kill(leaving);
    else crowd_.leave(leaving);
    await_deaths();
  }
  void when_hosts_part() {
    const bool named = dice_.chance(0.5);
    tell_gateway(named ? name(one_of(kInAChange, dice_), 2) : number(300));
    tell_successors();
    crowd_.wire().cut(kHost, kOther);
    if (dice_.chance(0.7)) crowd_.wire().cut(kOther, kHost);
    await_deaths();
  }
  void when_hosts_meet() {
    crowd_.wire().cut(kHost, kOther);
    crowd_.wire().cut(kOther, kHost);
    ASSERT_TRUE(Crowd::until([&] { return is_alone(); }));
    const bool named = dice_.chance(0.5);
    tell_gateway(named ? name(one_of(kInAChange, dice_), 3) : number(600));
    tell_successors();
    crowd_.wire().heal_all();
    await_deaths();
  }
  // All of the host are gone, and the first who come die before they can do anything.
  void at_birth() {
    for (size_t i = 0; i < crowd_.size(); ++i)
      if (crowd_.alive(i) && crowd_.host_of(i) == kHost) crowd_.kill(i);
    calm(true);
    for (int i = 0; i < 3; ++i) {
      before_ = crowd_.death_count();
      crowd_.start(kHost, {"die=" + (dice_.chance(0.5) ? number(120) : name(one_of(kOfASuccessor, dice_), 1))});
      await_deaths();
    }
    crowd_.tell_all("die 0");
  }

  std::string number(uint64_t most) { return std::to_string(dice_.between(1, most)); }
  std::string name(const std::string& moment, uint64_t most) { return number(most) + "," + moment; }
  void tell_gateway(const std::string& when) {
    const size_t gateway = crowd_.gateway_of(kHost);
    ASSERT_LT(gateway, crowd_.size());
    crowd_.tell(gateway, "die " + when);
  }
  void tell_successors() {
    if (dice_.chance(0.4)) return;
    for (size_t i = 0; i < crowd_.size(); ++i)
      if (crowd_.alive(i) && crowd_.host_of(i) == kHost && !crowd_.is_gateway(i) && dice_.chance(0.4))
        crowd_.tell(i, "die " + (dice_.chance(0.5) ? number(100) : name(one_of(kOfASuccessor, dice_), 1)));
  }
  size_t somebody_else() {
    for (size_t attempt = 0; attempt < 100; ++attempt)
      if (const size_t i = dice_.below(crowd_.size()); crowd_.alive(i) && !crowd_.is_gateway(i)) return i;
    return crowd_.size();
  }
  bool is_alone() {
    for (size_t i = 0; i < crowd_.size(); ++i) {
      if (!crowd_.alive(i) || crowd_.host_of(i) != kHost) continue;
      const std::string members = crowd_.status(i).members;
      return static_cast<size_t>(std::count(members.begin(), members.end(), ',')) + 1 == crowd_.alive_on(kHost);
    }
    return true;
  }
  // What is named may not come to pass; then nobody dies in this round.
  void await_deaths() {
    Crowd::until([&] { return crowd_.reap(), crowd_.death_count() != before_; }, 2000);
    Crowd::until([&] { return crowd_.reap(), crowd_.gateway_of(kHost) != crowd_.size() || crowd_.alive_on(kHost) == 0; }, 2000);
    Crowd::go_on(static_cast<int>(dice_.below(200)));
  }

  Crowd crowd_;
  Dice dice_;
  size_t before_ = 0;
  std::optional<size_t> other_gateway_;
};

class Stores : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Wire::refused(); !why.empty()) GTEST_SKIP() << "no network namespaces here: " << why;
  }
};

std::string number_of(const char* variable, const std::string& otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : otherwise;
}

TEST_F(Stores, AnyOfThemMayBeTheLast) {
  const bool is_long = std::getenv("EVS_LONG") != nullptr;
  const uint64_t first = std::stoull(number_of("EVS_SEED", "1")), seeds = is_long ? 25 : 1;
  const size_t rounds = std::stoull(number_of("EVS_ROUNDS", "25"));
  std::map<std::string, size_t> deaths;
  size_t count = 0;
  for (uint64_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    printf("EVS_SEED=%llu\n", static_cast<unsigned long long>(seed));
    fflush(stdout);
    Rounds rounds_of(seed);
    for (size_t i = 0; i < rounds && !HasFatalFailure(); ++i) {
      rounds_of.round();
      if (!HasFatalFailure()) rounds_of.calm();
    }
    if (!HasFatalFailure()) rounds_of.calm(true);
    EXPECT_EQ(rounds_of.crowd().judge(), "") << "EVS_SEED=" << seed;
    for (const auto& [name, times] : rounds_of.crowd().deaths()) deaths[name] += times;
    count += rounds_of.crowd().death_count();
  }
  for (const auto& [name, times] : deaths) printf("  %-18s %zu\n", name.c_str(), times);
  printf("%zu died\n", count);
  EXPECT_GE(count, rounds / 2) << "too few for anything to have been shown";
}

Crowd::Options without(runtime::uplink::Planted rule, std::vector<std::string> parameters = {}) {
  parameters.push_back("plant=" + std::to_string(static_cast<unsigned>(rule)));
  return {std::move(parameters), false};
}

// The places that a dead gateway gave must be stored before others see them. Without that, what it said is said again, or never delivered at home.
std::string problems_of_killed_gateways(runtime::uplink::Planted rule) {
  Crowd crowd(2, without(rule));
  for (int i = 0; i < 5; ++i) crowd.start(kHost);
  crowd.start(kOther);
  EXPECT_TRUE(crowd.until_one());
  crowd.tell_all("load 300");
  for (int i = 0; i < 3; ++i) {
    Crowd::go_on(150);
    crowd.kill(crowd.gateway_of(kHost));
    EXPECT_TRUE(Crowd::until([&] { return crowd.gateway_of(kHost) != crowd.size(); }));
  }
  crowd.tell_all("load 0");
  crowd.until_one(10'000);
  crowd.until_quiet(3000);  // not without the rule: what was said is lost
  return crowd.judge();
}
TEST_F(Stores, APlaceThatIsNotStoredIsMissed) {
  EXPECT_EQ(problems_of_killed_gateways(runtime::uplink::Planted::none), "");
  const std::string problems = problems_of_killed_gateways(runtime::uplink::Planted::stamps_not_kept);
  EXPECT_NE(problems, "") << "nobody missed it";
  printf("%s\n", problems.substr(0, problems.find('\n')).c_str());
}

// Who is expelled as a reader has not delivered what the others have: it must have failed for them. (That it does is tests/unit/uplink/networked_test.cc's to show.)
TEST_F(Stores, AReaderThatIsExpelledAndHasNotFailedIsMissed) {
  Crowd crowd(2, without(runtime::uplink::Planted::expelled_not_gone, {"local.ring_size=4MiB", "local.message_limit=64KiB", "local.slow_reader_timeout=300ms"}));
  for (int i = 0; i < 2; ++i) crowd.start(kHost);
  crowd.start(kOther);
  ASSERT_TRUE(crowd.until_one());
  size_t slow = 0;
  while (crowd.is_gateway(slow)) ++slow;
  crowd.tell(slow, "stop");
  for (size_t i = 0; i < crowd.size(); ++i)
    if (i != slow) crowd.tell(i, "load 4000");
  const uint64_t before = crowd.status(2).delivered;
  ASSERT_TRUE(Crowd::until([&] { return crowd.status(2).delivered > before + 20'000; })) << "it was not expelled";
  crowd.tell(slow, "go");
  Crowd::go_on(300);
  crowd.tell_all("load 0");
  Crowd::go_on(1000);
  const std::string name = std::to_string(crowd.status(slow).node) + ".", problems = crowd.judge();
  EXPECT_NE(problems.find(name), std::string::npos) << "nobody missed it: " << problems;
  printf("%s\n", problems.substr(0, problems.find('\n')).c_str());
}

}  // namespace
}  // namespace evs::test
