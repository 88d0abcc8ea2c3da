// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/interface.cc - the interfaces there are, and the one that is meant.
#include "plugins/udp/interface.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "plugins/udp/sockets.h"

namespace evs::udp {

namespace {

Problem blind(int error) {
  const bool too_many = error == EMFILE || error == ENFILE;
  return {EVS_P_NO_RESOURCES,
          "cannot look at this machine's interfaces: " + std::generic_category().message(error) + (too_many ? "; raise the limit (ulimit -n)" : ""),
          true};
}

// Both through one socket for all: a machine may have thousands of interfaces.
unsigned mtu_of(const Fd& socket, const std::string& name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), sizeof(request.ifr_name) - 1);
  return ioctl(socket.get(), SIOCGIFMTU, &request) == 0 ? static_cast<unsigned>(request.ifr_mtu) : 0;
}
unsigned index_of(const Fd& socket, const std::string& name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), sizeof(request.ifr_name) - 1);
  return ioctl(socket.get(), SIOCGIFINDEX, &request) == 0 ? static_cast<unsigned>(request.ifr_ifindex) : 0;
}

std::string words(const std::vector<Interface>& all) {
  std::string list;
  for (const Interface& one : all) {
    list += (list.empty() ? "" : ", ") + one.name + (one.up ? "" : " (down)");
  }
  return list.empty() ? "this machine has none" : "this machine has " + list;
}

const char* family_of(const Settings& settings) {
  return settings.v6() ? "IPv6" : "IPv4";
}

// Its first address of the family; a link-local one if there is no other.
Address first_address(const Interface& interface, bool v6) {
  Address found;
  for (const Address& address : interface.addresses) {
    if (address.is_v6() != v6) continue;
    if (!address.is_link_local()) return address;
    if (found.empty()) found = address;
  }
  return found;
}

const Interface* owner_of(const std::vector<Interface>& all, const Address& address) {
  for (const Interface& one : all)
    for (const Address& own : one.addresses)
      if (own.same_host(address)) return &one;
  return nullptr;
}

// On the loopback every address of 127.0.0.0/8 is ours, listed or not.
bool answers_to(const Interface& interface, const Address& address) {
  if (interface.loopback && !address.is_v6() && (ntohl(address.v4().s_addr) >> 24) == 127) return true;
  return std::any_of(interface.addresses.begin(), interface.addresses.end(), [&](const Address& own) { return own.same_host(address); });
}

// Our address on the way to a peer: the kernel's routes know, and connecting a datagram socket sends nothing.
Trouble way_to(const Address& peer, Address& out) {
  const Fd fd(socket(peer.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.open()) return blind(errno);
  sockaddr_storage own{};
  socklen_t size = sizeof(own);
  const bool told = connect(fd.get(), peer.raw(), peer.size()) == 0 && getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0;
  out = told ? Address::of(reinterpret_cast<sockaddr*>(&own)).value_or(Address{}) : Address{};
  return {};
}

Trouble the_named(const Settings& settings, const std::vector<Interface>& all, Place& out) {
  for (const Interface& one : all) {
    if (one.name != settings.interface) continue;
    if (!one.up) return Problem{EVS_P_NO_RESOURCES, "interface " + one.name + " is down: ip link set " + one.name + " up"};
    out.interface = one;
    return {};
  }
  return bad_parameter("parameter interface = \"" + settings.interface + "\": there is no such interface; " + words(all));
}

Trouble the_only_one(const std::vector<Interface>& all, const Settings& settings, Place& out) {
  const Interface* found = nullptr;
  for (const Interface& one : all) {
    if (!one.up || one.loopback || first_address(one, settings.v6()).empty()) continue;
    if (found != nullptr)
      return bad_parameter("several interfaces are up, say with the parameter interface which one is meant; " + words(all));
    found = &one;
  }
  if (found == nullptr)
    return Problem{EVS_P_NO_RESOURCES, std::string("no interface beside the loopback is up and has an ") + family_of(settings) +
                                           " address: name one with the parameter interface; " + words(all)};
  out.interface = *found;
  return {};
}

Trouble the_owner(const std::vector<Interface>& all, const Address& address, Place& out) {
  const Interface* found = owner_of(all, address);
  for (const Interface& one : all)
    if (found == nullptr && answers_to(one, address)) found = &one;
  if (found == nullptr) return bad_parameter("parameter address = \"" + address.host() + "\": no interface has it; " + words(all));
  if (!found->up) return Problem{EVS_P_NO_RESOURCES, "interface " + found->name + " is down: ip link set " + found->name + " up"};
  out.interface = *found;
  return {};
}

}  // namespace

Trouble list_interfaces(std::vector<Interface>& all) {
  all.clear();
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.open()) return blind(errno);
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return blind(errno);
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    auto known = std::find_if(all.begin(), all.end(), [&](const Interface& one) { return one.name == entry->ifa_name; });
    if (known == all.end()) {
      Interface fresh;
      fresh.name = entry->ifa_name;
      fresh.index = index_of(socket, fresh.name);
      fresh.mtu = mtu_of(socket, fresh.name);
      fresh.up = (entry->ifa_flags & IFF_UP) != 0;
      fresh.loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
      known = all.insert(all.end(), fresh);
    }
    if (auto address = Address::of(entry->ifa_addr)) known->addresses.push_back(address->with_port(0));
  }
  return {};
}

Trouble choose_place(const Settings& settings, const std::vector<Interface>& all, Place& out) {
  out = {};
  out.own = settings.address;
  out.tied = settings.mode == Mode::multicast || !settings.interface.empty();
  if (out.own.empty() && settings.interface.empty() && settings.mode == Mode::unicast) {
    for (const Address& peer : settings.peers) {  // the first may be ourselves, which is as good
      if (!out.own.empty()) break;
      if (Trouble trouble = way_to(peer, out.own)) return trouble;
    }
    if (out.own.empty()) return Problem{EVS_P_NO_RESOURCES, "no way leads to " + settings.peers.front().host() + ": name the interface or the address"};
  }
  Trouble trouble = !settings.interface.empty() ? the_named(settings, all, out)
                    : !out.own.empty()          ? the_owner(all, out.own, out)
                                                : the_only_one(all, settings, out);
  if (trouble) return trouble;
  if (out.own.empty()) out.own = first_address(out.interface, settings.v6());
  if (out.own.empty())
    return Problem{EVS_P_NO_RESOURCES, "interface " + out.interface.name + " has no " + family_of(settings) + " address"};
  if (!answers_to(out.interface, out.own))
    return Problem{EVS_P_NO_RESOURCES, "interface " + out.interface.name + " has no address " + out.own.host()};
  out.own = out.own.with_port(settings.port);
  return {};
}

}  // namespace evs::udp
