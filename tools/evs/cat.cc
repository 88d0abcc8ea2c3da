// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/cat.cc - one loop over four descriptors: stdin, the bus, stdout and the signals.
//
// Nothing here waits but poll(). A send that finds no room is kept and tried again when the bus calls `room` or has
// delivered something to us; until then stdin is not read, so whoever feeds us feels the pressure. Our own lines come
// back to us like everybody's (we joined the group), which is how we know that they are in the order when it is time to
// leave.
#include "tools/evs/cat.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "evs/evs.h"
#include "tools/evs/cat_format.h"
#include "tools/evs/clock.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/guarantee.h"
#include "tools/evs/line_reader.h"
#include "tools/evs/output.h"
#include "tools/evs/session.h"
#include "tools/evs/signals.h"
#include "tools/evs/text.h"

namespace evs::tools {

namespace {

constexpr uint64_t kNever = UINT64_MAX;
constexpr int kStepsPerTurn = 256;  // callbacks, and lines, before the other descriptors get their turn
constexpr size_t kReadBytes = 64 * 1024;
constexpr uint64_t kJoinPatience_ns = 10'000'000'000;

class Cat {
 public:
  explicit Cat(const CatOptions& options) : options_(options), output_(STDOUT_FILENO), lines_(0) {}

  int run();

 private:
  bool open();
  bool join();
  bool turn();  // false: something failed, failure_ says what
  bool dispatch_some();
  bool send_some();
  bool read_input();
  void take_stock();  // did what we wait for happen?
  bool wait();
  bool finished() const { return leaving_; }
  uint64_t deadline() const;
  bool fail(std::string sentence) {
    failure_ = std::move(sentence);
    return false;
  }

  void on_message(const evs_message_t& message);
  void on_configuration(const evs_configuration_t& configuration);
  void on_group(const evs_group_change_t& change);
  void tell_who_was_there(evs_group_change_t change);
  void tell(const std::string& line) {
    if (options_.verbose) std::fprintf(stderr, "evs cat: %s\n", line.c_str());
  }
  bool prints_events() const { return options_.json && !options_.send_only; }

  const CatOptions& options_;
  LeaveSignals signals_;  // before the session: the bus's threads inherit the blocked signals
  Output output_;
  LineReader lines_;
  Session session_;
  int bus_descriptor_ = -1;
  uint32_t nodeid_ = 0;
  uint64_t message_limit_ = 0;

  bool input_ended_ = false;
  bool waits_for_room_ = false;
  bool more_to_dispatch_ = false;
  bool leaving_ = false;
  bool was_expelled_ = false;
  uint64_t delivered_ = 0;
  uint64_t own_outstanding_ = 0;
  uint32_t sent_as_ = 0;  // whose those are: a send may have joined again, under another nodeid
  uint64_t last_arrival_ns_ = 0;
  uint64_t all_sent_ns_ = kNever;  // when stdin had ended and its last line was delivered
  std::string failure_;
};

int Cat::run() {
  bool well = open();
  while (well && !finished()) well = turn();
  session_.close();
  signals_.restore();  // what is left to print may wait for its reader: a signal ends us now
  if (output_.error() == 0) output_.flush();
  if (output_.error() != 0) {
    if (output_.error() != EPIPE || failure_.empty())
      failure_ = std::string("stdout: ") + std::strerror(output_.error());
    well = false;
  }
  if (!well) {
    std::fprintf(stderr, "evs cat: %s\n", failure_.c_str());
    return session_.badly_configured() ? kExitUsage : kExitFailure;
  }
  return was_expelled_ ? kExitLost : kExitOk;
}

bool Cat::open() {
  evs_callbacks_ex_t callbacks{};
  callbacks.struct_size = sizeof callbacks;
  callbacks.deliver = [](evs_handle_t, void* self, const evs_message_t* message) {
    static_cast<Cat*>(self)->on_message(*message);
  };
  callbacks.configure = [](evs_handle_t, void* self, const evs_configuration_t* configuration) {
    static_cast<Cat*>(self)->on_configuration(*configuration);
  };
  callbacks.group_changed = [](evs_handle_t, void* self, const evs_group_change_t* change) {
    static_cast<Cat*>(self)->on_group(*change);
  };
  callbacks.room = [](evs_handle_t, void* self) { static_cast<Cat*>(self)->waits_for_room_ = false; };
  if (!session_.open(options_.bus, callbacks, this, signals_)) return fail(session_.error());
  evs_limits_t limits{};
  limits.struct_size = sizeof limits;
  if (const cs_error_t error = ::evs_limits(session_.handle(), &limits); error != CS_OK)
    return fail(call_failed("evs_limits", error));
  message_limit_ = limits.message_bytes;
  if (!options_.name.empty() && options_.name.size() + 2 > message_limit_)
    return fail("--name has " + std::to_string(options_.name.size()) + " bytes: with it no line fits into a message of " +
                show_bytes(message_limit_));
  lines_ = LineReader(message_limit_ -
                      std::min<uint64_t>(message_limit_, options_.name.empty() ? 0 : options_.name.size() + 2));
  if (const cs_error_t error = evs_fd_get(session_.handle(), &bus_descriptor_); error != CS_OK)
    return fail(call_failed("evs_fd_get", error));
  evs_membership_get(session_.handle(), &nodeid_, nullptr, nullptr);
  input_ended_ = options_.listen;
  last_arrival_ns_ = monotonic_ns();
  return join();
}

// A join has no `room` callback of its own: a full ring drains as we and the others read, so reading is what we do.
bool Cat::join() {
  std::vector<evs_group> groups;
  for (const std::string& name : options_.groups.empty() ? std::vector<std::string>{kDefaultGroup} : options_.groups) {
    evs_group group;
    std::memcpy(group.key, parse_group(name)->data(), sizeof group.key);
    groups.push_back(group);
  }
  const uint64_t give_up = monotonic_ns() + kJoinPatience_ns;
  for (size_t done = 0; done < groups.size();) {
    const size_t count = std::min<size_t>(groups.size() - done, EVS_MAX_GROUPS_PER_CALL);
    const cs_error_t error = evs_join(session_.handle(), groups.data() + done, count);
    if (error == CS_OK) {
      done += count;
      continue;
    }
    if (error != CS_ERR_TRY_AGAIN || monotonic_ns() >= give_up) return fail(call_failed("evs_join", error));
    if (!dispatch_some()) return false;
    pollfd wanted[] = {{bus_descriptor_, POLLIN, 0}, {signals_.descriptor(), POLLIN, 0}};
    constexpr int kRetryJoin_ms = 10;
    poll(wanted, 2, kRetryJoin_ms);
    if (signals_.take()) {
      leaving_ = true;
      return true;
    }
  }
  return true;
}

bool Cat::turn() {
  if (!output_.crowded() && !dispatch_some()) return false;
  if (!send_some()) return false;
  take_stock();
  return finished() || wait();
}

bool Cat::dispatch_some() {
  for (int step = 0; step < kStepsPerTurn && !leaving_ && !output_.crowded(); ++step) {
    const cs_error_t error = evs_dispatch(session_.handle(), CS_DISPATCH_ONE_NONBLOCKING);
    if (error == CS_ERR_TRY_AGAIN) {
      more_to_dispatch_ = false;
      return true;
    }
    if (error != CS_OK) return fail(call_failed("evs_dispatch", error));
  }
  more_to_dispatch_ = true;
  return true;
}

bool Cat::send_some() {
  const std::string prefix = options_.name.empty() ? std::string() : options_.name + ": ";
  for (int step = 0; step < kStepsPerTurn && !waits_for_room_ && !leaving_; ++step) {
    if (lines_.too_long())
      return fail("line " + std::to_string(lines_.lines_taken() + 1) +
                  " of stdin is longer than a message of this bus may be (" + show_bytes(message_limit_) +
                  "); local.message_limit of the process that creates the bus raises it");
    const auto line = lines_.peek();
    if (!line) return true;
    iovec parts[] = {{const_cast<char*>(prefix.data()), prefix.size()},
                     {const_cast<char*>(line->data()), line->size()}};
    const cs_error_t error = evs_mcast_joined(session_.handle(), guarantee_of(options_.guarantee), parts, 2);
    if (error == CS_ERR_TRY_AGAIN) {
      waits_for_room_ = true;
      return true;
    }
    if (error != CS_OK) return fail(call_failed("evs_mcast_joined", error));
    lines_.take();
    uint32_t now = 0;
    evs_membership_get(session_.handle(), &now, nullptr, nullptr);
    if (now != sent_as_) own_outstanding_ = 0;
    sent_as_ = now;
    ++own_outstanding_;
  }
  return true;
}

bool Cat::read_input() {
  char bytes[kReadBytes];
  const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
  if (got > 0) {
    lines_.feed({bytes, static_cast<size_t>(got)});
  } else if (got == 0) {
    input_ended_ = true;
    lines_.end_of_input();
  } else if (errno != EINTR && errno != EAGAIN) {
    return fail(std::string("stdin: ") + std::strerror(errno));
  }
  return true;
}

void Cat::take_stock() {
  if (options_.count != 0 && delivered_ >= options_.count) leaving_ = true;
  if (all_sent_ns_ == kNever && input_ended_ && !lines_.peek() && own_outstanding_ == 0) all_sent_ns_ = monotonic_ns();
  if (all_sent_ns_ == kNever) return;
  if (options_.send_only || monotonic_ns() >= deadline()) leaving_ = true;
}

// When we leave if nothing happens. Idle time counts from the last arrival or, when that came earlier, from the end of
// our own sending.
uint64_t Cat::deadline() const {
  uint64_t earliest = kNever;
  if (all_sent_ns_ == kNever) return earliest;
  if (options_.linger_ns) earliest = std::min(earliest, all_sent_ns_ + *options_.linger_ns);
  if (options_.until_idle_ns && !more_to_dispatch_)
    earliest = std::min(earliest, std::max(all_sent_ns_, last_arrival_ns_) + *options_.until_idle_ns);
  return earliest;
}

bool Cat::wait() {
  const bool line_waits = lines_.peek().has_value();
  const bool reads_input = !input_ended_ && !line_waits;
  pollfd wanted[] = {{signals_.descriptor(), POLLIN, 0},
                     {output_.crowded() ? -1 : bus_descriptor_, POLLIN, 0},
                     {reads_input ? STDIN_FILENO : -1, POLLIN, 0},
                     {output_.empty() ? -1 : output_.descriptor(), POLLOUT, 0}};
  const bool at_once = (more_to_dispatch_ && !output_.crowded()) || (line_waits && !waits_for_room_);
  timespec left{}, *timeout = &left;
  if (!at_once) {
    const uint64_t until = deadline(), now = monotonic_ns();
    const uint64_t ns = until <= now ? 0 : until - now;
    left = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    if (until == kNever) timeout = nullptr;
  }
  if (ppoll(wanted, std::size(wanted), timeout, nullptr) < 0)
    return errno == EINTR || fail(std::string("poll: ") + std::strerror(errno));
  if (wanted[0].revents != 0 && signals_.take()) leaving_ = true;
  if (wanted[2].revents != 0 && !read_input()) return false;
  if (wanted[3].revents != 0 && !output_.write_some()) return false;
  return true;
}

void Cat::on_message(const evs_message_t& message) {
  if (leaving_) return;
  ++delivered_;
  last_arrival_ns_ = monotonic_ns();
  waits_for_room_ = false;  // we read, so there may be room now
  if (message.nodeid == nodeid_ && own_outstanding_ > 0) --own_outstanding_;
  if (options_.count != 0 && delivered_ >= options_.count) leaving_ = true;
  if (options_.send_only) return;
  if (options_.json) {
    output_.append(message_json(message, unix_ns()));
  } else {
    output_.append({static_cast<const char*>(message.data), message.size});
    output_.append("\n");
  }
}

void Cat::on_configuration(const evs_configuration_t& configuration) {
  if ((configuration.flags & EVS_CONFIGURATION_EXPELLED) != 0) {
    was_expelled_ = true;
    uint32_t now = 0;
    evs_membership_get(session_.handle(), &now, nullptr, nullptr);
    if (sent_as_ != now) own_outstanding_ = 0;  // what was under way under the old nodeid never comes back to us
    if (!options_.verbose) std::fprintf(stderr, "evs cat: %s\n", configuration_text(configuration).c_str());
  }
  evs_membership_get(session_.handle(), &nodeid_, nullptr, nullptr);
  tell(configuration_text(configuration));
  if (prints_events()) output_.append(configuration_json(configuration, unix_ns()));
}

void Cat::on_group(const evs_group_change_t& change) {
  tell(group_text(change));
  if (prints_events()) output_.append(group_json(change, unix_ns()));
  if (change.nodeid == nodeid_ && change.reason == EVS_REASON_JOINED) tell_who_was_there(change);
}

// Changes are told from the own join on; who had joined before is asked for there.
void Cat::tell_who_was_there(evs_group_change_t change) {
  if (!options_.verbose && !prints_events()) return;
  size_t count = 0;
  if (evs_group_members(session_.handle(), &change.group, nullptr, &count) != CS_OK) return;
  std::vector<evs_member_t> members(count);
  if (count == 0 || evs_group_members(session_.handle(), &change.group, members.data(), &count) != CS_OK) return;
  members.resize(std::min(count, members.size()));
  for (const evs_member_t& member : members) {
    if (member.nodeid == nodeid_) continue;
    change.nodeid = member.nodeid;
    change.pid = member.pid;
    change.reason = EVS_REASON_NONE;
    tell(group_text(change));
    if (prints_events()) output_.append(group_json(change, unix_ns()));
  }
}

}  // namespace

int run_cat(const CatOptions& options) {
  return Cat(options).run();
}

}  // namespace evs::tools
