// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/state_directory.cc - see state_directory.h.
#include "bus/runtime/uplink/state_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace evs::runtime::uplink {
namespace {

constexpr char kNew[] = ".new";
constexpr char kNoAnswer[] = "the disk has not answered for as long as this process may wait";

// Some file systems cannot flush a directory, and do not need to.
bool is_flushed(int directory) { return ::fsync(directory) == 0 || errno == EINVAL; }

// A directory is on the disk when the one above it is.
void make(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) return;
  const Descriptor above(::open(path.substr(0, std::max<size_t>(path.rfind('/'), 1)).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (above.get() >= 0) is_flushed(above.get());
}

void make_with_parents(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) make(path.substr(0, slash), 0755);
  make(path, 0700);
}

// Empty, or why what lies in it cannot be relied upon.
std::string fault_of(int directory) {
  struct stat status;
  if (::fstat(directory, &status) != 0) return strerror(errno);
  if (status.st_uid != geteuid() && status.st_uid != 0) return "it belongs to user " + std::to_string(status.st_uid);
  if ((status.st_mode & 022) != 0) return "others may write to it";
  return ::faccessat(directory, ".", W_OK | X_OK, AT_EACCESS) != 0 ? strerror(errno) : "";
}

}  // namespace

PluginResult<StateDirectory> StateDirectory::open(const std::vector<std::string>& candidates, const std::string& name, Missing missing, std::shared_ptr<Patience> patience) {
  if (patience == nullptr) return open_now(candidates, name, missing);
  auto opened = patience->wait_for<PluginResult<StateDirectory>>([=](Patience::Task&) { return open_now(candidates, name, missing); });
  if (!opened) return PluginFailure{CS_ERR_TIMEOUT, "no directory to keep " + name + " in: " + kNoAnswer};
  if (*opened) (**opened).patience_ = std::move(patience);
  return std::move(*opened);
}

PluginResult<StateDirectory> StateDirectory::open_now(const std::vector<std::string>& candidates, const std::string& name, Missing missing) {
  std::string why;
  std::optional<StateDirectory> best;
  for (const std::string& path : candidates) {
    if (missing == Missing::make) make_with_parents(path);
    Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (const std::string fault = directory.get() < 0 ? strerror(errno) : fault_of(directory.get()); !fault.empty()) {
      // Passed over, the host would be another one to those it votes with, and might vote twice.
      const std::string kept = path + "/" + name;
      if (missing == Missing::make && ::faccessat(AT_FDCWD, kept.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return PluginFailure{CS_ERR_ACCESS, kept + " is what this host has kept until now, and cannot be gone on with (" + path + ": " + fault +
                                                "): let the user that it belongs to run whatever carries the bus between hosts; or name another directory with "
                                                "uplink.state_directory, and this host begins anew"};
      why += (why.empty() ? "" : "; ") + path + ": " + fault;
      continue;
    }
    const bool has_it = ::faccessat(directory.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (!best || has_it) best.emplace(StateDirectory(Place{path, std::move(directory)}));
    if (has_it) break;
  }
  if (best) return std::move(*best);
  return PluginFailure{CS_ERR_ACCESS, "no directory to keep " + name + " in (" + why + "): make one that this process alone may write to, and name it with uplink.state_directory"};
}

StateDirectory::Read StateDirectory::read(const std::string& name, size_t at_most) const {
  if (patience_ == nullptr) return read_now(*place_, name, at_most);
  const auto read = patience_->wait_for<Read>([place = place_, name, at_most](Patience::Task&) { return read_now(*place, name, at_most); });
  return read ? *read : Read{Found::unusable, {}, path_of(name) + ": " + kNoAnswer};
}

StateDirectory::Read StateDirectory::read_now(const Place& place, const std::string& name, size_t at_most) {
  const auto unusable = [&](const std::string& what) { return Read{Found::unusable, {}, place.path + "/" + name + ": " + what}; };
  // Not blocking: a FIFO in its place is refused, not waited for.
  const Descriptor file(::openat(place.directory.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return errno == ENOENT ? Read{} : unusable(strerror(errno));
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return unusable(strerror(errno));
  if (!S_ISREG(status.st_mode)) return unusable("no regular file");
  if ((status.st_uid != geteuid() && status.st_uid != 0) || (status.st_mode & 022) != 0)
    return unusable("it belongs to user " + std::to_string(status.st_uid) + ", or others may write to it: one user must run whatever carries the bus between hosts");
  Read read{Found::file, std::vector<std::byte>(at_most + 1), {}};
  size_t have = 0;
  for (ssize_t got = 1; got != 0 && have < read.bytes.size();) {
    got = ::read(file.get(), read.bytes.data() + have, read.bytes.size() - have);
    if (got < 0 && errno != EINTR) return unusable(strerror(errno));
    have += got > 0 ? static_cast<size_t>(got) : 0;
  }
  if (have > at_most) return unusable("larger than " + std::to_string(at_most) + " bytes: this is something else");
  read.bytes.resize(have);
  return read;
}

int StateDirectory::replace(const Place& place, const std::string& name, std::span<const std::byte> bytes, Patience::Task& task) {
  const std::string made = name + kNew;
  const int directory = place.directory.get();
  ::unlinkat(directory, made.c_str(), 0);  // of one that was killed here, or left
  const Descriptor file(::openat(directory, made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return errno;
  const bool filled = write_all(file.get(), bytes.data(), bytes.size()) && ::fsync(file.get()) == 0;
  int error = filled ? 0 : errno;
  // Who is left may find another one's new file under that name, and an older state must not take the place of a newer one.
  if (!task.proceed()) return ECANCELED;
  if (error == 0 && ::renameat(directory, made.c_str(), directory, name.c_str()) != 0) error = errno;
  if (error != 0) ::unlinkat(directory, made.c_str(), 0);
  task.settled();
  if (error != 0) return error;
  return is_flushed(directory) ? 0 : errno;
}

std::string StateDirectory::write(const std::string& name, std::span<const std::byte> bytes) const {
  if (patience_ != nullptr) {
    const auto error = patience_->wait_for<int>([place = place_, name, kept = std::vector<std::byte>(bytes.begin(), bytes.end())](Patience::Task& task) {
      return replace(*place, name, kept, task);
    });
    return error == 0 ? std::string() : path_of(name) + " cannot be written: " + (error ? strerror(*error) : kNoAnswer);
  }
  Patience::Task waited_for;
  const int error = replace(*place_, name, bytes, waited_for);
  return error == 0 ? std::string() : path_of(name) + " cannot be written: " + strerror(error);
}

}  // namespace evs::runtime::uplink
