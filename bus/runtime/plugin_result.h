// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_result.h - what came of a plugin: a value, or a sentence and the error that the C API answers
// with.
//
// Plugins speak EVS_P_*, applications cs_error_t. The translation is a table in plugin_status.cc, and it is the only
// one.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

#include "bus/include/corosync/corotypes.h"

namespace evs::runtime {

struct PluginFailure {
  cs_error_t code = CS_ERR_LIBRARY;
  std::string text;  // complete as it stands: names the file, what is wrong with it, and the way out
};

template <class T>
class [[nodiscard]] PluginResult {
 public:
  PluginResult(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: a value is a result
  PluginResult(PluginFailure failure)
      : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT: so is a failure

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  T& operator*() noexcept { return *value(); }
  T* operator->() noexcept { return value(); }
  const PluginFailure& failure() const noexcept {
    const auto* failure = std::get_if<1>(&state_);
    assert(failure != nullptr && "the failure of a success");
    return *failure;
  }

 private:
  T* value() noexcept {
    T* value = std::get_if<0>(&state_);
    assert(value != nullptr && "the value of a failure");
    return value;
  }
  std::variant<T, PluginFailure> state_;
};

// The answer of the C API to a status of a plugin; CS_ERR_LIBRARY for one that plugin.h does not know.
cs_error_t error_of_status(int32_t status) noexcept;

// The status in words: "no memory", "permission denied", ...
const char* text_of_status(int32_t status) noexcept;

}  // namespace evs::runtime
