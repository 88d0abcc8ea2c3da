// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/window/speed.cc - what a step of a window file costs: a delivery, and a visit's frames. Beside a copy of the same frames, which nobody is spared.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <chrono>
#include <cstring>
#include <filesystem>

#include "bus/runtime/uplink/window_file.h"
#include "tests/unit/ordering/memory_ring.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

struct Bench {
  char path[40] = "/dev/shm/evs-window-XXXXXX";
  shm::Directory directory;
  Settings settings;
  std::unique_ptr<Protocol> protocol;
  std::unique_ptr<WindowFile> file;
  Output out;
  Instant now{1};
  std::vector<std::byte> message = std::vector<std::byte>(5000);

  Bench() {
    settings.self = {1, 7};
    settings.for_successor = true;
    shm::Status s = directory.open(mkdtemp(path), "", false);
    if (s.ok()) s = WindowFile::open(directory, "w", WindowFile::shape_for(settings), 1, file);
    if (!s.ok()) std::abort();
    protocol = std::make_unique<Protocol>(settings);
    protocol->start(now, out);
    for (const Effect& effect : out.effects) take(effect);
    out.clear();
  }
  ~Bench() { std::filesystem::remove_all(path); }
  void take(const Effect& effect) {
    if (!file->take(effect, out, *protocol).ok()) std::abort();
  }
};

void BM_Deliver(benchmark::State& state) {
  Bench bench;
  Delivery& delivery = bench.out.deliver();
  delivery.ring = bench.protocol->ring();
  uint64_t n = 0;
  for (auto _ : state) {
    delivery.seq = Seq{n / 16 % 4096 + 1};
    delivery.index = static_cast<uint32_t>(n++ % 16);
    bench.take(bench.out.effects[0]);
  }
}

void BM_DeliverWithItsAppend(benchmark::State& state) {
  Bench bench;
  Delivery& delivery = bench.out.deliver();
  delivery.ring = bench.protocol->ring();
  uint64_t n = 0;
  for (auto _ : state) {
    delivery.seq = Seq{n / 16 % 4096 + 1};
    delivery.index = static_cast<uint32_t>(n++ % 16);
    if (!bench.file->prepare(bench.out.effects[0], bench.out, *bench.protocol).ok()) std::abort();
    bench.file->claimed(n * 64);
    bench.file->commit();
  }
}

// The windows of a host of a ring of two at work, with messages of the argument's size: a frame's share of them.
void BM_WindowPerFrame(benchmark::State& state) {
  Bench bench;
  bench.settings.store_frames = 1024;
  MemoryRing ring(2, bench.settings);
  if (!WindowFile::open(bench.directory, "ring", WindowFile::shape_for(bench.settings), 1, bench.file).ok()) std::abort();
  const auto size = static_cast<size_t>(state.range(0));
  uint64_t frames = 0, windows = 0, submitted[2] = {0, 0};
  std::chrono::nanoseconds spent{0};
  ring.watch = [&](const Effect& effect, MemoryRing::Member& member) {
    if (&member != &ring.member(1)) return;
    const bool window = effect.kind == Effect::Kind::store && effect.stored.kind == Stored::Kind::window;
    const auto begun = std::chrono::steady_clock::now();
    if (!bench.file->take(effect, member.out, member.protocol).ok()) std::abort();
    if (!window) return;
    spent += std::chrono::steady_clock::now() - begun;
    ++windows;
    frames += member.out.windows[effect.begin].held_end - member.out.windows[effect.begin].held_begin;
  };
  const auto turn = [&] {
    for (HostId id = 1; id <= 2; ++id)
      while (submitted[id - 1] - ring.member(id).stamped < 40 && ring.submit(id, Service::agreed, Bytes(bench.message).first(size)) == Submitted::ok)
        ++submitted[id - 1];
    ring.step();
  };
  ring.until_one_ring();
  for (int i = 0; i < 20'000; ++i) turn();
  uint64_t all = 0, all_windows = 0;
  for (auto _ : state) {
    frames = windows = 0;
    spent = {};
    while (frames == 0) turn();
    state.SetIterationTime(std::chrono::duration<double>(spent).count() / static_cast<double>(frames));
    all += frames;
    all_windows += windows;
  }
  state.counters["frames a window"] = static_cast<double>(all) / static_cast<double>(all_windows);
}

void BM_CopyOfFrames(benchmark::State& state) {
  const auto n = static_cast<size_t>(state.range(0));
  std::vector<std::byte> from(n * 1408), to(4096 * 1408);
  size_t at = 0;
  for (auto _ : state) {
    for (size_t i = 0; i < n; ++i) std::memcpy(to.data() + (at++ % 4096) * 1408, from.data() + i * 1408, 1280);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<int64_t>(at));
}

BENCHMARK(BM_Deliver);
BENCHMARK(BM_DeliverWithItsAppend);
BENCHMARK(BM_WindowPerFrame)->Arg(64)->Arg(1200)->Arg(5000)->UseManualTime()->Iterations(2000);
BENCHMARK(BM_CopyOfFrames)->Arg(1)->Arg(20);

}  // namespace
}  // namespace evs::runtime::uplink

BENCHMARK_MAIN();
