// SPDX-License-Identifier: BSD-3-Clause
// record.h - what one process saw and did, in a file that survives its kill.
//
// A shared mapping: what is stored in it is in the page cache, whatever becomes of the process. Each row is complete when its kind is
// stored, last; a process that dies in the middle leaves a row without kind, which is no row. The front tells the driver how far the
// process is, so that nobody has to guess by the clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace evs::torture {

inline constexpr uint32_t kThreads = 16;   // senders of one process; the last one counts the main thread's marks
inline constexpr uint32_t kStreams = 4;
inline constexpr uint32_t kGroups = 32;
inline constexpr uint32_t kMostMembers = 64;
inline constexpr uint16_t kMainThread = kThreads - 1;
inline constexpr uint16_t kToggleThread = kThreads - 2;

enum class Row : uint32_t {
  none = 0,
  message = 1,
  empty = 2,          // a message of no bytes
  torn = 3,           // a message whose seal is broken
  configuration = 4,  // `members` rows of kind member follow
  member = 5,
};

inline constexpr uint8_t kStays = 0, kLeft = 1, kJoined = 2;  // Entry::mark of a member: in which list it stood

// 64 bytes. Fields by kind; see record_of_message() and record_of_configuration() in witness.cc.
struct Entry {
  std::atomic<uint32_t> kind;
  uint32_t reader;         // which handle of the process, in the order of their opening
  uint64_t sequence;       // the message's place, or the configuration's id
  uint64_t configuration;  // that the message was stamped in
  uint64_t count;
  uint32_t writer;
  uint16_t thread;
  uint8_t stream;
  uint8_t mark;
  uint32_t nodeid;
  int32_t pid;
  uint32_t size;     // of a message; rows of kind member behind a configuration; of a member: its reason
  uint32_t groups;   // of a message; EVS_CONFIGURATION_* flags of a configuration
  uint16_t group;
  uint16_t about;
  uint32_t number;   // of a final mark; of a configuration: its kind
};
static_assert(sizeof(Entry) == 64);

struct Front {
  std::atomic<uint64_t> rows;  // begun
  std::atomic<uint32_t> joined;
  std::atomic<uint32_t> stopped;      // times that all its senders had ended and their mark was sent
  std::atomic<uint32_t> finals_sent;
  std::atomic<uint32_t> finalized;
  std::atomic<uint32_t> final_number; // the number that the driver wants in the next final mark
  std::atomic<uint32_t> finals_seen[4];  // by reader: the last number
  std::atomic<uint32_t> room_calls;   // of the room callback
  std::atomic<uint32_t> room_refused; // sends right after it that were refused all the same
  std::atomic<uint64_t> refused;      // TRY_AGAIN
  std::atomic<uint64_t> delivered;
  std::atomic<uint32_t> expulsions;   // EXPELLED configurations told to reader 0
  std::atomic<uint64_t> outsiders;    // evs_status at the end: sends that ended after an expulsion
  std::atomic<uint32_t> regulars;     // regular configurations told to reader 0
  std::atomic<uint32_t> nodeid;
  std::atomic<uint32_t> lives;        // of a churning process: handles opened and closed
  std::atomic<uint32_t> paused;       // a callback of reader 0 stands still
  std::atomic<uint64_t> sent[kThreads][kStreams];  // calls that answered OK
  std::atomic<uint64_t> sent_empty;
  std::atomic<uint32_t> members;      // of the regular configuration told last to reader 0
  std::atomic<int32_t> member_pid[kMostMembers];
  std::atomic<uint32_t> failed;
  char failure[512];
};

class RecordFile {
 public:
  RecordFile() = default;
  ~RecordFile() { close(); }
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  void create(const std::string& path, uint64_t rows);  // throws std::runtime_error
  void open(const std::string& path);
  void close();

  Front& front() const { return *static_cast<Front*>(base_); }
  // Reserves `count` rows in a row; nullptr when the file is full.
  Entry* reserve(uint32_t count);
  Entry& row(uint64_t index) const;
  uint64_t rows() const;
  uint64_t capacity() const { return capacity_; }

 private:
  void map(int fd, uint64_t bytes, const std::string& path);

  void* base_ = nullptr;
  uint64_t bytes_ = 0, capacity_ = 0;
};

}  // namespace evs::torture
