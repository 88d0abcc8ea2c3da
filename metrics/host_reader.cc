// SPDX-License-Identifier: BSD-3-Clause
// metrics/host_reader.cc - see host_reader.h.
#include "metrics/host_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "metrics/snapshot.h"
#include "metrics/table.h"
#include "shm/clock.h"
#include "shm/death.h"
#include "shm/directory.h"

namespace evs::metrics {
namespace {

constexpr std::string_view kCounters = ".counters";

Trouble trouble_of(int error, const std::string& path) {
  Trouble trouble{error == EACCES || error == EPERM ? Unreadable::access : Unreadable::other, path + ": " + std::strerror(error)};
  if (error == ELOOP || error == ENOTDIR) trouble.reason = Unreadable::untrusted;
  if (trouble.reason == Unreadable::access) trouble.sentence += ": only its owner and the group of metrics.group may read it";
  return trouble;
}

// Of the kernel, where it says so: a heartbeat may be late for other reasons.
std::optional<Process> process_of(const shm::CounterLife& life, uint64_t now_ns) {
  if (life.heartbeat_ns == 0 || !process_is_there(life.pid, life.start_time)) return std::nullopt;
  Process process{life.pid, ProcessState::running, now_ns - std::min(now_ns, life.heartbeat_ns), life.values};
  const char state = shm::process_state(life.pid);
  if (life.values.of(shm::Level::expelled) != 0) process.state = ProcessState::expelled;
  if (process.heartbeat_age_ns >= kHungNs) process.state = ProcessState::hung;
  if (state == 'T' || state == 't') process.state = ProcessState::stopped;
  return process;
}

bool is_bus_directory(std::string_view name) {
  if (name.starts_with("evs-group-")) return true;
  return name.size() > 4 && name.starts_with("evs-") && name.find_first_not_of("0123456789", 4) == std::string_view::npos;
}

std::vector<std::string> entries_of(int directory) {
  std::vector<std::string> names;
  const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const listing = fd < 0 ? nullptr : fdopendir(fd);
  if (listing == nullptr && fd >= 0) close(fd);
  if (listing == nullptr) return names;
  while (const dirent* entry = readdir(listing)) names.emplace_back(entry->d_name);
  closedir(listing);
  return names;
}

}  // namespace

std::string_view name_of(ProcessState state) {
  constexpr std::string_view kNames[kProcessStates] = {"running", "expelled", "hung", "stopped"};
  return kNames[static_cast<size_t>(state)];
}

std::string_view name_of(Unreadable reason) {
  constexpr std::string_view kNames[kUnreadables] = {"access", "untrusted", "damaged", "other"};
  return kNames[static_cast<size_t>(reason)];
}

struct HostReader::Place {
  std::string path;
  int fd = -1;
  struct stat info {};

  std::string file(const std::string& name) const { return path + "/" + name; }
  // A descriptor, or -1: not there, or refused with a trouble. Whoever owns the directory says what a bus counts in it, and nobody else.
  int open_file(const std::string& name, HostReading& out) const {
    const int file_fd = openat(fd, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file_fd < 0) {
      if (errno != ENOENT) out.troubles.push_back(trouble_of(errno, file(name)));
      return -1;
    }
    struct stat seen {};
    const bool shared = (info.st_mode & S_IWGRP) != 0;
    if (fstat(file_fd, &seen) == 0 && S_ISREG(seen.st_mode) && (seen.st_mode & S_IWOTH) == 0 &&
        (seen.st_uid == info.st_uid || seen.st_uid == 0 || (shared && seen.st_gid == info.st_gid)))
      return file_fd;
    close(file_fd);
    out.troubles.push_back({Unreadable::untrusted, file(name) + " is no regular file of the owner of its directory, or others may write to it"});
    return -1;
  }
};

HostReader::~HostReader() {
  for (const auto& [path, held] : held_)
    if (held.fd >= 0) close(held.fd);
}

void HostReader::also(const std::string& directory, const std::string& bus) {
  const auto add = [](std::vector<std::string>& to, const std::string& one) {
    if (std::find(to.begin(), to.end(), one) == to.end()) to.push_back(one);
  };
  add(places_.directories, directory);
  add(places_.buses, bus);
  places_.only_these = true;
}

HostReading HostReader::read() {
  HostReading out;
  std::set<std::string> directories(places_.directories.begin(), places_.directories.end());
  if (!places_.parent.empty()) {
    const int parent = open(places_.parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) out.troubles.push_back(trouble_of(errno, places_.parent));
    for (const std::string& name : parent < 0 ? std::vector<std::string>{} : entries_of(parent))
      if (is_bus_directory(name)) directories.insert(places_.parent + "/" + name);
    if (parent >= 0) close(parent);
  }
  for (const std::string& path : directories) read_directory(path, out);
  return out;
}

void HostReader::read_directory(const std::string& path, HostReading& out) {
  Place place;
  place.path = path;
  place.fd = open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (place.fd < 0) {
    if (errno != ENOENT) out.troubles.push_back(trouble_of(errno, path));
    return;
  }
  if (fstat(place.fd, &place.info) != 0 || (place.info.st_mode & S_IWOTH) != 0)
    out.troubles.push_back({Unreadable::untrusted, path + ": everybody may write into it"});
  else if (faccessat(place.fd, ".", X_OK, 0) != 0)
    out.troubles.push_back(trouble_of(errno, path));
  else
    for (const std::string& bus : names_in(place)) {
      if (out.buses.size() < kMostBuses) read_bus(place, bus, out);
      else ++out.left_out;
    }
  close(place.fd);
}

std::vector<std::string> HostReader::names_in(const Place& place) const {
  std::set<std::string> names(places_.buses.begin(), places_.buses.end());
  for (const std::string& entry : places_.only_these ? std::vector<std::string>{} : entries_of(place.fd))
    if (entry.size() > kCounters.size() && entry.ends_with(kCounters)) names.insert(entry.substr(0, entry.size() - kCounters.size()));
  // One that has gone has still something to say, once.
  for (const auto& [path, held] : held_)
    if (const size_t slash = path.rfind('/'); path.compare(0, slash, place.path) == 0) names.insert(path.substr(slash + 1, path.size() - slash - 1 - kCounters.size()));
  std::vector<std::string> buses;
  for (const std::string& name : names)
    if (!name.ends_with(shm::kOutboxSuffix)) buses.push_back(name);
  return buses;
}

void HostReader::read_bus(const Place& place, const std::string& bus, HostReading& out) {
  BusReading reading{bus, place.path, read_ring(place, bus, out), read_ring(place, bus + shm::kOutboxSuffix, out), {}};
  if (!reading.order && !reading.outbox) return;
  // An outbox that nobody is in was left by a bus of that name that had an uplink.
  if (reading.outbox && (!reading.outbox->processes.empty() || !reading.order || reading.order->processes.empty())) read_uplink_file(place, bus + ".uplink", reading.uplink, out);
  out.buses.push_back(std::move(reading));
}

// What a file that is gone from its place came to.
void HostReader::end(Held& held, RingReading& ring) {
  if (held.fd < 0) return;
  Counted last{held.life, {}};
  if (shm::CounterFile::read(held.fd, held.life, last.counters).ok()) ring.files.push_back(std::move(last));
  close(held.fd);
  held = {};
}

std::optional<RingReading> HostReader::read_ring(const Place& place, const std::string& name, HostReading& out) {
  const std::string file = name + std::string(kCounters), path = place.file(file);
  const auto found = held_.find(path);
  const size_t troubles = out.troubles.size();
  const int fd = place.open_file(file, out);
  if (fd < 0 && found == held_.end()) return std::nullopt;
  RingReading ring;
  if (fd < 0) {
    if (out.troubles.size() == troubles) {
      end(found->second, ring);
      held_.erase(found);
    }
    return ring;
  }
  struct stat info {};
  fstat(fd, &info);
  Held& held = held_[path];
  // No other file has the number of one that is held.
  if (held.fd >= 0 && held.device == info.st_dev && held.inode == info.st_ino) {
    close(fd);
  } else {
    end(held, ring);
    held = {fd, info.st_dev, info.st_ino, std::to_string(++lives_)};
  }
  Counted now{held.life, {}};
  if (const shm::Status status = shm::CounterFile::read(held.fd, path, now.counters); !status.ok()) {
    out.troubles.push_back({status.code == shm::Code::corrupt ? Unreadable::damaged : Unreadable::other, status.text});
    close(held.fd);
    held_.erase(path);
    return ring.files.empty() ? std::nullopt : std::optional(std::move(ring));
  }
  const uint64_t now_ns = shm::monotonic_ns();
  for (const shm::CounterLife& one : now.counters.lives)
    if (std::optional<Process> process = process_of(one, now_ns)) ring.processes.push_back(std::move(*process));
  ring.files.push_back(std::move(now));
  return ring;
}

void HostReader::read_uplink_file(const Place& place, const std::string& name, Uplink& uplink, HostReading& out) {
  const int fd = place.open_file(name, out);
  if (fd < 0) return;
  uplink = read_uplink(fd);
  close(fd);
}

}  // namespace evs::metrics
