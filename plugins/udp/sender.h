// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/sender.h - frames into the kernel, as many as it takes in one call.
//
// A window of frames becomes runs (batch.h), each run a message to its destination, or with unicast and "all" one to each peer
// from the same bytes; up to kMessages of them go in one sendmmsg. All arrays are made once.
//
// What the kernel answers, and what we make of it: no room is told to the host, which offers the rest again later, first; one to
// each that was interrupted goes on where it stopped then (halfway.h). Everything
// that concerns the way - no route, interface down, peer refuses, our own packet filter - is loss: counted, said once an
// episode, and the frame is taken. A frame too large for the path is lost too, and largest_frame() shrinks; the ring above
// sends it again, in smaller ones. A run that is refused is sent once more frame by frame: if those go, it was the offload
// that was refused, by a device that cannot compute checksums, say, and it stays off from then on.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <utility>

#include "plugins/udp/batch.h"
#include "plugins/udp/halfway.h"
#include "plugins/udp/peers.h"
#include "plugins/udp/sockets.h"

namespace evs::udp {

inline constexpr size_t kMessages = 64;  // of one system call
inline constexpr size_t kWindow = 512;   // frames that are looked at together

class Sender {
 public:
  Sender(const Settings& settings, Counters& counters, Voice& voice, Peers& peers);

  // EVS_P_OK, or EVS_P_AGAIN with *taken less than count; EVS_P_CLOSED: the socket is none any more.
  int32_t send(Sockets& sockets, const evs_datagram* frames, size_t count, size_t* taken);

  size_t largest_frame() const { return largest_frame_; }
  // The path, or the interface, carries less than it did; 0: nobody knows. Shrinks only: frames of the old size may be under way.
  void limit_path(size_t mtu);
  // True once after a send found no way: somebody should look at the interface.
  bool suspects() { return std::exchange(suspects_, false); }

 private:
  struct Message {
    Run run;
    size_t first;  // of the window's frames
    size_t done;   // frames of the window that are through once this one is
    size_t turn;   // of the peer, where "all" is each: how many were before it
  };
  static constexpr size_t kNoTurn = SIZE_MAX;
  enum class Answer { gone, full, dead };  // one message: it left us, there is no room, or the socket is broken

  Answer send_window(const evs_datagram* frames, size_t count, size_t& done);
  Answer add(const Address& to, const Run& run, size_t first, size_t done, size_t turn = kNoTurn);
  Answer add_run(const Run& run, size_t first);
  Answer add_to_each(const Run& run, size_t first);
  void stop_at(const Message& message);
  Answer flush();
  Answer take_refusal(size_t at, int error);
  Answer one_by_one(size_t at, int error);
  bool take_reports();
  Answer judge(int error, const msghdr& message);
  void sent(size_t at, bool as_segments);
  std::string whom(const msghdr& message) const;

  const Settings& settings_;
  Counters& counters_;
  Voice& voice_;
  Peers& peers_;
  size_t largest_frame_ = 0;
  size_t path_mtu_;
  Halfway halfway_;
  bool suspects_ = false;

  // Of the call in hand.
  Sockets* sockets_ = nullptr;
  const evs_datagram* frames_ = nullptr;  // the window
  size_t resumed_ = 0;  // of its frames, from the first: interrupted in an earlier call
  size_t through_ = 0;  // frames of the window that are through
  size_t pending_ = 0;
  std::array<iovec, kWindow> parts_;
  std::array<Message, kMessages> messages_;
  std::array<mmsghdr, kMessages> headers_;
  std::array<Address, kMessages> destinations_;
  struct alignas(cmsghdr) Control {
    char bytes[CMSG_SPACE(sizeof(uint16_t))];
  };
  std::array<Control, kMessages> controls_{};  // its padding goes to the kernel too
};

}  // namespace evs::udp
