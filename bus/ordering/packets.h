// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/packets.h - what hosts say to each other, as structs; docs/wire-format.md draws them byte by byte, wire.h moves them.
//
//   data        to all     a frame: messages, or pieces of one, at one place of a ring's order
//   token       to one     the right to send, and the lines that every member must know
//   join        to all     who I would form a ring with, and who I gave up
//   commit      to one     a ring that is being formed: goes round twice, collects what each brings, then says it to all
//   probe       to all     a ring is here: how two that do not hear each other's messages find together
//   hold_cancel to all     the representative holds an idle token; somebody has something to send
//
// Spans point into the packet that was decoded, or into what the sender keeps until it has encoded.
#pragma once

#include <cstddef>
#include <span>

#include "bus/ordering/ids.h"

namespace evs::ordering {

using Bytes = std::span<const std::byte>;

enum class PacketType : uint8_t { data = 1, token = 2, join = 3, commit = 4, probe = 5, hold_cancel = 6 };

// What a data packet's body is. A recovered frame is a complete data packet of the ring before, said again in the ring that follows it.
enum class Body : uint8_t { pieces = 0, recovered = 1 };

struct Data {
  RingId ring;
  Seq seq;
  Seq previous;          // the same sender's frame before this one in this ring; 0: none
  uint64_t round = 0;    // tokens that the sender had passed on when it put this on the wire
  Service service = Service::agreed;
  Body body = Body::pieces;
  uint16_t piece_count = 0;  // with Body::pieces
  Bytes payload;             // pieces one behind the other (wire.h), or the packet of before
};

// A frame's messages are delivered together or not at all, so it must be known what room they may ask for.
inline constexpr uint16_t kMaxPieces = 1024;

struct SeqRange {
  Seq first;
  uint32_t count = 0;
  friend bool operator==(const SeqRange&, const SeqRange&) = default;
};
inline constexpr uint32_t kMaxWanted = 64;  // ranges that a token asks for

// Where the barrier stands (barrier.h).
enum class Stage : uint8_t {
  open = 0,      // there is none
  exchange = 1,  // a ring begins: until every host has delivered the openings of all
  joining = 2,   // one stands, and further changes may join it until the token is back at who put it up
  closed = 3,    // it stands
  rest = 4,      // it fell: messages alone, until the token is back at who saw it fall
};

constexpr bool stands(Stage stage) { return stage != Stage::open && stage != Stage::rest; }

struct Token {
  RingId ring;
  uint64_t visit = 0;         // rises with each hand: tells a token from its repetition
  Seq high;                   // the last frame that was given a place
  Seq received_by_all;        // literature: aru
  HostId lowered_by = kNoHost;
  uint32_t spent = 0;         // frames sent in this rotation
  uint32_t backlog = 0;       // frames that members wait to send
  bool recovering = false;    // somebody has frames of before to say
  Stage stage = Stage::open;
  HostId stage_by = kNoHost;     // joining, rest: at whom it ends
  Seq change;                    // the last change of processes that was given a place
  Seq delivered_by_all;          // in order
  HostId delayed_by = kNoHost;   // who lowered that
  HostId held_by = kNoHost;      // who cannot deliver: its readers are slow, and it has no room. Nobody gives it up while it says so itself
  std::vector<SeqRange> wanted;
};

struct Join {
  uint64_t ring_sequence = 0;  // the highest that the sender knows of
  bool leaving = false;
  Hosts candidates;            // literature: proc set
  Hosts failed;
  std::vector<uint64_t> superseded{};  // sorted: boot nonces of lives that the sender goes on from, so that nobody waits for them
};
inline constexpr uint32_t kMaxSuperseded = 8;

// What a member brings into a new ring.
struct CommitEntry {
  RingId old_ring;      // none (all zero): it comes from no ring
  Seq received_up_to;   // of the old ring
  Seq high;             // the highest it holds
  Seq delivered;        // in order, in the old configuration
  bool filled = false;  // else all of it is empty
  Hosts obligations;    // whose messages of the old ring it must deliver even behind a gap
};

// How many hosts the obligations of one commit may name altogether: a list of them, and a bit each in every entry, fit into a datagram.
inline constexpr uint32_t kMaxObliged = 3 * kMaxHosts;

struct Commit {
  RingId ring;         // named after one of the members
  uint32_t index = 0;  // the member that it goes to next; counts on through both laps
  Hosts members;       // sorted
  std::vector<CommitEntry> entries;  // one a member
};

struct Probe {
  RingId ring;
};

struct HoldCancel {
  RingId ring;
};

}  // namespace evs::ordering
