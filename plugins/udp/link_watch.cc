// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/link_watch.cc - rtnetlink's multicasts, read for their kind and their interface alone.
#include "plugins/udp/link_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

namespace evs::udp {

namespace {

constexpr int kReadsAtOnce = 64;  // the rest rings again

// The interface that a message is about; 0: none that we know of.
unsigned index_of(const nlmsghdr& message) {
  const bool link = message.nlmsg_type == RTM_NEWLINK || message.nlmsg_type == RTM_DELLINK;
  const bool address = message.nlmsg_type == RTM_NEWADDR || message.nlmsg_type == RTM_DELADDR;
  const void* const body = reinterpret_cast<const char*>(&message) + NLMSG_HDRLEN;
  if (link && message.nlmsg_len >= NLMSG_LENGTH(sizeof(ifinfomsg))) return static_cast<unsigned>(static_cast<const ifinfomsg*>(body)->ifi_index);
  if (address && message.nlmsg_len >= NLMSG_LENGTH(sizeof(ifaddrmsg))) return static_cast<const ifaddrmsg*>(body)->ifa_index;
  return 0;
}

}  // namespace

void LinkWatch::open() {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (!fd.open() || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return;
  netlink_ = std::move(fd);
}

LinkWatch::News LinkWatch::take(unsigned index) {
  News news;
  alignas(nlmsghdr) char buffer[16384];
  for (int i = 0; i < kReadsAtOnce && netlink_.open(); ++i) {
    const ssize_t size = recv(netlink_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == ENOBUFS) {  // too much changed at once: the more reason to look
      news.any = news.ours = news.gone = true;
      continue;
    }
    if (size <= 0) break;
    news.any = true;
    auto left = static_cast<unsigned>(size);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer); NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
      if (index_of(*message) != index) continue;
      news.ours = true;
      news.gone |= message->nlmsg_type == RTM_DELLINK;
    }
  }
  return news;
}

}  // namespace evs::udp
