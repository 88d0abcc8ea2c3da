// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/node.h - one machine of a simulated ring: the protocol, its clock, its socket, what it stored, what it was asked to send, and
// the trace of what it saw.
//
// The protocol lives in a gateway, which may be killed between any two of the effects that it gave; the host goes on, with its outbox, its log (the trace)
// and what was stored, and another gateway takes over (node_gateway.cc). A crash takes the host: of all that only the ring sequence is left.
//
// In the traces a process is a machine: two machines with one host's id are two, as their nonces say.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "bus/ordering/stored.h"
#include "tests/sim/ring/ballots.h"
#include "tests/sim/ring/log.h"
#include "tests/sim/ring/network.h"
#include "tests/sim/ring/outcome.h"
#include "tests/sim/ring/residents.h"
#include "tools/verify/trace.h"

namespace evs::sim {

// A nonce says which gateway, in which life, of which machine it is.
inline constexpr uint64_t kGateways = 1000, kMachines = 1000;
inline constexpr size_t kMostUnheard = 16;  // messages that wait for a gateway

class Node {
 public:
  Node(const Plan& plan, Machine machine, Network& network, verify::Run& run, Ballots& ballots);

  void start(Instant now);
  void forget() { stored_ = {}, forgetful_ = true; }  // what had been stored
  void lose_disk() { ballot_->lose_disk(); }  // of its votes alone: two rings of one name are another fault
  void crash(Instant now);           // what was stored stays
  void leave(Instant now);
  void end(Instant now);             // the run stops while it lives
  bool alive() const { return alive_; }
  bool up() const { return protocol_ != nullptr; }  // it has a gateway
  // The gateway is killed behind so many effects, and another one takes over that much later; it may be killed, too.
  void kill_gateway(uint64_t effects, Duration down) { kill_after_ = effects, down_ = down; }
  void spare_gateway() { kill_after_ = 0; }
  void pause(Instant until) { paused_until_ = until; }
  void resume() { paused_until_ = {}; }
  bool paused(Instant now) const { return now < paused_until_; }
  void jump(Duration forward) { ahead_ += forward; }
  void hurry() { cost_ = 0; }
  void stop_reading(Instant now, Instant until, uint32_t room);
  void read_again(Instant now);

  void receive(Instant now, Packet packet);
  void wake(Instant now);
  Instant next_wake() const;
  bool submit(Instant now, ordering::Service service, size_t bytes, uint64_t content);

  // With residents: something happens among them.
  bool change(Instant now, uint64_t dice);
  const Residents* residents() const { return residents_.get(); }

  const ordering::Protocol& protocol() const { return *protocol_; }
  Machine machine() const { return machine_; }
  bool forgot() const { return forgetful_; }
  uint64_t delivered() const { return residents_ ? residents_->delivered() : delivered_; }
  uint64_t overflowed() const { return overflowed_; }
  uint64_t overran() const { return overran_; }
  const Counts& counts() const { return counts_; }  // of lives that are over

 private:
  struct Message {  // in the outbox: not stamped yet
    uint64_t submission = 0;  // the application's number; 0: not entered yet
    ordering::Service service = ordering::Service::agreed;
    std::vector<std::byte> bytes;
  };
  void boot();  // another instance of the protocol
  void take_over(Instant now);
  void lose_gateway(Instant now);
  void enter(Instant now, Message& message);  // into the outbox
  bool give_to_gateway(Instant now, Message& message);
  void give_unheard(Instant now);
  void tell_room(Instant now);
  bool follow_up(Instant now);
  void handle(Instant now, const Packet& packet);
  void carry_out(Instant now);
  bool carry_out_one(Instant now, const ordering::Effect& effect);  // false: its gateway was killed in the midst of it
  void judge(Instant now, const ordering::Effect& effect);
  void tell(Instant now, const ordering::Configuration& configuration);
  void declare(Instant now);
  uint32_t name_of(const ordering::Host& host) const;
  verify::Token name_of(const ordering::RingId& ring);
  Instant clock(Instant now) const { return now + ahead_; }

  const Machine machine_;
  ordering::Settings settings_;
  Network& network_;
  verify::Run& run_;  // of this node's trace
  Ballots& ballots_;
  Log log_;
  verify::Trace* trace_ = nullptr;
  std::unique_ptr<ordering::Protocol> protocol_;
  std::unique_ptr<Residents> residents_;
  std::unique_ptr<Ballot> ballot_;  // with quorum
  ordering::Output out_;
  ordering::StoredState stored_;
  bool alive_ = false, forgetful_ = false;
  uint64_t life_ = 0, gateway_ = 0;
  uint64_t kill_after_ = 0;  // effects; 0: not at all
  Duration down_ = 0;
  Instant up_again_ = ordering::kNever;
  Duration ahead_ = 0;
  Instant paused_until_, busy_until_;
  Duration cost_;
  const uint32_t socket_;
  const bool flush_fails_;
  std::deque<Packet> waiting_;  // while paused or busy: what a socket buffer holds
  verify::Token conf_;
  uint64_t submissions_ = 0;             // of this life
  std::map<uint64_t, Message> outbox_;   // by the protocol's number
  std::deque<Message> unheard_;          // no gateway has taken them yet
  uint64_t delivered_ = 0, overflowed_ = 0, overran_ = 0;
  Counts counts_;
};

}  // namespace evs::sim
