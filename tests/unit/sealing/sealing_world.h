// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/sealing/sealing_world.h - hosts that seal, and the letters between them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bus/runtime/sealing/sealing.h"
#include "tests/support/dice.h"

namespace evs::runtime::sealing {

using Letter = std::vector<std::byte>;

inline constexpr uint64_t kSecond = 1'000'000'000;

inline Letter text(const std::string& words) {
  Letter letter(words.size());
  std::memcpy(letter.data(), words.data(), words.size());
  return letter;
}

// A key that a test can tell from another.
inline GroupKey key_of(uint16_t id, uint8_t fill) {
  GroupKey key;
  key.id = id;
  key.secret.bytes.fill(static_cast<std::byte>(fill));
  return key;
}

inline Keyring keys_of(const GroupKey& seals, const GroupKey& opens) {
  Keyring keys(seals);
  EXPECT_TRUE(keys.add(opens));
  return keys;
}

inline const GroupKey kOld = key_of(1, 0x11), kNew = key_of(2, 0x22), kForeign = key_of(1, 0x99);

struct Who {
  HostId host = 1;
  Life life{1000, 0xabc};
  Keyring keys{kOld};
  uint32_t most_senders = kMostSenders;
  uint64_t first_counter = 1;
  std::string bus{};
};

class Station {
 public:
  explicit Station(const Who& run) {
    Settings settings;
    settings.host = run.host;
    settings.life = run.life;
    settings.keys = run.keys;
    settings.most_senders = run.most_senders;
    settings.first_counter = run.first_counter;
    settings.bus = run.bus;
    auto made = Sealing::begin(settings);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error());
    if (made.ok()) sealing = std::move(*made);
  }

  Letter say(const Letter& packet) {
    Letter room(packet.size() + sealing->overhead());
    ToSeal item{packet, room};
    EXPECT_EQ(sealing->seal({&item, 1}), SealStatus::ok);
    room.resize(item.size);
    return room;
  }
  Letter say(const std::string& words) { return say(text(words)); }

  // A copy is opened: the medium may bring the letter again.
  Refusal hear(const Letter& letter, uint64_t now_ns = kSecond) {
    heard = letter;
    ToOpen item{heard};
    const size_t opened = sealing->open(now_ns, {&item, 1});
    EXPECT_EQ(opened, item.refusal == Refusal::none ? 1u : 0u);
    last = Letter(item.packet.begin(), item.packet.end());
    sender = item.sender;
    if (item.refusal != Refusal::none) {
      EXPECT_TRUE(item.packet.empty());
    }
    return item.refusal;
  }
  std::vector<std::string> notices() {
    std::vector<std::string> lines;
    for (std::string line; sealing->next_notice(line);) lines.push_back(line);
    return lines;
  }
  uint64_t count(Refusal why) const { return sealing->counts().of(why); }

  std::unique_ptr<Sealing> sealing;
  Letter heard, last;
  ordering::Host sender;
};

inline uint64_t counter_of(const Letter& letter) { return ordering::load_little<uint64_t>(letter.data() + 32); }
inline std::string words(const Letter& letter) { return {reinterpret_cast<const char*>(letter.data()), letter.size()}; }

}  // namespace evs::runtime::sealing
