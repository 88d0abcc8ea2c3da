// SPDX-License-Identifier: BSD-3-Clause
// tools/top/options.h - what the command line of evs-top asked for (cli.h fills it).
#pragma once

#include <cstdint>
#include <string>

#include "tools/evs/options.h"
#include "tools/top/health.h"
#include "tools/top/ui.h"

namespace evs::top {

struct Options {
  tools::BusChoice bus;
  std::string url, replay;  // at most one of them; neither: this host
  std::string record;
  View view = View::processes;
  std::string sort;  // a column, by its title or its name; empty: as the view has them
  std::string filter;
  bool reverse = false;
  bool totals = false;
  uint64_t interval_ns = 1'000'000'000;
  uint64_t count = 0;  // frames; 0: no end
  bool once = false, json = false, csv = false, check = false, svg = false;
  bool ascii = false;
  uint32_t width = 0;  // of what is printed; 0: as wide as the terminal, or 80
  std::string label;   // of a picture
  Thresholds thresholds;
  bool version = false;
  std::string completion;

  bool on_screen() const { return !once && !json && !csv && !check && !svg; }
};

}  // namespace evs::top
