// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/residents.cc - see residents.h.
#include "tests/sim/ring/residents.h"

#include <algorithm>
#include <cstring>

#include "tests/support/content_hash.h"

namespace evs::sim {
namespace {

using namespace ordering;
using test::content_hash;

constexpr uint32_t kSlots = 4;
constexpr uint32_t kGroups = 3;
constexpr uint64_t kPiecesAFrame = 1024;
constexpr int kPlaceBits = 34;  // places of one ring: a configuration of processes goes on over several

uint64_t place_in_run(const RingId& ring, Seq seq, uint32_t index) { return ring.sequence << kPlaceBits | place_of(seq, index); }

Group some_group(test::Dice& dice) {
  Group group{};
  group[0] = static_cast<std::byte>(1 + dice.below(kGroups));
  return group;
}

}  // namespace

uint64_t place_of(Seq seq, uint32_t index) { return seq.value * kPiecesAFrame + index; }

verify::Token Residents::name_of(const ConfigurationId& id) {
  return run_.names.of(std::to_string(id.number >> 32) + "." + std::to_string(id.number & UINT32_MAX) + "." + std::to_string(id.representative));
}

void Residents::begin(Protocol& protocol, uint32_t opening_limit, Ballot* ballot) {
  ballot_ = ballot;
  level_ = std::make_unique<ProcessLevel>(host_, opening_limit, protocol, ballot == nullptr ? Voter{} : ballot->disk());
  save();
  residents_.clear();
  sent_.clear();
  unheard_.clear();
  regular_ = {};
}

void Residents::crash(int64_t at) {
  note_refusals();
  for (auto& [node, resident] : residents_)
    if (resident.trace != nullptr) resident.trace->fail(at);
  residents_.clear();
}

void Residents::end(int64_t at) {
  note_refusals();
  for (auto& [node, resident] : residents_)
    if (resident.trace != nullptr) resident.trace->end(at);
}

void Residents::add_living(std::vector<uint32_t>& nodes) const {
  for (const auto& [node, resident] : residents_)
    if (!resident.wants_to_go) nodes.push_back(node);
}

Residents::Resident* Residents::pick(test::Dice& dice, bool installed) {
  std::vector<Resident*> some;
  for (auto& [node, resident] : residents_)
    if (!resident.wants_to_go && (!installed || resident.trace != nullptr)) some.push_back(&resident);
  return some.empty() ? nullptr : some[dice.below(some.size())];
}

bool Residents::change(Instant now, test::Dice& dice, Output& out) {
  if (!unheard_.empty()) return false;
  const uint64_t what = dice.below(6);
  if (what < 2) {
    const auto slot = static_cast<uint32_t>(dice.between(1, kSlots));
    const NodeId node = host_ << kSlotBits | slot;
    if (residents_.count(node) != 0) return false;
    const Process process{node, static_cast<uint32_t>(dice.between(2, 30000)), incarnations_[slot] + 1};
    if (!change_of(now, {Change::join, process, {}, {}}, out)) return false;
    ++incarnations_[slot];
    residents_[node].process = process;
    return true;
  }
  Resident* const one = pick(dice, false);
  if (one == nullptr) return false;
  if (what < 4) {
    const uint64_t number = one->group_changes + 1;
    if (!change_of(now, {what == 2 ? Change::join_group : Change::leave_group, one->process, {some_group(dice)}, std::as_bytes(std::span(&number, 1))}, out)) return false;
    one->group_changes = number;
    return true;
  }
  if (!change_of(now, {what == 4 ? Change::leave : Change::died, one->process, {}, {}}, out)) return false;
  one->wants_to_go = true;
  return true;
}

Submitted Residents::ask(Instant now, const ChangeRecord& record, uint64_t& number, Output& out) {
  const NodeId node = record.process.node;
  if (record.what == Change::join) return level_->join(now, record.process, number, out);
  if (record.what == Change::leave || record.what == Change::died) return level_->leave(now, node, record.what, number, out);
  return level_->change_groups(now, node, record.what, record.groups, record.carried, number, out);
}

bool Residents::change_of(Instant now, const ChangeRecord& record, Output& out) {
  uint64_t number = 0;
  if (ask(now, record, number, out) != Submitted::ok) return false;
  Sent& sent = sent_[number];
  sent.node = record.process.node;
  sent.change = true;
  records::encode(record, sent.record);
  return true;
}

bool Residents::submit(Instant now, Service service, size_t bytes, test::Dice& dice, Output& out) {
  Resident* const sender = pick(dice, true);
  if (sender == nullptr || !unheard_.empty()) return false;
  std::vector<std::byte> message(bytes);
  for (size_t i = 0; i < bytes; i += 8) {
    const uint64_t word = dice.next();
    std::memcpy(message.data() + i, &word, std::min<size_t>(8, bytes - i));
  }
  uint64_t number = 0;
  if (level_->send(now, sender->process.node, service, message, number, out) != Submitted::ok) return false;
  Sent& sent = sent_[number];
  sent.node = sender->process.node;
  sent.submission = ++sender->submissions;
  sent.hash = content_hash(message);
  sent.service = service;
  records::encode_message(sent.node, message, sent.record);
  sender->trace->submit(sent.submission, static_cast<int64_t>(now.ns));
  return true;
}

void Residents::save() {
  saved_.clear();
  level_->save(saved_);
  saved_revision_ = level_->revision();
}

void Residents::take_over(Protocol& successor, uint32_t opening_limit, Ballot* ballot) {
  note_refusals();
  level_ = std::make_unique<ProcessLevel>(host_, opening_limit, successor, ballot == nullptr ? Voter{} : ballot->disk());
  if (!level_->restore(saved_)) refusals_ = "a successor refuses what its predecessor saved";
  saved_revision_ = level_->revision();
}

void Residents::submit_again() {
  for (auto sent = sent_.rbegin(); sent != sent_.rend(); ++sent) unheard_.push_front(std::move(sent->second));
  sent_.clear();
}

bool Residents::give_unheard(Instant now, Output& out) {
  if (unheard_.empty()) return false;
  uint64_t number = 0;
  const Submitted result = give(now, unheard_.front(), number, out);
  if (result == Submitted::closed || result == Submitted::too_big) refusals_ = "a successor does not take what its predecessor took";
  if (result != Submitted::ok) return false;
  sent_[number] = std::move(unheard_.front());
  unheard_.pop_front();
  return true;
}

Submitted Residents::give(Instant now, const Sent& sent, uint64_t& number, Output& out) {
  if (sent.change) {
    ChangeRecord record;
    if (!records::decode(sent.record, host_, record)) return Submitted::closed;
    return ask(now, record, number, out);
  }
  NodeId sender = 0;
  Bytes payload;
  if (!records::decode_message(sent.record, host_, sender, payload)) return Submitted::closed;
  return level_->send(now, sender, sent.service, payload, number, out);
}

bool Residents::on_effect(const Output& out, const Effect& effect, int64_t at, bool die_at_record) {
  if (effect.kind == Effect::Kind::stamped) {
    on_stamped(out.stamped[effect.begin], at);
    return true;
  }
  told_.clear();
  level_->digest(out, effect, told_);
  for (const Told& told : told_) {
    on_told(told, out, effect, at);
    if (told.kind == Told::Kind::record && die_at_record) return false;
  }
  if (level_->revision() != saved_revision_) save();
  return true;
}

void Residents::on_stamped(const Stamped& stamped, int64_t at) {
  const auto found = sent_.find(stamped.message);
  if (found == sent_.end()) return;  // an opening
  const Sent& sent = found->second;
  const auto sender = residents_.find(sent.node);
  if (!sent.change && sender != residents_.end() && sender->second.trace != nullptr)
    sender->second.trace->send(regular_, place_in_run(stamped.ring, stamped.seq, stamped.index), static_cast<verify::Service>(stamped.service),
                               sent.hash, sent.submission, at);
  sent_.erase(found);
}

void Residents::install(Resident& resident, const Told& told, int64_t at) {
  const Processes& members = told.configuration.members;
  if (!std::binary_search(members.begin(), members.end(), resident.process)) return;
  const bool regular = told.kind == Told::Kind::regular;
  if (resident.trace == nullptr) {
    if (!regular) return;
    resident.trace = &run_.boot({resident.process.node, resident.process.incarnation}, verify::Level::process);
  }
  verify::Configuration conf;
  conf.id = name_of(told.configuration.id);
  conf.transitional = !regular;
  conf.regular = regular ? conf.id : resident.conf;
  conf.ring_seq = told.configuration.id.number;
  for (const Process& process : members) conf.members.push_back(process.node);
  resident.conf = conf.id;
  resident.trace->conf(std::move(conf), at);
  if (told.configuration.is_primary()) resident.trace->prim(resident.conf, told.configuration.epoch, level_->voter().quorum.hosts, at);
}

void Residents::on_told(const Told& told, const Output& out, const Effect& effect, int64_t at) {
  switch (told.kind) {
    case Told::Kind::regular:
      regular_ = name_of(told.configuration.id);
      [[fallthrough]];
    case Told::Kind::transitional:
      for (auto& [node, resident] : residents_) install(resident, told, at);
      break;
    case Told::Kind::message: {
      const Delivery& d = out.deliveries[effect.begin];
      for (auto& [node, resident] : residents_) {
        if (resident.trace == nullptr) continue;
        ++delivered_;
        resident.trace->deliver(resident.conf, regular_, place_in_run(d.ring, d.seq, d.index), static_cast<verify::Service>(d.service),
                                {told.process.node, told.process.incarnation}, content_hash(told.payload), at);
      }
      break;
    }
    case Told::Kind::gone: {
      const auto found = residents_.find(told.process.node);
      if (found == residents_.end() || found->second.process != told.process) break;
      if (found->second.trace != nullptr) found->second.trace->fail(at);
      residents_.erase(found);
      break;
    }
    case Told::Kind::record:
      if (ballot_ == nullptr || !ballot_->write(level_->voter())) refusals_ = "a disk does not give back what was written to it";
      break;
    case Told::Kind::carried: {
      const auto found = residents_.find(told.process.node);
      uint64_t number = 0;
      if (told.payload.size() == sizeof number) std::memcpy(&number, told.payload.data(), sizeof number);
      if (found == residents_.end() || found->second.process != told.process || number != ++found->second.group_changes_told)
        refusals_ = "what a change of groups carries is told to nobody, twice or out of turn";
      break;
    }
    case Told::Kind::group:
      break;
  }
}

}  // namespace evs::sim
