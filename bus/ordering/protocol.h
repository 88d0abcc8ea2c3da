// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/protocol.h - extended virtual synchrony over a medium that may lose, repeat and reorder: (now, event) -> effects.
//
// Totem's single ring with early token, transitive obligations and the freeze rule (docs/protocol.md says what is taken from which paper,
// and where we deviate). Pure: no clock, thread, I/O or randomness; one thread at a time. The runtime carries the effects
// out in their order (output.h), the simulator does the same in virtual time.
#pragma once

#include <array>
#include <map>
#include <string>
#include <variant>

#include "bus/ordering/deadlines.h"
#include "bus/ordering/host_set.h"
#include "bus/ordering/phases.h"
#include "bus/ordering/rare.h"
#include "bus/ordering/send_queue.h"

namespace evs::ordering {

struct StoredState;  // stored.h

class Protocol {
 public:
  explicit Protocol(const Settings& settings);
  ~Protocol();

  void start(Instant now, Output& out);
  void resume(Instant now, const StoredState& stored, Output& out);  // in place of start(): goes on where a process of this host was killed
  void on_packet(Instant now, Bytes packet, Output& out);
  void on_deadline(Instant now, Output& out);  // calling early is harmless
  Instant next_deadline() const { return deadlines_.next(); }
  Submitted submit(Instant now, Service service, Bytes message, uint64_t& number, Output& out);
  // For process_level.h. A change of processes: AGREED, behind what was submitted before it, and a barrier (barrier.h).
  Submitted submit_change(Instant now, Bytes message, uint64_t& number, Output& out);
  // With settings.exchange, once in answer to each regular configuration: what this host says first in it. Until then it says nothing.
  Submitted submit_opening(Instant now, Bytes message, uint64_t& number, Output& out);
  void exchange_complete(Instant now, Output& out);  // the openings of all members were delivered, and the votes behind them if there are any
  void heard_opening(HostId host);             // what this member says first was delivered: its opening; behind begin_votes() its vote
  void begin_votes();                          // the openings of all were delivered, and the exchange goes on: each says one thing more
  void form_anew(Instant now, Output& out);          // this ring has no more names for configurations of processes; the next one has
  void leave(Instant now, Output& out);        // the others need not wait for a token that does not come

  // What the log that deliveries go to has room for (room.h), from here on; never said: no end. What was delivered takes its part of it. It must come to
  // least_room() when all of the log has been read.
  void set_room(uint64_t bytes) { room_.set(bytes); }
  void on_room(Instant now, uint64_t bytes, Output& out);  // there is more: what waits is delivered
  bool is_held() const { return ending_ || (deliverer_ && deliverer_->is_held()); }
  static uint64_t least_room(const Settings& settings);

  // What a `store` effect names, until the next call. nullptr: it is not held.
  const Frame* frame(const RingId& ring, Seq seq) const;

  const Settings& settings() const { return settings_; }

  // ---- For status, metrics, tests. ----
  const RingId& ring() const { return ring_; }
  const Hosts& members() const { return members_; }
  HostId held_by() const;  // whose slow readers hold the ring up; kNoHost: nobody's
  HostId lagging() const;  // who lacks what the others have, for a rotation or more; kNoHost: nobody
  Instant token_came_at() const { return token_came_at_; }  // the last one of any ring; kNever: none did. Who is alone has none
  Seq received_up_to() const;  // of the installed ring: nothing is missing up to here
  Seq stable() const;          // all its members have received this much
  Seq high() const;            // so much has been stamped, as far as we know
  size_t backlog_bytes() const { return queue_.backlog_bytes(); }  // wait for the token
  bool ran_out_of_sequences() const { return ran_out_; }  // it is closed, because it could not name another ring: settings.h
  bool is_closed() const { return std::holds_alternative<Closed>(phase_); }
  bool is_operational() const { return std::holds_alternative<Operating>(phase_); }
  const char* phase_name() const;
  uint64_t dropped(Drop why) const { return drops_[static_cast<size_t>(why)]; }
  std::string drops_text() const;
  uint64_t entered_gather(Why why) const { return reasons_[static_cast<size_t>(why)]; }
  uint64_t rare(Rare what) const { return rare_.of(what); }
  const RingWork& ring_work() const { return rare_.ring; }

 private:
  class QueueWork;
  class RecoveryWork;

  void begin_event(Instant now, Output& out);
  void end_event(Instant now);
  void stalled_again_at(Instant at) { stalled_since_ = Instant{at.ns - std::min(at.ns, settings_.stalled_host)}; }
  void take_packet(Instant now, Bytes packet, Output& out);
  Submitted enqueue(Instant now, SendQueue& queue, Role role, Service service, Bytes message, uint64_t& number, Output& out);
  void ask_for_token(Instant now, Output& out);
  void ignore(Drop why) { ++drops_[static_cast<size_t>(why)]; }
  template <class Packet>
  void send(HostId to, const Packet& packet, Output& out);  // kNoHost: to all
  uint64_t most_believed() const { return std::max(sequence_known_, sequence_promised_) + kMostAhead; }
  void store_sequence(Output& out);
  void raise_sequence(uint64_t stored, Output& out);
  void send_leave(Output& out);
  void run_out(Instant now, Output& out);
  void begin_alone(Instant now, Output& out);
  void probe(Output& out);

  // protocol_resume.cc
  void note_received(Seq seq);
  void store_window(size_t first_stamp, Output& out);
  void store_ending(const Ending& end, Output& out);
  void take_over(const StoredState& stored);
  void go_through_stored_ending(const Ending& end);

  // protocol_apart.cc
  void begin_ending(const Ending& end);
  bool end_ring(Output& out);
  void ring_is_there(Instant now, Output& out);
  void go_apart(Instant now, Output& out);
  void go_on_apart(Instant now, Output& out);
  void deliver_held(Instant now, Output& out);
  void give_up(Instant now, const Hosts& hosts, Why why, Output& out);
  void watch_others(Instant now, Operating& operating, const Token& token, Output& out);

  // protocol_gather.cc
  void enter_gather(Instant now, Why why, Output& out);
  void send_join(Output& out);
  void on_join(Instant now, const Host& sender, const Join& join, Output& out);
  bool give_up_superseded(const Host& sender, const Join& join);
  bool give_up_predecessors();
  void weigh_join(Instant now, const Host& sender, const Join& join, Output& out);
  void note_over(const Host& host, uint64_t through);
  bool is_over(const Host& host, uint64_t sequence) const;
  bool is_own_past(Instant now, const Host& sender, uint64_t sequence) const;
  void report_duplicate(const Host& sender, Output& out);
  bool is_duplicate(Instant now, const Host& sender, Output& out);
  void on_foreign(Instant now, const Host& sender, const RingId& ring, Output& out);
  void check_consensus(Instant now, Output& out);
  void on_consensus_missed(Instant now, Output& out);
  bool quarantined(Instant now, const Host& host) const;
  void quarantine_failed(Instant now);

  // protocol_commit.cc
  void create_commit(Instant now, Output& out);
  void on_commit(Instant now, const Commit& commit, Output& out);
  void join_commit(Instant now, Commit commit, uint32_t me, Output& out);
  void enter_recovery(Instant now, const Commit& commit, uint32_t me);
  void send_commit(Instant now, const Commit& commit, Output& out);

  // protocol_recovery.cc
  void begin_tokens(Instant now, Recovering& recovering, Output& out);
  void recovery_visit(Instant now, Recovering& recovering, Token token, Output& out);
  void absorb(const Data& data);
  void install(Instant now, Output& out);

  // protocol_operational.cc
  void on_data(Instant now, const Host& sender, const Data& data, Bytes packet, Output& out);
  void on_token(Instant now, Token token, Output& out);
  void visit(Instant now, Operating& operating, Token token, Output& out);
  void run_alone(Instant now, Operating& operating, Output& out);
  void release(Instant now, Operating& operating, Output& out);
  void token_passed(Instant now);
  bool rests_here(const Rotation& rotation) const;
  bool may_linger(const Operating& operating, const Token& token) const;
  void hold(Instant now, Operating& operating, Token token, Duration how_long, Output& out);
  uint32_t waiting_frames() const;  // about how many
  // A frame must fit into one of the next ring, with that one's header in front.
  size_t frame_room() const { return settings_.frame_bytes - 2 * wire::kDataHeaderBytes; }
  bool speaks_in_place(Instant now, const Operating& operating) const;
  void go_on(Instant now, Operating& operating, Output& out);
  void speak_in_place(Instant now, Operating& operating, Output& out);
  void deliver_stamped(const Operating& operating, Seq before, Seq high, Output& out);
  void forget();

  const Settings settings_;
  Deadlines deadlines_;
  std::variant<Closed, Gather, Committing, Recovering, Operating, Apart> phase_;

  // The ring that is installed, and what is held of it until the next one is.
  RingId ring_;
  Hosts members_;
  std::unique_ptr<FrameStore> store_, spare_store_;
  std::vector<std::unique_ptr<FrameStore>> lying_still_;  // until the next call: what it delivered lies in them
  RingId spare_ring_;            // whose frames lie in the spare store
  std::vector<Seq> fresh_;       // came since the window was stored last
  Seq stored_forgotten_;
  Assembly assembly_;
  std::unique_ptr<Deliverer> deliverer_;
  // The ring before, while its end waits for room. Of the one that is installed nothing is delivered, promised or sent until then.
  struct EndingRing {
    RingId ring;
    std::unique_ptr<FrameStore> store;
    std::unique_ptr<Deliverer> deliverer;
  };
  std::optional<EndingRing> ending_;
  Room room_;
  Instant stalled_since_ = kNever;  // something waits for room, and nothing was delivered
  Hosts obligations_;  // whose messages of it we must deliver even behind a gap; we ourselves are always there

  uint64_t sequence_known_ = 0;     // the highest ring sequence heard of
  uint64_t sequence_promised_ = 0;  // of a ring that we said yes to, or installed
  bool ran_out_ = false;
  Hosts candidates_, failed_;
  struct Quarantine {
    Instant until;
    uint32_t times = 0;
  };
  std::map<Host, Quarantine> quarantine_;
  Instant distrust_until_;
  std::vector<uint64_t> superseded_;  // sorted: boot nonces of the processes that we go on from
  uint64_t past_sequence_ = 0;        // no life of ours before this one named a later ring's
  Instant past_until_;                // packets of a life of ours that we cannot name are late no longer than that
  struct Over {
    Host host;
    uint64_t through = 0;
  };
  std::vector<Over> over_;            // lives of other hosts, the longest known first, and the latest sequence that each can have named
  std::vector<std::byte> kept_commit_;
  HostId kept_commit_to_ = kNoHost;

  SendQueue queue_, opening_;
  uint64_t next_number_;
  std::vector<SendQueue::Completed> completed_;
  // Decoded into again and again.
  Data data_;
  Token token_;
  Join join_;
  Commit commit_;

  Instant token_came_at_ = kNever;
  std::array<uint64_t, static_cast<size_t>(Drop::count_)> drops_{};
  std::array<uint64_t, static_cast<size_t>(Why::count_)> reasons_{};
  RareCounts rare_;
  uint32_t recoveries_broken_ = 0;  // since a ring was installed
};

template <class Packet>
void Protocol::send(HostId to, const Packet& packet, Output& out) {
  const size_t begin = out.bytes.size();
  if (wire::encode(settings_.self, packet, out.bytes)) out.sends_from(begin, to);
}

}  // namespace evs::ordering
