// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/episodes.cc - what is wrong with hosts, and the way to them. Rings that come and go are in episodes_rings.cc, the sentences of who hears whom in words.cc.
#include "bus/runtime/uplink/episodes.h"

#include <algorithm>

#include "bus/ordering/host_set.h"
#include "bus/runtime/uplink/of_late.h"
#include "bus/runtime/uplink/words.h"

namespace evs::runtime::uplink {

using namespace ordering;

namespace {


// The numbers tell matters apart, and nothing else.
constexpr Matter kForming{"uplink.forming", 3, Level::warning, kSecond};
constexpr Matter kOutside{"uplink.outside", 4, Level::warning, 2 * kSecond};
constexpr Matter kSlow{"uplink.slow", 5, Level::warning, 2 * kSecond};
constexpr Matter kStalled{"uplink.slow", 21, Level::error, 10 * kSecond};
constexpr Matter kGaveUsUp{"uplink.host", 8, Level::warning, 30 * kSecond};
constexpr Matter kNotUnderstood{"uplink.version", 9, Level::warning, 30 * kSecond};
constexpr Matter kDuplicate{"uplink.duplicate", 10, Level::error, 30 * kSecond};
constexpr Matter kPaused{"uplink.pause", 11, Level::warning, 10 * kSecond};
constexpr Matter kTooBig{"uplink.mtu", 12, Level::warning, 10 * kSecond};
constexpr Matter kOverflow{"uplink.sending", 13, Level::warning, 10 * kSecond};
constexpr Matter kRefused{"uplink.sending", 14, Level::warning, 10 * kSecond};
constexpr Matter kGivenUp{"uplink.sending", 6, Level::warning, 30 * kSecond};
constexpr Matter kLonely{"uplink.hearing", 15, Level::info, kSecond};
constexpr Duration kRefusedOfLate = 10 * kSecond;
constexpr size_t kMostRefusals = 4, kMostProblems = 8;
constexpr unsigned kHearing = 16;  // and the fault

}  // namespace

bool Episodes::Often::rose(Instant now, uint64_t total) {
  if (total == last_) return false;
  last_ = total;
  if (seconds_.empty() || now - seconds_.back() >= kSecond) seconds_.push_back(now);
  keep_since(seconds_, now, 30 * kSecond);
  while (seconds_.size() > 5) seconds_.pop_front();
  return seconds_.size() == 5;
}

Lines Episodes::note(Instant now, const Snapshot& seen) {
  Lines lines;
  if (seen.duplicates != before_.duplicates) twins_until_ = now + kMinute;  // two hosts of one id lose each other's tokens
  for (const auto& [host, at] : seen.addresses) addresses_[host] = at;
  note_ring(now, seen, lines);
  losses_.sweep(now, seen.members, addresses_, lines);
  note_forming(now, seen, lines);
  note_slow(now, seen, lines);
  note_hearing(now, seen, lines);
  note_hosts(now, seen, lines);
  note_self(now, seen, lines);
  note_refusals(now, seen, lines);
  bouts_.sweep(now, lines);
  before_ = seen;
  return lines;
}

// Sealing says it of each host once in ten minutes; for as long as more is refused, it stays so.
void Episodes::note_refusals(Instant now, const Snapshot& seen, Lines& lines) {
  for (const Notice& notice : seen.notices) {
    lines.push_back({notice.bad ? Level::warning : Level::info, "uplink.key", notice.text});
    if (!notice.bad || std::find(refusals_.begin(), refusals_.end(), notice.text) != refusals_.end()) continue;
    refusals_.push_back(notice.text);
    if (refusals_.size() > kMostRefusals) refusals_.pop_front();
  }
  if (seen.refused == before_.refused) return;
  refused_at_ = now;
  is_refusing_ = true;
}

std::vector<std::string> Episodes::problems(Instant now) const {
  std::vector<std::string> all = bouts_.texts(Level::warning);
  if (is_refusing_ && now - refused_at_ < kRefusedOfLate) all.insert(all.end(), refusals_.begin(), refusals_.end());
  if (all.size() > kMostProblems) all.resize(kMostProblems);
  return all;
}

// ---- Hosts that are outside. ----

void Episodes::note_forming(Instant now, const Snapshot& seen, Lines& lines) {
  if (seen.ended_at != kNever && now - seen.ended_at >= kFormingPatience) {
    std::string whom;
    for (const HostId host : seen.heard) whom += (whom.empty() ? "" : ", ") + std::to_string(host);
    bouts_.is_so(now, kForming, kNoHost,
                 "no ring since " + in_words(now - seen.ended_at) + ": the last one ended because " + reason_in_words(seen.ended_by, seen.token_lost) +
                     ", and those who are heard do not agree on another one (" + (whom.empty() ? "nobody is" : "heard: " + whom) +
                     "). Look for a link that loses packets or works one way, and at the firewalls (" + where_ + ")",
                 "there is a ring again", lines);
  }
  // Who is heard and not in the ring, for no reason that is told already.
  std::map<HostId, Instant> outside;
  for (const HostId host : seen.heard) {
    if (seen.ended_at != kNever || is_in(seen.members, host)) continue;
    const auto since = outside_.find(host);
    outside[host] = since == outside_.end() ? now : since->second;
    const bool told = std::any_of(seen.faults.begin(), seen.faults.end(), [&](const Verdict& each) { return each.host == host; });
    if (told || now - outside[host] < 2 * kFormingPatience) continue;
    const std::string name = "host " + std::to_string(host);
    bouts_.is_so(
        now, kOutside, host,
        name +
            " is heard, and is in no ring with this host: forming one with it failed, and it is let alone for a while each time. Look at its own log, and for "
            "packets that are lost between the two",
        name + " is in the ring, or gone", lines);
  }
  outside_.swap(outside);
}

// ---- Readers that are slow. ----

void Episodes::note_slow(Instant now, const Snapshot& seen, Lines& lines) {
  if (seen.held_by != kNoHost) {
    last_holder_ = seen.held_by;
    last_held_ = now;
  }
  const bool ours = seen.is_held || (seen.held_by != kNoHost && seen.held_by == seen.self.id);
  if (ours) {
    bouts_.is_so(now, kSlow, seen.self.id, "this host holds the ring up: its log is full, because a process does not dispatch. evs status names it",
                 "this host holds the ring up no more", lines);
  } else if (seen.held_by != kNoHost) {
    const std::string name = "host " + std::to_string(seen.held_by);
    bouts_.is_so(now, kSlow, seen.held_by, name + " holds the ring up: a process there does not dispatch. evs status names it there",
                 name + " holds the ring up no more", lines);
  }
  if (seen.stalled != before_.stalled)
    bouts_.is_so(
        now, kStalled, seen.self.id,
        "this host has left the ring: its readers took nothing for too long, and the others must go on. It comes back when they read; evs status names them",
        "", lines);
}

// ---- Who hears whom. ----

void Episodes::note_hearing(Instant now, const Snapshot& seen, Lines& lines) {
  for (const Verdict& verdict : seen.faults) {
    const Matter matter{verdict.fault == Fault::large_lost ? "uplink.mtu" : "uplink.hearing", kHearing + static_cast<unsigned>(verdict.fault), Level::warning,
                        kSecond};
    bouts_.is_so(now, matter, verdict.host, sentence(verdict, seen), "of host " + std::to_string(verdict.host) + ": " + end_in_words(verdict.fault), lines);
  }
  if (seen.is_lonely && seen.duplicates == 0)
    bouts_.is_so(
        now, kLonely, kNoHost,
        "no other host of this bus is heard. If there is one: look at the cable and the interface, at the firewalls (" + where_ +
            "), at whether the network carries multicast (IGMP snooping; plugin.udp.mode = \"unicast\" with plugin.udp.peers does without), and at the keys",
        "another host is heard", lines);
  if (!seen.all_is_well || well_told_) return;
  std::string whom;
  for (const HostId host : seen.heard)  // who has gone is heard for some seconds still
    if (is_in(seen.members, host)) whom += (whom.empty() ? "" : ", ") + std::to_string(host);
  if (whom.empty() || seen.ended_at != kNever) return;
  well_told_ = true;
  lines.push_back({Level::info, "uplink.hearing",
                   "the network does its part: this host and " + whom + " hear each other, in what is sent to all and in packets of " +
                       std::to_string(seen.packet_bytes) + " bytes"});
}

// ---- Other hosts. ----

void Episodes::note_hosts(Instant now, const Snapshot& seen, Lines& lines) {
  for (const auto& [host, complaints] : seen.complaints) {
    const std::string name = "host " + std::to_string(host);
    if (gave_us_up_[host].rose(now, complaints.gave_us_up))
      bouts_.is_so(now, kGaveUsUp, host,
                   name + " has given this host up, and says so again and again (" + std::to_string(complaints.gave_us_up) +
                       " times): one of the two comes and goes, or packets are lost between them. Look at both logs",
                   name + " has not given this host up for half a minute", lines);
    if (not_understood_[host].rose(now, complaints.not_understood))
      bouts_.is_so(now, kNotUnderstood, host,
                   "packets of " + name + " are not understood (" + std::to_string(complaints.not_understood) +
                       "): it runs another version of evs. All hosts of a bus must run "
                       "versions that speak one",
                   "packets of " + name + " are understood again", lines);
  }
  if (seen.duplicates != before_.duplicates) {
    bouts_.is_so(now, kDuplicate, seen.duplicate, twins_in_words(seen.duplicate, seen.duplicate_one, seen.duplicate_other),
                 "host id " + std::to_string(seen.duplicate) + " has been used by one host for half a minute", lines);
  }
  if (gave_us_up_.size() > 2 * kMaxHosts) gave_us_up_.clear();
  if (not_understood_.size() > 2 * kMaxHosts) not_understood_.clear();
}

// ---- This host. ----

void Episodes::note_self(Instant now, const Snapshot& seen, Lines& lines) {
  if (seen.pauses != before_.pauses)
    bouts_.is_so(now, kPaused, kNoHost,
                 "this process, its host's gateway, did not run for " + in_words(seen.paused_for) +
                     " (stopped by a signal or a debugger; or its machine was: suspended, stopped or moved as a virtual one, overloaded): what waited was thrown away, and "
                     "it joins the ring again",
                 "", lines);
  const Outgoing::Counts &sent = seen.sending, &before = before_.sending;
  if (sent.too_big != before.too_big)
    bouts_.is_so(now, kTooBig, kNoHost,
                 "packets are larger than the medium takes (" + std::to_string(sent.too_big) + " were lost): the path has become narrower, and carries " +
                     std::to_string(seen.packet_bytes) +
                     " bytes in one piece. What is larger goes in parts from here on; plugin.udp.frame says how large frames may get",
                 "", lines);
  if (sent.given_up != before.given_up)
    bouts_.is_so(now, kGivenUp, kNoHost,
                 "packets are not taken by the interface however often they are offered, the last one of " + std::to_string(sent.given_up_bytes) + " bytes (" +
                     std::to_string(sent.given_up) + " were lost): what it leads to carries less (MTU; a container's veth has two ends), or it is overloaded",
                 "", lines);
  if (sent.overflowed != before.overflowed)
    bouts_.is_so(now, kOverflow, kNoHost,
                 "the medium has had no room for so long that packets were lost (" + std::to_string(sent.overflowed) +
                     "): look at the interface and at plugin.udp.send_buffer",
                 "", lines);
  if (sent.refused != before.refused)
    bouts_.is_so(now, kRefused, kNoHost, "the medium failed, or nothing could be sealed: packets were lost (" + std::to_string(sent.refused) + ")", "", lines);
  if (!seen.failure.empty() && !std::exchange(failed_, true)) lines.push_back({Level::error, "uplink.failure", "the uplink is over: " + seen.failure});
  if (seen.ran_out && !std::exchange(ran_out_, true))
    lines.push_back(
        {Level::error, "uplink.failure", "the uplink is closed: rings have no more numbers. Stop all hosts of the bus, and remove what they stored of it"});
}

}  // namespace evs::runtime::uplink
