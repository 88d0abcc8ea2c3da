// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/local_records.h - what the processes of a host and its gateway say to each other through their two rings.
//
//   outbox   asked by a process: "I am here", "I go", a message, a control record (groups/control_record.h)
//   order    told by the gateway: a message, a control record, a change of the configuration or of groups
//
// Both are formats between processes of one host and one build of the bus's files: numbers are the machine's own. What comes over the network
// (WireHeader and behind it) is little-endian, and is judged before anything of it is believed.
//
// An order record is one effect of the ordering layer and one record of the ring, so that it is there or not, whatever the moment at which the gateway dies. A change
// therefore holds all that its effect tells: a transitional configuration, a regular one, who joined and left which groups.
#pragma once

#include <cstdint>
#include <vector>

#include "bus/include/evs/plugin.h"
#include "bus/ordering/processes.h"

namespace evs::runtime::uplink {

using ordering::Bytes;

// One life of a process on this host: who it is to all hosts.
struct Resident {
  uint32_t node = 0;
  int32_t pid = 0;
  uint64_t incarnation = 0;
  friend auto operator<=>(const Resident&, const Resident&) = default;
};

// ---- outbox ----

enum class Ask : uint32_t { arrive = 1, go = 2, message = 3, control = 4 };

struct OutboxHeader {
  Ask ask = Ask::arrive;
  uint32_t guarantee = 0;
  uint32_t node = 0;
  int32_t pid = 0;
  uint64_t incarnation = 0;
};
static_assert(sizeof(OutboxHeader) == 24);

// What follows it with `message` and `control`, and travels to the other hosts as it stands: groups, then the payload.
inline constexpr size_t kWireHeaderBytes = 8;
enum class Carries : uint8_t { message = 1, control = 2 };
struct Carried {
  Carries what = Carries::message;
  uint32_t group_count = 0;
  const evs_plugin_group* groups = nullptr;
  Bytes payload;
};
inline constexpr uint32_t kMostGroups = 4096;  // of a message
void encode_wire_header(Carries what, uint32_t group_count, std::byte (&out)[kWireHeaderBytes]);
bool decode_wire(Bytes bytes, Carried& out);  // false: malformed

// The group that outbox records are for, and the one that changes are for. An application that takes one of these keys for itself is woken more often than it need
// be, and that is all: what a record is stands in its header.
extern const evs_plugin_group kOutboxGroup;
extern const evs_plugin_group kChangesGroup;

// ---- order ----

enum class Tells : uint32_t { message = 1, control = 2, change = 3 };

struct OrderHeader {
  Tells tells = Tells::message;
  uint32_t node = 0;
  int32_t pid = 0;
  uint32_t configurations = 0;  // change: how many
  uint64_t incarnation = 0;
  uint64_t group_changes = 0;   // change: how many
  uint64_t place = 0;           // message: place_of()
  uint64_t reserved = 0;
};
static_assert(sizeof(OrderHeader) == 48);

// A message's place as applications see it (evs_message::sequence): the same at all hosts, and rising within a ring of hosts. Twelve bits of the ring, the lowest ones, so that
// one ring's are not the next one's: a successor's first ring has a sequence one higher than what was stored. 2^42 frames at a million a second last for fifty days.
constexpr uint64_t place_of(const ordering::RingId& ring, ordering::Seq seq, uint32_t index) {
  return (ring.sequence & 0xfff) << 52 | (seq.value & ((uint64_t{1} << 42) - 1)) << 10 | (index & 0x3ff);
}

// Who was in a group when a join took its place: behind the control record, for each of its groups, in their order.
struct GroupState {
  std::vector<std::vector<Resident>> groups;
};
void encode(const GroupState& state, std::vector<std::byte>& out);
bool decode(Bytes bytes, GroupState& state);

struct GroupChange {
  evs_plugin_group group{};
  Resident who;
  bool joined = false;
};

// A configuration of processes as its members are told, and as evs_membership gives it.
struct ProcessesInForce {
  uint64_t number = 0;  // ring sequence << 32 | change; odd: transitional
  uint64_t epoch = 0;   // of a regular one of a primary ring; else 0
  std::vector<evs_ordered_member> members, left;
  bool is_transitional() const { return (number & 1) != 0; }
  uint64_t ring_sequence() const { return number >> 32; }
  uint64_t change() const { return number & 0xffffffffu; }
};
size_t encoded_bytes(const ProcessesInForce& configuration);
void encode(const ProcessesInForce& configuration, std::vector<std::byte>& out);
// As evs_membership stands in memory, at most `size` bytes; `needed` is always said. False: it does not fit.
bool write_membership(const ProcessesInForce& configuration, uint64_t position, void* buffer, size_t size, size_t* needed);

struct ChangeTold {
  std::vector<ProcessesInForce> configurations;  // at most a transitional and a regular one
  std::vector<GroupChange> groups;
};
void encode(const ChangeTold& change, std::vector<std::byte>& out);
bool decode(Bytes bytes, ChangeTold& change);
bool decode(Bytes bytes, ProcessesInForce& configuration);

// What a gateway keeps of processes for its successor: the configuration told last, which the ordering layer alone cannot name within a transition, and
// what that layer saves (ordering/process_level.h).
void encode_kept(const ProcessesInForce& told, Bytes saved, std::vector<std::byte>& out);
bool decode_kept(Bytes bytes, ProcessesInForce& told, Bytes& saved);

}  // namespace evs::runtime::uplink
