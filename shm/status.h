// SPDX-License-Identifier: BSD-3-Clause
// shm/status.h - how this library says that something outside it went wrong: a code, and a sentence that names the thing
// and the way out. The codes are those of evs/plugin.h by value, so that the plugin passes them on as they are; this
// library does not include that header because it knows nothing of plugins (plugins/shm asserts the equality).
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace evs::shm {

enum class Code : int32_t {
  ok = 0,
  again = 1,
  too_big = 2,
  bad_parameter = 3,
  no_memory = 4,
  no_space = 5,
  no_resources = 6,
  access = 7,
  version = 8,
  corrupt = 9,
  timeout = 10,
  not_supported = 11,
  expelled = 12,
  closed = 13,
  interrupted = 14,
  nested = 15,
  internal = 16,
};

struct Status {
  Code code = Code::ok;
  std::string text;

  bool ok() const { return code == Code::ok; }
  static Status fail(Code code, std::string text) { return {code, std::move(text)}; }
};

// "opening /x: Permission denied", with the code that fits the errno.
Status errno_status(int error, const std::string& doing);

}  // namespace evs::shm
