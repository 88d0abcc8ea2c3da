// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/completion.h - shell completions, printed from the command-line tree.
//
// Written out as plain case tables rather than as a call back into `evs` at each Tab: a completion then needs no
// working binary, takes no time, and the build can install it. Choices are offered for options that check a set of
// values, files for FILE, directories for DIR.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace evs::tools {

std::string bash_completion(const CLI::App& tree);
std::string zsh_completion(const CLI::App& tree);
std::string fish_completion(const CLI::App& tree);

}  // namespace evs::tools
