// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/keyring.cc - the key file's text.
#include "bus/runtime/sealing/keyring.h"

#include <string.h>

#include <algorithm>
#include <charconv>

namespace evs::runtime::sealing {
namespace {

constexpr std::string_view kTag = "evs-key-1", kTagAnyVersion = "evs-key-";
constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kBase64Bytes = (kKeyBytes + 2) / 3 * 4;  // 44, the last of which is =

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

// One form: no white space, no digits that mean nothing. 32 bytes leave two bits over in the last digit.
bool decode(std::string_view text, Secret& secret) {
  if (text.size() != kBase64Bytes || text.back() != '=') return false;
  uint32_t bits = 0, held = 0;
  size_t at = 0;
  for (const char c : text.substr(0, kBase64Bytes - 1)) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    secret.bytes[at++] = static_cast<std::byte>(bits >> held & 0xff);
  }
  return (bits & ((1u << held) - 1)) == 0;
}

void encode(const Secret& secret, std::string& out) {
  uint32_t bits = 0, held = 0;
  for (const std::byte each : secret.bytes) {
    bits = bits << 8 | std::to_integer<uint32_t>(each);
    held += 8;
    for (; held >= 6; held -= 6) out += kDigits[bits >> (held - 6) & 63];
  }
  out += kDigits[bits << (6 - held) & 63];
  out += '=';
}

// Empty: `key` is filled. What is said never holds a part of the line: it may be a key.
std::string read_line(std::string_view line, GroupKey& key) {
  const std::string_view tag = take_word(line), id = take_word(line), secret = take_word(line);
  if (tag != kTag) {
    if (tag.substr(0, kTagAnyVersion.size()) == kTagAnyVersion) return "a key of another version than this evs reads (evs-key-1)";
    return "no key; a line is \"evs-key-1 ID BASE64\", as 'evs keygen' writes it";
  }
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), key.id);
  if (error != std::errc() || end != id.data() + id.size() || key.id == 0) return "the key's id must be a number from 1 to 65535";
  if (!decode(secret, key.secret)) return "the key itself must be 32 bytes in base64, 44 characters, as 'evs keygen' writes it";
  if (key.secret == Secret{}) return "the key is all zeroes: make one with 'evs keygen'";
  if (!take_word(line).empty()) return "something stands behind the key";
  return {};
}

}  // namespace

Secret::~Secret() { explicit_bzero(bytes.data(), bytes.size()); }

void wipe(std::string& text) {
  explicit_bzero(text.data(), text.size());
  text.clear();
}

Result<Keyring> Keyring::parse(std::string_view text, std::string_view file) {
  Keyring ring;
  size_t number = 0;
  const auto refuse = [&](const std::string& what) { return Failure{std::string(file) + ":" + std::to_string(number) + ": " + what}; };
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos || line[line.find_first_not_of(" \t")] == '#') continue;
    GroupKey key;
    if (std::string what = read_line(line, key); !what.empty()) return refuse(what);
    if (ring.find(key.id) != nullptr) return refuse("two keys with the id " + std::to_string(key.id));
    if (ring.keys_.size() == kMostKeys) return refuse("a third key; two are the most: 'evs keygen --retire' drops the second");
    if (!ring.empty() && !ring.add(key)) return refuse("the same key twice, under two ids");
    if (ring.empty()) ring.keys_.push_back(key);
  }
  if (ring.empty()) return Failure{std::string(file) + ": no key in it: make one with 'evs keygen'"};
  return ring;
}

const GroupKey* Keyring::find(uint16_t id) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const GroupKey& key) { return key.id == id; });
  return found == keys_.end() ? nullptr : &*found;
}

bool Keyring::add(const GroupKey& second) {
  if (keys_.size() != 1 || keys_[0].id == second.id || keys_[0].secret == second.secret) return false;
  keys_.push_back(second);
  return true;
}

bool Keyring::rotate() {
  if (keys_.size() != kMostKeys) return false;
  std::swap(keys_[0], keys_[1]);
  return true;
}

bool Keyring::retire() {
  if (keys_.size() != kMostKeys) return false;
  keys_.pop_back();
  return true;
}

uint16_t Keyring::unused_id() const {
  uint32_t id = 0;
  for (const GroupKey& key : keys_) id = std::max<uint32_t>(id, key.id);
  for (++id;; ++id) {
    if (id > UINT16_MAX) id = 1;
    if (find(static_cast<uint16_t>(id)) == nullptr) return static_cast<uint16_t>(id);
  }
}

std::string Keyring::text() const {
  std::string out;
  out.reserve(kMostKeyFileBytes);  // one place, which is wiped
  out += "# The key of an evs bus: who can read it can send as any host. The first key seals, all open.\n";
  for (const GroupKey& key : keys_) {
    out += std::string(kTag) + " " + std::to_string(key.id) + " ";
    encode(key.secret, out);
    out += '\n';
  }
  return out;
}

}  // namespace evs::runtime::sealing
