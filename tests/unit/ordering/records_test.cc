// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/records_test.cc - what messages carry between hosts: the bytes are those of the document, what comes back is what went out,
// and no record has two forms.
//
// EVS_SEED=n replays one seed of the random stories alone; EVS_LONG=1 runs many more.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "bus/ordering/little_endian.h"
#include "tests/support/golden.h"
#include "tests/support/dice.h"
#include "tests/unit/ordering/records_again.h"

namespace evs::ordering::records {
namespace {

using test::hex;
using test::read_file;

using Record = std::vector<std::byte>;
constexpr HostId kHighestHost = (1u << 20) - 1;

struct Sample {
  std::string name;
  Record bytes;
  std::string hex;  // what the bytes must be; written down by a program that knows the document and not our code
};

Group group_of(const std::string& name) {
  Group group{};
  std::transform(name.begin(), name.end(), group.begin(), [](char c) { return static_cast<std::byte>(c); });
  return group;
}

const Process kOne{kFrom << kSlotBits | 1, 4242, 3}, kTwo{kFrom << kSlotBits | 2, 4343, 1};

Opening sample_opening() {
  return {.configuration = {uint64_t{5} << 32 | 6, 3 << kSlotBits | 1},
          .configuration_members = 3,
          .processes = {{kOne, true, {group_of("orders"), group_of("trades")}}, {kTwo, false, {}}}};
}

std::vector<Sample> samples() {
  const std::string orders = "6f7264657273" + std::string(52, '0'), trades = "747261646573" + std::string(52, '0');
  std::vector<Sample> all{
      {"message", {}, "010000000270000068656c6c6f"},
      {"change", {}, "0204000001700000" "9210000000000000" "0300000000000000" + orders},
      {"leave", {}, "0202000002700000" "f710000000000000" "0100000000000000"},
      {"opening", {},
       "0300000002000000" "0600000005000000" "0130000003000000" "0000000000000000"
       "0170000092100000" "0300000000000000" "0200000001000000" + orders + trades +
       "02700000f7100000" "0100000000000000" "0000000000000000"}};
  encode_message(kTwo.node, std::as_bytes(std::span("hello", 5)), all[0].bytes);
  encode(ChangeRecord{Change::join_group, kOne, group_of("orders")}, all[1].bytes);
  encode(ChangeRecord{Change::leave, kTwo, {}}, all[2].bytes);
  encode(sample_opening(), all[3].bytes);
  return all;
}
enum { kMessage, kChange, kLeave, kOpening };  // of samples()

// Records at random, in good form, of host `from`.
class Draw {
 public:
  explicit Draw(uint64_t seed) : dice(seed), from(static_cast<HostId>(dice.between(1, kHighestHost))) {}

  Process process() {
    return {from << kSlotBits | static_cast<NodeId>(dice.between(1, 4095)), static_cast<uint32_t>(dice.next()), dice.next()};
  }
  Group group() {
    Group drawn{};
    for (std::byte& b : drawn) b = dice.one_in(2) ? std::byte{0} : static_cast<std::byte>(dice.next());
    return drawn;
  }
  ChangeRecord change() {
    ChangeRecord drawn{static_cast<Change>(dice.between(1, 5)), process(), {}};
    if (drawn.what >= Change::join_group) drawn.group = group();
    return drawn;
  }
  Opening opening() {
    Opening drawn;
    const bool configured = dice.below(4) != 0;
    for (uint64_t more = dice.below(8); more > 0; --more) {
      Member member{process(), configured && dice.one_in(2), {}};
      for (uint64_t groups = dice.below(5); groups > 0; --groups) member.groups.push_back(group());
      std::sort(member.groups.begin(), member.groups.end());
      member.groups.erase(std::unique(member.groups.begin(), member.groups.end()), member.groups.end());
      drawn.processes.push_back(std::move(member));
    }
    const auto by_node = [](const Member& a, const Member& b) { return a.process.node < b.process.node; };
    const auto one_node = [](const Member& a, const Member& b) { return a.process.node == b.process.node; };
    std::sort(drawn.processes.begin(), drawn.processes.end(), by_node);
    drawn.processes.erase(std::unique(drawn.processes.begin(), drawn.processes.end(), one_node), drawn.processes.end());
    if (!configured) return drawn;
    drawn.configuration = {dice.between(1, UINT64_MAX / 2 - 1) * 2, static_cast<NodeId>(dice.between(1, from << kSlotBits))};
    drawn.configuration_members = static_cast<uint32_t>(dice.between(std::max<size_t>(1, drawn.processes.size()), UINT32_MAX));
    return drawn;
  }

  test::Dice dice;
  HostId from;
};

void for_each_seed(const std::function<void(Draw&)>& story) {
  const char* one = std::getenv("EVS_SEED");
  const uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  const uint64_t count = one != nullptr ? 1 : std::getenv("EVS_LONG") != nullptr ? 20000 : 400;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("EVS_SEED=" + std::to_string(seed));
    Draw draw(seed);
    story(draw);
    if (testing::Test::HasFailure()) return;
  }
}

// Behind something that is there already, and back.
template <typename Said>
Record round_trip(const Said& said, HostId from) {
  Record out(3, std::byte{0x5a});
  encode(said, out);
  EXPECT_EQ(hex(Bytes(out).first(3)), "5a5a5a");
  out.erase(out.begin(), out.begin() + 3);
  Said heard;
  EXPECT_TRUE(decode(out, from, heard));
  EXPECT_TRUE(heard == said);
  return out;
}

Record message_round_trip(Draw& draw) {
  const Record payload(draw.dice.below(40), std::byte{0x11});
  Record out;
  const NodeId sender = draw.process().node;
  encode_message(sender, payload, out);
  NodeId heard = 0;
  Bytes bytes;
  EXPECT_TRUE(decode_message(out, draw.from, heard, bytes));
  EXPECT_EQ(heard, sender);
  EXPECT_EQ(hex(bytes), hex(payload));
  return out;
}

std::vector<Record> one_of_each(Draw& draw) {
  return {message_round_trip(draw), round_trip(draw.change(), draw.from), round_trip(draw.opening(), draw.from)};
}

TEST(Records, EachSampleHasTheBytesOfTheDocument) {
  std::istringstream lines(read_file(std::filesystem::path(EVS_SOURCE_DIR) / "docs/wire-format.md"));
  std::string drawn;  // the document's hex blocks, without what is said beside them
  bool in_hex = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      in_hex = line == "```hex";
      drawn += '|';
    } else if (in_hex) {
      for (const char each : line.substr(0, line.find('#')))
        if (each != ' ') drawn += each;
    }
  }
  for (const Sample& sample : samples()) {
    EXPECT_EQ(hex(sample.bytes), sample.hex) << sample.name;
    EXPECT_NE(drawn.find("|" + sample.hex + "|"), std::string::npos) << sample.name << " is no block of the document";
  }
}

TEST(Records, WhatGoesOutComesBack) {
  for_each_seed([](Draw& draw) {
    for (const Record& record : one_of_each(draw)) {
      const Verdict verdict = again(record, draw.from);
      EXPECT_EQ(verdict.taken, 1);
      EXPECT_TRUE(verdict.consistent);
    }
  });
}

TEST(Records, OneCutAnywhereIsRefused) {
  const auto cut_everywhere = [](const Record& record, size_t least, HostId from) {
    for (size_t length = 0; length < record.size(); ++length) {
      const Record cut(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(length));  // memory of its own: a sanitizer sees who reads on
      const Verdict verdict = again(cut, from);
      EXPECT_EQ(verdict.taken, length >= least ? 1 : 0) << length;
      EXPECT_TRUE(verdict.consistent) << length;
    }
  };
  const std::vector<Sample> all = samples();
  cut_everywhere(all[kMessage].bytes, kMessageHeaderBytes, kFrom);  // a payload may end anywhere
  for (const int which : {kChange, kLeave, kOpening}) cut_everywhere(all[static_cast<size_t>(which)].bytes, SIZE_MAX, kFrom);
  for_each_seed([&](Draw& draw) {
    const std::vector<Record> drawn = one_of_each(draw);
    cut_everywhere(drawn[1], SIZE_MAX, draw.from);
    cut_everywhere(drawn[2], SIZE_MAX, draw.from);
  });
}

TEST(Records, AChangedByteIsRefusedOrIsAnotherRecordInItsOneForm) {
  for (const Sample& sample : samples()) {
    for (size_t at = 0; at < sample.bytes.size(); ++at) {
      Record changed = sample.bytes;
      for (int value = 0; value < 256; ++value) {
        changed[at] = static_cast<std::byte>(value);
        EXPECT_TRUE(again(changed, kFrom).consistent) << sample.name << " byte " << at << " = " << value;
      }
    }
  }
  for_each_seed([](Draw& draw) {
    for (Record& record : one_of_each(draw)) {
      for (int i = 0; i < 40; ++i) {
        const size_t at = draw.dice.below(record.size());
        const std::byte before = record[at];
        record[at] = static_cast<std::byte>(draw.dice.next());
        EXPECT_TRUE(again(record, draw.from).consistent) << "byte " << at;
        record[at] = before;
      }
    }
  });
}

// Only the host that a process lives on speaks for it.
TEST(Records, AnotherHostsWordIsRefused) {
  for_each_seed([](Draw& draw) {
    const HostId other = draw.from == 1 ? 2 : draw.from - 1;
    for (const Record& record : {message_round_trip(draw), round_trip(draw.change(), draw.from)}) EXPECT_EQ(again(record, other).taken, 0);
    const Opening opening = draw.opening();
    EXPECT_EQ(again(round_trip(opening, draw.from), other).taken, opening.processes.empty() ? 1 : 0);
  });
}

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
  bytes("kind_4", kMessage, 0, {4});
  bytes("message_of_no_slot", kMessage, 4, {0x00, 0x70});
  bytes("change_to_nothing", kLeave, 1, {0});
  bytes("change_beyond_the_last", kLeave, 1, {6});
  bytes("leave_with_a_group", kChange, 1, {2});
  bytes("join_group_without_one", kLeave, 1, {4});
  for (const size_t at : {2, 3, 12, 13, 14, 15}) bytes("change_reserved_" + std::to_string(at), kLeave, at, {1});
  bytes("change_of_no_slot", kLeave, 4, {0x00, 0x70});
  longer("change_and_a_byte", kChange);
  longer("leave_and_a_byte", kLeave);
  longer("opening_and_a_byte", kOpening);
  for (size_t at = 24; at < 32; ++at) bytes("opening_reserved_" + std::to_string(at), kOpening, at, {1});
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
