// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/residents.h - the processes of one simulated host: who joins, sends, leaves and dies there, and the trace of each.
//
// With residents the judged are they, and no longer the hosts: what the hosts see is theirs only to pass on.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "bus/ordering/process_level.h"
#include "tests/sim/ring/ballots.h"
#include "tests/support/dice.h"
#include "tools/verify/trace.h"

namespace evs::sim {

class Residents {
 public:
  Residents(ordering::HostId host, verify::Run& run) : host_(host), run_(run) {}

  // The host starts: nobody lives there yet. `ballot`: nullptr without quorum.
  void begin(ordering::Protocol& protocol, uint32_t opening_limit, Ballot* ballot);
  // Another gateway goes on from what the one before had saved; before it resumes, and behind that.
  void take_over(ordering::Protocol& successor, uint32_t opening_limit, Ballot* ballot);
  void submit_again();
  // The first of what lies in the outbox, because it has no place yet, goes to the next gateway. False: there is none, or that one is full.
  bool give_unheard(ordering::Instant now, ordering::Output& out);
  void crash(int64_t at);                                            // all die with it
  void end(int64_t at);

  // Somebody joins, leaves, dies, joins or leaves a group. False: there was no way.
  bool change(ordering::Instant now, test::Dice& dice, ordering::Output& out);
  bool submit(ordering::Instant now, ordering::Service service, size_t bytes, test::Dice& dice, ordering::Output& out);

  // False: the gateway was killed when a record had reached the disk, and nothing behind that was done. `die_at_record`: if there is one.
  bool on_effect(const ordering::Output& out, const ordering::Effect& effect, int64_t at, bool die_at_record);
  bool follow_up(ordering::Instant now, ordering::Output& out) { return level_->follow_up(now, out); }

  const ordering::ProcessLevel& level() const { return *level_; }
  const std::string& refusals() const { return refusals_; }  // in any life: records of peers, all of whom keep the protocol
  uint64_t delivered() const { return delivered_; }
  void add_living(std::vector<uint32_t>& nodes) const;

 private:
  struct Resident {
    ordering::Process process;
    verify::Trace* trace = nullptr;  // from its first configuration on
    verify::Token conf;
    bool wants_to_go = false;
    uint64_t submissions = 0;
    uint64_t group_changes = 0, group_changes_told = 0;  // the n-th carries n, which this host tells in turn
  };
  struct Sent {  // in the outbox: no place yet
    ordering::NodeId node = 0;
    uint64_t submission = 0, hash = 0;  // of a message
    bool change = false;
    ordering::Service service = ordering::Service::agreed;
    std::vector<std::byte> record;
  };

  verify::Token name_of(const ordering::ConfigurationId& id);
  void save();
  ordering::Submitted give(ordering::Instant now, const Sent& sent, uint64_t& number, ordering::Output& out);
  ordering::Submitted ask(ordering::Instant now, const ordering::ChangeRecord& record, uint64_t& number, ordering::Output& out);
  void note_refusals() { if (level_ && level_->refused_total() != 0) refusals_ = level_->refusals_text(); }
  void on_told(const ordering::Told& told, const ordering::Output& out, const ordering::Effect& effect, int64_t at);
  void install(Resident& resident, const ordering::Told& told, int64_t at);
  void on_stamped(const ordering::Stamped& stamped, int64_t at);
  bool change_of(ordering::Instant now, const ordering::ChangeRecord& record, ordering::Output& out);
  Resident* pick(test::Dice& dice, bool installed);

  ordering::HostId host_;
  verify::Run& run_;
  std::unique_ptr<ordering::ProcessLevel> level_;
  Ballot* ballot_ = nullptr;
  std::map<ordering::NodeId, Resident> residents_;
  std::map<uint32_t, uint64_t> incarnations_;  // by slot: over all lives of the host
  std::vector<std::byte> saved_;               // of level_, with the last effect that was carried out
  uint64_t saved_revision_ = 0;
  std::map<uint64_t, Sent> sent_;              // by number
  std::deque<Sent> unheard_;                   // no gateway has taken them yet
  verify::Token regular_;                      // the regular configuration in force, or the last one
  std::vector<ordering::Told> told_;
  uint64_t delivered_ = 0;
  std::string refusals_;
};

// A message's place: its frame's, and which of the frame's.
uint64_t place_of(ordering::Seq seq, uint32_t index);

}  // namespace evs::sim
