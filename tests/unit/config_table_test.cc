// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/config_table_test.cc - the table of keys: valid by its own rules, explained, and in the manual page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "bus/runtime/config.h"
#include "bus/runtime/config_units.h"

namespace evs::runtime {
namespace {

using ::testing::HasSubstr;

TEST(Table, DefaultsAreValidCanonicalAndTheOnesDocumented) {
  const Result<Config> config = Config::from_text("", "nothing");
  ASSERT_TRUE(config.ok()) << config.error();
  const std::vector<Setting> settings = config->settings();
  ASSERT_EQ(settings.size(), kKeyCount);
  for (size_t i = 0; i < kKeyCount; ++i) {
    EXPECT_EQ(settings[i].key, kKeys[i].name);
    EXPECT_EQ(settings[i].value, kKeys[i].initial) << "the default is not spelt as `evs config` prints it";
    EXPECT_EQ(settings[i].origin, "default");
    EXPECT_FALSE(kKeys[i].help.empty());
  }
  EXPECT_EQ(config->text("bus.name"), "default");
  EXPECT_EQ(config->nanoseconds("bus.initialize_timeout"), 10'000'000'000u);
  EXPECT_EQ(config->text("local.transport"), "shm");
  EXPECT_EQ(config->bytes("local.ring_size"), 4u << 20);
  EXPECT_EQ(config->bytes("local.message_limit"), 1u << 20);
  EXPECT_EQ(config->integer("local.max_processes"), 128u);
  EXPECT_EQ(config->nanoseconds("local.slow_reader_timeout"), 10'000'000'000u);
  EXPECT_EQ(config->nanoseconds("local.stalled_writer_timeout"), 0u);
  EXPECT_EQ(config->nanoseconds("local.attach_timeout"), 5'000'000'000u);
  EXPECT_EQ(config->nanoseconds("local.spin"), 20'000u);
  EXPECT_EQ(config->text("log.level"), "warning");
  EXPECT_EQ(config->text("log.to"), "stderr");
  EXPECT_EQ(config->integer("log.rate"), 20u);
  EXPECT_EQ(config->integer("metrics.sample"), 10u);
  for (const char* empty : {"local.directory", "local.group", "plugins.path", "metrics.group", "uplink.transport"})
    EXPECT_EQ(settings[key_index(empty)].value, "") << empty;
}

TEST(Table, NoTwoKeysShareANameOrVariableAndSectionsHaveNoUnderscore) {
  std::set<std::string> seen;
  for (const KeySpec& key : kKeys) {
    EXPECT_TRUE(seen.insert(environment_name(key.name)).second) << key.name;
    const std::string_view section = key.name.substr(0, key.name.find('.'));
    EXPECT_EQ(section.find('_'), std::string_view::npos) << "EVS_<SECTION>_<KEY> would be ambiguous";
    EXPECT_TRUE(is_section(section));
    EXPECT_NE(section, "plugin");
  }
  EXPECT_FALSE(is_section("plugin"));
  EXPECT_FALSE(is_section("loc"));
  EXPECT_FALSE(is_section(""));
}

TEST(Table, ChoicesAreExplainedForEachKey) {
  const std::string all = explain_choices();
  for (const KeySpec& key : kKeys) {
    EXPECT_THAT(all, HasSubstr(std::string(key.name) + " ("));
    EXPECT_THAT(all, HasSubstr(environment_name(key.name)));
  }
  EXPECT_THAT(all, HasSubstr("valid: a power of two from 512KiB to 1GiB"));
  EXPECT_THAT(all, HasSubstr("valid: one of trace, debug, info, warning, error, off"));
}

// The manual page carries the table. EVS_WRITE_REFERENCE=1 brings it up to date.
TEST(Table, StandsInTheManualPage) {
  const std::string path = std::string(EVS_SOURCE_DIR) + "/docs/man/evs.toml.5.scd";
  std::stringstream read;
  read << std::ifstream(path).rdbuf();
  const std::string page = read.str();
  const std::string reference = key_reference_scd();
  const size_t begin = page.find("## [bus]\n");
  const size_t end = page.find("; End of the keys.\n");
  ASSERT_NE(begin, std::string::npos) << path;
  ASSERT_NE(end, std::string::npos) << path;
  if (std::getenv("EVS_WRITE_REFERENCE") != nullptr) {
    std::ofstream(path) << page.substr(0, begin) << reference << page.substr(end);
    GTEST_SKIP() << "wrote " << path;
  }
  EXPECT_TRUE(page.substr(begin, end - begin) == reference)
      << "the page differs from the table: run this test with EVS_WRITE_REFERENCE=1 in the environment";
}

}  // namespace
}  // namespace evs::runtime
