// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/security.h - does this bus seal, and with what: the configuration's answer, or why there is none.
//
// Never silently in the clear: without a key, and without somebody's explicit word that none is wanted, an uplink does not start.
#pragma once

#include "bus/runtime/config.h"
#include "bus/runtime/sealing/keyring.h"

namespace evs::runtime::sealing {

struct Security {
  Keyring keys;  // empty: uplink.security = "none"
  std::string key_file;
};

// uplink.security and uplink.key_file. The failure is complete as it stands, with the way out.
Result<Security> security_of(const Config& config);

}  // namespace evs::runtime::sealing
