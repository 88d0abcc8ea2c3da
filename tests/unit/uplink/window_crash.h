// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_crash.h - a step of a window file, cut off behind each of its stores.
//
// The library tells each store (EVS_WINDOW_TRACE). They are done again one by one to a copy of the file as it was; after each of them, and with each bulk store half
// done or spoilt, a successor opens the copy. It must find the state before the step or the one after it, and no state before behind one after.
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
  if (!(a.kept.append == b.kept.append)) return "append";
  if (a.kept.processes != b.kept.processes) return "processes";
  return difference(a.state, b.state);
}

class Crash {
 public:
  Crash(const WindowGround& ground, const WindowFile::Shape& shape) : ground_(ground), shape_(shape), geometry_(window::Geometry::of(shape)) {}

  uint64_t cuts = 0, recoveries = 0;

  // `step` is done to `file`, whose file is `name`.
  void at_each_store(WindowFile& file, const std::string& name, const std::function<void()>& step) {
    std::filesystem::copy_file(ground_.path() + "/" + name, ground_.path() + "/crash", std::filesystem::copy_options::overwrite_existing);
    std::vector<Stored> stores;
    before_ = load(file);
    g_stores = &stores;
    step();
    g_stores = nullptr;
    after_ = load(file);
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

 private:
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
    if (recovery.size() > 1) die_again(recovery, words, where);
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
    return file ? load(*file) : Loaded{};
  }

  const WindowGround& ground_;
  const WindowFile::Shape shape_;
  const window::Geometry geometry_;
  test::Dice dice_{7};
  std::byte* base_ = nullptr;
  Loaded before_, after_;
};

}  // namespace evs::runtime::uplink
