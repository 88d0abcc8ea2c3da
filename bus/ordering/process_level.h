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
//   a ring breaks and loses nobody      nothing: the configuration goes on in the next ring
//
// A change that is delivered in the hosts' transitional configuration is taken into the next regular one, by way of the openings.
//
// Pure, like Protocol, which it drives: after each call of Protocol the caller hands every effect to digest(), carries out what is told, and then
// calls follow_up(), until that has nothing more.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "bus/ordering/processes.h"
#include "bus/ordering/protocol.h"

namespace evs::ordering {

// What processes are told, in order. Spans point into the delivery that was digested.
struct Told {
  enum class Kind : uint8_t { transitional, regular, message, group, gone };
  Kind kind = Kind::message;
  ProcessConfiguration configuration;  // transitional, regular
  Process process;                     // message: its sender; gone: a process of this host, whose leave or death has its place now
  Service service = Service::agreed;
  bool in_transition = false;          // message: delivered in the transitional configuration
  Bytes payload;
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
  ProcessLevel(HostId self, uint32_t opening_limit, Protocol& protocol)
      : self_(self), opening_limit_(opening_limit), protocol_(&protocol) {}

  // Another instance goes on from what was stored (Protocol::resume). What stands here is what the log says, so all of it holds; what was submitted and
  // has no place yet the caller submits again.
  void attach(Protocol& successor) { protocol_ = &successor; }

  // Of processes of this host. `again`: the queue is full; nothing happened. `too_big`: the opening of this host would be larger than a
  // message or an opening may be, or the process would be in more groups than it may. `closed`: there is no such process, or it left.
  // `number`: by which Output::stamped names it when it has its place.
  Submitted join(Instant now, const Process& process, uint64_t& number, Output& out);
  Submitted leave(Instant now, NodeId node, Change how, uint64_t& number, Output& out);  // Change::leave or Change::died
  Submitted change_group(Instant now, NodeId node, Change how, const Group& group, uint64_t& number, Output& out);
  Submitted send(Instant now, NodeId node, Service service, Bytes payload, uint64_t& number, Output& out);

  void digest(const Output& out, const Effect& effect, std::vector<Told>& told);
  bool follow_up(Instant now, Output& out);  // true: it called Protocol

  const ProcessConfiguration& configuration() const { return config_; }  // the regular one that is, or was last, in force
  bool exchanged() const { return exchanged_; }
  uint64_t refused(Refusal why) const { return refused_[static_cast<size_t>(why)]; }
  uint64_t refused_total() const;
  std::string refusals_text() const;  // "contradicts 2, too much 1": for people
  size_t table_size() const { return table_.size(); }

 private:
  void on_hosts_part(const Configuration& hosts, std::vector<Told>& told);
  void on_hosts(const Configuration& hosts, std::vector<Told>& told);
  void on_delivery(const Delivery& delivery, std::vector<Told>& told);
  void on_opening(const Delivery& delivery, std::vector<Told>& told);
  void on_change(const Delivery& delivery, std::vector<Told>& told);
  std::optional<Refusal> fault_of(const ChangeRecord& record) const;
  void put_into_table(const ChangeRecord& record, std::vector<Told>& told);
  void refuse(Refusal why) { ++refused_[static_cast<size_t>(why)]; }
  void on_message(const Delivery& delivery, std::vector<Told>& told);
  void finish_exchange(std::vector<Told>& told);
  std::optional<ConfigurationId> unchanged_everywhere() const;
  void change_configuration(Processes staying, Processes members, uint64_t number, std::vector<Told>& told);
  void tell_configuration(Told::Kind kind, uint64_t number, Processes members, std::vector<Told>& told);
  void tell_group(const Group& group, std::vector<Told>& told) const;
  void tell_changed_groups(const std::map<NodeId, Member>& before, std::vector<Told>& told);
  void encode_opening(std::vector<std::byte>& out) const;
  Submitted submit(Instant now, const ChangeRecord& record, uint64_t& number, Output& out);
  size_t opening_bytes(HostId host) const;  // as the table has it now
  bool opening_has_room(size_t more) const;
  bool may_join_a_group(NodeId node) const;
  void settle(const ChangeRecord& record);

  const HostId self_;
  const uint32_t opening_limit_;
  Protocol* protocol_;

  RingId ring_;
  Hosts hosts_;                          // of this ring; while folding those of them who go on
  bool exchanged_ = false;               // of this ring
  std::map<HostId, Opening> openings_;   // of this ring, so far
  ProcessConfiguration config_;
  std::optional<Processes> transition_;  // the transitional configuration in force
  bool folding_ = false;                 // within the hosts' transitional configuration
  uint64_t change_ = 0;                  // number of the last regular configuration that this ring gave
  std::map<NodeId, Member> table_;       // of all hosts that went through an exchange with us, all that was ordered so far
  std::optional<std::map<NodeId, Member>> told_table_;  // as it was when hosts parted: what differs behind the exchange that follows is told
  struct Present {
    Process process;
    uint32_t joining = 0;                // groups that have no place yet
  };
  std::map<NodeId, Present> present_;    // of this host: joined, as far as we were told; its join may have no place yet
  size_t pending_bytes_ = 0;             // of the opening, by changes that have no place yet
  bool owes_opening_ = false, owes_completion_ = false, owes_new_ring_ = false;
  std::vector<std::byte> buffer_;
  std::array<uint64_t, static_cast<size_t>(Refusal::count_)> refused_{};
};

}  // namespace evs::ordering
