// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/peer.cc - a member in a process of its own, led by lines on its standard input.
//
// A scenario needs others: some that are killed, run as another user, in another namespace, with hardly a descriptor,
// or without this test's memory. Each command answers with one line, so that the test waits for events and never for
// time:
//
//     open DIRECTORY BUS [KEY=VALUE...]   join G   leave G   send G TEXT   told   until WORD MS   members   finalize
//     descriptors N (the limit)   forbid-barriers   census   fork   reap PID   exec   quit
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "evs/evs.h"
#include "tests/scenarios/limits/census.h"

namespace {

evs_handle_t handle = 0;
std::string told;

void write_down(const std::string& line) {
  told += " | " + line;
}

void deliver(hdb_handle_t, unsigned int, const void* data, size_t size) {
  write_down("msg " + std::string(static_cast<const char*>(data), size));
}

std::string ids(const char* sign, const unsigned int* list, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += sign + std::to_string(list[i]);
  return text;
}

void configure(hdb_handle_t, const unsigned int* members, size_t member_count, const unsigned int* left,
               size_t left_count, const unsigned int* joined, size_t joined_count, const evs_ring_id*) {
  write_down("conf" + ids(" ", members, member_count) + ids(" -", left, left_count) + ids(" +", joined, joined_count));
}

void quiet(void*, int, const char*, size_t) {}

evs_group key_of(const std::string& name) {
  evs_group key{};
  std::memcpy(key.key, name.data(), std::min(name.size(), sizeof key.key));
  return key;
}

std::string open_handle(std::istringstream& words) {
  std::string directory, bus, word;
  words >> directory >> bus;
  std::vector<std::string> texts;
  while (words >> word) texts.push_back(word);
  std::vector<evs_parameter_t> parameters{{"local.directory", directory.c_str()}};
  for (std::string& text : texts) {
    const size_t at = text.find('=');
    text[at] = '\0';
    parameters.push_back({text.c_str(), text.c_str() + at + 1});
  }
  evs_callbacks_t callbacks{&deliver, &configure};
  char error[512] = "";
  evs_options_t options{};
  options.struct_size = sizeof options;
  options.bus = bus.c_str();
  options.config_file = "/dev/null";
  options.parameters = parameters.data();
  options.parameter_entries = parameters.size();
  options.callbacks = &callbacks;
  options.log = &quiet;
  options.error = error;
  options.error_size = sizeof error;
  const cs_error_t answer = evs_initialize_ex(&handle, &options);
  return std::string(cs_strerror(answer)) + " " + error;
}

std::string dispatch() {
  const cs_error_t answer = evs_dispatch(handle, CS_DISPATCH_ALL);
  return cs_strerror(answer) + std::exchange(told, {});
}

// Dispatches until a callback's line holds `word`.
std::string until(const std::string& word, int limit_ms) {
  int fd = -1;
  if (const cs_error_t answer = evs_fd_get(handle, &fd); answer != CS_OK) return cs_strerror(answer);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  for (;;) {
    const cs_error_t answer = evs_dispatch(handle, CS_DISPATCH_ALL);
    if (answer != CS_OK || told.find(word) != std::string::npos) return cs_strerror(answer) + std::exchange(told, {});
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return "timeout" + std::exchange(told, {});
    pollfd wish{fd, POLLIN, 0};
    // Nobody rang: what a last look would find nevertheless is no answer.
    if (poll(&wish, 1, static_cast<int>(left)) == 0) return "timeout" + std::exchange(told, {});
  }
}

std::string members() {
  unsigned int local = 0, list[128];
  size_t count = 128;
  const cs_error_t answer = evs_membership_get(handle, &local, list, &count);
  return std::string(cs_strerror(answer)) + " " + std::to_string(local) + " of" +
         ids(" ", list, std::min<size_t>(count, 128));
}

// A child that keeps this process's descriptors and mappings as far as fork() hands them on, and does nothing.
std::string fork_child() {
  const pid_t child = fork();
  if (child == 0) {
    const int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; ++fd) dup2(nothing, fd);
    for (;;) pause();
  }
  return std::to_string(child);
}

// What a sandbox does that closes after its program has started: membarrier(2) is EPERM from now on, in all threads.
std::string forbid_barriers() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return std::strerror(errno);
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) return std::strerror(errno);
  return syscall(SYS_membarrier, 0, 0, 0) == -1 && errno == EPERM ? "ok" : "the filter lets it through";
}

std::string answer(const std::string& line, char** argv) {
  std::istringstream words(line);
  std::string command, first, second;
  words >> command;
  if (command == "open") return open_handle(words);
  if (command == "told") return dispatch();
  if (command == "members") return members();
  if (command == "fork") return fork_child();
  if (command == "forbid-barriers") return forbid_barriers();
  if (command == "census") return evs::limits::Census::take().text();
  if (command == "finalize") return cs_strerror(evs_finalize(handle));
  if (command == "quit") _exit(0);
  if (command == "exec") {
    // The shell lives on under this pid and opens no bus.
    char shell[] = "/bin/sh", flag[] = "-c", script[] = "echo there; exec sleep 1000";
    char* arguments[] = {shell, flag, script, nullptr};
    execv(shell, arguments);
    return std::string("exec failed in ") + argv[0];
  }
  words >> first;
  if (command == "join" || command == "leave") {
    const evs_group key = key_of(first);
    return cs_strerror(command == "join" ? evs_join(handle, &key, 1) : evs_leave(handle, &key, 1));
  }
  if (command == "descriptors") {
    const rlim_t limit = std::stoul(first);
    const rlimit both{limit, limit};
    return setrlimit(RLIMIT_NOFILE, &both) == 0 ? "ok" : std::strerror(errno);
  }
  if (command == "reap") {
    const pid_t child = std::stoi(first);
    kill(child, SIGKILL);
    return waitpid(child, nullptr, 0) == child ? "ok" : std::strerror(errno);
  }
  words >> second;
  if (command == "send") {
    const evs_group key = key_of(first);
    const iovec part{second.data(), second.size()};
    return cs_strerror(evs_mcast_groups(handle, EVS_TYPE_AGREED, &key, 1, &part, 1));
  }
  if (command == "until") return until(first, std::stoi(second));
  return "unknown command " + command;
}

}  // namespace

int main(int, char** argv) {
  std::string line;
  std::cout << "ready" << std::endl;
  while (std::getline(std::cin, line)) std::cout << answer(line, argv) << std::endl;
  _exit(0);  // whoever led us is gone; no farewell: that too is a way to die
}
