// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/records_test.cc - what messages carry between hosts: the bytes are those of the document, what comes back is what went out,
// and no record has two forms. Records that break a rule: records_hostile_test.cc.
//
// EVS_SEED=n replays one seed of the random stories alone; EVS_LONG=1 runs many more.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "tests/support/golden.h"
#include "tests/support/seeds.h"
#include "tests/unit/ordering/records_dice.h"
#include "tests/unit/ordering/records_samples.h"

namespace evs::ordering::records {
namespace {

using test::hex;
using test::read_file;

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
  test::for_each_seed<Draw>([](Draw& draw) {
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
  cut_everywhere(all[kChange].bytes, all[kChange].bytes.size() - 5, kFrom);  // and what is carried
  for (const int which : {kLeave, kOpening, kVoting, kVote}) cut_everywhere(all[static_cast<size_t>(which)].bytes, SIZE_MAX, kFrom);
  test::for_each_seed<Draw>([&](Draw& draw) {
    const std::vector<Record> drawn = one_of_each(draw);
    cut_everywhere(drawn[1], drawn[1].size() - draw.carried.size(), draw.from);
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
  test::for_each_seed<Draw>([](Draw& draw) {
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
  test::for_each_seed<Draw>([](Draw& draw) {
    const HostId other = draw.from == 1 ? 2 : draw.from - 1;
    for (const Record& record : {message_round_trip(draw), round_trip(draw.change(), draw.from)}) EXPECT_EQ(again(record, other).taken, 0);
    const Opening opening = draw.opening();
    EXPECT_EQ(again(round_trip(opening, draw.from), other).taken, opening.processes.empty() && opening.voter.record.attempts.empty() ? 1 : 0);
  });
}

}  // namespace
}  // namespace evs::ordering::records
