// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/segment_file.cc - which segment: opening the one where somebody lives, or building one where nobody does
// (docs/shm-layout.md B11). All of it under the bus lock.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "plugins/shm/cursor.h"
#include "plugins/shm/transport.h"
#include "shm/barrier.h"
#include "shm/crash_point.h"
#include "shm/wake.h"

namespace evs::plugin_shm {

using shm::Code;
using shm::SlotState;
using shm::SlotWord;
using shm::Status;

Status Transport::open() {
  if (Status s = directory_.open(parameters_.directory, parameters_.group, true, !parameters_.metrics_group.empty()); !s.ok()) return s;
  if (Status s = locks_.open(directory_, bus_); !s.ok()) return s;
  opener_.bind(directory_.fd(), bus_);
  // Here and not when joining: in a process that has only one thread yet the kernel need not wait for anything, else it takes some ten
  // milliseconds, once.
  reached_ = shm::register_for_barriers();
  return {};
}

Status Transport::open_or_build() {
  const std::string name = bus_ + ".ring";
  const bool inhabited = locks_.inhabited(0, shm::kMaxMembers);
  if (inhabited) {
    const int fd = directory_.open_file(name, O_RDWR);
    if (fd < 0 && errno == ENOENT)
      return Status::fail(Code::corrupt, directory_.file_path(name) + " was removed while processes have the bus open: stop them and start again");
    if (fd < 0) return shm::errno_status(errno, "opening " + directory_.file_path(name));
    Status s = directory_.check_file(fd, name);
    if (s.ok()) s = shm::Segment::open(fd, directory_.file_path(name), segment_);
    if (s.ok() && segment_.geometry().pid_namespace != shm::pid_namespace_id()) {
      segment_ = shm::Segment();
      s = Status::fail(Code::access, directory_.file_path(name) + " belongs to processes of another pid namespace (pid:[" +
                                         std::to_string(shm::Segment::namespace_of(fd)) +
                                         "]): process ids mean nothing across namespaces; start both in one, or use another bus or directory");
    }
    if (!s.ok()) {
      ::close(fd);
      if (s.code == Code::corrupt) s.text += "; processes still have it open: stop them and start again";
      return s;
    }
    segment_fd_ = fd;
  } else {
    // Nobody lives there: what stands there is of no use to anybody, whole or not. Begin with an empty one.
    remove_leftovers();
    if (Status s = build_segment(); !s.ok()) return s;
  }
  segment_.prefault();
  const shm::Geometry& g = segment_.geometry();
  parameters_.shape = {g.capacity, g.message_limit, g.max_members, g.ring_sequence};
  bells_.bind(&segment_, &opener_);
  bells_.measure(parameters_.histograms);
  room_.bind(&segment_, &Transport::on_less_than_half, this);
  return counters_.open(directory_, bus_, g.max_members, parameters_.metrics_group);
}

// A process that rejoins was nobody's neighbour for a while: the others may have left, and new ones built a new segment, or none. Under the bus
// lock.
Status Transport::still_the_bus() {
  struct stat ours, named;
  const std::string name = bus_ + ".ring";
  if (fstat(segment_fd_, &ours) == 0 && fstatat(directory_.fd(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      ours.st_dev == named.st_dev && ours.st_ino == named.st_ino)
    return {};
  return Status::fail(Code::corrupt, directory_.file_path(name) +
                                         " is another one by now: all others left while this process was expelled; finalize its handles and open the bus anew");
}

Status Transport::build_segment() {
  uint64_t boot_count = 0;
  if (Status s = locks_.raise_boot_count(boot_count); !s.ok()) return s;
  parameters_.shape.ring_sequence = boot_count;
  const std::string name = bus_ + ".ring", fresh = bus_ + ".ring.new";
  unlinkat(directory_.fd(), fresh.c_str(), 0);
  const int fd = directory_.open_file(fresh, O_RDWR | O_CREAT | O_EXCL, directory_.file_mode());
  if (fd < 0) return shm::errno_status(errno, "creating " + directory_.file_path(fresh));
  Status s = shm::Segment::build(fd, directory_.file_path(name), parameters_.shape, segment_);
  EVS_CRASH_POINT("build.built");
  // Under its name only when it is whole: nobody ever maps a half-built segment, and who has the old one keeps it.
  if (s.ok() && renameat(directory_.fd(), fresh.c_str(), directory_.fd(), name.c_str()) != 0)
    s = shm::errno_status(errno, "renaming " + directory_.file_path(fresh));
  EVS_CRASH_POINT("build.renamed");
  if (!s.ok()) {
    unlinkat(directory_.fd(), fresh.c_str(), 0);
    ::close(fd);
    segment_ = shm::Segment();
    return s;
  }
  segment_fd_ = fd;
  return {};
}

// What the dead of an earlier segment left in the directory: nothing names it any more. Under the bus lock, with nobody in the bus. A bell
// carries the pid of who made it: that of a process that lives may wait for the lock.
void Transport::remove_leftovers() {
  const int fd = openat(directory_.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const dir = fd < 0 ? nullptr : fdopendir(fd);
  if (dir == nullptr) {
    if (fd >= 0) ::close(fd);
    return;
  }
  const std::string bells = bus_ + ".bell.", groups = bus_ + ".groups.";
  while (const dirent* entry = readdir(dir)) {
    const std::string name = entry->d_name;
    bool stale = false;
    if (name.compare(0, bells.size(), bells) == 0) {
      char* end = nullptr;
      const uint64_t bell = strtoull(name.c_str() + bells.size(), &end, 16);
      const auto pid = static_cast<pid_t>(bell >> 32 & 0x7fffffff);
      stale = name == shm::bell_name(bus_, bell) && kill(pid, 0) != 0 && errno == ESRCH;
    } else if (name.compare(0, groups.size(), groups) == 0) {
      uint32_t slot = 0, generation = 0;
      stale = sscanf(name.c_str() + groups.size(), "%u.%u", &slot, &generation) == 2 &&
              name == shm::group_file_name(bus_, slot, generation);
    }
    if (stale) unlinkat(directory_.fd(), name.c_str(), 0);
  }
  closedir(dir);
}

void Transport::remove_files_if_last() {
  if (locks_.inhabited(0, shm::kMaxMembers)) return;
  remove_leftovers();
  for (uint32_t i = 0; i < segment_.geometry().max_members; ++i) {
    const SlotWord word = slot_word(segment_, i);
    if (word.state == SlotState::free) continue;
    unlinkat(directory_.fd(), shm::group_file_name(bus_, i, word.generation).c_str(), 0);
    const shm::Slot& body = segment_.slot(i);
    unlinkat(directory_.fd(), shm::bell_name(bus_, body.service_bell.load()).c_str(), 0);
    const uint32_t used = std::min(body.cursors_used.load(), shm::kCursors);
    for (uint32_t c = 0; c < used; ++c)
      if (const uint64_t bell = body.cursors[c].bell.load(); bell != 0)
        unlinkat(directory_.fd(), shm::bell_name(bus_, bell).c_str(), 0);
  }
  unlinkat(directory_.fd(), (bus_ + ".counters").c_str(), 0);
  unlinkat(directory_.fd(), (bus_ + ".ring").c_str(), 0);
}

}  // namespace evs::plugin_shm
