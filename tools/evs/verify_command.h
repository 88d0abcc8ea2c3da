// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/verify_command.h - `evs verify`: reads traces and says whether what they saw was extended virtual
// synchrony.
//
// The judge is tools/verify; this finds and reads the files and prints what was found. It needs no bus.
#pragma once

#include <string>
#include <vector>

#include "tools/evs/options.h"
#include "tools/evs/json.h"
#include "tools/verify/check.h"

namespace evs::tools {

// The files that the arguments mean: of a directory, those in it that end in .trace, by name. Empty and a sentence in
// `problem` when there is none.
std::vector<std::string> trace_files(const std::vector<std::string>& arguments, std::string& problem);

// False: a sentence in `problem`.
bool read_traces(const std::vector<std::string>& files, verify::Run& run, std::string& problem);

std::string verdict_text(const verify::Run& run, const std::vector<verify::Violation>& violations, uint64_t limit);
Json verdict_json(const verify::Run& run, const std::vector<verify::Violation>& violations);

int run_verify(const VerifyOptions& options);

}  // namespace evs::tools
