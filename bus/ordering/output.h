// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/output.h - what the ordering layer wants done, in the order in which it must be done.
//
// An effect is carried out before the next one is begun; a `store` has reached what survives this process before the sends
// behind it leave. Sends that stand side by side may go out as one super-packet or with one system call: packet() says where each
// lies. Frames that are sent and messages that are delivered lie where the core keeps them, and stay as they are until the next call into it: each
// call's effects are carried out before the next one. All else lies in the Output and stays until clear(). The caller keeps
// one Output and clears it for each call, so that in the steady state nothing is allocated.
#pragma once

#include <string_view>

#include "bus/ordering/packets.h"

namespace evs::ordering {

enum class Why : uint8_t {
  started, token_lost, foreign_ring, join_heard, cannot_receive, consensus_missed, commit_lost, recovery_lost, recovery_too_long,
  barrier_too_long, held_too_long, names_run_out, count_
};
enum class Drop : uint8_t {  // what was refused, and counted
  malformed, other_ring, stale_token, stale_commit, not_for_us, own_echo, join_names_us_failed, stale_join, quarantined,
  duplicate_host, frozen, outside_window, mark_fell, distrusted, wrong_phase, superseded, count_
};

// In words, with spaces.
const char* name_of(Why why);
const char* name_of(Drop why);

struct Configuration {
  bool regular = true;
  RingId ring;  // regular: its own; transitional: of the regular configuration that it closes
  RingId next;  // transitional: the ring that follows
  Hosts members;
};

struct Delivery {
  RingId ring;
  Seq seq;               // of the frame that completed it
  uint32_t index = 0;    // the message's place in that frame
  bool transitional = false;
  Host sender;
  Service service = Service::agreed;
  Bytes bytes;
};

// What must outlive this process (stored.h puts it together; docs/protocol.md, "What a successor must know"). A host that keeps nothing
// for a successor is asked to store sequences alone (Settings::for_successor).
struct Stored {
  enum class Kind : uint8_t {
    sequence,     // number: the highest of the rings that this host knows of
    life,         // number: this instance's boot nonce
    window,       // frames that came or got their places, stamps, and what is no longer needed
    obligations,  // whose messages must be delivered even behind a gap
    ending,       // the installed ring ends
  };
  Kind kind = Kind::sequence;
  uint64_t number = 0;
};

struct Window {  // of the installed ring
  RingId ring;
  Seq forgotten;                             // through here nothing is needed any more
  size_t held_begin = 0, held_end = 0;       // in Output::held: frames, to be read with Protocol::frame()
  size_t stamped_begin = 0, stamped_end = 0; // in Output::stamped: messages whose last pieces are in those of them that are ours
};

struct Ending {  // all that decides what is delivered until `next` is installed
  RingId next;
  Hosts members;         // of `next`
  Hosts going_on;
  Hosts obligations;
  Seq delivered_by_one;
  Seq begins_behind;     // frames of `next` up to here were recovery's
};

struct Effect {
  enum class Kind : uint8_t { send_to_all, send_to, store, deliver, configuration, stamped, paused, duplicate_host, flush_receive };
  Kind kind = Kind::send_to_all;
  size_t begin = 0, end = 0;  // sends: the packet, in Output::bytes; deliver, stamped, configuration, store: which, in its list
  const std::byte* kept = nullptr;  // sends: the packet's first byte, where the core keeps it; begin and end are its bounds there
  HostId to = kNoHost;        // send_to
  Stored stored{};            // store
  Duration paused_for = 0;    // paused
};

// A message of ours got its place: all its pieces are stamped. (For traces; and an outbox frees it.)
struct Stamped {
  uint64_t message = 0;  // the number that submit() gave
  Service service = Service::agreed;  // a fragmented UNORDERED message has its sender's order at least
  RingId ring;
  Seq seq;
  uint32_t index = 0;
};

class Output {
 public:
  void clear() {
    effects.clear();
    bytes.clear();
    deliveries.clear();
    configurations.clear();
    stamped.clear();
    windows.clear();
    held.clear();
    obligations.clear();
    endings.clear();
  }
  Bytes packet(const Effect& e) const {
    const std::byte* from = e.kept != nullptr ? e.kept : bytes.data();
    return {from + e.begin, e.end - e.begin};
  }

  // A packet that stands in `bytes` from `begin` on is sent; to kNoHost: to all.
  void sends_from(size_t begin, HostId to) {
    Effect& effect = add(to == kNoHost ? Effect::Kind::send_to_all : Effect::Kind::send_to);
    effect.begin = begin;
    effect.end = bytes.size();
    effect.to = to;
  }
  void send(HostId to, Bytes packet) {
    const size_t begin = bytes.size();
    bytes.insert(bytes.end(), packet.begin(), packet.end());
    sends_from(begin, to);
  }
  // A packet that the core keeps, and leaves as it is until the next call into it.
  void send_kept(HostId to, Bytes packet) {
    Effect& effect = add(to == kNoHost ? Effect::Kind::send_to_all : Effect::Kind::send_to);
    effect.kept = packet.data();
    effect.end = packet.size();
    effect.to = to;
  }
  // The caller fills it, field by field, where it stays. Put together elsewhere and copied, it is read in wider words than it was just written in,
  // and the processor waits for each; that took longer than all else that is done for a small message.
  Delivery& deliver() {
    add(Effect::Kind::deliver).begin = deliveries.size();
    return deliveries.emplace_back();
  }
  void configure(const Configuration& configuration) {
    add(Effect::Kind::configuration).begin = configurations.size();
    configurations.push_back(configuration);
  }
  // Those of `stamped` from `first` on.
  void tell_stamps(size_t first) {
    for (size_t i = first; i < stamped.size(); ++i) add(Effect::Kind::stamped).begin = i;
  }
  void store(Stored::Kind kind, uint64_t number) { add(Effect::Kind::store).stored = {kind, number}; }
  void store_window(const RingId& ring, Seq forgotten, const std::vector<Seq>& frames, size_t first_stamp) {
    store_listed(Stored::Kind::window, windows.size());
    windows.push_back({ring, forgotten, held.size(), held.size() + frames.size(), first_stamp, stamped.size()});
    held.insert(held.end(), frames.begin(), frames.end());
  }
  void store_obligations(const Hosts& hosts) {
    store_listed(Stored::Kind::obligations, obligations.size());
    obligations.push_back(hosts);
  }
  void store_ending(const Ending& ending) {
    store_listed(Stored::Kind::ending, endings.size());
    endings.push_back(ending);
  }
  Effect& add(Effect::Kind kind) {
    Effect& effect = effects.emplace_back();
    effect.kind = kind;
    return effect;
  }

  std::vector<Effect> effects;
  std::vector<std::byte> bytes;
  std::vector<Delivery> deliveries;  // their bytes belong to the core, until the next call into it
  std::vector<Configuration> configurations;
  std::vector<Stamped> stamped;
  std::vector<Window> windows;
  std::vector<Seq> held;
  std::vector<Hosts> obligations;
  std::vector<Ending> endings;

 private:
  void store_listed(Stored::Kind kind, size_t which) {
    store(kind, 0);
    effects.back().begin = which;
  }
};

}  // namespace evs::ordering
