// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_ground.h - a directory in memory for window files, and how two stored states differ, in words.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "bus/runtime/uplink/window_file.h"

namespace evs::runtime::uplink {

class WindowGround {
 public:
  WindowGround() {
    char name[] = "/dev/shm/evs-window-XXXXXX";
    path_ = mkdtemp(name);
    const shm::Status opened = directory.open(path_, "", false);
    if (!opened.ok()) ADD_FAILURE() << opened.text;
  }
  ~WindowGround() { std::filesystem::remove_all(path_); }
  WindowGround(const WindowGround&) = delete;
  WindowGround& operator=(const WindowGround&) = delete;

  const std::string& path() const { return path_; }
  shm::Status try_open(const std::string& name, const WindowFile::Shape& shape, uint64_t tag, std::unique_ptr<WindowFile>& out) const {
    return WindowFile::open(directory, name, shape, tag, out);
  }
  std::unique_ptr<WindowFile> open(const std::string& name, const WindowFile::Shape& shape, uint64_t tag = 1) const {
    std::unique_ptr<WindowFile> file;
    const shm::Status s = try_open(name, shape, tag, file);
    EXPECT_TRUE(s.ok()) << s.text;
    return file;
  }
  // "ok", or what it says.
  std::string refusal(const std::string& name, const WindowFile::Shape& shape, uint64_t tag = 1) const {
    std::unique_ptr<WindowFile> file;
    const shm::Status s = try_open(name, shape, tag, file);
    return s.ok() ? "ok" : s.text;
  }

  shm::Directory directory;

 private:
  std::string path_;
};

inline bool appends(const ordering::Effect& effect) {
  return effect.kind == ordering::Effect::Kind::deliver || effect.kind == ordering::Effect::Kind::configuration;
}
// The step of an effect that appends a record, to the end.
inline shm::Status take_with_record(WindowFile& file, uint64_t position, const ordering::Effect& effect, const ordering::Output& out,
                                    const ordering::Protocol& protocol, const WindowFile::Also& also = {}) {
  const shm::Status s = file.prepare(effect, out, protocol, also);
  if (!s.ok()) return s;
  file.claimed(position);
  file.commit();
  return s;
}

inline bool same(const ordering::Partial& a, const ordering::Partial& b) {
  return a.message == b.message && a.total_bytes == b.total_bytes && a.next_index == b.next_index && a.under_way == b.under_way && a.bytes == b.bytes;
}

inline bool same(const std::optional<ordering::Ending>& a, const std::optional<ordering::Ending>& b) {
  if (!a || !b) return !a && !b;
  return a->next == b->next && a->members == b->members && a->going_on == b->going_on && a->obligations == b->obligations &&
         a->delivered_by_one == b->delivered_by_one && a->begins_behind == b->begins_behind;
}

// The first field in which they differ; empty: in none. What was transmitted is not looked at: the outbox's words are in its place.
inline std::string difference(const ordering::StoredState& a, const ordering::StoredState& b) {
  if (a.ring_sequence != b.ring_sequence) return "ring_sequence";
  if (a.lives != b.lives) return "lives";
  if (a.ring != b.ring) return "ring";
  if (a.members != b.members) return "members";
  if (a.obligations != b.obligations) return "obligations";
  if (a.forgotten != b.forgotten) return "forgotten";
  if (a.frames != b.frames) return "frames: " + std::to_string(a.frames.size()) + " and " + std::to_string(b.frames.size());
  if (!same(a.ending, b.ending)) return "ending";
  if (a.transitional_told != b.transitional_told) return "transitional_told";
  if (a.told != b.told) return "told: " + std::to_string(a.told.size()) + " and " + std::to_string(b.told.size());
  if (a.told_in_order != b.told_in_order) return "told_in_order";
  if (a.beginnings.size() != b.beginnings.size()) return "beginnings: " + std::to_string(a.beginnings.size()) + " and " + std::to_string(b.beginnings.size());
  for (const auto& [id, partial] : a.beginnings)
    if (b.beginnings.count(id) == 0 || !same(partial, b.beginnings.at(id))) return "the beginning of " + std::to_string(id);
  return {};
}

}  // namespace evs::runtime::uplink
