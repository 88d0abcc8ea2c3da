// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/model.h - correct runs from a seed: a sequencer that knows everything, and members that hear late.
//
// Each ring is one list of stamped messages; each member holds some of them. Who holds what is random, and so are
// partitions, merges, crashes and restarts; what is delivered where follows the rules of recovery: UNORDERED on
// arrival, FIFO after its sender's FIFO messages, AGREED without a gap, SAFE once all members hold everything before
// it. At a change those who go on together pool what they hold, deliver in the old configuration what any of them may
// have delivered there, and in the transitional one the rest, over gaps only what companions sent. Changes are not
// interrupted, so the companions are all the obligations there are.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <vector>

#include "tools/verify/trace.h"

namespace evs::verify {

class Model {
 public:
  explicit Model(uint64_t seed);

  // `steps` random events; then all who live are brought together, everything is delivered, and the traces end.
  void live(uint32_t steps);

  verify::Run run;
  uint32_t partitions = 0, merges = 0, crashes = 0, gaps = 0, safe_in_transition = 0;

 private:
  struct Message {
    uint32_t sender = 0;  // member
    Process process;
    Service service = Service::agreed;
    uint64_t hash = 0;
  };
  struct Member {
    uint32_t nodeid = 0;
    uint64_t incarnation = 0;
    bool alive = false;
    Trace* trace = nullptr;
    std::shared_ptr<struct ModelRing> ring;
    std::vector<bool> holds, delivered;  // by seq - 1
    size_t agreed_up_to = 0;             // delivered in order up to here
  };
  friend struct ModelRing;

  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  std::vector<uint32_t> living() const;
  void boot(uint32_t p);
  void crash(uint32_t p);
  void send(uint32_t p);
  void hear(uint32_t p);
  void deliver_early(uint32_t p);
  void deliver_in_order(uint32_t p);
  void deliver(uint32_t p, Token conf, size_t i);
  bool all_hold_up_to(const ModelRing& ring, size_t i) const;
  size_t prefix(const Member& m) const;
  void change();
  void regroup(const std::vector<std::vector<uint32_t>>& groups);
  void recover(const std::vector<uint32_t>& companions);
  void install(const std::vector<uint32_t>& group);
  void tell(Member& m, Configuration c);
  std::vector<uint32_t> nodeids(const std::vector<uint32_t>& members) const;

  std::mt19937_64 random_;
  std::vector<Member> members_;
  uint64_t next_ring_ = 1, next_transition_ = 1, next_hash_ = 1;
};

struct ModelRing {
  Token id;
  std::vector<uint32_t> members;
  std::vector<Model::Message> messages;
};

}  // namespace evs::verify
