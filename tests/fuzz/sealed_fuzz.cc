// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/sealed_fuzz.cc - any bytes in a datagram's place, outside of the tag: to a host that seals, and to one that does not.
//
// The input is some datagrams, each behind its length in 16 bits.
#include <vector>

#include "tests/fuzz/sealed_world.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace evs::runtime::sealing;
  static FuzzedHost seals{Keyring(document_key())}, clear{Keyring()};
  seals.forget();
  std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(data), size);
  while (rest.size() >= 2) {
    const size_t bytes = std::min<size_t>(evs::ordering::load_little<uint16_t>(rest.data()), rest.size() - 2);
    const auto datagram = rest.subspan(2, bytes);
    rest = rest.subspan(2 + bytes);
    // Of exactly that size: the sanitizers see who reads on.
    std::vector<std::byte> first(datagram.begin(), datagram.end()), again = first, unsealed = first;
    if (seals.hear(first).refusal == Refusal::none) must(seals.hear(again).refusal == Refusal::replay);
    clear.hear(unsealed);
  }
  return 0;
}
