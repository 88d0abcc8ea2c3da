// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/medium.cc - claim, write, commit; who must make room for it; and membership as frames.
#include "medium.h"

#include <algorithm>
#include <mutex>
#include <new>

#include "cursor.h"

namespace evs::loopback {
namespace {

// A pad is shorter than the record behind it. With this much beyond ring_size, which holds two messages, the largest
// record and the largest pad before it always fit into an empty medium.
uint64_t largest_pad(const Settings& settings) {
  return record_length(kGroupsPerMessage, settings.message_limit) + record_length(kGroupsPerMessage, 0);
}

// Four of the largest: enough for a leave to be written at once although readers hold everything else.
uint64_t membership_reserve(const Settings& settings) {
  return 4 * record_length(0, sizeof(evs_membership) + 2 * settings.max_processes * sizeof(evs_ordered_member));
}

std::shared_ptr<const Membership> nobody() {
  static std::atomic<uint64_t> lives{0};
  auto membership = std::make_shared<Membership>();
  membership->head.struct_size = sizeof(evs_membership);
  membership->head.ring_sequence = ++lives;
  return membership;
}

}  // namespace

std::shared_ptr<Medium> Medium::open(const std::string& bus, const Settings& settings) {
  // Never destroyed: a host may close its buses from its own static destructors.
  static auto* const mutex = new std::mutex;
  static auto* const media = new std::map<std::string, std::weak_ptr<Medium>>;
  const std::lock_guard guard(*mutex);
  std::weak_ptr<Medium>& entry = (*media)[bus];
  if (auto medium = entry.lock()) return medium;
  auto medium = std::make_shared<Medium>(settings);
  entry = medium;
  return medium;
}

Medium::Medium(const Settings& settings)
    : settings_(settings),
      reserve_(membership_reserve(settings)),
      buffer_size_(round_up(settings.ring_size) + largest_pad(settings) + reserve_),
      buffer_(static_cast<std::byte*>(::operator new (buffer_size_, std::align_val_t{kUnit}))),
      members_(settings.max_processes),
      in_force_(nobody()) {
  past_.emplace(0, in_force_);
}

Medium::~Medium() {
  ::operator delete (buffer_, std::align_val_t{kUnit});
}

int32_t Medium::standing(const Member& member) const {
  return closed_ ? EVS_P_CLOSED : member.gone ? EVS_P_EXPELLED : EVS_P_OK;
}

// ---- Room ----

uint64_t Medium::pad_before(uint64_t length) const {
  const uint64_t offset = tail() % buffer_size_;
  return offset + length > buffer_size_ ? buffer_size_ - offset : 0;
}

uint64_t Medium::floor() const {
  uint64_t lowest = tail();
  for (const Cursor* cursor : cursors_)
    if (cursor->watching() || cursor->reading) lowest = std::min(lowest, cursor->place.load(std::memory_order_relaxed));
  return lowest;
}

// `reserve` is what the caller must leave free. Places only grow, so what was found once stays true: most appends stop
// at the first line and look at no cursor.
bool Medium::has_room(uint64_t length, uint64_t reserve) {
  const uint64_t end = tail() + pad_before(length) + length;
  if (end + reserve <= room_until_) return true;
  room_until_ = floor() + buffer_size_;
  if (end + reserve <= room_until_) return true;
  move_past_foreign_frames();
  room_until_ = floor() + buffer_size_;
  return end + reserve <= room_until_;
}

void Medium::move_past_foreign_frames() {
  const uint64_t end = tail();
  for (Cursor* cursor : cursors_) {
    if (!cursor->watching() || cursor->reading) continue;
    uint64_t at = cursor->place.load(std::memory_order_relaxed);
    while (at < end && !cursor->concerns(record_at(at))) at += record_at(at).length;
    cursor->place.store(at, std::memory_order_relaxed);  // FREE: append() holds the lock from here to its write
  }
}

// ---- Append ----

Record& Medium::claim(uint64_t length) {
  uint64_t at = tail();
  if (const uint64_t pad = pad_before(length); pad != 0) {
    Record& filler = record_at(at);
    filler = Record{};
    filler.length = pad;
    filler.position = at;
    filler.kind = kPad;
    at += pad;
  }
  Record& record = record_at(at);
  record = Record{};
  record.length = length;
  record.position = at;
  return record;
}

void Medium::commit(const Record& record) {
  tail_.store(record.position + record.length, std::memory_order_release);  // FULL
  for (Cursor* cursor : cursors_)
    if (cursor->watching() && cursor->concerns(record)) cursor->something_came();
  if (record.kind == EVS_FRAME_MEMBERSHIP)
    for (const evs_host* host : hosts_) host->wake(host->context);
}

int32_t Medium::append(const Member& from, const evs_append& frame, uint64_t* position,
                       void (*before_commit)(void* context, uint64_t position), void* context) noexcept {
  if (frame.size > settings_.message_limit || frame.group_count > kGroupsPerMessage) return EVS_P_TOO_BIG;
  const Hold hold(lock);
  if (hold.nested()) return EVS_P_NESTED;
  if (const int32_t status = standing(from); status != EVS_P_OK) return status;
  const uint64_t length = record_length(frame.group_count, frame.size);
  if (!has_room(length, reserve_)) {
    ++refused_;
    return EVS_P_AGAIN;
  }

  Record& record = claim(length);
  record.kind = frame.kind;
  record.nodeid = from.who.nodeid;
  record.incarnation = from.who.incarnation;
  record.size = frame.size;
  record.guarantee = frame.guarantee;
  record.group_count = frame.group_count;
  if (frame.group_count != 0) std::memcpy(record.groups(), frame.groups, record.group_bytes());
  std::byte* to = record.data();
  for (uint32_t i = 0; i < frame.iov_count; ++i) {
    if (frame.iov[i].iov_len == 0) continue;  // its base may be null
    std::memcpy(to, frame.iov[i].iov_base, frame.iov[i].iov_len);
    to += frame.iov[i].iov_len;
  }
  if (position != nullptr) *position = record.position;
  if (before_commit != nullptr) before_commit(context, record.position);
  commit(record);
  return EVS_P_OK;
}

int32_t Medium::room(const Member& from, Cursor* asker, uint64_t size, uint32_t group_count) {
  if (size > settings_.message_limit || group_count > kGroupsPerMessage) return EVS_P_TOO_BIG;
  const Hold hold(lock);
  if (const int32_t status = standing(from); status != EVS_P_OK) return status;
  const uint64_t length = record_length(group_count, size);
  const bool there = has_room(length, reserve_);
  if (asker != nullptr) asker->room_wanted = there ? 0 : length;
  return there ? EVS_P_OK : EVS_P_AGAIN;
}

int32_t Medium::wait_room(const Member& from, uint64_t size, uint32_t group_count, uint64_t deadline_ns) {
  for (;;) {
    uint32_t heard = 0;
    {
      const int32_t status = room(from, nullptr, size, group_count);
      if (status != EVS_P_AGAIN) return status;
      const Hold hold(lock);
      heard = room_bell_.count();
      if (has_room(record_length(group_count, size), reserve_)) continue;
      ++room_waiters_;
    }
    const bool in_time = room_bell_.sleep(heard, deadline_ns);
    const Hold hold(lock);
    --room_waiters_;
    if (!in_time && !has_room(record_length(group_count, size), reserve_) && standing(from) == EVS_P_OK)
      return EVS_P_TIMEOUT;
  }
}

void Medium::room_was_made() {
  if (members_.changed()) publish_change(0);
  past_.erase(past_.begin(), std::prev(past_.upper_bound(floor() - 1)));  // the last at or before it is still in force
  members_.forget_before(floor());
  if (room_waiters_ != 0) room_bell_.ring();
  for (Cursor* cursor : cursors_) {
    if (cursor->room_wanted == 0 || !has_room(cursor->room_wanted, reserve_)) continue;
    cursor->room_wanted = 0;
    cursor->rouse();
  }
}

// ---- Members ----

bool Medium::publish_change(uint64_t reserve) {
  auto next = members_.next(*in_force_, 0);
  if (next == nullptr) {
    members_.installed(tail());
    return true;
  }
  const uint64_t length = record_length(0, next->bytes());
  if (!has_room(length, reserve)) return false;
  Record& record = claim(length);
  next->head.position = record.position;
  past_.emplace(record.position, next);  // may throw: nothing is committed yet
  in_force_ = next;
  record.kind = EVS_FRAME_MEMBERSHIP;
  record.size = next->bytes();
  next->write(record.data());
  place_lists(record.data());
  members_.installed(record.position);
  commit(record);
  return true;
}

bool Medium::in_force_holds(const Member& member) const {
  return std::any_of(in_force_->members.begin(), in_force_->members.end(),
                     [&](const evs_ordered_member& m) { return m.incarnation == member.who.incarnation; });
}

int32_t Medium::join(int32_t pid, uint64_t deadline_ns, std::shared_ptr<Member>& out) {
  std::shared_ptr<Member> member;
  for (;;) {
    uint32_t heard = 0;
    {
      const Hold hold(lock);
      if (closed_) return EVS_P_CLOSED;
      if (member == nullptr) member = members_.add(pid);
      if (member == nullptr) return EVS_P_NO_RESOURCES;
      if (publish_change(reserve_) || in_force_holds(*member)) {
        out = member;
        return EVS_P_OK;
      }
      heard = room_bell_.count();
      ++room_waiters_;
    }
    const bool in_time = room_bell_.sleep(heard, deadline_ns);
    const Hold hold(lock);
    --room_waiters_;
    if (in_time || in_force_holds(*member)) continue;
    members_.undo_add(*member);
    return EVS_P_TIMEOUT;
  }
}

void Medium::leave(Member& member, int32_t reason) {
  const Hold hold(lock);
  if (member.gone) return;
  members_.remove(member, reason);
  if (!closed_) publish_change(0);  // when the reserve is full too, room_was_made() does it
}

void Medium::expel(Member& member) {
  const Hold hold(lock);
  if (member.gone) return;
  member.lost = count_unread(member);
  members_.remove(member, EVS_MEMBER_EXPELLED);
  for (Cursor* cursor : cursors_)
    if (cursor->of(member)) cursor->stop_watching();
  rouse_all();
  room_was_made();
}

uint64_t Medium::count_unread(const Member& member) {
  uint64_t unread = 0;
  for (uint64_t at = floor(); at < tail(); at += record_at(at).length) {
    const Record& record = record_at(at);
    if (record.kind == EVS_FRAME_MESSAGE)
      unread += std::any_of(cursors_.begin(), cursors_.end(), [&](const Cursor* cursor) {
        return cursor->of(member) && cursor->watching() && cursor->place <= at && cursor->concerns(record);
      });
  }
  return unread;
}

void Medium::fail() {
  const Hold hold(lock);
  closed_ = true;
  rouse_all();
}

void Medium::rouse_all() {
  room_bell_.ring();
  for (Cursor* cursor : cursors_) cursor->rouse();
}

std::shared_ptr<const Membership> Medium::membership_at(uint64_t place) const {
  return std::prev(past_.lower_bound(place))->second;  // a frame is passed when the place is behind its position
}

// ---- Hosts and readers ----

void Medium::add(const evs_host& host) {
  const Hold hold(lock);
  hosts_.push_back(&host);
}

void Medium::remove(const evs_host& host) {
  const Hold hold(lock);
  hosts_.erase(std::remove(hosts_.begin(), hosts_.end(), &host), hosts_.end());
}

void Medium::add(Cursor& cursor) {
  const Hold hold(lock);
  cursors_.push_back(&cursor);
}

void Medium::remove(Cursor& cursor) {
  const Hold hold(lock);
  cursors_.erase(std::remove(cursors_.begin(), cursors_.end(), &cursor), cursors_.end());
  room_was_made();
}

const Cursor* Medium::furthest_behind() const {
  const Cursor* furthest = nullptr;
  for (const Cursor* cursor : cursors_)
    if (cursor->watching() && cursor->place < (furthest == nullptr ? tail() : furthest->place.load()))
      furthest = cursor;
  return furthest;
}

uint64_t Medium::used() const {
  return tail() - floor();
}

}  // namespace evs::loopback
