// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/udp/host.h - one udp transport on one host of a wire, with the counters and log lines it makes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bus/runtime/plugin_instance.h"
#include "tests/support/netns.h"

namespace evs::udp_test {

constexpr int kPatienceMs = 10'000;
constexpr uint64_t kSoonMs = 200;  // the transport looks at its interface once in 100 ms
using Parameters = std::vector<std::pair<std::string, std::string>>;

inline const runtime::LoadedPlugin& plugin() {
  static const runtime::LoadedPlugin loaded = [] {
    auto result = runtime::PluginHost::load_transport(EVS_UDP_PLUGIN, {}, {});
    if (!result) throw std::runtime_error(result.failure().text);
    return *result;
  }();
  return loaded;
}

inline uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

struct Heard {
  uint32_t peer = 0;
  std::string data;
};

class Host {
 public:
  Host(const test::Wire& wire, size_t number, const Parameters& parameters) : wire_(wire), number_(number) {
    std::vector<evs_plugin_parameter> all;
    for (const auto& [key, value] : parameters) all.push_back({key.c_str(), value.c_str()});
    wire_.inside(number_, [&] {
      auto created = runtime::Transport::create(plugin(), table_, all);
      if (!created) throw std::runtime_error(created.failure().text);
      transport_.emplace(std::move(*created));
    });
    work();
  }
  ~Host() {
    wire_.inside(number_, [&] { transport_.reset(); });
  }

  const evs_datagram_ops& ops() const { return transport_->datagram(); }
  evs_transport* self() const { return transport_->self(); }
  runtime::Transport& transport() { return *transport_; }
  uint64_t count(const std::string& name) const { return values_.at("evs_udp_" + name + "_total"); }
  const std::vector<std::string>& lines() const { return lines_; }
  size_t lines_of(const std::string& kind) const {
    size_t count = 0;
    for (const std::string& line : lines_) count += line.rfind(kind + ": ", 0) == 0;
    return count;
  }
  size_t largest_frame() const { return ops().largest_frame(self()); }

  int32_t send(uint32_t to, const std::vector<std::string>& frames, size_t* taken) {
    std::vector<evs_datagram> raw;
    for (const std::string& data : frames) raw.push_back({to, 0, const_cast<char*>(data.data()), data.size()});
    int32_t status = EVS_P_INTERNAL;
    wire_.inside(number_, [&] { status = ops().send(self(), raw.data(), raw.size(), taken); });
    return status;
  }
  // Takes them, or the story fails.
  void say(uint32_t to, const std::vector<std::string>& frames) {
    size_t taken = 0;
    EXPECT_EQ(send(to, frames, &taken), EVS_P_OK);
    EXPECT_EQ(taken, frames.size());
  }
  void say(const std::string& word) { say(EVS_PEER_ALL, {word}); }

  std::vector<Heard> take(size_t count = 64) {
    std::vector<std::string> rooms(count, std::string(65536, '#'));
    std::vector<evs_datagram> raw;
    for (std::string& room : rooms) raw.push_back({0, 0, room.data(), room.size()});
    size_t got = 0;
    wire_.inside(number_, [&] { ops().receive(self(), raw.data(), count, &got); });
    std::vector<Heard> out;
    for (size_t i = 0; i < got; ++i) out.push_back({raw[i].peer, rooms[i].substr(0, raw[i].size)});
    return out;
  }
  bool readable(int patience_ms) const {
    pollfd wait{ops().receive_fd(self()), POLLIN, 0};
    return poll(&wait, 1, patience_ms) == 1;
  }
  // All that comes until `word` does; empty: it never came.
  std::vector<Heard> until(const std::string& word) {
    std::vector<Heard> out;
    const uint64_t deadline = now_ns() + kPatienceMs * 1'000'000ull;
    while (now_ns() < deadline) {
      readable(100);
      for (Heard& one : take()) {
        out.push_back(std::move(one));
        if (out.back().data == word) return out;
      }
    }
    return {};
  }
  // Says it until `other` has heard it: an interface that just came up swallows a little. False: it never arrived.
  bool reaches(Host& other, const std::string& word) {
    const uint64_t deadline = now_ns() + kPatienceMs * 1'000'000ull;
    while (now_ns() < deadline) {
      say(word);
      other.readable(50);
      for (const Heard& one : other.take())
        if (one.data == word) return true;
    }
    return false;
  }
  // The index of who said `word`.
  uint32_t speaker_of(const std::string& word) {
    const auto heard = until(word);
    EXPECT_FALSE(heard.empty()) << "nobody said " << word;
    return heard.empty() ? EVS_PEER_ALL : heard.back().peer;
  }

  // The service thread's turn, with those that it asks for soon, and its descriptor.
  void work() {
    work_by([&] { return transport_->service().work(now_ns()); });
  }
  // The same while the process is at its limit.
  void work_without_descriptors() {
    work_by([&] {
      rlimit before{};
      EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
      const rlimit none{0, before.rlim_max};
      EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
      const uint64_t next = transport_->service().work(now_ns());
      EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
      return next;
    });
  }
  bool told_of_change() const {
    pollfd wait{transport_->service().fd(), POLLIN, 0};
    return poll(&wait, 1, kPatienceMs) == 1;
  }

 private:
  void work_by(const std::function<uint64_t()>& turn) {
    for (uint64_t next = 0; true;) {
      wire_.inside(number_, [&] { next = turn(); });
      const uint64_t now = now_ns(), wait = next > now ? (next - now) / 1'000'000 + 1 : 0;
      if (wait > kSoonMs) return;
      pollfd change{transport_->service().fd(), POLLIN, 0};
      poll(&change, 1, static_cast<int>(wait));
    }
  }
  static Host& of(void* context) { return *static_cast<Host*>(context); }
  static void log(void* context, int32_t, const char* kind, const char* text, size_t length) {
    of(context).lines_.push_back(std::string(kind) + ": " + std::string(text, length));
  }
  static uint64_t* counter(void* context, const char* name, const char*) { return &of(context).values_[name]; }
  static void wake(void*) {}

  const test::Wire& wire_;
  const size_t number_;
  std::vector<std::string> lines_;
  std::map<std::string, uint64_t> values_;
  evs_host table_{sizeof(evs_host), EVS_PLUGIN_ABI_MINOR, this, "bus", log, counter, wake, nullptr};
  std::optional<runtime::Transport> transport_;
};

// A story that has a wire, or is skipped, loudly.
class OnAWire : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = test::Wire::refused(); !why.empty()) GTEST_SKIP() << "SKIPPED, no hosts to play: " << why;
  }
  static Parameters multicast(const Parameters& more = {}) {
    Parameters all = {{"interface", "eth0"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  static Parameters unicast(const std::string& peers, const Parameters& more = {}) {
    Parameters all = {{"mode", "unicast"}, {"peers", peers}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

}  // namespace evs::udp_test
