// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/role.h - whoever has the role of evs.role/1: a member without any cursor of a handle's.
#pragma once

#include "tests/conformance/suite.h"

namespace evs::conformance {

struct Role {
  explicit Role(Member& of) : member(of), table(table_of(of)) {
    evs_cursor* cursor = nullptr;
    status = table->open(member.self(), &cursor, &begun);
    if (cursor != nullptr) reader = std::make_unique<Reader>(member, cursor);
  }
  static const evs_role_extension* table_of(Member& member) {
    return member.transport().extension<evs_role_extension>(EVS_EXTENSION_ROLE);
  }
  int32_t keep(uint64_t position) { return table->keep(member.self(), position); }
  int32_t begin_at(uint64_t position) { return table->begin_at(reader->cursor(), position); }
  int32_t settle(uint64_t position, uint32_t& committed) { return table->settle(member.self(), position, &committed); }
  // Reads what is there; the frames are in reader->got().
  std::vector<std::string> drained() {
    reader->got().clear();
    reader->drain();
    std::vector<std::string> texts;
    for (const Got& got : reader->got()) {
      EXPECT_NE(got.kind, EVS_FRAME_MEMBERSHIP) << "the role gets those from membership()";
      texts.push_back(got.data);
    }
    return texts;
  }
  Member& member;
  const evs_role_extension* table;
  int32_t status = EVS_P_INTERNAL;
  uint64_t begun = 0;
  std::unique_ptr<Reader> reader;
};

// Looks until it holds, or kLong is over.
template <class Condition>
bool until(Condition holds) {
  const uint64_t deadline = now_ns() + kLong;
  while (now_ns() < deadline) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

inline uint32_t lines_with(Member& who, const std::string& text) {
  uint32_t count = 0;
  for (const std::string& line : who.host().lines()) count += line.find(text) != std::string::npos ? 1 : 0;
  return count;
}

inline Got membership_of(Member& who) {
  std::vector<std::byte> buffer(64 * 1024);
  size_t needed = 0;
  EXPECT_EQ(who.ops().membership(who.self(), buffer.data(), buffer.size(), &needed), EVS_P_OK);
  return copy_of(*reinterpret_cast<const evs_membership*>(buffer.data()));
}

}  // namespace evs::conformance
