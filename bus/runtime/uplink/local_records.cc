// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/local_records.cc - see local_records.h. Who reads bounds everything: a member is trusted with the rings, but not to be without faults.
#include "bus/runtime/uplink/local_records.h"

#include <cstring>
#include <new>

#include "bus/ordering/byte_reader.h"

namespace evs::runtime::uplink {
namespace {

constexpr size_t kResidentBytes = 16, kMemberBytes = 24, kChangeBytes = sizeof(evs_plugin_group) + kResidentBytes + 8;

evs_plugin_group group_of_our_own(const char (&name)[16]) {
  evs_plugin_group group{};
  std::memset(group.key, 0xff, sizeof group.key);
  std::memcpy(group.key + sizeof group.key - sizeof name, name, sizeof name);
  return group;
}

template <class T>
void put(std::vector<std::byte>& out, T value) {
  const size_t at = out.size();
  out.resize(at + sizeof value);
  ordering::store_little(out.data() + at, value);
}

void put(std::vector<std::byte>& out, const Resident& who) {
  put(out, who.node);
  put(out, static_cast<uint32_t>(who.pid));
  put(out, who.incarnation);
}

Resident take_resident(ordering::ByteReader& in) {
  Resident who;
  who.node = in.take<uint32_t>();
  who.pid = static_cast<int32_t>(in.take<uint32_t>());
  who.incarnation = in.take<uint64_t>();
  return who;
}

void put(std::vector<std::byte>& out, const std::vector<evs_ordered_member>& members) {
  for (const evs_ordered_member& member : members) {
    put(out, Resident{member.nodeid, member.pid, member.incarnation});
    put(out, static_cast<uint64_t>(static_cast<uint32_t>(member.reason)));
  }
}

bool take(ordering::ByteReader& in, uint32_t count, std::vector<evs_ordered_member>& members) {
  if (in.rest().size() < size_t{count} * kMemberBytes) return false;
  for (uint32_t i = 0; i < count; ++i) {
    const Resident who = take_resident(in);
    const auto reason = static_cast<int32_t>(in.take<uint64_t>());
    members.push_back({who.node, who.pid, who.incarnation, reason, 0});
  }
  return in.ok();
}

bool take(ordering::ByteReader& in, ProcessesInForce& configuration) {
  configuration.number = in.take<uint64_t>();
  configuration.epoch = in.take<uint64_t>();
  const auto members = in.take<uint32_t>(), left = in.take<uint32_t>();
  return in.ok() && take(in, members, configuration.members) && take(in, left, configuration.left);
}

}  // namespace

const evs_plugin_group kOutboxGroup = group_of_our_own("evs outbox     ");
const evs_plugin_group kChangesGroup = group_of_our_own("evs changes    ");

void encode_wire_header(Carries what, uint32_t group_count, std::byte (&out)[kWireHeaderBytes]) {
  ordering::store_little(out, static_cast<uint32_t>(what));
  ordering::store_little(out + 4, group_count);
}

bool decode_wire(Bytes bytes, Carried& out) {
  ordering::ByteReader in(bytes);
  const auto what = in.take<uint32_t>();
  out.group_count = in.take<uint32_t>();
  if (!in.ok() || what < 1 || what > 2 || out.group_count == 0 || out.group_count > kMostGroups) return false;  // the order ring takes no more
  if (in.rest().size() / sizeof(evs_plugin_group) < out.group_count) return false;
  out.what = static_cast<Carries>(what);
  out.groups = reinterpret_cast<const evs_plugin_group*>(in.rest().data());
  out.payload = in.rest().subspan(size_t{out.group_count} * sizeof(evs_plugin_group));
  return true;
}

void encode(const GroupState& state, std::vector<std::byte>& out) {
  for (const auto& group : state.groups) {
    put(out, static_cast<uint64_t>(group.size()));
    for (const Resident& who : group) put(out, who);
  }
}

bool decode(Bytes bytes, GroupState& state) {
  ordering::ByteReader in(bytes);
  while (!in.rest().empty()) {
    const auto count = in.take<uint64_t>();
    if (!in.ok() || in.rest().size() / kResidentBytes < count) return false;
    auto& group = state.groups.emplace_back();
    for (uint64_t i = 0; i < count; ++i) group.push_back(take_resident(in));
  }
  return true;
}

size_t encoded_bytes(const ProcessesInForce& configuration) {
  return 24 + (configuration.members.size() + configuration.left.size()) * kMemberBytes;
}

void encode(const ProcessesInForce& configuration, std::vector<std::byte>& out) {
  put(out, configuration.number);
  put(out, configuration.epoch);
  put(out, static_cast<uint32_t>(configuration.members.size()));
  put(out, static_cast<uint32_t>(configuration.left.size()));
  put(out, configuration.members);
  put(out, configuration.left);
}

bool decode(Bytes bytes, ProcessesInForce& configuration) {
  ordering::ByteReader in(bytes);
  return take(in, configuration) && in.rest().empty();
}

void encode(const ChangeTold& change, std::vector<std::byte>& out) {
  put(out, static_cast<uint32_t>(change.configurations.size()));
  put(out, static_cast<uint32_t>(change.groups.size()));
  for (const ProcessesInForce& configuration : change.configurations) encode(configuration, out);
  for (const GroupChange& one : change.groups) {
    const auto* key = reinterpret_cast<const std::byte*>(one.group.key);
    out.insert(out.end(), key, key + sizeof one.group);
    put(out, one.who);
    put(out, uint64_t{one.joined});
  }
}

bool decode(Bytes bytes, ChangeTold& change) {
  ordering::ByteReader in(bytes);
  const auto configurations = in.take<uint32_t>(), groups = in.take<uint32_t>();
  if (!in.ok() || configurations > 2) return false;
  for (uint32_t i = 0; i < configurations; ++i)
    if (!take(in, change.configurations.emplace_back())) return false;
  Bytes rest = in.rest();
  if (rest.size() != size_t{groups} * kChangeBytes) return false;
  for (uint32_t i = 0; i < groups; ++i, rest = rest.subspan(kChangeBytes)) {
    GroupChange& one = change.groups.emplace_back();
    std::memcpy(one.group.key, rest.data(), sizeof one.group);
    ordering::ByteReader who(rest.subspan(sizeof one.group));
    one.who = take_resident(who);
    one.joined = who.take<uint64_t>() != 0;
  }
  return true;
}

void encode_kept(const ProcessesInForce& told, Bytes saved, std::vector<std::byte>& out) {
  encode(told, out);
  out.insert(out.end(), saved.begin(), saved.end());
}

bool decode_kept(Bytes bytes, ProcessesInForce& told, Bytes& saved) {
  ordering::ByteReader in(bytes);
  if (!take(in, told)) return false;
  saved = in.rest();
  return true;
}

bool write_membership(const ProcessesInForce& configuration, uint64_t position, void* buffer, size_t size, size_t* needed) {
  const size_t members = configuration.members.size(), left = configuration.left.size();
  const size_t bytes = sizeof(evs_membership) + (members + left) * sizeof(evs_ordered_member);
  if (needed != nullptr) *needed = bytes;
  if (bytes > size) return false;
  auto* lists = reinterpret_cast<evs_ordered_member*>(static_cast<std::byte*>(buffer) + sizeof(evs_membership));
  const evs_membership written{sizeof(evs_membership), static_cast<uint32_t>(members), static_cast<uint32_t>(left), 0, configuration.change(),
                               configuration.ring_sequence(), position, lists, lists + members, configuration.epoch};
  std::memcpy(buffer, &written, sizeof written);
  if (members != 0) std::memcpy(lists, configuration.members.data(), members * sizeof *lists);
  if (left != 0) std::memcpy(lists + members, configuration.left.data(), left * sizeof *lists);
  return true;
}

}  // namespace evs::runtime::uplink
