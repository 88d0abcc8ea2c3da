// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/configuration_lists_test.cc - W8: who joined and who left, as a configuration's lists say it, right and wrong.
#include <gtest/gtest.h>

#include "tests/unit/verify/story.h"

namespace evs::verify {
namespace {

// Three hosts that met: 1 is told who joined and who left, right or wrong.
struct Lists {
  Story s = three_hosts();
  Configuration& of(size_t i) { return s.of(1).configurations[i]; }  // a, ta, R, T, S
  Lists() {
    part(s);
    settle(s);
  }
};

TEST(Configurations, W8TheRightListsAreWell) {
  Lists lists;
  lists.of(0).joined = {1};
  lists.of(2).joined = {3, 2};  // in any order
  lists.of(3).left = {3};
  EXPECT_EQ(broken(lists.s), "");
}

TEST(Configurations, W8WhoJoinedIsWhoIsNew) {
  for (const Nodeids& joined : {Nodeids{2}, Nodeids{1, 2, 3}, Nodeids{2, 3, 4}, Nodeids{2, 2, 3}}) {
    Lists lists;
    lists.of(2).joined = joined;
    EXPECT_EQ(broken(lists.s), "W8") << joined.size();
  }
}

TEST(Configurations, W8WhoLeftIsWhoIsGone) {
  for (const Nodeids& left : {Nodeids{2}, Nodeids{2, 3}}) {
    Lists lists;
    lists.of(3).left = left;
    EXPECT_EQ(broken(lists.s), "W8");
  }
  Lists again;
  again.of(4).left = {3};  // T has told that
  EXPECT_EQ(broken(again.s), "W8");
}

TEST(Configurations, W8OneListIsNotLeftOutForTheOther) {
  Story s(Level::process);
  s.boot(1);
  s.boot(2);
  s.reg("P", 1, {1, 2});
  s.reg("P2", 2, {1, 2});  // without a transition: W2's to say, and who says 2 left says so of nobody
  s.of(1).configurations[1].left = {2};
  EXPECT_EQ(broken(s), "W2 W8");
}

TEST(Configurations, W8FirstOfAllOneJoinsOneself) {
  for (const bool right : {true, false}) {
    Story s(Level::process);
    s.boot(1);
    s.reg({1}, "P", 1, {1});
    s.trans({1}, "t", {1});
    s.boot(2);
    s.reg("P2", 2, {1, 2});
    s.of(2).configurations[0].joined = right ? Nodeids{2} : Nodeids{1, 2};
    s.end({1, 2});
    EXPECT_EQ(broken(s), right ? "" : "W8");
  }
}

}  // namespace
}  // namespace evs::verify
