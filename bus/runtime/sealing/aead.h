// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/aead.h - AES-256-GCM and HKDF-SHA256 by OpenSSL, and nothing else of it (docs/decisions/sealing.md).
//
// The library context is our own: what the host application configures for its OpenSSL (engines, FIPS properties, a configuration file) does not reach us, nor
// we it; and its error queue is left as it was. What is short of memory fails when a thing is made or a sender admitted.
//
// One thread at a time.
#pragma once

#include <memory>
#include <string>

#include "bus/runtime/config_result.h"
#include "bus/runtime/sealing/format.h"
#include "bus/runtime/sealing/keyring.h"

struct evp_cipher_ctx_st;
struct evp_cipher_st;
struct evp_mac_ctx_st;
struct ossl_lib_ctx_st;

namespace evs::runtime::sealing {

struct OpenSslDelete {
  void operator()(evp_cipher_ctx_st* p) const;
  void operator()(evp_cipher_st* p) const;
  void operator()(evp_mac_ctx_st* p) const;
  void operator()(ossl_lib_ctx_st* p) const;
};
template <typename T>
using OpenSsl = std::unique_ptr<T, OpenSslDelete>;

class Library {
 public:
  static Result<Library> open();
  const evp_cipher_st* cipher() const { return cipher_.get(); }
  ossl_lib_ctx_st* context() const { return context_.get(); }

 private:
  Library() = default;
  OpenSsl<ossl_lib_ctx_st> context_;  // destroyed last
  OpenSsl<evp_cipher_st> cipher_;
};

// One key, expanded once, for as many packets as it lasts.
class PacketCipher {
 public:
  enum class Use : uint8_t { seals, opens };

  explicit PacketCipher(Use use);
  bool is_made() const { return context_ != nullptr; }  // false: no memory
  bool set_key(const Library& library, const Secret& key);

  // The counter is the nonce. `from` and `to` are the same place or do not overlap.
  bool seal(uint64_t counter, Bytes header, Bytes from, std::byte* to, std::byte* tag);
  // In place. False: the bytes are noise then.
  bool open(uint64_t counter, Bytes header, std::span<std::byte> bytes, const std::byte* tag);

 private:
  Use use_;
  OpenSsl<evp_cipher_ctx_st> context_;
};

// The keys of packets out of a group's: HKDF-SHA256 (RFC 5869), the first half done once.
class Derivation {
 public:
  // `bus`: buses of other names with the same key have other keys.
  static Result<Derivation> from(const Library& library, const Secret& group_key, const std::string& bus);

  // Of one host, in one life, for one stretch of its counter.
  bool derive(HostId host, const Life& life, uint64_t stretch, Secret& out);

 private:
  OpenSsl<evp_mac_ctx_st> expand_;  // HMAC under the pseudorandom key
};

// A key seals 2^24 packets, then the next one follows, of the same host and life. The counter goes on. 2^24 packets of 64 KiB are 2^36 blocks, behind
// which GCM is told from a random function with less than 2^-56; RFC 8446 and RFC 9001 draw their lines for AES-GCM there.
inline constexpr unsigned kStretchBits = 24;
constexpr uint64_t stretch_of(uint64_t counter) { return counter >> kStretchBits; }

}  // namespace evs::runtime::sealing
