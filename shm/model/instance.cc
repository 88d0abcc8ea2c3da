// SPDX-License-Identifier: BSD-3-Clause
// shm/model/instance.cc - the tiny worlds, and the first moment of each.
#include "shm/model/instance.h"

#include <algorithm>

namespace evs::shm::model {
namespace {

constexpr Role kAbsent = Role::absent, kSender = Role::sender, kReader = Role::reader, kNewcomer = Role::newcomer,
               kSleeper = Role::sleeper;

// Bits over processes: 0b0011 is processes 0 and 1.
constexpr Instance kInstances[] = {
    {"claim", "one of two writers dies anywhere; its hole is filled, the other loses nothing", 4, 2, 3,
     {kSender, kSender, kReader, kAbsent}, {{{1, 2}, {2}, {}, {}}}, 1, 0, 0, 0b0011, 0, 0, 0, 0, true},
    {"wrap", "records of two units at the buffer's end: skip, and a death within it", 4, 3, 3,
     {kSender, kSender, kReader, kAbsent}, {{{2, 2}, {2}, {}, {}}}, 1, 0, 0, 0b0011, 0, 0, 0, 0, false},
    {"survivors", "two readers fill one hole side by side, one of them writes behind it", 4, 3, 3,
     {kSender, kReader, kReader, kAbsent}, {{{2}, {1}, {}, {}}}, 1, 0, 0, 0b0001, 0, 0, 0, 0, false},
    {"wrap-kills", "two writers at the buffer's end, both die", 4, 3, 3,
     {kSender, kSender, kReader, kAbsent}, {{{2}, {2}, {}, {}}}, 2, 0, 0, 0b0011, 0, 0, 0, 0, true},
    {"reader-dies", "a reader that holds the ring dies, also in a fill or while it owes a leave", 4, 2, 4,
     {kSender, kReader, kReader, kAbsent}, {{{1, 1, 1, 1}, {}, {}, {}}}, 2, 0, 0, 0b0011, 0, 0, 0, 0, false},
    {"stopped", "a writer stops anywhere, for ever: if it owns nothing, the ring goes on", 4, 2, 3,
     {kSender, kSender, kReader, kAbsent}, {{{1}, {1, 1, 1, 1}, {}, {}}}, 1, 1, 0, 0b0010, 0b0001, 0, 0, 0, false},
    {"expel", "a reader that also writes is expelled anywhere", 4, 2, 3,
     {kReader, kSender, kReader, kAbsent}, {{{2}, {1, 1}, {}, {}}}, 0, 0, 1, 0, 0, 0b0001, 0b0100, 0, false, 0b0011},
    {"rejoin", "an expelled reader acknowledges and rejoins in another slot", 4, 2, 4,
     {kReader, kSender, kReader, kAbsent}, {{{}, {1}, {}, {}}}, 0, 0, 1, 0, 0, 0b0001, 0b0100, 0b0001, false, 0b0011},
    {"expel-stopped", "a reader that also writes stops and is expelled; if it owns nothing, the ring goes on", 4, 2, 3,
     {kReader, kSender, kReader, kAbsent}, {{{1}, {2, 2}, {}, {}}}, 0, 1, 1, 0, 0b0001, 0b0001, 0b0100, 0, false, 0b0011},
    {"expel-fill", "an expelled reader fills late: its pin counts, its cursor does not", 4, 3, 3,
     {kReader, kSender, kReader, kAbsent}, {{{}, {2}, {2}, {}}}, 1, 0, 1, 0b0010, 0, 0b0001, 0b0100, 0, false, 0b0001},
    {"alone", "nobody reads: senders go round the ring and fold what they overwrite", 4, 2, 2,
     {kSender, kSender, kAbsent, kAbsent}, {{{1, 1, 2, 1, 1}, {1, 1}, {}, {}}}, 1, 0, 0, 0b0010, 0, 0, 0, 0, true},
    {"vanish", "the only reader dies far ahead of covered; the senders go on", 4, 2, 3,
     {kSender, kReader, kAbsent, kAbsent}, {{{1, 1, 1, 1, 1, 1}, {}, {}, {}}}, 1, 0, 0, 0b0010, 0, 0, 0, 0, false},
    {"attach", "a newcomer beside a writer and a reader", 4, 2, 4,
     {kSender, kReader, kNewcomer, kAbsent}, {{{2, 2, 2}, {}, {}, {}}}, 0, 0, 0, 0, 0, 0, 0, 0, false},
    {"attach-kill", "a newcomer while the writer or the reader dies", 4, 2, 4,
     {kSender, kReader, kNewcomer, kAbsent}, {{{1, 1}, {}, {}, {}}}, 1, 0, 0, 0b0111, 0, 0, 0, 0, false},
    {"attach-two", "two newcomers at once: one of the two join records is ignored", 4, 2, 4,
     {kReader, kNewcomer, kNewcomer, kAbsent}, {{{}, {}, {}, {}}}, 0, 0, 0, 0, 0, 0, 0, 0, false},
    {"attach-alone", "a newcomer where nobody reads", 4, 2, 3,
     {kSender, kNewcomer, kAbsent, kAbsent}, {{{1, 1, 1, 1, 1, 1}, {1}, {}, {}}}, 0, 0, 0, 0, 0, 0, 0, 0, true},
    {"reuse", "a dead member's slot is used again", 8, 6, 2,
     {kSender, kReader, kNewcomer, kAbsent}, {{{1}, {1}, {}, {}}}, 1, 0, 0, 0b0011, 0, 0, 0, 0, false},
    {"open", "a handle opens its first cursor while another joins and the reader dies", 8, 6, 4,
     {kSleeper, kReader, kNewcomer, kAbsent}, {{{}, {}, {}, {}}}, 1, 0, 0, 0b0010, 0, 0, 0, 0, false},
    {"author", "who owes a leave record dies before it is in force", 8, 6, 3,
     {kSender, kSender, kReader, kAbsent}, {{{}, {}, {}, {}}}, 2, 0, 0, 0b0011, 0, 0, 0, 0, false},
    {"attach-fine", "a newcomer comes while a scan is half done", 4, 5, 3,
     {kSender, kNewcomer, kReader, kAbsent}, {{{2, 2}, {}, {1}, {}}}, 0, 0, 0, 0, 0, 0, 0, 0, true},
    {"give-up", "a sender that found no room gives its message up, another dies in its place", 4, 2, 3,
     {kSender, kSender, kReader, kAbsent}, {{{2}, {1, 1, 1, 1}, {}, {}}}, 1, 0, 0, 0b0010, 0, 0, 0, 0, false, 0b0011, 0b0001},
    {"fill-race", "two fill one hole, and the ring goes round under the slower of them", 4, 2, 3,
     {kSender, kSender, kSender, kAbsent}, {{{1, 1, 2}, {1}, {}, {}}}, 1, 0, 0, 0b0010, 0, 0, 0, 0, false},
    {"join-leave", "a join and a leave record race", 4, 2, 3,
     {kSender, kReader, kNewcomer, kAbsent}, {{{}, {}, {}, {}}}, 1, 0, 0, 0b0001, 0, 0, 0, 0, false},
    {"covered", "nobody reads, and who wrote a leave record dies before anybody has folded it", 4, 2, 3,
     {kSender, kSender, kSender, kAbsent}, {{{1, 1, 1, 1, 1}, {}, {}, {}}}, 2, 0, 0, 0b0110, 0, 0, 0, 0, false},
};

constexpr Instance kLongInstances[] = {
    {"claim-long", "claim, with longer scripts", 4, 2, 3,
     {kSender, kSender, kReader, kAbsent}, {{{1, 2, 1}, {2, 1}, {}, {}}}, 1, 0, 0, 0b0111, 0, 0, 0, 0, true},
    {"kills-long", "two writers, two survivors who read, two deaths", 4, 3, 4,
     {kSender, kSender, kReader, kReader}, {{{1}, {1}, {}, {}}}, 2, 0, 0, 0b0011, 0, 0, 0, 0, false, 0b0111},
    {"expel-long", "two writers, two readers, a death, a stop and an expulsion with rejoin", 4, 2, 4,
     {kReader, kSender, kReader, kSender}, {{{2}, {1}, {}, {1}}}, 1, 0, 1, 0b1010, 0, 0b0001, 0b0110, 0b0001, false},
    {"attach-long", "attach, with two deaths", 4, 2, 4,
     {kSender, kReader, kNewcomer, kReader}, {{{1, 1}, {}, {}, {}}}, 2, 0, 0, 0b1111, 0, 0, 0, 0, false},
};

// Too large to visit whole: random walks.
constexpr Instance kRoaming[] = {
    {"roam", "everything at once: deaths, an expulsion with rejoin, a newcomer, reuse of slots, wraps", 4, 3, 4,
     {kReader, kSender, kReader, kNewcomer}, {{{2, 1, 1, 2}, {1, 2, 2, 1, 1, 1}, {1, 1}, {1, 2}}}, 2, 0, 1, 0b1011, 0, 0b0101,
     0b0111, 0b0101, true},
    {"roam-attach", "two newcomers, a writer and a reader, deaths", 4, 1, 4,
     {kSender, kReader, kNewcomer, kNewcomer}, {{{1, 1, 2, 1, 1, 1}, {1, 1}, {1}, {1}}}, 2, 0, 0, 0b1111, 0, 0, 0, 0, true},
    {"roam-open", "senders only, one opens a cursor, one attaches", 4, 1, 4,
     {kSleeper, kSender, kNewcomer, kReader}, {{{1, 1}, {1, 1, 2, 1, 1, 1}, {1}, {}}}, 2, 0, 1, 0b1111, 0, 0b1000, 0b0011, 0b1000,
     true},
};

}  // namespace

std::span<const Instance> instances() { return kInstances; }
std::span<const Instance> long_instances() { return kLongInstances; }
std::span<const Instance> roaming_instances() { return kRoaming; }

const Instance* find_instance(std::string_view name) {
  for (const auto& all : {instances(), long_instances(), roaming_instances()}) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Instance& one) { return one.name == name; });
    if (found != all.end()) return &*found;
  }
  return nullptr;
}

// All but the newcomers are members already, and the buffer is full of an earlier lap's payload: nothing is clean.
State initial(const Instance& world) {
  State state{};
  state.tail = state.covered = state.floor = world.start;
  state.word.fill(kPayloadWord);
  state.body.fill(kNone);
  state.lock = kNone;
  state.kills = world.kills;
  state.stops = world.stops;
  state.expulsions = world.expulsions;
  for (Slot& slot : state.slot) slot = Slot{SlotState::free, 0, kNone, kNone, 0, kNone, kNone, 0, kNone, 0};
  uint8_t list = 0;
  for (uint8_t index = 0; index < kProcs; ++index) {
    Process& process = state.process[index];
    process.slot = kNone;
    if (world.role[index] == Role::newcomer) process.pc = Pc::attach_take;
    if (world.role[index] == Role::absent || world.role[index] == Role::newcomer) continue;
    const bool reads = world.role[index] == Role::reader;
    Slot& slot = state.slot[index];
    slot = Slot{SlotState::live, index, index, kNone, 0, kNone, kNone, 0, kNone, 0};
    if (reads) {
      slot.cursor = world.start;
      slot.folded = 1;
    }
    process.slot = process.incarnation = index;
    process.pc = Pc::idle;
    list = static_cast<uint8_t>(list | 1u << index);
  }
  // The membership in force was set up just before the first position.
  const uint8_t before = static_cast<uint8_t>(world.start - 1);
  for (Process& process : state.process) {
    if (process.pc != Pc::idle) continue;
    process.view_position = before;
    process.view_list = list;
  }
  state.latest_position = state.floor_position = before;
  state.latest_list = state.floor_list = list;
  state.next_incarnation = kProcs;
  return state;
}

Hash hash(const State& state) {
  static_assert(sizeof(State) % 8 == 0 || sizeof(State) > 8);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&state);
  Hash mixed{0x9e3779b97f4a7c15u, 0xc2b2ae3d27d4eb4fu};
  for (size_t at = 0; at < sizeof state; at += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, bytes + at, std::min<size_t>(8, sizeof state - at));
    mixed.a = (mixed.a ^ eight) * 0xff51afd7ed558ccdu;
    mixed.a ^= mixed.a >> 32;
    mixed.b = (mixed.b + eight) * 0xc4ceb9fe1a85ec53u;
    mixed.b ^= mixed.b >> 29;
  }
  mixed.b = (mixed.b ^ mixed.b >> 31) * 0x9fb21c651e98df25u;
  return mixed;
}

}  // namespace evs::shm::model
