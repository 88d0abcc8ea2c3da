// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_text.h - a snapshot as people and programs read it. Pure: the same snapshot, the same text.
//
// The text answers an operator's questions in the order they are asked: is it up, is it full, who is to blame, who is
// there. The JSON has everything and is stable: keys are added, never renamed (evs-status(1)).
#pragma once

#include <string>

#include "metrics/snapshot.h"
#include "tools/evs/json_fwd.h"
#include "tools/evs/text.h"

namespace evs::tools {

struct StatusView {
  bool handles = false;  // a line a handle as well
};

std::string status_text(const metrics::Snapshot& snapshot, const StatusView& view, const Palette& paint);
Json status_json(const metrics::Snapshot& snapshot);

}  // namespace evs::tools
