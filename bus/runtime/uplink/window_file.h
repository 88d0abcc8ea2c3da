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
  // An append to the order ring; one effect may need several, which `ordinal` counts. The one of ordinal n tells that n of its effect are through.
  struct Append {
    ordering::RingId ring;
    ordering::Seq seq;
    uint32_t index = 0;
    uint32_t kind = 0;  // the caller's
    uint32_t ordinal = 0;
    uint64_t tail = 0;  // of the order ring, before the claim: where a successor begins to look that finds no position
    friend bool operator==(const Append&, const Append&) = default;
  };
  struct UnderWay {
    Append append;
    std::optional<uint64_t> position;  // none: nothing was claimed, or it was in that moment
    bool through = false;              // appended() was said
    friend bool operator==(const UnderWay&, const UnderWay&) = default;
  };
  struct Kept {
    Outbox outbox;
    std::optional<UnderWay> append;
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

  // The step of an effect, which has been carried out (a `store`: is being carried out). Sends and the like are none. With a `deliver` or a `configuration` an
  // append that is under way is over. `protocol` has the frames, and the store_frames and message_limit of our shape.
  shm::Status take(const ordering::Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol, const Also& also = {});
  shm::Status take(const Also& also);

  // A successor that finds the append of kept() in the order ring, the last one of its effect, takes that effect's step before it goes on: an Output that has what
  // apply() looks at is enough (a delivery's place, service and transitional; a configuration).
  void begin_append(const Append& append);
  // Between the claim and the commit in the order ring: a store.
  void claimed(uint64_t position) { memory_->put(record_at(record_) + kPositionInRecord, position); }
  void appended();

 private:
  static constexpr uint64_t kTailInRecord = 48, kPositionInRecord = 56;
  static uint64_t record_at(uint32_t record) { return window::kAppendRecords + record * window::kAppendRecordBytes; }

  explicit WindowFile(std::unique_ptr<window::Memory> memory);
  shm::Status adopt();
  shm::Status plan(const ordering::Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol);
  shm::Status plan(const Also& also);
  shm::Status plan_papers(const ordering::StoredState& papers);
  shm::Status plan_processes(ordering::Bytes bytes);
  shm::Status plan_configuration(const ordering::Configuration& configuration);
  void plan_end_of_append();
  shm::Status end_step(shm::Status status);
  std::optional<UnderWay> append_under_way() const;

  std::unique_ptr<window::Memory> memory_;
  const window::Geometry& g_;
  window::Slots slots_;
  window::Beginnings beginnings_;
  window::Places places_;
  ordering::StoredState papers_;               // what is rare of it
  std::optional<ordering::StoredState> next_;  // with this step
  std::vector<std::byte> bytes_;
  uint64_t processes_reserved_[2] = {0, 0};
  uint32_t record_ = 0;  // of the append begun last
};

}  // namespace evs::runtime::uplink
