// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_file.cc - opening a window file, and what is read out of it.
#include "bus/runtime/uplink/window_file.h"

#include "bus/runtime/uplink/window_papers.h"

namespace evs::runtime::uplink {

using namespace window;
using ordering::Bytes;
using ordering::StoredState;
using shm::Code;
using shm::Status;

namespace {

Status read_papers(const Memory& memory, StoredState& papers) {
  const uint64_t word = memory.word(kPapers), size = word >> 1;
  if (size > kPapersBytes || !decode(memory.bytes(memory.geometry().papers_at + (word & 1) * kPapersBytes, size), papers))
    return memory.damaged("what it says of rings and lives is damaged");
  return {};
}

}  // namespace

WindowFile::WindowFile(std::unique_ptr<Memory> memory)
    : memory_(std::move(memory)), g_(memory_->geometry()), slots_(*memory_), beginnings_(*memory_, slots_), places_(*memory_, slots_, beginnings_) {}

Status WindowFile::open(const shm::Directory& directory, const std::string& name, const Shape& shape, uint64_t tag, std::unique_ptr<WindowFile>& out) {
  if (const std::string why = check(shape); !why.empty()) return Status::fail(Code::bad_parameter, "the window of an uplink: " + why);
  std::unique_ptr<Memory> memory;
  uint64_t tag_there = 0;
  if (Status s = Memory::open(directory, name, tag_there, memory); !s.ok()) return s;
  if (memory && tag_there == tag && memory->geometry().shape != shape)
    return Status::fail(Code::bad_parameter, memory->path() + " was made for other sizes of frames, messages or stores than ours: "
                                                              "give all processes of the bus the same configuration, or stop them and remove the file");
  if (!memory || tag_there != tag) {
    StoredState before, kept;
    if (memory)
      if (Status s = read_papers(*memory, before); !s.ok()) return s;
    kept.ring_sequence = before.ring_sequence;
    kept.lives = before.lives;
    std::vector<std::byte> papers;
    encode(kept, papers);
    if (Status s = Memory::build(directory, name, Geometry::of(shape), tag, papers, memory); !s.ok()) return s;
  }
  std::unique_ptr<WindowFile> file(new WindowFile(std::move(memory)));
  if (Status s = file->adopt(); !s.ok()) return s;
  out = std::move(file);
  return {};
}

Status WindowFile::adopt() {
  if (Status s = read_papers(*memory_, papers_); !s.ok()) return s;
  if (Status s = places_.adopt(papers_.ring); !s.ok()) return s;
  if (Status s = beginnings_.adopt(places_.table(), papers_.members); !s.ok()) return s;
  if (Status s = slots_.finish_adopting(); !s.ok()) return s;
  const uint64_t processes = memory_->word(kProcesses), size = processes >> 1, which = processes & 1;
  if (size > g_.shape.processes_limit) return memory_->damaged("what it says of processes is longer than there is room for");
  if (size != 0)
    if (Status s = memory_->reserve(g_.processes_at + which * g_.processes_bytes, size); !s.ok()) return s;
  processes_reserved_[which] = size;
  return {};
}

StoredState WindowFile::load() const {
  StoredState state = papers_;
  places_.load(state);
  beginnings_.load(state.beginnings);
  return state;
}

WindowFile::Kept WindowFile::kept() const {
  Kept kept;
  kept.outbox = {memory_->word(kOutboxPosition), static_cast<uint32_t>(memory_->word(kOutboxPart)), memory_->word(kOutboxNumbers)};
  const uint64_t processes = memory_->word(kProcesses), size = std::min<uint64_t>(processes >> 1, processes_reserved_[processes & 1]);
  const Bytes bytes = memory_->bytes(g_.processes_at + (processes & 1) * g_.processes_bytes, size);
  kept.processes.assign(bytes.begin(), bytes.end());
  return kept;
}

}  // namespace evs::runtime::uplink
