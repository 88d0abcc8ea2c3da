// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/sealing/speed.cc - evs-sealing-speed: what sealing takes, by the bare cipher; and what an attacker's packets cost.
//
// Each iteration does both works, one behind the other, over as many buffers; a row is made of the medians, as in tests/bench/ordering/speed.cc. The bare
// work is OpenSSL's AES-256-GCM with one key over the same bytes and nothing else: no header, no associated data, no window, no table.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "bus/runtime/sealing/sealing.h"
#include "tests/bench/timings.h"

namespace evs::bench {
namespace {

using namespace runtime::sealing;

constexpr size_t kBatch = 64;
constexpr uint64_t kNow = 1'000'000'000;

GroupKey group_key(uint8_t fill) {
  GroupKey key;
  key.id = 1;
  key.secret.bytes.fill(static_cast<std::byte>(fill));
  return key;
}

std::unique_ptr<Sealing> host(HostId id, uint8_t key) {
  Settings settings;
  settings.host = id;
  settings.life = {1, id};
  settings.keys = Keyring(group_key(key));
  auto made = Sealing::begin(settings);
  return made.ok() ? std::move(*made) : nullptr;
}

class Batch {
 public:
  explicit Batch(size_t packet_bytes) : bytes_(packet_bytes), letters_(kBatch, std::vector<std::byte>(packet_bytes + kOverheadSealed, std::byte{0x5a})) {}

  // In place: what was opened last time is sealed again.
  bool seal(Sealing& from) {
    for (size_t i = 0; i < kBatch; ++i) seals_[i] = {Bytes(letters_[i]).subspan(kHeaderBytes, bytes_), letters_[i]};
    return from.seal(seals_) == SealStatus::ok;
  }
  size_t open(Sealing& to) {
    for (size_t i = 0; i < kBatch; ++i) opens_[i] = {letters_[i]};
    return to.open(kNow, opens_);
  }
  std::vector<std::vector<std::byte>>& letters() { return letters_; }

 private:
  size_t bytes_;
  std::vector<std::vector<std::byte>> letters_;
  std::array<ToSeal, kBatch> seals_;
  std::array<ToOpen, kBatch> opens_;
};

class Bare {
 public:
  explicit Bare(size_t bytes) : buffers_(kBatch, std::vector<unsigned char>(bytes + kTagBytes)), bytes_(static_cast<int>(bytes)) {
    const unsigned char key[32] = {1};
    EVP_EncryptInit_ex(seals_, EVP_aes_256_gcm(), nullptr, key, nonce_);
    EVP_DecryptInit_ex(opens_, EVP_aes_256_gcm(), nullptr, key, nonce_);
  }
  ~Bare() {
    EVP_CIPHER_CTX_free(seals_);
    EVP_CIPHER_CTX_free(opens_);
  }
  bool seal_and_open() {
    int n = 0;
    bool ok = true;
    for (auto& buffer : buffers_) {
      ++nonce_[0];
      unsigned char *at = buffer.data(), *tag = at + bytes_;
      EVP_EncryptInit_ex(seals_, nullptr, nullptr, nullptr, nonce_);
      EVP_EncryptUpdate(seals_, at, &n, at, bytes_);
      EVP_EncryptFinal_ex(seals_, at + n, &n);
      EVP_CIPHER_CTX_ctrl(seals_, EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag);
    }
    nonce_[0] = static_cast<unsigned char>(nonce_[0] - kBatch);
    for (auto& buffer : buffers_) {
      ++nonce_[0];
      unsigned char *at = buffer.data(), *tag = at + bytes_;
      EVP_DecryptInit_ex(opens_, nullptr, nullptr, nullptr, nonce_);
      EVP_CIPHER_CTX_ctrl(opens_, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag);
      EVP_DecryptUpdate(opens_, at, &n, at, bytes_);
      ok &= EVP_DecryptFinal_ex(opens_, at + n, &n) == 1;
    }
    return ok;
  }

 private:
  std::vector<std::vector<unsigned char>> buffers_;
  const int bytes_;
  unsigned char nonce_[12] = {};
  EVP_CIPHER_CTX* seals_ = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* opens_ = EVP_CIPHER_CTX_new();
};

void seal_and_open(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  const auto from = host(1, 1), to = host(2, 1);
  Batch batch(bytes);
  Bare bare(bytes);
  Timings sealing, cipher;
  for (auto _ : state) {
    bool ok = true;
    state.SetIterationTime(sealing.take([&] { ok = batch.seal(*from) && batch.open(*to) == kBatch; }) * 1e-9);
    cipher.take([&] { ok &= bare.seal_and_open(); });
    if (!ok) return state.SkipWithError("a packet was lost");
  }
  state.counters["sealing_ns"] = sealing.median() / kBatch;
  state.counters["bare_ns"] = cipher.median() / kBatch;
  state.counters["by_bare"] = sealing.median() / cipher.median();
  state.counters["GB_s"] = static_cast<double>(2 * bytes * kBatch) / sealing.median();
}
BENCHMARK(seal_and_open)->Arg(64)->Arg(1400)->Arg(9000)->Arg(60000)->UseManualTime();

// Floods: `spoil` prepares a batch of honest packets, untimed; none of it may be opened.
template <typename Spoil>
void flood(benchmark::State& state, Refusal why, Spoil&& spoil) {
  const auto from = host(1, 1), to = host(2, 1);
  Batch batch(static_cast<size_t>(state.range(0)));
  if (!batch.seal(*from) || batch.open(*to) != kBatch) return state.SkipWithError("a packet was lost");
  Timings refusing;
  for (auto _ : state) {
    if (!batch.seal(*from)) return state.SkipWithError("not sealed");
    spoil(batch, *to);
    size_t opened = 0;
    state.SetIterationTime(refusing.take([&] { opened = batch.open(*to); }) * 1e-9);
    if (opened != 0) return state.SkipWithError("a packet of the flood was opened");
  }
  if (to->counts().of(why) < kBatch * static_cast<uint64_t>(state.iterations())) state.SkipWithError("refused for another reason");
  state.counters["packet_ns"] = refusing.median() / kBatch;
  state.counters["million_s"] = 1e3 * kBatch / refusing.median();
}

void flood_malformed(benchmark::State& state) {
  flood(state, Refusal::foreign, [](Batch& batch, Sealing&) {
    for (auto& letter : batch.letters()) letter[0] = std::byte{0};
  });
}
void flood_replayed(benchmark::State& state) {
  std::vector<std::vector<std::byte>> sealed;
  flood(state, Refusal::replay, [&](Batch& batch, Sealing& to) {
    sealed = batch.letters();
    batch.open(to);
    batch.letters() = sealed;
  });
}
void flood_in_a_live_hosts_name(benchmark::State& state) {
  flood(state, Refusal::tag, [](Batch& batch, Sealing&) {
    for (auto& letter : batch.letters()) letter.back() ^= std::byte{1};
  });
}
void flood_of_strangers(benchmark::State& state) {
  uint32_t stranger = 10;
  flood(state, Refusal::tag, [&](Batch& batch, Sealing&) {
    for (auto& letter : batch.letters()) ordering::store_little(letter.data() + 8, stranger = stranger % 1'000'000 + 3);
  });
}
// A number of iterations: what is measured is far less than what prepares it.
BENCHMARK(flood_malformed)->Arg(64)->Arg(1400)->Iterations(1000)->UseManualTime();
BENCHMARK(flood_replayed)->Arg(64)->Arg(1400)->Iterations(1000)->UseManualTime();
BENCHMARK(flood_in_a_live_hosts_name)->Arg(64)->Arg(1400)->Arg(60000)->Iterations(1000)->UseManualTime();
BENCHMARK(flood_of_strangers)->Arg(64)->Arg(1400)->Arg(60000)->Iterations(1000)->UseManualTime();

}  // namespace
}  // namespace evs::bench

BENCHMARK_MAIN();
