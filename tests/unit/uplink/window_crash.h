// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_crash.h - a step of a window file, cut off behind each of its stores.
//
// The library tells each store (EVS_WINDOW_TRACE). They are done again one by one to a copy of the file as it was; after each of them, and with each bulk store half
// done or spoilt, a successor opens the copy. It must find the state before the step or the one after it, and no state before behind one after.
//
// Of a step that is prepared it must find the state before, and that it is under way, from the last store of prepare() to the first of commit(); and come to the
// state before or after as it is told, also when it is killed itself, behind each store of that.
#pragma once

#include <sys/mman.h>

#include <cstring>
#include <functional>

#include "tests/support/dice.h"
#include "tests/unit/uplink/window_ground.h"

namespace evs::runtime::uplink {

struct Stored {
  uint64_t at;
  std::vector<std::byte> bytes;
};
inline std::vector<Stored>* g_stores = nullptr;  // where stores are told to; nowhere

struct Loaded {
  ordering::StoredState state;
  WindowFile::Kept kept;
};
inline Loaded load(const WindowFile& file) { return {file.load(), file.kept()}; }
inline std::string difference(const Loaded& a, const Loaded& b) {
  if (!(a.kept.outbox == b.kept.outbox)) return "outbox";
  if (a.kept.processes != b.kept.processes) return "processes";
  return difference(a.state, b.state);
}

class Crash {
 public:
  Crash(const WindowGround& ground, const WindowFile::Shape& shape) : ground_(ground), shape_(shape), geometry_(window::Geometry::of(shape)) {}

  using File = std::unique_ptr<WindowFile>;
  static constexpr uint64_t kPosition = 4096;
  uint64_t cuts = 0, recoveries = 0;

  // `step` is done to `file`, whose file is `name`.
  void at_each_store(WindowFile& file, const std::string& name, const std::function<void()>& step) {
    const std::vector<Stored> stores = watch(file, name, step).stores;
    const std::string changed = difference(before_, after_);
    map();
    bool was_after = look("before the first store", changed.empty());
    for (size_t i = 0; i < stores.size() && !testing::Test::HasFailure(); ++i) {
      const std::string where = "store " + std::to_string(i) + " of " + std::to_string(stores.size()) + " at " + std::to_string(stores[i].at);
      if (stores[i].bytes.size() > sizeof(uint64_t)) tear(stores[i], where, was_after);
      std::memcpy(base_ + stores[i].at, stores[i].bytes.data(), stores[i].bytes.size());
      was_after = look(where, was_after);
    }
    EXPECT_TRUE(was_after) << "the step was not taken at its end";
    munmap(base_, geometry_.file_bytes);
  }

  // A step that appends a record. `prepare` is done to `file`, whose file is `name`; then it is claimed and committed.
  void with_its_record(WindowFile& file, const std::string& name, const std::function<void()>& prepare) {
    const Watched watched = watch_record(file, name, prepare);
    map();
    for (size_t done = 0; done <= watched.stores.size() && !testing::Test::HasFailure(); ++done) {
      const std::string where = "behind " + std::to_string(done) + " of " + std::to_string(watched.stores.size()) + " stores";
      if (done != 0) {
        const Stored& store = watched.stores[done - 1];
        if (store.bytes.size() > sizeof(uint64_t)) tear(store, where, false);
        std::memcpy(base_ + store.at, store.bytes.data(), store.bytes.size());
      }
      look_at_record(where, done, watched);
    }
    munmap(base_, geometry_.file_bytes);
  }

  // The same; but `file` is that of a process which was killed behind `done` of its stores (as a share of them all), and what is in it afterwards is its
  // successor's. True: the step is in it.
  bool killed_with_its_record(File& file, const std::string& name, const std::function<void()>& prepare, double done, bool has_record) {
    const Watched watched = watch_record(*file, name, prepare);
    const auto count = static_cast<size_t>(done * static_cast<double>(watched.stores.size() + 1));
    map();
    for (size_t i = 0; i < count; ++i) std::memcpy(base_ + watched.stores[i].at, watched.stores[i].bytes.data(), watched.stores[i].bytes.size());
    munmap(base_, geometry_.file_bytes);
    file.reset();
    std::filesystem::rename(ground_.path() + "/crash", ground_.path() + "/" + name);
    file = ground_.open(name, shape_);
    const bool counts = count > watched.claimed || (count == watched.claimed && has_record);
    if (file->under_way()) finish(file, counts);
    EXPECT_EQ(difference(load(*file), counts ? after_ : before_), "") << "killed behind " << count << " of " << watched.stores.size() << " stores";
    return counts;
  }

 private:
  struct Watched {
    std::vector<Stored> stores;
    size_t prepared = 0, claimed = 0;  // so many stores had been done then
  };
  Watched watch(WindowFile& file, const std::string& name, const std::function<void()>& step) {
    std::filesystem::copy_file(ground_.path() + "/" + name, ground_.path() + "/crash", std::filesystem::copy_options::overwrite_existing);
    Watched watched;
    before_ = load(file);
    g_stores = &watched.stores;
    step();
    g_stores = nullptr;
    after_ = load(file);
    return watched;
  }
  Watched watch_record(WindowFile& file, const std::string& name, const std::function<void()>& prepare) {
    size_t prepared = 0, claimed = 0;
    Watched watched = watch(file, name, [&] {
      prepare();
      prepared = g_stores->size();
      file.claimed(kPosition);
      claimed = g_stores->size();
      file.commit();
    });
    watched.prepared = prepared;
    watched.claimed = claimed;
    return watched;
  }
  static void finish(File& file, bool committed) {
    const shm::Status s = WindowFile::finish_under_way(file, committed);
    ASSERT_TRUE(s.ok()) << s.text;
    EXPECT_FALSE(file->under_way());
  }
  void look_at_record(const std::string& where, size_t done, const Watched& watched) {
    const bool under_way = done >= watched.prepared && done <= watched.claimed;
    const std::vector<std::byte> words(base_, base_ + geometry_.processes_at);
    {
      const File file = ground_.open("crash", shape_);
      EXPECT_EQ(file->under_way(), !under_way ? std::nullopt : std::optional<uint64_t>(done == watched.claimed ? kPosition : 0)) << where;
      EXPECT_EQ(difference(load(*file), done > watched.claimed ? after_ : before_), "") << where;
    }
    std::memcpy(base_, words.data(), words.size());
    if (!under_way) {
      look(where, done > watched.claimed);
      return;
    }
    ++cuts;
    for (const bool committed : {false, true}) finish_and_die_again(where, words, committed);
  }
  // A successor finishes it, and is killed behind each of its stores; the next one is told the same.
  void finish_and_die_again(const std::string& where, const std::vector<std::byte>& words, bool committed) {
    const Loaded& expected = committed ? after_ : before_;
    std::vector<Stored> recovery;
    File file = ground_.open("crash", shape_);
    g_stores = &recovery;
    finish(file, committed);
    g_stores = nullptr;
    EXPECT_EQ(difference(load(*file), expected), "") << where << ", finished: " << committed;
    EXPECT_FALSE(recovery.empty());
    for (size_t done = 0; done <= recovery.size(); ++done) {
      std::memcpy(base_, words.data(), words.size());
      for (size_t i = 0; i < done; ++i) std::memcpy(base_ + recovery[i].at, recovery[i].bytes.data(), recovery[i].bytes.size());
      file = ground_.open("crash", shape_);
      if (file->under_way()) finish(file, committed);
      EXPECT_EQ(difference(load(*file), expected), "") << where << ", finished: " << committed << ", and killed behind " << done << " stores of that";
      file = ground_.open("crash", shape_);
      EXPECT_FALSE(file->under_way());
      EXPECT_EQ(difference(load(*file), expected), "") << where << ", opened again";
      ++recoveries;
    }
    std::memcpy(base_, words.data(), words.size());
  }
  void map() {
    const int fd = ::open((ground_.path() + "/crash").c_str(), O_RDWR | O_CLOEXEC);
    void* at = mmap(nullptr, geometry_.file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED) std::abort();
    base_ = static_cast<std::byte*>(at);
  }
  // Half of it is there; all of it, and it is nonsense.
  void tear(const Stored& store, const std::string& where, bool was_after) {
    const std::vector<std::byte> there(base_ + store.at, base_ + store.at + store.bytes.size());
    for (size_t cut = 64; cut < store.bytes.size(); cut += std::max<size_t>(64, store.bytes.size() / 8 / 8 * 8)) {
      std::memcpy(base_ + store.at, store.bytes.data(), cut);
      look(where + ", torn at " + std::to_string(cut), was_after);
    }
    for (size_t i = 0; i < store.bytes.size(); ++i) base_[store.at + i] = static_cast<std::byte>(dice_.next());
    look(where + ", spoilt", was_after);
    std::memcpy(base_ + store.at, there.data(), there.size());
  }
  // True: it is the state after. The copy is as it was afterwards.
  bool look(const std::string& where, bool was_after) {
    const std::vector<std::byte> words(base_, base_ + geometry_.processes_at);
    std::vector<Stored> recovery;
    const Loaded found = open(recovery);
    ++cuts;
    const bool is_before = difference(found, before_).empty(), is_after = difference(found, after_).empty();
    EXPECT_TRUE(is_before || is_after) << where << ": neither: of before " << difference(found, before_) << ", of after " << difference(found, after_);
    EXPECT_TRUE(is_after || !was_after) << where << ": a step that was taken was taken back";
    std::memcpy(base_, words.data(), words.size());
    if (!recovery.empty()) die_again(recovery, words, where);
    return is_after;
  }
  // The successor is killed, too, behind each store of what it finishes.
  void die_again(const std::vector<Stored>& recovery, const std::vector<std::byte>& words, const std::string& where) {
    for (size_t done = 0; done <= recovery.size(); ++done) {
      for (size_t i = 0; i < done; ++i) std::memcpy(base_ + recovery[i].at, recovery[i].bytes.data(), recovery[i].bytes.size());
      std::vector<Stored> again;
      EXPECT_EQ(difference(open(again), after_), "") << where << ": and its successor was killed behind " << done << " stores";
      std::memcpy(base_, words.data(), words.size());
      ++recoveries;
    }
  }
  Loaded open(std::vector<Stored>& recovery) {
    g_stores = &recovery;
    const auto file = ground_.open("crash", shape_);
    g_stores = nullptr;
    EXPECT_FALSE(file->under_way()) << "what is taken, or never was, is not asked about";
    return load(*file);
  }

  const WindowGround& ground_;
  const WindowFile::Shape shape_;
  const window::Geometry geometry_;
  test::Dice dice_{7};
  std::byte* base_ = nullptr;
  Loaded before_, after_;
};

}  // namespace evs::runtime::uplink
