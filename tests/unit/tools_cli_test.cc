// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/tools_cli_test.cc - the command line: what it takes, what it refuses, and that the completions know all of
// it.
#include "tools/evs/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/evs/completion.h"
#include "tools/evs/exit_code.h"

namespace evs::tools {
namespace {

using testing::HasSubstr;

struct Parsed {
  CommandLine line;
  std::optional<int> status;
  std::string printed, complained;

  explicit Parsed(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "evs");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    status = line.parse(static_cast<int>(arguments.size()), arguments.data());
    printed = testing::internal::GetCapturedStdout();
    complained = testing::internal::GetCapturedStderr();
  }
};

TEST(CommandLineTest, CatTakesAllOfItsOptions) {
  const Parsed p({"cat",
                  "--group",
                  "a",
                  "-g",
                  "b",
                  "--guarantee",
                  "safe",
                  "--json",
                  "--name",
                  "ann",
                  "--listen",
                  "--count",
                  "12",
                  "--until-idle",
                  "500ms",
                  "--linger",
                  "2s",
                  "--bus",
                  "x",
                  "--set",
                  "log.level=debug",
                  "--set",
                  "local.ring_size=1MiB",
                  "--config",
                  "/etc/evs/other.toml"});
  ASSERT_EQ(p.status, std::nullopt) << p.complained;
  const CatOptions& cat = p.line.options().cat;
  EXPECT_EQ(p.line.command(), "cat");
  EXPECT_EQ(cat.groups, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(cat.guarantee, "safe");
  EXPECT_TRUE(cat.json);
  EXPECT_TRUE(cat.listen);
  EXPECT_EQ(cat.name, "ann");
  EXPECT_EQ(cat.count, 12u);
  EXPECT_EQ(cat.until_idle_ns, 500'000'000u);
  EXPECT_EQ(cat.linger_ns, 2'000'000'000u);
  EXPECT_EQ(cat.bus.bus, "x");
  EXPECT_EQ(cat.bus.settings, (std::vector<std::string>{"log.level=debug", "local.ring_size=1MiB"}));
  EXPECT_EQ(cat.bus.config_file, "/etc/evs/other.toml");
}

TEST(CommandLineTest, BenchTakesListsOfSizes) {
  const Parsed p({"bench", "throughput", "--size", "0,64,1KiB", "--senders", "2", "--receivers", "3", "--seconds",
                  "0.5", "--wait", "poll", "--pin"});
  ASSERT_EQ(p.status, std::nullopt) << p.complained;
  const BenchOptions& bench = p.line.options().bench;
  EXPECT_EQ(bench.what, "throughput");
  EXPECT_EQ(bench.sizes, (std::vector<uint64_t>{0, 64, 1024}));
  EXPECT_EQ(bench.senders, 2u);
  EXPECT_EQ(bench.receivers, 3u);
  EXPECT_DOUBLE_EQ(bench.seconds, 0.5);
  EXPECT_EQ(bench.wait, "poll");
  EXPECT_TRUE(bench.pin);
}

TEST(CommandLineTest, NamesStandAlone) {
  const Parsed config({"config", "log.level", "bus.name", "--json"});
  EXPECT_EQ(config.line.options().config.keys, (std::vector<std::string>{"log.level", "bus.name"}));
  const Parsed plugins({"plugins", "--params", "shm"});
  EXPECT_EQ(plugins.line.options().plugins.names, std::vector<std::string>{"shm"});
  EXPECT_TRUE(plugins.line.options().plugins.parameters);
}

TEST(CommandLineTest, VerifyTakesFiles) {
  const Parsed p({"verify", "--quiescent", "a.trace", "b", "--limit", "3", "--partial", "--json"});
  ASSERT_EQ(p.status, std::nullopt) << p.complained;
  const VerifyOptions& verify = p.line.options().verify;
  EXPECT_EQ(verify.files, (std::vector<std::string>{"a.trace", "b"}));
  EXPECT_TRUE(verify.quiescent && verify.partial && verify.json);
  EXPECT_EQ(verify.limit, 3u);
}

TEST(CommandLineTest, AnExporterTakesSeveralPlacesAndNames) {
  const Parsed p({"exporter", "--directory", "/a", "--directory", "/b", "--bus", "x", "--bus", "y", "--textfile", "/t.prom", "--interval", "2s"});
  ASSERT_EQ(p.status, std::nullopt) << p.complained;
  const ExporterOptions& exporter = p.line.options().exporter;
  EXPECT_EQ(exporter.directories, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(exporter.buses, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(exporter.textfile, "/t.prom");
  EXPECT_EQ(exporter.interval_ns, 2'000'000'000u);
  EXPECT_EQ(exporter.listen, "");
}

TEST(CommandLineTest, GatewayTakesABus) {
  const Parsed p({"gateway", "--bus", "sensors", "--set", "uplink.transport=udp", "-v"});
  ASSERT_EQ(p.status, std::nullopt) << p.complained;
  EXPECT_EQ(p.line.command(), "gateway");
  EXPECT_EQ(p.line.options().gateway.bus.bus, "sensors");
  EXPECT_EQ(p.line.options().gateway.bus.settings, std::vector<std::string>{"uplink.transport=udp"});
  EXPECT_TRUE(p.line.options().gateway.verbose);
}

TEST(CommandLineTest, KeygenTakesAFileAndAStep) {
  const Parsed p({"keygen", "--rotate", "/etc/evs/key"});
  ASSERT_EQ(p.status, std::nullopt) << p.complained;
  const KeygenOptions& keygen = p.line.options().keygen;
  EXPECT_EQ(keygen.file, "/etc/evs/key");
  EXPECT_TRUE(keygen.rotate && !keygen.add && !keygen.retire && !keygen.force && !keygen.list);
  EXPECT_TRUE(Parsed({"keygen", "--list", "/etc/evs/key"}).line.options().keygen.list);
}

TEST(CommandLineTest, EveryRefusalIsAUsageErrorAndSaysWhy) {
  const struct {
    std::vector<const char*> arguments;
    const char* reason;
  } cases[] = {
      {{"dog"}, "dog"},
      {{"cat", "--colour"}, "--colour"},
      {{"cat", "--guarantee", "total"}, "unordered"},
      {{"cat", "--group", "a name of more than thirty-two bytes"}, "1 to 32 bytes"},
      {{"cat", "--count", "0"}, "--count"},
      {{"cat", "--linger", "2"}, "'2' is no duration"},
      {{"cat", "--set", "log.level"}, "is not KEY=VALUE"},
      {{"cat", "--listen", "--send-only"}, "--listen"},
      {{"cat", "--bus", "a bus name that has more than thirty-two bytes"}, "1 to 32 bytes"},
      {{"bench", "--size", "64,huge"}, "'huge' is no size"},
      {{"bench", "--senders", "0"}, "--senders"},
      {{"bench", "--wait", "sleep"}, "busy"},
      {{"--completion", "csh"}, "fish"},
      {{"verify"}, "files is required"},
      {{"verify", "x.trace", "--limit", "0"}, "--limit"},
      {{"keygen"}, "file is required"},
      {{"keygen", "k", "--add", "--retire"}, "excludes"},
      {{"keygen", "k", "--list", "--rotate"}, "excludes"},
      {{"cat", "status"}, "status"},
      {{"gateway", "--json"}, "--json"},
      {{"exporter", "--listen", "localhost:1"}, "ADDRESS:PORT"},
      {{"exporter", "--listen", "127.0.0.1"}, "ADDRESS:PORT"},
      {{"exporter", "--listen", "127.0.0.1:65536"}, "ADDRESS:PORT"},
      {{"exporter", "--listen", "127.0.0.1:1x"}, "ADDRESS:PORT"},
      {{"exporter", "--once", "--listen", "127.0.0.1:1"}, "excludes"},
  };
  for (const auto& c : cases) {
    const Parsed p(c.arguments);
    EXPECT_EQ(p.status, kExitUsage) << c.reason;
    EXPECT_THAT(p.complained, HasSubstr(c.reason));
  }
}

TEST(CommandLineTest, HelpIsNoError) {
  for (const char* command : {"cat", "status", "gateway", "exporter", "plugins", "bench", "config"}) {
    const Parsed p({command, "--help"});
    EXPECT_EQ(p.status, kExitOk);
    EXPECT_THAT(p.printed, HasSubstr("--bus"));
  }
  EXPECT_THAT(Parsed({"--help"}).printed, testing::Not(HasSubstr("--completion")));
}

// Every option of every command, by walking the tree anew: nothing can be added to it and missed by a shell.
TEST(Completion, KnowsEveryOptionAndChoice) {
  const CommandLine line;
  const std::string bash = bash_completion(line.tree()), zsh = zsh_completion(line.tree()),
                    fish = fish_completion(line.tree());
  size_t seen = 0;
  for (const CLI::App* command : line.tree().get_subcommands([](const CLI::App*) { return true; })) {
    for (const std::string& text : {bash, zsh, fish}) EXPECT_THAT(text, HasSubstr(command->get_name()));
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        ++seen;
        EXPECT_THAT(bash, HasSubstr("--" + name));
        EXPECT_THAT(zsh, HasSubstr("--" + name));
        EXPECT_THAT(fish, HasSubstr("-l " + name));
      }
    }
  }
  EXPECT_GT(seen, 30u);
  EXPECT_THAT(bash, HasSubstr("cat:--guarantee) COMPREPLY=($(compgen -W 'unordered fifo agreed safe'"));
  EXPECT_THAT(bash, HasSubstr("cat:--config) COMPREPLY=($(compgen -f"));
  EXPECT_THAT(bash, HasSubstr("--json' -- \"$word\") $(compgen -f -- \"$word\")) ;;"));
  EXPECT_THAT(fish, HasSubstr("__fish_seen_subcommand_from verify' -F"));
  EXPECT_THAT(zsh, HasSubstr("(unordered fifo agreed safe)"));
  EXPECT_THAT(fish, HasSubstr("-l guarantee -x -a 'unordered fifo agreed safe'"));
}

}  // namespace
}  // namespace evs::tools
