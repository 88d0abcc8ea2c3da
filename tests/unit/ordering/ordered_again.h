// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/ordered_again.h - as wire_again.h, for the packets that go over an ordered medium.
#pragma once

#include "tests/unit/ordering/wire_again.h"

namespace evs::ordering::wire {

inline Verdict ordered_again(Bytes bytes) {
  OrderedEnvelope envelope;
  const Malformed why = decode(bytes, envelope);
  if (why != Malformed::none) return {why, envelope.sender == Host{}};
  switch (envelope.type) {
    case OrderedType::frame: return again_as<OrderedFrame>(bytes, envelope.sender);
    case OrderedType::acknowledgement: return again_as<Acknowledgement>(bytes, envelope.sender);
    case OrderedType::state: return again_as<State>(bytes, envelope.sender);
  }
  return {why, false};
}

}  // namespace evs::ordering::wire
