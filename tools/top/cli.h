// SPDX-License-Identifier: BSD-3-Clause
// tools/top/cli.h - the command line of evs-top, declared once; completions and tests read the same tree.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "tools/top/options.h"

namespace evs::top {

class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Nothing when the options are to be run; otherwise the exit status (help was printed, or the refusal).
  std::optional<int> parse(int argc, const char* const* argv);

  const Options& options() const { return options_; }
  const CLI::App& tree() const { return app_; }

 private:
  void add_sources();
  void add_view();
  void add_outputs();

  Options options_;
  CLI::App app_;
};

}  // namespace evs::top
