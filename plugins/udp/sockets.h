// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/sockets.h - the sockets of a transport, with every option they need and what the kernel granted of it.
//
// With unicast one socket, bound to our own address and port. With multicast a second one beside it, bound to the group and
// its port, which hears nothing but the group: thus what came to all is known from where it came (EVS_DATAGRAM_TO_ALL), two
// buses of one host can share a group's port, and a stranger's flood of the group fills the group's buffer alone. All is sent
// from the first, whose address is then what others answer to.
//
// With multicast, and wherever an interface is named, both are bound to the interface (SO_BINDTODEVICE, which needs no
// privilege since Linux 5.7): nothing enters by another one, whatever its destination says.
#pragma once

#include "plugins/udp/interface.h"
#include "plugins/udp/voice.h"

namespace evs::udp {

// A descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Fd& operator=(Fd&& other) noexcept;
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

struct Sockets {
  Fd own;    // ours alone
  Fd group;  // with multicast
  bool cuts = false;    // UDP_SEGMENT: the kernel cuts what we send
  bool joins = false;   // UDP_GRO: it hands over runs uncut
  uint64_t receive_buffer = 0, send_buffer = 0;  // granted
  bool open() const { return own.open(); }
};

Trouble open_sockets(const Settings& settings, const Place& place, Sockets& out);

// What was granted of the buffers, in a sentence with the way out; empty when it is what was asked.
std::string buffer_warning(const char* key, const char* sysctl, uint64_t asked, uint64_t granted);

// Takes what is in the error queue of a socket: ICMP's reports and refusals of what is too large. `path_mtu` is lowered to the
// least that one of these tells. Returns how many there were.
size_t drain_error_queue(int fd, Voice& voice, size_t& path_mtu);

}  // namespace evs::udp
