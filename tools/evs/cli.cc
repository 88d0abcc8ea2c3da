// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/cli.cc - the tree. A type name in capitals says what an option takes; FILE and DIR also tell the
// completions to offer files and directories.
#include "tools/evs/cli.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstdlib>

#include "bus/runtime/config_units.h"
#include "evs/evs.h"
#include "tools/evs/cli_parts.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/guarantee.h"
#include "tools/evs/text.h"

namespace evs::tools {

namespace {

std::string bad_group(const std::string& name) {
  if (parse_group(name)) return {};
  return "'" + printable(name) + "' is no group: 1 to 32 bytes of text, or hex: and 64 hexadecimal digits";
}

std::string bad_count(const std::string& text) {
  uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && end == text.data() + text.size() && n > 0 ? std::string() : "'" + printable(text) + "' is no number from 1 on";
}

std::string bad_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  const std::string address = text.substr(0, colon), port = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  in_addr parsed{};
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (!port.empty() && error == std::errc{} && end == port.data() + port.size() && number <= 65535 && inet_pton(AF_INET, address.c_str(), &parsed) == 1) return {};
  return "'" + printable(text) + "' is no ADDRESS:PORT such as " + kExporterAddress + "; the address is one of IPv4";
}

// A bare number counts bytes: in a list of sizes nothing else is meant.
uint64_t size_of(const std::string& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  const auto parsed = runtime::parse_bytes(text);
  if (!parsed.ok()) throw CLI::ValidationError("'" + text + "' is no size: such as 64, 1KiB, 1MiB");
  return *parsed;
}

const std::vector<std::string> kGuarantees(std::begin(kGuaranteeNames), std::end(kGuaranteeNames));

}  // namespace

CommandLine::CommandLine()
    : app_("Messages between processes, in one order for all: the evs bus on a command line.", "evs") {
  app_.require_subcommand(0, 1);
  app_.set_help_flag("-h,--help", "Print this help");
  app_.add_flag("--version", options_.version, "Print the versions of the tool, the library and the plugin ABI");
  app_.add_option("--completion", options_.completion, "Print the completions for a shell")
      ->check(CLI::IsMember(std::vector<std::string>{"bash", "zsh", "fish"}))
      ->group("");  // hidden: packages use it
  app_.footer(
      "Exit status: 0 done, 1 failure, 2 usage or configuration, 3 no such bus, 4 messages were lost.\n"
      "Each command has a manual page: evs-cat(1), evs-status(1), evs-plugins(1), evs-bench(1), evs-config(1),\n"
      "evs-verify(1), evs-gateway(1), evs-exporter(1), evs-keygen(1).");
  add_cat();
  add_status();
  add_plugins();
  add_bench();
  add_config();
  add_verify();
  add_gateway();
  add_exporter();
  add_keygen();
}

void CommandLine::add_cat() {
  CatOptions& cat = options_.cat;
  CLI::App& command = *app_.add_subcommand("cat", "Multicast the lines of stdin; print the lines that arrive");
  command.add_option("-g,--group", cat.groups, "Group to join and send to; may be repeated (default: cat)")
      ->allow_extra_args(false)
      ->type_name("GROUP")
      ->check(checked(bad_group))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--guarantee", cat.guarantee, "Delivery guarantee of what is sent")
      ->capture_default_str()
      ->check(CLI::IsMember(kGuarantees));
  command.add_option("--name", cat.name, "Put 'NAME: ' in front of each line that is sent")->type_name("NAME");
  command.add_flag("--json", cat.json, "Print messages, configurations and group changes, one JSON object a line");
  command.add_flag("-v,--verbose", cat.verbose, "Tell of configurations and group changes on stderr");
  CLI::Option* listen = command.add_flag("-l,--listen", cat.listen, "Do not read stdin; stay until told to leave");
  command
      .add_flag("-s,--send-only", cat.send_only,
                "Print nothing; leave when stdin ended and all its lines were delivered")
      ->excludes(listen);
  command.add_option("-n,--count", cat.count, "Leave after N delivered messages")
      ->type_name("N")
      ->check(checked(bad_count));
  command
      .add_option_function<std::string>(
          "--until-idle", [&](const std::string& text) { cat.until_idle_ns = duration_of(text); },
          "Leave when stdin ended and nothing arrived for so long")
      ->type_name("DURATION");
  command
      .add_option_function<std::string>(
          "--linger", [&](const std::string& text) { cat.linger_ns = duration_of(text); },
          "Leave so long after stdin ended and all its lines were delivered")
      ->type_name("DURATION");
  add_bus_choice(command, cat.bus);
}

void CommandLine::add_status() {
  StatusOptions& status = options_.status;
  CLI::App& command =
      *app_.add_subcommand("status", "Show a bus from outside: members, groups, ring use, who holds it");
  command.add_flag("--json", status.json, "Print one JSON object");
  command.add_flag("--handles", status.handles, "Show each handle as well");
  command.add_flag("--counters", status.counters, "Show what was counted as well, and how long things took");
  add_bus_choice(command, status.bus);
}

void CommandLine::add_gateway() {
  GatewayOptions& gateway = options_.gateway;
  CLI::App& command = *app_.add_subcommand("gateway", "Carry the bus between hosts for this one, whoever comes and goes");
  command.add_flag("-v,--verbose", gateway.verbose, "Tell of configurations on stderr");
  add_bus_choice(command, gateway.bus);
}

void CommandLine::add_exporter() {
  ExporterOptions& exporter = options_.exporter;
  CLI::App& command = *app_.add_subcommand("exporter", "Show all buses of this host to Prometheus");
  CLI::Option* listen = command.add_option("--listen", exporter.listen, std::string("Serve http://ADDRESS:PORT/metrics (default: ") + kExporterAddress + ")")
                            ->type_name("ADDRESS:PORT")
                            ->check(checked(bad_address));
  command.add_option("--textfile", exporter.textfile, "Write this file, for the textfile collector of node_exporter")->type_name("FILE");
  command.add_option_function<std::string>("--interval", [&](const std::string& text) { exporter.interval_ns = duration_of(text); }, "How often the file is written (default: 15s)")
      ->type_name("DURATION");
  command.add_flag("--once", exporter.once, "Look once: write the file, or print what would stand in it")->excludes(listen);
  command.add_option("--directory", exporter.directories, "Look for buses here and nowhere else; may be repeated")
      ->allow_extra_args(false)
      ->type_name("DIR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--bus", exporter.buses, "Ask for this bus where a directory may be entered and not listed; may be repeated")
      ->allow_extra_args(false)
      ->type_name("NAME")
      ->check(checked(bad_bus))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_configuration(command, exporter.bus);
}

void CommandLine::add_plugins() {
  PluginsOptions& plugins = options_.plugins;
  CLI::App& command =
      *app_.add_subcommand("plugins", "Show the plugins that were found, and those refused, with the reasons");
  command.add_option("names", plugins.names, "Plugins to show (default: all)")->type_name("NAME");
  command.add_flag("--params", plugins.parameters, "Show the parameters that each takes");
  command.add_flag("--json", plugins.json, "Print one JSON object");
  add_bus_choice(command, plugins.bus);
}

void CommandLine::add_bench() {
  BenchOptions& bench = options_.bench;
  CLI::App& command = *app_.add_subcommand("bench", "Measure latency and throughput between processes of this host");
  command.add_option("what", bench.what, "What to measure")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>{"latency", "throughput", "all"}));
  command
      .add_option_function<std::vector<std::string>>(
          "--size",
          [&](const std::vector<std::string>& list) {
            bench.sizes.clear();
            for (const std::string& text : list) bench.sizes.push_back(size_of(text));
          },
          "Message sizes, separated by commas (default: 64 for latency; 64,1KiB,64KiB for throughput)")
      ->type_name("SIZE")
      ->delimiter(',');
  command.add_option("--senders", bench.senders, "Throughput: sending processes")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  command.add_option("--receivers", bench.receivers, "Throughput: receiving processes")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  command.add_option("--seconds", bench.seconds, "How long each measurement takes")
      ->capture_default_str()
      ->type_name("S")
      ->check([](const std::string& text) {  // CLI::Range lets "nan" through
        char* end = nullptr;
        const double seconds = std::strtod(text.c_str(), &end);
        return *end == '\0' && seconds >= 0.05 && seconds <= 3600 ? std::string() : "'" + text + "' is no number from 0.05 to 3600";
      });
  command
      .add_option("--wait", bench.wait, "How a receiver waits: it spins, blocks in evs_dispatch, or polls evs_fd_get")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>{"busy", "block", "poll"}));
  command.add_option("--guarantee", bench.guarantee, "Delivery guarantee")
      ->capture_default_str()
      ->check(CLI::IsMember(kGuarantees));
  command.add_flag("--pin", bench.pin, "Pin the processes to the processors in turn");
  command.add_flag("--json", bench.json, "Print one JSON object a measurement, one a line");
  command.add_flag("--progress", bench.progress, "Show progress on stderr although it is no terminal");
  add_bus_choice(command, bench.bus);
}

void CommandLine::add_config() {
  ConfigOptions& config = options_.config;
  CLI::App& command = *app_.add_subcommand("config", "Show each configuration value and where it came from");
  command.add_option("keys", config.keys, "Keys to show (default: all)")->type_name("KEY");
  command.add_flag("--check", config.check, "Say nothing but what is wrong");
  command.add_flag("--json", config.json, "Print one JSON object");
  add_bus_choice(command, config.bus);
}

void CommandLine::add_verify() {
  VerifyOptions& verify = options_.verify;
  CLI::App& command =
      *app_.add_subcommand("verify", "Judge traces of processes: did they see extended virtual synchrony?");
  command.add_option("files", verify.files, "Traces, or directories with files that end in .trace")
      ->type_name("FILE")
      ->required();
  command.add_flag("--quiescent", verify.quiescent, "The run had come to rest: what is missing would have come");
  command.add_flag("--partial", verify.partial, "Traces of some processes are missing: do not blame the others");
  command.add_option("--limit", verify.limit, "Show so many violations at most")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command.add_flag("--json", verify.json, "Print one JSON object");
}

void CommandLine::add_keygen() {
  KeygenOptions& keygen = options_.keygen;
  CLI::App& command = *app_.add_subcommand("keygen", "Make, show or replace the key that the hosts of a bus share");
  command.add_option("file", keygen.file, "The key file, such as /etc/evs/key")->type_name("FILE")->required();
  CLI::Option* list = command.add_flag("--list", keygen.list, "Show the ids of the keys, and which one seals; change nothing");
  CLI::Option* add = command.add_flag("--add", keygen.add, "Add a key that opens and does not seal yet")->excludes(list);
  CLI::Option* rotate = command.add_flag("--rotate", keygen.rotate, "Let the key that was added seal")->excludes(list)->excludes(add);
  CLI::Option* retire = command.add_flag("--retire", keygen.retire, "Drop the key that no longer seals")->excludes(list)->excludes(add)->excludes(rotate);
  command.add_flag("--force", keygen.force, "Overwrite the file")->excludes(list)->excludes(add)->excludes(rotate)->excludes(retire);
}

std::optional<int> CommandLine::parse(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return std::nullopt;
}

std::string CommandLine::command() const {
  const auto chosen = app_.get_subcommands();
  return chosen.empty() ? std::string() : chosen.front()->get_name();
}

}  // namespace evs::tools
