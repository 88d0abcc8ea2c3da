// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_memory.h - the bytes of a window file: mapped, reserved before they are touched, and changed in steps.
//
// A step is words that change together. Bytes that nothing refers to yet are written first (write(), zero()); plan() collects words, and commit() writes
// them to the journal, lets the journal count with one store, puts each where it belongs, and lets the journal count no more. Who opens the file finishes a
// journal that counts: doing that twice, or from its middle on, ends in the same words.
// Or it is prepared first: the journal is there, and whether it will count is decided by what happens elsewhere, an append to the order ring. No other step is begun
// meanwhile, since its words would take the place of these.
//
// What a killed process leaves is a prefix of its stores: the processor retires them in program order, and its successor runs behind the kernel's word that it is
// gone. So the compiler alone could turn stores around, and in_order() forbids that: it stands between the bytes and the journal, the journal and its count, the
// count and the words, the words and the count's end, and behind that. It is no instruction. To the compiler the successor is what a signal handler is.
// Words are stored whole (std::atomic_ref): half of one is never seen.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "bus/runtime/uplink/window_layout.h"
#include "shm/directory.h"

namespace evs::runtime::uplink::window {

// One prefix of stores per crash (tests/unit/uplink/window_crash_test.cc): the variant of this library that tests link says what it has stored.
#ifdef EVS_WINDOW_TRACE
extern "C" void evs_window_stored(uint64_t at, const void* bytes, size_t count);
#else
inline void evs_window_stored(uint64_t, const void*, size_t) {}
#endif

inline void in_order() { std::atomic_signal_fence(std::memory_order_seq_cst); }

class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory();

  // A file of this name that holds `papers` and nothing else, in place of what is there. It has its name when it is whole.
  static shm::Status build(const shm::Directory& directory, const std::string& name, const Geometry& geometry, uint64_t tag, ordering::Bytes papers,
                           std::unique_ptr<Memory>& out);
  // One that is there, its last step finished, and the tag that it was built with. Nothing and ok: it does not exist, or is from before the last boot.
  static shm::Status open(const shm::Directory& directory, const std::string& name, uint64_t& tag, std::unique_ptr<Memory>& out);

  const Geometry& geometry() const { return geometry_; }
  const std::string& path() const { return path_; }
  shm::Status damaged(const std::string& why) const;

  uint64_t word(uint64_t at) const { return std::atomic_ref(*word_of(at)).load(std::memory_order_relaxed); }
  ordering::Bytes bytes(uint64_t at, size_t count) const { return {base_ + at, count}; }
  // All before it is there before, all behind it behind.
  void put(uint64_t at, uint64_t value) {
    in_order();
    std::atomic_ref(*word_of(at)).store(value, std::memory_order_release);
    in_order();
    evs_window_stored(at, &value, sizeof value);
  }
  void write(uint64_t at, ordering::Bytes bytes);
  void zero(uint64_t at, size_t count);
  // So that touching it cannot fail: a full file system is an error here.
  shm::Status reserve(uint64_t at, uint64_t count);

  void plan(uint64_t at, uint64_t value) { plan_.push_back({at, value}); }
  void forget_plan() { plan_.clear(); }
  // Is there room for so many words more?
  bool has_room(size_t words) const { return plan_.size() + words <= geometry_.journal_room; }
  void commit();
  // The same in two parts: what is prepared counts when it is committed. A successor decides for who was killed between the two.
  void prepare();
  void commit_prepared();
  void forget_prepared();
  shm::Status finish_prepared();

 private:
  struct Word {
    uint64_t at, value;
  };
  uint64_t* word_of(uint64_t at) const { return reinterpret_cast<uint64_t*>(base_ + at); }
  void put_next(uint64_t at, uint64_t value) {  // with no order among their like
    std::atomic_ref(*word_of(at)).store(value, std::memory_order_relaxed);
    evs_window_stored(at, &value, sizeof value);
  }
  shm::Status map();
  shm::Status reserve_for_all();
  void write_journal();
  void take_step();
  void put_words();
  shm::Status finish_journal();
  shm::Status check_prepared() const;
  shm::Status check_journal(uint64_t count) const;

  Geometry geometry_;
  std::string path_;
  int fd_ = -1;
  std::byte* base_ = nullptr;
  std::vector<Word> plan_;
};

}  // namespace evs::runtime::uplink::window
