// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/records_hostile_test.cc - records that break a rule, each by name; and how large an opening may be. The fuzzer begins with them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "tests/support/golden.h"
#include "bus/ordering/primary_bytes.h"
#include "tests/unit/ordering/records_samples.h"

namespace evs::ordering::records {
namespace {

using test::hex;
using test::read_file;

std::vector<Group> groups(uint32_t count) {
  std::vector<Group> all(count, Group{});
  for (uint32_t i = 0; i < count; ++i) {
    all[i][0] = static_cast<std::byte>(i >> 8);
    all[i][1] = static_cast<std::byte>(i);
  }
  return all;
}

// Records with a fault of a known shape.
std::vector<Sample> hostile() {
  const std::vector<Sample> good = samples();
  std::vector<Sample> all;
  const auto bytes = [&](const std::string& name, int which, size_t at, std::initializer_list<int> values) {
    Record record = good[static_cast<size_t>(which)].bytes;
    for (const int value : values) record[at++] = static_cast<std::byte>(value);
    all.push_back({name, std::move(record), ""});
  };
  const auto longer = [&](const char* name, int which) {
    all.push_back({name, good[static_cast<size_t>(which)].bytes, ""});
    all.back().bytes.push_back(std::byte{0});
  };
  const auto opening = [&](const char* name, const std::function<void(Opening&)>& spoil) {
    Opening said = sample_opening();
    spoil(said);
    all.push_back({name, {}, ""});
    encode(said, all.back().bytes);
  };
  for (size_t at = 1; at < 4; ++at) {
    bytes("message_reserved_" + std::to_string(at), kMessage, at, {1});
    bytes("opening_reserved_" + std::to_string(at), kOpening, at, {1});
  }
  bytes("kind_0", kMessage, 0, {0});
  bytes("kind_5", kMessage, 0, {5});
  bytes("message_of_no_slot", kMessage, 4, {0x00, 0x70});
  bytes("change_to_nothing", kLeave, 1, {0});
  bytes("change_beyond_the_last", kLeave, 1, {6});
  bytes("leave_with_groups", kChange, 1, {2});
  bytes("join_group_without_one", kLeave, 1, {4});
  for (const size_t at : {12, 13, 14, 15}) bytes("change_reserved_" + std::to_string(at), kLeave, at, {1});
  bytes("leave_of_a_group", kLeave, 2, {1});
  bytes("change_of_no_groups", kChange, 2, {0});
  bytes("change_of_more_groups_than_it_has", kChange, 2, {3});
  bytes("change_of_groups_without_end", kChange, 2, {0xff, 0xff});
  const auto change = [&](const char* name, std::vector<Group> of, size_t carried) {
    const Record some(carried);
    all.push_back({name, {}, ""});
    encode(ChangeRecord{Change::join_group, kOne, std::move(of), some}, all.back().bytes);
  };
  change("change_of_unsorted_groups", {group_of("trades"), group_of("orders")}, 0);
  change("change_of_a_group_twice", {group_of("orders"), group_of("orders")}, 0);
  change("change_of_too_many_groups", groups(kMaxGroupsOfChange + 1), 0);
  change("change_that_carries_too_much", groups(1), kMaxCarriedBytes + 1);
  bytes("change_of_no_slot", kLeave, 4, {0x00, 0x70});
  longer("leave_and_a_byte", kLeave);
  longer("opening_and_a_byte", kOpening);
  bytes("processes_that_wrap", kOpening, 4, {0xab, 0xaa, 0xaa, 0xaa});  // times 24: 8
  bytes("processes_without_end", kOpening, 4, {0xff, 0xff, 0xff, 0xff});
  bytes("one_process_too_few", kOpening, 4, {1});
  bytes("one_process_too_many", kOpening, 4, {3});
  bytes("groups_that_wrap", kOpening, 48, {0x02, 0x00, 0x00, 0x08});  // times 32: 64
  bytes("groups_without_end", kOpening, 48, {0xff, 0xff, 0xff, 0xff});
  bytes("unknown_flag", kOpening, 52, {3});
  bytes("high_flag", kOpening, 52, {1, 0, 0, 0x80});
  opening("processes_unsorted", [](Opening& o) { std::swap(o.processes[0].process, o.processes[1].process); });
  opening("process_twice", [](Opening& o) { o.processes[1].process.node = kOne.node; });
  opening("process_of_another_host", [](Opening& o) { o.processes[1].process.node += 1 << kSlotBits; });
  opening("process_of_no_slot", [](Opening& o) { o.processes[0].process.node -= 1; });
  opening("groups_unsorted", [](Opening& o) { std::swap(o.processes[0].groups[0], o.processes[0].groups[1]); });
  opening("group_twice", [](Opening& o) { o.processes[0].groups[1] = o.processes[0].groups[0]; });
  opening("too_many_groups", [](Opening& o) { o.processes[0].groups = groups(kMaxGroupsOfProcess + 1); });
  opening("transitional_configuration", [](Opening& o) { ++o.configuration.number; });
  opening("no_configuration_but_a_name", [](Opening& o) { o.configuration.number = 0; });
  opening("no_representative", [](Opening& o) { o.configuration.representative = 0; });
  opening("configuration_of_nobody", [](Opening& o) { o.configuration_members = 0; });
  opening("nobody_but_a_name", [](Opening& o) { o.processes[0].in_configuration = false, o.configuration_members = 0; });
  opening("no_name_but_members", [](Opening& o) { o.processes[0].in_configuration = false, o.configuration = {}; });
  opening("in_no_configuration", [](Opening& o) { o.configuration = {}, o.configuration_members = 0; });
  opening("more_than_all_members", [](Opening& o) { o.processes[1].in_configuration = true, o.configuration_members = 1; });
  const auto voting = [&](const char* name, const std::function<void(Voter&)>& spoil) {
    Opening said = sample_voting();
    spoil(said.voter);
    all.push_back({name, {}, ""});
    encode(said, all.back().bytes);
  };
  longer("voting_and_a_byte", kVoting);
  longer("vote_and_a_byte", kVote);
  bytes("quorum_of_too_many", kVoting, 24, {0x01, 0x01, 0x00, 0x00});
  bytes("no_quorum_but_a_record", kVoting, 24, {0, 0, 0, 0});
  bytes("quorum_but_no_record", kOpening, 24, {3});
  bytes("record_without_quorum", kOpening, 28, {16});
  bytes("record_without_end", kVoting, 28, {0xff, 0xff, 0xff, 0xff});
  bytes("record_a_byte_shorter", kVoting, 28, {0x8f});
  bytes("tries_without_end", kVoting, 40, {0xff, 0xff, 0xff, 0xff});
  bytes("one_try_too_many", kVoting, 40, {2});
  bytes("one_try_too_few", kVoting, 40, {0});
  for (size_t at = 44; at < 48; ++at) bytes("voter_reserved_" + std::to_string(at), kVoting, at, {1});
  bytes("voter_host_reserved", kVoting, 84, {1});
  bytes("voter_hosts_without_end", kVoting, 76, {0xff, 0xff, 0xff, 0xff});
  bytes("voter_hosts_that_wrap", kVoting, 76, {0x02, 0x00, 0x00, 0x10});  // times 16: 32
  voting("formed_but_no_epoch", [](Voter& v) { v.record.formed.epoch = 0; });
  voting("formed_of_nobody", [](Voter& v) { v.record.formed.hosts.clear(); });
  voting("formed_by_no_host", [](Voter& v) { v.record.formed.ring.representative = kNoHost; });
  voting("formed_beyond_the_last_ring", [](Voter& v) { v.record.formed.ring.sequence = kMaxSequence + 1; });
  voting("begun_by_two", [](Voter& v) { v.record.formed.epoch = 1, v.record.formed.ring.sequence = 0; });
  voting("begun_late", [](Voter& v) { v.record.formed.hosts.pop_back(), v.record.formed.ring.sequence = 0; });
  voting("formed_hosts_unsorted", [](Voter& v) { std::swap(v.record.formed.hosts[0], v.record.formed.hosts[1]); });
  voting("formed_host_twice", [](Voter& v) { v.record.formed.hosts[1] = {3, 0x34}; });
  voting("formed_by_host_0", [](Voter& v) { v.record.formed.hosts[0].id = kNoHost; });
  voting("try_that_is_over", [](Voter& v) { v.record.attempts[0].epoch = 4; });
  voting("try_without_a_ring", [](Voter& v) { v.record.attempts[0].ring.sequence = 0; });
  voting("try_of_others", [](Voter& v) { v.record.attempts[0].hosts.erase(v.record.attempts[0].hosts.begin()); });
  voting("try_under_another_disk", [](Voter& v) { v.disk = 0x72; });
  voting("tries_unsorted", [](Voter& v) { v.record.attempts.insert(v.record.attempts.begin(), v.record.attempts[0]), v.record.attempts[0].epoch = 7; });
  voting("too_many_tries", [](Voter& v) {
    while (v.record.attempts.size() <= kMaxAttempts) v.record.attempts.push_back(v.record.attempts.back()), ++v.record.attempts.back().epoch;
  });
  bytes("vote_reserved", kVote, 1, {1});
  bytes("vote_in_no_ring", kVote, 8, {0});
  bytes("vote_in_a_ring_of_nobody", kVote, 4, {0});
  bytes("vote_for_no_epoch", kVote, 24, {0});
  opening("below_the_lowest", [](Opening& o) { o.configuration.representative = kTwo.node; });
  return all;
}

TEST(Records, WhatBreaksARuleIsRefused) {
  for (const Sample& each : hostile()) {
    const Verdict verdict = again(each.bytes, kFrom);
    EXPECT_EQ(verdict.taken, 0) << each.name << ": " << hex(each.bytes);
    EXPECT_TRUE(verdict.consistent) << each.name;
  }
}

TEST(Records, AnOpeningHasAllTheGroupsThatAProcessMayHave) {
  Opening said = sample_opening();
  said.processes[0].groups = groups(kMaxGroupsOfProcess);
  round_trip(said, kFrom);
}

TEST(Records, AVoterHasAllThatItMayRemember) {
  Opening said = sample_voting();
  Attempt& tried = said.voter.record.attempts[0];
  for (HostId id = 10; tried.hosts.size() < kMaxHosts; ++id) tried.hosts.push_back({id, 1});
  said.voter.record.formed = tried, said.voter.record.formed.epoch = 5;
  while (said.voter.record.attempts.size() < kMaxAttempts) said.voter.record.attempts.push_back(said.voter.record.attempts.back()), ++said.voter.record.attempts.back().epoch;
  EXPECT_EQ(round_trip(said, kFrom).size(), kOpeningBytes + kMaxVoterBytes);
  said.voter.record.formed.hosts.push_back({kMaxHostId, 1});
  Record out;
  encode(said, out);
  EXPECT_EQ(again(out, kFrom).taken, 0) << "more hosts than a ring has";
}

TEST(Records, AChangeHasAllTheGroupsThatItMayHaveAndCarriesAsMuchAsItMay) {
  const Record some(kMaxCarriedBytes, std::byte{7});
  round_trip(ChangeRecord{Change::leave_group, kOne, groups(kMaxGroupsOfChange), some}, kFrom);
}

// However large a message may be.
TEST(Records, AnOpeningIsNoLargerThanAllHostsTake) {
  const auto with = [](size_t processes) {
    Opening said;
    for (uint32_t slot = 1; slot <= processes; ++slot) said.processes.push_back({{kFrom << kSlotBits | slot, 1, 1}, false, groups(kMaxGroupsOfProcess)});
    Record out;
    encode(said, out);
    return out;
  };
  const size_t fit = (kMaxOpeningBytes - kOpeningBytes) / (kMemberBytes + kGroupBytes * kMaxGroupsOfProcess);
  EXPECT_EQ(again(with(fit), kFrom).taken, 1);
  EXPECT_EQ(again(with(fit + 1), kFrom).taken, 0);
}

// The fuzzer starts from these. EVS_WRITE_CORPUS=1 writes them anew.
TEST(Records, TheFuzzersCorpusHoldsEachSample) {
  const std::filesystem::path corpus = std::filesystem::path(EVS_SOURCE_DIR) / "tests/fuzz/corpus/records";
  std::vector<Sample> all = samples();
  for (Sample& each : hostile()) all.push_back(std::move(each));
  for (const Sample& sample : all) {
    const std::string bytes(reinterpret_cast<const char*>(sample.bytes.data()), sample.bytes.size());
    if (std::getenv("EVS_WRITE_CORPUS") != nullptr) std::ofstream(corpus / sample.name, std::ios::binary) << bytes;
    EXPECT_EQ(read_file(corpus / sample.name), bytes) << sample.name;
  }
}

}  // namespace
}  // namespace evs::ordering::records
