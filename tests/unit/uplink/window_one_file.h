// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_one_file.h - a small window file, and its bytes at hand to be spoilt.
#pragma once

#include <fstream>

#include "tests/unit/uplink/window_ground.h"

namespace evs::runtime::uplink {

// A small file in which a ring of one is installed.
struct OneFile {
  WindowGround ground;
  WindowFile::Shape shape{.store_frames = 8, .frame_bytes = 300, .message_limit = 1u << 20, .processes_limit = 4096};
  const ordering::Protocol protocol{ordering::Settings{.self = {1, 7}}};
  std::unique_ptr<WindowFile> file = ground.open("w", shape);

  OneFile() {
    ordering::Output out;
    out.store(ordering::Stored::Kind::sequence, 40);
    out.store(ordering::Stored::Kind::life, 7);
    out.configure({true, {40, 1, 7}, {40, 1, 7}, {{1, 7}}});
    for (const ordering::Effect& effect : out.effects) take(effect, out);
  }
  void take(const ordering::Effect& effect, const ordering::Output& out) {
    const shm::Status s = file->take(effect, out, protocol);
    ASSERT_TRUE(s.ok()) << s.text;
  }
  std::string path() const { return ground.path() + "/w"; }
  void write(uint64_t at, const void* bytes, size_t count) const {
    std::fstream stream(path(), std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
  }
  void put(uint64_t at, uint64_t value) const { write(at, &value, sizeof value); }
  uint64_t word(uint64_t at) const {
    uint64_t value = 0;
    std::ifstream stream(path(), std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    stream.read(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }
  window::Header header() const {
    window::Header header;
    std::ifstream(path(), std::ios::binary).read(reinterpret_cast<char*>(&header), sizeof header);
    return header;
  }
  void put(window::Header header) const {
    header.checksum = checksum_of(header);
    write(0, &header, sizeof header);
  }
  std::string refusal() {
    file.reset();
    return ground.refusal("w", shape);
  }
};

}  // namespace evs::runtime::uplink
