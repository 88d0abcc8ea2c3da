// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/sealing.cc - the beginning, sealing, and the change of keys.
#include "bus/runtime/sealing/sealing.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "bus/runtime/sealing/key_file.h"

namespace evs::runtime::sealing {
namespace {

Failure no_memory() { return {"no memory for the keys", Cause::no_memory}; }

}  // namespace

Sealing::Sealing(const Settings& settings)
    : host_(settings.host), life_(settings.life), key_file_(settings.key_file), bus_(settings.bus), next_counter_(settings.first_counter), senders_(settings.most_senders) {}

Sealing::~Sealing() = default;

Result<std::unique_ptr<Sealing>> Sealing::begin(const Settings& settings) noexcept try {
  if (settings.host == ordering::kNoHost || settings.host > ordering::kMaxHostId)
    return Failure{"host id " + std::to_string(settings.host) + ": must be from 1 to " + std::to_string(ordering::kMaxHostId)};
  std::unique_ptr<Sealing> made(new Sealing(settings));
  if (settings.keys.empty()) return made;
  Result<Library> library = Library::open();
  if (!library.ok()) return library.failure();
  made->library_.emplace(std::move(*library));
  if (!made->mark_.is_set()) return Failure{"no page that fork() empties (MADV_WIPEONFORK, Linux 4.14): sealing would not be safe"};
  if (!made->seals_.is_made() || !made->scratch_.is_made()) return Failure{"OpenSSL: no memory for a cipher", Cause::no_memory};
  const Result<bool> keys = made->reload(settings.keys);
  if (!keys.ok()) return keys.failure();
  return made;
} catch (const std::bad_alloc&) {
  return no_memory();
}

// A key that was there before keeps its serial, and with it what was derived from it.
Result<std::vector<Sealing::LiveKey>> Sealing::make_live(const Keyring& keys) {
  std::vector<LiveKey> live;
  for (const GroupKey& key : keys.keys()) {
    Result<Derivation> derivation = Derivation::from(*library_, key.secret, bus_);
    if (!derivation.ok()) return derivation.failure();
    const auto before = std::find_if(keys_.begin(), keys_.end(), [&](const LiveKey& each) { return each.key == key; });
    live.push_back({key, before != keys_.end() ? before->serial : ++last_serial_, std::move(*derivation)});
  }
  return live;
}

Result<bool> Sealing::reload(const Keyring& keys) noexcept try {
  if (is_clear() || keys.empty()) return Failure{"between sealed and in the clear there is no change while the bus runs: restart it"};
  Result<std::vector<LiveKey>> live = make_live(keys);
  if (!live.ok()) return live.failure();
  const auto same = [](const LiveKey& a, const LiveKey& b) { return a.serial == b.serial; };
  if (std::equal(keys_.begin(), keys_.end(), live->begin(), live->end(), same)) return false;
  live_.reserve(kMostKeys);  // from here on nothing fails
  keys_.swap(*live);
  live_.clear();
  for (const LiveKey& each : keys_) live_.push_back(each.serial);
  // Whose packets no live key has ever opened is forgotten: recordings of it open with none either, so there is nothing to keep out. And a host whose clock was
  // far ahead once, and is not believed since, is heard again behind the change of keys.
  senders_.keep_only(live_);
  return true;
} catch (const std::bad_alloc&) {
  return no_memory();
}

Result<bool> Sealing::reload() noexcept try {
  const Result<Keyring> keys = read_key_file(key_file_);
  if (!keys.ok()) return keys.failure();
  return reload(*keys);
} catch (const std::bad_alloc&) {
  return no_memory();
}

Sealing::LiveKey* Sealing::find(uint16_t id) {
  for (LiveKey& each : keys_)
    if (each.key.id == id) return &each;
  return nullptr;
}

// The key of the stretch that the counter is in, of the group key that seals.
bool Sealing::ready_to_seal() {
  const KeyName name{keys_.front().serial, stretch_of(next_counter_)};
  if (seals_with_ == name) return true;
  Secret key;
  seals_with_ = {};
  if (!keys_.front().derivation.derive(host_, life_, name.stretch, key) || !seals_.set_key(*library_, key)) return false;
  seals_with_ = name;
  return true;
}

SealStatus Sealing::seal_one(ToSeal& packet) {
  const size_t bytes = packet.packet.size();
  if (bytes > kMostPacketBytes || packet.room.size() < bytes + overhead()) return SealStatus::too_big;
  if (next_counter_ == UINT64_MAX) return SealStatus::exhausted;
  std::byte* const at = packet.room.data();
  if (is_clear()) {
    std::memmove(at + kHeaderBytes, packet.packet.data(), bytes);  // first: where the header goes the packet may stand
    write_header(at, {Form::clear, 0, host_, life_, next_counter_++});
    packet.size = kHeaderBytes + bytes;
    return SealStatus::ok;
  }
  if (!ready_to_seal()) return SealStatus::failed;
  const uint64_t counter = next_counter_++;  // used up from here on, whatever happens
  write_header(at, {Form::sealed, keys_.front().key.id, host_, life_, counter});
  std::byte* const body = at + kHeaderBytes;
  if (!seals_.seal(counter, {at, kHeaderBytes}, packet.packet, body, body + bytes)) return SealStatus::failed;
  packet.size = bytes + kOverheadSealed;
  return SealStatus::ok;
}

SealStatus Sealing::seal(std::span<ToSeal> packets) {
  for (ToSeal& packet : packets) packet.size = 0;
  if (!is_clear() && !mark_.is_set()) return SealStatus::forked;
  for (ToSeal& packet : packets) {
    const SealStatus status = seal_one(packet);
    if (status != SealStatus::ok) return status;
    ++counts_.sealed;
  }
  return SealStatus::ok;
}

bool Sealing::next_notice(std::string& line) {
  Notice notice;
  if (!notices_.take(notice)) return false;
  line = sentence(notice, key_file_);
  return true;
}

}  // namespace evs::runtime::sealing
