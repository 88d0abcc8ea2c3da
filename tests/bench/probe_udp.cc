// SPDX-License-Identifier: BSD-3-Clause
// probe_udp.cc - what the kernel allows between two hosts: bare sockets, multicast, no protocol.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "tests/bench/crew.h"
#include "tests/bench/udp_round.h"

namespace evs::bench {

namespace {

constexpr int kBufferBytes = 4 << 20;
constexpr size_t kMessages = 64, kRunRoom = 65536;

sockaddr_in group() {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(5499);
  inet_pton(AF_INET, "239.192.54.99", &out.sin_addr);
  return out;
}

int open_socket() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ip_mreqn way{};
  way.imr_ifindex = static_cast<int>(if_nametoindex("eth0"));
  setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &way, sizeof(way));
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof(kBufferBytes));
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &kBufferBytes, sizeof(kBufferBytes));
  return fd;
}

void send_runs(UdpSendLoop& loop, bool offload) {
  const int fd = open_socket();
  const int segment = kUdpFrameBytes;
  if (offload && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) != 0) throw Malfunction("no UDP_SEGMENT");
  sockaddr_in to = group();
  const size_t messages = offload ? 1 : kUdpBatch, bytes = kUdpBatch * kUdpFrameBytes / messages;
  mmsghdr headers[kUdpBatch] = {};
  iovec parts[kUdpBatch];
  loop.ready();
  while (unsigned char* frames = loop.next()) {
    for (size_t i = 0; i < messages; ++i) {
      parts[i] = {frames + i * bytes, bytes};
      headers[i].msg_hdr = {&to, sizeof(to), &parts[i], 1, nullptr, 0, 0};
    }
    for (size_t at = 0; at < messages;) {
      const int sent = sendmmsg(fd, headers + at, static_cast<unsigned>(messages - at), 0);
      if (sent < 0) throw Malfunction(std::string("sendmmsg: ") + strerror(errno));
      at += static_cast<size_t>(sent);
    }
  }
  close(fd);
}

void receive_runs(UdpReceiveLoop& loop, bool offload) {
  const int fd = open_socket(), on = 1;
  const sockaddr_in here = group();
  ip_mreqn wish{};
  wish.imr_multiaddr = here.sin_addr;
  wish.imr_ifindex = static_cast<int>(if_nametoindex("eth0"));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof(here)) != 0 ||
      setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &wish, sizeof(wish)) != 0)
    throw Malfunction("cannot join the probe's group");
  if (offload && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) != 0) throw Malfunction("no UDP_GRO");
  std::vector<char> memory(kMessages * kRunRoom);
  mmsghdr headers[kMessages] = {};
  iovec parts[kMessages];
  for (size_t i = 0; i < kMessages; ++i) {
    parts[i] = {memory.data() + i * kRunRoom, kRunRoom};
    headers[i].msg_hdr = {nullptr, 0, &parts[i], 1, nullptr, 0, 0};
  }
  loop.ready();
  while (!loop.complete()) {
    const int count = recvmmsg(fd, headers, kMessages, MSG_DONTWAIT, nullptr);
    if (count < 0) {
      pollfd wait{fd, POLLIN, 0};
      poll(&wait, 1, 10);
      continue;
    }
    for (int i = 0; i < count; ++i)
      for (size_t at = 0; at < headers[i].msg_len; at += kUdpFrameBytes)
        loop.take(static_cast<char*>(parts[i].iov_base) + at, std::min<size_t>(kUdpFrameBytes, headers[i].msg_len - at));
    loop.published();
  }
  close(fd);
}

}  // namespace

double probe_udp(const test::Wire& wire, int milliseconds, bool offload) {
  return run_udp_round(
      wire, milliseconds, [&](UdpSendLoop& loop) { send_runs(loop, offload); },
      [&](UdpReceiveLoop& loop) { receive_runs(loop, offload); });
}

}  // namespace evs::bench
