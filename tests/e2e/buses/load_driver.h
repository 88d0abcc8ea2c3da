// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/load_driver.h - what an application of a speed measurement does, whichever bus carries its messages: it sends as fast as it can, or one at a time, and counts what
// it is told. Driven by lines on its standard input:
//
//   go MS           counts for so long, then answers "rate=N mb=N configurations=N cores=N"
//   pace MS GAP_US  sends one message, sleeps until its own delivery and for GAP_US, for so long; answers "p50_us=N p99_us=N count=N", from the send to the own delivery
//   heard           answers the same of what others sent at a pace since it was asked last: from their send to the delivery here (hosts of one machine share its clock)
//   report PATH     from now on, writes a byte to that FIFO for each message of others that was sent at a pace; answers "ok"
//   await PATH N    at a pace, the next message is sent when N such bytes have come, too: it has been told to all by then; answers "ok"
//   members         answers the number of members of its configuration
//   end             ends it
//
// Latency ends where the application is told, in the thread that is told; nobody spins, since the hosts share the machine's processors.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace evs::test {

class LoadDriver {
 public:
  using Send = std::function<bool(const std::vector<char>&)>;  // one message; waits a while for room, false: not sent
  using Cores = std::function<double()>;                       // milliseconds of processor time, this process's and its helpers'

  LoadDriver(size_t bytes, bool sends);
  // Both by the one thread that is told.
  void delivered(const void* bytes, size_t size, bool own);
  void configured(size_t members);
  // Until it is told to end, or nobody can tell it anything any more.
  void obey(const Send& send, const Cores& cpu_ms);

 private:
  void saturate(const Send& send);
  void go(uint64_t ms, const Cores& cpu_ms);
  void pace(const Send& send, uint64_t ms, uint64_t gap_us);
  void tell_latencies();
  bool open_reports(const char* path, unsigned awaited);
  bool await_reports() const;

  std::vector<char> message_;
  const bool sends_;
  std::atomic<bool> sending_{false}, over_{false};
  std::atomic<uint64_t> delivered_{0}, bytes_{0}, configurations_{0}, members_{0};
  std::atomic<uint32_t> own_{0};  // 32 bits: a thread can sleep on them without a table of waiters
  std::atomic<int> reports_{-1};        // the FIFO
  unsigned awaited_ = 0;                // bytes of it, a message
  std::vector<uint64_t> samples_ns_;
  std::atomic<size_t> samples_{0};
};

// Of this process and the children it has waited for.
double own_cpu_ms();

}  // namespace evs::test
