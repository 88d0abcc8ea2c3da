// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/metrics/host_reader_test.cc - files of a directory, whole, missing, damaged, foreign, and taken away.
#include "metrics/host_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "shm/clock.h"
#include "shm/death.h"

namespace evs::metrics {
namespace {

using shm::Counter;
using ::testing::HasSubstr;

class HostReaderTest : public ::testing::Test {
 protected:
  HostReaderTest() : path_(::testing::TempDir() + "host-reader-" + std::to_string(getpid())) {
    std::filesystem::create_directory(path_);
    chmod(path_.c_str(), 0700);
    EXPECT_TRUE(directory_.open(path_, "", false).ok());
  }
  ~HostReaderTest() override { std::filesystem::remove_all(path_); }

  // As a process of that pid counts.
  void count(const std::string& name, uint64_t records, pid_t pid = getpid()) {
    counters_ = std::make_unique<shm::CounterFile>();
    ASSERT_TRUE(counters_->open(directory_, name, 4, "").ok());
    counters_->take(0, ++generation_, pid, shm::process_start_time(pid));
    counters_->block(0).set(Counter::appended_records, records);
    counters_->block(0).heartbeat_ns = shm::monotonic_ns();
  }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  const std::string path_;
  shm::Directory directory_;
  std::unique_ptr<shm::CounterFile> counters_;
  uint32_t generation_ = 0;
  HostReader reader_{Places{{path_}, "", {}}};
};

TEST_F(HostReaderTest, FindsABusAndWhoIsOnIt) {
  EXPECT_TRUE(reader_.read().buses.empty());
  count("b", 5);
  const HostReading seen = reader_.read();
  ASSERT_EQ(seen.buses.size(), 1u);
  EXPECT_TRUE(seen.troubles.empty());
  EXPECT_EQ(seen.buses[0].bus, "b");
  EXPECT_EQ(seen.buses[0].directory, path_);
  EXPECT_FALSE(seen.buses[0].outbox);
  ASSERT_EQ(seen.buses[0].order->processes.size(), 1u);
  EXPECT_EQ(seen.buses[0].order->processes[0].state, ProcessState::running);
  EXPECT_EQ(seen.buses[0].order->files[0].counters.total(Counter::appended_records), 5u);
}

TEST_F(HostReaderTest, AHeartbeatTooOldIsAProcessThatHangsAndNoneIsOneThatLeft) {
  count("b", 5);
  counters_->block(0).heartbeat_ns = shm::monotonic_ns() - 3'000'000'000;
  EXPECT_EQ(reader_.read().buses[0].order->processes[0].state, ProcessState::hung);
  counters_->block(0).heartbeat_ns = 0;
  const HostReading seen = reader_.read();
  EXPECT_TRUE(seen.buses[0].order->processes.empty());
  EXPECT_EQ(seen.buses[0].order->files[0].counters.total(Counter::appended_records), 5u);
}

TEST_F(HostReaderTest, AnOutboxIsNoBus) {
  count("b", 5);
  count("b+outbox", 2);
  const HostReading seen = reader_.read();
  ASSERT_EQ(seen.buses.size(), 1u);
  ASSERT_TRUE(seen.buses[0].outbox);
  EXPECT_EQ(seen.buses[0].outbox->files[0].counters.total(Counter::appended_records), 2u);
}

TEST_F(HostReaderTest, WhatWasCountedUntilAFileWentIsToldOnce) {
  count("b", 5);
  const std::string life = reader_.read().buses[0].order->files[0].life;
  counters_->block(0).set(Counter::appended_records, 7);
  std::filesystem::remove(file("b.counters"));
  count("b", 1);
  const std::vector<Counted> files = reader_.read().buses[0].order->files;
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].life, life);
  EXPECT_EQ(files[0].counters.total(Counter::appended_records), 7u);
  EXPECT_NE(files[1].life, life);

  counters_->block(0).set(Counter::appended_records, 3);
  std::filesystem::remove(file("b.counters"));
  const HostReading gone = reader_.read();
  ASSERT_EQ(gone.buses.size(), 1u);
  EXPECT_EQ(gone.buses[0].order->files[0].counters.total(Counter::appended_records), 3u);
  EXPECT_TRUE(gone.buses[0].order->processes.empty());
  EXPECT_TRUE(reader_.read().buses.empty());
}

TEST_F(HostReaderTest, ABusInADirectoryBelowAnotherOneIsTheLowerOnesAlone) {
  count("b", 5);
  std::filesystem::create_directory(file("below"));
  chmod(file("below").c_str(), 0700);
  std::filesystem::copy(file("b.counters"), file("below/b.counters"));
  HostReader both(Places{{path_, file("below")}, "", {}});
  for (int look = 0; look < 2; ++look) {
    const HostReading seen = both.read();
    ASSERT_EQ(seen.buses.size(), 2u) << "look " << look;
    for (const BusReading& bus : seen.buses) EXPECT_EQ(bus.bus, "b");
  }
}

TEST_F(HostReaderTest, OnlyTheBusThatItIsToldOf) {
  count("b", 5);
  count("c", 5);
  HostReader reader(Places{});
  EXPECT_TRUE(reader.read().buses.empty());
  reader.also(path_, "c");
  ASSERT_EQ(reader.read().buses.size(), 1u);
  EXPECT_EQ(reader.read().buses[0].bus, "c");
  reader.also(path_, "b");
  EXPECT_EQ(reader.read().buses.size(), 2u);
}

TEST_F(HostReaderTest, WhatIsNoCounterFileIsDamaged) {
  count("b", 5);
  std::filesystem::resize_file(file("b.counters"), 100);
  std::ofstream(file("c.counters")) << "no counters at all";
  chmod(file("c.counters").c_str(), 0600);
  const HostReading seen = reader_.read();
  EXPECT_TRUE(seen.buses.empty());
  ASSERT_EQ(seen.troubles.size(), 2u);
  for (const Trouble& trouble : seen.troubles) EXPECT_EQ(trouble.reason, Unreadable::damaged);
  EXPECT_THAT(seen.troubles[0].sentence, HasSubstr(file("b.counters")));
}

// Cut short while it is held: an error, and no signal.
TEST_F(HostReaderTest, AFileThatIsCutShortIsAnErrorAndOneThatIsWholeAgainIsRead) {
  count("b", 5);
  EXPECT_EQ(reader_.read().buses.size(), 1u);
  std::filesystem::resize_file(file("b.counters"), 4096);
  EXPECT_EQ(reader_.read().troubles.size(), 1u);
  count("b", 6);
  const HostReading seen = reader_.read();
  EXPECT_TRUE(seen.troubles.empty());
  EXPECT_EQ(seen.buses[0].order->files.back().counters.total(Counter::appended_records), 6u);
}

TEST_F(HostReaderTest, WhatOthersMayWriteIsNotBelieved) {
  count("b", 5);
  chmod(file("b.counters").c_str(), 0602);
  std::filesystem::create_symlink(file("b.counters"), file("c.counters"));
  const HostReading seen = reader_.read();
  EXPECT_TRUE(seen.buses.empty());
  ASSERT_EQ(seen.troubles.size(), 2u);
  for (const Trouble& trouble : seen.troubles) EXPECT_EQ(trouble.reason, Unreadable::untrusted) << trouble.sentence;
}

TEST_F(HostReaderTest, AFifoInAFilesPlaceHoldsNobodyUp) {
  ASSERT_EQ(mkfifo(file("b.counters").c_str(), 0600), 0);
  EXPECT_EQ(reader_.read().troubles.size(), 1u);
}

TEST_F(HostReaderTest, OfTheUsualPlacesItTakesThoseOfBusesAlone) {
  for (const char* name : {"evs-0", "evs-1000", "evs-group-ops", "evs-test-x", "other"}) {
    std::filesystem::create_directory(file(name));
    chmod(file(name).c_str(), 0700);
    shm::Directory place;
    ASSERT_TRUE(place.open(file(name), "", false).ok());
    ASSERT_TRUE(shm::CounterFile().open(place, "b", 4, "").ok());
  }
  HostReader all(Places{{}, path_, {}});
  std::vector<std::string> found;
  for (const BusReading& bus : all.read().buses) found.push_back(bus.directory);
  EXPECT_THAT(found, ::testing::ElementsAre(file("evs-0"), file("evs-1000"), file("evs-group-ops")));
}

}  // namespace
}  // namespace evs::metrics
