// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ordered/medium.h - a medium that orders by itself, in virtual time: what ordered_path.h relies on, and nothing beyond it.
//
// A membership is an *era* with a log of its own. Hosts read it at their own speed. When the connections change, some members go on to a new era together:
// they share the place up to which they read the old one, and that is no less than what one of them has read, or was told that it will
// read, or has itself put into the log. Others may go on putting messages into the old log, which those who left never see. What was
// handed over and has no place yet gets one in the sender's next era.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bus/ordering/ordered_path.h"
#include "tests/support/dice.h"

namespace evs::sim {

using ordering::Bytes;
using ordering::Duration;
using ordering::HostId;
using ordering::Instant;

struct Pace {  // of one host
  Duration order_most = 300'000, read_most = 200'000;
};

struct Heard {  // one event for a host
  enum class Kind : uint8_t { nothing, membership, message, stable } kind = Kind::nothing;
  ordering::MediumMembership membership;
  HostId from = 0;
  uint64_t position = 0;
  std::vector<std::byte> bytes;
};

class OrderedMedium {
 public:
  OrderedMedium(uint32_t hosts, bool tells, test::Dice& prng) : prng_(prng), tells_(tells), ports_(hosts + 1) {}

  void start(HostId host, uint64_t life);
  void crash(HostId host);
  void send(Instant now, HostId host, Bytes bytes);
  void set_side(HostId host, uint32_t side) { ports_[host].side = side; }
  void set_pace(HostId host, Pace pace) { ports_[host].pace = pace; }
  // Those of one side who live come together, if they are not; or for a moment, some of them alone.
  void reform(Instant now, uint32_t side, bool falls_apart);

  Instant next() const;
  // What is due: something gets its place (nobody hears it yet), or a host reads.
  HostId step(Instant now, Heard& heard);
  size_t under_way(HostId host) const { return ports_[host].outgoing.size(); }
  uint64_t ordered() const { return ordered_; }
  bool quiet() const;  // all is read

 private:
  struct Entry {
    HostId from = 0;
    std::vector<std::byte> bytes;
  };
  struct Era {
    std::map<HostId, uint64_t> members;    // and which life
    std::map<HostId, size_t> received;     // holds, or will read before any change
    std::vector<Entry> log;
  };
  struct Stay {
    size_t era = 0;
    size_t until = SIZE_MAX;
    bool announced = false;
    ordering::MediumMembership membership;
  };
  struct Outgoing {
    Instant at;
    std::vector<std::byte> bytes;
  };
  struct Port {
    uint64_t life = 0;
    bool alive = false;
    uint32_t side = 0;
    Pace pace;
    std::deque<Outgoing> outgoing;
    std::deque<Stay> path;                 // the first is being read, into the last is put
    size_t read = 0;
    uint64_t told = 0;
    Instant read_at = ordering::kNever;
  };
  void form(Instant now, const std::vector<HostId>& members);
  size_t common_end(size_t era, const std::vector<HostId>& going);
  bool has_more(const Port& port) const;
  void wake(Instant now, Port& port);
  void put(Instant now, HostId host);
  void read(Instant now, HostId host, Heard& heard);
  size_t stable(size_t era);

  test::Dice& prng_;
  const bool tells_;
  std::vector<Port> ports_;
  std::deque<Era> eras_;
  uint64_t ordered_ = 0;
};

}  // namespace evs::sim
