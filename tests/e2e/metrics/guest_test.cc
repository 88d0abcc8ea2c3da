// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/metrics/guest_test.cc - a process that serves its own metrics (metrics.listen): what it shows, and that its host application notices nothing of it.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>

#include "tests/unit/api/story.h"

namespace evs::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Log {
 public:
  static void hear(void* self, int, const char* text, size_t length) {
    auto& lines = *static_cast<Log*>(self);
    const std::lock_guard lock(lines.mutex_);
    lines.text_.append(text, length).append("\n");
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  int port() const {
    const std::string all = text(), said = "serves http://127.0.0.1:";
    const size_t at = all.find(said);
    return at == std::string::npos ? 0 : std::atoi(all.c_str() + at + said.size());
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

Story::Wishes wishes(const char* bus, const char* address, Log& log) {
  return {.bus = bus, .parameters = {{"metrics.listen", address}, {"log.level", "info"}}, .log = &Log::hear, .log_context = &log};
}

int connect_to(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{AF_INET, htons(static_cast<uint16_t>(port)), {htonl(INADDR_LOOPBACK)}, {}};
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

constexpr char kRequest[] = "GET /metrics HTTP/1.0\r\n\r\n";

std::string fetch(int port) {
  const int fd = connect_to(port);
  if (fd < 0) return {};
  EXPECT_EQ(send(fd, kRequest, sizeof kRequest - 1, MSG_NOSIGNAL), static_cast<ssize_t>(sizeof kRequest - 1));
  std::string text;
  char some[4096];
  for (ssize_t got; (got = recv(fd, some, sizeof some, 0)) > 0;) text.append(some, static_cast<size_t>(got));
  close(fd);
  return text;
}

// A port that nobody has, and a socket that has it, until it is closed.
struct Taken {
  Taken() {
    sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd, 1), 0);
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
    text = "127.0.0.1:" + std::to_string(port);
  }
  ~Taken() { release(); }
  void release() {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port = 0;
  std::string text;
};

TEST(Guest, ShowsItsOwnBusAndNoOther) {
  Log log;
  Story other({.bus = "other"}), story(wishes("mine", "127.0.0.1:0", log));
  ASSERT_EQ(story.result, CS_OK) << story.error;
  ASSERT_NE(log.port(), 0) << log.text();
  const std::string page = fetch(log.port());
  EXPECT_THAT(page, HasSubstr("evs_up{bus=\"mine\",directory=\"" + directory() + "\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE evs_dispatch_callback_seconds histogram\n"));
  EXPECT_THAT(page, Not(HasSubstr("bus=\"other\"")));
}

std::vector<struct sigaction> all_signals() {
  std::vector<struct sigaction> all(NSIG);
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, nullptr, &all[static_cast<size_t>(signal)]);
  return all;
}

void on_signal(int) {}

TEST(Guest, TheHostsSignalsAreAsTheyWere) {
  for (const auto pipe : {SIG_DFL, SIG_IGN, &on_signal}) {
    struct sigaction mine {};
    mine.sa_handler = pipe;
    mine.sa_flags = SA_RESTART;
    ASSERT_EQ(sigaction(SIGPIPE, &mine, nullptr), 0);
    mine.sa_handler = &on_signal;
    ASSERT_EQ(sigaction(SIGTERM, &mine, nullptr), 0);
    sigset_t mask_before, mask_now;
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &mask_before), 0);
    const auto before = all_signals();
    Log log;
    auto story = std::make_unique<Story>(wishes("signals", "127.0.0.1:0", log));
    ASSERT_NE(log.port(), 0) << log.text();
    EXPECT_THAT(fetch(log.port()), HasSubstr("evs_up"));
    for (int turn = 0; turn < 2; ++turn, story.reset()) {
      const auto now = all_signals();
      for (size_t signal = 1; signal < NSIG; ++signal) EXPECT_EQ(before[signal].sa_handler, now[signal].sa_handler) << signal;
      EXPECT_EQ(now[SIGPIPE].sa_flags & SA_RESTART, SA_RESTART);
      ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &mask_now), 0);
      for (int signal = 1; signal < NSIG; ++signal) EXPECT_EQ(sigismember(&mask_before, signal), sigismember(&mask_now, signal)) << signal;
    }
  }
  signal(SIGPIPE, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
}

// Of other threads than this: what of SIGPIPE, SIGTERM and SIGINT they take.
TEST(Guest, NoHandlerOfTheHostRunsInItsThreads) {
  Log log;
  Story story(wishes("threads", "127.0.0.1:0", log));
  ASSERT_NE(log.port(), 0) << log.text();
  size_t threads = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == std::to_string(gettid())) continue;
    ++threads;
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with("SigBlk:")) continue;
      const uint64_t blocked = std::stoull(line.substr(7), nullptr, 16);
      for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGUSR1}) EXPECT_NE(blocked >> (signal - 1) & 1, 0u) << task.path() << " takes " << strsignal(signal);
    }
  }
  EXPECT_GE(threads, 3u) << "the service thread, and the server's";
}

TEST(Guest, WhoHangsUpHarmsNobody) {
  ASSERT_NE(signal(SIGPIPE, SIG_DFL), SIG_ERR);
  Log log;
  Story story(wishes("hang-up", "127.0.0.1:0", log));
  ASSERT_NE(log.port(), 0) << log.text();
  for (int i = 0; i < 100; ++i) {
    const int fd = connect_to(log.port());
    ASSERT_GE(fd, 0);
    const linger at_once{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    for (int n = 0; n < 3; ++n) static_cast<void>(send(fd, kRequest, i % 2 == 0 ? sizeof kRequest - 1 : 5, MSG_NOSIGNAL));
    close(fd);
  }
  EXPECT_THAT(fetch(log.port()), HasSubstr("evs_up"));
  sigset_t pending;
  ASSERT_EQ(sigpending(&pending), 0);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST(Guest, APortThatIsTakenIsALineAndTheHostGoesOn) {
  const Taken taken;
  Log log;
  Story story(wishes("taken", taken.text.c_str(), log));
  ASSERT_EQ(story.result, CS_OK) << story.error;
  EXPECT_THAT(log.text(), HasSubstr("cannot listen on " + taken.text));
  EXPECT_THAT(log.text(), HasSubstr("the bus goes on without metrics.listen"));
  ASSERT_EQ(story.join("g"), CS_OK);
  ASSERT_EQ(story.say("hello"), CS_OK);
  EXPECT_EQ(story.messages(), (Lines{"hello"}));
}

TEST(Guest, AServiceThatIsNotThereIsALineAndTheHostGoesOn) {
  Log log;
  Story::Wishes with = wishes("none", "127.0.0.1:0", log);
  with.parameters.push_back({"metrics.service", "no-such"});
  Story story(with);
  ASSERT_EQ(story.result, CS_OK) << story.error;
  EXPECT_THAT(log.text(), HasSubstr("evs-service-no-such.so"));
}

TEST(Guest, AnAddressThatIsNoneIsRefused) {
  Log log;
  for (const char* address : {"nowhere", "127.0.0.1", "[::1]:80", "127.0.0.1:70000", ":9464"}) {
    Story story(wishes("bad", address, log));
    EXPECT_EQ(story.result, CS_ERR_INVALID_PARAM) << address;
    EXPECT_THAT(story.error, HasSubstr("metrics.listen")) << address;
  }
}

TEST(Guest, BusesOfAProcessShareAnAddressAndGiveItBack) {
  Taken place;
  place.release();
  Log first_log, second_log;
  auto first = std::make_unique<Story>(wishes("first", place.text.c_str(), first_log));
  ASSERT_EQ(first_log.port(), place.port) << first_log.text();
  auto second = std::make_unique<Story>(wishes("second", place.text.c_str(), second_log));
  EXPECT_EQ(second_log.port(), place.port) << second_log.text();
  std::string page = fetch(place.port);
  for (const char* bus : {"first", "second"}) EXPECT_THAT(page, HasSubstr("evs_up{bus=\"" + std::string(bus) + "\",directory=\"" + directory() + "\"} 1\n"));
  first.reset();
  page = fetch(place.port);
  EXPECT_THAT(page, HasSubstr("evs_up{bus=\"first\",directory=\"" + directory() + "\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("evs_up{bus=\"second\",directory=\"" + directory() + "\"} 1\n"));
  second.reset();
  EXPECT_EQ(connect_to(place.port), -1) << "nobody is there any more";
}

// Nor do others: whoever can reach the port could keep everybody else from it.
TEST(Guest, WhoConnectsAndSaysNothingKeepsNobodyWaiting) {
  Log log;
  Story story(wishes("idle-client", "127.0.0.1:0", log));
  ASSERT_NE(log.port(), 0) << log.text();
  const int idle = connect_to(log.port());
  ASSERT_GE(idle, 0);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(fetch(log.port()), HasSubstr("evs_up"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  close(idle);
}

}  // namespace
}  // namespace evs::test
