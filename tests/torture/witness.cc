// SPDX-License-Identifier: BSD-3-Clause
// witness.cc - callbacks to rows.
#include "tests/torture/witness.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace evs::torture {

namespace {

Entry* rows_for(Witness& witness, uint32_t count) {
  Entry* entry = witness.record->reserve(count);
  if (entry != nullptr) return entry;
  Front& front = witness.record->front();
  snprintf(front.failure, sizeof front.failure, "the record file is full: the run is too long for it");
  front.failed.store(1, std::memory_order_release);
  _exit(3);
}

void finish(Entry& entry, Row kind) { entry.kind.store(static_cast<uint32_t>(kind), std::memory_order_release); }

void stand_still(Witness& witness) {
  if (witness.slow_us != 0) {
    const timespec t{0, static_cast<long>(witness.dice.below(witness.slow_us)) * 1000};
    nanosleep(&t, nullptr);
  }
  std::unique_lock lock(witness.mutex);
  if (!witness.paused) return;
  if (witness.reader == 0) witness.record->front().paused.store(1, std::memory_order_release);
  witness.resumed.wait(lock, [&] { return !witness.paused; });
  if (witness.reader == 0) witness.record->front().paused.store(0, std::memory_order_release);
}

void record_of_message(Witness& witness, const evs_message_t& message) {
  Entry& entry = *rows_for(witness, 1);
  entry.reader = witness.reader;
  entry.sequence = message.sequence;
  entry.configuration = message.configuration.seq;
  entry.nodeid = message.nodeid;
  entry.pid = message.pid;
  entry.size = static_cast<uint32_t>(message.size);
  Row kind = Row::empty;
  if (message.size == 0) {
    entry.groups = 1;
  } else {
    Proof proof{};
    kind = read_message(message.data, message.size, proof) ? Row::message : Row::torn;
    entry.writer = proof.writer;
    entry.thread = proof.thread;
    entry.stream = proof.stream;
    entry.mark = static_cast<uint8_t>(proof.mark);
    entry.count = proof.count;
    entry.groups = proof.groups;
    entry.group = proof.group;
    entry.about = proof.about;
    entry.number = proof.number;
  }
  finish(entry, kind);
  Front& front = witness.record->front();
  front.delivered.fetch_add(1, std::memory_order_relaxed);
  if (kind == Row::message && entry.mark == static_cast<uint8_t>(Mark::final) && witness.reader < std::size(front.finals_seen))
    front.finals_seen[witness.reader].store(entry.number, std::memory_order_release);
}

void deliver(evs_handle_t, void* context, const evs_message_t* message) {
  auto& witness = *static_cast<Witness*>(context);
  record_of_message(witness, *message);
  stand_still(witness);
}

void record_of_configuration(Witness& witness, const evs_configuration_t& told) {
  const auto rows = static_cast<uint32_t>(told.member_entries + told.left_entries + told.joined_entries);
  Entry* entry = rows_for(witness, 1 + rows);
  Entry& head = *entry;
  head.reader = witness.reader;
  head.sequence = told.id.seq;
  head.nodeid = told.id.nodeid;
  head.size = rows;
  head.groups = told.flags;
  head.number = static_cast<uint32_t>(told.kind);
  const auto list = [&](const evs_member_t* members, size_t count, uint8_t which) {
    for (size_t i = 0; i < count; ++i) {
      ++entry;
      entry->reader = witness.reader;
      entry->nodeid = members[i].nodeid;
      entry->pid = members[i].pid;
      entry->size = static_cast<uint32_t>(members[i].reason);
      entry->mark = which;
      finish(*entry, Row::member);
    }
  };
  list(told.members, told.member_entries, kStays);
  list(told.left, told.left_entries, kLeft);
  list(told.joined, told.joined_entries, kJoined);
  finish(head, Row::configuration);
}

void configure(evs_handle_t handle, void* context, const evs_configuration_t* told) {
  auto& witness = *static_cast<Witness*>(context);
  record_of_configuration(witness, *told);
  if (witness.reader != 0) return;
  Front& front = witness.record->front();
  if ((told->flags & EVS_CONFIGURATION_EXPELLED) != 0) front.expulsions.fetch_add(1, std::memory_order_release);
  if (told->kind != EVS_CONFIGURATION_REGULAR) return;
  const auto count = static_cast<uint32_t>(std::min<size_t>(told->member_entries, kMostMembers));
  for (uint32_t i = 0; i < count; ++i) front.member_pid[i].store(told->members[i].pid, std::memory_order_relaxed);
  front.members.store(count, std::memory_order_release);
  unsigned int nodeid = 0;
  if (evs_membership_get(handle, &nodeid, nullptr, nullptr) == CS_OK) front.nodeid.store(nodeid, std::memory_order_release);
  front.regulars.fetch_add(1, std::memory_order_release);
}

void room(evs_handle_t, void* context) {
  auto& witness = *static_cast<Witness*>(context);
  witness.record->front().room_calls.fetch_add(1, std::memory_order_release);
  const std::lock_guard lock(witness.mutex);
  witness.has_room.store(true, std::memory_order_release);
  witness.resumed.notify_all();
}

}  // namespace

void Witness::pause() {
  const std::lock_guard lock(mutex);
  paused = true;
}

void Witness::resume() {
  const std::lock_guard lock(mutex);
  paused = false;
  resumed.notify_all();
}

evs_callbacks_ex_t witness_callbacks() {
  evs_callbacks_ex_t callbacks{};
  callbacks.struct_size = sizeof callbacks;
  callbacks.deliver = deliver;
  callbacks.configure = configure;
  callbacks.room = room;
  return callbacks;
}

}  // namespace evs::torture
