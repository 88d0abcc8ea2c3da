// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/config_test.cc - who wins, who is refused, and in which words.
//
// Each test has a little world of its own: a directory in /etc's place, a home, an environment, handed to Config::load
// as arguments. The process's own environment is used where reading it is what is tested.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "bus/runtime/config.h"
#include "bus/runtime/config_units.h"
#include "tests/unit/config_world.h"

namespace evs::runtime {
namespace {

using ::testing::HasSubstr;
// --- layers ---

TEST_F(World, WithoutAnythingEverythingIsDefault) {
  for (const Setting& setting : load().settings()) EXPECT_EQ(setting.origin, "default") << setting.key;
}

TEST_F(World, EachLayerCoversTheOnesBelow) {
  const auto expect = [&](const std::string& value, const std::string& origin) {
    const Config config = load();
    EXPECT_EQ(config.text("bus.name"), value);
    EXPECT_EQ(config.origin("bus.name"), origin);
  };
  expect("default", "default");
  const std::string system = file("etc/evs/evs.toml", "[bus]\n\nname = \"system\"\n");
  expect("system", system + ":3");
  const std::string part = file("etc/evs/conf.d/10-a.toml", "bus.name = \"part-a\"\n");
  expect("part-a", part + ":1");
  const std::string later = file("etc/evs/conf.d/20-b.toml", "bus.name = \"part-b\"\n");
  expect("part-b", later + ":1");
  const std::string user = file("home/.config/evs/evs.toml", "[bus]\nname = \"user\"\n");
  expect("user", user + ":2");
  const std::string xdg = file("xdg/evs/evs.toml", "[bus]\nname = \"xdg\"\n");
  variable("XDG_CONFIG_HOME", root + "/xdg");
  expect("xdg", xdg + ":2");
  const std::string named = file("named.toml", "[bus]\nname = \"named\"\n");
  variable("EVS_CONFIG", named);
  expect("named", named + ":2");
  variable("EVS_BUS_NAME", "variable");
  expect("variable", "environment EVS_BUS_NAME");
  request.parameters = {{"bus.name", "parameter"}};
  expect("parameter", "parameter");
}

TEST_F(World, LayersCoverKeyByKey) {
  file("etc/evs/evs.toml", "[local]\nring_size = \"8MiB\"\nspin = \"5us\"\n");
  file("home/.config/evs/evs.toml", "[local]\nspin = \"0\"\n");
  variable("EVS_LOG_RATE", "7");
  request.parameters = {{"local.slow_reader_timeout", "2s"}};
  const Config config = load();
  EXPECT_EQ(config.bytes("local.ring_size"), 8u << 20);
  EXPECT_EQ(config.nanoseconds("local.spin"), 0u);
  EXPECT_EQ(config.integer("log.rate"), 7u);
  EXPECT_EQ(config.nanoseconds("local.slow_reader_timeout"), 2'000'000'000u);
}

TEST_F(World, AFileOfTheCallerStandsInForAllFiles) {
  file("etc/evs/evs.toml", "bus.name = \"system\"\nlog.rate = 3\n");
  file("etc/evs/conf.d/a.toml", "this is = not = toml");
  file("home/.config/evs/evs.toml", "log.level = \"info\"\n");
  variable("EVS_CONFIG", root + "/does-not-exist");
  variable("EVS_LOCAL_SPIN", "1us");
  request.file = file("mine.toml", "bus.name = \"mine\"\n");
  const Config config = load();
  EXPECT_EQ(config.text("bus.name"), "mine");
  EXPECT_EQ(config.integer("log.rate"), 20u);
  EXPECT_EQ(config.text("log.level"), "warning");
  EXPECT_EQ(config.nanoseconds("local.spin"), 1000u) << "the environment still covers the file";
}

TEST_F(World, OnlyTomlFilesOfConfDCountAndHiddenOnesDoNot) {
  file("etc/evs/conf.d/a.toml.bak", "[");
  file("etc/evs/conf.d/.b.toml", "[");
  file("etc/evs/conf.d/README", "[");
  file("etc/evs/conf.d/c.toml", "log.rate = 4");
  EXPECT_EQ(load().integer("log.rate"), 4u);
}

TEST_F(World, RelativeXdgDirectoryAndHomeDoNotCount) {
  request.environment = ConfigPairs{{"HOME", "home"}, {"XDG_CONFIG_HOME", "xdg"}, {"EVS_CONFIG", ""}};
  EXPECT_EQ(load().origin("bus.name"), "default");
  request.environment->at(0).second = root + "/home";
  const std::string user = file("home/.config/evs/evs.toml", "bus.name = \"user\"\n");
  EXPECT_EQ(load().origin("bus.name"), user + ":1");
}

TEST_F(World, DevNullIsAnEmptyConfiguration) {
  request.file = "/dev/null";
  EXPECT_EQ(load().text("bus.name"), "default");
}

TEST_F(World, TheProcessEnvironmentIsReadWhenNoneIsGiven) {
  request.environment.reset();
  request.file = "/dev/null";
  ASSERT_EQ(::setenv("EVS_METRICS_SAMPLE", "3", 1), 0);
  const Config config = load();
  ::unsetenv("EVS_METRICS_SAMPLE");
  EXPECT_EQ(config.integer("metrics.sample"), 3u);
  EXPECT_EQ(config.origin("metrics.sample"), "environment EVS_METRICS_SAMPLE");
}

// --- plugins' parameters ---

TEST_F(World, SectionsOfPluginsPassThroughToThemAlone) {
  file("etc/evs/evs.toml",
       "[plugin.udp]\nport = 5405\nttl = 1\nsecurity = \"none\"\nloop = true\nrate = 0.5\n"
       "peers = [\"10.0.0.1\", \"10.0.0.2\"]\ntimers.token = \"100ms\"\n[plugin.udp2]\nport = 1\n[plugin.empty]\n");
  variable("EVS_PLUGIN_UDP_PORT", "6000");
  variable("EVS_PLUGIN_PATH", "/somewhere");
  variable("EVS_PLUGIN_INSECURE", "1");
  request.parameters = {{"plugin.udp.ttl", "4"}};
  const Config config = load();
  EXPECT_THAT(
      config.plugin_parameters("udp"),
      ::testing::UnorderedElementsAre(std::pair("port", "6000"), std::pair("ttl", "4"), std::pair("security", "none"),
                                      std::pair("loop", "true"), std::pair("rate", "0.5"),
                                      std::pair("peers", "10.0.0.1,10.0.0.2"), std::pair("timers.token", "100ms")));
  EXPECT_EQ(config.plugin_parameters("udp2"), (ConfigPairs{{"port", "1"}}));
  EXPECT_TRUE(config.plugin_parameters("empty").empty());
  EXPECT_TRUE(config.plugin_parameters("").empty());
  const std::vector<Setting> settings = config.settings();
  ASSERT_EQ(settings.size(), kKeyCount + 8);
  const auto port = std::find_if(settings.begin(), settings.end(),
                                 [](const Setting& setting) { return setting.key == "plugin.udp.port"; });
  ASSERT_NE(port, settings.end());
  EXPECT_EQ(port->origin, "environment EVS_PLUGIN_UDP_PORT");
}

TEST(Plugins, WhatCannotBeHandedToOneIsRefused) {
  EXPECT_EQ(refusal_of("[plugin.\"a/b\"]\nx = 1\n"),
            "evs.toml:2: plugin.a/b.x: a plugin's name is 1 to 32 of the characters a-z 0-9 -");
  EXPECT_EQ(refusal_of("plugin.udp = 1"), "evs.toml:1: plugin.udp: a plugin's parameter is plugin.NAME.KEY");
  EXPECT_EQ(refusal_of("[plugin.udp]\nsince = 1979-05-27\n"),
            "evs.toml:2: plugin.udp.since = a date or time without quotes: a plugin's parameter is a text, number, "
            "boolean or list of them");
  EXPECT_THAT(refusal_of("[plugin.udp]\npeers = [\"a,b\"]\n"), HasSubstr("a list with a comma in an element"));
  EXPECT_THAT(refusal_of("[plugin.udp]\npeers = [[1]]\n"), HasSubstr("a list in a list"));
}

// --- refusals: the words are part of the interface ---

TEST(Refusal, UnknownKeyNamesPlaceKeyNearestAndWhereAllStand) {
  EXPECT_EQ(refusal_of("\n[local]\nring_sise = \"4MiB\"\n"),
            "evs.toml:3: unknown key local.ring_sise; did you mean local.ring_size? all keys: evs.toml(5) or "
            "`evs config`");
  const std::pair<const char*, const char*> near[] = {
      {"name = \"x\"", "bus.name"},
      {"[logging]\nlevel = \"info\"", "log.level"},
      {"ring_size = \"4MiB\"", "local.ring_size"},
      {"[local]\nslow_reader = \"1s\"", "local.slow_reader_timeout"},
      {"[plugins]\npaths = \"/x\"", "plugins.path"},
      {"[metric]\nsample = 1", "metrics.sample"},
      {"[local.ring_size]\nx = 1", "local.ring_size"},
  };
  for (const auto& [text, expected] : near)
    EXPECT_THAT(refusal_of(text), HasSubstr(std::string("did you mean ") + expected + "?")) << text;
}

TEST(Refusal, AKeyOnPluginItselfIsNoParameter) {
  EXPECT_EQ(refusal_of("[plugin]\npath = \"/x\"\n"),
            "evs.toml:2: plugin.path: a plugin's parameter is plugin.NAME.KEY");
}

TEST(Refusal, ASectionIsNoKeyAndAnUnknownEmptySectionIsNotOverlooked) {
  EXPECT_EQ(refusal_of("log = \"stderr\""),
            "evs.toml:1: log is a section: its keys stand below a line [log]; all keys: evs.toml(5) or `evs config`");
  EXPECT_THAT(refusal_of("[locl]\n"), HasSubstr("evs.toml:1: unknown key locl"));
  EXPECT_TRUE(Config::from_text("[log]\n[local]\n[plugin]\n", "evs.toml").ok()) << "all keys commented out is fine";
}

TEST(Refusal, BadValueNamesPlaceKeyValueAndWhatIsValid) {
  const std::pair<const char*, const char*> wrong[] = {
      {"log.level = \"loud\"",
       "evs.toml:1: log.level = \"loud\": must be one of trace, debug, info, warning, error, off"},
      {"log.level = \"\"", "evs.toml:1: log.level = \"\": must be one of trace, debug, info, warning, error, off"},
      {"log.level = \"info, warning\"",
       "evs.toml:1: log.level = \"info, warning\": must be one of trace, debug, info, warning, error, off"},
      {"log.level = 3",
       "evs.toml:1: log.level = 3: takes a text, in quotes; must be one of trace, debug, info, warning, error, off"},
      {"local.ring_size = \"3MiB\"",
       "evs.toml:1: local.ring_size = \"3MiB\": must be a power of two from 512KiB to 1GiB"},
      {"local.ring_size = \"2GiB\"",
       "evs.toml:1: local.ring_size = \"2GiB\": must be a power of two from 512KiB to 1GiB"},
      {"local.ring_size = 4194304",
       "evs.toml:1: local.ring_size = 4194304: a bare number; write its unit (units: B, KiB, MiB, GiB); must be a "
       "power of two from 512KiB to 1GiB"},
      {"local.ring_size = true",
       "evs.toml:1: local.ring_size = true: takes a size; must be a power of two from 512KiB to 1GiB"},
      {"local.ring_size = [1, 2]",
       "evs.toml:1: local.ring_size = [1,2]: takes a size; must be a power of two from 512KiB to 1GiB"},
      {"local.spin = \"20\"",
       "evs.toml:1: local.spin = \"20\": a bare number; write its unit (units: ns, us, ms, s, min, h); must be from "
       "0 to 1ms"},
      {"local.spin = \"2ms\"", "evs.toml:1: local.spin = \"2ms\": must be from 0 to 1ms"},
      {"local.slow_reader_timeout = \"0\"", "evs.toml:1: local.slow_reader_timeout = \"0\": must be from 100ms to 1h"},
      {"local.stalled_writer_timeout = \"50ms\"",
       "evs.toml:1: local.stalled_writer_timeout = \"50ms\": must be 0, or from 100ms to 1h"},
      {"local.max_processes = 1", "evs.toml:1: local.max_processes = 1: must be from 2 to 1024"},
      {"local.max_processes = -1", "evs.toml:1: local.max_processes = -1: not a whole number; must be from 2 to 1024"},
      {"local.max_processes = 1.5",
       "evs.toml:1: local.max_processes = 1.5: not a whole number; must be from 2 to 1024"},
      {"log.to = \"file:relative\"",
       "evs.toml:1: log.to = \"file:relative\": must be one of stderr, syslog, none, file:/absolute/path"},
      {"local.directory = \"here\"", "evs.toml:1: local.directory = \"here\": must be an absolute path, or empty"},
      {"plugins.path = \"/a:b\"",
       "evs.toml:1: plugins.path = \"/a:b\": must be absolute paths separated by colons, or empty"},
      {"local.transport = \"../shm\"",
       "evs.toml:1: local.transport = \"../shm\": must be a plugin's name (1 to 32 of a-z 0-9 -) or the absolute "
       "path of a file"},
      {"uplink.quorum = 0", "evs.toml:1: uplink.quorum = 0: must be off, auto, or a number of hosts from 1 to 256"},
      {"uplink.quorum = 257", "evs.toml:1: uplink.quorum = 257: must be off, auto, or a number of hosts from 1 to 256"},
      {"uplink.quorum = \"majority\"", "evs.toml:1: uplink.quorum = \"majority\": must be off, auto, or a number of hosts from 1 to 256"},
      {"uplink.quorum = \"\"", "evs.toml:1: uplink.quorum = \"\": must be off, auto, or a number of hosts from 1 to 256"},
      {"uplink.quorum = true", "evs.toml:1: uplink.quorum = true: takes a text; must be off, auto, or a number of hosts from 1 to 256"},
      {"uplink.found = \"perhaps\"", "evs.toml:1: uplink.found = \"perhaps\": must be one of no, yes"},
      {"uplink.state_directory = \"here\"", "evs.toml:1: uplink.state_directory = \"here\": must be an absolute path, or empty"},
      {"local.group = \"a b\"", "evs.toml:1: local.group = \"a b\": must be the name of a Unix group, or empty"},
  };
  for (const auto& [text, expected] : wrong) EXPECT_EQ(refusal_of(text), expected);
  for (const char* name :
       {"", ".", "..", "UPPER", "with space", "slash/", "\\u00e4", "a\\nb", "123456789012345678901234567890123"})
    EXPECT_THAT(refusal_of("bus.name = \"" + std::string(name) + "\""),
                HasSubstr(": must be 1 to 32 of the characters a-z 0-9 _ . - (not \".\" or \"..\")"));
}

TEST(Refusal, GoodValuesAreNotRefused) {
  for (const char* good :
       {"local.ring_size = \"512KiB\"", "local.ring_size = \"1 GiB\"", "local.stalled_writer_timeout = 0",
        "local.stalled_writer_timeout = \"1h\"", "local.spin = 0", "log.to = \"syslog\"", "log.to = \"none\"",
        "log.to = \"file:/var/log/evs.log\"", "local.transport = \"/opt/x/evs-transport-own.so\"", "log.rate = 0",
        "uplink.transport = \"udp\"", "uplink.transport = \"\"", "plugins.path = \"/a:/b\"", "log.rate = 0x10",
        "local.group = \"domain-users\"", "bus.name = \"12345678901234567890123456789012\"",
        "bus.name = \"a.b_c-d\"", "uplink.quorum = 1", "uplink.quorum = 256", "uplink.quorum = \"3\"", "uplink.quorum = \"auto\""}) {
    const Result<Config> config = Config::from_text(good, "evs.toml");
    EXPECT_TRUE(config.ok()) << good << ": " << (config.ok() ? "" : config.error());
  }
}

TEST(Refusal, SyntaxErrorsHaveLineAndColumn) {
  EXPECT_THAT(refusal_of("[bus]\nname = \"a\"\nname == 3\n"),
              ::testing::MatchesRegex("evs\\.toml:3:[0-9]+: not TOML: .+"));
  EXPECT_THAT(refusal_of("[local]\nspin = 20us\n"),
              ::testing::MatchesRegex("evs\\.toml:2:[0-9]+: not TOML: .+stands in quotes: \"64KiB\"\\)"));
  EXPECT_THAT(refusal_of("[bus]\nname = \"a\"\nname = \"b\"\n"), HasSubstr("evs.toml:3:"));
  EXPECT_THAT(refusal_of("bus.name = \"\xff\xfe\""), HasSubstr("evs.toml:1:"));
  for (const char* letter : {"\u00f6", "\u1234", "\u2010", "\u2fff", "\ufebf", "\ufeff"})
    EXPECT_THAT(refusal_of("gr" + std::string(letter) + "sse = 1"), HasSubstr("evs.toml:1:3: not TOML")) << letter;
}

TEST(Refusal, ShapesThatWouldExhaustTheHostAreTurnedAway) {
  std::string dots = "a";
  for (int i = 0; i < 100000; ++i) dots += ".a";
  EXPECT_EQ(refusal_of(dots + " = 1"),
            "evs.toml:1: more than 128 dots in one line; break a long list into several lines");
  EXPECT_EQ(refusal_of("bus.a.b.c.d.e.f.g.h = 1"), "evs.toml:1: bus.a.b.c.d.e.f.g.h: a key has at most 8 parts");
  EXPECT_THAT(refusal_of("x = " + std::string(5000, '[')), HasSubstr("nested"));
  EXPECT_EQ(refusal_of(std::string((1 << 20) + 1, '\n')), "evs.toml: larger than 1MiB, which is no configuration");
}

TEST(Refusal, WhatAFileSaysCannotForgeLines) {
  EXPECT_EQ(refusal_of("bus.name = \"a\\nevs: all is well\\u001b[2J\""),
            "evs.toml:1: bus.name = \"a?evs: all is well?[2J\": must be 1 to 32 of the characters a-z 0-9 _ . - (not "
            "\".\" or \"..\")");
  EXPECT_THAT(refusal_of("\"a\\nb\" = 1"), HasSubstr("unknown key a?b;"));
  EXPECT_EQ(
      refusal_of("local.spin = \"10s\\nevs: all is well\""),
      "evs.toml:1: local.spin = \"10s?evs: all is well\": not a whole number followed by a unit, such as \"100ms\" "
      "(units: ns, us, ms, s, min, h); must be from 0 to 1ms");
  EXPECT_LT(refusal_of("local.spin = \"10" + std::string(100000, 'x') + "\"").size(), 500u);
  EXPECT_LT(refusal_of("bus.name = \"" + std::string(100000, 'x') + "\"").size(), 500u);
}

TEST_F(World, BadVariablesAreNamed) {
  variable("EVS_LOCAL_RING_SISE", "4MiB");
  EXPECT_EQ(refusal(),
            "environment EVS_LOCAL_RING_SISE: unknown key local.ring_sise; did you mean EVS_LOCAL_RING_SIZE "
            "(local.ring_size)? All keys: evs.toml(5) or `evs config`");
  request.environment = ConfigPairs{{"EVS_LOG_LEVEL", "loud"}};
  EXPECT_EQ(refusal(),
            "environment EVS_LOG_LEVEL: log.level = \"loud\": must be one of trace, debug, info, warning, error, off");
  request.environment = ConfigPairs{{"EVS_LOCAL_RING_SIZE", "4194304"}};
  EXPECT_THAT(refusal(), HasSubstr("environment EVS_LOCAL_RING_SIZE: local.ring_size = \"4194304\": a bare number"));
}

TEST_F(World, VariablesOfOthersAreLeftAlone) {
  for (const char* name :
       {"EVS_TEST_SEED", "EVS_", "EVS_LOG", "EVS_LOG_", "EVS_PLUGIN_X_", "EVS_PLUGIN__X", "EVSX", ""})
    variable(name, "anything");
  EXPECT_EQ(load().settings().size(), kKeyCount);
}

TEST_F(World, BadParametersAreNamed) {
  request.parameters = {{"local.ringsize", "4MiB"}};
  EXPECT_EQ(refusal(),
            "parameter: unknown key local.ringsize; did you mean local.ring_size? all keys: evs.toml(5) or "
            "`evs config`");
  request.parameters = {{"local.max_processes", "many"}};
  EXPECT_EQ(refusal(), "parameter: local.max_processes = \"many\": not a whole number; must be from 2 to 1024");
}

TEST_F(World, AnErrorInACoveredLayerIsStillAnError) {
  const std::string system = file("etc/evs/evs.toml", "log.level = \"loud\"\n");
  request.parameters = {{"log.level", "info"}};
  EXPECT_THAT(refusal(), HasSubstr(system + ":1: log.level"));
}

TEST_F(World, FilesThatCannotBeReadAreNamed) {
  variable("EVS_CONFIG", root + "/missing.toml");
  EXPECT_EQ(refusal(), root + "/missing.toml: cannot read the configuration: No such file or directory");
  request.file = root;
  EXPECT_EQ(refusal(), root + ": cannot read the configuration: it is a directory");
  request.file = root + "/fifo";
  ASSERT_EQ(::mkfifo(request.file.c_str(), 0600), 0);
  EXPECT_EQ(refusal(), root + "/fifo: cannot read the configuration: it is not a file") << "and did not block";
}

// A file that cannot be opened for want of a descriptor is no bad configuration: the caller hears what ran out.
TEST_F(World, NoDescriptorLeftIsNotTheFilesFault) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;  // those that are open stay; a new one is refused
  request.file = file("named.toml", "log.rate = 1\n");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const Result<Config> from_file = Config::load(request);
  request.file.clear();
  const Result<Config> from_directory = Config::load(request);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(from_file.ok());
  EXPECT_EQ(from_file.failure().cause, Cause::no_descriptors);
  EXPECT_THAT(from_file.error(), HasSubstr("/named.toml: cannot read the configuration: Too many open files; "));
  EXPECT_THAT(from_file.error(), HasSubstr("ulimit -n"));
  ASSERT_FALSE(from_directory.ok());
  EXPECT_EQ(from_directory.failure().cause, Cause::no_descriptors);
  EXPECT_THAT(from_directory.error(), HasSubstr("/conf.d: "));
}

TEST_F(World, AFileWithoutPermissionIsNamed) {
  if (::geteuid() == 0) {
    // Root may read everything: become nobody in a child, which reports by its exit status.
    const std::string path = file("etc/evs/evs.toml", "log.rate = 1\n");
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    ASSERT_EQ(::chmod(root.c_str(), 0755), 0);
    const auto as_nobody = [&] {
      if (::setuid(65534) != 0) _exit(2);
      const Result<Config> config = Config::load(request);
      _exit(!config.ok() && config.error() == path + ": cannot read the configuration: Permission denied" ? 0 : 1);
    };
    EXPECT_EXIT(as_nobody(), ::testing::ExitedWithCode(0), "");
    return;
  }
  const std::string path = file("etc/evs/evs.toml", "log.rate = 1\n");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  EXPECT_EQ(refusal(), path + ": cannot read the configuration: Permission denied");
}

TEST_F(World, AHomeThatMayNotBeSearchedHidesTheUsersFile) {
  file("home/.config/evs/evs.toml", "bus.name = \"user\"\n");
  ASSERT_EQ(::chmod((root + "/home").c_str(), 0), 0);
  const auto check = [&] {
    if (::geteuid() == 0 && (::chmod(root.c_str(), 0755) != 0 || ::setuid(65534) != 0)) _exit(2);
    const Result<Config> config = Config::load(request);
    _exit(config.ok() && config->origin("bus.name") == "default" ? 0 : 1);
  };
  EXPECT_EXIT(check(), ::testing::ExitedWithCode(0), "");
  ::chmod((root + "/home").c_str(), 0700);
}

// --- what the fuzzer found interesting is read by every build ---

TEST(Corpus, EveryFileIsReadOrRefusedInOneLine) {
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(std::string(EVS_SOURCE_DIR) + "/tests/fuzz/corpus/config")) {
    std::stringstream read;
    read << std::ifstream(entry.path()).rdbuf();
    const Result<Config> config = Config::from_text(read.str(), "corpus");
    if (!config.ok()) {
      EXPECT_EQ(config.error().find('\n'), std::string::npos) << entry.path();
      EXPECT_THAT(config.error(), HasSubstr("corpus:")) << entry.path();
    }
    ++files;
  }
  EXPECT_GE(files, 10u);
}

}  // namespace
}  // namespace evs::runtime
