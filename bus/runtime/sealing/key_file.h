// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/key_file.h - keys on disk: read only if nobody else could have read or written them, replaced in one step.
#pragma once

#include <string>

#include "bus/runtime/sealing/keyring.h"

namespace evs::runtime::sealing {

// What the failure is about decides the way out that the caller names.
enum class KeyFileFault : uint8_t { none, absent, unsafe, unreadable };

// A regular file and no symbolic link, owned by root or the effective user, with no rights for group and others.
Result<Keyring> read_key_file(const std::string& path, KeyFileFault* fault = nullptr);

// `create` fails when something is there, whoever was faster. The file has mode 0600, and the owner of the one that it replaces; what stands at `path` is
// the old file or the new one, whole, whenever the machine stops.
enum class KeyFileWrite : uint8_t { create, replace };
Result<bool> write_key_file(const std::string& path, const Keyring& keys, KeyFileWrite how);

// From the kernel's generator.
Result<GroupKey> draw_key(uint16_t id);

}  // namespace evs::runtime::sealing
