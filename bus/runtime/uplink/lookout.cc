// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/lookout.cc - see lookout.h.
#include "bus/runtime/uplink/lookout.h"

namespace evs::runtime::uplink {
namespace {

constexpr size_t kListened = 16, kListenedBytes = 65536;
constexpr size_t kMostBatches = 64;

}  // namespace

bool Lookout::turn(ordering::Instant now) {
  room_.resize(kListened * kListenedBytes);
  std::vector<evs_datagram> datagrams(kListened);
  std::vector<sealing::ToOpen> opened;
  for (size_t batch = 0; batch < kMostBatches; ++batch) {
    for (size_t i = 0; i < kListened; ++i) datagrams[i] = {0, 0, room_.data() + i * kListenedBytes, kListenedBytes};
    size_t got = 0;
    const int32_t status = medium_.receive(datagrams.data(), kListened, &got);
    closed_ |= status == EVS_P_CLOSED;
    if (status != EVS_P_OK || got == 0) break;
    opened.clear();
    for (size_t i = 0; i < got; ++i) opened.push_back({{static_cast<std::byte*>(datagrams[i].data), datagrams[i].size}});
    sealing_.open(now.ns, opened);
    for (size_t i = 0; i < got; ++i) {
      if (opened[i].refusal != sealing::Refusal::none || opened[i].sender.id != self_.id || opened[i].sender == self_) continue;
      heard_ = now;
      at_ = medium_.name_of(datagrams[i].peer);
    }
  }
  return now >= next();
}

}  // namespace evs::runtime::uplink
