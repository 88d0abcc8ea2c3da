// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/gateway_order.cc - what the ring has ordered becomes records of the order ring, one for each effect.
//
// The step of an effect and its record are there together or not at all:
//
//   prepare   the window file has all of the step, and nothing of it counts
//   append    the place is noted between the claim and the commit
//   commit    the step counts
//
// Killed before the record is committed, the step never was; killed behind that, a successor finds the record and commits the step for us (take_over()).
#include <algorithm>
#include <cstring>

#include "bus/groups/control_record.h"
#include "bus/runtime/uplink/gateway.h"
#include "bus/runtime/uplink/moment.h"
#include "bus/runtime/uplink/planted.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr uint64_t kAskForRoomNs = 10 * kMillisecond;
constexpr uint64_t kUnit = 64, kRecordHeader = 32;  // what the ring adds to a record, at most

uint64_t record_cost(uint32_t group_count, uint64_t bytes) {
  return (kRecordHeader + uint64_t{group_count} * sizeof(evs_plugin_group) + bytes + kUnit - 1) / kUnit * kUnit;
}

const evs_plugin_group& as_plugin(const Group& group) { return reinterpret_cast<const evs_plugin_group&>(group); }
Resident as_resident(const Process& process) { return {process.node, static_cast<int32_t>(process.pid), process.incarnation}; }
OrderHeader header_of(Tells tells, const Process& from) {
  OrderHeader header;
  header.tells = tells;
  header.node = from.node;
  header.pid = static_cast<int32_t>(from.pid);
  header.incarnation = from.incarnation;
  return header;
}

// Why the configuration changed, of those who left it: what its change says; else hosts parted.
int32_t reason_of(const Output& out, const Effect& effect) {
  ChangeRecord record;
  if (effect.kind != Effect::Kind::deliver) return EVS_MEMBER_PARTED;
  const Delivery& delivery = out.deliveries[effect.begin];
  RecordKind kind{};
  if (!records::kind_of(delivery.bytes, kind) || kind != RecordKind::change || !records::decode(delivery.bytes, delivery.sender.id, record)) return EVS_MEMBER_PARTED;
  if (record.what == Change::died) return EVS_MEMBER_DIED;
  return record.what == Change::leave ? EVS_MEMBER_LEFT : EVS_MEMBER_PARTED;
}

}  // namespace

// Other members append next to nothing to this ring, and only readers free what is in it: what was found once is there until we use it.
uint64_t Gateway::room() {
  if (room_ >= room_at_most_ / 2) return room_;
  evs_ordered_usage usage{};
  usage.struct_size = sizeof usage;
  making_.role->ops().usage(making_.role->self(), &usage);
  const uint64_t kept_free = usage.capacity_bytes - room_at_most_;
  const uint64_t free = usage.capacity_bytes - std::min(usage.capacity_bytes, usage.used_bytes);
  room_ = free > kept_free ? free - kept_free : 0;
  return room_;
}

// We append only what has room, so no append of ours is ever refused; but readers who do not read are judged when somebody lacks what they hold.
void Gateway::ask_for_room(uint64_t now_ns) {
  if (now_ns < asked_room_ns_ + kAskForRoomNs) return;
  asked_room_ns_ = now_ns;
  making_.role->ops().room(making_.role->self(), nullptr, wanted_bytes_, 1);
}

bool Gateway::follow_up(Instant now, Protocol&, Output& out) { return failure_.empty() && level_->follow_up(now, out); }

void Gateway::carry_out(const Output& out, const Effect& effect, const Protocol& protocol) {
  switch (effect.kind) {
    case Effect::Kind::store:
      return step(out, effect, protocol);
    case Effect::Kind::deliver:
    case Effect::Kind::configuration:
      return tell(out, effect, protocol);
    case Effect::Kind::duplicate_host:  // Twins judges it
    case Effect::Kind::paused:          // Episodes says it
    case Effect::Kind::stamped:
    case Effect::Kind::send_to:
    case Effect::Kind::send_to_all:
    case Effect::Kind::flush_receive:
      return;
  }
}

// One that tells nothing.
void Gateway::step(const Output& out, const Effect& effect, const Protocol& protocol) {
  if (!failure_.empty()) return;
  evs_gateway_moment("effect");
  const bool is_window = effect.kind == Effect::Kind::store && effect.stored.kind == Stored::Kind::window;
  if (is_window) note_stamps(out, out.windows[effect.begin]);
  if (is_window && planted(Planted::stamps_not_kept)) return;
  if (!reserve_sequences(effect)) return;
  WindowFile::Also also;
  if (is_window) also.outbox = WindowFile::Outbox{stamped_.position, stamped_.part, 0};
  std::vector<std::byte> kept;
  note_processes(kept, also);
  if (const shm::Status status = window_->take(effect, out, protocol, also); !status.ok()) return give_up(status.text);
  saved_revision_ = level_->revision();
  if (is_window && stamped_.position != 0) outbox_role_->keep(making_.outbox->self(), stamped_.position);
  evs_gateway_moment("outbox-kept");
}

void Gateway::tell(const Output& out, const Effect& effect, const Protocol& protocol) {
  if (!failure_.empty()) return;
  evs_gateway_moment("effect");
  told_.clear();
  level_->digest(out, effect, told_);
  if (!write_down_votes()) return;
  const auto is_said = [](const Told& one) { return one.kind == Told::Kind::message || one.kind == Told::Kind::carried; };
  const auto said = std::find_if(told_.begin(), told_.end(), is_said);
  const bool is_said_here = said != told_.end();
  Carried carried;
  // What is malformed or for the sender's own host is told to nobody here.
  const bool is_told = is_said_here ? decode_wire(said->payload, carried) && (carried.what == Carries::message || host_of(said->process.node) == making_.host_id)
                                    : std::any_of(told_.begin(), told_.end(), [](const Told& one) { return one.kind != Told::Kind::gone && one.kind != Told::Kind::record; });
  if (!is_said_here || said->kind == Told::Kind::carried) make_change(out, effect);
  if (!is_told) return step(out, effect, protocol);
  std::vector<std::byte> kept;
  WindowFile::Also also;
  note_processes(kept, also);
  if (const shm::Status status = window_->prepare(effect, out, protocol, also); !status.ok()) return give_up(status.text);
  const bool appended = !is_said_here                        ? append_change()
                        : carried.what == Carries::message ? append_message(*said, out.deliveries[effect.begin])
                                                             : append_control(*said, carried);
  if (!appended) return window_->abandon();
  window_->commit();
  saved_revision_ = level_->revision();
}

bool Gateway::append(const OrderHeader& header, uint32_t kind, ordering::Service service, const evs_plugin_group* groups, uint32_t group_count, Bytes data) {
  const iovec pieces[] = {{const_cast<OrderHeader*>(&header), sizeof header}, {const_cast<std::byte*>(data.data()), data.size()}};
  evs_append record{};
  record.struct_size = sizeof record;
  record.kind = kind;
  record.guarantee = static_cast<uint32_t>(service);
  record.groups = groups;
  record.group_count = group_count;
  record.iov = pieces;
  record.iov_count = 2;
  record.size = sizeof header + data.size();
  const auto before = [](void* window, uint64_t position) { static_cast<WindowFile*>(window)->claimed(position); };
  uint64_t position = 0;
  const int32_t status = making_.role->ops().append(making_.role->self(), &record, &position, before, &*window_);
  room_ -= std::min(room_, record_cost(group_count, record.size));
  if (status == EVS_P_OK) {
    evs_gateway_moment("appended");
    order_role_->keep(making_.role->self(), position);
    evs_gateway_moment("order-kept");
    return true;
  }
  // The core delivers no more than there is room for, and a part of the ring is kept for configurations.
  give_up(std::string("a record of ") + std::to_string(record.size) + " bytes could not be appended to the order ring: " + text_of_status(status));
  return false;
}

bool Gateway::append_message(const Told& told, const Delivery& delivery) {
  Carried carried;
  decode_wire(told.payload, carried);
  OrderHeader header = header_of(Tells::message, told.process);
  header.place = place_of(delivery.ring, delivery.seq, delivery.index);
  if (!append(header, EVS_FRAME_MESSAGE, told.service, carried.groups, carried.group_count, carried.payload)) return false;
  if (host_of(told.process.node) == making_.host_id) measured_.appended(header.place, told.service);
  return true;
}

// Who was told to be in these groups, up to and with this place.
GroupState Gateway::members_of(const Carried& carried) const {
  GroupState state;
  for (uint32_t i = 0; i < carried.group_count; ++i) {
    Group group;
    std::memcpy(group.data(), carried.groups[i].key, sizeof group);
    auto& members = state.groups.emplace_back();
    if (const auto known = groups_.find(group); known != groups_.end()) members.assign(known->second.begin(), known->second.end());
  }
  return state;
}

// A join or leave of a process of this host. With a join goes who is in its groups at this place: nobody else can tell later.
bool Gateway::append_control(const Told& told, const Carried& carried) {
  record_.assign(carried.payload.begin(), carried.payload.end());
  groups::ControlRecord control;
  if (groups::decode(record_.data(), record_.size(), control) && control.type == groups::ControlType::join) encode(members_of(carried), record_);
  return append(header_of(Tells::control, told.process), EVS_FRAME_CONTROL, ordering::Service::agreed, carried.groups, carried.group_count, record_);
}

// What is kept of processes in the step of this effect; nothing, when it has not changed.
void Gateway::note_processes(std::vector<std::byte>& kept, WindowFile::Also& also) const {
  if (level_->revision() == saved_revision_) return;
  std::vector<std::byte> saved;
  level_->save(saved);
  encode_kept(in_force_, saved, kept);
  also.processes = kept;
}

void Gateway::make_change(const Output& out, const Effect& effect) {
  change_ = {};
  change_keys_.clear();
  for (const Told& told : told_) {
    if (told.kind == Told::Kind::transitional || told.kind == Told::Kind::regular) add_configuration(told, reason_of(out, effect));
    if (told.kind != Told::Kind::group) continue;
    add_group(told);
    change_keys_.push_back(as_plugin(told.group));
  }
}

bool Gateway::append_change() {
  std::vector<evs_plugin_group>& keys = change_keys_;
  constexpr size_t kMostKeys = 4000;
  if (!change_.configurations.empty() || keys.size() > kMostKeys) keys.insert(keys.begin(), kChangesGroup);
  if (keys.size() > kMostKeys) keys.resize(kMostKeys);
  OrderHeader header;
  header.tells = Tells::change;
  header.configurations = static_cast<uint32_t>(change_.configurations.size());
  header.group_changes = change_.groups.size();
  record_.clear();
  encode(change_, record_);
  if (change_.configurations.empty()) return append(header, EVS_FRAME_CONTROL, ordering::Service::agreed, keys.data(), static_cast<uint32_t>(keys.size()), record_);
  // Who begins to read meanwhile waits: whether this one is in force where he begins cannot be told.
  making_.board->begin_change();
  evs_gateway_moment("change-begun");
  if (!append(header, EVS_FRAME_CONTROL, ordering::Service::agreed, keys.data(), static_cast<uint32_t>(keys.size()), record_)) return false;
  if (!making_.board->publish(in_force_, 0))
    making_.log->error("board", "more processes are in the configuration than <bus>.board has room for: who joins now cannot be told of it");
  evs_gateway_moment("change-published");
  making_.board->end_change();
  evs_gateway_moment("change-ended");
  return true;
}

void Gateway::add_configuration(const Told& told, int32_t why_left) {
  ProcessesInForce& now = change_.configurations.emplace_back();
  now.number = told.configuration.id.number;
  now.epoch = told.configuration.epoch;
  const auto was = [this](const Process& process) {
    return std::any_of(in_force_.members.begin(), in_force_.members.end(),
                       [&](const evs_ordered_member& member) { return member.nodeid == process.node && member.incarnation == process.incarnation; });
  };
  for (const Process& process : told.configuration.members)
    now.members.push_back({process.node, static_cast<int32_t>(process.pid), process.incarnation, was(process) ? EVS_MEMBER_STAYS : EVS_MEMBER_JOINED, 0});
  for (evs_ordered_member member : in_force_.members) {
    const Process process{member.nodeid, static_cast<uint32_t>(member.pid), member.incarnation};
    if (std::binary_search(told.configuration.members.begin(), told.configuration.members.end(), process)) continue;
    member.reason = why_left;
    now.left.push_back(member);
    for (auto& [group, residents] : groups_) residents.erase(as_resident(process));
  }
  in_force_ = now;
}

// Of processes elsewhere: of those of this host their control records tell it, which ride in the same changes.
void Gateway::add_group(const Told& told) {
  std::set<Resident>& known = groups_[told.group];
  std::set<Resident> now;
  for (const Process& process : told.joined) now.insert(as_resident(process));
  const auto differ = [&](const std::set<Resident>& from, const std::set<Resident>& without, bool joined) {
    for (const Resident& who : from)
      if (without.count(who) == 0 && host_of(who.node) != making_.host_id) change_.groups.push_back({as_plugin(told.group), who, joined});
  };
  differ(now, known, true);
  differ(known, now, false);
  known = std::move(now);
  if (known.empty()) groups_.erase(told.group);
}

// Who was told to be in which group: as it was told, and of those who are in the configuration told last.
void Gateway::rebuild_groups() {
  groups_.clear();
  for (const auto& [node, member] : level_->told_table()) {
    const Resident who = as_resident(member.process);
    const bool is_in = std::any_of(in_force_.members.begin(), in_force_.members.end(),
                                   [&](const evs_ordered_member& one) { return one.nodeid == who.node && one.incarnation == who.incarnation; });
    for (const Group& group : member.groups)
      if (is_in) groups_[group].insert(who);
  }
}

}  // namespace evs::runtime::uplink
