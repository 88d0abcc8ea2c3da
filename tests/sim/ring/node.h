// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/node.h - one machine of a simulated ring: the protocol, its clock, its socket, what it stored, what it was asked to send, and
// the trace of what it saw.
//
// In the traces a process is a machine: two machines with one host's id are two, as their nonces say.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "tests/sim/ring/network.h"
#include "tests/sim/ring/outcome.h"
#include "tests/sim/ring/residents.h"
#include "tools/verify/trace.h"

namespace evs::sim {

class Node {
 public:
  Node(const Plan& plan, Machine machine, Network& network, verify::Run& run);

  void start(Instant now);
  void forget() { stored_ = 0; forgetful_ = true; }  // what had been stored
  void crash(Instant now);           // what was stored stays
  void leave(Instant now);
  void end(Instant now);             // the run stops while it lives
  bool alive() const { return protocol_ != nullptr; }
  void pause(Instant until) { paused_until_ = until; }
  void resume() { paused_until_ = {}; }
  bool paused(Instant now) const { return now < paused_until_; }
  void jump(Duration forward) { ahead_ += forward; }
  void hurry() { cost_ = 0; }

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
  const Counts& counts() const { return counts_; }  // of lives that are over

 private:
  void handle(Instant now, const Packet& packet);
  void carry_out(Instant now);
  void carry_out_one(Instant now, const ordering::Effect& effect);
  void judge(Instant now, const ordering::Effect& effect);
  void tell(Instant now, const ordering::Configuration& configuration);
  verify::Token name_of(const ordering::RingId& ring);
  Instant clock(Instant now) const { return now + ahead_; }

  const Machine machine_;
  ordering::Settings settings_;
  Network& network_;
  verify::Run& run_;
  verify::Trace* trace_ = nullptr;
  std::unique_ptr<ordering::Protocol> protocol_;
  std::unique_ptr<Residents> residents_;
  ordering::Output out_;
  uint64_t stored_ = 0;
  bool forgetful_ = false;
  uint64_t life_ = 0;
  Duration ahead_ = 0;
  Instant paused_until_, busy_until_;
  Duration cost_;
  const uint32_t socket_;
  const bool flush_fails_;
  std::deque<Packet> waiting_;  // while paused or busy: what a socket buffer holds
  verify::Token conf_;
  std::map<uint64_t, uint64_t> hashes_;  // of messages under way, by number
  uint64_t delivered_ = 0, overflowed_ = 0;
  Counts counts_;
};

}  // namespace evs::sim
