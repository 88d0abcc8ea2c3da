// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/keyring.h - the keys of a group of hosts, and their text in a file.
//
//     # comment
//     evs-key-1 <id> <base64 of 32 bytes>        seals and opens
//     evs-key-1 <id> <base64 of 32 bytes>        opens only; may be absent
//
// Two, so that a key can be replaced while the hosts go on (docs/security.md, "Replacing the key"). The first one seals. An id tells the
// receiver which key to take; it is no secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bus/runtime/config_result.h"

namespace evs::runtime::sealing {

inline constexpr size_t kKeyBytes = 32;
inline constexpr size_t kMostKeys = 2;
inline constexpr size_t kMostKeyFileBytes = 4096;

// Bytes that are overwritten before their memory is anything else's.
struct Secret {
  std::array<std::byte, kKeyBytes> bytes{};
  Secret() = default;
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();
  friend bool operator==(const Secret& a, const Secret& b) { return a.bytes == b.bytes; }
};

struct GroupKey {
  uint16_t id = 0;  // 1 to 65535
  Secret secret;
  friend bool operator==(const GroupKey&, const GroupKey&) = default;
};

class Keyring {
 public:
  // `file` is for the messages. Takes any bytes.
  static Result<Keyring> parse(std::string_view text, std::string_view file);
  explicit Keyring(const GroupKey& only) : keys_{only} {}
  Keyring() = default;  // none: of who sends in the clear

  const std::vector<GroupKey>& keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }
  const GroupKey* find(uint16_t id) const;

  // The steps of a rotation. False: there is no such step from here.
  bool add(const GroupKey& second);
  bool rotate();
  bool retire();
  // Follows the highest in use, so that an id is not soon taken for an earlier key's.
  uint16_t unused_id() const;

  // As parse() reads it. Wipe it after use.
  std::string text() const;

 private:
  std::vector<GroupKey> keys_;
};

void wipe(std::string& text);

}  // namespace evs::runtime::sealing
