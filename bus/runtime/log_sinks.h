// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/log_sinks.h - where lines end: stderr, a file, syslog, the host application.
//
// Ours rather than spdlog's, because those serve an application that owns its process: they go through stdio's buffers
// and locks, and the one for syslog calls openlog(), which would rename the host application's own entries.
// Each takes a finished line as the message's payload. A sink never throws; one that cannot write says so through
// the Fallback it was given, and the line goes to stderr.
#pragma once

#include <spdlog/sinks/sink.h>

#include <memory>
#include <string>
#include <string_view>

#include "bus/runtime/log.h"

namespace evs::runtime {

// Writes a line with its newline to a descriptor in one write. Returns 0 or the error. A pipe that nobody reads is an
// error (EPIPE), not the SIGPIPE that would kill the host application.
int write_line(int fd, std::string_view line) noexcept;

// `opening` is what each line begins with: the sink's own trouble is reported in the same form.
std::shared_ptr<spdlog::sinks::sink> make_stderr_sink();
std::shared_ptr<spdlog::sinks::sink> make_syslog_sink();
std::shared_ptr<spdlog::sinks::sink> make_function_sink(LogFunction function, void* context);
std::shared_ptr<spdlog::sinks::sink> make_file_sink(std::string path, std::string opening);

}  // namespace evs::runtime
