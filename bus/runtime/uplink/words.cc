// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/words.cc - see words.h; and who hears whom, in a sentence.
#include "bus/runtime/uplink/words.h"

#include "bus/runtime/uplink/episodes.h"

namespace evs::runtime::uplink {

using namespace ordering;

namespace {

constexpr size_t kMostNamed = 16;

std::string with_address(HostId host, const Addresses& addresses) {
  const auto at = addresses.find(host);
  return std::to_string(host) + (at == addresses.end() || at->second.empty() ? "" : " (" + at->second + ")");
}

}  // namespace

std::string in_words(Duration time) {
  if (time < kSecond) return std::to_string(time / kMillisecond) + " ms";
  const uint64_t tenths = time / (kSecond / 10);
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0 && tenths < 1000) text.append(".").append(std::to_string(tenths % 10));
  return text.append(" s");
}

std::string hosts_in_words(const Hosts& hosts, const Addresses& addresses) {
  std::string text = hosts.size() == 1 ? "host " : "hosts ";
  for (size_t i = 0; i < hosts.size() && i < kMostNamed; ++i) text += (i == 0 ? "" : ", ") + with_address(hosts[i].id, addresses);
  return hosts.size() > kMostNamed ? text + " and " + std::to_string(hosts.size() - kMostNamed) + " more" : text;
}

std::string host_in_words(HostId host, const Addresses& addresses) { return "host " + with_address(host, addresses); }

std::string twins_in_words(HostId id, const std::string& one, const std::string& other) {
  return "host id " + std::to_string(id) + " is used by two hosts: " + (one.empty() ? "this one" : one) + " and " + (other.empty() ? "another one" : other) +
         "; give each its own host_id (uplink.host_id; without it the id is made from the machine id, which a cloned machine has of its original), and its own state directory";
}

std::string reason_in_words(Why why, Duration token_lost) {
  switch (why) {
    case Why::started:
      return "this host began";
    case Why::token_lost:
      return "the token did not come back within " + in_words(token_lost);
    case Why::foreign_ring:
      return "hosts of another ring were met";
    case Why::join_heard:
      return "a host asked for another ring";
    case Why::cannot_receive:
      return "a member could not receive what the others have";
    case Why::consensus_missed:
      return "those who were asked did not agree in time";
    case Why::commit_lost:
      return "the ring that was agreed on was not begun";
    case Why::recovery_lost:
      return "a new ring's token was lost while messages of the one before were recovered";
    case Why::recovery_too_long:
      return "recovering messages of the ring before took too long";
    case Why::barrier_too_long:
      return "a host did not do its part in a change of processes";
    case Why::held_too_long:
      return "a host's readers held it up for too long";
    case Why::names_run_out:
      return "its configurations had used up their names";
    case Why::count_:
      break;
  }
  return "of a reason without a name";
}

std::string end_in_words(Fault fault) {
  switch (fault) {
    case Fault::not_to_all:
      return "what it sends to all arrives here again, or it is gone";
    case Fault::large_lost:
      return "its large packets arrive here again, or it is gone";
    case Fault::silent:
      return "it is heard here again, or by nobody";
    case Fault::deaf:
      return "it hears this host again, or is gone";
    case Fault::none:
      break;
  }
  return "all is well";
}

std::string Episodes::sentence(const Verdict& verdict, const Snapshot& seen) const {
  const std::string it = "host " + std::to_string(verdict.host), us = "host " + std::to_string(seen.self.id);
  const std::string instead = "; or use plugin.udp.mode = \"unicast\" with plugin.udp.peers";
  switch (verdict.fault) {
    case Fault::not_to_all:
      return us + " (this one) does not hear what " + it + " sends to all, though packets from it to this host alone arrive: multicast from " +
             std::to_string(verdict.host) + " to " + std::to_string(seen.self.id) + " is blocked. Check IGMP snooping on the switch, the firewalls (" + where_ +
             ") and the interface" + instead;
    case Fault::large_lost:
      return "large packets of " + it +
             " do not arrive here, though small ones do: the path from it carries less than its interface says (MTU), or a filter drops them. Check "
             "the MTU of the interfaces, switches and tunnels between the two, or set plugin.udp.frame to less on all hosts";
    case Fault::silent:
      return "nothing from " + it + " arrives here, though host " + std::to_string(verdict.witness) + " hears it: the way from " +
             std::to_string(verdict.host) + " to " + std::to_string(seen.self.id) +
             " is blocked, for multicast or for all. Check IGMP snooping on the switch, the firewalls (" + where_ + "), the interfaces and that " + it +
             " has this host's key" + instead;
    case Fault::deaf:
      return it + " hears nothing from this host, though this host hears it: the link works one way. Check the firewalls (" + where_ +
             "), IGMP snooping on the switch, and that " + it + " has the key that this host seals with" + instead;
    case Fault::none:
      break;
  }
  return {};
}

}  // namespace evs::runtime::uplink
