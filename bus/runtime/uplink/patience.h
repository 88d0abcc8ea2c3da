// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/patience.h - a disk that hangs keeps a thread for as long as it likes. So it is asked by a thread of its own, and who asked can go on without an answer.
//
// A thread that was left does the rest behind everybody's back, perhaps when another process has written the same file anew: it owns what it uses, and asks before each step that
// must not come so late (Task::is_left). A step that has begun may end at any time, and nobody waits for that either: what it can still do then is for the next one to prevent.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace evs::runtime::uplink {

class Patience {
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    uint64_t end_ns = UINT64_MAX;
  };

 public:
  class Task {
   public:
    Task() = default;  // somebody waits for it, and does not leave
    bool is_left() const;

   private:
    friend class Patience;
    explicit Task(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

    std::shared_ptr<Shared> shared_;
    bool is_over_ = false, is_left_ = false;
  };

  // When nobody is waited for any more (monotonic); UINT64_MAX: never. Any thread, while others wait.
  void end_at(uint64_t ns);

  // Empty: it had no end in time, and goes on by itself.
  template <class Result>
  std::optional<Result> wait_for(std::function<Result(Task&)> work) {
    struct Job {
      explicit Job(std::shared_ptr<Shared> shared) : task(std::move(shared)) {}
      Task task;
      std::optional<Result> result;
      std::exception_ptr thrown;
    };
    const auto job = std::make_shared<Job>(shared_);
    const bool started = start([job, work] {
      try {
        job->result.emplace(work(job->task));
      } catch (...) {
        job->thrown = std::current_exception();
      }
      end(job->task);
    });
    if (!started) return work(job->task);
    if (!is_awaited(job->task)) return std::nullopt;
    if (job->thrown) std::rethrow_exception(job->thrown);
    return std::move(job->result);
  }

 private:
  static bool start(std::function<void()> work);
  static void end(Task& task);
  bool is_awaited(Task& task);

  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace evs::runtime::uplink
