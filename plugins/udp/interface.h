// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/interface.h - which interface and which address of ours the settings mean on this machine, today.
//
// Asked again whenever the kernel tells that something changed: an interface may go, come back under another number, or get
// another address.
#pragma once

#include <string>
#include <vector>

#include "plugins/udp/parameters.h"

namespace evs::udp {

struct Interface {
  std::string name;
  unsigned index = 0;
  unsigned mtu = 0;  // 0: not known
  bool up = false, loopback = false;
  std::vector<Address> addresses;  // without a port
};

// A failure is blind: no list is not a list of none.
Trouble list_interfaces(std::vector<Interface>& all);

struct Place {
  Interface interface;
  Address own;               // with the port
  bool tied = false;         // sockets are bound to the interface (SO_BINDTODEVICE), not to the address alone
  bool same_as(const Place& other) const { return interface.index == other.interface.index && own == other.own; }
};

// A sentence that names the interfaces there are, when there is no such place.
Trouble choose_place(const Settings& settings, const std::vector<Interface>& all, Place& out);

}  // namespace evs::udp
