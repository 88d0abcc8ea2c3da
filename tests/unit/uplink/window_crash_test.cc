// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_crash_test.cc - whatever the store behind which a gateway is killed, a step is taken wholly or not at all.
#include "tests/unit/uplink/window_crash.h"

#include "tests/unit/uplink/window_world.h"

extern "C" void evs_window_stored(uint64_t at, const void* bytes, size_t count) {
  using evs::runtime::uplink::g_stores;
  const auto* from = static_cast<const std::byte*>(bytes);
  if (g_stores != nullptr) g_stores->push_back({at, {from, from + count}});
}

namespace evs::runtime::uplink {
namespace {

std::string kind_of(const Effect& effect, const ordering::Output& out) {
  if (effect.kind == Effect::Kind::deliver) return out.deliveries[effect.begin].transitional ? "deliver, transitional" : "deliver";
  if (effect.kind == Effect::Kind::configuration) return out.configurations[effect.begin].regular ? "configuration" : "transitional configuration";
  if (effect.kind != Effect::Kind::store) return "";
  static const char* const kStored[] = {"sequence", "life", "window", "obligations", "ending"};
  return kStored[static_cast<size_t>(effect.stored.kind)];
}

// A world whose steps are cut off: of each kind so many, with something of the caller's in every other one.
class CutWorld {
 public:
  static constexpr uint32_t kMost = 25;
  explicit CutWorld(uint64_t seed) : world_(seed), crash_(world_.ground(), world_.shape()), dice_(seed) {
    world_.take = [this](WindowFile& file, const std::string& name, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
      return take(file, name, effect, out, protocol);
    };
  }
  void run(uint32_t turns) { world_.run(turns); }
  std::map<std::string, uint32_t> cut;
  const Crash& crash() const { return crash_; }
  const WindowWorld& world() const { return world_; }

 private:
  shm::Status take(WindowFile& file, const std::string& name, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
    std::string kind = kind_of(effect, out);
    const bool holds_beginning = kind == "window" && !file.load().beginnings.empty();
    if (holds_beginning) kind += " with a beginning";
    if (kind.empty() || cut[kind] == kMost || !dice_.one_in(3)) return file.take(effect, out, protocol);
    ++cut[kind];
    if (effect.kind != Effect::Kind::store) append(file, name);
    WindowFile::Also also;
    if (dice_.one_in(2)) also.outbox = WindowFile::Outbox{dice_.next(), static_cast<uint32_t>(dice_.next()), dice_.next()};
    bytes_.assign(dice_.below(4096), static_cast<std::byte>(dice_.next()));
    if (dice_.one_in(3)) also.processes = bytes_;
    shm::Status status;
    crash_.at_each_store(file, name, [&] { status = file.take(effect, out, protocol, also); });
    return status;
  }
  void append(WindowFile& file, const std::string& name) {
    for (uint32_t ordinal = 0; ordinal < 2; ++ordinal) {
      const WindowFile::Append append{{dice_.next(), 3, dice_.next()}, {dice_.next()}, static_cast<uint32_t>(dice_.next()), 7, ordinal, dice_.next()};
      crash_.at_each_store(file, name, [&] { file.begin_append(append); });
      EXPECT_EQ(file.kept().append, (WindowFile::UnderWay{append, {}, false}));
      crash_.at_each_store(file, name, [&] { file.claimed(12345); });
      EXPECT_EQ(file.kept().append, (WindowFile::UnderWay{append, 12345, false}));
      crash_.at_each_store(file, name, [&] { file.appended(); });
      EXPECT_EQ(file.kept().append, (WindowFile::UnderWay{append, 12345, true}));
    }
  }

  WindowWorld world_;
  Crash crash_;
  test::Dice dice_;
  std::vector<std::byte> bytes_;
};

TEST(WindowCrash, BehindEachStoreTheStateIsTheOneBeforeTheStepOrTheOneAfter) {
  const char* one = std::getenv("EVS_SEED");
  const uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1, count = one != nullptr ? 1 : std::getenv("EVS_LONG") != nullptr ? 100 : 1;
  for (uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    SCOPED_TRACE("EVS_SEED=" + std::to_string(seed));
    CutWorld world(seed);
    world.run(8000);
    if (one != nullptr) continue;
    for (const char* kind : {"sequence", "window", "window with a beginning", "obligations", "ending", "deliver", "deliver, transitional", "configuration",
                             "transitional configuration"})
      EXPECT_GE(world.cut[kind], 5u) << kind;
    EXPECT_GE(world.cut["life"], 1u);
    EXPECT_GT(world.crash().cuts, 1000u);
    EXPECT_GT(world.crash().recoveries, 300u);
    if (std::getenv("EVS_TELL") != nullptr) std::printf("cuts %lu recoveries %lu\n", world.crash().cuts, world.crash().recoveries);
  }
}

}  // namespace
}  // namespace evs::runtime::uplink
