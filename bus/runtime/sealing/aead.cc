// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/aead.cc - the one file that sees OpenSSL.
#include "bus/runtime/sealing/aead.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace evs::runtime::sealing {
namespace {

constexpr std::string_view kSalt = "evs sealing 1";
constexpr std::string_view kLabel = "packet";
constexpr size_t kNonceBytes = 12;
constexpr size_t kInfoBytes = kLabel.size() + 4 + 8 + 8 + 8 + 1;  // host, birth, nonce, stretch, HKDF's block number

// What goes wrong in here is ours to tell; the application's list of errors stays as it was.
class ErrorsApart {
 public:
  ErrorsApart() { ERR_set_mark(); }
  ~ErrorsApart() { ERR_pop_to_mark(); }
};

const unsigned char* in(const std::byte* at) { return reinterpret_cast<const unsigned char*>(at); }
const unsigned char* in(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* out(std::byte* at) { return reinterpret_cast<unsigned char*>(at); }

struct Nonce {
  explicit Nonce(uint64_t counter) { ordering::store_little(bytes + kNonceBytes - sizeof counter, counter); }
  std::byte bytes[kNonceBytes] = {};
};

OpenSsl<evp_mac_ctx_st> hmac(const Library& library) {
  EVP_MAC* mac = EVP_MAC_fetch(library.context(), "HMAC", nullptr);
  if (mac == nullptr) return nullptr;
  OpenSsl<evp_mac_ctx_st> context(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);  // the context has its own hold on it
  return context;
}

bool begin_hmac(EVP_MAC_CTX* context, const unsigned char* key, size_t bytes) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_init(context, key, bytes, parameters) == 1;
}

bool end_hmac(EVP_MAC_CTX* context, const unsigned char* text, size_t bytes, Secret& result) {
  size_t written = 0;
  return EVP_MAC_update(context, text, bytes) == 1 && EVP_MAC_final(context, out(result.bytes.data()), &written, kKeyBytes) == 1 &&
         written == kKeyBytes;
}

}  // namespace

void OpenSslDelete::operator()(evp_cipher_ctx_st* p) const { EVP_CIPHER_CTX_free(p); }
void OpenSslDelete::operator()(evp_cipher_st* p) const { EVP_CIPHER_free(p); }
void OpenSslDelete::operator()(evp_mac_ctx_st* p) const { EVP_MAC_CTX_free(p); }
void OpenSslDelete::operator()(ossl_lib_ctx_st* p) const { OSSL_LIB_CTX_free(p); }

Result<Library> Library::open() {
  const ErrorsApart apart;
  Library library;
  library.context_.reset(OSSL_LIB_CTX_new());
  if (library.context_ == nullptr) return Failure{"OpenSSL: no memory for a library context", Cause::no_memory};
  library.cipher_.reset(EVP_CIPHER_fetch(library.context_.get(), "AES-256-GCM", nullptr));
  if (library.cipher_ == nullptr || hmac(library) == nullptr)
    return Failure{std::string("OpenSSL (") + OpenSSL_version(OPENSSL_VERSION) + ") offers no AES-256-GCM or no HMAC: packets cannot be sealed"};
  return library;
}

PacketCipher::PacketCipher(Use use) : use_(use), context_(EVP_CIPHER_CTX_new()) {}

bool PacketCipher::set_key(const Library& library, const Secret& key) {
  const ErrorsApart apart;
  const Nonce nonce(0);
  return EVP_CipherInit_ex2(context_.get(), library.cipher(), in(key.bytes.data()), in(nonce.bytes), use_ == Use::seals, nullptr) == 1;
}

bool PacketCipher::seal(uint64_t counter, Bytes header, Bytes from, std::byte* to, std::byte* tag) {
  EVP_CIPHER_CTX* context = context_.get();
  const Nonce nonce(counter);
  int written = 0;
  return EVP_EncryptInit_ex2(context, nullptr, nullptr, in(nonce.bytes), nullptr) == 1 &&
         EVP_EncryptUpdate(context, nullptr, &written, in(header.data()), static_cast<int>(header.size())) == 1 &&
         EVP_EncryptUpdate(context, out(to), &written, in(from.data()), static_cast<int>(from.size())) == 1 &&
         EVP_EncryptFinal_ex(context, out(to) + from.size(), &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1;
}

bool PacketCipher::open(uint64_t counter, Bytes header, std::span<std::byte> bytes, const std::byte* tag) {
  EVP_CIPHER_CTX* context = context_.get();
  const Nonce nonce(counter);
  int written = 0;
  return EVP_DecryptInit_ex2(context, nullptr, nullptr, in(nonce.bytes), nullptr) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, const_cast<std::byte*>(tag)) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &written, in(header.data()), static_cast<int>(header.size())) == 1 &&
         EVP_DecryptUpdate(context, out(bytes.data()), &written, in(bytes.data()), static_cast<int>(bytes.size())) == 1 &&
         EVP_DecryptFinal_ex(context, out(bytes.data()) + bytes.size(), &written) == 1;
}

Result<Derivation> Derivation::from(const Library& library, const Secret& group_key, const std::string& bus) {
  const ErrorsApart apart;
  const std::string salt = std::string(kSalt) + bus;
  Secret pseudorandom;
  Derivation made;
  const OpenSsl<evp_mac_ctx_st> extract = hmac(library);
  made.expand_ = hmac(library);
  if (extract != nullptr && made.expand_ != nullptr && begin_hmac(extract.get(), in(salt), salt.size()) &&
      end_hmac(extract.get(), in(group_key.bytes.data()), kKeyBytes, pseudorandom) &&
      begin_hmac(made.expand_.get(), in(pseudorandom.bytes.data()), kKeyBytes))
    return made;
  return Failure{"OpenSSL: no memory for a key", Cause::no_memory};
}

bool Derivation::derive(HostId host, const Life& life, uint64_t stretch, Secret& result) {
  std::byte info[kInfoBytes];
  std::byte* at = info;
  std::memcpy(at, kLabel.data(), kLabel.size());
  at += kLabel.size();
  ordering::store_little(at, host);
  ordering::store_little(at + 4, life.birth);
  ordering::store_little(at + 12, life.nonce);
  ordering::store_little(at + 20, stretch);
  at[28] = std::byte{1};  // the first block of HKDF's output, and the only one: SHA-256 gives as much as a key takes
  return EVP_MAC_init(expand_.get(), nullptr, 0, nullptr) == 1 && end_hmac(expand_.get(), in(info), kInfoBytes, result);
}

}  // namespace evs::runtime::sealing
