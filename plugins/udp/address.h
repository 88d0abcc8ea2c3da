// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/address.h - an IP address with a port, of either family, as one value that can be compared and hashed.
//
// Numeric text alone, no names: a look-up may block for half a minute, and an answer that changes makes two hosts of one.
// A link-local address carries no scope here: every socket that meets one is bound to its interface, which is the scope.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace evs::udp {

class Address {
 public:
  Address() = default;
  // nullopt: neither IPv4 nor IPv6.
  static std::optional<Address> of(const sockaddr* raw);
  // "10.0.0.1", "10.0.0.1:5410", "fd00::1", "[fd00::1]:5410"; without a port it gets `port`.
  static std::optional<Address> parse(const std::string& text, uint16_t port);

  const sockaddr* raw() const { return &as_.any; }
  socklen_t size() const { return is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }
  sa_family_t family() const { return as_.any.sa_family; }
  bool empty() const { return family() == AF_UNSPEC; }
  bool is_v6() const { return family() == AF_INET6; }
  bool is_multicast() const;
  bool is_link_local() const;  // of IPv6: those of IPv4 are unique enough
  bool is_wildcard() const;
  uint16_t port() const { return ntohs(is_v6() ? as_.v6.sin6_port : as_.v4.sin_port); }
  Address with_port(uint16_t port) const;

  const in_addr& v4() const { return as_.v4.sin_addr; }
  const in6_addr& v6() const { return as_.v6.sin6_addr; }

  bool operator==(const Address& other) const;
  bool same_host(const Address& other) const { return with_port(0) == other.with_port(0); }
  uint64_t hash(uint64_t seed) const;

  std::string host() const;  // "10.0.0.1", "fd00::1"
  std::string text() const;  // "10.0.0.1:5410", "[fd00::1]:5410"

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } as_{};
};

}  // namespace evs::udp
