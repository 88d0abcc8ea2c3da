// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_file.h - what a gateway keeps for the process that goes on when it is killed, at whatever instruction.
//
// <bus>.window in the bus directory: the frames that others count on, what was delivered of them, how the ring ends (bus/ordering/stored.h), and where the gateway
// itself is between the two rings of its host. Every change is a step, which is taken wholly or not at all (window_memory.h). docs/stored-state.md draws the file.
//
// One writer, the holder of the role, in one thread; its successor opens the file when the kernel has said that the holder is gone. A step's call is the
// step: there is nothing to forget between a beginning and an end, and a step that fails has changed nothing. In the steady state nothing is allocated and the
// kernel is not asked.
#pragma once

#include <optional>

#include "bus/runtime/uplink/window_places.h"

namespace evs::runtime::uplink {

class WindowFile {
 public:
  using Shape = window::Shape;
  static Shape shape_for(const ordering::Settings& settings) { return {settings.store_frames, settings.frame_bytes, settings.message_limit}; }

  // The record of the outbox through which stamps have come: its position, how many of its parts, and the messages' numbers so far. This is in place of
  // StoredState::transmitted.
  struct Outbox {
    uint64_t position = 0;
    uint32_t part = 0;
    uint64_t numbers = 0;
    friend bool operator==(const Outbox&, const Outbox&) = default;
  };
  struct Kept {
    Outbox outbox;
    std::vector<std::byte> processes;
  };
  // What changes in the same step as an effect, or in one of its own.
  struct Also {
    std::optional<Outbox> outbox;
    std::optional<ordering::Bytes> processes;
  };

  // `tag` is of the build of the order segment. A file of another one is begun anew: of it ring_sequence and lives are kept. So is one from before the last
  // boot, of which nothing is: what must outlive that is elsewhere. What cannot be used is an error that says the way out, and stays as it is.
  static shm::Status open(const shm::Directory& directory, const std::string& name, const Shape& shape, uint64_t tag, std::unique_ptr<WindowFile>& out);

  // What ordering::apply() makes of the effects whose steps were taken, but for `transmitted`, which is empty.
  ordering::StoredState load() const;
  Kept kept() const;

  // The step of an effect, which has been carried out (a `store`: is being carried out). Sends and the like are none. `protocol` has the frames, and the
  // store_frames and message_limit of our shape.
  shm::Status take(const ordering::Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol, const Also& also = {});
  shm::Status take(const Also& also);

  // The step of an effect that appends one record to the order ring, so that both are there or neither is:
  //
  //   prepare()   the journal has the step, and it does not count
  //   claimed()   within the append, between claim and commit: where the record will stand
  //   commit()    the record is there: the step counts. Or abandon(): there is none, and there is no step
  //
  // Between prepare() and commit() there is no other step (it is refused), and no load(). A successor finds the position of what was under way, 0 when nothing was
  // claimed (or only just), asks the order ring whether a record of that position was committed, and says so in finish_under_way(), before its first step. Until
  // then load() and kept() are the state before. When finish_under_way() fails the file is damaged, and `file` is nothing, as behind an open() that failed.
  shm::Status prepare(const ordering::Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol, const Also& also = {});
  void claimed(uint64_t position) { memory_->put(window::kClaimed, position); }
  void commit();
  void abandon();
  std::optional<uint64_t> under_way() const;
  static shm::Status finish_under_way(std::unique_ptr<WindowFile>& file, bool committed);

 private:
  bool is_under_way() const { return memory_->word(window::kPrepared) != 0; }
  shm::Status no_step_now() const;
  explicit WindowFile(std::unique_ptr<window::Memory> memory);
  shm::Status adopt();
  shm::Status plan(const ordering::Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol, const Also& also);
  shm::Status plan(const ordering::Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol);
  shm::Status plan(const Also& also);
  shm::Status plan_papers(const ordering::StoredState& papers);
  shm::Status plan_processes(ordering::Bytes bytes);
  shm::Status plan_configuration(const ordering::Configuration& configuration);
  shm::Status end_step(shm::Status status);
  void take_back();
  void settle();

  std::unique_ptr<window::Memory> memory_;
  const window::Geometry& g_;
  window::Slots slots_;
  window::Beginnings beginnings_;
  window::Places places_;
  ordering::StoredState papers_;               // what is rare of it
  std::optional<ordering::StoredState> next_;  // with this step
  std::vector<std::byte> bytes_;
  uint64_t processes_reserved_[2] = {0, 0};
};

}  // namespace evs::runtime::uplink
