// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/sender.cc - windows, runs, messages, and what becomes of those that are refused.
#include "plugins/udp/sender.h"

#include <netinet/udp.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace evs::udp {

namespace {

constexpr size_t kLeastFrame = 512;  // a forged report of a tiny path takes no more than this from us
constexpr int kReportsASend = 8;     // reports about others that one send puts up with, before it goes on as if it had failed itself

// An asynchronous report about an earlier packet: this one was not even tried.
bool may_be_a_report(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == EMSGSIZE || error == EACCES || error == EPROTO ||
         error == ENOPROTOOPT;
}

}  // namespace

Sender::Sender(const Settings& settings, Counters& counters, Voice& voice, Peers& peers)
    : settings_(settings), counters_(counters), voice_(voice), peers_(peers), path_mtu_(65535 + settings.header_bytes()) {
  largest_frame_ = settings.frame != 0 ? settings.frame : settings.datagram_most();
}

void Sender::limit_path(size_t mtu) {
  if (mtu == 0) return;
  path_mtu_ = std::min(path_mtu_, std::max(mtu, kLeastFrame + settings_.header_bytes()));
  if (settings_.frame != 0) return;  // larger ones go in fragments
  const size_t before = std::exchange(largest_frame_, std::min(largest_frame_, path_mtu_ - settings_.header_bytes()));
  if (largest_frame_ < before && before != settings_.datagram_most())
    voice_.say(EVS_HOST_LOG_WARNING, "udp.path", "the path carries " + std::to_string(largest_frame_) + " bytes in one piece, no more " +
                                                     std::to_string(before) + ": smaller frames from here on");
}

int32_t Sender::send(Sockets& sockets, const evs_datagram* frames, size_t count, size_t* taken) {
  sockets_ = &sockets;
  *taken = 0;
  resumed_ = count > 0 ? halfway_.resumes(frames, count) : 0;
  while (*taken < count) {
    size_t done = 0;
    const Answer answer = send_window(frames + *taken, std::min(count - *taken, kWindow), done);
    *taken += done;
    resumed_ = 0;
    if (answer == Answer::full) counters_.add(Count::send_full);
    if (answer == Answer::full) return EVS_P_AGAIN;
    if (answer == Answer::dead) return EVS_P_CLOSED;
  }
  return EVS_P_OK;
}

Sender::Answer Sender::send_window(const evs_datagram* frames, size_t count, size_t& done) {
  frames_ = frames;
  through_ = 0;
  pending_ = 0;
  for (size_t i = 0; i < count; ++i) parts_[i] = {frames[i].data, frames[i].size};
  Answer answer = Answer::gone;
  for (size_t at = 0; at < count && answer == Answer::gone;) {
    const size_t most = sockets_->cuts ? path_mtu_ - settings_.header_bytes() : 0;
    const Run run = next_run(frames + at, (at < resumed_ ? resumed_ : count) - at, most);
    answer = add_run(run, at);
    at += run.count;
  }
  if (answer == Answer::gone) answer = flush();
  if (answer == Answer::gone) halfway_.clear();
  done = answer == Answer::gone ? count : through_;
  return answer;
}

Sender::Answer Sender::add_run(const Run& run, size_t first) {
  const evs_datagram& frame = frames_[first];
  const size_t done = first + run.count;
  if (frame.peer != EVS_PEER_ALL) {
    const Address* to = peers_.find(frame.peer);
    if (to != nullptr) return add(*to, run, first, done);
    counters_.add(Count::unknown_peer, run.count);
    return Answer::gone;
  }
  if (settings_.mode == Mode::multicast) return add(settings_.group, run, first, done);
  return add_to_each(run, first);
}

Sender::Answer Sender::add_to_each(const Run& run, size_t first) {
  const std::vector<uint32_t>& all = peers_.everybody();
  const size_t done = first + run.count;
  const size_t from = first < resumed_ ? halfway_.reached(all) : 0;
  for (size_t i = from; i < all.size(); ++i) {
    const Address* to = peers_.find(all[i]);
    const Answer answer = add(*to, run, first, i + 1 == all.size() ? done : first, i);
    if (answer != Answer::gone) return answer;
  }
  if (from == all.size() && pending_ == 0) through_ = done;  // nobody is left to get it
  return Answer::gone;
}

// There was no room for `message`, or no socket.
void Sender::stop_at(const Message& message) {
  if (message.turn == kNoTurn) return halfway_.clear();
  halfway_.stop(frames_ + message.first, message.run, peers_.everybody(), message.turn);
}

Sender::Answer Sender::add(const Address& to, const Run& run, size_t first, size_t done, size_t turn) {
  if (pending_ == kMessages)
    if (const Answer answer = flush(); answer != Answer::gone) return answer;
  destinations_[pending_] = to;
  messages_[pending_] = {run, first, done, turn};
  msghdr& header = headers_[pending_].msg_hdr;
  header = {const_cast<sockaddr*>(destinations_[pending_].raw()), to.size(), &parts_[first], run.count, nullptr, 0, 0};
  if (run.offloaded()) {
    header.msg_control = controls_[pending_].bytes;
    header.msg_controllen = sizeof(Control);
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = IPPROTO_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const uint16_t segment = static_cast<uint16_t>(parts_[first].iov_len);
    std::memcpy(CMSG_DATA(control), &segment, sizeof(segment));
  }
  ++pending_;
  return Answer::gone;
}

void Sender::sent(size_t at, bool as_segments) {
  const Message& message = messages_[at];
  counters_.add(Count::sent_datagrams, message.run.count);
  counters_.add(Count::sent_bytes, message.run.bytes);
  if (as_segments) counters_.add(Count::sent_segments, message.run.count);
}

Sender::Answer Sender::flush() {
  size_t at = 0;
  while (at < pending_) {
    const int count = sendmmsg(sockets_->own.get(), &headers_[at], static_cast<unsigned>(pending_ - at), MSG_DONTWAIT);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (const Answer answer = take_refusal(at, errno); answer != Answer::gone) {
        stop_at(messages_[at]);
        pending_ = 0;
        return answer;
      }
      through_ = messages_[at++].done;
      continue;
    }
    counters_.add(Count::sent_batches);
    for (int i = 0; i < count; ++i, ++at) {
      sent(at, messages_[at].run.offloaded());
      through_ = messages_[at].done;
    }
  }
  pending_ = 0;
  return Answer::gone;
}

std::string Sender::whom(const msghdr& message) const {
  const auto peer = Address::of(static_cast<const sockaddr*>(message.msg_name));
  return peer ? peer->text() : "a peer";
}

Sender::Answer Sender::judge(int error, const msghdr& message) {
  if (error == ENOBUFS || error == ENOMEM) counters_.add(Count::no_buffers);
  if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM) return Answer::full;
  if (error == EBADF || error == ENOTSOCK) return Answer::dead;
  voice_.failed(error, whom(message));
  suspects_ |= kind_of(error) == Count::unreachable;
  return Answer::gone;
}

// The first message of a batch was refused. It goes again by itself, because the error may be a report about an earlier one.
Sender::Answer Sender::take_refusal(size_t at, int error) {
  const Message& message = messages_[at];
  for (int reports = 0; reports < kReportsASend && may_be_a_report(error) && take_reports(); ++reports) {
    if (settings_.frame == 0 && parts_[message.first].iov_len > largest_frame_) break;  // it was about this one
    if (sendmsg(sockets_->own.get(), &headers_[at].msg_hdr, MSG_DONTWAIT) >= 0) {
      counters_.add(Count::sent_batches);
      sent(at, message.run.offloaded());
      return Answer::gone;
    }
    error = errno;
  }
  if (error == EMSGSIZE) take_reports();
  const bool of_offload = error == EINVAL || error == EIO || error == EMSGSIZE || error == EOPNOTSUPP || error == ENOPROTOOPT;
  if (message.run.offloaded() && of_offload) return one_by_one(at, error);
  return judge(error, headers_[at].msg_hdr);
}

// A socket whose error queue is not empty stays "readable": whoever met an error leaves none behind.
bool Sender::take_reports() {
  size_t told = path_mtu_;
  const bool any = drain_error_queue(sockets_->own.get(), voice_, told) > 0;
  limit_path(told);
  return any;
}

Sender::Answer Sender::one_by_one(size_t at, int refused) {
  const Message& message = messages_[at];
  size_t gone = 0;
  for (size_t i = 0; i < message.run.count; ++i) {
    msghdr single = headers_[at].msg_hdr;
    single.msg_iov = &parts_[message.first + i];
    single.msg_iovlen = 1;
    single.msg_control = nullptr;
    single.msg_controllen = 0;
    if (sendmsg(sockets_->own.get(), &single, MSG_DONTWAIT) >= 0) {
      counters_.add(Count::sent_batches);
      counters_.add(Count::sent_datagrams);
      counters_.add(Count::sent_bytes, parts_[message.first + i].iov_len);
      ++gone;
      continue;
    }
    const Answer answer = judge(errno, single);
    take_reports();
    if (answer == Answer::full && gone == 0) return answer;
    if (answer != Answer::gone) break;  // the rest of the run is lost rather than the whole repeated
  }
  if (gone == 0 || !std::exchange(sockets_->cuts, false)) return Answer::gone;
  voice_.say(EVS_HOST_LOG_WARNING, "udp.offload",
             "the kernel refuses UDP_SEGMENT here (error " + std::to_string(refused) + "); going on without it, slower");
  return Answer::gone;
}

}  // namespace evs::udp
