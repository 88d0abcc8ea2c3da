// SPDX-License-Identifier: BSD-3-Clause
// tools/top/cli.cc - see cli.h.
#include "tools/top/cli.h"

#include <iterator>
#include <string>
#include <vector>

#include "tools/evs/cli_parts.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/text.h"

namespace evs::top {
namespace {

constexpr uint64_t kShortestNs = 50'000'000, kLongestNs = 3'600'000'000'000;
constexpr size_t kMostPlaceBytes = 4096;
constexpr uint32_t kLeastWidth = 40, kMostWidth = 1000;

std::vector<std::string> view_names() {
  std::vector<std::string> names;
  for (size_t i = 0; i < kViews; ++i) names.emplace_back(name_of(static_cast<View>(i)));
  return names;
}

std::string bad_url(const std::string& text) {
  if (text.starts_with("http://") || text.starts_with("https://")) return {};
  return "'" + tools::printable(text) + "' is no address such as http://127.0.0.1:10387/metrics";
}

// As an exporter may be asked, DIRECTORY/NAME. Of this host, what is no name of a bus the configuration refuses.
std::string bad_place(const std::string& text) { return text.empty() || text.size() > kMostPlaceBytes ? "it is no name of a bus" : std::string(); }

// An exporter serves its metrics there, and something else, or nothing, at its root.
std::string with_path(std::string url) {
  const size_t end = url.find_first_of("/?#", url.find("://") + 3);
  if (end == std::string::npos) return url + "/metrics";
  return url[end] == '/' ? url : url.insert(end, "/metrics");
}

uint64_t interval_of(const std::string& text) {
  const uint64_t ns = tools::duration_of(text);
  if (ns < kShortestNs || ns > kLongestNs) throw CLI::ValidationError("the interval is from 50ms to 1h");
  return ns;
}

}  // namespace

CommandLine::CommandLine() : app_("A bus as it runs: its processes, handles, groups, ring, memberships and latencies. It only reads.", "evs-top") {
  app_.set_help_flag("-h,--help", "Print this help");
  app_.add_flag("--version", options_.version, "Print the version");
  app_.add_option("--completion", options_.completion, "Print the completions for a shell")->check(CLI::IsMember(std::vector<std::string>{"bash", "zsh", "fish"}))->group("");  // hidden: packages use it
  app_.footer(
      "Exit status: 0 done, 1 failure, 2 usage or configuration, 3 no such bus.\n"
      "With --check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\nThe manual page evs-top(1) has the keys.");
  add_sources();
  add_view();
  add_outputs();
}

void CommandLine::add_sources() {
  CLI::Option* url = app_.add_option_function<std::string>("--url", [&](const std::string& text) { options_.url = with_path(text); }, "Look at an exporter, such as http://host:10387")->type_name("URL")->check(tools::checked(bad_url));
  app_.add_option("--replay", options_.replay, "Show a recording; - is stdin")->type_name("FILE")->excludes(url);
  app_.add_option("--record", options_.record, "Write all that is seen into this file, for --replay")->type_name("FILE");
  app_.add_option("--bus", options_.bus.bus, "Name of the bus (default: as configured; of an exporter, the one that it has)")->type_name("NAME")->check(tools::checked(bad_place));
  tools::add_configuration(app_, options_.bus);
}

void CommandLine::add_view() {
  app_.add_option_function<std::string>("--view", [&](const std::string& name) { options_.view = *view_named(name); }, "What to show first, or to print (default: processes)")
      ->check(CLI::IsMember(view_names()));
  app_.add_option("--sort", options_.sort, "Sort by this column, by its title or its name in --csv")->type_name("COLUMN");
  app_.add_flag("--reverse", options_.reverse, "Sort the other way round");
  app_.add_option("--filter", options_.filter, "Only rows with these words in them")->type_name("WORDS");
  app_.add_flag("--totals", options_.totals, "Show totals in place of rates");
  app_.add_option_function<std::string>("-d,--interval", [&](const std::string& text) { options_.interval_ns = interval_of(text); }, "How often to look (default: 1s)")->type_name("DURATION");
  app_.add_flag("--ascii", options_.ascii, "Draw with ASCII alone");
}

void CommandLine::add_outputs() {
  CLI::Option* once = app_.add_flag("--once", options_.once, "Print the view and end. Rates take two looks, an interval apart");
  CLI::Option* json = app_.add_flag("--json", options_.json, "Print all that is seen, one JSON object a look");
  CLI::Option* csv = app_.add_flag("--csv", options_.csv, "Print the view's table as CSV, at each look")->excludes(json);
  CLI::Option* svg = app_.add_flag("--svg", options_.svg, "Print the view as a picture and end")->excludes(json)->excludes(csv);
  app_.add_flag("--check", options_.check, "Judge the bus and end: a line and an exit status, as monitoring systems want them")->excludes(once)->excludes(json)->excludes(csv)->excludes(svg);
  app_.add_option("-n,--count", options_.count, "End after so many looks")->type_name("N")->check(CLI::PositiveNumber)->excludes(once);
  app_.add_option("--width", options_.width, "Columns of what is printed (default: the terminal's, or 80)")->type_name("N")->check(CLI::Range(kLeastWidth, kMostWidth));
  app_.add_option("--label", options_.label, "What to write below a picture")->type_name("TEXT");
  app_.add_option("--ring-warning", options_.thresholds.ring_warning_percent, "A ring so full is worth a warning")->capture_default_str()->type_name("PERCENT")->check(CLI::Range(1, 100));
  app_.add_option("--ring-critical", options_.thresholds.ring_critical_percent, "A ring so full is critical")->capture_default_str()->type_name("PERCENT")->check(CLI::Range(1, 100));
}

std::optional<int> CommandLine::parse(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool done = app_.exit(error) == 0;
    if (done) return tools::kExitOk;
    // Whoever monitors must not take a mistake in the command for a warning or for a broken bus.
    for (int i = 1; i < argc; ++i)
      if (std::string_view(argv[i]) == "--check") return static_cast<int>(Grade::unknown);
    return tools::kExitUsage;
  }
  return std::nullopt;
}

}  // namespace evs::top
