// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/log_sinks.cc - the last metre of a line.
#include "bus/runtime/log_sinks.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

namespace evs::runtime {
namespace {

// Keeps a SIGPIPE that our write may raise from reaching the host application: blocked for this thread, and taken
// away again unless one was pending before. Handlers and dispositions stay as they are.
class PipeGuard {
 public:
  PipeGuard() noexcept {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    blocked_ = pthread_sigmask(SIG_BLOCK, &pipe_, &before_) == 0;
  }
  ~PipeGuard() {
    if (!blocked_) return;
    const int error = errno;
    const timespec at_once = {0, 0};
    if (broken_ && !was_pending_)
      while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  PipeGuard(const PipeGuard&) = delete;
  PipeGuard& operator=(const PipeGuard&) = delete;

  void broken() noexcept { broken_ = true; }

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
  bool blocked_ = false;
  bool broken_ = false;
};

std::string_view payload(const spdlog::details::log_msg& message) {
  return {message.payload.data(), message.payload.size()};
}

// spdlog asks each sink for pattern and formatter; lines arrive finished, so there is nothing to set.
class PlainSink : public spdlog::sinks::sink {
 public:
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

// No lock: one line is one write, and the kernel keeps those apart.
class StderrSink final : public PlainSink {
 public:
  void log(const spdlog::details::log_msg& message) override { write_line(STDERR_FILENO, payload(message)); }
};

// No openlog(): the entries bear the name that the host application goes by.
class SyslogSink final : public PlainSink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    const std::string_view line = payload(message);
    ::syslog(LOG_USER | priority(message.level), "%.*s", static_cast<int>(line.size()), line.data());
  }

 private:
  static int priority(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::trace:
      case spdlog::level::debug:
        return LOG_DEBUG;
      case spdlog::level::info:
        return LOG_INFO;
      case spdlog::level::warn:
        return LOG_WARNING;
      default:
        return LOG_ERR;
    }
  }
};

// No lock around the host application's code: it may log from several threads at a time, and says so in evs.h.
class FunctionSink final : public PlainSink {
 public:
  FunctionSink(LogFunction function, void* context) : function_(function), context_(context) {}
  void log(const spdlog::details::log_msg& message) override {
    const std::string line(payload(message));  // NUL-terminated, as C likes it
    function_(context_, static_cast<int>(message.level), line.c_str(), line.size());
  }

 private:
  LogFunction function_;
  void* context_;
};

// A file that others may rotate away: before each line its name is looked up, and when it is another file by now, or
// none, it is opened anew. That is a system call a line, which a log can afford, and asks for no signal.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  FileSink(std::string path, std::string opening)
      : base_sink(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%e%z %l %v",
                                                              spdlog::pattern_time_type::local, "")),
        path_(std::move(path)),
        opening_(std::move(opening)) {
    const int error = refresh();
    if (error != 0) complain(error);
  }
  ~FileSink() override { close(); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    int error = refresh();
    if (error == 0) error = write_line(fd_, {line.data(), line.size()});
    if (error == 0) return;
    complain(error);
    write_line(STDERR_FILENO, payload(message));
  }
  void flush_() override {}

 private:
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  // Not blocking, so that a FIFO without a reader is an error and one with a slow reader loses lines, not time.
  int refresh() {
    struct stat named, open;
    if (fd_ >= 0 && ::stat(path_.c_str(), &named) == 0 && ::fstat(fd_, &open) == 0 && named.st_ino == open.st_ino &&
        named.st_dev == open.st_dev)
      return 0;
    const int fresh = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fresh < 0) return fd_ >= 0 && errno == EACCES ? 0 : errno;  // rights were dropped: the open file still serves
    close();
    fd_ = fresh;
    return 0;
  }

  void complain(int error) {
    if (complained_) return;
    complained_ = true;
    char buffer[128];
    write_line(STDERR_FILENO, opening_ + "log.to = \"file:" + path_ + "\" cannot be written (" +
                                  strerror_r(error, buffer, sizeof(buffer)) +
                                  "); what cannot be written there goes to stderr");
  }

  std::string path_;
  std::string opening_;
  int fd_ = -1;
  bool complained_ = false;
};

}  // namespace

int write_line(int fd, std::string_view line) noexcept {
  char newline = '\n';
  iovec parts[2] = {{const_cast<char*>(line.data()), line.size()}, {&newline, 1}};
  iovec* next = parts;
  int left = 2;
  PipeGuard guard;
  while (left > 0) {
    const ssize_t written = ::writev(fd, next, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      if (errno == EPIPE) guard.broken();
      return errno;
    }
    // A disk that fills up takes a part; the rest then says why.
    size_t done = static_cast<size_t>(written);
    while (left > 0 && done >= next->iov_len) {
      done -= next->iov_len;
      ++next;
      --left;
    }
    if (left > 0) {
      next->iov_base = static_cast<char*>(next->iov_base) + done;
      next->iov_len -= done;
    }
  }
  return 0;
}

std::shared_ptr<spdlog::sinks::sink> make_stderr_sink() {
  return std::make_shared<StderrSink>();
}

std::shared_ptr<spdlog::sinks::sink> make_syslog_sink() {
  return std::make_shared<SyslogSink>();
}

std::shared_ptr<spdlog::sinks::sink> make_function_sink(LogFunction function, void* context) {
  return std::make_shared<FunctionSink>(function, context);
}

std::shared_ptr<spdlog::sinks::sink> make_file_sink(std::string path, std::string opening) {
  return std::make_shared<FileSink>(std::move(path), std::move(opening));
}

}  // namespace evs::runtime
