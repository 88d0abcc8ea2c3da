// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_result.h - a value, or a sentence about why there is none.
//
// The bus is a guest: what a person wrote into a file must not become an exception in the host application. A failure
// is one line of text, complete as it stands (it names the file, the key and the way out), because whoever shows it
// knows nothing more than that line. Reading the value of a failure is a bug of the caller, and asserts.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace evs::runtime {

// Whose fault it was: what somebody wrote, or this process's limits, under which the same configuration may do later.
enum class Cause { wrong, no_descriptors, no_memory };

struct Failure {
  std::string text;
  Cause cause = Cause::wrong;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}            // NOLINT: a value is a result
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT: so is a failure

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& operator*() noexcept { return *get(); }
  const T& operator*() const noexcept { return *const_cast<Result*>(this)->get(); }
  T* operator->() noexcept { return get(); }
  const T* operator->() const noexcept { return const_cast<Result*>(this)->get(); }

  const Failure& failure() const noexcept {
    const Failure* failure = std::get_if<1>(&state_);
    assert(failure != nullptr && "the error of a success");
    return *failure;
  }
  const std::string& error() const noexcept { return failure().text; }

 private:
  T* get() noexcept {
    T* value = std::get_if<0>(&state_);
    assert(value != nullptr && "the value of a failure");
    return value;
  }

  std::variant<T, Failure> state_;
};

}  // namespace evs::runtime
