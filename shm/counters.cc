// SPDX-License-Identifier: BSD-3-Clause
// shm/counters.cc - the counter file.
#include "shm/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/file_mapping.hpp>

#include <memory>

namespace evs::shm {

namespace bip = boost::interprocess;

namespace {
constexpr uint64_t kCounterMagic = 0x0031746e63737665ull;  // "evscnt1\0"
constexpr uint64_t kBlocksAt = kPage;
constexpr uint32_t kVersion = 3;

// Names a life in a slot, so that it is folded once. Not by the generation alone: these begin anew with each segment, and the file outlives a
// segment whose processes were all killed.
uint32_t life_mark(uint32_t generation, int32_t pid, uint64_t start_time) {
  uint64_t mixed = 0xcbf29ce484222325ull;
  for (const uint64_t part : {uint64_t{generation}, static_cast<uint64_t>(pid), start_time}) mixed = (mixed ^ part) * 0x9e3779b97f4a7c15ull, mixed ^= mixed >> 32;
  return static_cast<uint32_t>(mixed) | 1;  // 0: nobody was folded yet
}

uint32_t life_mark(const CounterBlock& block) {
  return life_mark(block.generation.load(std::memory_order_relaxed), block.pid.load(std::memory_order_relaxed), block.start_time.load(std::memory_order_relaxed));
}

bool read_at(int fd, void* into, size_t size, uint64_t at) {
  return pread(fd, into, size, static_cast<off_t>(at)) == static_cast<ssize_t>(size);
}
}  // namespace

struct CounterFile::Header {
  std::atomic<uint64_t> magic;
  uint32_t version;
  uint32_t blocks;
  std::atomic<uint64_t> departed_index;  // which copy is valid
};

// Followed by the mark of the life folded last, a slot.
struct CounterFile::DepartedHead {
  uint64_t value[kCounterRoom];
};

uint64_t CounterFile::departed_bytes(uint32_t blocks) {
  return (sizeof(DepartedHead) + blocks * sizeof(uint32_t) + kLine - 1) / kLine * kLine;
}
uint64_t CounterFile::file_bytes(uint32_t blocks) {
  return kBlocksAt + blocks * sizeof(CounterBlock) + 2 * departed_bytes(blocks);
}
CounterFile::Header& CounterFile::header() const { return *static_cast<Header*>(region_.get_address()); }
CounterBlock& CounterFile::block(uint32_t slot) const {
  return reinterpret_cast<CounterBlock*>(static_cast<char*>(region_.get_address()) + kBlocksAt)[slot];
}
CounterFile::DepartedHead& CounterFile::departed_copy(uint64_t which) const {
  return *reinterpret_cast<DepartedHead*>(static_cast<char*>(region_.get_address()) + kBlocksAt +
                                          blocks_ * sizeof(CounterBlock) + (which & 1) * departed_bytes(blocks_));
}

Status CounterFile::open(const Directory& directory, const std::string& bus, uint32_t max_members,
                         const std::string& metrics_group) {
  const std::string name = bus + ".counters";
  for (int attempt = 0; attempt < 2; ++attempt) {
    int fd = directory.open_file(name, O_RDWR | O_CREAT | O_EXCL, directory.file_mode() == 0600 ? 0640 : 0660);
    const bool made = fd >= 0;
    if (!made && errno == EEXIST) fd = directory.open_file(name, O_RDWR);
    if (fd < 0) return errno_status(errno, "opening " + directory.file_path(name));
    Status s = directory.check_file(fd, name);
    const uint64_t bytes = file_bytes(max_members);
    if (s.ok() && made) {
      if (!metrics_group.empty()) {
        gid_t gid = 0;
        s = find_group(metrics_group, "metrics.group", gid);
        if (s.ok() && fchown(fd, static_cast<uid_t>(-1), gid) != 0)
          s = errno_status(errno, "giving " + directory.file_path(name) + " to group " + metrics_group);
      }
      const int error = s.ok() ? posix_fallocate(fd, 0, static_cast<off_t>(bytes)) : 0;
      if (error != 0) s = errno_status(error, "reserving " + directory.file_path(name));
      if (!s.ok()) unlinkat(directory.fd(), name.c_str(), 0);
    }
    struct stat st {};
    if (s.ok() && fstat(fd, &st) != 0) s = errno_status(errno, "fstat of " + directory.file_path(name));
    if (s.ok() && static_cast<uint64_t>(st.st_size) == bytes) {
      try {
        bip::file_mapping file(("/proc/self/fd/" + std::to_string(fd)).c_str(), bip::read_write);
        region_ = bip::mapped_region(file, bip::read_write);
      } catch (const bip::interprocess_exception& e) {
        s = errno_status(e.get_native_error() ? e.get_native_error() : ENOMEM, "mapping " + directory.file_path(name));
      }
    }
    close(fd);
    if (!s.ok()) return s;
    if (mapped()) {
      madvise(region_.get_address(), region_.get_size(), MADV_DONTFORK);
      blocks_ = max_members;
      Header& h = header();
      if (made) {
        h.version = kVersion;
        h.blocks = max_members;
        h.magic.store(kCounterMagic, std::memory_order_release);
      }
      if (h.magic.load() == kCounterMagic && h.version == kVersion && h.blocks == max_members) return {};
      region_ = bip::mapped_region();
    }
    // Another layout, or damaged: begin anew. Under the bus lock, and the segment's slots say who lives.
    unlinkat(directory.fd(), name.c_str(), 0);
  }
  return Status::fail(Code::corrupt, directory.file_path(name) + " is damaged and could not be replaced: remove it");
}

Status CounterFile::open_read_only(const Directory& directory, const std::string& bus) {
  const std::string name = bus + ".counters";
  const int fd = directory.open_file(name, O_RDONLY);
  if (fd < 0) return errno_status(errno, "opening " + directory.file_path(name));
  struct stat st {};
  Status s;
  if (fstat(fd, &st) != 0 || static_cast<uint64_t>(st.st_size) < kBlocksAt) {
    s = Status::fail(Code::corrupt, directory.file_path(name) + " is too short");
  } else {
    try {
      bip::file_mapping file(("/proc/self/fd/" + std::to_string(fd)).c_str(), bip::read_only);
      region_ = bip::mapped_region(file, bip::read_only);
      const Header& h = header();
      blocks_ = h.blocks;
      if (h.magic.load() != kCounterMagic || h.version != kVersion || blocks_ > kMaxMembers ||
          file_bytes(blocks_) != static_cast<uint64_t>(st.st_size))
        s = Status::fail(Code::corrupt, directory.file_path(name) + " is not a counter file of this version");
    } catch (const bip::interprocess_exception& e) {
      s = errno_status(e.get_native_error() ? e.get_native_error() : ENOMEM, "mapping " + directory.file_path(name));
    }
  }
  close(fd);
  if (!s.ok()) region_ = bip::mapped_region();
  return s;
}

uint64_t CounterFile::departed(Counter counter) const {
  return departed_copy(header().departed_index.load(std::memory_order_acquire)).value[static_cast<uint32_t>(counter)];
}

uint64_t CounterFile::total(Counter counter) const {
  uint64_t sum = departed(counter);
  for (uint32_t i = 0; i < blocks_; ++i)
    sum += block(i).value[static_cast<uint32_t>(counter)].load(std::memory_order_relaxed);
  return sum;
}

uint64_t CounterReading::total(uint32_t word) const {
  uint64_t sum = departed.value[word];
  for (const CounterLife& life : lives) sum += life.values.value[word];
  return sum;
}

// A life may be folded while its block is read: then the index has changed, and all is read again. A block whose life is folded and that is not
// cleared yet is left out.
Status CounterFile::read(int fd, const std::string& path, CounterReading& out) {
  constexpr int kTries = 64;  // a fold takes microseconds, and comes with a process that joins
  struct {
    uint64_t magic;
    uint32_t version, blocks;
    uint64_t departed_index;
  } head{}, again{};
  static_assert(sizeof head == sizeof(Header));
  struct stat st {};
  const auto refusal = [&] { return Status::fail(Code::corrupt, path + " is not a counter file of this version"); };
  if (fstat(fd, &st) != 0) return errno_status(errno, "fstat of " + path);
  if (!read_at(fd, &head, sizeof head, 0) || head.magic != kCounterMagic || head.version != kVersion || head.blocks > kMaxMembers ||
      file_bytes(head.blocks) != static_cast<uint64_t>(st.st_size))
    return refusal();
  std::vector<char> departed(departed_bytes(head.blocks));
  const auto blocks = std::make_unique<CounterBlock[]>(head.blocks);
  const uint64_t bytes = head.blocks * sizeof(CounterBlock);
  for (int tries = 0; tries < kTries; ++tries, head = again) {
    if (!read_at(fd, departed.data(), departed.size(), kBlocksAt + bytes + (head.departed_index & 1) * departed.size()) ||
        !read_at(fd, static_cast<void*>(blocks.get()), bytes, kBlocksAt) || !read_at(fd, &again, sizeof again, 0) || again.blocks != head.blocks)
      return refusal();
    if (again.departed_index != head.departed_index) continue;
    out = {};
    memcpy(out.departed.value, departed.data(), sizeof out.departed.value);
    for (uint32_t i = 0; i < head.blocks; ++i) {
      const CounterBlock& from = blocks[i];
      uint32_t folded;
      memcpy(&folded, departed.data() + sizeof(DepartedHead) + i * sizeof folded, sizeof folded);
      if (from.pid == 0 || folded == life_mark(from)) continue;
      CounterLife life{from.pid, from.start_time, from.heartbeat_ns, {}};
      for (uint32_t v = 0; v < kCounterRoom; ++v) life.values.value[v] = from.value[v].load(std::memory_order_relaxed);
      out.lives.push_back(life);
    }
    return {};
  }
  return Status::fail(Code::again, path + " changes all the time");
}

void CounterFile::take(uint32_t slot, uint32_t generation, int32_t pid, uint64_t start_time) {
  CounterBlock& b = block(slot);
  const uint64_t index = header().departed_index.load(std::memory_order_relaxed);
  const DepartedHead& now = departed_copy(index);
  DepartedHead& next = departed_copy(index + 1);
  memcpy(static_cast<void*>(&next), static_cast<const void*>(&now), departed_bytes(blocks_));
  auto* folded = reinterpret_cast<uint32_t*>(&next + 1);
  const uint32_t last = life_mark(b);
  if (folded[slot] != last) {
    for (uint32_t i = 0; i < kCounterRoom; ++i) next.value[i] += b.value[i].load(std::memory_order_relaxed);
    folded[slot] = last;
    header().departed_index.store(index + 1, std::memory_order_release);
  }
  // Killed here: the next taker finds the life folded, and only clears.
  for (auto& v : b.value) v.store(0, std::memory_order_relaxed);
  b.heartbeat_ns.store(0, std::memory_order_relaxed);
  b.pid.store(pid, std::memory_order_relaxed);
  b.start_time.store(start_time, std::memory_order_relaxed);
  b.generation.store(generation, std::memory_order_release);
}

}  // namespace evs::shm
