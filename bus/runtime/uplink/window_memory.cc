// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_memory.cc - see window_memory.h.
#include "bus/runtime/uplink/window_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "shm/segment.h"

namespace evs::runtime::uplink::window {

using shm::Code;
using shm::Status;

Memory::~Memory() {
  if (base_ != nullptr) munmap(base_, geometry_.file_bytes);
  if (fd_ >= 0) close(fd_);
}

Status Memory::damaged(const std::string& why) const {
  return Status::fail(Code::corrupt, path_ + " is not a usable window of an uplink: " + why +
                                         "; stop the processes of this bus on this host, remove the file, and start them again");
}

Status Memory::map() {
  void* at = mmap(nullptr, geometry_.file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (at == MAP_FAILED) return shm::errno_status(errno, "mapping " + path_);
  base_ = static_cast<std::byte*>(at);
  // A child of fork() must not go on with our window, and a core file need not hold everybody's messages.
  madvise(base_, geometry_.file_bytes, MADV_DONTFORK);
  madvise(base_, geometry_.file_bytes, MADV_DONTDUMP);
  plan_.reserve(geometry_.journal_room);
  return {};
}

Status Memory::reserve(uint64_t at, uint64_t count) {
  int error;
  do error = posix_fallocate(fd_, static_cast<off_t>(at), static_cast<off_t>(count));
  while (error == EINTR);
  if (error == 0) return {};
  Status s = shm::errno_status(error, "reserving " + std::to_string(count) + " bytes for " + path_);
  if (error == ENOSPC) s.text += "; free some shared memory, or set local.directory to a file system that holds more";
  return s;
}

// All but what may stay empty: processes, and slots.
Status Memory::reserve_for_all() { return reserve(0, geometry_.processes_at); }

Status Memory::build(const shm::Directory& directory, const std::string& name, const Geometry& geometry, uint64_t tag, ordering::Bytes papers,
                     std::unique_ptr<Memory>& out) {
  std::string boot;
  if (Status s = shm::boot_id(boot); !s.ok()) return s;
  auto memory = std::make_unique<Memory>();
  const std::string half = name + ".new";  // of one who was killed here as well
  memory->geometry_ = geometry;
  memory->path_ = directory.file_path(name);
  unlinkat(directory.fd(), half.c_str(), 0);
  memory->fd_ = directory.open_file(half, O_RDWR | O_CREAT | O_EXCL, directory.file_mode());
  if (memory->fd_ < 0) return shm::errno_status(errno, "creating " + directory.file_path(half));
  const auto give_up = [&](Status s) {
    unlinkat(directory.fd(), half.c_str(), 0);
    return s;
  };
  if (ftruncate(memory->fd_, static_cast<off_t>(geometry.file_bytes)) != 0) return give_up(shm::errno_status(errno, "sizing " + memory->path_));
  if (Status s = memory->reserve_for_all(); !s.ok()) return give_up(s);
  if (Status s = memory->map(); !s.ok()) return give_up(s);
  const Header header = header_of(geometry, tag, boot);
  memory->write(0, std::as_bytes(std::span(&header, 1)));
  memory->write(geometry.papers_at, papers);
  memory->put(kPapers, papers.size() << 1);
  if (renameat(directory.fd(), half.c_str(), directory.fd(), name.c_str()) != 0) return give_up(shm::errno_status(errno, "naming " + memory->path_));
  out = std::move(memory);
  return {};
}

Status Memory::open(const shm::Directory& directory, const std::string& name, uint64_t& tag, std::unique_ptr<Memory>& out) {
  Header header{};
  auto memory = std::make_unique<Memory>();
  memory->path_ = directory.file_path(name);
  memory->fd_ = directory.open_file(name, O_RDWR);
  if (memory->fd_ < 0 && errno == ENOENT) return {};
  if (memory->fd_ < 0) return shm::errno_status(errno, "opening " + memory->path_);
  if (Status s = directory.check_file(memory->fd_, name); !s.ok()) return s;
  struct stat st {};
  if (fstat(memory->fd_, &st) != 0) return shm::errno_status(errno, "fstat of " + memory->path_);
  // Through read() first: of a file that was cut off the mapping would tell with SIGBUS.
  if (pread(memory->fd_, static_cast<void*>(&header), sizeof header, 0) != static_cast<ssize_t>(sizeof header))
    return memory->damaged("it is shorter than its header");
  if (header.magic != kMagic) return memory->damaged("its magic number is wrong");
  if (header.version != kVersion)
    return Status::fail(Code::version, memory->path_ + " has version " + std::to_string(header.version) + ", this library has " + std::to_string(kVersion) +
                                           ": stop the processes that use the other version, then remove the file, or use another bus name");
  if (header.checksum != checksum_of(header)) return memory->damaged("its header is damaged");
  std::string boot;
  if (Status s = shm::boot_id(boot); !s.ok()) return s;
  header.boot_id[sizeof header.boot_id - 1] = 0;
  if (boot != header.boot_id) return {};
  const Shape shape{header.store_frames, header.frame_bytes, header.message_limit, header.processes_limit};
  if (!check(shape).empty()) return memory->damaged("its geometry is impossible");
  const Geometry& g = memory->geometry_ = Geometry::of(shape);
  if (header.slot_bytes != g.slot_bytes || header.slot_count != g.slot_count || header.file_bytes != g.file_bytes)
    return memory->damaged("its geometry does not add up");
  if (static_cast<uint64_t>(st.st_size) != g.file_bytes)
    return memory->damaged("it has " + std::to_string(st.st_size) + " bytes and should have " + std::to_string(g.file_bytes));
  if (Status s = memory->reserve_for_all(); !s.ok()) return s;
  if (Status s = memory->map(); !s.ok()) return s;
  if (Status s = memory->finish_journal(); !s.ok()) return s;
  if (Status s = memory->check_prepared(); !s.ok()) return s;
  tag = header.tag;
  out = std::move(memory);
  return {};
}

void Memory::write(uint64_t at, ordering::Bytes bytes) {
  if (bytes.empty()) return;
  std::memcpy(base_ + at, bytes.data(), bytes.size());
  evs_window_stored(at, bytes.data(), bytes.size());
}

void Memory::zero(uint64_t at, size_t count) {
  std::memset(base_ + at, 0, count);
  evs_window_stored(at, base_ + at, count);
}

void Memory::commit() {
  if (plan_.empty()) return;
  if (plan_.size() == 1) {  // is a step by itself
    put(plan_[0].at, plan_[0].value);
    return plan_.clear();
  }
  write_journal();
  take_step();
}

void Memory::write_journal() {
  uint64_t entry = kJournalEntries;
  for (const Word& word : plan_) {
    put_next(entry, word.at);
    put_next(entry + 8, word.value);
    entry += 16;
  }
}

void Memory::take_step() {
  put(kJournal, plan_.size());  // here the step is taken
  put_words();
}

void Memory::put_words() {
  for (const Word& word : plan_) put_next(word.at, word.value);
  put(kJournal, 0);
  plan_.clear();
}

void Memory::prepare() {
  write_journal();
  put(kClaimed, 0);
  put(kPrepared, plan_.size() + 1);  // a step of no words is one, too
}

// The journal counts before it is no longer prepared: in between it is both, and counts.
void Memory::commit_prepared() {
  if (plan_.empty()) return put(kPrepared, 0);
  put(kJournal, plan_.size());  // here the step is taken
  put(kPrepared, 0);
  put_words();
}

void Memory::forget_prepared() { put(kPrepared, 0); }

Status Memory::finish_prepared() {
  const uint64_t prepared = word(kPrepared);
  if (prepared < 2) return forget_prepared(), Status{};
  if (Status s = check_journal(prepared - 1); !s.ok()) return s;
  put(kJournal, prepared - 1);
  return finish_journal();
}

Status Memory::check_prepared() const {
  const uint64_t prepared = word(kPrepared);
  return prepared < 2 ? Status{} : check_journal(prepared - 1);
}

Status Memory::check_journal(uint64_t count) const {
  if (count > geometry_.journal_room) return damaged("its journal is longer than there is room for");
  for (uint64_t i = 0; i < count; ++i)
    if (!geometry_.is_changed_by_steps(word(kJournalEntries + 16 * i))) return damaged("its journal names a place that no step changes");
  return {};
}

// All of it is looked at before any of it is done. It is no longer prepared before it counts no more: the other way round it would be asked about again.
Status Memory::finish_journal() {
  const uint64_t count = word(kJournal);
  if (count == 0) return {};
  if (Status s = check_journal(count); !s.ok()) return s;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = word(kJournalEntries + 16 * i);  // read anew: who writes here meanwhile leads us nowhere else
    if (geometry_.is_changed_by_steps(at)) put_next(at, word(kJournalEntries + 16 * i + 8));
  }
  put(kPrepared, 0);
  put(kJournal, 0);
  return {};
}

}  // namespace evs::runtime::uplink::window
