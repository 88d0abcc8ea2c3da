// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/output.h - stdout behind an event loop.
//
// A write to a full pipe blocks, and a process that blocks there can neither be interrupted in order nor leave the bus.
// So what is to be printed waits here; the loop polls for room, and stops dispatching while much waits: the bus then
// holds its senders back, which is the pressure that the reader of our stdout asked for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace evs::tools {

// What is printed once and at the end: kExitOk, or kExitFailure and a sentence on stderr, but for a reader that went away.
int print(std::string_view text);

class Output {
 public:
  explicit Output(int descriptor);

  void append(std::string_view text) { waiting_ += text; }
  bool empty() const { return waiting_.empty(); }
  bool crowded() const { return waiting_.size() >= kCrowdedBytes; }
  int descriptor() const { return descriptor_; }

  // Writes what fits now; call it when poll() found room. False: the reader went away or the medium failed, error()
  // says.
  bool write_some();
  // Writes everything, waiting as long as it takes.
  bool flush();

  int error() const { return error_; }

 private:
  static constexpr size_t kCrowdedBytes = 64 * 1024;
  bool write_at_most(size_t bytes);

  int descriptor_;
  size_t step_;  // poll() promises room for so much and no more
  std::string waiting_;
  int error_ = 0;
};

}  // namespace evs::tools
