// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/state_file.cc - see state_file.h.
#include "bus/runtime/uplink/state_file.h"

#include <algorithm>

#include "bus/ordering/byte_reader.h"
#include "bus/ordering/byte_writer.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr uint64_t kStateMagic = 0x6574617473737665;  // "evsstate"
constexpr size_t kHeaderBytes = 24, kChecksumBytes = 8;
constexpr char kDamaged[] = "it is damaged";

// FNV-1a: tells damage, not malice; against that one stands who may write to the file.
uint64_t checksum_of(Bytes bytes) {
  uint64_t sum = 0xcbf29ce484222325u;
  for (const std::byte byte : bytes) sum = (sum ^ static_cast<uint64_t>(byte)) * 0x100000001b3u;
  return sum;
}

std::string name_of(StateKind kind) { return kind == StateKind::votes ? "votes" : kind == StateKind::rings ? "numbers of rings" : "something that this library does not know"; }

}  // namespace

std::vector<std::byte> wrap(const StateOwner& owner, Bytes state) {
  const Bytes bus = std::as_bytes(std::span(owner.bus));
  std::vector<std::byte> file(kHeaderBytes + bus.size() + state.size() + kChecksumBytes);
  const std::span<std::byte> all(file);
  ByteWriter header(all.first(kHeaderBytes));
  header.put(kStateMagic);
  header.put(kStateVersion);
  header.put(static_cast<uint32_t>(owner.kind));
  header.put(owner.host);
  header.put(static_cast<uint32_t>(bus.size()));
  std::copy(state.begin(), state.end(), std::copy(bus.begin(), bus.end(), file.begin() + kHeaderBytes));
  ByteWriter(all.last(kChecksumBytes)).put(checksum_of(all.first(all.size() - kChecksumBytes)));
  return file;
}

std::string unwrap(const StateOwner& owner, Bytes file, Bytes& state) {
  ByteReader in(file);
  const bool is_one = in.take<uint64_t>() == kStateMagic;
  const auto version = in.take<uint32_t>();
  if (!in.ok()) return kDamaged;
  if (!is_one) return "it is no file of evs";
  if (version != kStateVersion) return "its version is " + std::to_string(version) + ", and this library reads " + std::to_string(kStateVersion);
  // What it says of its owner is believed behind this alone.
  if (file.size() < kHeaderBytes + kChecksumBytes) return kDamaged;
  const Bytes summed = file.first(file.size() - kChecksumBytes);
  if (ByteReader(file.subspan(summed.size())).take<uint64_t>() != checksum_of(summed)) return kDamaged;
  const auto kind = static_cast<StateKind>(in.take<uint32_t>());
  const auto host = in.take<HostId>();
  const auto bus_bytes = in.take<uint32_t>();
  if (bus_bytes > summed.size() - kHeaderBytes) return kDamaged;
  const std::string bus(reinterpret_cast<const char*>(in.rest().data()), bus_bytes);
  if (kind != owner.kind) return "it holds " + name_of(kind) + ", and not " + name_of(owner.kind);
  if (host != owner.host) return "it is host " + std::to_string(host) + "'s, and this is host " + std::to_string(owner.host);
  if (bus != owner.bus) return "it is bus " + bus + "'s, and this is bus " + owner.bus;
  state = summed.subspan(kHeaderBytes + bus_bytes);
  return {};
}

}  // namespace evs::runtime::uplink
