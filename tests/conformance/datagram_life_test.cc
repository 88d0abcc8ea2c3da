// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/datagram_life_test.cc - how a datagram medium is opened, refused and closed, and what is left behind.
#include <dirent.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "tests/conformance/station.h"

namespace evs::conformance {
namespace {

using testing::HasSubstr;

std::string refusal(const Parameters& changed) {
  try {
    Station station(0, changed);
    return "it was accepted";
  } catch (const std::runtime_error& problem) {
    return problem.what();
  }
}

TEST(DatagramParameters, AnUnknownOneIsNamed) {
  const std::string text = refusal({{"no_such_parameter", "1"}});
  EXPECT_THAT(text, HasSubstr("no_such_parameter"));
  EXPECT_THAT(text, HasSubstr(plugin().file));
}

TEST(DatagramParameters, ABadValueIsNamedWithItsKey) {
  for (const auto& info : plugin().parameters()) {
    if (std::strcmp(info.type, "text") == 0) continue;
    for (const char* value : {"lots", "", "-1", "1e3", "18446744073709551616B", "99999999999GiB"})
      EXPECT_THAT(refusal({{info.key, value}}), HasSubstr(std::string(info.key))) << value;
  }
}

TEST(DatagramParameters, ThePluginTellsWhichItTakes) {
  const auto infos = plugin().parameters();
  EXPECT_FALSE(infos.empty());
  for (const auto& info : infos) {
    EXPECT_THAT((std::vector<std::string>{"size", "duration", "integer", "text"}), testing::Contains(info.type)) << info.key;
    EXPECT_NE(std::string(info.help), "") << info.key;
    EXPECT_NE(std::string(info.range), "") << info.key;
  }
}

TEST(DatagramParameters, TheErrorTextStaysInItsRoom) {
  Host host(fresh_bus());
  const evs_plugin_parameter parameter{"no_such_parameter", "1"};
  for (const size_t capacity : {0, 1, 8, 4096}) {
    std::vector<char> text(capacity + 16, '#');
    evs_error_text error{text.data(), capacity};
    evs_transport* self = nullptr;
    EXPECT_EQ(plugin().descriptor->transport->create(&host.table(), &parameter, 1, &self, &error), EVS_P_BAD_PARAMETER);
    EXPECT_EQ(self, nullptr);
    for (size_t i = capacity; i < text.size(); ++i) EXPECT_EQ(text[i], '#') << "at " << i << " of " << capacity;
  }
}

TEST(DatagramLife, TheDumpTellsItsFullLength) {
  Station station(0);
  const auto* introspect = station.transport().extension<evs_introspect_extension>(EVS_EXTENSION_INTROSPECT);
  if (introspect == nullptr) GTEST_SKIP() << "no " << EVS_EXTENSION_INTROSPECT;
  char nothing = '#';
  const size_t length = introspect->dump(station.self(), &nothing, 0);
  EXPECT_EQ(nothing, '#');
  std::string text(length + 1, '\0');
  EXPECT_EQ(introspect->dump(station.self(), text.data(), text.size()), length);
  EXPECT_THAT(text, HasSubstr("\n"));
}

TEST(DatagramLife, CountersHaveNamesOfTheirOwn) {
  Station station(0);
  std::vector<std::string> names = station.host().counters();
  for (const std::string& name : names) EXPECT_EQ(name.rfind("evs_", 0), 0u) << name;
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

size_t entries_of(const char* directory) {
  size_t count = 0;
  DIR* stream = opendir(directory);
  while (readdir(stream) != nullptr) ++count;
  closedir(stream);
  return count;
}

size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) ++count;
  return count;
}

void one_life() {
  Station a(0), b(1);
  a.say(EVS_PEER_ALL, {"hello"});
  b.until_heard(1);
  refusal({{"no_such_parameter", "1"}});
}

TEST(DatagramLife, ManyLivesLeaveNoThreadDescriptorOrMapping) {
  { Party party; }  // what is set up once for all is set up now
  for (int i = 0; i < 3; ++i) one_life();
  const size_t threads = entries_of("/proc/self/task"), descriptors = entries_of("/proc/self/fd"), maps = mappings();
  for (int i = 0; i < 50; ++i) one_life();
  EXPECT_EQ(entries_of("/proc/self/task"), threads);
  EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
  EXPECT_LE(mappings(), maps + 8) << "the allocator may have taken a few; fifty lives would have left fifty";
}

}  // namespace
}  // namespace evs::conformance
