// SPDX-License-Identifier: BSD-3-Clause
// shm/group_file.cc - the groups of a member, in a file of its own that only grows.
#include "shm/group_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace evs::shm {

namespace {

// Entry 0 is the header: its key holds the magic, its join_position the number of entries in use, header included.
constexpr char kGroupMagic[kGroupBytes] = "evs groups 1";
constexpr uint64_t kChunkEntries = 4096;
constexpr uint64_t kFirstChunkEntries = 64;

uint64_t chunk_entries(size_t index) { return index == 0 ? kFirstChunkEntries : kChunkEntries; }
uint64_t chunk_start(size_t index) { return index == 0 ? 0 : kFirstChunkEntries + (index - 1) * kChunkEntries; }

GroupEntry* map_entries(int fd, uint64_t first, uint64_t count, bool writable) {
  void* p = mmap(nullptr, count * sizeof(GroupEntry), writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd,
                 static_cast<off_t>(first * sizeof(GroupEntry)));
  if (p == MAP_FAILED) return nullptr;
  if (writable) madvise(p, count * sizeof(GroupEntry), MADV_DONTFORK);
  return static_cast<GroupEntry*>(p);
}

// A read-only look at a member's file, for the length of one question.
class Look {
 public:
  Look(const Directory& directory, const std::string& name) {
    const int fd = directory.open_file(name, O_RDONLY);
    if (fd < 0) return;
    struct stat st {};
    if (fstat(fd, &st) == 0 && st.st_size >= static_cast<off_t>(sizeof(GroupEntry))) {
      room_ = static_cast<uint64_t>(st.st_size) / sizeof(GroupEntry);
      entries_ = map_entries(fd, 0, room_, false);
    }
    close(fd);
    if (entries_ == nullptr || memcmp(entries_[0].key, kGroupMagic, kGroupBytes) != 0) return;
    count_ = std::min(entries_[0].join_position.load(std::memory_order_acquire), room_);
  }
  ~Look() {
    if (entries_ != nullptr) munmap(entries_, room_ * sizeof(GroupEntry));
  }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;

  bool valid() const { return count_ != 0; }
  uint64_t count() const { return count_; }
  const GroupEntry& operator[](uint64_t i) const { return entries_[i]; }

 private:
  GroupEntry* entries_ = nullptr;
  uint64_t room_ = 0;
  uint64_t count_ = 0;
};

}  // namespace

std::string group_file_name(const std::string& bus, uint32_t slot, uint32_t generation) {
  return bus + ".groups." + std::to_string(slot) + "." + std::to_string(generation);
}

OwnGroups::~OwnGroups() { close_all(); }

void OwnGroups::close_in_child() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void OwnGroups::close_all() {
  for (size_t i = 0; i < chunks_.size(); ++i) munmap(chunks_[i].first, chunks_[i].second * sizeof(GroupEntry));
  chunks_.clear();
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  used_ = 0;
  retracted_.clear();
  left_.clear();
}

Status OwnGroups::create(const Directory& directory, const std::string& bus, uint32_t slot, uint32_t generation) {
  const std::lock_guard lock(mutex_);
  name_ = group_file_name(bus, slot, generation);
  unlinkat(directory.fd(), name_.c_str(), 0);
  fd_ = directory.open_file(name_, O_RDWR | O_CREAT | O_EXCL, directory.file_mode());
  if (fd_ < 0) return errno_status(errno, "creating " + directory.file_path(name_));
  if (Status s = grow(); !s.ok()) return s;
  memcpy(chunks_[0].first[0].key, kGroupMagic, kGroupBytes);
  used_ = 1;
  chunks_[0].first[0].join_position.store(used_, std::memory_order_release);
  return {};
}

void OwnGroups::close_and_remove(const Directory& directory) {
  const std::lock_guard lock(mutex_);
  if (!name_.empty()) unlinkat(directory.fd(), name_.c_str(), 0);
  name_.clear();
  close_all();
}

Status OwnGroups::grow() {
  const uint64_t first = chunk_start(chunks_.size()), count = chunk_entries(chunks_.size());
  int error;
  do error = posix_fallocate(fd_, static_cast<off_t>(first * sizeof(GroupEntry)), static_cast<off_t>(count * sizeof(GroupEntry)));
  while (error == EINTR);
  if (error != 0) return errno_status(error, "growing " + name_);
  GroupEntry* entries = map_entries(fd_, first, count, true);
  if (entries == nullptr) return errno_status(errno, "mapping " + name_);
  chunks_.emplace_back(entries, count);
  return {};
}

GroupEntry* OwnGroups::entry(uint64_t token) {
  const size_t chunk = token < kFirstChunkEntries ? 0 : 1 + (token - kFirstChunkEntries) / kChunkEntries;
  return chunk < chunks_.size() ? &chunks_[chunk].first[token - chunk_start(chunk)] : nullptr;
}

Status OwnGroups::announce(const void* key, uint64_t oldest_needed, uint64_t& token) {
  const std::lock_guard lock(mutex_);
  if (fd_ < 0) return Status::fail(Code::closed, "the groups file is closed");
  uint64_t at = 0;
  if (!retracted_.empty()) {
    at = retracted_.back();
    retracted_.pop_back();
  } else {
    // An entry that was left before everything that anybody may still ask about can serve again: joining and leaving
    // for ever needs no more room than the groups that are joined.
    if (!left_.empty() && left_.front().second < oldest_needed) {
      at = left_.front().first;
      left_.pop_front();
    }
  }
  if (at == 0) {
    if (entry(used_) == nullptr)
      if (Status s = grow(); !s.ok()) return s;
    at = used_;
  }
  GroupEntry& e = *entry(at);
  e.join_position.store(0, std::memory_order_release);
  e.leave_position.store(0, std::memory_order_relaxed);
  memcpy(e.key, key, kGroupBytes);
  if (at == used_) chunks_[0].first[0].join_position.store(++used_, std::memory_order_release);
  token = at;
  return {};
}

void OwnGroups::stamp_join(uint64_t token, uint64_t position) {
  const std::lock_guard lock(mutex_);
  if (GroupEntry* e = entry(token)) e->join_position.store(position, std::memory_order_release);
}

void OwnGroups::stamp_leave(uint64_t token, uint64_t position) {
  const std::lock_guard lock(mutex_);
  if (GroupEntry* e = entry(token)) {
    e->leave_position.store(position, std::memory_order_release);
    left_.emplace_back(token, position);
  }
}

void OwnGroups::retract(uint64_t token) {
  const std::lock_guard lock(mutex_);
  if (GroupEntry* e = entry(token)) {
    e->join_position.store(0, std::memory_order_release);
    retracted_.push_back(token);
  }
}

bool joined_at(const Directory& directory, const std::string& bus, uint32_t slot, uint32_t generation, const void* key,
               uint64_t position) {
  const Look file(directory, group_file_name(bus, slot, generation));
  for (uint64_t i = 1; file.valid() && i < file.count(); ++i) {
    const GroupEntry& e = file[i];
    const uint64_t joined = e.join_position.load(std::memory_order_acquire);
    if (joined == 0 || joined > position || memcmp(e.key, key, kGroupBytes) != 0) continue;
    const uint64_t left = e.leave_position.load(std::memory_order_acquire);
    if (left == 0 || left > position) return true;
  }
  return false;
}

std::vector<std::string> groups_of(const Directory& directory, const std::string& bus, uint32_t slot, uint32_t generation) {
  std::vector<std::string> groups;
  const Look file(directory, group_file_name(bus, slot, generation));
  for (uint64_t i = 1; file.valid() && i < file.count(); ++i) {
    const GroupEntry& e = file[i];
    if (e.join_position.load(std::memory_order_acquire) == 0 || e.leave_position.load(std::memory_order_acquire) != 0) continue;
    groups.emplace_back(reinterpret_cast<const char*>(e.key), kGroupBytes);
  }
  return groups;
}

}  // namespace evs::shm
