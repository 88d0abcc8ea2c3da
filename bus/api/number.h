// SPDX-License-Identifier: BSD-3-Clause
// bus/api/number.h - an enum's number as C passed it. C may pass any; C++ may not even load one that the enum has no room for.
#pragma once

#include <cstring>

namespace evs::api {

template <class Enum>
int number_of(const Enum& value) {
  int number;
  static_assert(sizeof number == sizeof value);
  std::memcpy(&number, &value, sizeof number);
  return number;
}

}  // namespace evs::api
