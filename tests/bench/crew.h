// SPDX-License-Identifier: BSD-3-Clause
// crew.h - the processes of one round: forked, pinned, started together, and never outliving the round.
//
// Every round forks afresh from a parent that never opens a bus, because a handle does not survive a fork and because a
// round must not inherit the caches and branch history of the one before. The parent sleeps on the children's pidfds
// while they measure, so it takes no processor from them. A child that fails leaves its reason in shared memory; the
// others are then killed, and the round is a malfunction, never a figure.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace evs::bench {

// Something worked wrongly, as opposed to slowly: lost messages, an error code, a child that died or hung.
struct Malfunction : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Zeroed memory that all processes of a round see, and that goes away with the object in the parent.
template <typename T>
class Shared {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  Shared();
  ~Shared();
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

 private:
  T* object_;
};

void* map_shared(size_t bytes);
void unmap_shared(void* address, size_t bytes);

template <typename T>
Shared<T>::Shared() : object_(static_cast<T*>(map_shared(sizeof(T)))) {}
template <typename T>
Shared<T>::~Shared() {
  unmap_shared(object_, sizeof(T));
}

// All parties of a round meet here before the clock starts.
class StartLine {
 public:
  void wait_for(uint32_t parties);

 private:
  std::atomic<uint32_t> arrived_;
};

inline constexpr int kAnyCpu = -1;

// The two processors that every comparison runs on; the first two that this process may use.
struct Cores {
  int first = 0, second = 0;
  bool one_only() const { return first == second; }
};
Cores cores();

void pin_to(int cpu);

class Crew {
 public:
  Crew();
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Forks; `body` runs in the child, pinned, and its return is the child's exit. Returns the child's pid.
  pid_t start(const std::string& name, int cpu, const std::function<void()>& body);

  // Until all have left in good order; throws Malfunction with the first one's reason otherwise.
  void finish(int limit_seconds = 30);

  // Kills one member on purpose and returns the time of the kernel's report of its death.
  uint64_t kill_and_see(pid_t pid);

  // Throws if any child has left already: for a parent that waits for a sign from one.
  void check();

 private:
  struct Member {
    std::string name;
    pid_t pid;
    int pidfd;
    size_t reason;
  };
  struct Reasons;

  void reap(size_t index);
  Reasons* reasons_;
  std::vector<Member> members_;
};

}  // namespace evs::bench
