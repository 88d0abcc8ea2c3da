// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/keyring_fuzz.cc - any bytes in a key file's place.
//
// They are refused with a sentence, or they are keys, and writing those and reading them again gives the same keys.
#include <cstdint>
#include <cstdlib>

#include "bus/runtime/sealing/keyring.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using evs::runtime::sealing::Keyring;
  const auto keys = Keyring::parse({reinterpret_cast<const char*>(data), size}, "key");
  if (!keys.ok()) {
    if (keys.error().substr(0, 4) != "key:") std::abort();  // not assert(): a fuzzer is built with NDEBUG too
    return 0;
  }
  const auto again = Keyring::parse(keys->text(), "key");
  if (!again.ok() || !(again->keys() == keys->keys()) || keys->keys().size() > 2) std::abort();
  return 0;
}
