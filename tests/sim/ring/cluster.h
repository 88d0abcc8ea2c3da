// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/cluster.h - some hosts, a bad network, and a judge: one run of a script.
//
// First the safety phase: everything that can go wrong does, while messages are sent. Then all links heal and nothing fails any more: the
// living must find together and deliver what they still have. Then the traces are judged, by code that has never heard of the protocol.
#pragma once

#include <deque>
#include <string>

#include "tests/sim/ring/node.h"
#include "tests/sim/ring/script.h"
#include "tests/sim/ring/story.h"

namespace evs::sim {

class Cluster {
 public:
  Cluster(const Plan& plan, Script script, Story* story = nullptr);
  Outcome run();

  // In pieces, for runs of another form.
  void begin();
  void run_until(Instant until);  // the script's chaos happens as its times come
  void apply(const Event& event);
  bool at_rest() const;           // the living are in one ring; a stranger is in one of its own
  Outcome judge(bool quiescent);
  Instant now() const { return now_; }
  Node& node(HostId id) { return nodes_[id - 1]; }
  Network& network() { return network_; }
  const verify::Run& traces() const { return run_; }

 private:
  bool is_storm() const;
  void heal();
  void settle();
  void last_messages();
  void do_stage(Stage stage);
  void submit(Node& node, const Event& event);
  void twin(const Event& event);
  void after(Node& node);
  void spring();
  void say(const std::string& what);
  std::vector<uint32_t> living(bool strangers) const;
  std::vector<uint32_t> judged(bool strangers) const;
  std::string who_is_where() const;
  void look_at_strangers();
  void look_at_primary();
  void close_books();

  const Plan plan_;
  const Script script_;
  Story* const story_;
  Network network_;
  verify::Run run_;
  Ballots ballots_;
  std::deque<Node> nodes_;
  std::vector<std::string> phases_;  // as last seen
  std::deque<Event> ambushes_;
  Event sprung_;  // when its moment comes
  size_t next_event_ = 0;
  Instant now_{1'000'000};
  Outcome outcome_;
};

}  // namespace evs::sim
