// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/hosts/fleet.cc - see fleet.h.
#include "tests/e2e/hosts/fleet.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "bus/runtime/sealing/key_file.h"
#include "tests/e2e/hosts/trace_file.h"
#include "tools/verify/trace_text.h"

namespace evs::test {
namespace {

constexpr int kStepMs = 5;

std::string fresh_directory() {
  std::string path = std::filesystem::temp_directory_path() / "evs-hosts-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no directory for traces");
  return path;
}

// A host's answer: "operational members=1,2 ring=5.1.7 sent=3 ...".
Status parse(const std::string& line) {
  Status status;
  std::istringstream words(line);
  words >> status.phase;
  for (std::string word; words >> word;) {
    const std::string key = word.substr(0, word.find('=')), value = word.substr(word.find('=') + 1);
    if (key == "members") status.members = value;
    if (key == "ring") status.ring = value;
    if (key == "sent") status.sent = std::stoull(value);
    if (key == "unstamped") status.unstamped = std::stoull(value);
    if (key == "delivered") status.delivered = std::stoull(value);
    if (key == "refused") status.refused = std::stoull(value);
  }
  status.answered = true;
  return status;
}

}  // namespace

Fleet::Fleet(size_t hosts, Options options) : options_(std::move(options)), directory_(fresh_directory()), wire_(hosts), hosts_(hosts) {
  signal(SIGPIPE, SIG_IGN);  // a host that is dead is said to be so
  for (Host& host : hosts_) host.key = options_.sealed ? "key" : "none";
}

Fleet::~Fleet() {
  for (size_t i = 0; i < hosts_.size(); ++i)
    if (alive(i)) kill(i);
  if (std::getenv("EVS_KEEP_TRACES") != nullptr || testing::Test::HasFailure()) printf("traces: %s\n", directory_.c_str());
  else std::filesystem::remove_all(directory_);
}

std::string Fleet::key_file(const std::string& name) {
  if (name == "none") return name;
  const std::string path = directory_ + "/" + name;
  if (std::filesystem::exists(path)) return path;
  const auto key = runtime::sealing::draw_key(1);
  if (!key || !runtime::sealing::write_key_file(path, runtime::sealing::Keyring(*key), runtime::sealing::KeyFileWrite::create))
    throw std::runtime_error("no key in " + path);
  return path;
}

void Fleet::use_key(size_t host, const std::string& name) { hosts_[host].key = name; }

std::string Fleet::file_of(size_t host, const std::string& kind) const {
  return directory_ + "/" + std::to_string(host + 1) + "." + std::to_string(hosts_[host].lives) + "." + kind;
}

std::vector<std::string> Fleet::log(size_t host) const {
  std::ifstream file(file_of(host, "log"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

size_t Fleet::told(size_t host, const std::string& words) const {
  const std::vector<std::string> lines = log(host);
  return static_cast<size_t>(std::count_if(lines.begin(), lines.end(), [&](const std::string& line) { return line.find(words) != std::string::npos; }));
}

void Fleet::start(size_t index) {
  Host& host = hosts_[index];
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::vector<std::string> command = {EVS_TEST_HOST, EVS_UDP_PLUGIN, directory_, std::to_string(index + 1), std::to_string(++host.lives), key_file(host.key)};
  command.insert(command.end(), options_.parameters.begin(), options_.parameters.end());
  const int errors = open(file_of(index, "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  host.pid = wire_.start(index, command, in[0], out[1], errors);
  close(errors);
  close(in[0]);
  close(out[1]);
  host.to = in[1];
  host.from = out[0];
  host.unread.clear();
}

void Fleet::start_all() {
  for (size_t i = 0; i < hosts_.size(); ++i)
    if (!alive(i)) start(i);
}

void Fleet::bury(size_t index) {
  Host& host = hosts_[index];
  waitpid(host.pid, nullptr, 0);
  close(host.to);
  close(host.from);
  host.pid = 0;
  TraceFile::cut(trace_of(index));
}

void Fleet::kill(size_t index) {
  ::kill(hosts_[index].pid, SIGKILL);
  bury(index);
}

void Fleet::pause(size_t index, bool paused) { ::kill(hosts_[index].pid, paused ? SIGSTOP : SIGCONT); }

void Fleet::tell(size_t index, const std::string& line) {
  const std::string whole = line + "\n";
  if (write(hosts_[index].to, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
    throw std::runtime_error("host " + std::to_string(index + 1) + " does not listen: it is dead, or was never there");
}

void Fleet::tell_all(const std::string& line) {
  for (size_t i = 0; i < hosts_.size(); ++i)
    if (alive(i)) tell(i, line);
}

bool Fleet::read_line(Host& host, std::string& line, int patience_ms) {
  for (;;) {
    if (const size_t end = host.unread.find('\n'); end != std::string::npos) {
      line = host.unread.substr(0, end);
      host.unread.erase(0, end + 1);
      return true;
    }
    pollfd fd{host.from, POLLIN, 0};
    if (poll(&fd, 1, patience_ms) <= 0) return false;
    char buffer[512];
    const ssize_t got = read(host.from, buffer, sizeof buffer);
    if (got <= 0) return false;
    host.unread.append(buffer, static_cast<size_t>(got));
  }
}

Status Fleet::status(size_t index) {
  tell(index, "status");
  std::string line;
  return read_line(hosts_[index], line, 10'000) ? parse(line) : Status();
}

void Fleet::go_on(int milliseconds) { poll(nullptr, 0, milliseconds); }

bool Fleet::until(const std::function<bool()>& done, int patience_ms) {
  for (int waited = 0; !done(); waited += kStepMs) {
    if (waited >= patience_ms) return false;
    poll(nullptr, 0, kStepMs);
  }
  return true;
}

bool Fleet::until_one_ring(int patience_ms) {
  return until(
      [&] {
        std::string ring, all;
        for (size_t i = 0; i < hosts_.size(); ++i)
          if (alive(i)) all += (all.empty() ? "" : ",") + std::to_string(i + 1);
        for (size_t i = 0; i < hosts_.size(); ++i) {
          if (!alive(i)) continue;
          const Status one = status(i);
          if (one.phase != "operational" || one.members != all || (!ring.empty() && one.ring != ring)) return false;
          ring = one.ring;
        }
        return true;
      },
      patience_ms);
}

bool Fleet::until_quiet() {
  std::vector<uint64_t> seen(hosts_.size());
  int still = 0;  // times in a row that nothing moved
  return until([&] {
    bool moved = false;
    for (size_t i = 0; i < hosts_.size(); ++i) {
      if (!alive(i)) continue;
      const Status one = status(i);
      moved |= one.unstamped != 0 || one.delivered != seen[i];
      seen[i] = one.delivered;
    }
    still = moved ? 0 : still + 1;
    return still == 40;
  });
}

std::string Fleet::judge(bool all_connected) {
  std::vector<uint32_t> living;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (!alive(i)) continue;
    living.push_back(static_cast<uint32_t>(i + 1));
    tell(i, "end");
    bury(i);
  }
  verify::Run run;
  std::string problems, reason;
  size_t events = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    if (entry.path().extension() != ".trace") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    if (!verify::read_trace(text.str(), entry.path().filename().string(), run, reason)) problems += reason + "\n";
  }
  for (const verify::Trace& trace : run.traces) events += trace.events.size();
  std::vector<verify::Violation> found = verify::check(run, {.quiescent = all_connected});
  if (all_connected) {
    const auto more = verify::check_liveness(run, {living});
    found.insert(found.end(), more.begin(), more.end());
  }
  for (const verify::Violation& one : found) problems += verify::to_text(one);
  printf("judged %zu lives, %zu events, of %zu hosts\n", run.traces.size(), events, hosts_.size());
  if (events == 0) problems += "nothing was seen\n";
  return problems;
}

}  // namespace evs::test
