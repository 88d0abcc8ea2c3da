// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/episodes_rings.cc - rings that are formed and lost, and why; who is lost is said always (losses.h), rings are when they are few.
#include <algorithm>

#include "bus/ordering/host_set.h"
#include "bus/runtime/uplink/episodes.h"
#include "bus/runtime/uplink/of_late.h"

namespace evs::runtime::uplink {

using namespace ordering;

namespace {

constexpr Duration kHeldOfLate = 10 * kSecond;
constexpr size_t kRestlessLosses = 3;  // hosts in a minute: rings that a start or an orderly stop makes are no unrest
constexpr size_t kMostAddresses = 2 * kMaxHosts;

constexpr Matter kRestless{"uplink.ring", 1, Level::warning, 30 * kSecond};
constexpr Matter kGrowing{"uplink.ring", 7, Level::info, 30 * kSecond};
constexpr Matter kTokenLost{"uplink.token", 2, Level::warning, kMinute};

}  // namespace

void Episodes::note_ring(Instant now, const Snapshot& seen, Lines& lines) {
  const uint64_t formed = seen.rings.formed - before_.rings.formed;
  for (uint64_t i = 0; i < std::min<uint64_t>(formed, kMostRings + 1); ++i) rings_.push_back(now);
  while (rings_.size() > 2 * kMostRings) rings_.pop_front();
  keep_since(rings_, now, kMinute);
  keep_since(token_lost_alone_, now, 5 * kMinute);
  if (formed == 0) return;
  const bool lost_alone = seen.rings.ended_by == Why::token_lost && seen.members == before_.members && seen.members.size() > 1 && now >= twins_until_;
  if (lost_alone) token_lost_alone_.push_back(now);
  while (token_lost_alone_.size() > 3) token_lost_alone_.pop_front();
  if (token_lost_alone_.size() == 3 && lost_alone)
    bouts_.is_so(
        now, kTokenLost, kNoHost,
        "the token is lost again and again, although all hosts are heard and come back: packets are lost (the receive buffers of sysctl net.core.rmem_max, the "
        "switch), or a host does not get the processor within " +
            in_words(seen.token_lost),
        "the token has not been lost for a minute", lines);
  if (addresses_.size() > kMostAddresses) addresses_ = seen.addresses;
  tell_who_is_gone(now, seen, lines);
  if (rings_.size() <= kMostRings) return tell_ring(seen, lines);
  const std::string ring = "ring " + std::to_string(seen.ring.sequence) + " of " + hosts_in_words(seen.members);
  if (losses_.of_late() < kRestlessLosses)
    return bouts_.is_so(now, kGrowing, kNoHost, "many rings are formed, and not each is told any more; now it is " + ring,
                        "it is " + ring + " since half a minute", lines);
  bouts_.forget(kGrowing, kNoHost);
  bouts_.is_so(now, kRestless, kNoHost,
               "rings come and go, " + std::to_string(rings_.size()) + " or more in the last minute, and not each is told any more; now it is " + ring +
                   ", because " + why_ended(seen) + "; " + losses_.most() + " in this minute. Look for a host or a link that comes and goes",
               "rings have come to rest: it is " + ring + " since half a minute", lines);
}

void Episodes::tell_who_is_gone(Instant now, const Snapshot& seen, Lines& lines) {
  Hosts gone;
  if (before_.rings.formed == 0) return;
  for (const Host& host : before_.members)
    if (!is_in(seen.members, host.id)) gone.push_back(host);
  if (gone.empty()) return;
  const bool in_order = seen.rings.left && seen.rings.ended_by == Why::join_heard;
  if (!in_order) return losses_.lost(now, gone, why_lost(now, gone, seen), addresses_, lines);
  if (rings_.size() <= kMostRings) lines.push_back({Level::info, "uplink.member", hosts_in_words(gone, addresses_) + " left"});
}

void Episodes::tell_ring(const Snapshot& seen, Lines& lines) const {
  Hosts anew;
  for (const Host& host : before_.members)
    if (before_.rings.formed != 0 && !contains(seen.members, host) && is_in(seen.members, host.id)) anew.push_back(host);
  std::string text = "ring " + std::to_string(seen.ring.sequence) + " of " + hosts_in_words(seen.members) + " (this is host " + std::to_string(seen.self.id) +
                     ") formed in " + in_words(seen.rings.took);
  if (before_.rings.formed != 0) text += ", because " + why_ended(seen);
  if (!anew.empty()) text += "; " + hosts_in_words(anew) + " began anew";
  lines.push_back({Level::info, "uplink.ring", text});
}

// Who asks for another ring does not say why on the wire; that it is a member and neither left nor began anew leaves two reasons.
std::string Episodes::why_ended(const Snapshot& seen) const {
  const bool by_a_host = seen.rings.ended_by == Why::join_heard || seen.rings.ended_by == Why::foreign_ring;
  if (!by_a_host || seen.rings.asker == kNoHost) return reason_in_words(seen.rings.ended_by, seen.token_lost);
  const std::string who = host_in_words(seen.rings.asker, addresses_);
  if (seen.rings.left && seen.rings.ended_by == Why::join_heard) return who + (is_in(seen.members, seen.rings.asker) ? " asked for another ring, and a host took its leave" : " took its leave");
  switch (seen.rings.asked) {
    case Asked::came:
      return who + " came";
    case Asked::began_anew:
      return who + " began anew: its gateway was started again, or another process has the role";
    case Asked::member:
      return who + " asked for another ring: it had lost the token, or met hosts that are not in this one";
    case Asked::unknown:
      break;
  }
  return reason_in_words(seen.rings.ended_by, seen.token_lost) + ": " + who;
}

// Who gives a host up for its slow readers knows why; the others saw it hold the ring up.
std::string Episodes::why_lost(Instant now, const Hosts& lost, const Snapshot& seen) const {
  if (is_in(lost, last_holder_) && now - last_held_ < kHeldOfLate)
    return "its readers were slow for too long, and held the ring up. Look at the processes of that host that do not dispatch (evs status)";
  switch (seen.rings.ended_by) {
    case Why::held_too_long:
      return "readers were slow for too long, and held the ring up. Look at the processes that do not dispatch (evs status)";
    case Why::cannot_receive:
      return "a member could not receive what the others have. Look for loss of packets, and for a path that carries less than the others (MTU)";
    case Why::barrier_too_long:
      return "it did not do its part in a change of processes in time. Look at the load of that host";
    default:
      return why_ended(seen) + ". If it was not stopped, look at whether it runs and has the processor, at its network, and at the firewalls (" + where_ + ")";
  }
}

}  // namespace evs::runtime::uplink
