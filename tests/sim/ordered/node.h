// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ordered/node.h - one host on an ordered medium: the protocol, what it stored, what it was asked to send, and the trace of
// what it saw.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "tests/sim/ordered/medium.h"
#include "tools/verify/trace.h"

namespace evs::sim {

// What the traces alone do not say.
struct Chronicle {
  verify::Run run;
  std::set<uint64_t> changes;                            // hashes of messages that change the configuration of processes
  std::map<verify::Process, std::set<uint64_t>> unsent;  // hashes of what the killed had submitted and not read again
};

class OrderedNode {
 public:
  OrderedNode(const ordering::Settings& settings, OrderedMedium& medium, Chronicle& chronicle)
      : settings_(settings), medium_(medium), chronicle_(chronicle) {}

  void start(Instant now);
  void crash(Instant now);  // what was stored stays
  void end(Instant now);
  bool alive() const { return path_ != nullptr; }

  void hear(Instant now, const Heard& heard);
  void on_deadline(Instant now);
  Instant next_deadline() const { return alive() ? path_->next_deadline() : ordering::kNever; }
  bool submit(Instant now, ordering::Service service, bool change, size_t bytes, test::Dice& prng);

  const ordering::OrderedPath& path() const { return *path_; }
  HostId id() const { return settings_.self.id; }
  uint64_t delivered() const { return delivered_; }
  uint64_t acknowledgements() const { return acknowledgements_; }

 private:
  void carry_out(Instant now);
  void note(const ordering::Configuration& configuration, int64_t at);
  verify::Token name_of(const ordering::RingId& ring);

  ordering::Settings settings_;
  OrderedMedium& medium_;
  Chronicle& chronicle_;
  verify::Trace* trace_ = nullptr;
  std::unique_ptr<ordering::OrderedPath> path_;
  ordering::Output out_;
  uint64_t stored_ = 0, life_ = 0, delivered_ = 0, acknowledgements_ = 0;
  verify::Token conf_;
  std::map<uint64_t, uint64_t> hashes_;  // of messages under way, by number
};

// The lines that a killed host did not live to write: it was killed before it read, and so stamped, what others deliver of it.
void write_for_the_killed(Chronicle& chronicle);
// The same run as processes see it: behind each change that a host delivered in a regular configuration, another one is in force.
verify::Run process_view(const Chronicle& chronicle);

}  // namespace evs::sim
