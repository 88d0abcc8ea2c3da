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
    world_.take = [this](WindowWorld::File& file, const std::string& name, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
      return take(file, name, effect, out, protocol);
    };
  }
  void run(uint32_t turns) { world_.run(turns); }
  std::map<std::string, uint32_t> cut;
  uint32_t killed = 0;
  const Crash& crash() const { return crash_; }
  const WindowWorld& world() const { return world_; }

 private:
  shm::Status take(WindowWorld::File& file, const std::string& name, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
    std::string kind = kind_of(effect, out);
    const bool holds_beginning = kind == "window" && !file->load().beginnings.empty();
    if (holds_beginning) kind += " with a beginning";
    if (kind.empty() || cut[kind] == kMost || !dice_.one_in(3)) return file->take(effect, out, protocol);
    ++cut[kind];
    WindowFile::Also also;
    if (dice_.one_in(2)) also.outbox = WindowFile::Outbox{dice_.next(), static_cast<uint32_t>(dice_.next()), dice_.next()};
    bytes_.assign(dice_.below(4096), static_cast<std::byte>(dice_.next()));
    if (dice_.one_in(3)) also.processes = bytes_;
    shm::Status status;
    const auto prepare = [&] { status = file->prepare(effect, out, protocol, also); };
    // Also a `store`, which appends nothing: a prepared step may be any.
    if (!appends(effect) && dice_.one_in(2)) {
      crash_.at_each_store(*file, name, [&] { status = file->take(effect, out, protocol, also); });
      return status;
    }
    if (dice_.one_in(2)) abandon(*file, name, prepare);
    if (dice_.one_in(2)) {
      crash_.with_its_record(*file, name, prepare);
      return status;
    }
    ++killed;
    // The world goes on with what the successor has made of it.
    const bool is_there = crash_.killed_with_its_record(file, name, prepare, static_cast<double>(dice_.below(1000)) / 1000, dice_.one_in(2));
    return is_there ? status : take_with_record(*file, 8192, effect, out, protocol, also);
  }
  // One store, so there is nothing within it: before it is what with_its_record() looks at.
  void abandon(WindowFile& file, const std::string& name, const std::function<void()>& prepare) {
    const Loaded before = load(file);
    prepare();
    if (dice_.one_in(2)) file.claimed(12345);
    std::vector<Stored> stores;
    g_stores = &stores;
    file.abandon();
    g_stores = nullptr;
    EXPECT_EQ(stores.size(), 1u);
    EXPECT_EQ(difference(load(file), before), "") << "who abandoned it";
    std::filesystem::copy_file(world_.ground().path() + "/" + name, world_.ground().path() + "/abandoned", std::filesystem::copy_options::overwrite_existing);
    const auto successor = world_.ground().open("abandoned", world_.shape());
    EXPECT_FALSE(successor->under_way());
    EXPECT_EQ(difference(load(*successor), before), "") << "its successor";
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
    EXPECT_GT(world.killed, 10u) << "whose successor the world went on with";
    EXPECT_GT(world.crash().cuts, 1000u);
    EXPECT_GT(world.crash().recoveries, 300u);
    if (std::getenv("EVS_TELL") != nullptr) std::printf("cuts %lu recoveries %lu\n", world.crash().cuts, world.crash().recoveries);
  }
}

// A delivery of a ring that is over changes nothing; its record is appended all the same.
TEST(WindowCrash, APreparedStepOfNoWordsIsOneToo) {
  WindowGround ground;
  const WindowFile::Shape shape{8, 300, 5000, 4096};
  Crash crash(ground, shape);
  const ordering::Protocol protocol{ordering::Settings{.self = {1, 7}}};
  auto file = ground.open("w", shape);
  ordering::Output out;
  out.configure({true, {40, 1, 7}, {40, 1, 7}, {{1, 7}}});
  out.deliver().ring = {36, 1, 7};
  ASSERT_TRUE(file->take(out.effects[0], out, protocol).ok());
  const auto prepare = [&] { ASSERT_TRUE(file->prepare(out.effects[1], out, protocol).ok()); };
  crash.with_its_record(*file, "w", prepare);
  EXPECT_EQ(crash.cuts, 5u) << "two stores to prepare, one to claim, one to commit";
  for (const double done : {0.0, 0.3, 0.5, 0.7, 0.9}) crash.killed_with_its_record(file, "w", prepare, done, true);
}

}  // namespace
}  // namespace evs::runtime::uplink
