// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/receiver.h - out of the kernel, as much as there is in one call, and cut into frames.
//
// With UDP_GRO the kernel hands over a run of datagrams as one, up to 64 KiB; the host wants frames in rooms of its own. So what
// arrives stands in a stage first and is copied out from there. When the host's rooms end before the stage is empty, the bell
// inside receive_fd() stays rung: a descriptor that is not readable means that there is nothing.
//
// The group's socket is looked at first, because what hosts say to all is what the token after it speaks of. A socket that filled
// a whole stage lets the other go first the next time: a flood of one does not silence the other.
#pragma once

#include <array>
#include <utility>

#include "plugins/udp/batch.h"
#include "plugins/udp/peers.h"
#include "plugins/udp/sockets.h"

namespace evs::udp {

class Receiver {
 public:
  Receiver(Counters& counters, Voice& voice, Peers& peers);
  ~Receiver();

  Trouble open();               // memory, epoll, bell; once
  Trouble watch(Sockets& sockets);  // sockets that were opened (anew); what stands in the stage stays
  void set_own(const Address& own, bool loopback) { own_ = own, loopback_ = loopback; }

  int32_t receive(evs_datagram* frames, size_t count, size_t* got);
  int fd() const { return epoll_.get(); }
  // The least path that reports told of since the last question.
  size_t path_told() { return std::exchange(path_told_, SIZE_MAX); }

 private:
  static constexpr size_t kSlots = 32, kSlotBytes = 65536;
  static constexpr size_t kRunsAtOnce = 8;  // runs are large: no more at once than the cache holds

  struct Source {
    Fd* fd = nullptr;
    bool to_all = false;
    uint32_t drops = 0;  // the kernel's count, which wraps
    bool dry = true;     // within one receive()
  };
  enum class Out { frame, nothing, full };

  bool fill();
  bool fill_from(Source& source);
  void look();
  void accept(size_t slot);
  Out hand_out(evs_datagram& frame);
  void ring(bool wanted);

  Counters& counters_;
  Voice& voice_;
  Peers& peers_;
  Address own_;
  bool loopback_ = false;
  Fd epoll_, bell_;
  bool rung_ = false;
  size_t path_told_ = SIZE_MAX;
  std::array<Source, 2> sources_;
  size_t first_ = 0;  // which source goes first
  size_t at_once_ = kSlots;
  bool looked_ = false;  // within one receive()

  // The stage.
  char* memory_ = nullptr;
  size_t staged_ = 0, next_ = 0;
  Source* staged_from_ = nullptr;  // nullptr: a socket that is no more
  bool staged_to_all_ = false;
  Cut cut_;
  uint32_t peer_ = kNoPeer;  // who sent what is being cut
  Address sender_;
  bool joined_ = false;      // it came as a run
  struct alignas(cmsghdr) Control {
    char bytes[64];
  };
  std::array<mmsghdr, kSlots> headers_;
  std::array<iovec, kSlots> parts_;
  std::array<sockaddr_storage, kSlots> names_;
  std::array<Control, kSlots> controls_{};
};

}  // namespace evs::udp
