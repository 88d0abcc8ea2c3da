// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/records_fuzz.cc - any bytes in a message's place: what the members of a ring take each other's word for.
//
// They are refused and leave nothing behind, or they are a record, and encoding it gives the same bytes.
#include <cstdint>
#include <cstdlib>

#include "tests/unit/ordering/records_again.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace records = evs::ordering::records;
  const evs::ordering::Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  if (!records::again(bytes, records::kFrom).consistent) std::abort();  // not assert(): a fuzzer is built with NDEBUG too
  return 0;
}
