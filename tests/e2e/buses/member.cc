// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/member.cc - evs-test-member: an application on a bus that spans hosts, by the public API alone, with a trace of what it was told. Driven by lines:
//
//   load N      sends N messages a second, of all guarantees and many sizes, from here on
//   stop        reads nothing more; go: reads again
//   status      answers "conf=NAME|joining|transitional members=1,2 sent=N own=N delivered=N node=N epoch=N"
//   join NAME   joins one more group; told NAME: answers "N,N,...", the nodeids of those whose joining that group it was told of, in turn, or "-";
//               members NAME: who is there, sorted, or why that cannot be said
//   end         writes the trace's end, says so, and sees nothing more
//   leave       finalizes, and exits
//   die N NAME  ends at the Nth store of its gateway from here on, of that name or of all (mortal.h); in evs-test-mortal alone
//
// evs-test-member TRACE key=value ...      TRACE.trace, and parameters of the configuration; die=N,NAME is such a line, obeyed first; plant=N (mortal.h)
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evs/evs.h"
#include "tests/e2e/buses/mortal.h"
#include "tests/e2e/hosts/trace_file.h"
#include "tests/support/content_hash.h"
#include "tests/support/dice.h"

namespace evs::test {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr evs_group kGroup = {"everybody"};

uint64_t clock_ns(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<uint64_t>(at.tv_sec) * kSecond + static_cast<uint64_t>(at.tv_nsec);
}

[[noreturn]] void give_up(const std::string& why) {
  fprintf(stderr, "member: %s\n", why.c_str());
  _exit(2);
}

// What every message begins with: who sent it, in which life, and its number.
struct Stamp {
  uint32_t node;
  uint32_t padding;
  uint64_t life, number;
};

class Member {
 public:
  Member(int argc, char** argv) {
    for (int i = 2; i < argc; ++i) {
      const std::string one = argv[i];
      if (one.rfind("plant=", 0) == 0) {
        plant(static_cast<unsigned>(std::stoul(one.substr(6))));
        continue;
      }
      if (one.rfind("die=", 0) == 0) {
        obey("die " + one.substr(4));
        continue;
      }
      values_.emplace_back(one.substr(0, one.find('=')), one.substr(one.find('=') + 1));
    }
    for (const auto& [key, value] : values_) parameters_.push_back({key.c_str(), value.c_str()});
    while (!open(argv[1])) {}
  }

  int run() {
    int fd = -1;
    if (evs_fd_get(handle_, &fd) != CS_OK) give_up("no descriptor");
    std::string input;
    for (;;) {
      if (reads_ && evs_dispatch(handle_, CS_DISPATCH_ALL) != CS_OK) give_up("dispatch failed");
      send_load();
      const uint64_t now = clock_ns(CLOCK_MONOTONIC);
      const int patience = rate_ == 0 ? -1 : next_ <= now ? 0 : static_cast<int>((next_ - now) / 1'000'000 + 1);
      pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {reads_ ? fd : -1, POLLIN, 0}};
      poll(fds, 2, patience);
      if (fds[0].revents == 0) continue;
      char buffer[256];
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      if (got <= 0) return 1;
      input.append(buffer, static_cast<size_t>(got));
      for (size_t end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
        if (!obey(input.substr(0, end))) return 0;
        input.erase(0, end + 1);
      }
    }
  }

 private:
  // False: it was told of several changes at once, as a handle is that has joined nothing yet. That life was one, and is over; it comes anew.
  bool open(const std::string& trace) {
    life_ = clock_ns(CLOCK_REALTIME) / 1000;
    trace_.emplace(trace + (lives_++ == 0 ? "" : "." + std::to_string(lives_)) + ".trace");
    evs_callbacks_ex_t callbacks{};
    callbacks.struct_size = sizeof callbacks;
    callbacks.deliver = [](evs_handle_t, void* self, const evs_message_t* message) { static_cast<Member*>(self)->on_message(*message); };
    callbacks.configure = [](evs_handle_t, void* self, const evs_configuration_t* conf) { static_cast<Member*>(self)->on_configuration(*conf); };
    callbacks.group_changed = [](evs_handle_t, void* self, const evs_group_change_t* change) { static_cast<Member*>(self)->on_group(*change); };
    char error[1024] = "";
    evs_options_t options{};
    options.struct_size = sizeof options;
    options.parameters = parameters_.data();
    options.parameter_entries = parameters_.size();
    options.callbacks_ex = &callbacks;
    options.context = this;
    options.error = error;
    options.error_size = sizeof error;
    if (const cs_error_t answer = evs_initialize_ex(&handle_, &options); answer != CS_OK) give_up(std::string(cs_strerror(answer)) + ": " + error);
    evs_status_t status{};
    status.struct_size = sizeof status;
    evs_status(handle_, &status);
    node_ = status.nodeid;
    trace_->line("evs-trace 1");
    trace_->line("boot process=" + name() + " level=process");
    while (evs_join(handle_, &kGroup, 1) == CS_ERR_TRY_AGAIN) poll(nullptr, 0, 1);
    merged_ = joined_ = false;
    if (evs_dispatch(handle_, CS_DISPATCH_ALL) != CS_OK) give_up("dispatch failed");
    if (!merged_) return true;
    trace_->line("fail");
    evs_finalize(handle_);
    trace_.reset();
    return false;
  }

  std::string name() const { return std::to_string(node_) + "." + std::to_string(life_); }

  void say(const std::string& line) {
    if (!ended_) trace_->line(line);
  }

  static std::string list(const evs_member_t* members, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += (text.empty() ? "" : ",") + std::to_string(members[i].nodeid);
    return text;
  }

  void on_configuration(const evs_configuration_t& conf) {
    const bool regular = conf.kind == EVS_CONFIGURATION_REGULAR;
    const std::string id = std::to_string(conf.id.nodeid) + "-" + std::to_string(conf.id.seq);
    std::string line = "conf id=" + id + (regular ? " type=reg" : " type=trans reg=" + regular_) + " ring_seq=" + std::to_string(conf.id.seq) +
                       " members=" + list(conf.members, conf.member_entries);
    if (const std::string joined = list(conf.joined, conf.joined_entries); !joined.empty()) line += " joined=" + joined;
    if (const std::string left = list(conf.left, conf.left_entries); !left.empty()) line += " left=" + left;
    line += " at=" + std::to_string(clock_ns(CLOCK_MONOTONIC));
    merged_ |= (conf.flags & EVS_CONFIGURATION_MERGED) != 0;
    if (merged_) return;
    say(line);
    conf_ = id;
    if (!regular && conf.epoch != 0) give_up("a transitional configuration has an epoch");
    if (!regular) return;
    regular_ = id;
    members_ = list(conf.members, conf.member_entries);
    epoch_ = conf.epoch;
    if (((conf.flags & EVS_CONFIGURATION_PRIMARY) != 0) != (epoch_ != 0)) give_up("flags and epoch of " + id + " contradict each other");
    if (epoch_ != 0) say("prim conf=" + id + " epoch=" + std::to_string(epoch_));
  }

  void on_message(const evs_message_t& message) {
    static constexpr const char* kNames[] = {"unordered", "fifo", "agreed", "safe"};
    Stamp stamp{};
    if (message.size < sizeof stamp) give_up("a message without a stamp");
    std::memcpy(&stamp, message.data, sizeof stamp);
    if (stamp.node != message.nodeid) give_up("a message of another sender");
    char place[256];
    snprintf(place, sizeof place, "ring=%s seq=%llu service=%s hash=%llx", regular_.c_str(), static_cast<unsigned long long>(message.sequence + 1),
             kNames[message.guarantee & 3],
             static_cast<unsigned long long>(content_hash({static_cast<const std::byte*>(message.data), message.size})));
    // Only the order says where a message was stamped, and its sender learns it when it reads it: crowd.cc puts the line where it belongs.
    if (stamp.node == node_ && stamp.life == life_) {
      say(std::string("send ") + place + " u=" + std::to_string(stamp.number));
      ++own_;
    }
    say("deliver conf=" + conf_ + " " + place + " sender=" + std::to_string(stamp.node) + "." + std::to_string(stamp.life));
    ++delivered_;
  }

  void on_group(const evs_group_change_t& change) {
    joined_ |= change.nodeid == node_;
    if (change.reason != EVS_REASON_JOINED) return;
    std::string& told = told_[std::string(change.group.key, strnlen(change.group.key, sizeof change.group.key))];
    told += (told.empty() ? "" : ",") + std::to_string(change.nodeid);
  }

  std::string members_of(const std::string& name) const {
    evs_group group{};
    name.copy(group.key, sizeof group.key - 1);
    evs_member_t members[64];
    size_t count = 64;
    if (const cs_error_t answer = evs_group_members(handle_, &group, members, &count); answer != CS_OK) return cs_strerror(answer);
    std::sort(members, members + count, [](const evs_member_t& a, const evs_member_t& b) { return a.nodeid < b.nodeid; });
    return list(members, count);
  }

  bool send() {
    std::vector<std::byte> message(sizeof(Stamp) + (dice_.one_in(50) ? dice_.below(40000) : dice_.below(300)));
    for (std::byte& b : message) b = static_cast<std::byte>(dice_.next());
    const Stamp stamp{node_, 0, life_, sent_ + 1};
    std::memcpy(message.data(), &stamp, sizeof stamp);
    const iovec iov{message.data(), message.size()};
    const cs_error_t answer = evs_mcast_groups(handle_, static_cast<evs_guarantee_t>(dice_.below(4)), &kGroup, 1, &iov, 1);
    if (answer == CS_OK) {
      say("submit u=" + std::to_string(++sent_));
    }
    if (answer != CS_OK && answer != CS_ERR_TRY_AGAIN) give_up(std::string("a send answered ") + cs_strerror(answer));
    return answer == CS_OK;
  }

  void send_load() {
    while (rate_ != 0 && clock_ns(CLOCK_MONOTONIC) >= next_) {
      send();
      next_ += kSecond / rate_;
    }
  }

  bool obey(const std::string& line) {
    if (line.rfind("load ", 0) == 0) {
      rate_ = strtoull(line.c_str() + 5, nullptr, 10);
      next_ = clock_ns(CLOCK_MONOTONIC);
    } else if (line == "stop" || line == "go") {
      reads_ = line == "go";
    } else if (line == "status") {
      printf("conf=%s members=%s sent=%llu own=%llu delivered=%llu node=%u epoch=%llu\n", !joined_ ? "joining" : conf_ == regular_ ? conf_.c_str() : "transitional", members_.c_str(),
             static_cast<unsigned long long>(sent_), static_cast<unsigned long long>(own_), static_cast<unsigned long long>(delivered_), node_,
             static_cast<unsigned long long>(conf_ == regular_ ? epoch_ : 0));
      fflush(stdout);
    } else if (line.rfind("join ", 0) == 0) {
      evs_group group{};
      line.copy(group.key, sizeof group.key - 1, 5);
      while (evs_join(handle_, &group, 1) == CS_ERR_TRY_AGAIN) poll(nullptr, 0, 1);
    } else if (line.rfind("told ", 0) == 0) {
      const std::string& told = told_[line.substr(5)];
      printf("%s\n", told.empty() ? "-" : told.c_str());
      fflush(stdout);
    } else if (line.rfind("members ", 0) == 0) {
      printf("%s\n", members_of(line.substr(8)).c_str());
      fflush(stdout);
    } else if (line == "end") {
      say("end");
      ended_ = true;
      printf("ended\n");
      fflush(stdout);
    } else if (line.rfind("die ", 0) == 0) {
      const size_t name = line.find_first_of(" ,", 4);
      die_at(std::stoull(line.substr(4)), name == std::string::npos ? "" : line.substr(name + 1));
    } else if (line == "leave") {
      say("fail");
      evs_finalize(handle_);
      return false;
    } else {
      give_up("what is '" + line + "'?");
    }
    return true;
  }

  std::vector<std::pair<std::string, std::string>> values_;
  std::vector<evs_parameter_t> parameters_;
  uint64_t life_ = 0, lives_ = 0;
  std::optional<TraceFile> trace_;
  Dice dice_{clock_ns(CLOCK_MONOTONIC)};
  evs_handle_t handle_ = 0;
  uint32_t node_ = 0;
  std::string conf_, regular_, members_;
  uint64_t sent_ = 0, own_ = 0, delivered_ = 0, rate_ = 0, next_ = 0, epoch_ = 0;
  bool reads_ = true, merged_ = false, ended_ = false;
  bool joined_ = false;  // its group: from here on it reads all
  std::map<std::string, std::string> told_;
};

}  // namespace
}  // namespace evs::test

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: evs-test-member TRACE [key=value ...]\n");
    return 2;
  }
  return evs::test::Member(argc, argv).run();
}
