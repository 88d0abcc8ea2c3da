// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/text_test.cc - the text format: what is written is read again, what is wrong is refused with file,
// line and reason.
#include "tools/verify/trace_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/verify/story.h"

namespace evs::verify {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kGolden =
    "evs-trace 1\n"
    "boot process=3.1 level=host\n"
    "conf id=a.1 type=reg ring_seq=1 members=3 joined=3 at=0\n"
    "conf id=ta type=trans reg=a.1 ring_seq=0 members=3\n"
    "conf id=a.5 type=reg ring_seq=5 members=3,4 joined=4 left=9\n"
    "prim conf=a.5\n"
    "prim conf=a.5 epoch=12 of=5\n"
    "submit u=1 at=12\n"
    "send ring=a.5 seq=7 service=safe u=1 hash=9f0c\n"
    "deliver conf=a.5 ring=a.5 seq=7 service=safe sender=3.1 hash=9f0c at=99\n"
    "deliver conf=a.5 ring=a.5 seq=8 service=unordered sender=4\n"
    "fail\n";

// Within a TEST a bare Run is googletest's own.
std::string refusal(const std::string& text) {
  verify::Run run;
  std::string reason;
  EXPECT_FALSE(read_trace(text, "x.trace", run, reason)) << text;
  EXPECT_TRUE(run.traces.empty());
  return reason;
}

TEST(TraceText, IsWrittenAsItWasRead) {
  verify::Run run;
  std::string reason;
  ASSERT_TRUE(read_trace(kGolden, "x.trace", run, reason)) << reason;
  const Trace& trace = run.traces.front();
  EXPECT_EQ(trace_text(run, trace), kGolden);
  EXPECT_EQ(trace.process, (Process{3, 1}));
  EXPECT_EQ(trace.level, Level::host);
  EXPECT_EQ(trace.events.size(), 10u);
  EXPECT_EQ(trace.events[1].line, 4u);
  EXPECT_EQ(trace.events[0].at, 0);
  EXPECT_EQ(trace.events[1].at, kUntimed);
  EXPECT_EQ(trace.configurations[2].members, (std::vector<uint32_t>{3, 4}));
}

TEST(TraceText, CommentsBlankLinesAndUnknownKeysAreSkipped) {
  verify::Run run;
  std::string reason;
  ASSERT_TRUE(
      read_trace("evs-trace 1\r\n# by hand\n\n  boot  colour=blue level=process process=3.1 \r\nfail why=SIGKILL\n",
                 "x", run, reason))
      << reason;
  EXPECT_EQ(run.traces.front().events.size(), 1u);
}

TEST(TraceText, ALineWithoutItsNewlineWasNeverWritten) {
  verify::Run run;
  std::string reason;
  ASSERT_TRUE(read_trace("evs-trace 1\nboot process=3.1 level=host\ndeliver conf=a ring=a seq=1", "x", run, reason))
      << reason;
  EXPECT_TRUE(run.traces.front().events.empty());
}

TEST(TraceText, RefusalsNameFileLineAndReason) {
  const std::string boot = "evs-trace 1\nboot process=3.1 level=host\n";
  const struct {
    std::string text;
    const char* reason;
  } cases[] = {
      {"", "x.trace:1: no trace"},
      {"evs-trace 2\n", "x.trace:1: no trace: its first line is not 'evs-trace 1'"},
      {"evs-trace 1\n", "x.trace:1: no boot"},
      {"evs-trace 1\nend\n", "x.trace:2: the first event is boot, not 'end'"},
      {"evs-trace 1\nboot level=host\n", "x.trace:2: boot without process="},
      {"evs-trace 1\nboot process=3 level=host\n", "x.trace:2: boot names the incarnation too"},
      {"evs-trace 1\nboot process=0.1 level=host\n", "'0.1' is no process"},
      {"evs-trace 1\nboot process=3.0 level=host\n", "'3.0' is no process"},
      {"evs-trace 1\nboot process=3.1 level=planet\n", "level='planet' is none of host, process"},
      {boot + "jump\n", "x.trace:3: 'jump' is none of boot, conf"},
      {boot + "boot process=3.1 level=host\n", "x.trace:3: 'boot' is none of"},
      {boot + "end now\n", "'now' is not key=value"},
      {boot + "end at=1 at=2\n", "the key 'at' stands twice"},
      {boot + "end at=-1\n", "at='-1' is no number"},
      {boot + "end at=9223372036854775808\n", "is too large"},
      {boot + "submit u=99999999999999999999\n", "is no number"},
      {boot + "conf id=a type=reg members=3\n", "conf without ring_seq="},
      {boot + "conf id= type=reg ring_seq=1 members=3\n", "id='' is no name"},
      {boot + "conf id=" + std::string(65, 'x') + " type=reg ring_seq=1 members=3\n", "is no name"},
      {boot + "conf id=a type=round ring_seq=1 members=3\n", "none of reg, trans"},
      {boot + "conf id=a type=trans ring_seq=1 members=3\n", "conf without reg="},
      {boot + "conf id=a type=reg ring_seq=1 members=3,x\n", "members: 'x' is no nodeid"},
      {boot + "conf id=a type=reg ring_seq=1 members=3,0\n", "members: '0' is no nodeid"},
      {boot + "conf id=a type=reg ring_seq=1 members=3,4,3\n", "members: 3 stands twice"},
      {boot + "send ring=a seq=1 service=total\n", "none of unordered, fifo, agreed, safe"},
      {boot + "send ring=a seq=1 service=safe hash=xyz\n", "hash='xyz' is no number"},
      {boot + "deliver conf=a ring=a seq=1 service=safe\n", "deliver without sender="},
      {boot + std::string("e\x1b[2Jvil\n"), "'e?[2Jvil'"},
      {boot + "end " + std::string(kLineBytesMax, 'x') + "\n", "a line of more than 262144 bytes"},
  };
  for (const auto& c : cases) {
    const std::string reason = refusal(c.text);
    EXPECT_THAT(reason, HasSubstr(c.reason));
    EXPECT_THAT(reason, StartsWith("x.trace:"));
    EXPECT_LT(reason.size(), 300u);
  }
}

TEST(TraceText, TooManyMembers) {
  std::string text = "evs-trace 1\nboot process=1.1 level=host\nconf id=a type=reg ring_seq=1 members=1";
  for (size_t i = 2; i <= kMembersMax; ++i) (text += ',') += std::to_string(i);
  verify::Run run;
  std::string reason;
  EXPECT_TRUE(read_trace(text + "\n", "x", run, reason)) << reason;
  EXPECT_THAT(refusal(text + ",5000\n"), HasSubstr("members: more than 4096"));
}

TEST(TraceText, AViolationNamesTheLine) {
  verify::Run run;
  std::string reason;
  ASSERT_TRUE(
      read_trace("evs-trace 1\nboot process=1.1 level=host\nconf id=a type=reg ring_seq=1 members=1\n\n"
                 "prim conf=b\n",
                 "dir/1.trace", run, reason));
  EXPECT_EQ(told(check(run)),
            "2.2: b is declared primary while 1.1 is in a.\n"
            "    dir/1.trace:3  conf id=a type=reg ring_seq=1 members=1\n"
            "    dir/1.trace:5  prim conf=b\n");
}

}  // namespace
}  // namespace evs::verify
