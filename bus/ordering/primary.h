// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/primary.h - which of the rings into which hosts have fallen apart may act for all of them (docs/decisions/primary-component.md).
//
// The primary rings are one chain: each holds more than half of the hosts of the one before, so no two of them can go on side by side. Which one was the
// last is hard to know, because forming one can be interrupted when some have learned that it is formed and others have not. So each host
// writes down that it tries before it votes, and that it is formed before it says so; a ring whose members remember a try that may have succeeded must
// hold more than half of that one, too.
//
// Pure functions of what the members have said, so all of a ring come to the same. A host is named by its disk here: one that has lost what it wrote down
// is somebody else, and nobody's vote.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bus/ordering/ids.h"

namespace evs::ordering {

// Tries that a host remembers. There are no more in any run where now and then the hosts of one try meet; a ring that would have to remember more is not
// formed, and those who meet find out then which tries failed.
inline constexpr size_t kMaxAttempts = 16;

struct Attempt {
  uint64_t epoch = 0;  // rises along the chain, and no two primary rings have the same: a token to fence with. 0: none
  RingId ring;
  Hosts hosts;         // all of the ring; Host::nonce is the disk's here
  friend bool operator==(const Attempt&, const Attempt&) = default;
};

struct PrimaryRecord {  // what a host keeps on its disk, and says first in every ring
  Attempt formed;                 // the last primary ring that it knows of
  std::vector<Attempt> attempts;  // that it has voted for since, by epoch: formed or not, it does not know
  friend bool operator==(const PrimaryRecord&, const PrimaryRecord&) = default;
};
using PrimaryRecords = std::map<Host, PrimaryRecord>;

struct Quorum {
  enum class Rule : uint8_t { off, last_primary, fixed };
  Rule rule = Rule::off;
  uint32_t hosts = 0;  // fixed: more than half of so many, 1 to kMaxHosts; else 0
  friend bool operator==(const Quorum&, const Quorum&) = default;
};

// What a host says of itself first in every ring (primary_bytes.h). With Rule::off the rest is empty.
struct Voter {
  Quorum quorum;
  uint64_t disk = 0;  // drawn when the record was first stored: another disk is another host
  PrimaryRecord record;
  friend bool operator==(const Voter&, const Voter&) = default;
};
using Voters = std::map<HostId, Voter>;

enum class Verdict : uint8_t {
  forms,
  nobody_knows,      // of any primary ring: one has to be begun, once
  too_many_hosts,    // for the fixed number: two rings could hold more than half of it
  no_majority,       // of the last one, or of the fixed number
  may_have_formed,   // a try was interrupted, and of that one there is no majority here
  too_many_tries,
  two_histories,     // of one epoch: somebody has begun a second chain
  out_of_epochs,
  rules_differ,      // the members were told different ones
  voted_down,        // a member said something else in place of its vote
  off,               // nobody was told any
};
const char* text_of(Verdict verdict);

struct Decision {
  Verdict verdict = Verdict::nobody_knows;
  Attempt attempt;                // forms: what all members write down, and then vote for
  Attempt formed;                 // the last primary ring that anybody here knows of
  std::vector<Attempt> unsettled; // tries since then that may have been formed
};

// When all members of `ring` have said who they are.
Decision decide(const RingId& ring, const Voters& said);
Decision decide(const Quorum& quorum, const RingId& ring, const PrimaryRecords& said);

// Written down before the vote; and, when the votes of all members are delivered in the ring's regular configuration, before anybody here is told.
PrimaryRecord with_attempt(const PrimaryRecord& own, const Decision& decision);
PrimaryRecord with_formed(const PrimaryRecord& own, const Attempt& attempt);

// The first of the chain: one host, on which somebody says so.
PrimaryRecord begun_by(const Host& host);

}  // namespace evs::ordering
