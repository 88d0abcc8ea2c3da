// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/outgoing.cc - see outgoing.h.
#include "bus/runtime/uplink/outgoing.h"

#include <algorithm>
#include <cstring>

#include "bus/runtime/uplink/parts.h"

namespace evs::runtime::uplink {
namespace {

constexpr size_t kMostWaiting = 8u << 20;  // bytes
constexpr ordering::Duration kPatience = 20'000'000;  // a queue that is full empties in less. Not a number of calls: who has much to send calls often

}  // namespace

size_t packet_bytes_for(const Medium& medium, const sealing::Sealing& sealing) {
  const size_t frame = std::min(medium.largest_frame(), ordering::wire::kDatagramBytes);
  return std::min({frame - std::min(frame, sealing.overhead()), sealing::kMostPacketBytes, ordering::wire::kMaxPacketBytes});
}

void Outgoing::add(uint32_t peer, ordering::Bytes packet) {
  if (packet.size() <= most_) return put(peer, packet);
  if (cut(packet, most_, ++next_cut_, scratch_, [&](ordering::Bytes part) { put(peer, part); })) ++counts_.cut;
  else ++counts_.too_big;
}

void Outgoing::put(uint32_t peer, ordering::Bytes packet) {
  const size_t begin = bytes_.size(), room = sealing::kHeaderBytes + packet.size() + sealing::kTagBytes;
  if (begin + room > kMostWaiting) {
    ++counts_.overflowed;
    return;
  }
  bytes_.resize(begin + room);
  std::memcpy(bytes_.data() + begin + sealing::kHeaderBytes, packet.data(), packet.size());
  packets_.push_back({peer, begin, packet.size()});
}

void Outgoing::seal() {
  to_seal_.clear();
  for (size_t i = sealed_; i < packets_.size(); ++i) {
    std::byte* const at = bytes_.data() + packets_[i].begin;
    const size_t size = packets_[i].size;
    to_seal_.push_back({{at + sealing::kHeaderBytes, size}, {at, sealing::kHeaderBytes + size + sealing::kTagBytes}});
  }
  status_ = sealing_.seal(to_seal_);
  for (size_t i = 0; i < to_seal_.size(); ++i) packets_[sealed_ + i].size = to_seal_[i].size;
  sealed_ = packets_.size();
}

// What the medium has taken makes room for what comes.
void Outgoing::keep_waiting() {
  const size_t begin = first_ == packets_.size() ? bytes_.size() : packets_[first_].begin;
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(begin));
  packets_.erase(packets_.begin(), packets_.begin() + static_cast<ptrdiff_t>(first_));
  for (Packet& packet : packets_) packet.begin -= begin;
  sealed_ -= first_;
  first_ = 0;
}

bool Outgoing::flush(ordering::Instant now) {
  if (sealed_ != packets_.size()) seal();
  datagrams_.clear();
  for (size_t i = first_; i < packets_.size(); ++i) datagrams_.push_back({packets_[i].peer, 0, bytes_.data() + packets_[i].begin, packets_[i].size});
  size_t done = 0;
  while (done != datagrams_.size()) {
    if (datagrams_[done].size == 0) {  // was not sealed
      ++counts_.refused;
      ++done;
      continue;
    }
    size_t count = done, taken = 0;
    while (count != datagrams_.size() && datagrams_[count].size != 0) ++count;
    const int32_t status = medium_.send(datagrams_.data() + done, count - done, &taken);
    for (size_t i = done; i < done + taken; ++i) counts_.bytes += datagrams_[i].size;
    counts_.packets += taken;
    done += taken;
    if (taken != 0) refused_since_ = ordering::kNever;
    if (status == EVS_P_OK) continue;
    // "No room" may be said of this one alone, and for ever: by a device whose other end takes no frames of that size. What stands behind it must get out.
    if (status == EVS_P_AGAIN && refused_since_ == ordering::kNever) refused_since_ = now;
    if (status == EVS_P_AGAIN && now - refused_since_ >= kPatience) {
      refused_since_ = ordering::kNever;
      counts_.given_up_bytes = datagrams_[done].size;
      ++counts_.given_up;
      ++done;
      continue;
    }
    if (status == EVS_P_AGAIN) {
      ++counts_.postponed;
      first_ += done;
      keep_waiting();
      return false;
    }
    closed_ |= status == EVS_P_CLOSED;
    if (status == EVS_P_TOO_BIG) most_ = packet_bytes_for(medium_, sealing_);  // it has shrunk: the next ones in parts
    ++(status == EVS_P_TOO_BIG ? counts_.too_big : counts_.refused);
    ++done;
  }
  first_ = packets_.size();
  keep_waiting();
  return true;
}

}  // namespace evs::runtime::uplink
