// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/findings.h - where the predicates put what they find.
//
// One fault can break a predicate at each event after it, so what is kept is bounded: at most `limit` of each predicate
// while the checks run, and at the end one of each predicate before a second of any. The events are put into words only
// for what is kept.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/verify/check.h"

namespace evs::verify {

struct Place {
  uint32_t trace = 0;
  uint32_t event = 0;
  friend auto operator<=>(Place, Place) = default;
};

class Findings {
 public:
  Findings(const Run& run, const Options& options) : run_(run), options_(options) {}

  // `predicate` is a literal: its text is kept by reference.
  void add(std::string_view predicate, std::string sentence, const std::vector<Place>& evidence);
  bool full(std::string_view predicate) const;
  std::vector<Violation> take();

 private:
  Evidence prove(Place place) const;

  const Run& run_;
  const Options& options_;
  std::map<std::string_view, std::vector<Violation>> found_;
};

}  // namespace evs::verify
