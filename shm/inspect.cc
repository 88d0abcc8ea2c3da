// SPDX-License-Identifier: BSD-3-Clause
// shm/inspect.cc - reads a segment without being a member.
#include "shm/inspect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "shm/death.h"
#include "shm/clock.h"
#include "shm/directory.h"
#include "shm/group_file.h"
#include "shm/lock_file.h"
#include "shm/role.h"
#include "shm/room.h"
#include "shm/view.h"

namespace evs::shm {

namespace {

MemberSnapshot look_at(const Segment& segment, uint32_t i, SlotWord word, uint64_t tail, uint64_t now) {
  const Slot& s = segment.slot(i);
  MemberSnapshot m;
  m.slot = i;
  m.nodeid = i + 1;
  m.generation = word.generation;
  m.state = word.state;
  m.pid = s.pid.load(std::memory_order_relaxed);
  char command[17] = {};
  const uint64_t words[2] = {s.command[0].load(std::memory_order_relaxed), s.command[1].load(std::memory_order_relaxed)};
  memcpy(command, words, 16);
  m.command = command;
  m.process_state = process_state(m.pid);
  const uint64_t stopped = s.stopped_since_ns.load(std::memory_order_relaxed);
  if (stopped != 0 && stopped < now) m.stopped_ns = now - stopped;
  const uint64_t beat = s.heartbeat_ns.load(std::memory_order_relaxed);
  if (beat != 0 && beat < now) m.heartbeat_age_ns = now - beat;
  for (const Cell& cell : s.cells) {
    m.appended_records += cell.appended_records();
    m.appended_bytes += cell.appended_bytes.load(std::memory_order_relaxed);
    m.in_claim |= cell.intent.load(std::memory_order_relaxed) != 0;
  }
  const uint32_t used = std::min(s.cursors_used.load(std::memory_order_acquire), kCursors);
  for (uint32_t c = 0; c < used; ++c) {
    const CursorCell& cell = s.cursors[c];
    if (cell.in_use.load(std::memory_order_relaxed) == 0) continue;
    CursorSnapshot snapshot;
    snapshot.index = c;
    const uint64_t at = cell.position.load(std::memory_order_relaxed);
    snapshot.watching = at != 0;
    if (at != 0 && (at & kPositionMask) < tail) snapshot.lag_bytes = tail - (at & kPositionMask);
    snapshot.joined_groups = cell.joined_groups.load(std::memory_order_relaxed);
    snapshot.armed = cell.armed.load(std::memory_order_relaxed) != 0;
    snapshot.wakeups = cell.wakeups.load(std::memory_order_relaxed);
    snapshot.delivered = cell.delivered.load(std::memory_order_relaxed);
    m.cursors.push_back(snapshot);
  }
  return m;
}

}  // namespace

Status inspect(const std::string& path, const std::string& group, const std::string& bus, Snapshot& out) {
  Directory directory;
  const std::string where = path.empty() ? default_directory(group) : path;
  const auto absent = [&] {
    return Status::fail(Code::not_supported, "there is no bus \"" + bus + "\" in " + where);
  };
  if (access(where.c_str(), F_OK) != 0 && errno == ENOENT) return absent();
  if (Status s = directory.open(where, group, false); !s.ok()) return s;
  const std::string name = bus + ".ring";
  const int fd = directory.open_file(name, O_RDONLY);
  if (fd < 0) return errno == ENOENT ? absent() : errno_status(errno, "opening " + directory.file_path(name));
  Segment segment;
  Status s = directory.check_file(fd, name);
  if (s.ok()) s = Segment::open(fd, directory.file_path(name), segment, true);
  close(fd);
  if (!s.ok()) return s;

  const Geometry& g = segment.geometry();
  out = Snapshot{};
  out.directory = directory.path();
  out.bus = bus;
  out.ring_sequence = g.ring_sequence;
  out.boot_count = LockFile::boot_count_of(directory, bus);
  out.capacity = g.capacity;
  out.message_limit = g.message_limit;
  out.max_members = g.max_members;
  out.tail = segment.hot().tail.load(std::memory_order_acquire);
  out.alarms = segment.hot().alarms.load(std::memory_order_relaxed);
  const View view = load_latest(segment);
  out.change = view.change;
  for (const MemberEntry& m : view.members) out.member_nodeids.push_back(m.slot + 1);

  const uint64_t now = monotonic_ns();
  uint64_t lowest = out.tail;
  const uint64_t role = segment.hot().role_pin.load(std::memory_order_acquire);
  const uint32_t role_slot = role_holder(segment);
  if (role != 0 && (role & kPositionMask) < lowest) {
    lowest = role & kPositionMask;
    out.holder_what = "role";
  }
  for (uint32_t i = 0; i < g.max_members; ++i) {
    const SlotWord word = slot_word(segment, i);
    if (word.state == SlotState::free) continue;
    MemberSnapshot m = look_at(segment, i, word, out.tail, now);
    if (i == role_slot) out.role_pid = m.pid;
    if (i == role_slot && out.holder_what == "role") {
      out.holder_nodeid = m.nodeid;
      out.holder_pid = m.pid;
    }
    if (claims_count(word.state))
      for (const Cell& cell : segment.slot(i).cells) {
        const uint64_t intent = cell.intent.load(std::memory_order_acquire), at = intent & kPositionMask;
        if (intent == 0 || at >= lowest || out.tail > at + g.capacity || segment.committed(at)) continue;
        lowest = at;
        out.holder_nodeid = m.nodeid;
        out.holder_pid = m.pid;
        out.holder_what = "claim";
      }
    if (claims_count(word.state))
      for (const Pin& pin : segment.slot(i).pins) {
        const uint64_t held = pin.position.load(std::memory_order_acquire), at = held & kPositionMask;
        if (held == 0 || at >= lowest) continue;
        lowest = at;
        out.holder_nodeid = m.nodeid;
        out.holder_pid = m.pid;
        out.holder_what = "pin";
      }
    if (word.state == SlotState::live)
      for (const CursorSnapshot& c : m.cursors)
        if (c.watching && out.tail - c.lag_bytes < lowest) {
          lowest = out.tail - c.lag_bytes;
          out.holder_nodeid = m.nodeid;
          out.holder_pid = m.pid;
          out.holder_what = c.armed ? "sleeper" : "cursor";
        }
    if (word.state == SlotState::dead && view.find(i, word.generation) == nullptr) {
      out.departed.push_back({m.nodeid, m.generation, m.pid, word.reason});
      continue;
    }
    for (std::string& key : groups_of(directory, bus, i, word.generation)) m.groups.push_back(std::move(key));
    out.members.push_back(std::move(m));
  }
  out.used = out.tail - lowest;
  return {};
}

std::vector<std::string> list_buses(const std::string& directory) {
  std::vector<std::string> buses;
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) return buses;
  while (const dirent* entry = readdir(dir)) {
    const std::string name = entry->d_name;
    if (name.size() <= 5 || !name.ends_with(".ring")) continue;
    if (const std::string bus = name.substr(0, name.size() - 5); !bus.ends_with(kOutboxSuffix)) buses.push_back(bus);
  }
  closedir(dir);
  std::sort(buses.begin(), buses.end());
  return buses;
}

}  // namespace evs::shm
