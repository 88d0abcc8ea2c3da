// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/sender_story.h - a sender whose kernel is played.
//
// The program's sendmsg and sendmmsg (linked with --wrap, in sender_test.cc) ask the story. Only the error queue is a real, empty one.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>

#include "plugins/udp/sender.h"

namespace evs::udp {

// What one message looks like to the kernel, and what the story lets it answer: 0 or an error number.
struct Message {
  std::string to;
  std::vector<std::string> frames;
  bool as_segments = false;
};
inline std::function<int(const Message&)> answer;
inline std::vector<Message> taken;

class SenderTest : public testing::Test {
 protected:
  SenderTest() {
    settings_.group = *Address::parse("239.1.1.1", 5);
    answer = [](const Message&) { return 0; };
    taken.clear();
    sockets_.own = Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockets_.cuts = true;
  }
  void be_unicast(uint32_t peers) {
    settings_.mode = Mode::unicast;
    settings_.peers = {*Address::parse("10.0.0.1", 5)};
    for (uint32_t i = 0; i < peers; ++i) peers_.configure(*Address::parse("10.0.0." + std::to_string(i + 1), 5));
  }
  int32_t send(const std::vector<std::string>& frames, size_t* done, uint32_t to = EVS_PEER_ALL) {
    std::vector<evs_datagram> raw;
    for (const std::string& frame : frames) raw.push_back({to, 0, const_cast<char*>(frame.data()), frame.size()});
    return sender().send(sockets_, raw.data(), raw.size(), done);
  }
  Sender& sender() {
    if (!sender_) {
      sender_ = std::make_unique<Sender>(settings_, counters_, voice_, peers_);
      sender_->limit_path(1500);
    }
    return *sender_;
  }
  static std::vector<std::string> numbered(size_t count) {
    std::vector<std::string> out;
    for (size_t i = 0; i < count; ++i) out.push_back(std::to_string(100'000 + i));
    return out;
  }
  static std::vector<std::string> all_taken() {
    std::vector<std::string> out;
    for (const Message& message : taken) out.insert(out.end(), message.frames.begin(), message.frames.end());
    return out;
  }
  uint64_t count(Count what) { return values_[kCountText[static_cast<size_t>(what)].name]; }

  std::map<std::string, uint64_t> values_;
  std::vector<std::string> lines_;
  evs_host host_{sizeof(evs_host),
                 EVS_PLUGIN_ABI_MINOR,
                 this,
                 "bus",
                 [](void* context, int32_t, const char* kind, const char*, size_t) { static_cast<SenderTest*>(context)->lines_.emplace_back(kind); },
                 [](void* context, const char* name, const char*) { return &static_cast<SenderTest*>(context)->values_[name]; },
                 nullptr,
                 nullptr};
  Settings settings_;
  Counters counters_{&host_};
  Voice voice_{&host_, counters_};
  Peers peers_{1};
  Sockets sockets_;
  std::unique_ptr<Sender> sender_;
};

}  // namespace evs::udp
