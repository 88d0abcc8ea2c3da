// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/lifecycle_test.cc - opening and closing: what is refused, in which words, and what is left behind.
#include <dirent.h>

#include <cstring>
#include <fstream>

#include "tests/conformance/suite.h"

namespace evs::conformance {
namespace {

using testing::HasSubstr;

// What create() answers to these parameters beside the usual ones.
runtime::PluginFailure refusal(const Parameters& changed) {
  Host host(fresh_bus());
  std::vector<evs_plugin_parameter> all;
  for (const auto& [key, value] : options().parameters) {
    bool kept = true;
    for (const auto& change : changed) kept &= change.first != key;
    if (kept) all.push_back({key.c_str(), value.c_str()});
  }
  for (const auto& [key, value] : changed) all.push_back({key.c_str(), value.c_str()});
  auto made = runtime::Transport::create(plugin(), host.table(), all);
  return made ? runtime::PluginFailure{CS_OK, "it was accepted"} : made.failure();
}

TEST(Parameters, AnUnknownOneIsNamed) {
  const auto failure = refusal({{"no_such_parameter", "1"}});
  EXPECT_EQ(failure.code, CS_ERR_INVALID_PARAM);
  EXPECT_THAT(failure.text, HasSubstr("no_such_parameter"));
  EXPECT_THAT(failure.text, HasSubstr(plugin().file));
}

TEST(Parameters, ABadValueIsNamedWithItsKey) {
  for (const char* value : {"lots", "", "-1", "1e3", "18446744073709551616B", "99999999999GiB"}) {
    const auto failure = refusal({{"message_limit", value}});
    EXPECT_EQ(failure.code, CS_ERR_INVALID_PARAM) << value;
    EXPECT_THAT(failure.text, HasSubstr("message_limit"));
  }
}

TEST(Parameters, AMediumTooSmallForItsMessagesIsRefused) {
  const auto failure = refusal({{"ring_size", "512KiB"}, {"message_limit", "1MiB"}});
  EXPECT_EQ(failure.code, CS_ERR_INVALID_PARAM);
  EXPECT_THAT(failure.text, HasSubstr("ring_size"));
}

TEST(Parameters, ThePluginTellsWhichItTakes) {
  const auto infos = plugin().parameters();
  for (const char* key : {"directory", "group", "ring_size", "message_limit", "max_processes", "slow_reader_timeout",
                          "stalled_writer_timeout", "attach_timeout", "spin"}) {
    bool found = false;
    for (const auto& info : infos) found |= std::strcmp(info.key, key) == 0;
    EXPECT_TRUE(found) << key << ": the bus hands it to every local transport";
  }
  for (const auto& info : infos) {
    EXPECT_THAT((std::vector<std::string>{"size", "duration", "integer", "text"}), testing::Contains(info.type))
        << info.key;
    EXPECT_NE(std::string(info.help), "") << info.key;
    EXPECT_NE(std::string(info.range), "") << info.key;
  }
}

TEST(Parameters, TheErrorTextStaysInItsRoom) {
  Host host(fresh_bus());
  const evs_plugin_parameter parameter{"no_such_parameter", "1"};
  for (size_t capacity : {0, 1, 8, 4096}) {
    std::vector<char> text(capacity + 16, '#');
    evs_error_text error{text.data(), capacity};
    evs_transport* self = nullptr;
    EXPECT_EQ(plugin().descriptor->transport->create(&host.table(), &parameter, 1, &self, &error), EVS_P_BAD_PARAMETER);
    EXPECT_EQ(self, nullptr);
    for (size_t i = capacity; i < text.size(); ++i) EXPECT_EQ(text[i], '#') << "at " << i << " of " << capacity;
    if (capacity > 0) {
      EXPECT_LT(strnlen(text.data(), capacity), capacity);
    }
  }
}

TEST(Lifecycle, CreatedAndNeverStarted) {
  Host host(fresh_bus());
  std::vector<evs_plugin_parameter> parameters;
  for (const auto& [key, value] : options().parameters) parameters.push_back({key.c_str(), value.c_str()});
  auto made = runtime::Transport::create(plugin(), host.table(), parameters);
  ASSERT_TRUE(made) << made.failure().text;
  runtime::ServiceCalls service = made->service();
  EXPECT_FALSE(service.begin());
  service.end();
}

TEST(Lifecycle, ItSaysWhatItIs) {
  Member member(fresh_bus());
  const auto limits = member.limits();
  EXPECT_GE(limits.members, 2u);
  EXPECT_EQ(limits.message_bytes, 64u * 1024);
  EXPECT_GE(limits.groups_per_message, 4096u);
  EXPECT_GE(limits.cursors, 256u);
  EXPECT_NE(member.who().nodeid, 0u);
  EXPECT_EQ(member.who().pid, getpid());
  EXPECT_EQ(member.transport().extension<void>("org.example.unheard-of/1"), nullptr);
}

TEST(Lifecycle, TheDumpTellsItsFullLength) {
  Member member(fresh_bus());
  const auto* introspect = member.transport().extension<evs_introspect_extension>(EVS_EXTENSION_INTROSPECT);
  if (introspect == nullptr) GTEST_SKIP() << "no " << EVS_EXTENSION_INTROSPECT;
  char nothing = '#';
  const size_t length = introspect->dump(member.self(), &nothing, 0);
  EXPECT_EQ(nothing, '#');
  std::string text(length + 1, '\0');
  EXPECT_LE(introspect->dump(member.self(), text.data(), text.size()), length + 16);
  EXPECT_THAT(text, HasSubstr("\n"));
}

// ---- What is left behind ----

size_t entries_of(const char* directory) {
  size_t count = 0;
  DIR* stream = opendir(directory);
  while (readdir(stream) != nullptr) ++count;
  closedir(stream);
  return count;
}

size_t file_mappings() {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find('/') != std::string::npos;
  return count;
}

size_t resident_kilobytes() {
  std::ifstream status("/proc/self/status");
  size_t kilobytes = 0;
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0) kilobytes = std::stoul(line.substr(6));
  return kilobytes;
}

void one_life() {
  Member member(fresh_bus());
  Reader reader(member), sleeper(member);
  reader.join("g");
  EXPECT_GE(reader.ops().fd(reader.cursor()), 0);
  EXPECT_EQ(member.append(to("g", "hello")), EVS_P_OK);
  reader.until_messages(1);
}

TEST(Lifecycle, ALifeLeavesNoThreadDescriptorOrMapping) {
  for (int i = 0; i < 3; ++i) one_life();  // what is set up once for all is set up now
  const size_t threads = entries_of("/proc/self/task"), descriptors = entries_of("/proc/self/fd");
  const size_t mappings = file_mappings(), before = resident_kilobytes();
  for (int i = 0; i < 50; ++i) one_life();
  EXPECT_EQ(entries_of("/proc/self/task"), threads);
  EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
  EXPECT_EQ(file_mappings(), mappings);
  EXPECT_LT(resident_kilobytes(), before + 8 * 1024) << "50 lives grew it";
}

TEST(Lifecycle, AMediumBeginsAnewAfterItsLastMember) {
  const std::string bus = fresh_bus();
  uint64_t sequence = 0;
  for (int life = 0; life < 3; ++life) {
    Member member(bus);
    alignas(64) char buffer[4096];
    size_t needed = 0;
    ASSERT_EQ(member.ops().membership(member.self(), buffer, sizeof(buffer), &needed), EVS_P_OK);
    const auto& membership = *reinterpret_cast<const evs_membership*>(buffer);
    EXPECT_EQ(membership.member_count, 1u);
    EXPECT_GT(membership.ring_sequence, sequence) << "two lives with one sequence give two configurations one id";
    sequence = membership.ring_sequence;
  }
}

}  // namespace
}  // namespace evs::conformance
