// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/check.h - our own mistakes, stopped before they spread.
//
// We are a guest: a CHECK that fails must not take the host application with it. It throws; the C boundary (api/) and
// the service thread catch it, close this bus with one log line, and every call on it answers CS_ERR_LIBRARY from then
// on. The others see this process leave, which they tolerate anyway. Not for what a peer or the world did.
#pragma once

namespace evs::runtime {

struct CheckFailed {
  const char* condition;
  const char* file;
  int line;
};

[[noreturn]] inline void fail_check(const char* condition, const char* file, int line) {
  throw CheckFailed{condition, file, line};
}

}  // namespace evs::runtime

#define EVS_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::evs::runtime::fail_check(#condition, __FILE__, __LINE__))
