// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/wire_spoilt.h - a sample with one number changed, and what the decoder says of it; what the encoder says of a packet.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "bus/ordering/little_endian.h"
#include "tests/unit/ordering/wire_again.h"
#include "tests/unit/ordering/wire_dice.h"
#include "tests/unit/ordering/wire_samples.h"

namespace evs::ordering::wire {

inline Packet sample(const std::string& name) {
  for (const Sample& each : samples())
    if (each.name == name) return each.bytes;
  ADD_FAILURE() << "no sample " << name;
  return {};
}

template <typename T>
Packet with(Packet packet, size_t at, T value) {
  store_little(packet.data() + at, value);
  return packet;
}

template <typename T>
Malformed verdict_of(const std::string& name, size_t at, T value) {
  const Verdict verdict = again(with(sample(name), at, value));
  EXPECT_TRUE(verdict.consistent) << name << " at " << at;
  return verdict.why;
}

// What the encoder says of it: nothing appended when it refuses.
template <typename Said>
bool may_be_sent(const Said& said, const Host& sender = kSeven) {
  Packet out(5);
  const bool sent = encode(sender, said, out);
  EXPECT_EQ(sent, out.size() > 5);
  return sent;
}

}  // namespace evs::ordering::wire
