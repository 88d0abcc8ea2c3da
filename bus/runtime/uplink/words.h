// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/words.h - the words that the lines of episodes.h are made of.
#pragma once

#include <map>
#include <string>

#include "bus/ordering/output.h"
#include "bus/runtime/uplink/hearing.h"

namespace evs::runtime::uplink {

// Where hosts are heard from: of some.
using Addresses = std::map<ordering::HostId, std::string>;

std::string in_words(ordering::Duration time);                 // "140 ms", "7.1 s"
// "host 2", "hosts 1, 2, 3"; "hosts 1 (10.0.0.1:5410), 2"; sixteen, and how many more.
std::string hosts_in_words(const ordering::Hosts& hosts, const Addresses& addresses = {});
std::string host_in_words(ordering::HostId host, const Addresses& addresses);
std::string reason_in_words(ordering::Why why, ordering::Duration token_lost);  // behind "because"
std::string end_in_words(Fault fault);                         // of a host that was named
std::string twins_in_words(ordering::HostId id, const std::string& one, const std::string& other);  // `one` empty: this host

}  // namespace evs::runtime::uplink
