// SPDX-License-Identifier: BSD-3-Clause
// shm/model/views.h - is a view that somebody loads whole, and never older than it may be?
//
// The large model replaces "the published latest" as one. In the segment it is two copies a slot, one writer, switched by
// one word, and the newest of all slots' (docs/shm-layout.md B8); this small model takes that apart: each word of a copy
// is a step, the writer dies anywhere, another process takes its slot over, and a loader looks on at any moment.
#pragma once
#include <span>

#include "shm/model/checker.h"

namespace evs::shm::model {

enum class ViewFault : uint8_t { none, one_copy, word_first, word_unchecked, word_wiped };
struct ViewFaultText {
  ViewFault fault;
  std::string_view name;
  std::string_view what;
};
std::span<const ViewFaultText> view_faults();
Verdict explore_views(ViewFault fault);

}  // namespace evs::shm::model
