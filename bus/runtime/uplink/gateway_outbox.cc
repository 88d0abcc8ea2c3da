// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/gateway_outbox.cc - what the processes of this host ask for becomes messages and changes of the ring.
//
// Records are submitted in the outbox's order, and stamped in that order; so one place, a record and a part of it, says what is done. It is stored in the step that stores
// the stamps, and a successor goes on behind it.
#include <algorithm>
#include <cstring>

#include "bus/groups/control_record.h"
#include "bus/runtime/uplink/gateway.h"
#include "bus/runtime/uplink/planted.h"
#include "bus/runtime/uplink/uplink_settings.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr uint32_t kFrames = 256;
constexpr size_t kRecordsATurn = 1024;
constexpr uint64_t kLookEveryNs = kMillisecond;

int32_t want_all(void*, const evs_frame* frame) {
  return frame->kind == EVS_FRAME_MESSAGE && frame->size >= sizeof(OutboxHeader) ? EVS_WANT_TAKE : EVS_WANT_SKIP;
}

}  // namespace

std::optional<PluginFailure> Gateway::open_outbox() {
  LocalRing& outbox = *making_.outbox;
  outbox_role_ = outbox.transport().extension<evs_role_extension>(EVS_EXTENSION_ROLE);
  order_role_ = making_.role->transport().extension<evs_role_extension>(EVS_EXTENSION_ROLE);
  if (outbox_role_ == nullptr || order_role_ == nullptr)
    return PluginFailure{CS_ERR_NOT_SUPPORTED, "local.transport has no evs.role/1: a bus with an uplink needs a local ring that outlives its gateway, such as shm"};
  uint64_t position = 0;
  const int32_t status = outbox_role_->open(outbox.self(), &reader_, &position);
  if (status != EVS_P_OK || outbox.ops().interest_add(reader_, &kOutboxGroup, 1) != EVS_P_OK)
    return PluginFailure{error_of_status(status), std::string("the outbox cannot be read: ") + text_of_status(status)};
  if (outbox.ops().fd(reader_) < 0) return PluginFailure{CS_ERR_NO_RESOURCES, "out of file descriptors for the outbox's bell"};
  frames_.resize(kFrames);
  buffer_size_ = largest_outbox_record(making_.config->bytes("local.message_limit")) + (64u << 10);
  buffer_.reset(static_cast<std::byte*>(::operator new(buffer_size_, std::align_val_t{64})));
  return std::nullopt;
}

// True: there is a record.
bool Gateway::read_outbox() {
  const evs_ordered_ops& ops = making_.outbox->ops();
  for (int attempt = 0; attempt < 2; ++attempt) {
    evs_read request{};
    request.struct_size = sizeof request;
    request.frame_room = kFrames;
    request.frames = frames_.data();
    request.buffer = buffer_.get();
    request.buffer_size = buffer_size_;
    request.want = &want_all;
    next_frame_ = frame_count_ = 0;
    const int32_t status = ops.read(reader_, &request);
    if (status == EVS_P_OK) {
      frame_count_ = request.count;
      if (frame_count_ != 0) return true;
      continue;
    }
    if (status != EVS_P_AGAIN) {
      give_up(std::string("the outbox cannot be read: ") + text_of_status(status));
      return false;
    }
    if (ops.arm(reader_) == EVS_P_AGAIN) return false;
  }
  return false;
}

// True: there is more, and room for it.
bool Gateway::take_outbox(Instant now) {
  queue_full_ = false;
  for (size_t i = 0; i < kRecordsATurn && failure_.empty(); ++i) {
    if (next_frame_ == frame_count_ && !read_outbox()) return false;
    const evs_frame& record = frames_[next_frame_];
    if (!take_record(now, record)) {
      queue_full_ = true;
      return false;
    }
    read_to_ = record.position;
    ++next_frame_;
  }
  return failure_.empty();
}

bool Gateway::is_done(uint64_t position, uint32_t part) const {
  return position < stamped_.position || (position == stamped_.position && part <= stamped_.part);
}

// True: that part of the record is done with, now or by whoever was the gateway before.
template <class Submit>
bool Gateway::submit(Instant now, Place place, Submit&& call) {
  if (place.position != 0 && is_done(place.position, place.part)) return true;
  uint64_t number = 0;
  const Submitted result = link_->call(now, [&](Protocol&, Output& out) {
    const Submitted said = call(number, out);
    // Before its effects are carried out: it may be stamped at once.
    if (said == Submitted::ok) submitted_.push_back({number, place});
    return said;
  });
  // too_big: said by who judges a message before it is sent. closed: of who is no member (any more).
  return result != Submitted::again;
}

bool Gateway::take_record(Instant now, const evs_frame& frame) {
  const Bytes bytes(static_cast<const std::byte*>(frame.data), frame.size);
  OutboxHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  const Bytes carried = bytes.subspan(sizeof header);
  switch (header.ask) {
    case Ask::arrive:
      return arrive(now, header, frame.position);
    case Ask::go:
      return submit(now, {frame.position, 1}, [&](uint64_t& number, Output& out) { return level_->leave(now, header.node, Change::leave, number, out); });
    case Ask::message:
      return take_message(now, header, frame.position, 1, carried);
    case Ask::control:
      return take_control(now, header, frame.position, carried);
  }
  return true;
}

// Its slot may have been another one's, whose end nobody has told yet.
bool Gateway::arrive(Instant now, const OutboxHeader& header, uint64_t position) {
  const auto known = level_->table().find(header.node);
  const bool other = known != level_->table().end() && known->second.process.incarnation != header.incarnation;
  if (other && level_->is_present(header.node) &&
      !submit(now, {}, [&](uint64_t& number, Output& out) { return level_->leave(now, header.node, Change::died, number, out); }))
    return false;
  gone_.erase(header.node);
  return submit(now, {position, 1}, [&](uint64_t& number, Output& out) {
    return level_->join(now, {header.node, static_cast<uint32_t>(header.pid), header.incarnation}, number, out);
  });
}

bool Gateway::take_message(Instant now, const OutboxHeader& header, uint64_t position, uint32_t part, Bytes carried) {
  return submit(now, {position, part}, [&](uint64_t& number, Output& out) {
    const Submitted said = level_->send(now, header.node, static_cast<ordering::Service>(header.guarantee & 3), carried, number, out);
    if (said == Submitted::ok && header.ask == Ask::message) measured_.submitted(number);
    return said;
  });
}

// The control record rides in the change that other hosts are told of: both have one place, or who joins here and who joins elsewhere at that moment might each be told to
// have come before the other. One that concerns a handle alone is a message, which only this host tells.
bool Gateway::take_control(Instant now, const OutboxHeader& header, uint64_t position, Bytes bytes) {
  Carried carried;
  groups::ControlRecord control;
  if (!decode_wire(bytes, carried) || !groups::decode(carried.payload.data(), carried.payload.size(), control)) return true;
  const bool joins = control.type == groups::ControlType::join;
  std::vector<Group> groups;
  for (uint32_t i = 0; i < carried.group_count; ++i)
    if (control.is_processor_change(i)) std::memcpy(groups.emplace_back().data(), carried.groups[i].key, sizeof(Group));
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  size_t untold = 0;  // others are told of as many as there is room for
  for (Submitted said = Submitted::too_big; said == Submitted::too_big && !groups.empty();) {
    said = Submitted::ok;
    const auto call = [&](uint64_t& number, Output& out) {
      return said = level_->change_groups(now, header.node, joins ? Change::join_group : Change::leave_group, groups, bytes, number, out);
    };
    if (!submit(now, {position, 1}, call)) return false;
    if (said != Submitted::too_big) break;
    groups.pop_back();
    ++untold;
  }
  if (untold != 0)
    making_.log->warning("groups", "process " + std::to_string(header.pid) + " has joined " + std::to_string(untold) + " groups that other hosts are not told of: a process can be in " +
                                       std::to_string(settings_.groups_per_process) + ", and all groups of this host in what one message holds (local.message_limit). Leave some, and join again");
  return !groups.empty() || take_message(now, header, position, 1, bytes);
}

// Of this host's processes in the configuration, who is no member of the order ring any more? What it still said lies before the outbox's present end.
void Gateway::look_for_the_gone(Instant now) {
  if (now.ns < looked_ns_ + kLookEveryNs || level_->is_catching_up() || planted(Planted::expelled_not_gone)) return;
  looked_ns_ = now.ns;
  std::set<std::pair<uint32_t, uint64_t>> here;
  const bool known = making_.role->visit_members([&](const evs_membership& members) {
    const uint64_t build = (members.ring_sequence & 0xffffffffu) << 32;
    for (uint32_t i = 0; i < members.member_count; ++i)
      here.emplace(making_.host_id << kSlotBits | members.members[i].nodeid, build | members.members[i].incarnation);
  });
  if (!known) return;
  const Table& table = level_->table();
  for (auto at = table.lower_bound(making_.host_id << kSlotBits); at != table.end() && host_of(at->first) == making_.host_id; ++at)
    if (level_->is_present(at->first) && here.count({at->first, at->second.process.incarnation}) == 0)
      gone_.try_emplace(at->first, read_to_ + making_.outbox->ops().lag(reader_));
  for (auto gone = gone_.begin(); gone != gone_.end();) {
    const bool all_read = next_frame_ == frame_count_ && (read_to_ >= gone->second || making_.outbox->ops().pending(reader_) == 0);
    const uint32_t node = gone->first;
    const bool said = all_read && submit(now, {}, [&](uint64_t& number, Output& out) { return level_->leave(now, node, Change::died, number, out); });
    gone = said ? gone_.erase(gone) : std::next(gone);
  }
}

void Gateway::note_stamps(const Output& out, const Window& window) {
  for (size_t i = window.stamped_begin; i < window.stamped_end; ++i) {
    measured_.stamped(out.stamped[i]);
    const uint64_t number = out.stamped[i].message;
    const auto found = std::lower_bound(submitted_.begin(), submitted_.end(), number, [](const Submission& one, uint64_t n) { return one.number < n; });
    if (found == submitted_.end() || found->number != number) continue;  // an opening
    for (auto done = submitted_.begin(); done != std::next(found); ++done)
      if (done->place.position != 0) stamped_ = done->place;
    submitted_.erase(submitted_.begin(), std::next(found));
  }
}

}  // namespace evs::runtime::uplink
