// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/hosts/witness.cc - see witness.h.
#include "tests/e2e/hosts/witness.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "tests/support/content_hash.h"

namespace evs::test {
namespace {

using namespace ordering;

constexpr uint64_t kPiecesAFrame = 1024;
constexpr const char* kServices[] = {"unordered", "fifo", "agreed", "safe"};

std::string name_of(const RingId& ring) {
  return std::to_string(ring.sequence) + "." + std::to_string(ring.representative) + "." + std::to_string(ring.nonce);
}
uint64_t place_of(Seq seq, uint32_t index) { return seq.value * kPiecesAFrame + index; }
uint64_t life_of(const Host& host) { return host.nonce % Witness::kLives; }

std::string hex(uint64_t value) {
  char text[17];
  snprintf(text, sizeof text, "%" PRIx64, value);
  return text;
}

}  // namespace

Witness::Witness(const std::string& directory, HostId host, uint64_t life)
    : trace_(directory + "/" + std::to_string(host) + "." + std::to_string(life) + ".trace"),
      stored_fd_(open((directory + "/" + std::to_string(host) + ".stored").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (stored_fd_ < 0) throw std::runtime_error("cannot store in " + directory);
  if (pread(stored_fd_, &stored_sequence_, sizeof stored_sequence_, 0) != sizeof stored_sequence_) stored_sequence_ = 0;
  trace_.line("evs-trace 1");
  trace_.line("boot process=" + std::to_string(host) + "." + std::to_string(life) + " level=host");
}

Witness::~Witness() { close(stored_fd_); }

void Witness::submitted(uint64_t number, Bytes message) {
  submissions_[number] = {++last_submission_, content_hash(message)};
  trace_.line("submit u=" + std::to_string(last_submission_));
}

void Witness::tell(const Configuration& c) {
  const std::string regular = name_of(c.ring);
  conf_ = c.regular ? regular : regular + ">" + name_of(c.next);
  std::string members;
  for (const Host& host : c.members) members += (members.empty() ? "" : ",") + std::to_string(host.id);
  trace_.line("conf id=" + conf_ + " type=" + (c.regular ? "reg" : "trans reg=" + regular) + " ring_seq=" + std::to_string(c.ring.sequence) + " members=" + members);
}

void Witness::carry_out(const Output& out, const Effect& effect, const Protocol&) {
  switch (effect.kind) {
    case Effect::Kind::configuration: return tell(out.configurations[effect.begin]);
    case Effect::Kind::stamped: {
      const Stamped& stamped = out.stamped[effect.begin];
      const Submission& submission = submissions_.at(stamped.message);
      trace_.line("send ring=" + name_of(stamped.ring) + " seq=" + std::to_string(place_of(stamped.seq, stamped.index)) + " service=" +
                  kServices[static_cast<size_t>(stamped.service)] + " u=" + std::to_string(submission.number) + " hash=" + hex(submission.hash));
      submissions_.erase(stamped.message);
      return;
    }
    case Effect::Kind::deliver: {
      const Delivery& d = out.deliveries[effect.begin];
      trace_.line("deliver conf=" + conf_ + " ring=" + name_of(d.ring) + " seq=" + std::to_string(place_of(d.seq, d.index)) + " service=" +
                  kServices[static_cast<size_t>(d.service)] + " sender=" + std::to_string(d.sender.id) + "." + std::to_string(life_of(d.sender)) +
                  " hash=" + hex(content_hash(d.bytes)));
      ++delivered_;
      return;
    }
    case Effect::Kind::store:
      if (effect.stored.kind == Stored::Kind::sequence &&
          pwrite(stored_fd_, &effect.stored.number, sizeof effect.stored.number, 0) != sizeof effect.stored.number)
        throw std::runtime_error("cannot store the ring's sequence");
      return;
    case Effect::Kind::duplicate_host: ++duplicates_; return;
    case Effect::Kind::paused:
    case Effect::Kind::flush_receive:
    case Effect::Kind::send_to_all:
    case Effect::Kind::send_to: return;
  }
}

}  // namespace evs::test
