// SPDX-License-Identifier: BSD-3-Clause
// referee_test.cc - is the referee awake? A run without faults passes; each fault planted into it is found, and called by its name.
#include "tests/torture/referee.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>

#include <filesystem>
#include <functional>

#include "evs/evs.h"
#include "tests/torture/payload.h"

namespace evs::torture {
namespace {

using testing::HasSubstr;

constexpr uint64_t kRing = uint64_t{7} << 32;
constexpr int32_t kPidA = 100, kPidB = 200;

// Two processes in one configuration; each sends a few messages, both read all. B joins group 1 in the middle.
class Referees : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/evs-referee-XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    path_ = path;
    a_.create(path_ + "/a", 1000);
    b_.create(path_ + "/b", 1000);
    configuration(a_, 4, EVS_CONFIGURATION_REGULAR, {{1, kPidA}}, {}, {{1, kPidA}});
    configuration(a_, 5, EVS_CONFIGURATION_TRANSITIONAL, {{1, kPidA}}, {}, {});
    configuration(a_, 6, EVS_CONFIGURATION_REGULAR, {{1, kPidA}, {2, kPidB}}, {}, {{2, kPidB}});
    configuration(b_, 6, EVS_CONFIGURATION_REGULAR, {{1, kPidA}, {2, kPidB}}, {}, {{2, kPidB}});
    uint64_t at = 640;
    for (uint64_t i = 0; i < 10; ++i) {
      Entry e{};
      e.sequence = at += 128;
      e.configuration = kRing | 6;
      e.count = i / 2;
      e.writer = i % 2 == 0 ? 1 : 2;
      e.nodeid = e.writer;
      e.pid = i % 2 == 0 ? kPidA : kPidB;
      e.size = 100;
      e.groups = 1;
      if (i == 3) e.mark = static_cast<uint8_t>(Mark::join_begin), e.group = 1;
      if (i == 5) e.mark = static_cast<uint8_t>(Mark::join_done), e.group = 1;
      row(a_, e);
      row(b_, e);
      if (i == 6) {
        Entry to_group{};
        copy(e, to_group);
        to_group.sequence += 64;
        to_group.stream = 1;
        to_group.groups = 2;
        to_group.count = 0;
        row(b_, to_group);
        in_group_ = to_group.sequence;
      }
    }
    a_.front().sent[0][0] = b_.front().sent[0][0] = 5;
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  static void copy(const Entry& from, Entry& to) {
    const uint32_t kind = from.kind.load();
    memcpy(reinterpret_cast<char*>(&to) + sizeof to.kind, reinterpret_cast<const char*>(&from) + sizeof from.kind, sizeof to - sizeof to.kind);
    to.kind.store(kind);
  }
  static void row(RecordFile& record, const Entry& e) {
    Entry& to = *record.reserve(1);
    copy(e, to);
    to.kind.store(static_cast<uint32_t>(Row::message));
  }
  using List = std::vector<std::pair<uint32_t, int32_t>>;
  static void configuration(RecordFile& record, uint64_t change, int32_t kind, const List& members, const List& left, const List& joined,
                            uint32_t flags = 0) {
    const auto rows = static_cast<uint32_t>(members.size() + left.size() + joined.size());
    Entry* entry = record.reserve(1 + rows);
    entry->sequence = kRing | change;
    entry->size = rows;
    entry->number = static_cast<uint32_t>(kind);
    entry->groups = flags;
    entry->kind.store(static_cast<uint32_t>(Row::configuration));
    const std::pair<const List*, uint8_t> lists[] = {{&members, kStays}, {&left, kLeft}, {&joined, kJoined}};
    for (const auto& [list, which] : lists)
      for (const auto& [nodeid, pid] : *list) {
        ++entry;
        entry->nodeid = nodeid;
        entry->pid = pid;
        entry->mark = which;
        entry->size = which == kLeft ? EVS_REASON_DIED : 0;
        entry->kind.store(static_cast<uint32_t>(Row::member));
      }
  }
  // The nth message of a record.
  static Entry& message(RecordFile& record, uint64_t n) {
    for (uint64_t i = 0;; ++i)
      if (record.row(i).kind.load() == static_cast<uint32_t>(Row::message) && n-- == 0) return record.row(i);
  }
  static void erase(RecordFile& record, uint64_t n) { message(record, n).kind.store(static_cast<uint32_t>(Row::member)); }
  std::string verdict(Fate fate_of_b = Fate::alive) {
    const std::vector<Subject> subjects = {{1, kPidA, Fate::alive, &a_}, {2, kPidB, fate_of_b, &b_}};
    const Verdict verdict = judge(subjects, Rules{});
    return verdict.faults.empty() ? "" : verdict.faults[0];
  }

  std::string path_;
  RecordFile a_, b_;
  uint64_t in_group_ = 0;
};

TEST_F(Referees, PassARunWithoutFaults) {
  EXPECT_EQ(verdict(), "");
}
TEST_F(Referees, SeeALostMessage) {
  erase(b_, 8);
  EXPECT_THAT(verdict(), HasSubstr("lost"));
}
TEST_F(Referees, SeeALostLastMessageOfOneWhoLives) {
  erase(b_, 10);
  EXPECT_THAT(verdict(), HasSubstr("lost"));
  EXPECT_EQ(verdict(Fate::killed), "") << "a killed one's record is a prefix";
}
TEST_F(Referees, SeeAMessageThatNobodyGot) {
  erase(a_, 4);
  erase(b_, 4);
  EXPECT_THAT(verdict(), HasSubstr("next one of that thread"));
}
TEST_F(Referees, SeeALastMessageThatNobodyGot) {
  a_.front().sent[0][0] = 6;
  EXPECT_THAT(verdict(), HasSubstr("sent 6, the history has 5"));
}
TEST_F(Referees, AllowOneMoreFromAKilledWriter) {
  b_.front().sent[0][0] = 4;
  EXPECT_THAT(verdict(), HasSubstr("sent 4, the history has 5"));
  EXPECT_EQ(verdict(Fate::killed), "");
}
TEST_F(Referees, SeeARepeatedMessage) {
  row(b_, message(b_, 10));
  EXPECT_THAT(verdict(), HasSubstr("repeated or reordered"));
}
TEST_F(Referees, SeeOtherBytesAtTheSamePlace) {
  message(b_, 2).size = 99;
  EXPECT_THAT(verdict(), HasSubstr("where others read"));
}
TEST_F(Referees, SeeATornMessage) {
  message(b_, 2).kind.store(static_cast<uint32_t>(Row::torn));
  EXPECT_THAT(verdict(), HasSubstr("torn"));
}
TEST_F(Referees, SeeAMessageToAGroupThatWasNotJoined) {
  Entry& e = message(b_, 7);
  ASSERT_EQ(e.sequence, in_group_);
  Entry early{};
  copy(e, early);
  early.sequence = 600;
  early.writer = 1;
  Entry& first = message(b_, 0);
  early.count = first.count;
  copy(early, first);
  EXPECT_THAT(verdict(), HasSubstr("none of them joined"));
}
TEST_F(Referees, SeeAMessageToAJoinedGroupThatIsMissing) {
  Entry& e = message(b_, 7);
  row(a_, e);  // somebody else got it at its place
  Entry last{};
  copy(message(a_, 10), last);
  for (uint64_t n = 10; n > 7; --n) copy(message(a_, n - 1), message(a_, n));
  copy(last, message(a_, 7));
  erase(b_, 7);
  std::string all;
  const Verdict found = judge({{1, kPidA, Fate::alive, &a_}, {2, kPidB, Fate::alive, &b_}}, Rules{});
  for (const std::string& fault : found.faults) all += fault + "\n";
  EXPECT_THAT(all, HasSubstr("reader 0 of writer 2 (pid 200): lost"));
}
TEST_F(Referees, SeeAConfigurationAtAnotherPlace) {
  message(b_, 0).configuration = kRing | 4;
  EXPECT_THAT(verdict(), HasSubstr("names another configuration"));
}
TEST_F(Referees, SeeConfigurationsThatDiffer) {
  for (RecordFile* record : {&a_, &b_}) {
    configuration(*record, 7, EVS_CONFIGURATION_TRANSITIONAL, {{1, kPidA}, {2, kPidB}}, {}, {});
    const List third = {{3, record == &a_ ? 300 : 301}};
    configuration(*record, 8, EVS_CONFIGURATION_REGULAR, {{1, kPidA}, {2, kPidB}, third[0]}, {}, third);
  }
  EXPECT_THAT(verdict(), HasSubstr("others were told"));
}
TEST_F(Referees, SeeADeathThatWasNone) {
  configuration(a_, 7, EVS_CONFIGURATION_TRANSITIONAL, {{1, kPidA}}, {{2, kPidB}}, {});
  configuration(a_, 8, EVS_CONFIGURATION_REGULAR, {{1, kPidA}}, {}, {});
  EXPECT_THAT(verdict(), HasSubstr("not what became of it"));
  EXPECT_EQ(verdict(Fate::killed), "");
}
TEST_F(Referees, SeeAnExpulsionWhereNobodyMayBeExpelled) {
  configuration(b_, 7, EVS_CONFIGURATION_TRANSITIONAL, {{2, kPidB}}, {{1, kPidA}}, {}, EVS_CONFIGURATION_EXPELLED);
  EXPECT_THAT(verdict(), HasSubstr("expelled"));
}
TEST_F(Referees, SeeATransitionalConfigurationWithTheWrongMembers) {
  configuration(a_, 7, EVS_CONFIGURATION_TRANSITIONAL, {{1, kPidA}, {2, kPidB}}, {}, {});
  configuration(a_, 8, EVS_CONFIGURATION_REGULAR, {{1, kPidA}}, {}, {});
  EXPECT_THAT(verdict(Fate::killed), HasSubstr("transitional one had"));
}

TEST(Payload, KnowsItsOwnBytesFromAllOthers) {
  Dice dice(42);
  for (int i = 0; i < 200; ++i) {
    Proof proof{};
    proof.writer = static_cast<uint32_t>(dice.below(100));
    proof.count = dice.next();
    proof.size = static_cast<uint32_t>(dice.between(sizeof(Proof), 500));
    std::vector<unsigned char> bytes(proof.size + 16);
    write_message(proof, bytes.data());
    Proof read{};
    ASSERT_TRUE(read_message(bytes.data(), proof.size, read));
    EXPECT_EQ(read.count, proof.count);
    EXPECT_FALSE(read_message(bytes.data(), proof.size - 1, read));
    bytes[dice.below(proof.size)] ^= static_cast<unsigned char>(dice.between(1, 255));
    EXPECT_FALSE(read_message(bytes.data(), proof.size, read));
  }
}

}  // namespace
}  // namespace evs::torture
