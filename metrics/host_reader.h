// SPDX-License-Identifier: BSD-3-Clause
// metrics/host_reader.h - all buses of a host, by the files that monitors may read: <bus>.counters, <bus>+outbox.counters and <bus>.uplink.
//
// It opens no segment, so no message is in its reach, joins nothing and maps nothing: a file that is cut short, damaged or of somebody who means harm is an error
// with a name, and never a signal. Files may belong to any user: whoever may read them may look (metrics.group).
//
// A counter file is held open. The last process of a bus removes it when it leaves, and what is held still has what was counted until then.
//
// One thread at a time.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "metrics/uplink.h"
#include "shm/counters.h"

namespace evs::metrics {

enum class ProcessState : uint8_t { running, expelled, hung, stopped };  // from good to bad
inline constexpr size_t kProcessStates = 4;
std::string_view name_of(ProcessState state);

struct Process {
  int32_t pid = 0;  // with an uplink a process is in a ring more than once
  ProcessState state = ProcessState::running;
  uint64_t heartbeat_age_ns = 0;
  shm::CounterValues values;
};

// What one file has counted, the departed included.
struct Counted {
  std::string life;  // names the file
  shm::CounterReading counters;
};

struct RingReading {
  std::vector<Counted> files;      // those that were removed since the last reading come first
  std::vector<Process> processes;  // that are there
};

struct BusReading {
  std::string bus, directory;
  std::optional<RingReading> order, outbox;  // of the second: with an uplink
  Uplink uplink;
};

enum class Unreadable : uint8_t { access, untrusted, damaged, other };
inline constexpr size_t kUnreadables = 4;
std::string_view name_of(Unreadable reason);

struct Trouble {
  Unreadable reason = Unreadable::other;
  std::string sentence;
};

struct HostReading {
  std::vector<BusReading> buses;
  std::vector<Trouble> troubles;
  size_t left_out = 0;  // buses beyond kMostBuses
};

struct Places {
  std::vector<std::string> directories;  // where buses are
  std::string parent;                    // and below here, in evs-UID and evs-group-NAME; empty: not looked
  std::vector<std::string> buses;        // to ask for where a directory may be entered and not listed
  bool only_these = false;               // no others, wherever they are
};

class HostReader {
 public:
  explicit HostReader(Places places) : places_(std::move(places)) {}
  ~HostReader();
  HostReader(const HostReader&) = delete;
  HostReader& operator=(const HostReader&) = delete;

  HostReading read();
  // One more; that bus, and no others that are not named.
  void also(const std::string& directory, const std::string& bus);

 private:
  struct Held {
    int fd = -1;
    dev_t device = 0;
    ino_t inode = 0;
    std::string life;
  };
  struct Place;

  void read_directory(const std::string& path, HostReading& out);
  std::vector<std::string> names_in(const Place& place) const;
  void read_bus(const Place& place, const std::string& bus, HostReading& out);
  std::optional<RingReading> read_ring(const Place& place, const std::string& name, HostReading& out);
  void read_uplink_file(const Place& place, const std::string& name, Uplink& uplink, HostReading& out);
  void end(Held& held, RingReading& ring);

  Places places_;
  std::map<std::string, Held> held_;  // by path
  uint64_t lives_ = 0;
};

}  // namespace evs::metrics
