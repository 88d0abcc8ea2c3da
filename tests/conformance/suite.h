// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/suite.h - what the stories of the conformance suite are told with.
//
// The suite drives a plugin's C tables directly, as the bus does, and knows no plugin by name: which one, with which
// parameters, and whether its members are several processes or several instances in this one, comes from the command
// line (main.cc). A Member is one transport that was created and started, with the service thread that the bus would
// run for it. A Reader is one cursor of it. A Peer is a member that is somewhere else and does what it is told.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bus/include/evs/plugin.h"
#include "bus/runtime/plugin_instance.h"

namespace evs::conformance {

constexpr uint64_t kMs = 1'000'000, kSecond = 1000 * kMs;
constexpr uint64_t kLong = 20 * kSecond;  // nothing that is right takes this long

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Options {
  std::string plugin;      // absolute path
  std::string self;        // this program, to start peers with
  std::string directory;   // of this run
  Parameters parameters;   // what the bus would hand in
  bool processes = false;  // members are processes; else instances in this one
  bool wire = false;       // of a datagram medium: each instance is on a host of its own (tests/support/netns.h)
};
Options& options();

const runtime::LoadedPlugin& plugin();
std::string fresh_bus();  // a name that no other story uses
uint64_t now_ns();
evs_plugin_group group(const std::string& name);

// The host's side of the contract, and a record of what the plugin did with it.
class Host {
 public:
  explicit Host(std::string bus);
  ~Host();
  const evs_host& table() const { return table_; }
  std::vector<std::string> lines();
  std::vector<std::string> counters();
  int wake_fd() const { return wake_fd_; }

 private:
  friend struct HostCalls;
  std::string bus_;
  evs_host table_{};
  int wake_fd_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::deque<uint64_t> values_;
  std::vector<std::string> names_;
};

// One call of append(), with room for all that it points to.
struct Message {
  std::vector<evs_plugin_group> groups;
  std::string data;
  uint32_t kind = EVS_FRAME_MESSAGE;
  uint32_t guarantee = 2;
};

class Member {
 public:
  explicit Member(const std::string& bus, const Parameters& changed = {});
  ~Member();

  const evs_ordered_ops& ops() const { return transport_->ordered(); }
  evs_transport* self() const { return transport_->self(); }
  runtime::Transport& transport() { return *transport_; }
  Host& host() { return host_; }

  int32_t append(const Message& message, uint64_t* position = nullptr, void (*before_commit)(void*, uint64_t) = nullptr,
                 void* context = nullptr);
  evs_ordered_member who() const;
  evs_ordered_limits limits() const;
  void stop();  // as ~Member() does; then the object is empty
  uint32_t service_turns() const { return turns_; }
  void on_service_thread(std::function<void()> what);  // returns when it was done

 private:
  void serve();

  Host host_;
  std::optional<runtime::Transport> transport_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> begun_{false};
  std::atomic<uint32_t> turns_{0};
  std::mutex task_mutex_;
  std::function<void()> task_;
  std::thread service_;
};

// A frame that was read, with all that it pointed to copied out.
struct Got {
  uint32_t kind = 0, nodeid = 0, guarantee = 0;
  uint64_t position = 0, incarnation = 0;
  std::string data;
  std::vector<evs_plugin_group> groups;
  std::vector<evs_ordered_member> members, left;  // of a membership
  uint64_t change = 0;
};

class Reader {
 public:
  explicit Reader(Member& member, size_t buffer_size = 256 * 1024);
  Reader(Member& member, evs_cursor* opened);  // by an extension; closes it
  ~Reader();

  evs_cursor* cursor() const { return cursor_; }
  const evs_ordered_ops& ops() const { return member_.ops(); }
  void join(const std::string& name);  // interest, and watches from now on
  void leave(const std::string& name);
  Got watch();  // the membership at its place

  // One read() that takes all, or what `want` says; appends what it took to got().
  int32_t read(int32_t (*want)(void*, const evs_frame*) = nullptr, void* context = nullptr, uint32_t frame_room = 64);
  std::vector<Got>& got() { return got_; }
  size_t needed() const { return needed_; }
  void grow(size_t buffer_size);
  // Reads, waiting where nothing is there, until `count` messages were taken in all; fails the test after kLong.
  void until_messages(size_t count);
  void drain();  // until AGAIN
  std::vector<Got> messages() const;
  std::vector<std::string> data() const;
  bool readable() const;  // poll() of the descriptor

 private:
  Member& member_;
  evs_cursor* cursor_ = nullptr;
  std::unique_ptr<std::byte[], void (*)(std::byte*)> buffer_;
  size_t buffer_size_;
  size_t needed_ = 0;
  std::vector<Got> got_;
};

// A member elsewhere: another process that runs this program, or another instance here.
class Peer {
 public:
  static std::unique_ptr<Peer> start(const std::string& bus);
  virtual ~Peer() = default;
  virtual evs_ordered_member who() = 0;
  // Sends `count` messages "TAG.0", "TAG.1" ... to the group, waiting for room where there is none.
  virtual void send(const std::string& group, const std::string& tag, uint32_t count) = 0;
  virtual void sent() = 0;  // waits until it has
  virtual void leave() = 0;
  virtual void die() = 0;  // SIGKILL; processes only
};

int run_peer(const std::string& bus);  // the other process

std::string numbered(const std::string& prefix, uint64_t number);
Message to(const std::string& name, std::string data);
std::vector<uint32_t> nodeids(const std::vector<evs_ordered_member>& members);
Got copy_of(const evs_frame& frame);
Got copy_of(const evs_membership& membership);

}  // namespace evs::conformance
