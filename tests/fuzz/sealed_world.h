// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/sealed_world.h - a host that opens, as new for each input; and the key of docs/wire-format.md, so that the document's packet opens.
#pragma once

#include <cstdlib>
#include <memory>

#include "bus/runtime/sealing/sealing.h"

namespace evs::runtime::sealing {

// Not assert(): a fuzzer is built with NDEBUG too.
inline void must(bool condition) {
  if (!condition) std::abort();
}

inline GroupKey document_key() {
  GroupKey key;
  key.id = 3;
  for (size_t i = 0; i < kKeyBytes; ++i) key.secret.bytes[i] = static_cast<std::byte>(i);
  return key;
}

class FuzzedHost {
 public:
  explicit FuzzedHost(const Keyring& keys) : keys_(keys) {
    Settings settings;
    settings.host = 1;
    settings.life = {100, 200};
    settings.keys = keys;
    settings.most_senders = 4;
    auto made = Sealing::begin(settings);
    must(made.ok());
    sealing_ = std::move(*made);
  }

  // Another key and back: whom it has heard is forgotten, and a context of OpenSSL's need not be made anew.
  void forget() {
    if (keys_.empty()) return;
    GroupKey other = document_key();
    other.secret.bytes[0] = std::byte{1};
    must(sealing_->reload(Keyring(other)).ok());
    must(sealing_->reload(keys_).ok());
    must(sealing_->senders() == 0);
  }

  ToOpen hear(std::span<std::byte> datagram) {
    const uint64_t opened_before = sealing_->counts().opened;
    ToOpen item{datagram};
    const size_t opened = sealing_->open(now_ns_ += 1'000'000, {&item, 1});
    must(opened == (item.refusal == Refusal::none ? 1u : 0u));
    must(sealing_->counts().opened == opened_before + opened);
    must(item.refusal < Refusal::count_);
    must(sealing_->senders() <= 4);
    if (opened == 1) {
      must(item.packet.data() == datagram.data() + kHeaderBytes && item.packet.size() == datagram.size() - sealing_->overhead());
      must(item.sender.id != ordering::kNoHost && item.sender.id <= ordering::kMaxHostId);
    } else {
      must(item.packet.empty());
    }
    for (std::string line; sealing_->next_notice(line);) must(!line.empty() && line.size() < 400);
    return item;
  }

 private:
  Keyring keys_;
  std::unique_ptr<Sealing> sealing_;
  uint64_t now_ns_ = 0;
};

}  // namespace evs::runtime::sealing
