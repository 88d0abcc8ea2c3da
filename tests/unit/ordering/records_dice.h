// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/records_dice.h - records at random. EVS_SEED=n replays one seed alone; EVS_LONG=1 runs many more.
#pragma once

#include <algorithm>
#include <string>

#include "bus/ordering/host_set.h"
#include "tests/support/dice.h"
#include "tests/unit/ordering/records_again.h"

namespace evs::ordering::records {

inline constexpr HostId kHighestHost = (1u << 20) - 1;

// Records at random, in good form, of host `from`.
class Draw {
 public:
  explicit Draw(uint64_t seed) : dice(seed), from(static_cast<HostId>(dice.between(1, kHighestHost))) {}

  Process process() {
    return {from << kSlotBits | static_cast<NodeId>(dice.between(1, 4095)), static_cast<uint32_t>(dice.next()), dice.next()};
  }
  Group group() {
    Group drawn{};
    for (std::byte& b : drawn) b = dice.one_in(2) ? std::byte{0} : static_cast<std::byte>(dice.next());
    return drawn;
  }
  ChangeRecord change() {
    ChangeRecord drawn{static_cast<Change>(dice.between(1, 5)), process(), {}, {}};
    carried.clear();
    if (drawn.what < Change::join_group) return drawn;
    drawn.groups = groups(dice.between(1, kMaxGroupsOfChange));
    for (uint64_t more = dice.below(4) != 0 ? dice.below(100) : 0; more > 0; --more) carried.push_back(static_cast<std::byte>(dice.next()));
    drawn.carried = carried;
    return drawn;
  }
  // At most so many, sorted.
  std::vector<Group> groups(uint64_t most) {
    std::vector<Group> drawn;
    for (; most > 0; --most) drawn.push_back(group());
    std::sort(drawn.begin(), drawn.end());
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
    return drawn;
  }
  Attempt attempt(uint64_t epoch, const Host& voter) {
    Attempt drawn{epoch, {dice.between(1, kMaxSequence), static_cast<HostId>(dice.between(1, kHighestHost)), dice.next()}, {voter}};
    for (uint64_t more = dice.below(4); more > 0; --more)
      if (const Host host{static_cast<HostId>(dice.between(1, kHighestHost)), dice.next()}; with_id(drawn.hosts, host.id) == nullptr) add(drawn.hosts, host);
    return drawn;
  }
  Voter voter() {
    Voter drawn;
    if (dice.one_in(2)) return drawn;
    drawn.quorum = dice.one_in(2) ? Quorum{Quorum::Rule::last_primary, 0} : Quorum{Quorum::Rule::fixed, static_cast<uint32_t>(dice.between(1, kMaxHosts))};
    drawn.disk = dice.next();
    uint64_t epoch = dice.one_in(2) ? 0 : dice.between(1, 1000);
    if (epoch != 0) drawn.record.formed = attempt(epoch, {from, dice.next()});
    for (uint64_t more = dice.below(4); more > 0; --more) drawn.record.attempts.push_back(attempt(epoch += dice.between(1, 3), {from, drawn.disk}));
    return drawn;
  }
  Opening opening() {
    Opening drawn;
    drawn.voter = voter();
    const bool configured = dice.below(4) != 0;
    for (uint64_t more = dice.below(8); more > 0; --more) {
      Member member{process(), configured && dice.one_in(2), {}};
      member.groups = groups(dice.below(5));
      drawn.processes.push_back(std::move(member));
    }
    const auto by_node = [](const Member& a, const Member& b) { return a.process.node < b.process.node; };
    const auto one_node = [](const Member& a, const Member& b) { return a.process.node == b.process.node; };
    std::sort(drawn.processes.begin(), drawn.processes.end(), by_node);
    drawn.processes.erase(std::unique(drawn.processes.begin(), drawn.processes.end(), one_node), drawn.processes.end());
    if (!configured) return drawn;
    drawn.configuration = {dice.between(1, UINT64_MAX / 2 - 1) * 2, static_cast<NodeId>(dice.between(1, from << kSlotBits))};
    drawn.configuration_members = static_cast<uint32_t>(dice.between(std::max<size_t>(1, drawn.processes.size()), UINT32_MAX));
    return drawn;
  }

  test::Dice dice;
  HostId from;
  std::vector<std::byte> carried;  // what a change drawn last carries
};

}  // namespace evs::ordering::records
