// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/voting_file.h - what a host keeps on its disk: what it has voted for (docs/stored-state.md, "The voting record"), and how far rings are numbered.
//
// One of each for a bus and a host id: BUS.HOST.votes and BUS.HOST.rings, in the directory of uplink.state_directory.
#pragma once

#include <optional>
#include <string>

#include "bus/ordering/primary_bytes.h"
#include "bus/runtime/uplink/state_directory.h"
#include "bus/runtime/uplink/state_file.h"

namespace evs::runtime::uplink {

std::string voting_file_name(const std::string& bus, ordering::HostId host);
std::string sequence_file_name(const std::string& bus, ordering::HostId host);

class VotingFile {
 public:
  // Without a file, an empty record is stored under a new disk number before this answers. With `begins_here` an empty one becomes that of the first primary ring. What is there
  // is written again: that it can be.
  static PluginResult<VotingFile> open(const StateDirectory& directory, const std::string& bus, ordering::HostId host, const ordering::Quorum& quorum, bool begins_here);

  const ordering::Voter& voter() const { return voter_; }  // as it was when this was opened, with its rule
  bool is_new() const { return is_new_; }
  bool has_begun() const { return has_begun_; }  // the first primary ring, just now
  // Empty when it is on the disk; else a sentence with the way out.
  std::string store(const StateDirectory& directory, const ordering::Voter& voter) const;

 private:
  VotingFile(std::string name, StateOwner owner) : name_(std::move(name)), owner_(std::move(owner)) {}
  std::optional<PluginFailure> write(const StateDirectory& directory, const ordering::Voter& voter) const;

  std::string name_;
  StateOwner owner_;
  ordering::Voter voter_;
  bool is_new_ = false, has_begun_ = false;
};

// The highest sequence that a ring was numbered with stays with the window file, which a machine that goes down loses. So sequences are reserved, some
// hundreds at once, and a machine that comes up begins behind all that were. One write to disk for so many rings.
class SequenceFile {
 public:
  static PluginResult<SequenceFile> open(const StateDirectory& directory, const std::string& bus, ordering::HostId host);

  uint64_t reserved() const { return reserved_; }
  // Behind it `sequence` may be used. Empty, or a sentence.
  std::string reserve(const StateDirectory& directory, uint64_t sequence);

 private:
  SequenceFile(std::string name, StateOwner owner) : name_(std::move(name)), owner_(std::move(owner)) {}
  std::optional<PluginFailure> write(const StateDirectory& directory, uint64_t through);

  std::string name_;
  StateOwner owner_;
  uint64_t reserved_ = 0;
};

}  // namespace evs::runtime::uplink
