// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/state_directory.cc - see state_directory.h.
#include "bus/runtime/uplink/state_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "bus/runtime/uplink/uplink_settings.h"

namespace evs::runtime::uplink {
namespace {

constexpr std::string_view kNew = ".new.";

PluginFailure unanswered(const std::string& what) { return {CS_ERR_TIMEOUT, what + ": the disk has not answered for as long as this process may wait"}; }

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

// A number that nobody else draws: neither what is left over nor who was left to the disk has this name.
std::string new_of(const std::string& name, uint64_t nonce) {
  char number[17];
  snprintf(number, sizeof number, "%016" PRIx64, nonce);
  return name + std::string(kNew) + number;
}
// No other file: a bus's name may be one that ends as these do.
bool is_new_of(const std::string& name, std::string_view file) {
  const size_t before = name.size() + kNew.size();
  return file.size() == before + 16 && file.substr(0, name.size()) == name && file.substr(name.size(), kNew.size()) == kNew && file.find_first_not_of("0123456789abcdef", before) == file.npos;
}

// An errno, or 0.
int list_new_of(int directory, const std::string& name, std::vector<std::string>& found) {
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(fd), &::closedir);
  if (entries == nullptr) return ::close(fd), ENOMEM;
  errno = 0;
  while (const dirent* const entry = ::readdir(entries.get()))
    if (is_new_of(name, entry->d_name)) found.emplace_back(entry->d_name);
  return errno;
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
  if (!opened) return unanswered("no directory to keep " + name + " in");
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

std::optional<PluginFailure> StateDirectory::take_over(const std::string& name) const {
  Patience::Task waited_for;
  if (patience_ == nullptr) return throw_away_new(*place_, name, waited_for);
  const auto failure = patience_->wait_for<std::optional<PluginFailure>>([place = place_, name](Patience::Task& task) { return throw_away_new(*place, name, task); });
  return failure ? *failure : unanswered(path_of(name));
}

// All are listed before it is asked whether we were left: then none of them is a successor's.
std::optional<PluginFailure> StateDirectory::throw_away_new(const Place& place, const std::string& name, const Patience::Task& task) {
  std::vector<std::string> found;
  if (const int error = list_new_of(place.directory.get(), name, found)) return PluginFailure{CS_ERR_ACCESS, place.path + ": " + strerror(error)};
  if (task.is_left()) return std::nullopt;
  for (const std::string& made : found)
    if (::unlinkat(place.directory.get(), made.c_str(), 0) != 0 && errno != ENOENT)
      return PluginFailure{CS_ERR_ACCESS, place.path + "/" + made + " cannot be removed: " + strerror(errno) + "; it is what another process has not finished writing: remove it"};
  return std::nullopt;
}

PluginResult<StateDirectory::Contents> StateDirectory::read(const std::string& name, size_t at_most) const {
  if (patience_ == nullptr) return read_now(*place_, name, at_most);
  auto contents = patience_->wait_for<PluginResult<Contents>>([place = place_, name, at_most](Patience::Task&) { return read_now(*place, name, at_most); });
  return contents ? std::move(*contents) : unanswered(path_of(name));
}

PluginResult<StateDirectory::Contents> StateDirectory::read_now(const Place& place, const std::string& name, size_t at_most) {
  const auto unusable = [&](const std::string& what) { return PluginFailure{CS_ERR_ACCESS, place.path + "/" + name + ": " + what}; };
  // Not blocking: a FIFO in its place is refused, not waited for.
  const Descriptor file(::openat(place.directory.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0 && errno == ENOENT) return Contents();
  if (file.get() < 0) return unusable(strerror(errno));
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return unusable(strerror(errno));
  if (!S_ISREG(status.st_mode)) return unusable("no regular file");
  if ((status.st_uid != geteuid() && status.st_uid != 0) || (status.st_mode & 022) != 0)
    return unusable("it belongs to user " + std::to_string(status.st_uid) + ", or others may write to it: one user must run whatever carries the bus between hosts");
  std::vector<std::byte> bytes(at_most + 1);
  size_t have = 0;
  for (ssize_t got = 1; got != 0 && have < bytes.size();) {
    got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno != EINTR) return unusable(strerror(errno));
    have += got > 0 ? static_cast<size_t>(got) : 0;
  }
  if (have > at_most) return unusable("larger than " + std::to_string(at_most) + " bytes: this is something else");
  bytes.resize(have);
  return Contents(std::move(bytes));
}

int StateDirectory::replace(const Place& place, const std::string& name, const std::string& made, std::span<const std::byte> bytes, const Patience::Task& task) {
  const int directory = place.directory.get();
  const Descriptor file(::openat(directory, made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return errno;
  const bool filled = write_all(file.get(), bytes.data(), bytes.size()) && ::fsync(file.get()) == 0;
  int error = filled ? 0 : errno;
  // Asked with the new one in the directory: who takes over after the answer finds it there.
  if (error == 0 && task.is_left()) error = ECANCELED;
  if (error == 0 && ::renameat(directory, made.c_str(), directory, name.c_str()) != 0) error = errno;
  if (error == 0) return is_flushed(directory) ? 0 : errno;
  ::unlinkat(directory, made.c_str(), 0);
  return error;
}

std::optional<PluginFailure> StateDirectory::write(const std::string& name, std::span<const std::byte> bytes) const {
  auto nonce = draw_nonce();
  if (!nonce) return nonce.failure();
  const std::string made = new_of(name, *nonce);
  Patience::Task waited_for;
  std::optional<int> error;
  if (patience_ == nullptr) {
    error = replace(*place_, name, made, bytes, waited_for);
  } else {
    error = patience_->wait_for<int>([place = place_, name, made, kept = std::vector<std::byte>(bytes.begin(), bytes.end())](Patience::Task& task) {
      return replace(*place, name, made, kept, task);
    });
  }
  const std::string unwritten = path_of(name) + " cannot be written";
  if (!error) return unanswered(unwritten);
  return *error == 0 ? std::nullopt : std::optional(PluginFailure{CS_ERR_ACCESS, unwritten + ": " + strerror(*error)});
}

}  // namespace evs::runtime::uplink
