// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/sockets.cc - opening, and the error queue.
#include "plugins/udp/sockets.h"

#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace evs::udp {

namespace {

constexpr size_t kErrorsAtOnce = 64;  // of an error queue: what is left comes with the next look

std::string reason() {
  return std::generic_category().message(errno);
}

Problem failed(const std::string& what) {
  return {errno == EPERM || errno == EACCES ? EVS_P_ACCESS : EVS_P_NO_RESOURCES, what + ": " + reason()};
}

bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

bool set_both(const Settings& s, int fd, int v4, int v6, int value) {
  return s.v6() ? set(fd, IPPROTO_IPV6, v6, value) : set(fd, IPPROTO_IP, v4, value);
}

// The kernel answers with twice what it was asked for, which is what its own bookkeeping takes.
uint64_t set_buffer(int fd, int forced, int plain, uint64_t wanted) {
  const int value = static_cast<int>(std::min<uint64_t>(wanted, 1u << 30));
  if (!set(fd, SOL_SOCKET, forced, value)) set(fd, SOL_SOCKET, plain, value);
  int granted = 0;
  socklen_t size = sizeof(granted);
  getsockopt(fd, SOL_SOCKET, plain, &granted, &size);
  return static_cast<uint64_t>(granted) / 2;
}

Trouble make(const Settings& s, const Place& place, Fd& out) {
  out = Fd(socket(s.v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = out.get();
  if (fd < 0) return failed("no socket");
  if (s.v6()) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (place.tied && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, place.interface.name.c_str(),
                               static_cast<socklen_t>(place.interface.name.size() + 1)) != 0)
    return failed("cannot bind to interface " + place.interface.name + " (before Linux 5.7 that takes CAP_NET_RAW)");
  set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  return {};
}

// Its own frames in one piece each, unless larger ones are wanted: then IP may cut them.
bool set_path(const Settings& s, int fd) {
  if (!set_both(s, fd, IP_RECVERR, IPV6_RECVERR, 1)) return false;
  const int how = s.v6() ? (s.frame == 0 ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT) : (s.frame == 0 ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
  return set_both(s, fd, IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, how);
}

bool set_multicast_way(const Settings& s, const Place& place, int fd) {
  const int index = static_cast<int>(place.interface.index), ttl = static_cast<int>(s.ttl);
  if (s.v6())
    return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index) && set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl) &&
           set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
  const ip_mreqn way{{}, place.own.v4(), index};
  return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &way, sizeof(way)) == 0 && set(fd, IPPROTO_IP, IP_MULTICAST_TTL, ttl) &&
         set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
}

bool join_group(const Settings& s, const Place& place, int fd) {
  if (s.v6()) {
    const ipv6_mreq wish{s.group.v6(), place.interface.index};
    return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &wish, sizeof(wish)) == 0;
  }
  const ip_mreqn wish{s.group.v4(), {}, static_cast<int>(place.interface.index)};
  return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &wish, sizeof(wish)) == 0;
}

// Bound addresses that are link-local need their scope, which Address leaves out.
int bind_to(int fd, const Address& address, const Place& place) {
  if (!address.is_v6()) return bind(fd, address.raw(), address.size());
  sockaddr_in6 scoped{};
  std::memcpy(&scoped, address.raw(), sizeof(scoped));
  if (address.is_link_local() || address.is_multicast()) scoped.sin6_scope_id = place.interface.index;
  return bind(fd, reinterpret_cast<const sockaddr*>(&scoped), sizeof(scoped));
}

Trouble open_own(const Settings& s, const Place& place, Sockets& out) {
  if (Trouble trouble = make(s, place, out.own)) return trouble;
  const int fd = out.own.get();
  if (!set_path(s, fd)) return failed("cannot set how packets are cut");
  if (s.mode == Mode::multicast && !set_multicast_way(s, place, fd)) return failed("cannot multicast on " + place.interface.name);
  if (bind_to(fd, place.own, place) == 0) return {};
  if (errno == EADDRINUSE)
    return failed("address " + place.own.text() + " is taken by another process of this host: another bus? Give each its own port (plugin.udp.port)");
  return failed("cannot bind to " + place.own.text() + " on " + place.interface.name);
}

Trouble open_group(const Settings& s, const Place& place, Sockets& out) {
  if (Trouble trouble = make(s, place, out.group)) return trouble;
  const int fd = out.group.get();
  // Other buses, and other programs, of this host may hear the same group or another one on its port.
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_both(s, fd, IP_MULTICAST_ALL, IPV6_MULTICAST_ALL, 0);  // this group, not those that others of this host joined
  if (bind_to(fd, s.group, place) != 0) return failed("cannot bind to the group " + s.group.text());
  if (!join_group(s, place, fd)) return failed("cannot join the group " + s.group.host() + " on " + place.interface.name);
  return {};
}

Trouble set_offload(const Settings& s, Sockets& out) {
  int segment = 0;
  socklen_t size = sizeof(segment);
  out.cuts = s.offload != Offload::off && getsockopt(out.own.get(), IPPROTO_UDP, UDP_SEGMENT, &segment, &size) == 0;
  out.joins = s.offload != Offload::off && set(out.own.get(), IPPROTO_UDP, UDP_GRO, 1) &&
              (!out.group.open() || set(out.group.get(), IPPROTO_UDP, UDP_GRO, 1));
  if (s.offload == Offload::on && !(out.cuts && out.joins))
    return Problem{EVS_P_NOT_SUPPORTED, "parameter offload = \"on\": this kernel has no segmentation offload for UDP (Linux 5.0); use auto"};
  return {};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Trouble open_sockets(const Settings& settings, const Place& place, Sockets& out) {
  out = Sockets{};
  if (Trouble trouble = open_own(settings, place, out)) return trouble;
  if (settings.mode == Mode::multicast)
    if (Trouble trouble = open_group(settings, place, out)) return trouble;
  out.receive_buffer = set_buffer(out.own.get(), SO_RCVBUFFORCE, SO_RCVBUF, settings.receive_buffer);
  if (out.group.open())
    out.receive_buffer = std::min(out.receive_buffer, set_buffer(out.group.get(), SO_RCVBUFFORCE, SO_RCVBUF, settings.receive_buffer));
  out.send_buffer = set_buffer(out.own.get(), SO_SNDBUFFORCE, SO_SNDBUF, settings.send_buffer);
  return set_offload(settings, out);
}

std::string buffer_warning(const char* key, const char* sysctl, uint64_t asked, uint64_t granted) {
  if (granted >= asked) return {};
  return std::string(key) + " = " + std::to_string(asked) + " bytes: the kernel grants " + std::to_string(granted) +
         ", so bursts may be lost. As root: sysctl -w " + sysctl + "=" + std::to_string(asked);
}

size_t drain_error_queue(int fd, Voice& voice, size_t& path_mtu) {
  size_t count = 0;
  for (; count < kErrorsAtOnce; ++count) {
    sockaddr_storage whom{};
    alignas(cmsghdr) char control[512];
    char data[1];
    iovec part{data, sizeof(data)};
    msghdr message{&whom, sizeof(whom), &part, 1, control, sizeof(control), 0};
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      const bool ours = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                        (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
      if (!ours) continue;
      sock_extended_err error{};
      std::memcpy(&error, CMSG_DATA(c), sizeof(error));
      if (error.ee_errno == EMSGSIZE && error.ee_info > 0) {
        path_mtu = std::min<size_t>(path_mtu, error.ee_info);
      } else if (error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6) {
        const auto peer = Address::of(reinterpret_cast<sockaddr*>(&whom));
        voice.failed(static_cast<int>(error.ee_errno), peer ? peer->text() : "a peer");
      }
    }
  }
  return count;
}

}  // namespace evs::udp
