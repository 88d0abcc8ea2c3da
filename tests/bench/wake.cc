// SPDX-License-Identifier: BSD-3-Clause
// wake.cc - asking and answering from callbacks.
//
// Both join one group and send with evs_mcast_joined(), so each also gets its own message and ignores it. Back to back,
// the adaptive spin before a sleep may catch the answer; after a millisecond of quiet the answerer sleeps for certain.
#include "tests/bench/wake.h"

#include <cstring>

#include "tests/bench/alternate.h"
#include "tests/bench/clock.h"
#include "tests/bench/quiet.h"

namespace evs::bench {

namespace {

constexpr int kQuietUs = 1000;
constexpr uint64_t kLast = UINT64_MAX;  // the asker's farewell
WakePlayer* player;                     // of this child

struct Ball {
  uint64_t number;
  uint64_t of_asker;
  uint64_t filler[6];
};
static_assert(sizeof(Ball) == 64);

}  // namespace

WakePlayer::WakePlayer(WakeTable& table, bool asks, int milliseconds, int quiet_us, bool ends_by_finalize)
    : table_(table),
      asks_(asks),
      quiet_us_(quiet_us),
      milliseconds_(static_cast<uint64_t>(milliseconds)),
      ends_by_finalize_(ends_by_finalize) {
  player = this;
}

void WakePlayer::play(const std::function<void(Member&)>& run) {
  Member member(deliver);
  member_ = &member;
  member.join(group_named("wake"));
  table_.start.wait_for(2);
  end_ns_ = monotonic_ns() + milliseconds_ * 1'000'000u;
  if (asks_) ask();
  run(member);
  if (!failure_.empty()) throw Malfunction(failure_);
  if (!over_) throw Malfunction("dispatch returned before the last message");
}

// No exception may leave a callback; what went wrong ends the game and is thrown by play().
void WakePlayer::deliver(hdb_handle_t, unsigned int, const void* data, size_t bytes) noexcept {
  try {
    player->take(data, bytes);
  } catch (const std::exception& error) {
    player->failure_ = error.what();
    player->over_ = true;
    library().finalize(player->member_->handle());
  }
}

void WakePlayer::take(const void* data, size_t bytes) {
  Ball ball{};
  if (bytes != sizeof ball) throw Malfunction("a message of the wrong size");
  memcpy(&ball, data, sizeof ball);
  if ((ball.of_asker == 1) == asks_) return;  // our own
  if (ball.number == kLast) return end();
  if (ball.number != next_) throw Malfunction("a message was lost or repeated");
  if (!asks_) {
    send(next_++);
    return;
  }
  table_.samples.add(ticks() - asked_at_);
  ++next_;
  if (monotonic_ns() < end_ns_ && !table_.samples.full()) return ask();
  send(kLast);
  end();
}

void WakePlayer::ask() {
  be_quiet(quiet_us_);
  asked_at_ = ticks();
  send(next_);
}

void WakePlayer::send(uint64_t number) {
  const Ball ball{number, asks_ ? 1u : 0u, {}};
  if (!member_->send_joined(&ball, sizeof ball)) throw Malfunction("no room with one message in flight");
}

void WakePlayer::end() {
  over_ = true;
  if (ends_by_finalize_) member_->finalize();
}

Percentiles evs_wake_round(int milliseconds, int quiet_us, bool ends_by_finalize, const RunMember& run) {
  Shared<WakeTable> table;
  Crew crew;
  for (const bool asks : {true, false}) {
    crew.start(asks ? "ask" : "answer", asks ? cores().first : cores().second, [&, asks] {
      WakePlayer one(*table, asks, milliseconds, quiet_us, ends_by_finalize);
      one.play([&](Member& member) { run(member, one); });
    });
  }
  crew.finish();
  const Samples& samples = table->samples;
  return percentiles_of(std::vector<uint32_t>(samples.ticks, samples.ticks + samples.count), ns_per_tick());
}

std::vector<Outcome> measure_wake(const Plan& plan, const char* probe_name, TargetId back_to_back, TargetId after_quiet,
                                  Percentiles (*probe)(int milliseconds, int quiet_us), bool ends_by_finalize,
                                  const RunMember& run) {
  std::vector<Outcome> out;
  for (const bool quiet : {false, true}) {
    const TargetId id = quiet ? after_quiet : back_to_back;
    const int quiet_us = quiet ? kQuietUs : 0;
    const auto rounds = alternate(
        plan.rounds, [&] { return probe(plan.wake_milliseconds, quiet_us); },
        [&] { return evs_wake_round(plan.wake_milliseconds, quiet_us, ends_by_finalize, run); });
    const auto compared = compare(
        rounds, [](const Percentiles& one) { return one.p50; },
        [](double bare, const Percentiles& ours) { return ours.p50 / bare; });
    const auto over = [&](auto pick) { return median_over(rounds, pick) / 1e3; };
    out.push_back({id,
                   compared.values,
                   {{"evs p50", over([](const auto& r) { return r.ours.p50; }), "us"},
                    {"p99", over([](const auto& r) { return r.ours.p99; }), "us"},
                    {"p99.9", over([](const auto& r) { return r.ours.p999; }), "us"},
                    {std::string(probe_name) + " p50", over([](const auto& r) { return r.before.p50; }), "us"},
                    {"p99", over([](const auto& r) { return r.before.p99; }), "us"},
                    {"p99.9", over([](const auto& r) { return r.before.p999; }), "us"}},
                   compared.unsteady,
                   ""});
  }
  return out;
}

}  // namespace evs::bench
