// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/ballots.h - which rings were primary, as the disks of the hosts have it: a trace of each host, beside those of its processes.
//
// In these a host is named by its disk: who has lost it and comes back is another host.
#pragma once

#include <algorithm>
#include <map>
#include <utility>

#include "bus/ordering/mutant.h"
#include "bus/ordering/primary_bytes.h"
#include "tests/sim/ring/network.h"
#include "tools/verify/trace.h"

namespace evs::sim {

struct Ballots {
  verify::Run run;
  std::map<std::pair<Machine, uint64_t>, uint32_t> names;  // by machine and life
  bool disks_lost = false;
};

// One host's: its disk, which outlives a crash, and what it has declared.
class Ballot {
 public:
  Ballot(Ballots& all, const ordering::Quorum& quorum, ordering::Host self) : all_(all), self_(self) { disk_.quorum = quorum; }

  const ordering::Voter& disk() const { return disk_; }
  void lose_disk() {
    disk_.disk = 0;
    all_.disks_lost = true;
  }
  // Another life of the host.
  void boot(Machine machine, uint64_t life, bool begins_the_bus) {
    if (disk_.disk == 0) {
      if (disks_ == 0 || !ordering::planted(ordering::Mutant::disk_keeps_its_number)) ++disks_;
      disk_.disk = disks_ * kMachines + machine;
      disk_.record = {};
      if (begins_the_bus && !has_begun_ && disk_.quorum.rule == ordering::Quorum::Rule::last_primary) disk_.record = ordering::begun_by({self_.id, disk_.disk});
      has_begun_ = true;
    }
    const auto name = static_cast<uint32_t>(disk_.disk);
    all_.names[{machine, life}] = name;
    trace_ = &all_.run.boot({name, life}, verify::Level::host);
    regular_ = {};
  }
  verify::Trace& trace() { return *trace_; }
  void in(const ordering::RingId& ring, verify::Token name) {  // no ring: between two
    ring_ = ring;
    regular_ = name;
  }

  // It reaches the disk as bytes; a successor, and the next life, have what these say.
  bool write(const ordering::Voter& voter) {
    std::vector<std::byte> bytes;
    ordering::stored::encode(voter, self_.id, bytes);
    return ordering::stored::decode(bytes, self_.id, disk_) && disk_.record == voter.record;
  }
  // The ring is primary as far as the disk or the processes know. True: for the first time.
  bool declare(uint64_t told_epoch, int64_t at) {
    if (ring_ == ordering::RingId{}) return false;
    const uint64_t epoch = disk_.record.formed.ring == ring_ ? std::max(disk_.record.formed.epoch, told_epoch) : told_epoch;
    if (epoch == 0 || declared_ == regular_) return false;
    declared_ = regular_;
    trace_->prim(regular_, epoch, disk_.quorum.hosts, at);
    return true;
  }

 private:
  static constexpr uint64_t kMachines = 1000;
  Ballots& all_;
  const ordering::Host self_;
  ordering::Voter disk_;
  uint64_t disks_ = 0;
  bool has_begun_ = false;
  verify::Trace* trace_ = nullptr;
  ordering::RingId ring_;
  verify::Token regular_, declared_;
};

}  // namespace evs::sim
