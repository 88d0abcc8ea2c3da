// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/ordering/speed.cc - evs-ordering-speed: what the ordering core takes, by the bare work it cannot do without.
//
// Each iteration does the core's work and the bare work, one behind the other; a row is made of the medians over all of them, so that
// neither an interrupt nor a change of the machine's mood between two runs is taken for a property of the code.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "tests/bench/ordering/work.h"
#include "tests/bench/timings.h"

namespace evs::bench {
namespace {

// `core` and `bare` are of `each` operations.
void report(benchmark::State& state, Timings& core, const char* name, Timings& bare, double each) {
  state.counters["core_ns"] = core.median() / each;
  state.counters[std::string(name) + "_ns"] = bare.median() / each;
  state.counters["by_" + std::string(name)] = core.median() / bare.median();
}

void token_visit_40_frames(benchmark::State& state) {
  Laps laps(kFrameBytes - wire::kDataHeaderBytes - wire::kPieceBytes, kFrames);
  BareCopy bare(kFrameBytes);
  Timings core, copy, warm;
  for (auto _ : state) {
    const auto& token = laps.until_token();
    auto& host = laps.ring.member(1);
    state.SetIterationTime(core.take([&] { token_visit(host.protocol, laps.ring.now(), token.bytes, host.out); }) * 1e-9);
    laps.token_visited();
    bare.fill(kFrames);
    copy.take([&] { bare.copy(kFrames); });
    warm.take([&] { bare.copy_warm(kFrames); });
  }
  if (laps.ring.member(1).delivered < uint64_t{kFrames} * state.iterations()) state.SkipWithError("not all was stamped and delivered");
  report(state, core, "memcpy", copy, 1);
  report(state, core, "warm", warm, 1);
}
BENCHMARK(token_visit_40_frames)->UseManualTime()->Unit(benchmark::kMicrosecond);

void receive_a_frame(benchmark::State& state) {
  Laps laps(static_cast<size_t>(state.range(0)), kFrames);
  BareMap map(laps.packet_bytes());
  Timings core, insert, copied;
  size_t heard = 0, said = 0;
  for (auto _ : state) {
    const auto& token = laps.until_token();
    auto& host = laps.ring.member(1);
    token_visit(host.protocol, laps.ring.now(), token.bytes, host.out);
    laps.token_visited();
    const size_t frames = laps.frames_waiting();
    if (frames != 0)
      state.SetIterationTime(core.take([&] { heard += receive_frames(laps.ring, laps.ring.member(2), frames); }) * 1e-9);
    laps.frames_received(frames);
    said += frames * laps.message_bytes();
    insert.take([&] { map.insert(static_cast<uint32_t>(frames)); });
    copied.take([&] { map.insert_copied(static_cast<uint32_t>(frames)); });
    map.forget();
    state.counters["frames"] = static_cast<double>(frames);
  }
  if (heard != said || heard == 0) state.SkipWithError("not all was delivered in the call in which it came");
  report(state, core, "insert", insert, state.counters["frames"]);
  report(state, core, "insert_and_copy", copied, state.counters["frames"]);
}
BENCHMARK(receive_a_frame)->Arg(700)->Arg(1320)->UseManualTime();

void pack_and_unpack_64_bytes(benchmark::State& state) {
  Packing packing;
  BareCopy bare(kSmallBytes);
  Timings core, copy;
  size_t heard = 0;
  for (auto _ : state) {
    packing.fill();
    state.SetIterationTime(core.take([&] { heard += pack_and_unpack(packing.queue, packing.assembly, packing.frames, packing.out); }) * 1e-9);
    bare.fill(static_cast<uint32_t>(packing.messages()));
    copy.take([&] { bare.copy(static_cast<uint32_t>(packing.messages())); });
  }
  if (heard != packing.messages() * kSmallBytes * state.iterations()) state.SkipWithError("not all came out again");
  report(state, core, "memcpy", copy, static_cast<double>(packing.messages()));
}
BENCHMARK(pack_and_unpack_64_bytes)->UseManualTime();

}  // namespace
}  // namespace evs::bench

BENCHMARK_MAIN();
