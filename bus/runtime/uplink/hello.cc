// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/hello.cc - see hello.h.
#include "bus/runtime/uplink/hello.h"

#include <algorithm>

#include "bus/ordering/little_endian.h"

namespace evs::runtime::uplink {
namespace {

using ordering::Bytes;
using ordering::load_little;
using ordering::store_little;

constexpr uint16_t kToAll = 1, kLarge = 2;                        // of the hello
constexpr uint32_t kHostToAll = 1u << 20, kHostLarge = 1u << 21;  // above a host's id
constexpr uint32_t kIdBits = ordering::kMaxHostId;
static_assert(kIdBits == kHostToAll - 1);

bool read(Bytes packet, Hello& hello) {
  if (packet.size() < kHelloBytes || !is_hello(packet)) return false;
  const auto flags = load_little<uint16_t>(packet.data() + 4);
  const size_t count = load_little<uint16_t>(packet.data() + 6), bytes = kHelloBytes + 4 * count;
  if ((flags & ~(kToAll | kLarge)) != 0 || count > kMostInHello || packet.size() < bytes) return false;
  hello.to_all = (flags & kToAll) != 0;
  hello.large = (flags & kLarge) != 0;
  hello.large_sent = load_little<uint32_t>(packet.data() + 8);
  if (!hello.large && packet.size() != bytes) return false;
  ordering::HostId before = ordering::kNoHost;
  for (size_t i = 0; i < count; ++i) {
    const auto word = load_little<uint32_t>(packet.data() + kHelloBytes + 4 * i);
    const ordering::HostId id = word & kIdBits;
    if (word >= 2 * kHostLarge || id <= before) return false;
    hello.heard.push_back({id, (word & kHostToAll) != 0, (word & kHostLarge) != 0});
    before = id;
  }
  return std::all_of(packet.begin() + static_cast<ptrdiff_t>(bytes), packet.end(), [](std::byte each) { return each == std::byte{0}; });
}

}  // namespace

bool is_hello(Bytes packet) {
  return packet.size() >= sizeof kHelloMagic && load_little<uint32_t>(packet.data()) == kHelloMagic;
}

void encode(const Hello& hello, size_t bytes, std::vector<std::byte>& out) {
  const size_t count = std::min(hello.heard.size(), kMostInHello), least = kHelloBytes + 4 * count;
  out.assign(hello.large ? std::max(least, bytes) : least, std::byte{0});
  store_little(out.data(), kHelloMagic);
  store_little(out.data() + 4, static_cast<uint16_t>((hello.to_all ? kToAll : 0) | (hello.large ? kLarge : 0)));
  store_little(out.data() + 6, static_cast<uint16_t>(count));
  store_little(out.data() + 8, hello.large_sent);
  for (size_t i = 0; i < count; ++i) {
    const HeardHost& host = hello.heard[i];
    store_little(out.data() + kHelloBytes + 4 * i, host.id | (host.to_all ? kHostToAll : 0) | (host.large ? kHostLarge : 0));
  }
}

bool decode(Bytes packet, Hello& hello) {
  hello = {};
  if (read(packet, hello)) return true;
  hello = {};
  return false;
}

}  // namespace evs::runtime::uplink
