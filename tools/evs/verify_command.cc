// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/verify_command.cc - see verify_command.h.
#include "tools/evs/verify_command.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tools/evs/exit_code.h"
#include "tools/evs/json.h"
#include "tools/evs/output.h"
#include "tools/evs/text.h"
#include "tools/verify/trace_text.h"

namespace evs::tools {

namespace {

namespace fs = std::filesystem;

constexpr const char* kEnding = ".trace";
constexpr uintmax_t kFileBytesMax = uintmax_t{4} << 30;

bool read_file(const std::string& file, std::string& text, std::string& problem) {
  std::error_code error;
  const uintmax_t size = fs::is_regular_file(file, error) ? fs::file_size(file, error) : 0;
  if (size > kFileBytesMax) {
    problem = printable(file) + ": more than " + show_bytes(kFileBytesMax);
    return false;
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream content;
  if (stream) content << stream.rdbuf();
  if (!stream || stream.bad()) {
    problem = printable(file) + ": " + (errno != 0 ? std::strerror(errno) : "cannot be read");
    return false;
  }
  text = std::move(content).str();
  return true;
}

size_t count_events(const verify::Run& run) {
  size_t events = 0;
  for (const verify::Trace& trace : run.traces) events += trace.events.size();
  return events;
}

std::string counted(size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

std::vector<std::string> trace_files(const std::vector<std::string>& arguments, std::string& problem) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    std::error_code error;
    if (!fs::is_directory(argument, error)) {
      files.push_back(argument);
      continue;
    }
    const size_t before = files.size();
    for (fs::directory_iterator entry(argument, error), end; !error && entry != end; entry.increment(error))
      if (entry->path().extension() == kEnding) files.push_back(entry->path().string());
    if (error || files.size() == before) {
      problem = printable(argument) + ": " + (error ? error.message() : "no file in it ends in .trace");
      return {};
    }
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

bool read_traces(const std::vector<std::string>& files, verify::Run& run, std::string& problem) {
  std::map<verify::Process, std::string> seen;
  for (const std::string& file : files) {
    std::string text;
    if (!read_file(file, text, problem) || !verify::read_trace(text, printable(file), run, problem)) return false;
    const verify::Trace& trace = run.traces.back();
    const auto [first, fresh] = seen.emplace(trace.process, trace.name);
    if (fresh) continue;
    problem =
        trace.name + ": a second trace of " + verify::text_of(trace.process) + ", which " + first->second + " is too";
    return false;
  }
  return true;
}

std::string verdict_text(const verify::Run& run, const std::vector<verify::Violation>& violations, uint64_t limit) {
  std::string out;
  for (const verify::Violation& violation : violations) out += verify::to_text(violation) + "\n";
  out += counted(run.traces.size(), "trace") + ", " + counted(count_events(run), "event") + ": ";
  if (violations.empty()) return out + "no violation\n";
  out += counted(violations.size(), "violation");
  if (violations.size() == limit) out += " shown, there may be more (--limit)";
  return out + "\n";
}

Json verdict_json(const verify::Run& run, const std::vector<verify::Violation>& violations) {
  Json list = Json::array();
  for (const verify::Violation& violation : violations) {
    Json evidence = Json::array();
    for (const verify::Evidence& e : violation.evidence) evidence.push_back({{"where", e.where}, {"event", e.text}});
    list.push_back({{"predicate", violation.predicate}, {"sentence", violation.sentence}, {"evidence", evidence}});
  }
  return {{"clean", violations.empty()},
          {"traces", run.traces.size()},
          {"events", count_events(run)},
          {"violations", list}};
}

int run_verify(const VerifyOptions& options) {
  verify::Run run;
  std::string problem;
  const std::vector<std::string> files = trace_files(options.files, problem);
  if (files.empty() || !read_traces(files, run, problem)) {
    std::fprintf(stderr, "evs verify: %s\n", problem.c_str());
    return kExitFailure;
  }
  verify::Options asked;
  asked.quiescent = options.quiescent;
  asked.partial = options.partial;
  asked.limit = options.limit;
  const auto violations = verify::check(run, asked);
  const int printed =
      print(options.json ? json_line(verdict_json(run, violations)) : verdict_text(run, violations, options.limit));
  return violations.empty() ? printed : kExitFailure;
}

}  // namespace evs::tools
