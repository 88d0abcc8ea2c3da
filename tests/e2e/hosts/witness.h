// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/hosts/witness.h - the log of a test's host: a trace of what it was told, and the ring sequence that it keeps across its lives.
#pragma once

#include <map>
#include <string>

#include "bus/runtime/uplink/link.h"
#include "tests/e2e/hosts/trace_file.h"

namespace evs::test {

class Witness : public runtime::uplink::Sink {
 public:
  // `life`: from 1 on, of this host id.
  Witness(const std::string& directory, ordering::HostId host, uint64_t life);
  ~Witness() override;

  uint64_t stored_sequence() const { return stored_sequence_; }
  void submitted(uint64_t number, ordering::Bytes message);
  void withdraw(uint64_t number) { submissions_.erase(number); }  // it was not taken
  void end() { trace_.line("end"); }
  void fail() { trace_.line("fail"); }

  uint64_t room() override { return UINT64_MAX; }
  void carry_out(const ordering::Output& out, const ordering::Effect& effect, const ordering::Protocol& protocol) override;

  uint64_t delivered() const { return delivered_; }
  uint64_t unstamped() const { return submissions_.size(); }
  uint64_t duplicates() const { return duplicates_; }

  // A boot nonce says which life it is, so that a trace can name the sender of a message.
  static constexpr uint64_t kLives = 1'000'000;

 private:
  struct Submission {
    uint64_t number, hash;
  };
  void tell(const ordering::Configuration& configuration);

  TraceFile trace_;
  int stored_fd_;
  uint64_t stored_sequence_ = 0;
  std::string conf_;
  std::map<uint64_t, Submission> submissions_;  // by the protocol's number
  uint64_t last_submission_ = 0, delivered_ = 0, duplicates_ = 0;
};

}  // namespace evs::test
