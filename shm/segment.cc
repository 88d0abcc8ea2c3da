// SPDX-License-Identifier: BSD-3-Clause
// shm/segment.cc - building, checking and mapping a segment.
#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/file_mapping.hpp>
#include <algorithm>
#include <cstdio>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace evs::shm {

namespace {

namespace bip = boost::interprocess;

uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

// FNV-1a over the header behind its magic: tells damage, not malice.
uint64_t header_checksum(const SegmentHeader& header) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  uint64_t sum = 0xcbf29ce484222325ull;
  for (size_t i = offsetof(SegmentHeader, layout_version); i < offsetof(SegmentHeader, checksum); ++i)
    sum = (sum ^ bytes[i]) * 0x100000001b3ull;
  return sum;
}

std::string number(uint64_t n) { return std::to_string(n); }

Status allocate(int fd, uint64_t offset, uint64_t bytes, const std::string& what) {
  int error;
  do error = posix_fallocate(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  while (error == EINTR);
  if (error == 0) return {};
  Status s = errno_status(error, "reserving " + number(bytes) + " bytes for " + what);
  if (error == ENOSPC)
    s.text += "; free some shared memory, or set local.ring_size or local.directory to what the file system holds";
  return s;
}

}  // namespace

Status errno_status(int error, const std::string& doing) {
  Code code = Code::internal;
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS: code = Code::access; break;
    case ENOSPC:
    case EDQUOT: code = Code::no_space; break;
    case EMFILE:
    case ENFILE: code = Code::no_resources; break;
    case ENOMEM: code = Code::no_memory; break;
    default: break;
  }
  char buffer[128];
  return Status::fail(code, doing + ": " + strerror_r(error, buffer, sizeof buffer));
}

Status boot_id(std::string& out) {
  constexpr char kPath[] = "/proc/sys/kernel/random/boot_id";
  char text[40] = {};
  // Without it no segment is built or judged: to a process short of descriptors each would seem to be from before the last boot.
  const int fd = ::open(kPath, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno_status(errno, std::string("opening ") + kPath);
  const ssize_t got = read(fd, text, sizeof text - 1);
  const int error = got < 0 ? errno : EIO;
  close(fd);
  if (got <= 0) return errno_status(error, std::string("reading ") + kPath);
  text[strcspn(text, "\n")] = 0;
  out = text;
  return {};
}

uint64_t pid_namespace_id() {
  struct stat st {};
  return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

Geometry Geometry::of(const SegmentShape& shape) {
  Geometry g;
  g.capacity = shape.ring_capacity;
  g.mask = shape.ring_capacity - 1;
  g.unit_mask = g.mask & kPositionMask;
  g.message_limit = shape.message_limit;
  g.max_members = shape.max_members;
  g.slot_word_count = (shape.max_members + 63) / 64;
  g.ring_sequence = shape.ring_sequence;
  g.view_bytes = sizeof(ViewCopy) + uint64_t{shape.max_members} * sizeof(MemberEntry);
  g.slot_bytes = round_up(sizeof(Slot) + 2 * g.view_bytes, kPage);
  g.ring_at = kMembersAt + g.max_members * g.slot_bytes;
  g.file_bytes = g.ring_at + g.capacity;
  const uint64_t membership = membership_bytes(g.max_members, g.max_members);
  g.largest_record = std::max(record_bytes(kMaxGroups, g.message_limit), membership);
  g.reserve = 4 * membership;
  return g;
}

Status check_shape(const SegmentShape& shape) {
  if (shape.ring_capacity < kMinCapacity || shape.ring_capacity > kMaxCapacity ||
      (shape.ring_capacity & (shape.ring_capacity - 1)) != 0)
    return Status::fail(Code::bad_parameter, "ring_size " + number(shape.ring_capacity) +
                                                 " bytes: it must be a power of two from 512KiB to 1GiB");
  if (shape.max_members < 2 || shape.max_members > kMaxMembers)
    return Status::fail(Code::bad_parameter,
                        "max_processes " + number(shape.max_members) + ": it must be from 2 to 1024");
  const Geometry g = Geometry::of(shape);
  // Rule A4: a record that does not fit before the end of the buffer takes the rest of the lap with it.
  if (2 * g.largest_record + g.reserve > g.capacity)
    return Status::fail(Code::bad_parameter,
                        "a ring of " + number(g.capacity) + " bytes is too small for message_limit " +
                            number(g.message_limit) + " and max_processes " + number(g.max_members) +
                            ": it needs " + number(2 * g.largest_record + g.reserve) +
                            " bytes; raise ring_size or lower the limits");
  return {};
}

Status Segment::map(const std::string& path, int fd, bool read_only) {
  // By descriptor, not by path: what was checked is what is mapped.
  try {
    const auto mode = read_only ? bip::read_only : bip::read_write;
    bip::file_mapping file(("/proc/self/fd/" + std::to_string(fd)).c_str(), mode);
    region_ = bip::mapped_region(file, mode);
  } catch (const bip::interprocess_exception& e) {
    return errno_status(e.get_native_error() ? e.get_native_error() : ENOMEM, "mapping " + path);
  }
  base_ = static_cast<unsigned char*>(region_.get_address());
  // A child of fork() must not write under our slot, and a core file need not hold everybody's messages.
  madvise(base_, region_.get_size(), MADV_DONTFORK);
  madvise(base_, region_.get_size(), MADV_DONTDUMP);
  return {};
}

Status Segment::build(int fd, const std::string& path, const SegmentShape& shape, Segment& out) {
  if (Status s = check_shape(shape); !s.ok()) return s;
  std::string boot;
  if (Status s = boot_id(boot); !s.ok()) return s;
  Geometry g = Geometry::of(shape);
  if (ftruncate(fd, static_cast<off_t>(g.file_bytes)) != 0) return errno_status(errno, "sizing " + path);
  if (Status s = allocate(fd, 0, kMembersAt, path); !s.ok()) return s;
  if (Status s = allocate(fd, g.ring_at, g.capacity, path); !s.ok()) return s;
  Segment segment;
  if (Status s = segment.map(path, fd, false); !s.ok()) return s;

  auto& h = *reinterpret_cast<SegmentHeader*>(segment.base_);
  do {
    if (getrandom(&g.secret, sizeof g.secret, 0) != sizeof g.secret) return errno_status(errno, "getrandom");
  } while (g.secret == 0);
  g.pid_namespace = pid_namespace_id();
  h.layout_version = kLayoutVersion;
  h.header_bytes = sizeof(SegmentHeader);
  h.file_bytes = g.file_bytes;
  h.ring_capacity = g.capacity;
  h.ring_at = g.ring_at;
  h.members_at = kMembersAt;
  h.slot_bytes = g.slot_bytes;
  h.message_limit = g.message_limit;
  h.max_members = g.max_members;
  h.owner_uid = geteuid();
  h.secret = g.secret;
  h.ring_sequence = g.ring_sequence;
  h.pid_namespace = g.pid_namespace;
  snprintf(h.boot_id, sizeof h.boot_id, "%s", boot.c_str());
  h.checksum = header_checksum(h);
  segment.geometry_ = g;
  segment.ring_ = segment.base_ + g.ring_at;
  // Position 0 is never used: a commit word's position is never zero, and a cursor's cell tells parked from "at 0".
  segment.hot().tail.store(g.capacity, std::memory_order_relaxed);
  segment.hot().covered.store(g.capacity, std::memory_order_relaxed);
  h.magic.store(kSegmentMagic, std::memory_order_release);
  out = std::move(segment);
  return {};
}

Status Segment::open(int fd, const std::string& path, Segment& out, bool read_only) {
  struct stat st {};
  if (fstat(fd, &st) != 0) return errno_status(errno, "fstat of " + path);
  const auto broken = [&](const std::string& why) {
    return Status::fail(Code::corrupt, path + " is not a usable evs segment: " + why);
  };
  if (static_cast<uint64_t>(st.st_size) < kMembersAt)
    return broken("it has " + number(static_cast<uint64_t>(st.st_size)) + " bytes, less than its header");

  // Through read() first: a hole or a truncated file answers here, where the mapping would answer with SIGBUS.
  SegmentHeader h{};
  if (pread(fd, static_cast<void*>(&h), sizeof h, 0) != static_cast<ssize_t>(sizeof h))
    return errno_status(errno ? errno : EIO, "reading " + path);
  if (h.magic.load() != kSegmentMagic) return broken("its magic number is wrong");
  if (h.layout_version != kLayoutVersion)
    return Status::fail(Code::version, path + " has layout version " + number(h.layout_version) + ", this library has " +
                                           number(kLayoutVersion) +
                                           ": stop the processes that use the other version, or use another bus name");
  if (h.checksum != header_checksum(h)) return broken("its header is damaged");
  h.boot_id[sizeof h.boot_id - 1] = 0;
  std::string boot;
  if (Status s = boot_id(boot); !s.ok()) return s;
  if (boot != h.boot_id) return broken("it is from before the last boot");

  SegmentShape shape{h.ring_capacity, h.message_limit, h.max_members, h.ring_sequence};
  if (Status s = check_shape(shape); !s.ok()) return broken(s.text);
  Geometry g = Geometry::of(shape);
  if (h.file_bytes != g.file_bytes || h.ring_at != g.ring_at || h.slot_bytes != g.slot_bytes)
    return broken("its geometry does not add up");
  if (static_cast<uint64_t>(st.st_size) != g.file_bytes)
    return broken("it has " + number(static_cast<uint64_t>(st.st_size)) + " bytes and should have " +
                  number(g.file_bytes));
  g.secret = h.secret;
  g.pid_namespace = h.pid_namespace;
  // Sparse where it must not be (a copy, a restored backup): memory that may not exist when it is touched.
  if (!read_only) {
    if (Status s = allocate(fd, 0, kMembersAt, path); !s.ok()) return s;
    if (Status s = allocate(fd, g.ring_at, g.capacity, path); !s.ok()) return s;
  }
  Segment segment;
  if (Status s = segment.map(path, fd, read_only); !s.ok()) return s;
  segment.geometry_ = g;
  segment.ring_ = segment.base_ + g.ring_at;
  out = std::move(segment);
  return {};
}

Status Segment::reserve_slot(int fd, uint32_t slot) const {
  return allocate(fd, kMembersAt + slot * geometry_.slot_bytes, geometry_.slot_bytes, "a member's slot");
}

uint64_t Segment::namespace_of(int fd) {
  SegmentHeader h{};
  return pread(fd, static_cast<void*>(&h), sizeof h, 0) == static_cast<ssize_t>(sizeof h) ? h.pid_namespace : 0;
}

void Segment::prefault() {
  if (madvise(ring_, geometry_.capacity, MADV_POPULATE_WRITE) == 0) return;
  // Before Linux 5.14: read a byte a page. The pages exist already, this only maps them.
  for (uint64_t i = 0; i < geometry_.capacity; i += kPage)
    static_cast<void>(*static_cast<volatile unsigned char*>(ring_ + i));
}

}  // namespace evs::shm
