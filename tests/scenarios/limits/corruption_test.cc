// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/corruption_test.cc - a segment damaged at random: under readers, under members, and where
// nobody lives.
//
// Whatever stands there, the worst that a process hears is an error. Each run is a seed, printed with what it did;
// EVS_SEED=n runs that one alone, EVS_LONG=1 many more.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "tests/fuzz/segment_world.h"
#include "tests/scenarios/limits/peer_process.h"
#include "tests/unit/api/story.h"

namespace evs::limits {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

int runs(int usual, int many) {
  return std::getenv("EVS_LONG") != nullptr ? many : usual;
}
uint64_t first_seed() {
  return std::getenv("EVS_SEED") != nullptr ? std::strtoull(std::getenv("EVS_SEED"), nullptr, 10) : 0;
}

TEST(Corruption, ReadersOfDamagedSegments) {
  fuzz::SegmentWorld world;
  std::mt19937_64 random(first_seed() + 1);
  int accepted = 0;
  const int count = runs(5000, 1'000'000);
  for (int i = 0; i < count; ++i) {
    std::vector<unsigned char> strokes((1 + random() % 12) * fuzz::SegmentWorld::kStroke);
    for (unsigned char& byte : strokes) byte = static_cast<unsigned char>(random());
    accepted += world.run(strokes.data(), strokes.size()) ? 1 : 0;
  }
  EXPECT_GT(accepted, count / 20) << "damage was mostly refused at the door";
  EXPECT_LT(accepted, count) << "no header was damaged";
  EXPECT_TRUE(world.run(nullptr, 0));
}

// A mapping of the bus's segment that belongs to no member, to scribble with.
class Scribbler {
 public:
  explicit Scribbler(const std::string& path) {
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct stat st {};
    if (fd < 0 || fstat(fd, &st) != 0) return;
    size_ = static_cast<size_t>(st.st_size);
    bytes_ = static_cast<unsigned char*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    close(fd);
    memcpy(&ring_at_, bytes_ + offsetof(shm::SegmentHeader, ring_at), sizeof ring_at_);
    memcpy(&slot_bytes_, bytes_ + offsetof(shm::SegmentHeader, slot_bytes), sizeof slot_bytes_);
  }
  ~Scribbler() {
    if (bytes_ != nullptr) munmap(bytes_, size_);
  }
  bool ok() const { return bytes_ != nullptr; }

  void stroke(std::mt19937_64& random) {
    size_t at;
    const size_t slot = shm::kMembersAt + random() % 3 * slot_bytes_;
    switch (random() % 8) {
      case 0:
        at = shm::kHotAt + random() % (sizeof(shm::HotWords) / 8) * 8;
        break;
      case 1:
        at = shm::kHotAt + (random() % 2 == 0 ? offsetof(shm::HotWords, tail) : offsetof(shm::HotWords, covered));
        break;
      case 2:
        at = shm::kSlotWordsAt + random() % 3 * 8;
        break;
      case 3:
        at = slot + random() % (offsetof(shm::Slot, cells) / 8) * 8;
        break;
      case 4:
        at = slot + offsetof(shm::Slot, cells) + random() % (shm::kCells + shm::kPins) * shm::kLine;
        break;
      case 5:
        at = slot + offsetof(shm::Slot, cursors) + random() % 64 * 8;
        break;
      case 6:
        at = slot + sizeof(shm::Slot) + random() % 64 * 8;
        break;
      default:
        at = ring_at_ + random() % 8192 / 8 * 8;
        break;
    }
    auto& word = *reinterpret_cast<std::atomic<uint64_t>*>(bytes_ + at);
    const uint64_t value = random(), now = word.load();
    switch (random() % 6) {
      case 0:
        word = value;
        break;
      case 1:
        word = 0;
        break;
      case 2:
        word = ~0ull;
        break;
      case 3:
        word = now ^ 1ull << value % 64;
        break;
      case 4:
        word = now + value % 4096;
        break;
      default:
        word = value % 256;
        break;
    }
  }

 private:
  unsigned char* bytes_ = nullptr;
  size_t size_ = 0;
  uint64_t ring_at_ = 0, slot_bytes_ = 0;
};

// Opens a whole bus. The short attach_timeout of these runs is for damage; on a busy machine it strikes the innocent as
// well.
std::string open_whole(PeerProcess& peer, const std::string& command) {
  std::string answer;
  for (int attempt = 0; attempt < 50; ++attempt) {
    answer = peer.ask(command);
    if (answer.rfind("CS_ERR_TIMEOUT", 0) != 0) break;
  }
  return answer;
}

// Two members live on, and a third comes; the segment is damaged between their calls. Each call answers, and both can
// leave.
TEST(Corruption, UnderTheLiving) {
  const std::string directory = test::directory();
  const uint64_t first = first_seed();
  const int count = first != 0 ? 1 : runs(40, 5000);
  auto ann = std::make_unique<PeerProcess>(), bob = std::make_unique<PeerProcess>();
  for (int i = 0; i < count; ++i) {
    const uint64_t seed = first != 0 ? first : 1000 + static_cast<uint64_t>(i);
    SCOPED_TRACE("EVS_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::string bus = "c" + std::to_string(seed);
    const std::string open =
        "open " + directory + " " + bus +
        " local.ring_size=512KiB local.message_limit=1KiB local.max_processes=8 local.attach_timeout=100ms"
        " bus.initialize_timeout=300ms";
    ASSERT_THAT(open_whole(*ann, open), StartsWith("CS_OK"));
    ASSERT_THAT(open_whole(*bob, open), StartsWith("CS_OK"));
    ASSERT_EQ(ann->ask("join g"), "CS_OK");
    ASSERT_EQ(bob->ask("join g"), "CS_OK");
    ASSERT_EQ(ann->ask("send g hello"), "CS_OK");
    ASSERT_THAT(bob->ask("until hello 30000"), HasSubstr("msg hello"));
    Scribbler scribbler(directory + "/" + bus + ".ring");
    ASSERT_TRUE(scribbler.ok());
    for (int turn = 0; turn < 4; ++turn) {
      for (uint64_t strokes = 1 + random() % 3; strokes > 0; --strokes) scribbler.stroke(random);
      static constexpr const char* kCalls[] = {"told",    "send g x", "join h",   "leave h",
                                               "members", "told",     "send g y", "told"};
      for (int call = 0; call < 4; ++call) {
        PeerProcess& who = random() % 2 == 0 ? *ann : *bob;
        const char* what = kCalls[random() % std::size(kCalls)];
        ASSERT_THAT(who.ask(what), StartsWith("CS_")) << what;
      }
      shm::Snapshot snapshot;
      static_cast<void>(shm::inspect(directory, "", bus, snapshot));
    }
    PeerProcess third;
    ASSERT_THAT(third.ask(open), StartsWith("CS_"));
    ASSERT_THAT(ann->ask("finalize"), StartsWith("CS_"));
    ASSERT_THAT(bob->ask("finalize"), StartsWith("CS_"));
    third.kill(SIGKILL);
    third.end();
    // Nobody lives there any more: whoever comes next finds a bus that works.
    ASSERT_THAT(open_whole(*ann, open), StartsWith("CS_OK"));
    ASSERT_THAT(ann->ask("finalize"), StartsWith("CS_OK"));
  }
}

}  // namespace
}  // namespace evs::limits
