// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/fork_mark.h - a word that is there in the process that made it, and not in its children.
//
// The child of a fork() has a copy of everything, the counter that is the nonce included; two packets under one nonce would give both away, and the key
// that makes tags with them. The kernel empties this page for children (MADV_WIPEONFORK), so a look at it costs no system call and cannot be deceived by a
// process id that was used again.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace evs::runtime::sealing {

class ForkMark {
 public:
  ForkMark() {
    bytes_ = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    void* page = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    page_ = static_cast<volatile uint64_t*>(page);
    if (::madvise(page, bytes_, MADV_WIPEONFORK) == 0) *page_ = kHere;
  }
  ~ForkMark() {
    if (page_ != nullptr) ::munmap(const_cast<uint64_t*>(page_), bytes_);
  }
  ForkMark(const ForkMark&) = delete;
  ForkMark& operator=(const ForkMark&) = delete;

  bool is_set() const { return page_ != nullptr && *page_ == kHere; }

 private:
  static constexpr uint64_t kHere = 0x6576732068657265;
  volatile uint64_t* page_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace evs::runtime::sealing
