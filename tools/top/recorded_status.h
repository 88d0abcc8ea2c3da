// SPDX-License-Identifier: BSD-3-Clause
// tools/top/recorded_status.h - what `evs status --json` printed, back into the snapshot that it was made of (tools/evs/status_text.h).
#pragma once

#include "metrics/snapshot.h"

namespace evs::top {

class Typed;
void read_status(Typed& in, metrics::Snapshot& out);

}  // namespace evs::top
