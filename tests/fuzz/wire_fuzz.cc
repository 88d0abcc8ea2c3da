// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/wire_fuzz.cc - any bytes in a packet's place.
//
// They are refused and leave nothing behind, or they are a packet, and encoding it gives the same bytes. libFuzzer calls this; the
// sanitizers see into decoder and encoder, which are compiled with us.
#include <cstdint>
#include <cstdlib>

#include "tests/unit/ordering/ordered_again.h"
#include "tests/unit/ordering/wire_again.h"

namespace {

// Not assert(): a fuzzer is built with NDEBUG too.
void must(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace wire = evs::ordering::wire;
  const evs::ordering::Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  must(wire::again(bytes).consistent);
  must(wire::ordered_again(bytes).consistent);
  evs::ordering::Data frame;
  if (wire::decode(bytes, frame) == wire::Malformed::none && frame.body == evs::ordering::Body::pieces)
    must(wire::pieces_again(frame));
  return 0;
}
