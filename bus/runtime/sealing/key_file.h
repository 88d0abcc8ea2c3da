// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/key_file.h - keys on disk: read only if nobody else could have read or written them, replaced in one step.
#pragma once

#include <string>

#include "bus/runtime/config_descriptor.h"
#include "bus/runtime/sealing/keyring.h"

namespace evs::runtime::sealing {

// What the failure is about decides the way out that the caller names.
enum class KeyFileFault : uint8_t { none, absent, unsafe, unreadable, unwritable, exists };

// A regular file and no symbolic link, owned by root or the effective user, with no rights for group and others.
Result<Keyring> read_key_file(const std::string& path, KeyFileFault* fault = nullptr);
// Of who needs it, and cannot read it.
std::string way_out(KeyFileFault fault, const std::string& path);

// `create` fails when something is there, whoever was faster. The file has mode 0600, and the owner of the one that it replaces; what stands at `path` is
// the old file or the new one, whole, whenever the machine stops.
enum class KeyFileWrite : uint8_t { create, replace };
struct KeyFileWritten {
  std::string warning;  // empty: it is on disk. Else it is in its place all the same, and a repeated step would be a second one
};
Result<KeyFileWritten> write_key_file(const std::string& path, const Keyring& keys, KeyFileWrite how, KeyFileFault* fault = nullptr);

// Held from reading the file to replacing it: of two who change it, one is refused, so that no change is made to what is there no longer. The lock is on
// the file itself (flock). One that is absent, or unsafe, is not locked: reading it says why.
class KeyFileLock {
 public:
  static Result<KeyFileLock> take(const std::string& path);

 private:
  explicit KeyFileLock(int fd) : file_(fd) {}
  Descriptor file_;
};

// Who may write to a directory may put another file of the same owner in a key file's place: one with a key that was retired. Empty: that is the owner of
// the file and root alone; else a sentence that names the directory.
std::string who_else_may_replace(const std::string& path);

// From the kernel's generator.
Result<GroupKey> draw_key(uint16_t id);

}  // namespace evs::runtime::sealing
