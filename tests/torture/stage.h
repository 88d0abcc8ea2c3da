// SPDX-License-Identifier: BSD-3-Clause
// stage.h - where a run is played: a private directory, a bus in it, and the processes that the driver started, and no others.
//
// The driver waits for what the processes wrote into their records, never for time to pass; a wait that ends without it fails the run and
// prints what the bus looks like from outside. Everything random comes from one seed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "shm/inspect.h"
#include "tests/torture/payload.h"
#include "tests/torture/record.h"
#include "tests/torture/referee.h"

namespace evs::torture {

// As small as it can be, so that laps are many: it has to hold two messages with 4096 groups each.
inline constexpr uint64_t kRingBytes = 512 * 1024;

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Settings {
  uint32_t max_processes = 16;
  std::string slow_reader_timeout = "1h";  // nobody is expelled
  std::string stalled_writer_timeout = "0";
  uint32_t largest = 16384;                // message limit
};

struct Plan {
  uint32_t threads = 1, slow_us = 0, groups = 1, think_us = 200;
  uint64_t messages = UINT64_MAX;
  bool dispatch = true, toggle = false, second = false, churn = false, room = false, empty = true;
  std::string crash_at;       // name:n, in the plugin built for that
  bool stop_there = false;    // SIGSTOP in place of SIGKILL
  bool starts = true;         // its senders start at once

  bool reads() const { return dispatch && (groups & 1) != 0 && !churn; }
};

struct Player {
  Plan plan;
  uint32_t writer = 0;
  pid_t pid = 0;
  int input = -1;
  Fate fate = Fate::alive;
  bool shares_pid = false, may_die = false, stopped = false;
  std::string record_path;
  RecordFile record;

  bool alive() const { return fate == Fate::alive; }
  Front& front() const { return record.front(); }
  bool knows(pid_t other) const;  // in the configuration told to it last
};

struct Totals {
  uint64_t kills = 0, processes = 0, messages = 0, deliveries = 0, configurations = 0, expulsions = 0, bytes = 0, laps = 0;
};

class Stage {
 public:
  Stage(uint64_t seed, Settings settings, Totals& totals);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  Player& spawn(const Plan& plan);
  Player& spawn_and_join(const Plan& plan);
  // A second life of the same pid: `player` execs a new worker, as which it is returned.
  Player& exec(Player& player, const Plan& plan);
  void exec_away(Player& player);  // execs a program that knows nothing of evs
  void command(Player& player, const std::string& letters);
  void kill(Player& player);       // and reaps it
  void kill(const std::vector<Player*>& players);
  void stop(Player& player);       // returns when it stands
  void resume(Player& player);
  void quit(Player& player);       // in order; checks its exit status

  // Waits until `done` says so; throws Failure with `what` after `seconds`. Notices who died unasked.
  void until(const std::string& what, const std::function<bool()>& done, double seconds = 60);
  bool until_or(const std::function<bool()>& done, double seconds);  // false: it did not come
  void until_joined(Player& player);
  void until_gone(const std::vector<pid_t>& pids);  // from the configurations of all who read
  void until_progress(uint64_t deliveries);         // everybody who reads gets so many more

  // Ends all sending, waits until everybody has everything, judges.
  void settle(const Rules& rules);
  void judge_now(const Rules& rules);
  // All leave in order; nothing but the lock file may be left.
  void leave();

  std::vector<Player*> living();
  std::vector<Player*> readers();
  bool snapshot(shm::Snapshot& out) const;
  std::string describe() const;
  uint64_t tail() const;
  const std::string& path() const { return path_; }
  Dice& dice() { return dice_; }
  Totals& totals() { return totals_; }

 private:
  void look_after_children();
  std::string arguments_of(const Player& player) const;
  void launch(Player& player);
  Player& cast(const Plan& plan);

  Settings settings_;
  Dice dice_;
  Totals& totals_;
  std::string path_;
  std::vector<std::unique_ptr<Player>> players_;
  uint32_t final_number_ = 0;
};

double seconds_now();

}  // namespace evs::torture
