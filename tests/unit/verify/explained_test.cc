// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/explained_test.cc - what a violation says: a sentence that names who, what and where, and the events that prove it.
#include <gtest/gtest.h>

#include "tests/unit/verify/story.h"

namespace evs::verify {
namespace {

std::string explained(const Story& story, const Options& options = {}) { return told(check(story.run, options)); }

TEST(Explained, TheWrongOnesJoined) {
  Story s = three_hosts();
  s.of(1).configurations[2].joined = {2};
  EXPECT_EQ(explained(s),
            "W8: 1.1 installs R after ta and is told that 2 joined; who did is 2,3.\n"
            "    1.1 #1  conf id=ta type=trans reg=a ring_seq=0 members=1\n"
            "    1.1 #2  conf id=R type=reg ring_seq=5 members=1,2,3 joined=2\n");
}

TEST(Explained, WhoLeftBeforeThereWasAnybody) {
  Story s(Level::process);
  s.boot(1);
  s.reg({1}, "P", 1, {1});
  s.of(1).configurations[0].left = {2};
  s.of(1).configurations[0].joined = {1};
  EXPECT_EQ(explained(s),
            "W8: 1.1 installs P first and is told that 2 left; who did is nobody.\n"
            "    1.1 #0  conf id=P type=reg ring_seq=1 members=1 joined=1 left=2\n");
}

TEST(Explained, ARingSequenceThatFallsOverACrash) {
  Story s;
  s.boot(1);
  s.reg("R", 8, {1});
  s.of(1).fail();
  s.boot(1, 2);
  s.reg("S", 7, {1});
  EXPECT_EQ(explained(s),
            "W5: 1.2 installs S with ring sequence 7 after 1.1 had 8.\n"
            "    1.1 #0  conf id=R type=reg ring_seq=8 members=1\n"
            "    1.2 #0  conf id=S type=reg ring_seq=7 members=1\n");
}

TEST(Explained, AMessageDeliveredTwice) {
  Story s = three_hosts();
  s.send(1, 1);
  s.deliver({1, 2, 3}, "R", {1});
  s.deliver(2, "R", 1);
  EXPECT_EQ(explained(s),
            "1.4: 2.1 delivers R/1 twice.\n"
            "    2.1 #3  deliver conf=R ring=R seq=1 service=agreed sender=1.1 hash=1\n"
            "    2.1 #4  deliver conf=R ring=R seq=1 service=agreed sender=1.1 hash=1\n");
}

TEST(Explained, ASafeMessageThatAMemberWentOnWithout) {
  Story s = three_hosts();
  s.send(1, 1, Service::safe);
  s.deliver({1, 2}, "R", {1});
  part(s);
  settle(s);
  EXPECT_EQ(explained(s),
            "7.1: 1.1 delivers the safe message R/1 in R, but its member 3.1 goes on without having delivered it.\n"
            "    1.1 #4  deliver conf=R ring=R seq=1 service=safe sender=1.1 hash=1\n"
            "    3.1 #2  conf id=R type=reg ring_seq=5 members=1,2,3\n"
            "    3.1 #4  conf id=Q type=reg ring_seq=8 members=3\n");
}

TEST(Explained, CompanionsThatDeliveredDifferently) {
  Story s = three_hosts();
  s.send(1, 1);
  s.deliver(1, "R", 1);
  part(s);
  settle(s);
  EXPECT_EQ(explained(s),
            "4: 1.1 and 2.1 go on from R to T together, but in R only 1.1 delivered R/1.\n"
            "    1.1 #4  deliver conf=R ring=R seq=1 service=agreed sender=1.1 hash=1\n"
            "    2.1 #2  conf id=R type=reg ring_seq=5 members=1,2,3\n"
            "    2.1 #3  conf id=T type=trans reg=R ring_seq=0 members=1,2\n");
}

}  // namespace
}  // namespace evs::verify
