// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm/death_test.cc - several slots of one thread, found dead together, and the C library's list put back.
#include "shm/death.h"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/unit/shm/ground.h"

namespace evs::shm {
namespace {

void* kernels_list() {
  void* head = nullptr;
  size_t size = 0;
  syscall(SYS_get_robust_list, 0, &head, &size);
  return head;
}

struct Held {
  explicit Held(const Segment& segment) {
    for (uint32_t i = 0; i < 3; ++i) slots[i] = &segment.slot(i);
  }
  void hold(int i) { robust[i].hold(*slots[i]); }
  void let_go(int i) { robust[i].let_go(*slots[i]); }
  std::vector<int> dead() const {
    std::vector<int> found;
    for (int i = 0; i < 3; ++i)
      if (robust_owner_died(*slots[i])) found.push_back(i);
    return found;
  }
  Slot* slots[3];
  RobustFutex robust[3];
};

TEST(RobustFutex, EachOrderOfHoldingAndLettingGo) {
  SmallRing ring;
  int order[3] = {0, 1, 2};
  do {
    for (int gone = 0; gone <= 3; ++gone) {
      Held held(ring.segment);
      std::thread([&] {
        void* const before = kernels_list();
        for (int i = 0; i < 3; ++i) held.hold(i);
        for (int i = 0; i < gone; ++i) held.let_go(order[i]);
        EXPECT_EQ(kernels_list() == before, gone == 3) << "the C library's list comes back with the last, and not before";
      }).join();
      std::vector<int> left(order + gone, order + 3);
      std::sort(left.begin(), left.end());
      EXPECT_EQ(held.dead(), left);
    }
  } while (std::next_permutation(order, order + 3));
}

TEST(RobustFutex, LetGoAndHeldAgainBetweenOthers) {
  SmallRing ring;
  Held held(ring.segment);
  std::thread([&] {
    for (int i = 0; i < 3; ++i) held.hold(i);
    held.let_go(1);
    EXPECT_EQ(held.slots[1]->robust_futex, 0u);
    held.hold(1);
    held.let_go(0);
    held.let_go(0);  // of somebody who holds nothing: nothing
    EXPECT_EQ(held.dead(), std::vector<int>{}) << "the thread lives";
  }).join();
  EXPECT_EQ(held.dead(), (std::vector<int>{1, 2}));
}

TEST(RobustFutex, TwoThreadsHaveTwoLists) {
  SmallRing ring;
  Held held(ring.segment);
  held.hold(0);
  std::thread([&] { held.hold(1); }).join();
  EXPECT_EQ(held.dead(), std::vector<int>{1});
  held.let_go(0);
}

// exec keeps the pid: only the list tells that whoever lived in these places is gone.
TEST(RobustFutex, AnExecEndsAllThatItsThreadHeld) {
  SmallRing ring;
  Held held(ring.segment);
  const pid_t child = fork();
  if (child == 0) {
    // Mapped anew: a segment's mapping does not come along through a fork.
    const int fd = ring.directory.open_file("b.ring", O_RDWR);
    Segment segment;
    if (!Segment::open(fd, ring.path() + "/b.ring", segment).ok()) _exit(3);
    Held mine(segment);
    for (int i = 0; i < 3; ++i) mine.hold(i);
    mine.let_go(1);
    execl("/bin/true", "true", nullptr);
    _exit(4);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(held.dead(), (std::vector<int>{0, 2}));
}

// The child's thread begins a list of its own: its parent's nodes are not in its memory.
TEST(RobustFutex, AChildOfAForkHoldsForItself) {
  SmallRing ring;
  Held held(ring.segment);
  held.hold(0);
  const pid_t child = fork();
  if (child == 0) {
    forget_robust_list();
    const int fd = ring.directory.open_file("b.ring", O_RDWR);
    Segment segment;
    if (!Segment::open(fd, ring.path() + "/b.ring", segment).ok()) _exit(3);
    Held mine(segment);
    mine.hold(1);
    mine.hold(2);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(held.dead(), (std::vector<int>{1, 2}));
  held.let_go(0);
}

}  // namespace
}  // namespace evs::shm
