// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/receiver.cc - the stage: filled by recvmmsg, emptied frame by frame.
#include "plugins/udp/receiver.h"

#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace evs::udp {

namespace {

constexpr uint32_t kBell = 99;  // in an event's data, where a source has its number
constexpr size_t kFillsMost = 64;  // of one receive(): a flood of what we drop must not keep it
constexpr int kReportsALook = 8;  // errors of earlier sends that one look puts up with

}  // namespace

Receiver::Receiver(Counters& counters, Voice& voice, Peers& peers) : counters_(counters), voice_(voice), peers_(peers) {}

Receiver::~Receiver() {
  if (memory_ != nullptr) munmap(memory_, kSlots * kSlotBytes);
}

Trouble Receiver::open() {
  // Only what is written to is ever there: with frames of an Ethernet, a page a slot.
  void* memory = mmap(nullptr, kSlots * kSlotBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return Problem{EVS_P_NO_MEMORY, "no memory for what arrives"};
  memory_ = static_cast<char*>(memory);
  epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  bell_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = kBell;
  if (!epoll_.open() || !bell_.open() || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.get(), &event) != 0)
    return Problem{EVS_P_NO_RESOURCES, "no descriptor to wait on: " + std::generic_category().message(errno)};
  return {};
}

Trouble Receiver::watch(Sockets& sockets) {
  sources_ = {};
  sources_[0].fd = sockets.group.open() ? &sockets.group : &sockets.own;
  sources_[0].to_all = sockets.group.open();
  if (sockets.group.open()) sources_[1].fd = &sockets.own;
  first_ = 0;
  staged_from_ = nullptr;
  at_once_ = sockets.joins ? kRunsAtOnce : kSlots;
  for (size_t i = 0; i < sources_.size(); ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<uint32_t>(i);
    // A socket that was closed has left the epoll by itself.
    if (sources_[i].fd == nullptr || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, sources_[i].fd->get(), &event) == 0) continue;
    return Problem{EVS_P_NO_RESOURCES, "cannot wait on the sockets: " + std::generic_category().message(errno) +
                                           (errno == ENOSPC ? "; as root: raise fs.epoll.max_user_watches with sysctl -w" : "")};
  }
  return {};
}

int32_t Receiver::receive(evs_datagram* frames, size_t count, size_t* got) {
  *got = 0;
  peers_.begin_round();
  peer_ = kNoPeer;  // the sender of a run in hand is of this round too
  looked_ = false;
  size_t fills = 0;
  while (*got < count) {
    if (!cut_.more() && next_ == staged_ && (fills++ == kFillsMost || !fill())) break;
    const Out out = hand_out(frames[*got]);
    if (out == Out::full) break;
    if (out == Out::frame) ++*got;
  }
  ring(cut_.more() || next_ < staged_);
  return *got > 0 ? EVS_P_OK : EVS_P_AGAIN;
}

// One question for all: which socket has something, and which a report in its error queue. That one must be taken, for it keeps
// the descriptor readable.
void Receiver::look() {
  looked_ = true;
  for (Source& source : sources_) source.dry = true;
  epoll_event events[3];
  const int count = epoll_wait(epoll_.get(), events, 3, 0);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u32 == kBell) continue;
    Source& source = sources_[events[i].data.u32];
    if ((events[i].events & EPOLLERR) != 0) drain_error_queue(source.fd->get(), voice_, path_told_);
    source.dry = (events[i].events & EPOLLIN) == 0;
  }
}

bool Receiver::fill() {
  if (!looked_) look();
  for (size_t i = 0; i < sources_.size(); ++i) {
    const size_t which = (first_ + i) % sources_.size();
    Source& source = sources_[which];
    if (source.dry || !fill_from(source)) continue;
    if (staged_ == at_once_ && i == 0 && sources_[1].fd != nullptr) first_ = 1 - which;
    return true;
  }
  first_ = 0;  // both were emptied
  return false;
}

bool Receiver::fill_from(Source& source) {
  for (size_t i = 0; i < at_once_; ++i) {
    parts_[i] = {memory_ + i * kSlotBytes, kSlotBytes};
    headers_[i].msg_hdr = {&names_[i], sizeof(names_[i]), &parts_[i], 1, controls_[i].bytes, sizeof(Control), 0};
  }
  for (int reports = 0; reports < kReportsALook;) {
    const int count = recvmmsg(source.fd->get(), headers_.data(), static_cast<unsigned>(at_once_), MSG_DONTWAIT, nullptr);
    if (count > 0) {
      counters_.add(Count::received_batches);
      staged_ = static_cast<size_t>(count);
      next_ = 0;
      staged_from_ = &source;
      staged_to_all_ = source.to_all;
      source.dry = staged_ < at_once_;
      return true;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count == 0 || errno == EAGAIN || errno == EWOULDBLOCK) break;
    // Not about what arrives: a report about something we sent. It is in the error queue, in more words; a socket of which that
    // is not read stays "readable" for ever.
    const int error = errno;
    if (drain_error_queue(source.fd->get(), voice_, path_told_) == 0) voice_.failed(error, "the network");
    ++reports;
  }
  source.dry = true;
  return false;
}

// Begins to cut the message in `slot`.
void Receiver::accept(size_t slot) {
  msghdr& header = headers_[slot].msg_hdr;
  size_t segment = 0;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof(size));
      segment = static_cast<size_t>(size);
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL && staged_from_ != nullptr) {
      uint32_t drops = 0;
      std::memcpy(&drops, CMSG_DATA(c), sizeof(drops));
      const uint32_t fresh = drops - std::exchange(staged_from_->drops, drops);
      if (fresh > 0 && voice_.begins(Count::kernel_drops, fresh))
        voice_.say(EVS_HOST_LOG_WARNING, "udp.drops",
                   "the receive buffer was full and " + std::to_string(fresh) + " datagrams were lost: raise receive_buffer");
    }
  }
  cut_ = Cut(headers_[slot].msg_len, segment);
  sender_ = Address::of(reinterpret_cast<sockaddr*>(&names_[slot])).value_or(Address{});
  peer_ = kNoPeer;
  joined_ = segment > 0 && headers_[slot].msg_len > segment;
}

Receiver::Out Receiver::hand_out(evs_datagram& frame) {
  if (!cut_.more()) accept(next_);
  const bool own = sender_ == own_;
  if (!own && peer_ == kNoPeer && (peer_ = peers_.learn(sender_)) == kNoPeer) {
    // Too many strangers in one call; with the next call they may be pushed out. Looked at again then.
    cut_ = {};
    return Out::full;
  }
  const char* const data = memory_ + next_ * kSlotBytes + cut_.offset();
  const size_t size = cut_.size();
  cut_.advance();
  if (!cut_.more()) ++next_;
  if (own) {
    if (voice_.begins(Count::own) && !loopback_)
      voice_.say(EVS_HOST_LOG_WARNING, "udp.own", "packets from our own address " + own_.text() +
                                                      " arrive: the network has a loop, or another host has our address");
    return Out::nothing;
  }
  if (size > frame.size) {
    if (voice_.begins(Count::truncated))
      voice_.say(EVS_HOST_LOG_WARNING, "udp.truncated", "a frame of " + std::to_string(size) + " bytes from " + sender_.text() +
                                                            " exceeds the room of " + std::to_string(frame.size) + " and is lost");
    return Out::nothing;
  }
  std::memcpy(frame.data, data, size);
  frame.size = size;
  frame.peer = peer_;
  frame.flags = staged_to_all_ ? EVS_DATAGRAM_TO_ALL : 0;
  counters_.add(Count::received_datagrams);
  counters_.add(Count::received_bytes, size);
  if (joined_) counters_.add(Count::received_segments);
  return Out::frame;
}

void Receiver::ring(bool wanted) {
  if (wanted == rung_) return;
  uint64_t one = 1;
  [[maybe_unused]] const ssize_t done = wanted ? write(bell_.get(), &one, sizeof(one)) : read(bell_.get(), &one, sizeof(one));
  rung_ = wanted;
}

}  // namespace evs::udp
