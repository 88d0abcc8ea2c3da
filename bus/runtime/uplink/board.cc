// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/board.cc - see board.h.
#include "bus/runtime/uplink/board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "bus/runtime/plugin_host_file.h"
#include "bus/ordering/little_endian.h"

namespace evs::runtime::uplink {
namespace {

constexpr uint64_t kBoardMagic = 0x32'64'72'61'6f'62'76'65;  // "evboard2": the version is its last letter, and that of the records in the order ring as well


}  // namespace

PluginResult<Board> Board::open(const shm::Directory& directory, const std::string& bus) {
  const std::string name = bus + ".board", path = directory.file_path(name);
  const OpenFile file(directory.open_file(name, O_RDWR | O_CREAT, directory.file_mode()));
  if (file.fd() < 0) return failure_of(shm::errno_status(errno, "opening " + path));
  if (const shm::Status trust = directory.check_file(file.fd(), name); !trust.ok()) return failure_of(trust);
  if (const int error = posix_fallocate(file.fd(), 0, kBytes); error != 0)
    return failure_of(shm::errno_status(error, "reserving " + std::to_string(kBytes) + " bytes for " + path));
  void* mapped = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
  if (mapped == MAP_FAILED) return failure_of(shm::errno_status(errno, "mapping " + path));
  madvise(mapped, kBytes, MADV_DONTFORK);
  madvise(mapped, kBytes, MADV_DONTDUMP);
  Board board(mapped);
  uint64_t magic = 0;
  if (!board.words_->magic.compare_exchange_strong(magic, kBoardMagic) && magic != kBoardMagic) {
    return PluginFailure{CS_ERR_VERSION, path + " is another version's, or no board of evs: stop all processes of the bus and remove it"};
  }
  return board;
}

Board::Board(void* mapped) : words_(static_cast<Words*>(mapped)) {
  std::byte* copies = static_cast<std::byte*>(mapped) + kWordsAt;
  processes_ = Published(&words_->processes, copies, kProcessesRoom);
}

Board::Board(Board&& other) noexcept : words_(std::exchange(other.words_, nullptr)), processes_(other.processes_) {}

Board& Board::operator=(Board&& other) noexcept {
  std::swap(words_, other.words_);
  std::swap(processes_, other.processes_);
  return *this;
}

Board::~Board() {
  if (words_ != nullptr) munmap(words_, kBytes);
}

bool Board::publish(const ProcessesInForce& configuration, uint64_t position) {
  std::vector<std::byte> bytes(sizeof position);
  ordering::store_little(bytes.data(), position);
  encode(configuration, bytes);
  return processes_.publish(bytes);
}

bool Board::read(ProcessesInForce& configuration, uint64_t& position) const {
  std::vector<std::byte> bytes;
  if (processes_.read(bytes) == 0 || bytes.size() < sizeof position) return false;
  position = ordering::load_little<uint64_t>(bytes.data());
  return decode(Bytes(bytes).subspan(sizeof position), configuration);
}

}  // namespace evs::runtime::uplink
