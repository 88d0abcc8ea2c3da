// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/crowd.cc - see crowd.h.
#include "tests/e2e/buses/crowd.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "bus/runtime/sealing/key_file.h"
#include "tests/e2e/hosts/trace_file.h"
#include "tools/verify/check.h"
#include "tools/verify/trace_text.h"

namespace evs::test {
namespace {

constexpr int kStepMs = 5;
constexpr size_t kFirstConf = 0;  // of the events of a trace, which its boot is none of

std::string fresh(std::string path) {
  path += "XXXXXX";
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no directory " + path);
  return path;
}

Crowd::Status parse(const std::string& line) {
  Crowd::Status status;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    const std::string key = word.substr(0, word.find('=')), value = word.substr(word.find('=') + 1);
    if (key == "conf") status.conf = value;
    if (key == "members") status.members = value;
    if (key == "sent") status.sent = std::stoull(value);
    if (key == "own") status.own = std::stoull(value);
    if (key == "delivered") status.delivered = std::stoull(value);
    if (key == "epoch") status.epoch = std::stoull(value);
    if (key == "node") status.node = static_cast<uint32_t>(std::stoul(value));
  }
  status.answered = true;
  return status;
}

std::string field(const std::string& line, const std::string& key) {
  const size_t at = line.find(" " + key + "=");
  if (at == std::string::npos) return {};
  const size_t begin = at + key.size() + 2;
  return line.substr(begin, line.find(' ', begin) - begin);
}

// An application learns of the stamps of its messages when it reads them. They were stamped between its call and that, in the configuration that
// they name: earliest right behind the call, or where that configuration begins. Later would claim causes that there may not have been.
std::string with_sends_in_place(const std::string& text) {
  std::map<std::string, std::string> sends;                // by u
  std::map<std::string, std::vector<std::string>> late;    // by configuration, in the order of their calls
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("send ", 0) == 0) sends[field(line, "u")] = line;
    else lines.push_back(line);
  }
  std::string regular;
  for (const std::string& line : lines) {
    if (line.rfind("conf ", 0) == 0 && field(line, "type") == "reg") regular = field(line, "id");
    if (line.rfind("submit ", 0) != 0) continue;
    const auto send = sends.find(field(line, "u"));
    if (send != sends.end() && field(send->second, "ring") != regular) late[field(send->second, "ring")].push_back(send->second);
  }
  std::string out;
  for (const std::string& line : lines) {
    out += line + "\n";
    if (line.rfind("conf ", 0) == 0 && field(line, "type") == "reg") {
      regular = field(line, "id");
      for (const std::string& send : late[regular]) out += send + "\n";
    }
    if (line.rfind("submit ", 0) != 0) continue;
    const auto send = sends.find(field(line, "u"));
    if (send != sends.end() && field(send->second, "ring") == regular) out += send->second + "\n";
  }
  return out;
}

}  // namespace

Crowd::Crowd(size_t hosts, Options options)
    : options_(std::move(options)), traces_(fresh(std::filesystem::temp_directory_path() / "evs-buses-")), shared_(fresh("/dev/shm/evs-test-")), wire_(hosts) {
  for (size_t i = 0; i < hosts; ++i) std::filesystem::create_directory(board_of(i)), std::filesystem::create_directory(state_of(i));
  for (size_t i = 0; i < hosts; ++i) std::filesystem::permissions(board_of(i), std::filesystem::perms::owner_all);
  if (!options_.sealed) return;
  const auto key = runtime::sealing::draw_key(1);
  if (!key || !runtime::sealing::write_key_file(traces_ + "/key", runtime::sealing::Keyring(*key), runtime::sealing::KeyFileWrite::create))
    throw std::runtime_error("no key");
}

Crowd::~Crowd() {
  for (const auto& member : members_)
    if (member->process.alive()) bury(*member);
  std::filesystem::remove_all(shared_);
  if (std::getenv("EVS_KEEP_TRACES") != nullptr || testing::Test::HasFailure()) printf("traces: %s\n", traces_.c_str());
  else std::filesystem::remove_all(traces_);
}

std::string Crowd::board_of(size_t host) const { return shared_ + "/" + std::to_string(host + 1); }

std::string Crowd::state_of(size_t host) const { return traces_ + "/state" + std::to_string(host + 1); }

std::vector<std::string> Crowd::parameters_of(size_t host) const {
  std::vector<std::string> all = {std::string("plugins.path=") + EVS_PLUGIN_DIRECTORY, "local.directory=" + board_of(host), "uplink.transport=udp",
                                  "uplink.host_id=" + std::to_string(host + 1), "uplink.state_directory=" + state_of(host), "plugin.udp.interface=eth0", "log.level=info",
                                  options_.sealed ? "uplink.key_file=" + traces_ + "/key" : std::string("uplink.security=none")};
  all.insert(all.end(), options_.parameters.begin(), options_.parameters.end());
  return all;
}

size_t Crowd::start(size_t host, const std::vector<std::string>& more) {
  auto member = std::make_unique<Member>();
  member->host = host;
  member->trace = traces_ + "/" + std::to_string(host + 1) + "." + std::to_string(members_.size());
  std::vector<std::string> command = {EVS_TEST_MEMBER, member->trace};
  const std::vector<std::string> parameters = parameters_of(host);
  command.insert(command.end(), parameters.begin(), parameters.end());
  command.insert(command.end(), more.begin(), more.end());
  member->process.start([&](int input, int output) { return wire_.start(host, command, input, output); });
  members_.push_back(std::move(member));
  return members_.size() - 1;
}

void Crowd::cut_traces(const Member& member) {
  for (size_t life = 1; life == 1 || std::filesystem::exists(member.trace + "." + std::to_string(life) + ".trace"); ++life)
    TraceFile::cut(member.trace + (life == 1 ? "" : "." + std::to_string(life)) + ".trace");
}

void Crowd::bury(Member& member) {
  member.process.kill();
  cut_traces(member);
}

void Crowd::kill(size_t member) { bury(*members_.at(member)); }

void Crowd::leave(size_t index) {
  Member& member = *members_[index];
  member.process.tell("leave");
  member.process.wait();
  cut_traces(member);
}

void Crowd::reap() {
  for (const auto& member : members_) {
    int code = 0, status = 0;
    if (!member->process.has_ended(code, status)) continue;
    std::string line, last = member->died;
    while (member->process.answer(line, 0)) last = line;
    if (code == CLD_KILLED && status == SIGKILL && last.rfind("died ", 0) == 0) {
      ++deaths_[last.substr(5)];
      ++death_count_;
    } else {
      problems_ += "process " + std::to_string(member->process.pid()) + " ended by itself: " + (code == CLD_EXITED ? "exit " : "signal ") + std::to_string(status) + "\n";
    }
    bury(*member);
  }
}

size_t Crowd::alive_on(size_t host) const {
  size_t count = 0;
  for (size_t i = 0; i < size(); ++i) count += alive(i) && host_of(i) == host ? 1 : 0;
  return count;
}

std::map<std::string, std::string> Crowd::uplink_of(size_t host) const {
  std::map<std::string, std::string> values;
  std::ifstream file(board_of(host) + "/default.uplink");
  for (std::string name, value; file >> name && std::getline(file >> std::ws, value);) values[name] = value;
  return values;
}

bool Crowd::is_gateway(size_t index) const {
  const Member& member = *members_[index];
  return member.process.alive() && uplink_of(member.host)["evs_uplink_gateway_pid"] == std::to_string(member.process.pid());
}

size_t Crowd::gateway_of(size_t host) const {
  for (size_t i = 0; i < size(); ++i)
    if (members_[i]->host == host && is_gateway(i)) return i;
  return size();
}

bool Crowd::try_tell(size_t member, const std::string& line) {
  try {
    tell(member, line);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

void Crowd::tell_all(const std::string& line) {
  for (size_t i = 0; i < size(); ++i)
    if (alive(i)) try_tell(i, line);
}

Crowd::Status Crowd::status(size_t member) {
  std::string line;
  if (!try_tell(member, "status") || !process(member).answer(line, 15'000)) return {};
  if (line.rfind("died ", 0) != 0) return parse(line);
  members_[member]->died = line;
  return {};
}

uint64_t Crowd::told_of(size_t index, const std::string& members, uint64_t since) const {
  std::string trace;
  for (size_t life = 1; life == 1 || std::filesystem::exists(members_[index]->trace + "." + std::to_string(life) + ".trace"); ++life)
    trace = members_[index]->trace + (life == 1 ? "" : "." + std::to_string(life)) + ".trace";
  std::ifstream file(trace);
  for (std::string line; std::getline(file, line) && line[0] != '\0';) {
    if (line.rfind("conf ", 0) != 0 || field(line, "type") != "reg" || field(line, "members") != members) continue;
    if (const uint64_t at = std::stoull(field(line, "at")); at > since) return at;
  }
  return 0;
}

void Crowd::go_on(int milliseconds) { poll(nullptr, 0, milliseconds); }

bool Crowd::until(const std::function<bool()>& done, int patience_ms) {
  for (int waited = 0; !done(); waited += kStepMs) {
    if (waited >= patience_ms) return false;
    go_on(kStepMs);
  }
  return true;
}

bool Crowd::until_one(int patience_ms) {
  return until(
      [&] {
        std::vector<uint32_t> nodes;
        std::vector<Status> all;
        reap();
        for (size_t i = 0; i < size(); ++i)
          if (alive(i)) all.push_back(status(i));
        for (const Status& one : all) nodes.push_back(one.node);
        std::sort(nodes.begin(), nodes.end());
        std::string members;
        for (const uint32_t node : nodes) members += (members.empty() ? "" : ",") + std::to_string(node);
        return std::all_of(all.begin(), all.end(), [&](const Status& one) { return one.is_regular() && one.conf == all.front().conf && one.members == members; });
      },
      patience_ms);
}

uint64_t Crowd::until_primary(const std::vector<size_t>& members, uint64_t above, int patience_ms) {
  uint64_t epoch = 0;
  const bool came = until(
      [&] {
        reap();
        const Status first = status(members.front());
        epoch = first.epoch;
        return epoch > above && std::all_of(members.begin(), members.end(), [&](size_t member) {
                 const Status one = status(member);
                 return one.epoch == epoch && one.conf == first.conf;
               });
      },
      patience_ms);
  return came ? epoch : 0;
}

bool Crowd::until_quiet(int patience_ms) {
  std::vector<uint64_t> seen;
  int still = 0;
  return until(
      [&] {
        std::vector<uint64_t> now;
        bool moved = false;
        for (size_t i = 0; i < size(); ++i) {
          if (!alive(i)) continue;
          const Status one = status(i);
          moved |= one.own != one.sent;
          now.push_back(one.delivered);
        }
        moved |= now != seen;
        seen = std::move(now);
        still = moved ? 0 : still + 1;
        return still == 40;
      },
      patience_ms);
}

std::string Crowd::judge(bool all_connected) {
  std::vector<uint32_t> living;
  std::vector<size_t> alive_at_end;
  for (size_t i = 0; i < size(); ++i)
    if (alive(i)) alive_at_end.push_back(i);
  for (const size_t i : alive_at_end) living.push_back(status(i).node);
  tell_all("end");
  std::string line;
  for (const size_t i : alive_at_end)
    if (!process(i).answer(line, 10'000) || line != "ended") return "a process does not end its trace";
  for (const size_t i : alive_at_end) kill(i);
  verify::Run run;
  std::string problems = problems_, reason;
  size_t events = 0;
  for (const auto& entry : std::filesystem::directory_iterator(traces_)) {
    if (entry.path().extension() != ".trace") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    if (!text.str().empty() && !verify::read_trace(with_sends_in_place(text.str()), entry.path().filename().string(), run, reason)) problems += reason + "\n";
  }
  for (const verify::Trace& trace : run.traces) events += trace.events.size();
  std::vector<verify::Violation> found = verify::check(run, {.quiescent = all_connected});
  if (all_connected) {
    const auto more = verify::check_liveness(run, {living});
    found.insert(found.end(), more.begin(), more.end());
  }
  // A handle begins with the configuration that is in force when it is opened, which may be a later one than that in which its process came: what others saw of
  // the process before that is no contradiction.
  std::erase_if(found, [](const verify::Violation& one) { return one.predicate == "W6" && one.evidence.size() == 2 && one.evidence[1].event == kFirstConf; });
  for (const verify::Violation& one : found) problems += verify::to_text(one);
  printf("judged %zu lives, %zu events, on %zu hosts\n", run.traces.size(), events, hosts());
  if (events == 0) problems += "nothing was seen\n";
  return problems;
}

}  // namespace evs::test
