// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/ordering/count.cc - evs-ordering-count: the work of evs-ordering-speed a fixed number of times, for callgrind to count.
//
//   evs-ordering-count about                  what it was compiled with
//   evs-ordering-count visit|receive|pack     "N operations": frames stamped and handed out, frames received, messages packed and unpacked
//
// instructions.py runs it, and divides what callgrind collected in the function measured by the number that stands here.
#include <cstdio>
#include <string>

#include "tests/bench/ordering/work.h"

namespace evs::bench {
namespace {

constexpr int kLaps = 50;
constexpr size_t kLargest = kFrameBytes - wire::kDataHeaderBytes - wire::kPieceBytes;

int about() {
#ifdef __clang__
  const char* name = "clang";
#else
  const char* name = "GNU";
#endif
#if defined(__OPTIMIZE__) && defined(NDEBUG)
  const char* build = "release";
#else
  const char* build = "debug";
#endif
  std::printf("compiler %s %s\nbuild %s\n", name, __VERSION__, build);
  return 0;
}

size_t visits() {
  Laps laps(kLargest, kFrames);
  const uint64_t before = laps.ring.member(1).stamped;
  for (int i = 0; i < kLaps; ++i) {
    const auto& token = laps.until_token();
    token_visit(laps.ring.member(1).protocol, laps.ring.now(), token.bytes, laps.ring.member(1).out);
    laps.token_visited();
  }
  return laps.ring.member(1).stamped - before;
}

size_t received() {
  Laps laps(kLargest, kFrames);
  size_t bytes = 0;
  for (int i = 0; i < kLaps; ++i) {
    laps.until_token();
    laps.ring.step();
    const size_t frames = laps.frames_waiting();
    bytes += receive_frames(laps.ring, laps.ring.member(2), frames);
    laps.frames_received(frames);
  }
  return bytes / kLargest;
}

size_t packed() {
  Packing packing;
  size_t bytes = 0;
  for (int i = 0; i < kLaps; ++i) {
    packing.fill();
    bytes += pack_and_unpack(packing.queue, packing.assembly, packing.frames, packing.out);
  }
  return bytes / kSmallBytes;
}

}  // namespace
}  // namespace evs::bench

int main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  if (what == "about") return evs::bench::about();
  size_t operations = 0;
  if (what == "visit") operations = evs::bench::visits();
  else if (what == "receive") operations = evs::bench::received();
  else if (what == "pack") operations = evs::bench::packed();
  if (operations == 0) {
    std::fprintf(stderr, "usage: evs-ordering-count about|visit|receive|pack\n");
    return 2;
  }
  std::printf("%zu operations\n", operations);
  return 0;
}
