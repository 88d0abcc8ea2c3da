// SPDX-License-Identifier: BSD-3-Clause
// stage.cc - starting, steering and watching the processes of a run.
#include "tests/torture/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "shm/death.h"

namespace evs::torture {

namespace {

constexpr const char* kBus = "torture";
constexpr uint64_t kRowsOfARecord = 1 << 21;

// The interval of looking again, not of waiting for anything.
void glance() {
  const timespec t{0, 300'000};
  nanosleep(&t, nullptr);
}

std::string last_lines(const std::string& path, size_t most) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::string out;
  for (size_t i = lines.size() > most ? lines.size() - most : 0; i < lines.size(); ++i) out += "  " + lines[i] + "\n";
  return out;
}

}  // namespace

double seconds_now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

bool Player::knows(pid_t other) const {
  const uint32_t members = front().members.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < members && i < kMostMembers; ++i)
    if (front().member_pid[i].load(std::memory_order_relaxed) == other) return true;
  return false;
}

Stage::Stage(uint64_t seed, Settings settings, Totals& totals) : settings_(std::move(settings)), dice_(mix(seed)), totals_(totals) {
  char path[] = "/dev/shm/evs-torture-XXXXXX";
  if (mkdtemp(path) == nullptr) throw Failure(std::string("cannot make a directory in /dev/shm: ") + strerror(errno));
  path_ = path;
  if (mkdir((path_ + "/bus").c_str(), 0700) != 0) throw Failure("cannot make " + path_ + "/bus");
}

Stage::~Stage() {
  for (auto& player : players_)
    if (player->alive()) {
      ::kill(player->pid, SIGKILL);
      ::kill(player->pid, SIGCONT);
      waitpid(player->pid, nullptr, 0);
    }
  for (auto& player : players_)
    if (player->input >= 0) close(player->input);
  std::error_code ignored;
  if (getenv("EVS_TORTURE_KEEP") == nullptr) std::filesystem::remove_all(path_, ignored);
  else fprintf(stderr, "kept: %s\n", path_.c_str());
}

Player& Stage::cast(const Plan& plan) {
  auto player = std::make_unique<Player>();
  player->plan = plan;
  player->writer = static_cast<uint32_t>(players_.size() + 1);
  player->may_die = !plan.crash_at.empty() && !plan.stop_there;
  player->record_path = path_ + "/record." + std::to_string(player->writer);
  player->record.create(player->record_path, kRowsOfARecord);
  players_.push_back(std::move(player));
  ++totals_.processes;
  return *players_.back();
}

// As the command line says it, separated by |.
std::string Stage::arguments_of(const Player& player) const {
  const Plan& p = player.plan;
  std::string out = EVS_TORTURE_WORKER;
  const auto add = [&](const char* key, const std::string& value) { out += std::string("|") + key + "=" + value; };
  const auto number = [&](const char* key, uint64_t value) { add(key, std::to_string(value)); };
  add("record", player.record_path);
  number("writer", player.writer);
  number("seed", mix(player.writer * 7919ull + 1));
  number("threads", p.threads);
  number("slow_us", p.slow_us);
  number("groups", p.groups);
  number("largest", settings_.largest);
  number("think_us", p.think_us);
  if (p.messages != UINT64_MAX) number("messages", p.messages);
  number("dispatch", p.dispatch);
  number("toggle", p.toggle);
  number("second", p.second);
  number("churn", p.churn);
  number("room", p.room);
  number("empty", p.empty);
  return out;
}

void Stage::launch(Player& player) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Failure(std::string("pipe: ") + strerror(errno));
  std::vector<std::string> words;
  const std::string all = arguments_of(player);
  for (size_t at = 0; at <= all.size();) {
    const size_t end = std::min(all.find('|', at), all.size());
    words.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const bool crash = !player.plan.crash_at.empty();
  const pid_t pid = fork();
  if (pid < 0) throw Failure(std::string("fork: ") + strerror(errno));
  if (pid == 0) {
    const auto set = [](const char* key, const std::string& value) { setenv(key, value.c_str(), 1); };
    set("EVS_PLUGIN_PATH", crash ? EVS_TORTURE_CRASH_PLUGINS : EVS_TORTURE_PLUGINS);
    set("EVS_BUS_NAME", kBus);
    set("EVS_LOCAL_DIRECTORY", path_ + "/bus");
    set("EVS_LOCAL_RING_SIZE", std::to_string(kRingBytes / 1024) + "KiB");
    set("EVS_LOCAL_MESSAGE_LIMIT", std::to_string(settings_.largest) + "B");
    set("EVS_LOCAL_MAX_PROCESSES", std::to_string(settings_.max_processes));
    set("EVS_LOCAL_SLOW_READER_TIMEOUT", settings_.slow_reader_timeout);
    set("EVS_LOCAL_STALLED_WRITER_TIMEOUT", settings_.stalled_writer_timeout);
    set("EVS_LOCAL_ATTACH_TIMEOUT", "60s");
    set("EVS_BUS_INITIALIZE_TIMEOUT", "60s");
    set("EVS_LOG_TO", "file:" + path_ + "/log");
    set("EVS_LOG_LEVEL", "info");
    set("EVS_LOG_RATE", "0");
    unsetenv("EVS_CRASH_AT");
    unsetenv("EVS_CRASH_BY");
    if (crash) set("EVS_CRASH_AT", player.plan.crash_at);
    if (player.plan.stop_there) set("EVS_CRASH_BY", "STOP");
    dup2(ends[0], 0);
    execv(argv[0], argv.data());
    fprintf(stderr, "cannot exec %s: %s\n", argv[0], strerror(errno));
    _exit(127);
  }
  close(ends[0]);
  player.pid = pid;
  player.input = ends[1];
}

Player& Stage::spawn(const Plan& plan) {
  Player& player = cast(plan);
  launch(player);
  if (plan.starts && !plan.churn && (plan.threads != 0 || plan.toggle)) command(player, "g");
  return player;
}

Player& Stage::spawn_and_join(const Plan& plan) {
  Player& player = spawn(plan);
  until_joined(player);
  return player;
}

Player& Stage::exec(Player& player, const Plan& plan) {
  Player& next = cast(plan);
  next.pid = player.pid;
  next.input = player.input;
  player.input = -1;
  player.fate = Fate::killed;
  player.shares_pid = true;
  // In its environment's words; the pipe goes over to the new program.
  command(next, "x" + arguments_of(next) + "\n");
  return next;
}

void Stage::exec_away(Player& player) {
  command(player, "x/bin/cat\n");  // ends when its input does
}

void Stage::command(Player& player, const std::string& letters) {
  std::string bytes = letters;
  if (write(player.input, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) && !player.may_die && player.alive())
    throw Failure("writer " + std::to_string(player.writer) + " takes no commands: " + strerror(errno));
}

void Stage::kill(Player& player) { kill(std::vector<Player*>{&player}); }

void Stage::kill(const std::vector<Player*>& players) {
  for (Player* player : players)
    if (player->alive()) ::kill(player->pid, SIGKILL);
  for (Player* player : players) {
    if (!player->alive()) continue;
    int status = 0;
    waitpid(player->pid, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
      throw Failure("writer " + std::to_string(player->writer) + " ended with status " + std::to_string(status) + " before it was killed: " +
                    player->front().failure);
    player->fate = Fate::killed;
    ++totals_.kills;
  }
}

void Stage::stop(Player& player) {
  ::kill(player.pid, SIGSTOP);
  player.stopped = true;
  until("writer " + std::to_string(player.writer) + " to stand", [&] {
    const char state = shm::process_state(player.pid);
    return state == 'T' || state == 0 || state == 'Z';
  });
}

void Stage::resume(Player& player) {
  player.stopped = false;
  ::kill(player.pid, SIGCONT);
}

void Stage::quit(Player& player) {
  command(player, player.plan.churn ? "q" : "sq");  // its senders first: a closed handle takes nothing
  int status = 0;
  until("writer " + std::to_string(player.writer) + " (pid " + std::to_string(player.pid) + ") to leave and exit", [&] {
    return waitpid(player.pid, &status, WNOHANG) == player.pid;
  });
  player.fate = Fate::quit;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Failure("writer " + std::to_string(player.writer) + " left with status " + std::to_string(status) + ": " + player.front().failure);
}

void Stage::look_after_children() {
  for (auto& player : players_) {
    if (!player->alive()) continue;
    if (player->front().failed.load(std::memory_order_acquire) != 0)
      throw Failure("writer " + std::to_string(player->writer) + " (pid " + std::to_string(player->pid) + "): " + player->front().failure);
    if (!player->may_die) continue;
    int status = 0;
    if (waitpid(player->pid, &status, WNOHANG) != player->pid) continue;
    player->fate = Fate::killed;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ++totals_.kills;
    else throw Failure("writer " + std::to_string(player->writer) + " ended with status " + std::to_string(status));
  }
}

bool Stage::until_or(const std::function<bool()>& done, double seconds) {
  const double deadline = seconds_now() + seconds;
  for (;;) {
    look_after_children();
    if (done()) return true;
    if (seconds_now() > deadline) return false;
    glance();
  }
}

void Stage::until(const std::string& what, const std::function<bool()>& done, double seconds) {
  if (until_or(done, seconds)) return;
  for (auto& player : players_)
    if (player->alive() && shm::process_state(player->pid) == 'Z')
      throw Failure("writer " + std::to_string(player->writer) + " (pid " + std::to_string(player->pid) + ") ended by itself");
  throw Failure("waited " + std::to_string(static_cast<int>(seconds)) + " s for " + what + "\n" + describe());
}

void Stage::until_joined(Player& player) {
  until("writer " + std::to_string(player.writer) + " (pid " + std::to_string(player.pid) + ") to join",
        [&] { return player.front().joined.load(std::memory_order_acquire) != 0 || !player.alive(); });
}

void Stage::until_gone(const std::vector<pid_t>& pids) {
  std::string who;
  for (const pid_t pid : pids) who += " " + std::to_string(pid);
  until("all to be told that these left:" + who, [&] {
    for (Player* reader : readers())
      for (const pid_t pid : pids)
        if (reader->pid != pid && reader->knows(pid)) return false;
    return true;
  });
}

void Stage::until_progress(uint64_t deliveries) {
  std::vector<std::pair<Player*, uint64_t>> goals;
  for (Player* reader : readers())
    if (reader->front().joined.load() != 0) goals.emplace_back(reader, reader->front().delivered.load() + deliveries);
  until("messages to flow", [&] {
    return std::all_of(goals.begin(), goals.end(), [](const auto& goal) {
      return !goal.first->alive() || goal.first->front().delivered.load(std::memory_order_relaxed) >= goal.second;
    });
  });
}

std::vector<Player*> Stage::living() {
  std::vector<Player*> out;
  for (auto& player : players_)
    if (player->alive()) out.push_back(player.get());
  return out;
}

std::vector<Player*> Stage::readers() {
  std::vector<Player*> out;
  for (auto& player : players_)
    if (player->alive() && !player->stopped && player->plan.reads()) out.push_back(player.get());
  return out;
}

void Stage::settle(const Rules& rules) {
  for (Player* player : living()) {
    if (player->plan.churn) {
      quit(*player);
      continue;
    }
    until_joined(*player);
    if (player->alive()) command(*player, "s");
  }
  for (Player* player : living())
    until("writer " + std::to_string(player->writer) + " (pid " + std::to_string(player->pid) + ") to end its sending",
          [&] { return player->front().stopped.load(std::memory_order_acquire) != 0 || !player->alive(); });
  const std::vector<Player*> all = readers();
  if (!all.empty()) {
    Player& speaker = *all[dice_.below(all.size())];
    const uint32_t number = ++final_number_;
    speaker.front().final_number.store(number, std::memory_order_release);
    const uint32_t finals = speaker.front().finals_sent.load();
    command(speaker, "f");
    until("the final mark to be sent", [&] { return speaker.front().finals_sent.load(std::memory_order_acquire) != finals || !speaker.alive(); });
    for (Player* reader : all)
      for (uint32_t r = 0; r < (reader->plan.second ? 2u : 1u); ++r)
        until("reader " + std::to_string(r) + " of writer " + std::to_string(reader->writer) + " (pid " + std::to_string(reader->pid) +
                  ") to get the final mark",
              [&] { return reader->front().finals_seen[r].load(std::memory_order_acquire) == number || !reader->alive(); });
    for (Player* reader : all) reader->front().stopped.store(0);
  }
  totals_.laps += tail() / kRingBytes;
  judge_now(rules);
}

void Stage::judge_now(const Rules& rules) {
  std::vector<Subject> subjects;
  for (auto& player : players_) {
    Subject s;
    s.writer = player->writer;
    s.pid = player->pid;
    s.fate = player->fate;
    s.record = &player->record;
    s.reads_all = (player->plan.groups & 1) != 0;
    s.churns = player->plan.churn;
    s.shares_pid = player->shares_pid;
    subjects.push_back(s);
  }
  const Verdict verdict = torture::judge(subjects, rules);
  totals_.messages += verdict.messages;
  totals_.deliveries += verdict.deliveries;
  totals_.configurations += verdict.configurations;
  totals_.expulsions += verdict.expulsions;
  totals_.bytes += verdict.bytes;
  if (verdict.faults_total == 0) return;
  std::string text = std::to_string(verdict.faults_total) + " faults in the histories:\n";
  for (const std::string& fault : verdict.faults) text += "  " + fault + "\n";
  throw Failure(text + describe());
}

void Stage::leave() {
  for (Player* player : living()) quit(*player);
  std::string left;
  for (const auto& file : std::filesystem::directory_iterator(path_ + "/bus"))
    if (file.path().filename() != std::string(kBus) + ".lock") left += " " + file.path().filename().string();
  if (!left.empty()) throw Failure("all have left the bus, and these files are still there:" + left + "\n" + describe());
}

bool Stage::snapshot(shm::Snapshot& out) const { return shm::inspect(path_ + "/bus", "", kBus, out).ok(); }

uint64_t Stage::tail() const {
  shm::Snapshot s;
  return snapshot(s) ? s.tail : 0;
}

std::string Stage::describe() const {
  shm::Snapshot s;
  std::string out;
  const auto line = [&](const std::string& text) { out += "  " + text + "\n"; };
  if (snapshot(s)) {
    line("ring " + std::to_string(s.ring_sequence) + " change " + std::to_string(s.change) + " tail " + std::to_string(s.tail) + " used " +
         std::to_string(s.used) + "/" + std::to_string(s.capacity) + " held by nodeid " + std::to_string(s.holder_nodeid) + " pid " +
         std::to_string(s.holder_pid) + " (" + s.holder_what + "), alarms " + std::to_string(s.alarms));
    for (const shm::MemberSnapshot& m : s.members) {
      std::string cursors;
      for (const shm::CursorSnapshot& c : m.cursors)
        cursors += " [" + std::to_string(c.index) + (c.watching ? " watching" : " parked") + " lag " + std::to_string(c.lag_bytes) +
                   (c.armed ? " armed" : "") + " taken " + std::to_string(c.delivered) + "]";
      line("slot " + std::to_string(m.slot) + "." + std::to_string(m.generation) + " pid " + std::to_string(m.pid) + " state " +
           std::to_string(static_cast<int>(m.state)) + " process " + (m.process_state != 0 ? m.process_state : '-') + " beat " +
           std::to_string(m.heartbeat_age_ns / 1000000) + " ms ago" + (m.in_claim ? " in a claim" : "") + cursors);
    }
  } else {
    line("there is no segment");
  }
  for (const auto& player : players_)
    if (player->alive())
      line("writer " + std::to_string(player->writer) + " pid " + std::to_string(player->pid) + (player->stopped ? " stopped" : "") + " joined " +
           std::to_string(player->front().joined.load()) + " delivered " + std::to_string(player->front().delivered.load()) + " refused " +
           std::to_string(player->front().refused.load()) + " expulsions " + std::to_string(player->front().expulsions.load()));
  return out + last_lines(path_ + "/log", 15);
}

}  // namespace evs::torture
