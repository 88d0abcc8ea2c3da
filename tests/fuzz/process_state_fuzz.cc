// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/process_state_fuzz.cc - any bytes in the place of what a killed process knew of processes.
//
// They are refused and leave nothing behind, or they are a state, and encoding it gives the same bytes.
#include <cstdint>
#include <cstdlib>

#include "tests/unit/ordering/process_state_again.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const evs::ordering::Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  if (!evs::ordering::stored::again(bytes).consistent) std::abort();  // not assert(): a fuzzer is built with NDEBUG too
  return 0;
}
