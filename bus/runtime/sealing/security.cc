// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/security.cc - the two keys of the configuration, and the way out for each way in which they can be wrong.
#include "bus/runtime/sealing/security.h"

#include "bus/runtime/sealing/key_file.h"

namespace evs::runtime::sealing {
Result<Security> security_of(const Config& config) {
  const std::string& file = config.text("uplink.key_file");
  if (config.text("uplink.security") == "none") return Security{{}, file};
  KeyFileFault fault = KeyFileFault::none;
  Result<Keyring> keys = read_key_file(file, &fault);
  if (keys.ok()) return Security{std::move(*keys), file};
  return Failure{"the uplink has no key to seal with: " + keys.error() + " (uplink.key_file, " + std::string(config.origin("uplink.key_file")) + "); " +
                     way_out(fault, file),
                 keys.failure().cause};
}

}  // namespace evs::runtime::sealing
