// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/takeover/board.cc - the shared file, and messages that say whether they are whole.
#include "tests/conformance/takeover/board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace evs::conformance {

Board& open_board(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  void* const at = fd >= 0 && ftruncate(fd, sizeof(Board)) == 0 ? mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  if (fd >= 0) close(fd);
  if (at == MAP_FAILED) throw std::runtime_error("no board at " + path);
  return *static_cast<Board*>(at);
}

void Board::complain(const std::string& what) {
  if (faulty.exchange(1) != 0) return;
  std::snprintf(fault, sizeof fault, "%s", what.c_str());
}

namespace {

uint64_t sum_of(const char* text, size_t size) {
  uint64_t sum = 0xcbf29ce484222325ull;
  for (size_t i = 0; i < size; ++i) sum = (sum ^ static_cast<unsigned char>(text[i])) * 0x100000001b3ull;
  return sum;
}

constexpr size_t kSumText = 17;  // '.' and 16 digits

}  // namespace

std::string certified(uint32_t writer, uint64_t number, size_t filler) {
  std::string text = std::to_string(writer) + "." + std::to_string(number) + ".";
  for (size_t i = 0; i < filler; ++i) text += static_cast<char>('a' + (number + i) % 26);
  char sum[kSumText + 1];
  std::snprintf(sum, sizeof sum, ".%016" PRIx64, sum_of(text.data(), text.size()));
  return text + sum;
}

bool certifies(const std::string& text, uint32_t& writer, uint64_t& number) {
  if (text.size() <= kSumText) return false;
  const size_t body = text.size() - kSumText;
  char sum[kSumText + 1];
  std::snprintf(sum, sizeof sum, ".%016" PRIx64, sum_of(text.data(), body));
  return text.compare(body, kSumText, sum) == 0 && std::sscanf(text.c_str(), "%" SCNu32 ".%" SCNu64 ".", &writer, &number) == 2 &&
         writer < kWriters;
}

}  // namespace evs::conformance
