// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/process_saved_test.cc - the state of processes as bytes: those of docs/stored-state.md, and what breaks one of its rules is refused.
// What a successor makes of it: process_successor_test.cc. The fuzzer begins with these.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "tests/support/golden.h"
#include "tests/unit/ordering/process_state_again.h"

namespace evs::ordering::stored {
namespace {

const Process kOurs{kHost << kSlotBits | 1, 4242, 3}, kTheirs{9 << kSlotBits | 2, 4243, 1};

Group group_of(const std::string& name) {
  Group group{};
  std::transform(name.begin(), name.end(), group.begin(), [](char c) { return static_cast<std::byte>(c); });
  return group;
}

ProcessState meeting() {
  ProcessState state;
  state.ring = {5, kHost, 0x41};
  state.hosts = {{kHost, 0x41}, {9, 0x42}};
  state.openings[9].processes = {{kTheirs, false, {}}};
  state.change = 6;
  state.config = {{uint64_t{4} << 32 | 6, kOurs.node}, {kOurs}};
  state.table[kOurs.node] = {kOurs, true, {group_of("orders")}};
  state.told_table = Table{{kOurs.node, {kOurs, true, {}}}};
  return state;
}

ProcessState parting() {
  ProcessState state;
  state.ring = {5, kHost, 0x41};
  state.hosts = {{kHost, 0x41}};
  state.exchanged = state.folding = true;
  state.change = 4;
  state.config = {{uint64_t{5} << 32 | 4, kOurs.node}, {kOurs, kTheirs}};
  state.transition = Processes{kOurs};
  state.table[kOurs.node] = {kOurs, true, {}};
  state.told_table = state.table;
  return state;
}

ProcessState together() {
  ProcessState state = parting();
  state.folding = false;
  state.hosts.push_back({9, 0x42});
  state.transition.reset();
  state.told_table.reset();
  state.table[kTheirs.node] = {kTheirs, true, {}};
  return state;
}

// Two hosts whose ring tries to become the primary one; 9 has voted.
ProcessState voting() {
  ProcessState state = meeting();
  state.openings[kHost].voter = {{Quorum::Rule::last_primary, 0}, 0x71, begun_by({kHost, 0x71})};
  state.openings[9].voter = {{Quorum::Rule::last_primary, 0}, 0x91, {}};
  state.votes[9] = true;
  return state;
}

ProcessState primary() {
  ProcessState state = together();
  state.config.epoch = 2;
  return state;
}

// All processes go on, and it has ended all the same.
ProcessState primary_ended() {
  ProcessState state = parting();
  state.config.epoch = 2;
  state.config.members = {kOurs};
  return state;
}

struct Sample {
  std::string name;
  std::vector<std::byte> bytes;
};

std::vector<Sample> samples() {
  return {{"nothing", bytes_of({})}, {"meeting", bytes_of(meeting())}, {"parting", bytes_of(parting())}, {"together", bytes_of(together())},
          {"voting", bytes_of(voting())}, {"primary", bytes_of(primary())}, {"primary_ended", bytes_of(primary_ended())}};
}

// The blocks of hex in the document, without what is said beside them.
std::vector<std::string> drawn() {
  std::istringstream lines(test::read_file(std::filesystem::path(EVS_SOURCE_DIR) / "docs/stored-state.md"));
  std::vector<std::string> blocks;
  bool in_hex = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      in_hex = line == "```hex";
      if (in_hex) blocks.emplace_back();
    } else if (in_hex) {
      for (const char each : line.substr(0, line.find('#')))
        if (each != ' ') blocks.back() += each;
    }
  }
  return blocks;
}

TEST(ProcessSaved, TheSamplesHaveTheBytesOfTheDocument) {
  const std::vector<std::string> blocks = drawn();
  for (const ProcessState& state : {meeting(), parting(), voting()})
    EXPECT_EQ(std::count(blocks.begin(), blocks.end(), test::hex(bytes_of(state))), 1) << test::hex(bytes_of(state));
}

TEST(ProcessSaved, WhatIsWrittenIsTaken) {
  for (const Sample& sample : samples()) {
    EXPECT_TRUE(again(sample.bytes).taken) << sample.name;
    EXPECT_TRUE(again(sample.bytes).consistent) << sample.name;
  }
}

Table full_table(NodeId first, size_t processes) {
  Table table;
  std::vector<Group> groups(kMaxGroupsOfProcess, Group{});
  for (uint32_t i = 0; i < groups.size(); ++i) groups[i][0] = static_cast<std::byte>(i >> 8), groups[i][1] = static_cast<std::byte>(i);
  for (NodeId node = first; node < first + processes; ++node) table[node] = {{node, 1, 1}, false, groups};
  return table;
}

// Votes stand behind the openings, and in front of the members, the tables and their processes.
size_t vote_at(const ProcessState& state) {
  size_t at = 88 + 16 * state.hosts.size();
  for (const auto& [host, opening] : state.openings) at += 8 + records::opening_bytes(opening);
  return at;
}

std::vector<Sample> hostile() {
  std::vector<Sample> all;
  const auto bytes = [&](const std::string& name, size_t at, std::initializer_list<int> values) {
    all.push_back({name, bytes_of(meeting())});
    for (const int value : values) all.back().bytes[at++] = static_cast<std::byte>(value);
  };
  const auto state = [&](const char* name, ProcessState good, const std::function<void(ProcessState&)>& spoil) {
    spoil(good);
    all.push_back({name, bytes_of(good)});
  };
  bytes("format_0", 0, {0});
  bytes("format_1", 0, {1});
  bytes("format_3", 0, {3});
  bytes("another_host", 4, {9});
  bytes("unknown_flag", 8, {24});
  bytes("high_flag", 8, {8, 0, 0, 0x80});
  bytes("transition_without_a_flag", 64, {1});
  bytes("told_table_without_a_flag", 8, {0});
  bytes("host_reserved", 92, {1});
  bytes("hosts_without_end", 12, {0xff, 0xff, 0xff, 0xff});
  bytes("openings_without_end", 36, {0xff, 0xff, 0xff, 0xff});
  bytes("members_without_end", 60, {0xff, 0xff, 0xff, 0xff});
  bytes("table_without_end", 68, {0xff, 0xff, 0xff, 0xff});
  bytes("table_that_wraps", 68, {0xab, 0xaa, 0xaa, 0x0a});
  bytes("told_table_without_end", 72, {0xff, 0xff, 0xff, 0xff});
  bytes("opening_longer", 124, {0x39});
  bytes("opening_without_end", 124, {0xff, 0xff, 0xff, 0xff});
  bytes("opening_of_a_message", 128, {1});
  all.push_back({"a_byte_more", bytes_of(meeting())});
  all.back().bytes.push_back(std::byte{0});
  state("no_ring_but_hosts", meeting(), [](ProcessState& s) { s.ring = {}; });
  state("ring_beyond_the_last", meeting(), [](ProcessState& s) { s.ring.sequence = kMaxSequence + 1; });
  state("ring_of_nobody", meeting(), [](ProcessState& s) { s.ring.representative = kNoHost; });
  state("without_ourselves", meeting(), [](ProcessState& s) { s.hosts = {{9, 0x42}, {10, 1}}, s.table.clear(), s.told_table.reset(); });
  state("hosts_unsorted", meeting(), [](ProcessState& s) { std::swap(s.hosts[0], s.hosts[1]); });
  state("odd_change", meeting(), [](ProcessState& s) { ++s.change; });
  state("change_beyond_the_last", meeting(), [](ProcessState& s) { s.change = kLastChange + 2; });
  state("transitional_configuration", meeting(), [](ProcessState& s) { ++s.config.id.number; });
  state("no_configuration_but_members", meeting(), [](ProcessState& s) { s.config.id = {}; });
  state("configuration_of_nobody", meeting(), [](ProcessState& s) { s.config.members.clear(); });
  state("below_the_lowest", meeting(), [](ProcessState& s) { s.config.id.representative = kOurs.node + 1; });
  state("members_unsorted", parting(), [](ProcessState& s) { std::swap(s.config.members[0], s.config.members[1]); });
  state("member_of_no_slot", meeting(), [](ProcessState& s) { s.config.members[0].node = kHost << kSlotBits, s.config.id.representative = 1; });
  state("member_of_no_host", meeting(), [](ProcessState& s) { s.config.members[0].node = 1, s.config.id.representative = 1; });
  state("table_of_no_slot", meeting(), [](ProcessState& s) { s.table[kOurs.node].process.node = kHost << kSlotBits; });
  state("table_of_another_host", meeting(), [](ProcessState& s) { s.table[kOurs.node].process.node = 8 << kSlotBits | 1; });
  state("told_table_of_another_host", meeting(), [](ProcessState& s) { s.told_table->begin()->second.process.node = 8 << kSlotBits | 1; });
  state("group_twice", meeting(), [](ProcessState& s) { s.table[kOurs.node].groups.push_back(group_of("orders")); });
  state("openings_of_all", meeting(), [](ProcessState& s) { s.openings[kHost]; });
  state("openings_that_make_no_try", voting(), [](ProcessState& s) { s.openings[kHost].voter = s.openings[9].voter; });
  state("votes_of_all", voting(), [](ProcessState& s) { s.votes[kHost] = false; });
  state("vote_of_a_stranger", voting(), [](ProcessState& s) { s.votes.clear(), s.votes[10] = true; });
  state("vote_before_all_openings", meeting(), [](ProcessState& s) { s.votes[9] = true; });
  state("vote_behind_the_exchange", together(), [](ProcessState& s) { s.votes[9] = true; });
  state("vote_while_hosts_part", parting(), [](ProcessState& s) { s.votes[kHost] = true; });
  state("primary_before_the_exchange", meeting(), [](ProcessState& s) { s.config.epoch = 2; });
  state("primary_of_no_ring", ProcessState{}, [](ProcessState& s) { s.config.epoch = 2; });
  all.push_back({"vote_that_is_none", bytes_of(voting())});
  all.back().bytes[vote_at(voting()) + 4] = std::byte{2};
  state("opening_of_a_stranger", meeting(), [](ProcessState& s) { s.openings[10] = {}, s.openings.erase(9); });
  state("opening_behind_the_exchange", together(), [](ProcessState& s) { s.openings[9]; });
  state("opening_while_hosts_part", parting(), [](ProcessState& s) { s.openings[kHost]; });
  state("member_who_is_not_there", together(), [](ProcessState& s) { s.table.erase(kTheirs.node); });
  state("member_who_is_another", together(), [](ProcessState& s) { ++s.config.members[0].pid; });
  state("there_and_no_member", together(), [](ProcessState& s) { s.config.members.pop_back(); });
  state("told_table_behind_the_exchange", together(), [](ProcessState& s) { s.told_table = s.table; });
  state("transition_while_nobody_parts", together(), [](ProcessState& s) { s.transition = Processes{kOurs}; });
  state("transition_of_all", parting(), [](ProcessState& s) { s.transition = s.config.members; });
  state("transition_of_others", parting(), [](ProcessState& s) { s.transition = Processes{{kOurs.node, 1, 1}}; });
  return all;
}

TEST(ProcessSaved, WhatBreaksARuleIsRefused) {
  for (const Sample& each : hostile()) {
    EXPECT_FALSE(again(each.bytes).taken) << each.name;
    EXPECT_TRUE(again(each.bytes).consistent) << each.name;
  }
}

TEST(ProcessSaved, NoHostHasMoreThanItMayPutIntoATable) {
  const size_t fit = (kMaxOpeningBytes - records::kOpeningBytes) / (records::kMemberBytes + records::kGroupBytes * kMaxGroupsOfProcess);
  for (const size_t more : {0, 1}) {
    ProcessState state = meeting();
    state.table = full_table(kOurs.node, fit + more);
    EXPECT_EQ(again(bytes_of(state)).taken, more == 0);
    state = meeting();
    state.told_table = full_table(9 << kSlotBits | 1, fit + more);
    EXPECT_EQ(again(bytes_of(state)).taken, more == 0);
  }
}

TEST(ProcessSaved, ThereAreNoMoreHostsThanARingHas) {
  for (const uint32_t more : {0u, 1u}) {
    ProcessState state = meeting();
    for (HostId id = 10; state.hosts.size() < kMaxHosts + more; ++id) state.hosts.push_back({id, 1});
    EXPECT_EQ(again(bytes_of(state)).taken, more == 0);
  }
}

// Each cut, and each bit: refused, or a state that says itself again.
TEST(ProcessSaved, WhatIsSpoiltIsRefusedOrConsistent) {
  size_t refused = 0;
  for (const Sample& sample : samples()) {
    for (size_t end = 0; end < sample.bytes.size(); ++end) {
      const std::vector<std::byte> cut(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(end));  // so that asan sees its end
      EXPECT_FALSE(again(cut).taken) << sample.name << " up to " << end;
    }
    for (size_t bit = 0; bit < sample.bytes.size() * 8; ++bit) {
      std::vector<std::byte> spoilt = sample.bytes;
      spoilt[bit / 8] ^= std::byte{1} << bit % 8;
      const test::Again verdict = again(spoilt);
      EXPECT_TRUE(verdict.consistent) << sample.name << " bit " << bit;
      refused += !verdict.taken;
    }
  }
  EXPECT_GT(refused, 1000u);
}

// The fuzzer starts from these. EVS_WRITE_CORPUS=1 writes them anew.
TEST(ProcessSaved, TheFuzzersCorpusHoldsEachSample) {
  const std::filesystem::path corpus = std::filesystem::path(EVS_SOURCE_DIR) / "tests/fuzz/corpus/process_state";
  std::vector<Sample> all = samples();
  for (Sample& each : hostile()) all.push_back(std::move(each));
  for (const Sample& sample : all) {
    const std::string bytes(reinterpret_cast<const char*>(sample.bytes.data()), sample.bytes.size());
    if (std::getenv("EVS_WRITE_CORPUS") != nullptr) std::ofstream(corpus / sample.name, std::ios::binary) << bytes;
    EXPECT_EQ(test::read_file(corpus / sample.name), bytes) << sample.name;
  }
}

}  // namespace
}  // namespace evs::ordering::stored
