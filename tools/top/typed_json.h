// SPDX-License-Identifier: BSD-3-Clause
// tools/top/typed_json.h - JSON that somebody else wrote, into values with a type: what is of another type is refused with its name, what is absent stays as it was.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tools/evs/json_fwd.h"

namespace evs::top {

class Typed {
 public:
  // `failure` gets the first refusal; it names the way to the value.
  Typed(const tools::Json& json, std::string& failure, std::string where = {}) : json_(json), failure_(failure), where_(std::move(where)) {
    if (!where_.empty() || json.is_object()) return;
    refuse("it is no object");
  }

  void refuse(const std::string& sentence) {
    if (failure_.empty()) failure_ = where_.empty() ? sentence : "\"" + where_ + "\": " + sentence;
  }

  template <typename T>
  void take(const char* name, T& out) {
    if (const tools::Json* found = member(name)) Typed(*found, failure_, path(name)).value(out);
  }
  template <typename T>
  void need(const char* name, T& out) {
    if (member(name) == nullptr) refuse(std::string("\"") + name + "\" is missing");
    else take(name, out);
  }
  // Of what may be null or absent.
  template <typename Read>
  void optional(const char* name, Read read) {
    const tools::Json* found = member(name);
    if (found == nullptr || found->is_null()) return;
    Typed in(*found, failure_, path(name));
    if (found->is_object()) read(in);
    else in.refuse("it is no object");
  }
  template <typename Read>
  void each(const char* name, Read read) {
    const tools::Json* found = member(name);
    if (found == nullptr) return;
    Typed list(*found, failure_, path(name));
    if (!found->is_array()) return list.refuse("it is no list");
    for (size_t i = 0; i < found->size() && failure_.empty(); ++i) {
      Typed in((*found)[i], failure_, path(name) + "[" + std::to_string(i) + "]");
      read(in);
    }
  }
  void strings(const char* name, std::vector<std::pair<std::string, std::string>>& out) {
    optional(name, [&](Typed& in) {
      for (const auto& [key, value] : in.json_.items()) {
        if (!value.is_string()) return in.refuse("a value in it is no text");
        out.emplace_back(key, value.template get<std::string>());
      }
    });
  }
  void pair(double& first, double& second) {
    if (!json_.is_array() || json_.size() != 2) return refuse("it is no pair");
    Typed(json_[0], failure_, where_).value(first);
    Typed(json_[1], failure_, where_).value(second);
  }

  template <typename T>
  void value(T& out) {
    if constexpr (std::is_same_v<T, bool>) {
      if (json_.is_boolean()) out = json_.get<bool>();
      else refuse("it is neither true nor false");
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (json_.is_string()) out = json_.get<std::string>();
      else refuse("it is no text");
    } else if constexpr (std::is_same_v<T, double>) {
      if (json_.is_null()) out = std::numeric_limits<double>::quiet_NaN();
      else if (json_.is_number()) out = json_.get<double>();
      else refuse("it is no number");
    } else {
      static_assert(std::is_integral_v<T>);
      if (json_.is_number_unsigned() && json_.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<T>::max())) out = static_cast<T>(json_.get<uint64_t>());
      else refuse("it is no number from 0 to " + std::to_string(std::numeric_limits<T>::max()));
    }
  }
  const tools::Json& json() const { return json_; }

 private:
  const tools::Json* member(const char* name) const {
    if (!failure_.empty() || !json_.is_object()) return nullptr;
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  std::string path(const char* name) const { return where_.empty() ? std::string(name) : where_ + "." + name; }

  const tools::Json& json_;
  std::string& failure_;
  std::string where_;
};

}  // namespace evs::top
