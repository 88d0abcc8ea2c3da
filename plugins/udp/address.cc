// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/address.cc - text to address and back.
#include "plugins/udp/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

namespace evs::udp {

namespace {

std::optional<uint16_t> parse_port(const std::string& text) {
  uint32_t port = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, port);
  if (result.ec != std::errc{} || result.ptr != end || port == 0 || port > 65535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

}  // namespace

std::optional<Address> Address::of(const sockaddr* raw) {
  Address out;
  if (raw == nullptr) return std::nullopt;
  if (raw->sa_family == AF_INET) {
    std::memcpy(&out.as_.v4, raw, sizeof(sockaddr_in));
    std::memset(out.as_.v4.sin_zero, 0, sizeof(out.as_.v4.sin_zero));
    return out;
  }
  if (raw->sa_family != AF_INET6) return std::nullopt;
  std::memcpy(&out.as_.v6, raw, sizeof(sockaddr_in6));
  out.as_.v6.sin6_flowinfo = 0;
  out.as_.v6.sin6_scope_id = 0;
  return out;
}

std::optional<Address> Address::parse(const std::string& text, uint16_t port) {
  std::string host = text;
  const size_t colon = text.rfind(':');
  const bool bracketed = !text.empty() && text[0] == '[';
  const bool one_colon = colon != std::string::npos && text.find(':') == colon;
  if (bracketed) {
    const size_t close = text.find(']');
    if (close == std::string::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    if (close + 1 < text.size()) {
      const auto given = text[close + 1] == ':' ? parse_port(text.substr(close + 2)) : std::nullopt;
      if (!given) return std::nullopt;
      port = *given;
    }
  } else if (one_colon) {
    const auto given = parse_port(text.substr(colon + 1));
    if (!given) return std::nullopt;
    host = text.substr(0, colon);
    port = *given;
  }
  Address out;
  if (!bracketed && inet_pton(AF_INET, host.c_str(), &out.as_.v4.sin_addr) == 1) {
    out.as_.v4.sin_family = AF_INET;
  } else if (!one_colon && inet_pton(AF_INET6, host.c_str(), &out.as_.v6.sin6_addr) == 1) {
    out.as_.v6.sin6_family = AF_INET6;
  } else {
    return std::nullopt;
  }
  return out.with_port(port);
}

bool Address::is_multicast() const {
  return is_v6() ? IN6_IS_ADDR_MULTICAST(&as_.v6.sin6_addr) : IN_MULTICAST(ntohl(as_.v4.sin_addr.s_addr));
}

bool Address::is_link_local() const {
  return is_v6() && IN6_IS_ADDR_LINKLOCAL(&as_.v6.sin6_addr);
}

bool Address::is_wildcard() const {
  return is_v6() ? IN6_IS_ADDR_UNSPECIFIED(&as_.v6.sin6_addr) : as_.v4.sin_addr.s_addr == INADDR_ANY;
}

Address Address::with_port(uint16_t port) const {
  Address out = *this;
  (is_v6() ? out.as_.v6.sin6_port : out.as_.v4.sin_port) = htons(port);
  return out;
}

bool Address::operator==(const Address& other) const {
  if (family() != other.family() || port() != other.port()) return false;
  if (is_v6()) return std::memcmp(&as_.v6.sin6_addr, &other.as_.v6.sin6_addr, sizeof(in6_addr)) == 0;
  return as_.v4.sin_addr.s_addr == other.as_.v4.sin_addr.s_addr;
}

uint64_t Address::hash(uint64_t seed) const {
  uint64_t words[2] = {as_.v4.sin_addr.s_addr, 0};
  if (is_v6()) std::memcpy(words, &as_.v6.sin6_addr, sizeof(words));
  return mix(mix(mix(seed ^ port()) ^ words[0]) ^ words[1]);
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_v6())
    inet_ntop(AF_INET6, &as_.v6.sin6_addr, text, sizeof(text));
  else
    inet_ntop(AF_INET, &as_.v4.sin_addr, text, sizeof(text));
  return text;
}

std::string Address::text() const {
  std::string out = host();
  if (is_v6()) out = std::string(1, '[').append(out).append(1, ']');
  return out.append(1, ':').append(std::to_string(port()));
}

}  // namespace evs::udp
