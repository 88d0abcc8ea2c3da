// SPDX-License-Identifier: BSD-3-Clause
// tools/top/views.h - the views: of a model and of what was chosen, a table of values. Pure.
#pragma once

#include "tools/top/model.h"
#include "tools/top/sheet.h"
#include "tools/top/ui.h"

namespace evs::top {

// The view that was chosen, its rows filtered and sorted as was chosen.
Sheet sheet_of(const Model& model, const Ui& ui);

Sheet processes_sheet(const Model& model, const Ui& ui);
Sheet handles_sheet(const Model& model, const Ui& ui);
Sheet groups_sheet(const Model& model, const Ui& ui);
Sheet ring_sheet(const Model& model, const Ui& ui);
Sheet memberships_sheet(const Model& model, const Ui& ui);
Sheet latency_sheet(const Model& model, const Ui& ui);
Sheet plugins_sheet(const Model& model, const Ui& ui);

}  // namespace evs::top
