// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/index.h - a run, looked up from every side that the predicates ask from.
//
//   trace ──▶ steps: one an installed configuration, in order; every event knows its step
//   configuration ──▶ who installed it, and at which step
//   message (ring, seq) ──▶ its sendings, then its deliveries; those of one ring stand together, in the order of seq
//
// A delivery counts for where it stands, not for the configuration that it names: that both agree is 2.2's to say, and
// so a wrong name is one violation and not twenty.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/verify/findings.h"
#include "tools/verify/trace.h"

namespace evs::verify {

inline constexpr uint32_t kNone = UINT32_MAX;

enum class Ending : uint8_t { alive, failed, cut };  // cut: neither said; as good as failed, for nobody can know

struct Step {
  uint32_t event = 0;
  Token conf;
  Token regular;  // itself, or the regular configuration before it; one that stands first is taken at its word
  bool transitional = false;
  uint32_t next_regular = kNone;      // the next step that is regular
  uint32_t previous_regular = kNone;  // the last one before that is
};

struct Installation {
  uint32_t trace = 0;
  uint32_t step = 0;
};

struct Installed {
  const Configuration* shape = nullptr;  // as its first installer has it; nullptr: nobody installed it
  std::vector<uint32_t> members;         // sorted
  std::vector<Installation> by;
};

// One sending or delivery of a message.
struct Mention {
  Place at;
  bool delivery = false;
};

struct Message {
  Token ring;
  uint64_t seq = 0;
  uint32_t begin = 0, deliveries = 0, end = 0;  // into the mentions: sendings, then deliveries
  const Event* first = nullptr;                 // the sending if there is one, else a delivery
  Process sender;
  bool agreed() const { return first->service >= Service::agreed; }
};

struct Ring {
  Token id;
  uint32_t begin = 0, end = 0;  // messages
};

class Index {
 public:
  Index(const Run& run, const Options& options);

  const Run& run() const { return run_; }
  const Options& options() const { return options_; }
  uint32_t trace_count() const { return static_cast<uint32_t>(run_.traces.size()); }
  const Event& event(Place place) const { return run_.traces[place.trace].events[place.event]; }

  const std::vector<Step>& steps(uint32_t trace) const { return steps_[trace]; }
  uint32_t step_of(Place place) const { return step_of_[place.trace][place.event]; }  // kNone: before the first
  Ending ending(uint32_t trace) const { return endings_[trace]; }

  // The incarnations of a process, in their order; empty when there is no trace of it.
  std::span<const uint32_t> incarnations(uint32_t nodeid) const;
  const std::vector<uint32_t>& nodeids() const { return nodeids_; }

  const Installed& installed(Token conf) const { return installed_[conf.value]; }
  uint32_t step_in(uint32_t trace, Token conf) const;  // kNone: never installed there
  bool is_member(uint32_t nodeid, Token conf) const;
  uint64_t ring_seq(Token regular) const;  // 0: nobody installed it
  uint64_t highest_ring_seq(uint32_t trace) const { return highest_ring_seq_[trace]; }

  const std::vector<Message>& messages() const { return messages_; }
  const std::vector<Ring>& rings() const { return rings_; }
  uint32_t message_of(Place place) const { return message_of_[place.trace][place.event]; }
  std::span<const Mention> sendings(const Message& m) const { return {&mentions_[m.begin], m.deliveries - m.begin}; }
  std::span<const Mention> deliveries(const Message& m) const {
    return {mentions_.data() + m.deliveries, m.end - m.deliveries};
  }
  Place mention(const Message& m) const { return mentions_[m.begin].at; }  // where it is met first

  // A delivery in the configuration that it was stamped in, or in the transitional one after it, and the trace's first
  // of this message: what counts as delivered.
  bool counts(Place delivery) const { return counts_[delivery.trace][delivery.event]; }

  // Words for sentences.
  std::string who(uint32_t trace) const { return text_of(run_.traces[trace].process); }
  const std::string& name(Token token) const { return run_.names.text(token); }
  std::string message(const Message& m) const { return name(m.ring) + "/" + std::to_string(m.seq); }
  Place last(uint32_t trace) const;  // its last event
  Place at(uint32_t trace, uint32_t step) const { return {trace, steps_[trace][step].event}; }

 private:
  void index_trace(uint32_t trace);
  void index_messages();
  void index_deliveries();

  const Run& run_;
  const Options& options_;
  std::vector<std::vector<Step>> steps_;
  std::vector<std::vector<uint32_t>> step_of_, message_of_;
  std::vector<std::vector<bool>> counts_;
  std::vector<Ending> endings_;
  std::vector<uint64_t> highest_ring_seq_;
  std::vector<uint32_t> nodeids_;
  std::unordered_map<uint32_t, std::vector<uint32_t>> incarnations_;
  std::vector<Installed> installed_;  // by token
  std::unordered_map<uint64_t, uint32_t> step_in_;
  std::vector<Mention> mentions_;
  std::vector<Message> messages_;
  std::vector<Ring> rings_;
};

// The groups of predicates; each in check_GROUP.cc.
void check_configurations(const Index& index, Findings& findings);  // W1 to W5, W8
void check_transitions(const Index& index, Findings& findings);     // W6, W7, 2.1
void check_basic(const Index& index, Findings& findings);           // 1.2 to 1.5, 2.2
void check_graph(const Index& index, Findings& findings);           // 1.1, 2.3 and 2.4, 6.1
void check_sets(const Index& index, Findings& findings);            // 3, 4
void check_order(const Index& index, Findings& findings);           // 5, 6.1 by seq, 6.2
void check_safe(const Index& index, Findings& findings);            // 7.1, 7.2
void check_primary(const Index& index, Findings& findings);         // P1 to P5

}  // namespace evs::verify
