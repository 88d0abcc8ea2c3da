// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/log_test.cc - what is said, where, how often, and whom it must not disturb.
//
// stderr is caught by putting a file or pipe in descriptor 2's place; syslog by defining syslog() here, which the
// linker takes instead of the C library's.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "bus/runtime/config.h"
#include "bus/runtime/log.h"
#include "tests/unit/log_heard.h"

namespace {

struct SyslogEntry {
  int priority;
  std::string text;
};
std::vector<SyslogEntry> g_syslog;
int g_openlog_calls = 0;

}  // namespace

extern "C" void openlog(const char*, int, int) {
  ++g_openlog_calls;
}
static void take_syslog(int priority, const char* format, va_list arguments) {
  char text[8192];
  vsnprintf(text, sizeof(text), format, arguments);
  g_syslog.push_back({priority, text});
}
extern "C" void syslog(int priority, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  take_syslog(priority, format, arguments);
  va_end(arguments);
}
// What the C library's header makes of syslog() with _FORTIFY_SOURCE.
extern "C" void __syslog_chk(int priority, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  take_syslog(priority, format, arguments);
  va_end(arguments);
}

namespace evs::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string opening(const std::string& bus = "default") {
  return "evs[" + std::to_string(::getpid()) + "] bus " + bus + ": ";
}

std::string contents(const std::string& path) {
  std::stringstream read;
  read << std::ifstream(path).rdbuf();
  return read.str();
}

class Directory : public ::testing::Test {
 protected:
  Directory() {
    char name[] = "/tmp/evs-log-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Directory() override { std::filesystem::remove_all(path); }
  std::string path;
};

// What is written to descriptor 2 while `act` runs.
template <class Act>
std::string stderr_of(Act act) {
  char name[] = "/tmp/evs-stderr-XXXXXX";
  const int file = ::mkstemp(name);
  const int saved = ::dup(2);
  ::dup2(file, 2);
  act();
  ::dup2(saved, 2);
  ::close(saved);
  ::close(file);
  const std::string text = contents(name);
  ::unlink(name);
  return text;
}

// --- lines and levels ---

TEST(Log, ALineNamesProcessAndBus) {
  EXPECT_EQ(stderr_of([] {
              LogOptions options;
              options.bus = "orders";
              Log log(options);
              log.warning("slow-reader", "process 4712 holds the ring");
            }),
            opening("orders") + "process 4712 holds the ring\n");
}

TEST(Log, TheDefaultIsWarningsAndErrorsOnStderr) {
  EXPECT_EQ(stderr_of([] {
              Log log(LogOptions{});
              log.say(LogLevel::trace, "k", "trace");
              log.debug("k", "debug");
              log.info("k", "info");
              log.warning("k", "warning");
              log.error("k", "error");
            }),
            opening() + "warning\n" + opening() + "error\n");
}

TEST(Log, EachLevelHidesWhatIsLessSevere) {
  for (int least = 0; least <= 5; ++least) {
    Heard heard;
    LogOptions options = into(heard);
    options.level = static_cast<LogLevel>(least);
    Log log(options);
    for (int level = 0; level <= 4; ++level) {
      EXPECT_EQ(log.enabled(static_cast<LogLevel>(level)), level >= least);
      log.say(static_cast<LogLevel>(level), "k", "x");
    }
    log.say(LogLevel::off, "k", "off is no level to speak at");
    ASSERT_EQ(heard.lines.size(), static_cast<size_t>(5 - least));
    for (int i = 0; i < 5 - least; ++i) EXPECT_EQ(heard.lines[i].first, least + i);
  }
}

TEST(Log, ALevelCanChangeAndAPluginsLevelIsClamped) {
  Heard heard;
  Log log(into(heard));
  log.info("k", "hidden");
  log.set_level(LogLevel::trace);
  log.say(-7, "k", "lowest");
  log.say(99, "k", "highest");
  EXPECT_EQ(heard.lines.size(), 2u);
  EXPECT_EQ(heard.lines[0].first, 0);
  EXPECT_EQ(heard.lines[1].first, 4);
}

TEST(Log, OneMessageIsOneLineOfBoundedLength) {
  Heard heard;
  Log log(into(heard));
  log.error("k", "first\nevs[1] bus default: forged\x1b[2J");
  log.error("k", std::string(100000, 'x'));
  log.error("k", "100% {} {0} %s %n");
  EXPECT_THAT(heard.texts(), ElementsAre("first?evs[1] bus default: forged?[2J",
                                         std::string(kLogTextBytesMax, 'x') + "...", "100% {} {0} %s %n"));
}

TEST(Log, OptionsComeFromTheConfiguration) {
  const Result<Config> config = Config::from_text(
      "bus.name = \"orders\"\nlog.level = \"debug\"\nlog.to = \"file:/x/y\"\nlog.rate = 5\n", "evs.toml");
  ASSERT_TRUE(config.ok()) << config.error();
  const LogOptions options = log_options(*config);
  EXPECT_EQ(options.bus, "orders");
  EXPECT_EQ(options.level, LogLevel::debug);
  EXPECT_EQ(options.to, "file:/x/y");
  EXPECT_EQ(options.rate, 5u);
  const std::pair<const char*, LogLevel> names[] = {{"trace", LogLevel::trace}, {"debug", LogLevel::debug},
                                                    {"info", LogLevel::info},   {"warning", LogLevel::warning},
                                                    {"error", LogLevel::error}, {"off", LogLevel::off}};
  for (const auto& [name, level] : names)
    EXPECT_EQ(log_options(*Config::from_text("log.level = \"" + std::string(name) + "\"", "x")).level, level);
}

// --- targets ---

TEST(Target, NoneSaysNothingAnywhere) {
  EXPECT_EQ(stderr_of([] {
              LogOptions options;
              options.to = "none";
              Log log(options);
              log.error("k", "x");
            }),
            "");
}

TEST(Target, SyslogGetsPrioritiesAndKeepsTheHostsIdentity) {
  g_syslog.clear();
  LogOptions options;
  options.to = "syslog";
  options.level = LogLevel::trace;
  {
    Log log(options);
    log.debug("k", "fine print");
    log.info("k", "note");
    log.warning("k", "careful: 100%s");
    log.error("k", "broken");
  }
  ASSERT_EQ(g_syslog.size(), 4u);
  EXPECT_EQ(g_syslog[0].priority, LOG_USER | LOG_DEBUG);
  EXPECT_EQ(g_syslog[1].priority, LOG_USER | LOG_INFO);
  EXPECT_EQ(g_syslog[2].priority, LOG_USER | LOG_WARNING);
  EXPECT_EQ(g_syslog[3].priority, LOG_USER | LOG_ERR);
  EXPECT_EQ(g_syslog[2].text, opening() + "careful: 100%s");
  EXPECT_EQ(g_openlog_calls, 0);
}

TEST(Target, TheHostsFunctionTakesThePlaceOfTheTarget) {
  Heard heard;
  EXPECT_EQ(stderr_of([&] {
              Log log(into(heard));
              log.warning("k", "said");
            }),
            "");
  ASSERT_EQ(heard.lines.size(), 1u);
  EXPECT_EQ(heard.lines[0].first, 3);
  EXPECT_EQ(heard.lines[0].second, opening() + "said");
}

TEST(Target, AFunctionThatThrowsDoesNotReachTheCaller) {
  for (const bool standard : {true, false}) {
    LogOptions options;
    options.function = standard ? LogFunction([](void*, int, const char*, size_t) { throw std::runtime_error("x"); })
                                : LogFunction([](void*, int, const char*, size_t) { throw 7; });
    EXPECT_EQ(stderr_of([&] {
                Log log(options);
                EXPECT_NO_THROW(log.error("k", "x"));
              }),
              "");
  }
}

TEST_F(Directory, AFileGetsTimeAndLevelAndIsAppendedTo) {
  LogOptions options;
  options.to = "file:" + path + "/bus.log";
  Log(options).warning("k", "one");
  Log(options).error("k", "two");
  std::istringstream lines(contents(path + "/bus.log"));
  std::string first, second, third;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_FALSE(std::getline(lines, third));
  const std::string stamp = "[0-9-]+T[0-9:]+\\.[0-9][0-9][0-9][+-][0-9:]+ ";
  EXPECT_THAT(first, MatchesRegex(stamp + "warning evs\\[[0-9]+\\] bus default: one"));
  EXPECT_THAT(second, MatchesRegex(stamp + "error evs\\[[0-9]+\\] bus default: two"));
}

TEST_F(Directory, AFileThatIsRotatedAwayIsOpenedAnew) {
  LogOptions options;
  options.to = "file:" + path + "/bus.log";
  Log log(options);
  log.error("k", "before");
  std::filesystem::rename(path + "/bus.log", path + "/bus.log.1");
  log.error("k", "after");
  EXPECT_THAT(contents(path + "/bus.log.1"), HasSubstr("before"));
  EXPECT_THAT(contents(path + "/bus.log.1"), ::testing::Not(HasSubstr("after")));
  EXPECT_THAT(contents(path + "/bus.log"), HasSubstr("after"));
}

TEST_F(Directory, AFileThatCannotBeOpenedIsReportedOnceAndItsLinesGoToStderr) {
  const std::string target = path + "/missing/bus.log";
  const std::string said = stderr_of([&] {
    LogOptions options;
    options.to = "file:" + target;
    Log log(options);
    log.error("k", "one");
    log.error("k", "two");
    std::filesystem::create_directory(path + "/missing");
    log.error("k", "three");
  });
  EXPECT_EQ(said,
            opening() + "log.to = \"file:" + target +
                "\" cannot be written (No such file or directory); what cannot be written there goes to stderr\n" +
                opening() + "one\n" + opening() + "two\n");
  EXPECT_THAT(contents(target), HasSubstr("three")) << "it recovers when it can";
}

TEST(Target, AFullDiskIsReportedOnceAndLinesGoToStderr) {
  const std::string said = stderr_of([] {
    LogOptions options;
    options.to = "file:/dev/full";
    Log log(options);
    log.error("k", "one");
    log.error("k", "two");
  });
  EXPECT_EQ(said, opening() +
                      "log.to = \"file:/dev/full\" cannot be written (No space left on device); what cannot be "
                      "written there goes to stderr\n" +
                      opening() + "one\n" + opening() + "two\n");
}

TEST(Target, AStderrThatNobodyReadsDoesNotKillTheHost) {
  const auto act = [] {
    ::signal(SIGPIPE, SIG_DFL);
    int ends[2];
    if (::pipe(ends) != 0) _exit(2);
    ::close(ends[0]);
    const int saved = ::dup(2);
    ::dup2(ends[1], 2);
    Log log(LogOptions{});
    log.error("k", "into the void");
    ::dup2(saved, 2);
    sigset_t pending, mask;
    ::sigpending(&pending);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    _exit(sigismember(&pending, SIGPIPE) == 0 && sigismember(&mask, SIGPIPE) == 0 ? 0 : 1);
  };
  EXPECT_EXIT(act(), ::testing::ExitedWithCode(0), "");
}

TEST(Target, ASigpipeOfTheHostsOwnIsNotTakenAway) {
  const auto act = [] {
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t pipe_set;
    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_set, nullptr);
    ::pthread_kill(::pthread_self(), SIGPIPE);  // pending before we log
    int ends[2];
    if (::pipe(ends) != 0) _exit(2);
    ::close(ends[0]);
    const int saved = ::dup(2);
    ::dup2(ends[1], 2);
    Log log(LogOptions{});
    log.error("k", "into the void");
    ::dup2(saved, 2);
    sigset_t pending;
    ::sigpending(&pending);
    _exit(sigismember(&pending, SIGPIPE) == 1 ? 0 : 1);
  };
  EXPECT_EXIT(act(), ::testing::ExitedWithCode(0), "");
}

// --- neighbours ---

TEST_F(Directory, ThreadsDoNotTearLines) {
  LogOptions options;
  options.to = "file:" + path + "/bus.log";
  options.rate = 0;
  {
    Log log(options);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 500; ++i)
          log.warning("k",
                      std::to_string(t) + "/" + std::to_string(i) + "/" + std::string(100, static_cast<char>('a' + t)));
      });
    for (std::thread& thread : threads) thread.join();
  }
  std::istringstream lines(contents(path + "/bus.log"));
  std::vector<int> next(4, 0);
  for (std::string line; std::getline(lines, line);) {
    int t = -1, i = -1;
    const std::string text = line.substr(line.find("default: ") + 9);
    ASSERT_EQ(std::sscanf(text.c_str(), "%d/%d/", &t, &i), 2) << line;
    ASSERT_TRUE(t >= 0 && t < 4);
    EXPECT_EQ(i, next[t]++) << "a thread's lines keep their order";
    EXPECT_EQ(text, std::to_string(t) + "/" + std::to_string(i) + "/" + std::string(100, static_cast<char>('a' + t)));
  }
  EXPECT_THAT(next, ElementsAre(500, 500, 500, 500));
}

// A child of fork() stays silent even though another thread of the parent logs at the moment of the fork, and so may
// hold any lock of the log: if it took one, some of these children would never exit.
TEST_F(Directory, AChildSaysNothingAndDoesNotHang) {
  LogOptions options;
  options.to = "file:" + path + "/bus.log";
  options.rate = 0;
  auto log = std::make_unique<Log>(options);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop.load(std::memory_order_relaxed)) log->error("k", "parent");
  });
  int bad = 0;
  for (int i = 0; i < 200; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);  // a child that hangs is killed, and counted
      log->error("k", "child");
      log->tick();
      log.reset();
      ::_exit(0);
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) ++bad;
  }
  stop.store(true);
  busy.join();
  EXPECT_EQ(bad, 0);
  const std::string text = contents(path + "/bus.log");
  EXPECT_THAT(text, HasSubstr("parent"));
  EXPECT_EQ(text.find("child"), std::string::npos);
}

TEST(Neighbours, TheRegistryOfSpdlogIsUntouched) {
  const auto names = [] {
    std::vector<std::string> found;
    spdlog::apply_all([&](const std::shared_ptr<spdlog::logger>& logger) { found.push_back(logger->name()); });
    return found;
  };
  const std::vector<std::string> before = names();
  const auto default_before = spdlog::default_logger();
  const auto level_before = spdlog::get_level();
  Heard heard;
  {
    LogOptions options = into(heard);
    options.level = LogLevel::trace;
    Log log(options);
    log.error("k", "x");
    EXPECT_EQ(spdlog::get("evs"), nullptr);
    EXPECT_EQ(names(), before);
    spdlog::set_level(spdlog::level::off);  // the host silences its own loggers
    log.error("k", "y");
    spdlog::set_level(level_before);
    spdlog::drop_all();  // and drops them
    log.error("k", "z");
    spdlog::set_default_logger(default_before);
  }
  EXPECT_THAT(heard.texts(), ElementsAre("x", "y", "z"));
  EXPECT_EQ(names(), before);
  EXPECT_EQ(spdlog::default_logger(), default_before);
  EXPECT_EQ(default_before->level(), level_before);
}

}  // namespace
}  // namespace evs::runtime
