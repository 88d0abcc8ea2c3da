// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_steps.cc - the steps of a window file: what each effect changes in it.
//
// What is rare is changed by ordering::apply() itself, in a state that has nothing else, and written whole. Frames, beginnings and what was told are many and have
// their own places (window_places.h); that these come to the same as apply()'s is what tests/unit/uplink/window_equal_test.cc holds.
#include "bus/runtime/uplink/window_file.h"
#include "bus/runtime/uplink/window_papers.h"

namespace evs::runtime::uplink {

using namespace window;
using ordering::Bytes;
using ordering::Effect;
using ordering::Output;
using ordering::Protocol;
using ordering::Stored;
using shm::Code;
using shm::Status;

Status WindowFile::take(const Effect& effect, const Output& out, const Protocol& protocol, const Also& also) {
  if (is_under_way()) return no_step_now();
  return end_step(plan(effect, out, protocol, also));
}

Status WindowFile::take(const Also& also) {
  if (is_under_way()) return no_step_now();
  return end_step(plan(also));
}

// Its words would be written over the journal of the one that is prepared. That one stays as it is.
Status WindowFile::no_step_now() const {
  return Status::fail(Code::internal, memory_->path() + ": a step was begun before the one that is prepared had come to its end");
}

Status WindowFile::end_step(Status status) {
  if (!status.ok()) return take_back(), status;
  memory_->commit();
  settle();
  return status;
}

void WindowFile::take_back() {
  memory_->forget_plan();
  places_.take_back();
  beginnings_.take_back();
  slots_.take_back();
  next_.reset();
}

void WindowFile::settle() {
  places_.settle();
  beginnings_.settle();
  slots_.settle();
  if (next_) papers_ = std::move(*next_);
  next_.reset();
}

Status WindowFile::prepare(const Effect& effect, const Output& out, const Protocol& protocol, const Also& also) {
  if (is_under_way()) return no_step_now();
  Status s = plan(effect, out, protocol, also);
  if (!s.ok()) return take_back(), s;
  memory_->prepare();
  return s;
}

void WindowFile::commit() {
  memory_->commit_prepared();
  settle();
}

void WindowFile::abandon() {
  memory_->forget_prepared();
  take_back();
}

std::optional<uint64_t> WindowFile::under_way() const { return is_under_way() ? std::optional(memory_->word(kClaimed)) : std::nullopt; }

// What was adopted when it was opened is the state before. That of a step that was taken is adopted anew.
Status WindowFile::finish_under_way(std::unique_ptr<WindowFile>& file, bool committed) {
  if (!file->is_under_way()) return {};
  if (!committed) return file->memory_->forget_prepared(), Status{};
  const std::unique_ptr<WindowFile> before = std::move(file);
  if (Status s = before->memory_->finish_prepared(); !s.ok()) return s;
  std::unique_ptr<WindowFile> behind(new WindowFile(std::move(before->memory_)));
  if (Status s = behind->adopt(); !s.ok()) return s;
  file = std::move(behind);
  return {};
}

Status WindowFile::plan(const Effect& effect, const Output& out, const Protocol& protocol, const Also& also) {
  Status s = plan(also);
  return s.ok() ? plan(effect, out, protocol) : std::move(s);
}

Status WindowFile::plan(const Also& also) {
  if (also.outbox) {
    memory_->plan(kOutboxPosition, also.outbox->position);
    memory_->plan(kOutboxPart, also.outbox->part);
    memory_->plan(kOutboxNumbers, also.outbox->numbers);
  }
  return also.processes ? plan_processes(*also.processes) : Status{};
}

Status WindowFile::plan(const Effect& effect, const Output& out, const Protocol& protocol) {
  switch (effect.kind) {
    case Effect::Kind::store:
      if (effect.stored.kind == Stored::Kind::window) {
        const ordering::Window& window = out.windows[effect.begin];
        return window.ring == papers_.ring ? places_.take(window, out, protocol) : Status{};
      }
      next_ = papers_;
      apply(*next_, effect, out, protocol);
      return plan_papers(*next_);
    case Effect::Kind::deliver: {
      const ordering::Delivery& delivery = out.deliveries[effect.begin];
      return delivery.ring == papers_.ring ? places_.take(delivery) : Status{};
    }
    case Effect::Kind::configuration:
      next_ = papers_;
      apply(*next_, effect, out, protocol);
      return plan_configuration(out.configurations[effect.begin]);
    case Effect::Kind::send_to_all:
    case Effect::Kind::send_to:
    case Effect::Kind::stamped:
    case Effect::Kind::paused:
    case Effect::Kind::duplicate_host:
    case Effect::Kind::flush_receive:
      break;
  }
  return {};
}

Status WindowFile::plan_configuration(const ordering::Configuration& configuration) {
  const ordering::Seq forgotten = std::exchange(next_->forgotten, {});
  if (Status s = plan_papers(*next_); !s.ok() || !configuration.regular) return s;
  places_.begin_ring(forgotten);
  beginnings_.begin_ring(next_->members);
  return {};
}

Status WindowFile::plan_papers(const ordering::StoredState& papers) {
  encode(papers, bytes_);
  if (bytes_.size() > kPapersBytes || papers.members.size() > ordering::kMaxHosts)
    return Status::fail(Code::internal, memory_->path() + " has no room for what a ring of " + std::to_string(papers.members.size()) + " hosts owes: " +
                                            std::to_string(bytes_.size()) + " bytes");
  const uint64_t which = ~memory_->word(kPapers) & 1;
  memory_->write(g_.papers_at + which * kPapersBytes, bytes_);
  memory_->plan(kPapers, bytes_.size() << 1 | which);
  return {};
}

Status WindowFile::plan_processes(Bytes bytes) {
  if (bytes.size() > g_.shape.processes_limit)
    return Status::fail(Code::too_big, std::to_string(bytes.size()) + " bytes of processes and groups are more than " + memory_->path() + " has room for, " +
                                           std::to_string(g_.shape.processes_limit) + ": join fewer groups");
  const uint64_t which = ~memory_->word(kProcesses) & 1, at = g_.processes_at + which * g_.processes_bytes;
  if (bytes.size() > processes_reserved_[which]) {
    if (Status s = memory_->reserve(at, bytes.size()); !s.ok()) return s;
    processes_reserved_[which] = bytes.size();
  }
  memory_->write(at, bytes);
  memory_->plan(kProcesses, bytes.size() << 1 | which);
  return {};
}

}  // namespace evs::runtime::uplink
