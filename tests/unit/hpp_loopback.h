// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/hpp_loopback.h - a bus to test evs/evs.hpp on: libevs with the loopback transport, no file read.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "evs/evs.hpp"

namespace evs::test {

inline Options loopback() {
  return Options().bus("hpp_test").config_file("/dev/null").parameter("local.transport", "loopback");
}

inline Bus opened(Options options) {
  std::string reason;
  auto bus = Bus::open(std::move(options), &reason);
  if (!bus) throw std::runtime_error(reason);
  return std::move(*bus);
}

// Reads away what opening and joining brought.
inline void drain(Bus& bus) {
  while (bus.next()) {
  }
}

inline Result<void> say(Bus& bus, std::string_view text) {
  return bus.send(Guarantee::agreed, bytes(text));
}

}  // namespace evs::test
