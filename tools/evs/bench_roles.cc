// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/bench_roles.cc - see bench_roles.h. All through evs.h, as any program would.
#include "tools/evs/bench_roles.h"

#include <poll.h>
#include <sched.h>

#include <cstring>
#include <thread>

#include "tools/evs/clock.h"
#include "tools/evs/session.h"
#include "tools/evs/text.h"

namespace evs::tools {

namespace {

constexpr uint64_t kRoomWait_ns = 50'000'000;
// A reader that polls on the sender's heels takes the line from it at each word: pausing when there was nothing lets a
// few messages gather.
constexpr uint32_t kPausesWhenEmpty = 64;
// Where there are more processes than processors the other side may be waiting for ours.
constexpr uint32_t kEmptyRoundsBeforeYield = 1024;

void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

evs_group bench_group() {
  evs_group group{};
  std::memcpy(group.key, "bench", 5);
  return group;
}

struct Receiver {
  CrewMember& member;
  uint32_t own_nodeid = 0;
  uint64_t heard = 0;  // messages of others
};

void count_message(evs_handle_t, void* context, const evs_message_t* message) {
  Receiver& receiver = *static_cast<Receiver*>(context);
  if (message->nodeid == receiver.own_nodeid) return;
  ++receiver.heard;
  receiver.member.cell().messages.store(receiver.heard, std::memory_order_relaxed);
}

// An open handle, and how to wait on it. A dispatch that blocks is ended by finalizing the handle from another
// thread, which is what the API offers for it; that thread sleeps until the phase says stop.
class Station {
 public:
  Station(CrewMember& member, const BenchLoad& load) : receiver_{member}, load_(load) {}
  ~Station() {
    if (stopper_.joinable()) stopper_.join();
  }

  bool open(bool join) {
    evs_callbacks_ex_t callbacks{};
    callbacks.struct_size = sizeof callbacks;
    callbacks.deliver = count_message;
    if (!session_.open(load_.bus, callbacks, &receiver_)) return failed(session_.error());
    evs_limits_t limits{};
    limits.struct_size = sizeof limits;
    if (const cs_error_t error = ::evs_limits(session_.handle(), &limits); error != CS_OK)
      return failed(call_failed("evs_limits", error));
    if (load_.size > limits.message_bytes)
      return failed("a message of " + show_bytes(load_.size) + " is more than this bus takes (" +
                    show_bytes(limits.message_bytes) +
                    "): --set local.message_limit=... raises it on a bus of its own");
    evs_membership_get(session_.handle(), &receiver_.own_nodeid, nullptr, nullptr);
    const evs_group group = bench_group();
    if (join) {
      if (const cs_error_t error = evs_join(session_.handle(), &group, 1); error != CS_OK)
        return failed(call_failed("evs_join", error));
    }
    // Whoever asks for the descriptor gets it rung, which costs a system call a message: only for those who poll.
    if (load_.wait == Wait::poll) {
      if (const cs_error_t error = evs_fd_get(session_.handle(), &descriptor_); error != CS_OK)
        return failed(call_failed("evs_fd_get", error));
    }
    payload_.assign(load_.size, 'e');
    part_ = {payload_.data(), payload_.size()};
    return true;
  }

  // Tells the parent, and waits for the start together with the others.
  void begin() {
    CrewMember& member = receiver_.member;
    member.report_ready();
    member.wait_past(Phase::setting_up);
    if (load_.wait != Wait::block) return;
    stopper_ = std::thread([this] {
      receiver_.member.wait_past(Phase::running);
      evs_finalize(session_.handle());
    });
  }

  // Callbacks for what is there, waiting as asked when there is nothing. False: it is over.
  bool hear() {
    const uint64_t before = receiver_.heard;
    const cs_error_t error =
        evs_dispatch(session_.handle(), load_.wait == Wait::block ? CS_DISPATCH_ONE : CS_DISPATCH_ALL);
    if (error != CS_OK || receiver_.member.stopping()) return ended(error, "evs_dispatch");
    if (receiver_.heard != before || load_.wait == Wait::block) return true;
    if (load_.wait == Wait::busy && ++empty_rounds_ % kEmptyRoundsBeforeYield == 0) sched_yield();
    if (load_.wait == Wait::poll) {
      pollfd wanted[] = {{descriptor_, POLLIN, 0}, {receiver_.member.stop_descriptor(), POLLIN, 0}};
      ::poll(wanted, 2, -1);
    }
    return true;
  }

  bool ended(cs_error_t error, const char* call) {
    const bool over = error == CS_OK || receiver_.member.stopping();
    return over ? false : failed(call_failed(call, error));
  }
  bool failed(const std::string& sentence) {
    receiver_.member.fail(sentence);
    well_ = false;
    return false;
  }

  evs_handle_t handle() const { return session_.handle(); }
  const iovec& part() const { return part_; }
  uint64_t heard() const { return receiver_.heard; }
  int status() const { return well_ ? EXIT_SUCCESS : EXIT_FAILURE; }

 private:
  Receiver receiver_;
  const BenchLoad& load_;
  Session session_;
  int descriptor_ = -1;
  std::string payload_;
  iovec part_{};
  std::thread stopper_;
  uint32_t empty_rounds_ = 0;
  bool well_ = true;
};

// Sends one, waiting for room where there is none; false: it is over.
bool send_joined(Station& station, const BenchLoad& load) {
  cs_error_t error;
  while ((error = evs_mcast_joined(station.handle(), load.guarantee, &station.part(), 1)) == CS_ERR_TRY_AGAIN)
    if (!station.hear()) return false;
  return error == CS_OK || station.ended(error, "evs_mcast_joined");
}

// Reads what came before the start: the configurations of the others' joining.
void settle(Station& station) {
  evs_dispatch(station.handle(), CS_DISPATCH_ALL);
}

}  // namespace

int ask(CrewMember& member, const BenchLoad& load) {
  Station station(member, load);
  if (!station.open(true)) return EXIT_FAILURE;
  settle(station);
  station.begin();
  Histogram& latency = member.page().latency;
  while (!member.stopping()) {
    const uint64_t answers = station.heard(), began = monotonic_ns();
    if (!send_joined(station, load)) break;
    while (station.heard() == answers)
      if (!station.hear()) return station.status();
    latency.add(monotonic_ns() - began);
  }
  return station.status();
}

int answer(CrewMember& member, const BenchLoad& load) {
  Station station(member, load);
  if (!station.open(true)) return EXIT_FAILURE;
  settle(station);
  station.begin();
  for (uint64_t answered = 0; station.hear();)
    for (; answered < station.heard(); ++answered)
      if (!send_joined(station, load)) return station.status();
  return station.status();
}

int send_stream(CrewMember& member, const BenchLoad& load) {
  Station station(member, load);
  if (!station.open(false)) return EXIT_FAILURE;
  const evs_group group = bench_group();
  station.begin();
  uint64_t sent = 0, refused = 0;
  while (!member.stopping()) {
    cs_error_t error = evs_mcast_groups(station.handle(), load.guarantee, &group, 1, &station.part(), 1);
    if (error == CS_ERR_TRY_AGAIN) {
      member.cell().refused.store(++refused, std::memory_order_relaxed);
      error = evs_mcast_wait(station.handle(), load.guarantee, &group, 1, &station.part(), 1, kRoomWait_ns);
      if (error == CS_ERR_TIMEOUT) continue;
    }
    if (error != CS_OK && !station.ended(error, "evs_mcast_groups")) break;
    member.cell().messages.store(++sent, std::memory_order_relaxed);
  }
  return station.status();
}

int receive_stream(CrewMember& member, const BenchLoad& load) {
  Station station(member, load);
  if (!station.open(true)) return EXIT_FAILURE;
  settle(station);
  station.begin();
  for (uint64_t before = station.heard(); station.hear(); before = station.heard())
    if (load.wait == Wait::busy && station.heard() == before)
      for (uint32_t i = 0; i < kPausesWhenEmpty; ++i) pause_processor();
  return station.status();
}

int bounce_first(CrewMember& member) {
  CrewPage& page = member.page();
  member.report_ready();
  member.wait_past(Phase::setting_up);
  for (uint64_t round = 1; !member.stopping(); ++round) {
    const uint64_t began = monotonic_ns();
    page.line[0].store(round, std::memory_order_release);
    while (page.line[1].load(std::memory_order_acquire) != round)
      if (member.stopping()) return EXIT_SUCCESS;
    page.latency.add(monotonic_ns() - began);
  }
  return EXIT_SUCCESS;
}

int bounce_second(CrewMember& member) {
  CrewPage& page = member.page();
  member.report_ready();
  member.wait_past(Phase::setting_up);
  for (uint64_t round = 1; !member.stopping(); ++round) {
    while (page.line[0].load(std::memory_order_acquire) != round)
      if (member.stopping()) return EXIT_SUCCESS;
    page.line[1].store(round, std::memory_order_release);
  }
  return EXIT_SUCCESS;
}

}  // namespace evs::tools
