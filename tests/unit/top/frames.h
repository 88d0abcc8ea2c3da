// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/top/frames.h - frames to look at: a bus of a few processes, made by hand.
#pragma once

#include <string>

#include "tools/top/frame.h"

namespace evs::top::test {

inline constexpr uint64_t kSecond = 1'000'000'000;
inline constexpr uint64_t kNoon = 1'700'000'000 * kSecond;

inline metrics::GroupKey group(const std::string& name) {
  metrics::GroupKey key{};
  name.copy(key.data(), key.size());
  return key;
}

inline metrics::Member member(uint32_t nodeid, int32_t pid, const std::string& command) {
  metrics::Member member;
  member.nodeid = nodeid;
  member.pid = pid;
  member.command = command;
  member.generation = 1;
  member.heartbeat_age_ns = kSecond / 10;
  member.handles.push_back({0, true, true, 0, 1, 0, 0});
  member.groups.push_back(group("chat"));
  return member;
}

// `second` after the first one.
inline Frame frame(uint64_t second = 0) {
  Frame frame;
  frame.unix_ns = kNoon + second * kSecond;
  frame.monotonic_ns = (100 + second) * kSecond;
  frame.bus = "default";
  frame.directory = "/dev/shm/evs-1000";
  metrics::Snapshot& snapshot = frame.detail.emplace();
  snapshot.bus = frame.bus;
  snapshot.directory = frame.directory;
  snapshot.ring_sequence = 1;
  snapshot.change = 4;
  snapshot.boot_count = 1;
  snapshot.ring = {4096, 1024, 64'000, 2, "cursor"};
  snapshot.members = {member(1, 812, "feed"), member(2, 900, "desk")};
  return frame;
}

}  // namespace evs::top::test
