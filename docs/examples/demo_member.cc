// SPDX-License-Identifier: BSD-3-Clause
//
// demo_member.cc - demo_member.c over again in C++ with evs/evs.hpp: the same arguments, commands, reports and record, byte
// by byte, so that the two can stand in one demonstration and be compared; read them side by side.
//
//   demo_member_cc NAME TEXT RECORD RATE      lines a second; 0: as fast as the bus takes them
//
// It receives by pulling events with next(): no callbacks, no context pointer, and one place where the order is written
// down.
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <evs/evs.hpp>

namespace {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC: the referee compares it with its own

constexpr evs::Group kGroups[] = {"demo.even", "demo.odd"};
constexpr int kBurst = 256;
constexpr int kBatch = 4096;
constexpr auto kReportEvery = std::chrono::milliseconds(100);

int fail(std::string_view who, std::string_view what, std::string_view why) {
  std::cerr << who << ": " << what << ": " << why << '\n';
  return 1;
}

class Member {
 public:
  Member(std::string name, std::vector<std::string> lines, const std::string& record, uint64_t rate)
      : name_(std::move(name)), lines_(std::move(lines)), record_(record), rate_(rate) {}

  int run() {
    std::string reason;
    auto bus = evs::Bus::open({}, &reason);
    if (!bus) return fail(name_, "open", reason);
    const auto fd = bus->fd();
    const auto us = bus->membership();
    if (!fd || !us) return fail(name_, "fd or membership", "refused");
    // A join takes room in the ring like a message. Others may have filled it: we read our part of it, and try again.
    evs::Result<void> joined;
    while (joined = bus->join(kGroups), joined.try_again()) {
      if (auto read = take_a_batch(*bus); !read) return fail(name_, "next", read.error().what());
      pollfd readable{*fd, POLLIN, 0};
      ::poll(&readable, 1, 1);
    }
    if (!joined) return fail(name_, "join", joined.error().what());
    std::cout << "ready " << us->nodeid << std::endl;

    pollfd waiting[] = {{*fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    Clock::time_point next_report{};
    while (!quitting_) {
      // With nothing to send only a delivery or a command wakes us; while sending, the next line is due soon.
      ::poll(waiting, 2, sending_ ? (rate_ == 0 ? 0 : 1) : stopping_ ? 1 : 100);
      if (waiting[1].revents != 0) read_commands();
      if (auto answer = send_what_is_due(*bus); !answer) return fail(name_, "send", answer.error().what());
      if (auto read = take_a_batch(*bus); !read) return fail(name_, "next", read.error().what());
      record_.flush();
      if (Clock::now() >= next_report) {
        std::cout << "count " << delivered_ << std::endl;
        next_report = Clock::now() + kReportEvery;
      }
    }
    if (auto closed = bus->close(); !closed) return fail(name_, "close", closed.error().what());
    std::cout << "done " << sent_ << ' ' << delivered_ << std::endl;
    return record_.flush() ? 0 : fail(name_, "record", "not written");
  }

 private:
  // A batch: while others send faster than we write there is always one more, and commands would wait for ever.
  evs::Result<void> take_a_batch(evs::Bus& bus) {
    evs::Result<void> outcome;
    for (int taken = 0; taken < kBatch; ++taken) {
      const auto event = bus.next(&outcome);
      if (!event) return outcome.try_again() ? evs::Result<void>() : outcome;  // none waits
      write_down(*event);
    }
    return {};
  }

  void write_down(const evs::Event& event) {
    if (const auto* message = std::get_if<evs::Message>(&event)) {
      ++delivered_;
      const std::string_view text = message->text();
      record_ << message->nodeid << ' ' << text << '\n';
      // "NAME mark" and "NAME end" frame the stream: the referee waits for them.
      const std::string_view who = text.substr(0, text.find(' ')), rest = text.substr(who.size());
      if (rest == " mark") std::cout << "mark" << std::endl;
      if (rest == " end") std::cout << "end " << who << std::endl;
    } else if (const auto* configuration = std::get_if<evs::Configuration>(&event)) {
      std::cout << "config " << Clock::now().time_since_epoch() / std::chrono::nanoseconds(1) << " members";
      record_ << "config";
      for (const evs::Member& member : configuration->members) {
        std::cout << ' ' << member.nodeid;
        record_ << ' ' << member.nodeid;
      }
      std::cout << " left " << configuration->left.size() << " joined " << configuration->joined.size() << std::endl;
      record_ << '\n';
    }
  }

  // CS_ERR_TRY_AGAIN is no error here: the ring is full, so let us dispatch and come back.
  evs::Result<void> send_what_is_due(evs::Bus& bus) {
    const uint64_t due =
        rate_ == 0 ? UINT64_MAX : sent_at_start_ + (Clock::now() - started_) / std::chrono::nanoseconds(1) * rate_ / 1'000'000'000;
    for (int burst = 0; sending_ && burst < kBurst && sent_ < due; ++burst) {
      const auto answer = send(bus, kGroups[sent_ % 2], std::to_string(sent_) + ' ' + lines_[sent_ % lines_.size()]);
      if (!answer) return answer.try_again() ? evs::Result<void>() : answer;
      ++sent_;
    }
    if (marking_ || stopping_) {
      const auto answer = send(bus, kGroups[0], marking_ ? "mark" : "end");
      if (!answer) return answer.try_again() ? evs::Result<void>() : answer;
      (marking_ ? marking_ : stopping_) = false;
    }
    return {};
  }

  evs::Result<void> send(evs::Bus& bus, const evs::Group& group, std::string_view text) {
    return bus.send_to(group, evs::Guarantee::agreed, evs::bytes(name_ + ' ' + std::string(text)));
  }

  void read_commands() {
    char buffer[256];
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got == 0) quitting_ = true;  // the referee is gone: so are we
    if (got <= 0) return;
    commands_.append(buffer, static_cast<size_t>(got));
    for (size_t end; (end = commands_.find('\n')) != std::string::npos; commands_.erase(0, end + 1)) {
      const std::string command = commands_.substr(0, end);
      if (command == "mark") marking_ = true;
      if (command == "stop") sending_ = false, stopping_ = true;
      if (command == "quit") quitting_ = true;
      if (command != "start") continue;
      sending_ = true;
      started_ = Clock::now();
      sent_at_start_ = sent_;
    }
  }

  const std::string name_;
  const std::vector<std::string> lines_;
  std::ofstream record_;
  const uint64_t rate_;
  std::string commands_;
  uint64_t sent_ = 0, delivered_ = 0, sent_at_start_ = 0;
  Clock::time_point started_{};
  bool sending_ = false, marking_ = false, stopping_ = false, quitting_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: demo_member_cc NAME TEXT RECORD RATE\n";
    return 2;
  }
  std::ifstream text(argv[2]);
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  if (lines.empty()) return fail(argv[1], argv[2], "no such text, or an empty one");
  return Member(argv[1], std::move(lines), argv[3], std::strtoull(argv[4], nullptr, 10)).run();
}
