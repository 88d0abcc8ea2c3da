// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/log_heard.h - a host that takes the log's lines itself and remembers them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "bus/runtime/log.h"

namespace evs::runtime {

inline constexpr uint64_t kSecond = 1'000'000'000;

struct Heard {
  std::mutex lock;
  std::vector<std::pair<int, std::string>> lines;

  static void hear(void* context, int level, const char* text, size_t length) {
    auto* self = static_cast<Heard*>(context);
    const std::lock_guard<std::mutex> hold(self->lock);
    EXPECT_EQ(text[length], '\0');
    self->lines.emplace_back(level, std::string(text, length));
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (auto& [level, text] : lines) all.push_back(text.substr(text.find(": ") + 2));
    return all;
  }
};

inline LogOptions into(Heard& heard) {
  LogOptions options;
  options.function = Heard::hear;
  options.context = &heard;
  return options;
}

}  // namespace evs::runtime
