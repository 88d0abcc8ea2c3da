// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/takeover/players.cc - the parts that are played by processes of their own.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <deque>
#include <random>

#include "tests/conformance/role.h"
#include "tests/conformance/takeover/board.h"

namespace evs::conformance {
namespace {

int write_on(const std::string& bus, Board& board, uint32_t writer) {
  Member member(bus);
  std::mt19937 dice(writer + 1);
  for (uint64_t number = 0; board.writers_finish == 0;) {
    const Message message = to("g", certified(writer, number, dice() % (dice() % 16 == 0 ? 12000 : 600)));
    const int32_t status = member.append(message);
    if (status == EVS_P_OK) {
      board.written[writer] = ++number;
    } else if (status == EVS_P_AGAIN) {
      ++board.refused[writer];
      member.ops().wait_room(member.self(), message.data.size(), 1, 20 * kMs);
    } else {
      board.complain("writer " + std::to_string(writer) + ": append answered " + std::to_string(status));
      return 1;
    }
  }
  return 0;
}

// What a gateway has read of each writer: from the pin on every number, and none beyond what its predecessors had read.
class Ledger {
 public:
  explicit Ledger(Board& board) : board_(board) {}
  bool take(const Got& got) {
    uint32_t writer = 0;
    uint64_t number = 0;
    if (!certifies(got.data, writer, number)) return wrong("a torn message at " + std::to_string(got.position));
    const std::string whose = "of writer " + std::to_string(writer) + ": ";
    if (!known_[writer]) {
      known_[writer] = true;
      const uint64_t seen = board_.seen_next[writer];  // 0: nobody has read of it, and the pin was set in the middle of what it writes
      if (seen != 0 && number > seen) return wrong(whose + "begins at " + std::to_string(number) + ", read was up to " + std::to_string(seen));
    } else if (number != next_[writer]) {
      return wrong(whose + std::to_string(number) + " follows " + std::to_string(next_[writer] - 1));
    }
    next_[writer] = number + 1;
    if (next_[writer] > board_.seen_next[writer]) board_.seen_next[writer] = next_[writer];
    return true;
  }

 private:
  bool wrong(const std::string& what) {
    board_.complain(what);
    return false;
  }
  Board& board_;
  bool known_[kWriters] = {};
  uint64_t next_[kWriters] = {};
};

int be_gateway(const std::string& bus, Board& board, uint32_t seed) {
  Member member(bus);
  Ledger ledger(board);
  Role role(member);
  if (role.status != EVS_P_OK) {
    board.complain("the role's open() answered " + std::to_string(role.status));
    return 1;
  }
  ++board.opened;
  const evs_plugin_group g = group("g");
  role.reader->ops().interest_add(role.reader->cursor(), &g, 1);
  std::mt19937 dice(seed);
  std::deque<uint64_t> held;
  while (board.gateway_finishes == 0) {
    role.reader->got().clear();
    const int32_t status = role.reader->read();
    for (const Got& got : role.reader->got()) {
      if (!ledger.take(got)) return 1;
      held.push_back(got.position);
      ++board.read_total;
    }
    if (status == EVS_P_AGAIN) {
      role.reader->ops().wait(role.reader->cursor(), 20 * kMs);
    } else if (status != EVS_P_OK) {
      board.complain("read() answered " + std::to_string(status));
      return 1;
    }
    for (size_t most = dice() % 200; held.size() > most;) held.pop_front();
    if (!held.empty() && role.keep(held.front()) != EVS_P_OK) board.complain("keep() failed");
  }
  return 0;
}

struct Deadly {
  Board& board;
  uint64_t die_at;  // the append in whose before_commit it dies; 0: in the first that begins a lap
  uint64_t capacity;
};

// As a gateway appends what came from elsewhere. Killed by its plan, or by a crash point.
int append_until_death(const std::string& bus, Board& board, uint64_t die_at, size_t size) {
  Member member(bus);
  Role role(member);
  evs_ordered_usage usage{};
  member.ops().usage(member.self(), &usage);
  Deadly deadly{board, die_at, usage.capacity_bytes};
  uint64_t position = 0;
  const uint64_t bytes = (32 + 32 + size + 63) / 64 * 64;
  board.expected = role.begun;
  for (uint64_t count = 1; count < 10000; ++count) {
    const auto before = [](void* context, uint64_t at) {
      auto& d = *static_cast<Deadly*>(context);
      d.board.told = at;
      const bool now = d.die_at != 0 ? d.board.appended + 1 == d.die_at : at % d.capacity == 0;
      if (now) raise(SIGKILL);
    };
    while (member.append(to("g", std::string(size, 'x')), &position, before, &deadly) == EVS_P_AGAIN)
      member.ops().wait_room(member.self(), size, 1, kSecond);
    ++board.appended;
    role.keep(position);
    board.expected = position + bytes;
  }
  return 3;
}

// Opens the role, and reads nothing.
int open_only(const std::string& bus, Board& board) {
  Member member(bus);
  Role role(member);
  board.told = role.begun;
  ++board.opened;
  while (board.gateway_finishes == 0) usleep(1000);
  return role.status;
}

// Asks for what the appender had under way, again and again.
int settle_on(const std::string& bus, Board& board) {
  Member member(bus);
  ++board.opened;
  while (board.writers_finish == 0) usleep(1000);
  Role role(member);
  uint32_t committed = 0;
  while (role.settle(board.expected, committed) == EVS_P_AGAIN) ++board.read_total;
  return static_cast<int>(committed);
}

// One thread, three transports: the order ring for handles, the order ring for the role, the outbox.
class Trio {
 public:
  Trio(const std::string& order, const std::string& outbox) : hosts_{Host(order), Host(order), Host(outbox)} {
    std::vector<evs_plugin_parameter> parameters;
    for (const auto& [key, value] : options().parameters) parameters.push_back({key.c_str(), value.c_str()});
    for (Host& host : hosts_) {
      auto created = runtime::Transport::create(plugin(), host.table(), parameters);
      if (!created) throw std::runtime_error(created.failure().text);
      transports_.push_back(std::move(*created));
    }
  }
  // All of it on the calling thread, joining and leaving included.
  void serve(Board& board, std::atomic<bool>& leave) {
    std::vector<runtime::ServiceCalls> calls;
    for (auto& transport : transports_) {
      calls.push_back(transport.service());
      if (calls.back().begin()) throw std::runtime_error("begin failed");
    }
    for (auto& transport : transports_)
      if (auto failure = transport.start(kLong)) throw std::runtime_error(failure->text);
    for (const size_t i : {1, 2}) {
      const auto* table = transports_[i].extension<evs_role_extension>(EVS_EXTENSION_ROLE);
      evs_cursor* cursor = nullptr;
      uint64_t at = 0;
      if (table->open(transports_[i].self(), &cursor, &at) != EVS_P_OK) throw std::runtime_error("no role");
    }
    ++board.opened;
    while (!leave) {
      pollfd fds[6];
      for (size_t i = 0; i < 3; ++i) {
        calls[i].work(now_ns());
        fds[2 * i] = {hosts_[i].wake_fd(), POLLIN, 0};
        fds[2 * i + 1] = {calls[i].fd(), POLLIN, 0};
      }
      poll(fds, 6, 20);
      uint64_t count = 0;
      for (Host& host : hosts_) static_cast<void>(!::read(host.wake_fd(), &count, sizeof count));
    }
    for (const size_t i : {1, 0, 2}) transports_[i].stop();
    for (runtime::ServiceCalls& call : calls) call.end();
    transports_.clear();
  }

 private:
  Host hosts_[3];
  std::vector<runtime::Transport> transports_;
};

int be_three(const std::string& order, const std::string& outbox, Board& board, const std::string& ending) {
  Trio trio(order, outbox);
  std::atomic<bool> leave{false};
  std::thread service([&] { trio.serve(board, leave); });
  while (board.writers_finish == 0) usleep(1000);
  if (ending == "leaves") leave = true;
  if (ending == "forks" && fork() == 0) {
    while (board.gateway_finishes == 0) usleep(1000);
    _exit(0);
  }
  if (ending != "leaves") execl("/bin/sleep", "sleep", "60", nullptr);
  service.join();
  return 0;
}

}  // namespace

int play(const std::vector<std::string>& words) {
  const std::string& part = words.at(0);
  Board& board = open_board(words.at(1));
  const auto number = [&](size_t i) { return std::stoul(words.at(i)); };
  if (part == "writer") return write_on(words.at(2), board, static_cast<uint32_t>(number(3)));
  if (part == "gateway") return be_gateway(words.at(2), board, static_cast<uint32_t>(number(3)));
  if (part == "opener") return open_only(words.at(2), board);
  if (part == "settler") return settle_on(words.at(2), board);
  if (part == "appender") return append_until_death(words.at(2), board, number(3), number(4));
  if (part == "three") return be_three(words.at(2), words.at(3), board, words.at(4));
  return 2;
}

}  // namespace evs::conformance
