// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/cli.h - the command line of `evs`: one tree, declared once.
//
// The tree fills plain structs, and nothing here runs a command; help, shell completions and tests read the same tree,
// so none of them can promise an option that the others do not know.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "tools/evs/options.h"

namespace evs::tools {

class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Nothing when the options are to be run; otherwise the exit status (help was printed, or the refusal).
  std::optional<int> parse(int argc, const char* const* argv);

  const Options& options() const { return options_; }
  std::string command() const;  // "cat", "status", ...; empty when none was given
  const CLI::App& tree() const { return app_; }
  std::string help() const { return app_.help(); }

 private:
  void add_cat();
  void add_status();
  void add_gateway();
  void add_exporter();
  void add_plugins();
  void add_bench();
  void add_config();
  void add_verify();
  void add_keygen();

  Options options_;
  CLI::App app_;
};

}  // namespace evs::tools
