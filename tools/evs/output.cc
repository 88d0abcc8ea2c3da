// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/output.cc - see output.h.
#include "tools/evs/output.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "tools/evs/exit_code.h"

namespace evs::tools {

int print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return kExitOk;
  // Who closed the pipe has read enough, and knows it.
  if (errno != EPIPE) std::fprintf(stderr, "%s: stdout: %s\n", program_invocation_short_name, std::strerror(errno));
  return kExitFailure;
}

Output::Output(int descriptor) : descriptor_(descriptor) {
  // A pipe that polls writable takes PIPE_BUF bytes without blocking (pipe(7)); a file takes anything.
  struct stat info {};
  const bool file = fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  step_ = file ? SIZE_MAX : PIPE_BUF;
}

bool Output::write_at_most(size_t bytes) {
  const ssize_t written = write(descriptor_, waiting_.data(), std::min(bytes, waiting_.size()));
  if (written >= 0) {
    waiting_.erase(0, static_cast<size_t>(written));
    return true;
  }
  if (errno == EINTR || errno == EAGAIN) return true;
  error_ = errno;
  return false;
}

bool Output::write_some() {
  return waiting_.empty() || write_at_most(step_);
}

bool Output::flush() {
  while (!waiting_.empty())
    if (!write_at_most(SIZE_MAX)) return false;
  return true;
}

}  // namespace evs::tools
