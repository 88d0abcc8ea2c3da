// SPDX-License-Identifier: BSD-3-Clause
// bus/groups/control_record.cc - the one writer and the one reader of the format in control_record.h.
#include "bus/groups/control_record.h"

namespace evs::groups {
namespace {

constexpr uint32_t kMagic = 0x47535645;  // "EVSG" in memory
constexpr uint8_t kVersion = 1;

void put(unsigned char* at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) at[i] = static_cast<unsigned char>(value >> (8 * i));
}

uint64_t take(const unsigned char* at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(at[i]) << (8 * i);
  return value;
}

}  // namespace

ControlBytes encode(const ControlRecord& record) {
  ControlBytes bytes{};
  put(&bytes[0], kMagic, 4);
  put(&bytes[4], kVersion, 1);
  put(&bytes[5], static_cast<uint8_t>(record.type), 1);
  put(&bytes[8], record.handle, 8);
  put(&bytes[16], record.serial, 8);
  put(&bytes[24], record.processor_changes, 8);
  return bytes;
}

bool decode(const void* bytes, size_t size, ControlRecord& record) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  if (size != kControlBytes || take(at, 4) != kMagic || take(at + 4, 1) != kVersion) return false;
  const uint64_t type = take(at + 5, 1);
  if ((type != 1 && type != 2) || take(at + 6, 2) != 0) return false;
  record.type = static_cast<ControlType>(type);
  record.handle = take(at + 8, 8);
  record.serial = take(at + 16, 8);
  record.processor_changes = take(at + 24, 8);
  return true;
}

}  // namespace evs::groups
