// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/segment_fuzz.cc - a damaged segment is refused or read, never believed further than it reaches.
#include "tests/fuzz/segment_world.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  static evs::fuzz::SegmentWorld world;
  world.run(data, std::min<size_t>(size, 64 * evs::fuzz::SegmentWorld::kStroke));
  return 0;
}
