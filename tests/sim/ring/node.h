// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/node.h - one host of a simulated ring: the protocol, what it stored, what it was asked to send, and the trace of
// what it saw.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "bus/ordering/protocol.h"
#include "tests/sim/ring/network.h"
#include "tests/sim/ring/residents.h"
#include "tools/verify/trace.h"

namespace evs::sim {

class Node {
 public:
  Node(const ordering::Settings& settings, Network& network, verify::Run& run) : settings_(settings), network_(network), run_(run) {
    if (settings.exchange) residents_ = std::make_unique<Residents>(settings.self.id, run);
  }

  void start(Instant now);
  void crash(Instant now);           // what was stored stays
  void leave(Instant now);
  void end(Instant now);             // the run stops while it lives
  bool alive() const { return protocol_ != nullptr; }
  void pause() { paused_ = true; }
  void resume(Instant now);
  bool paused() const { return paused_; }

  void receive(Instant now, const Packet& packet);
  void on_deadline(Instant now);
  Instant next_deadline() const { return alive() && !paused_ ? protocol_->next_deadline() : ordering::kNever; }
  bool submit(Instant now, ordering::Service service, size_t bytes, Prng& prng);

  // With residents: something happens among them.
  bool change(Instant now, Prng& prng);
  const Residents* residents() const { return residents_.get(); }

  const ordering::Protocol& protocol() const { return *protocol_; }
  uint64_t delivered() const { return residents_ ? residents_->delivered() : delivered_; }
  HostId id() const { return settings_.self.id; }

 private:
  void carry_out(Instant now);
  void carry_out_one(Instant now, const ordering::Effect& effect);
  void judge(Instant now, const ordering::Effect& effect);
  verify::Token name_of(const ordering::RingId& ring);

  ordering::Settings settings_;
  Network& network_;
  verify::Run& run_;
  verify::Trace* trace_ = nullptr;
  std::unique_ptr<ordering::Protocol> protocol_;
  std::unique_ptr<Residents> residents_;
  ordering::Output out_;
  uint64_t stored_ = 0;
  uint64_t life_ = 0;
  bool paused_ = false;
  std::vector<Packet> waiting_;  // while paused: what a socket buffer holds
  verify::Token conf_;
  std::map<uint64_t, uint64_t> hashes_;  // of messages under way, by number
  uint64_t delivered_ = 0;
};

}  // namespace evs::sim
