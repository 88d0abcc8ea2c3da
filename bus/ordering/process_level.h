// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/process_level.h - extended virtual synchrony of processes, made from that of hosts (docs/protocol.md, "Processes over hosts").
//
// Hosts form rings; processes come, go and die on hosts. A change of processes is a message in the hosts' order, and a barrier holds all
// messages back until every host has delivered it (barrier.h). When hosts come together each says first who lives on it (its opening), and messages
// wait for that. So for each process:
//
//   a process joins, leaves, dies       transitional {those who stay}, regular {with the change}
//   hosts part                          transitional {processes of the hosts that go on}, the rest of the messages, regular {the same}
//   hosts come together                 after the openings: transitional {those who come along}, regular {all}
//   a ring breaks and loses nobody      nothing: the configuration goes on in the next ring; but a primary one (primary.h) has ended
//
// A change that is delivered in the hosts' transitional configuration is taken into the next regular one, by way of the openings.
//
// Pure, like Protocol, which it drives: after each call of Protocol the caller hands every effect to digest(), carries out what is told, and then
// calls follow_up(), until that has nothing more.
#pragma once

#include <array>
#include <string>
#include <utility>

#include "bus/ordering/process_state.h"
#include "bus/ordering/protocol.h"

namespace evs::ordering {

// What processes are told, in order; of a change of groups of this host's own process what it carried, behind what all are told of it there; and, for the host alone, `record`: what voter() has to say now is on this host's disk before anything behind it is
// told, and before follow_up() is called. Spans point into the delivery that was digested.
struct Told {
  enum class Kind : uint8_t { transitional, regular, message, group, carried, gone, record };
  Kind kind = Kind::message;
  ProcessConfiguration configuration;  // transitional, regular
  Process process;                     // message, carried: its sender; gone: a process of this host, whose leave or death has its place now
  Service service = Service::agreed;
  bool in_transition = false;          // message: delivered in the transitional configuration
  Bytes payload;                       // message, carried
  Group group{};                       // group: who has joined it now
  Processes joined;
};

// Why a record of a peer was not taken. All hosts of a ring refuse the same ones; whoever keeps the protocol has none refused.
enum class Refusal : uint8_t {
  malformed,    // it breaks a rule of docs/wire-format.md; among these, that a host speaks of its own processes alone
  no_member,    // a message of a process that the configuration in force does not have
  contradicts,  // a second join, or a change of a process that is not there
  out_of_turn,  // a change before the exchange was complete
  too_much,     // more than a host may put into everybody's table, or than a ring has names for
  count_
};

class ProcessLevel {
 public:
  // `voter`: how this host's rings become primary, and what it has on its disk (primary_bytes.h, check() first); a successor reads it anew.
  ProcessLevel(HostId self, uint32_t opening_limit, Protocol& protocol, Voter voter = {})
      : self_(self), opening_limit_(opening_limit), protocol_(&protocol), voter_(std::move(voter)) {}

  // For a successor (docs/stored-state.md, "Processes"): what the hosts' order has said so far, appended to `out`. It is one step with what is told of the
  // same effect, as StoredState's are. It changes when revision() does, which a message never brings about.
  //
  // What was submitted is not in it, nor what is owed to Protocol: the caller submits again what has no place, in the order in which it was submitted;
  // what has one is delivered, and what is owed is owed anew in the ring that Protocol::resume() begins with. Until that ring is here, is_catching_up():
  // joins and leaves that have a place may still be on their way, and nobody can tell who lives here, so all that is submitted is answered `again`.
  void save(std::vector<std::byte>& out) const { stored::encode(state_, self_, out); }
  uint64_t revision() const { return revision_; }
  // In an instance that has digested nothing, before `protocol` resumes. False: it is not what any instance of this host can have saved; nothing
  // happened.
  bool restore(Bytes saved);
  bool is_catching_up() const { return catching_up_; }

  // Of processes of this host. `again`: the queue is full, or we are catching up; nothing happened. `too_big`: the opening of this host would be larger than a
  // message or an opening may be, or the process would be in more groups than it may. `closed`: there is no such process, or it left.
  // `number`: by which Output::stamped names it when it has its place.
  Submitted join(Instant now, const Process& process, uint64_t& number, Output& out);
  Submitted leave(Instant now, NodeId node, Change how, uint64_t& number, Output& out);  // Change::leave or Change::died
  // Change::join_group or Change::leave_group, of all of `groups` at one place. `groups`: sorted, 1 to kMaxGroupsOfChange; `carried`: at most kMaxCarriedBytes.
  Submitted change_groups(Instant now, NodeId node, Change how, std::vector<Group> groups, Bytes carried, uint64_t& number, Output& out);
  Submitted send(Instant now, NodeId node, Service service, Bytes payload, uint64_t& number, Output& out);

  void digest(const Output& out, const Effect& effect, std::vector<Told>& told);
  bool follow_up(Instant now, Output& out);  // true: it called Protocol

  const ProcessConfiguration& configuration() const { return state_.config; }  // the regular one that is, or was last, in force
  const Table& table() const { return state_.table; }  // who has joined and not left, on all hosts, and their groups; all that has a place so far
  uint64_t epoch() const { return state_.exchanged && !state_.folding ? state_.config.epoch : 0; }  // of the ring in force; 0: it is not primary
  const Voter& voter() const { return voter_; }
  Verdict verdict() const { return verdict_; }  // of the last exchange that this instance saw: why the ring is primary, or tries, or is not
  // As it was told: behind the hosts' part in a ring it waits for the exchange.
  const Table& told_table() const { return state_.told_table ? *state_.told_table : state_.table; }
  bool is_present(NodeId node) const { return present_.count(node) != 0; }  // of this host: joined, also if that has no place yet; leaving is leaving
  bool exchanged() const { return state_.exchanged; }
  uint64_t refused(Refusal why) const { return refused_[static_cast<size_t>(why)]; }
  uint64_t refused_total() const;
  std::string refusals_text() const;  // "contradicts 2, too much 1": for people
  size_t table_size() const { return state_.table.size(); }

 private:
  void on_hosts_part(const Configuration& hosts, std::vector<Told>& told);
  void on_hosts(const Configuration& hosts, std::vector<Told>& told);
  void on_delivery(const Delivery& delivery, std::vector<Told>& told);
  void on_opening(const Delivery& delivery, std::vector<Told>& told);
  void on_change(const Delivery& delivery, std::vector<Told>& told);
  void on_vote(const Delivery& delivery, std::vector<Told>& told);
  void on_all_openings(std::vector<Told>& told);
  bool is_vote(const Delivery& delivery);
  void write_down(PrimaryRecord record, std::vector<Told>& told);
  std::optional<Refusal> fault_of(const ChangeRecord& record) const;
  void put_into_table(const ChangeRecord& record, std::vector<Told>& told);
  void refuse(Refusal why) { ++refused_[static_cast<size_t>(why)]; }
  void on_message(const Delivery& delivery, std::vector<Told>& told);
  void finish_exchange(uint64_t epoch, std::vector<Told>& told);
  std::optional<ConfigurationId> unchanged_everywhere() const;
  void change_configuration(Processes staying, Processes members, uint64_t number, std::vector<Told>& told);
  void tell_configuration(Told::Kind kind, uint64_t number, Processes members, std::vector<Told>& told);
  void tell_group(const Group& group, const Table& table, std::vector<Told>& told) const;
  void tell_in_transition(const ChangeRecord& record, const Group& group, std::vector<Told>& told);
  void tell_changed_groups(const Table& before, std::vector<Told>& told);
  void encode_opening(std::vector<std::byte>& out) const;
  Submitted submit(Instant now, const ChangeRecord& record, uint64_t& number, Output& out);
  Submitted not_yet() const { return protocol_->is_closed() ? Submitted::closed : Submitted::again; }
  void caught_up();
  bool opening_has_room(size_t more) const;
  bool may_join(NodeId node, size_t more) const;
  void settle(const ChangeRecord& record);

  const HostId self_;
  const uint32_t opening_limit_;
  Protocol* const protocol_;

  ProcessState state_;
  uint64_t revision_ = 0;
  bool catching_up_ = false;             // what the process before this one said is still on its way
  struct Present {
    Process process;
    uint32_t joining = 0;                // groups that have no place yet
  };
  std::map<NodeId, Present> present_;    // of this host: joined, as far as we were told; its join may have no place yet
  size_t pending_bytes_ = 0;             // of the opening, by changes that have no place yet
  Voter voter_;
  Verdict verdict_ = Verdict::off;
  Attempt attempt_;                      // while state_ is voting, what for: a function of it
  bool owes_opening_ = false, owes_vote_ = false, owes_completion_ = false, owes_new_ring_ = false;
  std::vector<std::byte> buffer_;
  std::array<uint64_t, static_cast<size_t>(Refusal::count_)> refused_{};
};

}  // namespace evs::ordering
