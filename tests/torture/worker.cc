// SPDX-License-Identifier: BSD-3-Clause
// worker.cc - torture_worker: one process on the bus, as its arguments say, until it is told to go or is killed.
//
// It uses libevs as any application does. Senders and toggling of groups run in threads of their own, each handle is dispatched in one
// more; the main thread takes commands from standard input, one letter each:
//
//   g  let the senders send            s  end them, then send a mark           f  send a final mark (the driver put its number in front)
//   p  stop reading (in a callback)    c  go on reading                        q  finalize and exit
//   x  exec the rest of the line        !k  send one message to group k
//
// End of input: the driver is gone, and so are we.
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "evs/evs.h"
#include "tests/torture/witness.h"

namespace evs::torture {
namespace {

struct Options {
  std::string record;
  uint32_t writer = 1, threads = 0, slow_us = 0, groups = 1, largest = 1024, think_us = 0;
  uint64_t seed = 1, messages = UINT64_MAX;
  bool dispatch = true, toggle = false, second = false, churn = false, room = false, with_empty = true;
};

bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals == std::string::npos) return false;
    const std::string key = argument.substr(0, equals), value = argument.substr(equals + 1);
    const uint64_t n = strtoull(value.c_str(), nullptr, 0);
    if (key == "record") o.record = value;
    else if (key == "writer") o.writer = static_cast<uint32_t>(n);
    else if (key == "threads") o.threads = static_cast<uint32_t>(n);
    else if (key == "slow_us") o.slow_us = static_cast<uint32_t>(n);
    else if (key == "groups") o.groups = static_cast<uint32_t>(n);
    else if (key == "largest") o.largest = static_cast<uint32_t>(n);
    else if (key == "think_us") o.think_us = static_cast<uint32_t>(n);
    else if (key == "seed") o.seed = n;
    else if (key == "messages") o.messages = n;
    else if (key == "dispatch") o.dispatch = n != 0;
    else if (key == "toggle") o.toggle = n != 0;
    else if (key == "second") o.second = n != 0;
    else if (key == "churn") o.churn = n != 0;
    else if (key == "room") o.room = n != 0;
    else if (key == "empty") o.with_empty = n != 0;
    else return false;
  }
  return !o.record.empty() && o.threads < kToggleThread;
}

evs_group group_key(uint32_t number) {
  evs_group group{};
  snprintf(group.key, sizeof group.key, "torture %02u", number);
  return group;
}

size_t groups_of(uint32_t mask, evs_group* out) {
  size_t count = 0;
  for (uint32_t g = 0; g < kGroups; ++g)
    if ((mask >> g & 1) != 0) out[count++] = group_key(g);
  return count;
}

class Worker {
 public:
  explicit Worker(Options options) : o_(std::move(options)) { record_.open(o_.record); }
  int run();

 private:
  // What one thread sends.
  struct Sender {
    uint16_t thread;
    Dice dice;
    std::vector<unsigned char> bytes = std::vector<unsigned char>(64 * 1024);
    uint64_t count[kStreams] = {};
    Sender(uint16_t t, uint64_t seed) : thread(t), dice(mix(seed + t * 1000003ull)) {}
  };

  Front& front() { return record_.front(); }
  [[noreturn]] void die(const char* call, cs_error_t error);
  evs_handle_t open(Witness& witness);
  void join(evs_handle_t handle, uint32_t mask);
  void dispatch_blocking(evs_handle_t handle);
  void dispatch_polling(evs_handle_t handle);
  bool transmit(Sender& me, uint32_t mask, size_t size);
  void send(Sender& me, Proof proof);
  void mark(Sender& me, Mark what, uint32_t group, uint32_t about, uint32_t groups = 1);
  void send_all(Sender& me);
  uint32_t roll_size(Dice& dice) const;
  void toggle();
  void start_senders();
  void stop_senders();
  void exec_other();
  void churn();
  int obey();

  Options o_;
  RecordFile record_;
  Witness first_, second_;
  evs_handle_t handle_ = 0, second_handle_ = 0;
  Sender main_{kMainThread, 0};
  std::unique_ptr<Sender> senders_[kThreads];
  std::vector<std::thread> sending_, dispatching_;
  std::atomic<bool> stop_{false};
};

void Worker::die(const char* call, cs_error_t error) {
  const char* name = cs_strerror(error);
  if (front().failure[0] == 0)
    snprintf(front().failure, sizeof front().failure, "%s answered %s (%d)", call, name, static_cast<int>(error));
  front().failed.store(1, std::memory_order_release);
  fprintf(stderr, "torture_worker %u (pid %d): %s\n", o_.writer, getpid(), front().failure);
  _exit(3);
}

evs_handle_t Worker::open(Witness& witness) {
  witness.record = &record_;
  const evs_callbacks_ex_t callbacks = witness_callbacks();
  char error[400] = "";
  evs_options_t options{};
  options.struct_size = sizeof options;
  options.callbacks_ex = &callbacks;
  options.context = &witness;
  options.error = error;
  options.error_size = sizeof error;
  evs_handle_t handle = 0;
  // The places of the dead are free again when their leaves are in the order and everybody is past them: soon.
  cs_error_t answer = CS_OK;
  for (int attempt = 0; attempt < 10000; ++attempt) {
    answer = evs_initialize_ex(&handle, &options);
    if (answer == CS_OK) return handle;
    if (answer != CS_ERR_NO_RESOURCES) break;
    const timespec nap{0, 3'000'000};
    nanosleep(&nap, nullptr);
  }
  snprintf(front().failure, sizeof front().failure, "evs_initialize_ex: %s (%d)", error, static_cast<int>(answer));
  die("evs_initialize_ex", answer);
}

void Worker::join(evs_handle_t handle, uint32_t mask) {
  evs_group groups[kGroups];
  const size_t count = groups_of(mask, groups);
  cs_error_t answer;
  while ((answer = evs_join(handle, groups, count)) == CS_ERR_TRY_AGAIN) sched_yield();
  if (answer != CS_OK) die("evs_join", answer);
}

void Worker::dispatch_blocking(evs_handle_t handle) {
  const cs_error_t answer = evs_dispatch(handle, CS_DISPATCH_BLOCKING);
  if (answer != CS_OK && answer != CS_ERR_BAD_HANDLE) die("evs_dispatch", answer);
}

// As an event loop does it.
void Worker::dispatch_polling(evs_handle_t handle) {
  int fd = -1;
  if (const cs_error_t answer = evs_fd_get(handle, &fd); answer != CS_OK) die("evs_fd_get", answer);
  for (;;) {
    pollfd waiting{fd, POLLIN, 0};
    // A finalize closes the descriptor, which poll() does not notice: it looks again.
    if (poll(&waiting, 1, 200) < 0) continue;
    const cs_error_t answer = evs_dispatch(handle, CS_DISPATCH_ALL);
    if (answer == CS_ERR_BAD_HANDLE) return;
    if (answer != CS_OK && answer != CS_ERR_TRY_AGAIN) die("evs_dispatch", answer);
  }
}

bool Worker::transmit(Sender& me, uint32_t mask, size_t size) {
  evs_group groups[kGroups];
  const size_t count = groups_of(mask, groups);
  // In up to three pieces: the message is their concatenation.
  const size_t cut1 = me.dice.below(size + 1), cut2 = cut1 + me.dice.below(size - cut1 + 1);
  const iovec pieces[3] = {{me.bytes.data(), cut1}, {me.bytes.data() + cut1, cut2 - cut1}, {me.bytes.data() + cut2, size - cut2}};
  const auto guarantee = static_cast<evs_guarantee_t>(me.dice.below(4));
  bool after_room = false;
  for (;;) {
    cs_error_t answer;
    if (!o_.room && me.dice.one_in(2)) answer = evs_mcast_wait(handle_, guarantee, groups, count, pieces, 3, 20'000'000);
    else answer = evs_mcast_groups(handle_, guarantee, groups, count, pieces, 3);
    if (answer == CS_OK) return true;
    if (answer != CS_ERR_TRY_AGAIN && answer != CS_ERR_TIMEOUT) die("evs_mcast_groups", answer);
    front().refused.fetch_add(1, std::memory_order_relaxed);
    if (o_.churn) evs_dispatch(handle_, CS_DISPATCH_ALL);  // nobody else reads for it, and perhaps it is this handle that holds the ring
    if (after_room) front().room_refused.fetch_add(1, std::memory_order_relaxed);
    if (!o_.room) {
      sched_yield();
      continue;
    }
    std::unique_lock lock(first_.mutex);
    first_.resumed.wait(lock, [&] { return first_.has_room.load(); });
    first_.has_room.store(false);
    after_room = true;
  }
}

void Worker::send(Sender& me, Proof proof) {
  proof.writer = o_.writer;
  proof.thread = me.thread;
  proof.count = me.count[proof.stream];
  write_message(proof, me.bytes.data());
  transmit(me, proof.groups, proof.size);
  front().sent[me.thread][proof.stream].store(++me.count[proof.stream], std::memory_order_release);
}

void Worker::mark(Sender& me, Mark what, uint32_t group, uint32_t about, uint32_t groups) {
  Proof proof{};
  proof.mark = what;
  proof.groups = groups;
  proof.size = sizeof proof;
  proof.group = static_cast<uint16_t>(group);
  proof.about = static_cast<uint16_t>(about);
  proof.number = front().final_number.load(std::memory_order_acquire);
  send(me, proof);
}

uint32_t Worker::roll_size(Dice& dice) const {
  constexpr uint32_t least = sizeof(Proof);
  const uint64_t kind = dice.below(100);
  if (kind < 70) return least + static_cast<uint32_t>(dice.below(200));
  if (kind < 95) return least + static_cast<uint32_t>(dice.below(std::min<uint32_t>(o_.largest, 2048) - least + 1));
  if (kind < 99) return least + static_cast<uint32_t>(dice.below(o_.largest - least + 1));
  return o_.largest;
}

void Worker::send_all(Sender& me) {
  for (uint64_t i = 0; i < o_.messages && !stop_.load(std::memory_order_relaxed); ++i) {
    if (o_.with_empty && me.dice.one_in(50)) {
      transmit(me, 1, 0);
      front().sent_empty.fetch_add(1, std::memory_order_release);
      continue;
    }
    Proof proof{};
    proof.size = roll_size(me.dice);
    proof.groups = 1;
    const uint64_t to = me.dice.below(8);
    if (to < 3 && to != 0) {  // to one of the groups that come and go, alone
      proof.stream = static_cast<uint8_t>(to);
      proof.groups = 1u << to;
    } else if (to == 3) {
      proof.groups |= static_cast<uint32_t>(me.dice.below(8)) << 1;
    }
    send(me, proof);
    if (o_.think_us != 0 && me.dice.one_in(16)) {  // the shape of the load, not a wait for anything
      const timespec pause{0, static_cast<long>(me.dice.below(o_.think_us)) * 1000};
      nanosleep(&pause, nullptr);
    }
  }
}

// Joins and leaves groups 1 and 2 in the middle of the traffic, each call between two marks.
void Worker::toggle() {
  Sender& me = *senders_[kToggleThread];
  static bool in[3];
  while (!stop_.load(std::memory_order_relaxed)) {
    const uint32_t g = 1 + static_cast<uint32_t>(me.dice.below(2));
    const evs_group key = group_key(g);
    mark(me, in[g] ? Mark::leave_begin : Mark::join_begin, g, 0);
    cs_error_t answer;
    while ((answer = in[g] ? evs_leave(handle_, &key, 1) : evs_join(handle_, &key, 1)) == CS_ERR_TRY_AGAIN) sched_yield();
    if (answer != CS_OK) die(in[g] ? "evs_leave" : "evs_join", answer);
    mark(me, in[g] ? Mark::leave_done : Mark::join_done, g, 0);
    in[g] = !in[g];
    const timespec pause{0, static_cast<long>(me.dice.below(3000)) * 1000};
    nanosleep(&pause, nullptr);
  }
}

void Worker::start_senders() {
  stop_.store(false);
  const auto sender = [&](uint16_t thread) -> Sender& {
    if (!senders_[thread]) senders_[thread] = std::make_unique<Sender>(thread, o_.seed);
    return *senders_[thread];
  };
  for (uint16_t t = 0; t < o_.threads; ++t) sending_.emplace_back([this, &me = sender(t)] { send_all(me); });
  if (o_.toggle) {
    sender(kToggleThread);
    sending_.emplace_back([this] { toggle(); });
  }
}

void Worker::stop_senders() {
  if (o_.messages == UINT64_MAX) stop_.store(true);
  for (std::thread& thread : sending_) thread.join();
  sending_.clear();
  mark(main_, Mark::stopped, 0, 0);
  front().stopped.fetch_add(1, std::memory_order_release);
}

// The rest of the line is the program and its arguments, separated by |. The kernel takes the threads and the memory away; the pid stays.
void Worker::exec_other() {
  std::vector<std::string> words(1);
  char c = 0;
  while (read(0, &c, 1) == 1 && c != '\n') {
    if (c == '|') words.emplace_back();
    else words.back() += c;
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  die("execv", CS_ERR_LIBRARY);
}

// Opens, joins, says one thing and closes, again and again: most of its life is attaching and detaching.
void Worker::churn() {
  for (uint32_t life = 0;; ++life) {
    pollfd input{0, POLLIN, 0};
    if (poll(&input, 1, 0) == 1) {
      char c = 0;
      if (read(0, &c, 1) <= 0) _exit(0);
      front().finalized.store(1, std::memory_order_release);
      return;
    }
    Witness witness;
    witness.reader = life;
    handle_ = open(witness);
    join(handle_, 1);
    front().joined.store(1, std::memory_order_release);
    Proof proof{};
    proof.groups = 1;
    proof.size = roll_size(main_.dice);
    send(main_, proof);
    if (const cs_error_t answer = evs_dispatch(handle_, CS_DISPATCH_ALL); answer != CS_OK && answer != CS_ERR_TRY_AGAIN)
      die("evs_dispatch", answer);
    if (const cs_error_t answer = evs_finalize(handle_); answer != CS_OK) die("evs_finalize", answer);
    front().lives.fetch_add(1, std::memory_order_release);
  }
}

int Worker::obey() {
  for (;;) {
    char command = 0;
    const ssize_t got = read(0, &command, 1);
    if (got < 0) continue;
    if (got == 0) _exit(0);
    switch (command) {
      case 'g': start_senders(); break;
      case 's': stop_senders(); break;
      case 'f':
        mark(main_, Mark::final, 0, 0, 0xf);
        front().finals_sent.fetch_add(1, std::memory_order_release);
        break;
      case 'p': first_.pause(); break;
      case 'c': first_.resume(); break;
      case 'x': exec_other(); break;
      case '!': {
        unsigned char group = 0;
        if (read(0, &group, 1) != 1) _exit(0);
        mark(main_, Mark::data, group, 0, 1u << group);
        break;
      }
      case 'q': {
        if (second_handle_ != 0) evs_finalize(second_handle_);
        evs_status_t status{};
        status.struct_size = sizeof status;
        if (evs_status(handle_, &status) == CS_OK) front().outsiders.store(status.outsider_messages);
        if (const cs_error_t answer = evs_finalize(handle_); answer != CS_OK) die("evs_finalize", answer);
        for (std::thread& thread : dispatching_) thread.join();
        front().finalized.store(1, std::memory_order_release);
        return 0;
      }
      default: die("an unknown command", CS_ERR_INVALID_PARAM);
    }
  }
}

int Worker::run() {
  main_ = Sender(kMainThread, o_.seed);
  if (o_.churn) {
    churn();
    return 0;
  }
  first_.slow_us = o_.slow_us;
  first_.dice = Dice(o_.seed);
  handle_ = open(first_);
  if (o_.groups != 0) join(handle_, o_.groups);
  if (o_.dispatch) dispatching_.emplace_back([this] { dispatch_blocking(handle_); });
  if (o_.second) {
    second_.reader = 1;
    second_handle_ = open(second_);
    dispatching_.emplace_back([this] { dispatch_polling(second_handle_); });
    mark(main_, Mark::join_begin, 1, 1);
    join(second_handle_, 2);
    mark(main_, Mark::join_done, 1, 1);
  }
  front().joined.store(1, std::memory_order_release);
  return obey();
}

}  // namespace
}  // namespace evs::torture

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // never outlive the driver
  signal(SIGPIPE, SIG_IGN);
  evs::torture::Options options;
  if (!evs::torture::parse(argc, argv, options)) {
    fprintf(stderr, "torture_worker: bad arguments; it is started by evs-torture\n");
    return 2;
  }
  try {
    evs::torture::Worker worker(options);
    return worker.run();
  } catch (const std::exception& e) {
    fprintf(stderr, "torture_worker: %s\n", e.what());
    return 2;
  }
}
