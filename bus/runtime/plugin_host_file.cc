// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_host_file.cc - the walk along a path, and the judgement of what stands on it.
#include "bus/runtime/plugin_host_file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>

namespace evs::runtime {
namespace {

constexpr int kLinksFollowed = 40;  // as the kernel does
constexpr const char* kDeveloperWayOut = "; a developer who knows why may set EVS_PLUGIN_INSECURE=1";

std::string error_text(int number) {
  char buffer[128];
  return strerror_r(number, buffer, sizeof(buffer));  // the GNU one: returns the text
}

PluginFailure cannot(const std::string& path, const std::string& what, int number) {
  const cs_error_t code = number == ENOENT || number == ENOTDIR  ? CS_ERR_NOT_EXIST
                          : number == EMFILE || number == ENFILE ? CS_ERR_NO_RESOURCES
                                                                 : CS_ERR_ACCESS;
  return {code, "plugin " + path + " cannot be loaded: " + what + ": " + error_text(number)};
}

bool trusted(uid_t owner) {
  return owner == 0 || owner == geteuid();
}

// Why nobody should take what stands at `name`; nullopt when all is well.
std::optional<std::string> fault_of(const std::string& name, const struct stat& found, bool holds_the_plugin) {
  const bool directory = S_ISDIR(found.st_mode), link = S_ISLNK(found.st_mode);
  const std::string kind = directory ? "directory " : link ? "symbolic link " : "file ";
  if (!trusted(found.st_uid))
    return kind + name + " belongs to user " + std::to_string(found.st_uid) +
           ", who is neither root nor this process's user (" + std::to_string(geteuid()) +
           "): chown it, or keep the plugin elsewhere";
  const bool sticky_on_the_way = directory && (found.st_mode & S_ISVTX) != 0 && !holds_the_plugin;
  if (!link && (found.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky_on_the_way)
    return kind + name + " can be written by others than its owner: chmod go-w " + name;
  return std::nullopt;
}

std::deque<std::string> split(const std::string& path) {
  std::deque<std::string> names;
  for (size_t from = 0; from < path.size();) {
    const size_t to = std::min(path.find('/', from), path.size());
    if (to > from && path.compare(from, to - from, ".") != 0) names.push_back(path.substr(from, to - from));
    from = to + 1;
  }
  return names;
}

// The walk: where we are, what lies before us, and the judgement of each step.
class Walk {
 public:
  Walk(const std::string& path, Trust trust, std::string& warning) : path_(path), trust_(trust), warning_(warning) {}

  PluginResult<OpenFile> go() {
    at_ = OpenFile(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (at_.fd() < 0) return cannot(path_, "/", errno);
    names_ = split(path_);
    if (names_.empty()) return PluginFailure{CS_ERR_NOT_EXIST, "plugin " + path_ + " is not a file"};
    while (names_.size() > 1)
      if (auto failure = step()) return *failure;
    return last();
  }

 private:
  using Failure = std::optional<PluginFailure>;

  Failure step() {
    const std::string name = names_.front();
    names_.pop_front();
    OpenFile next(openat(at_.fd(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    const std::string here = where_ + "/" + name;
    struct stat found {};
    if (next.fd() < 0 || fstat(next.fd(), &found) != 0) return cannot(path_, here, errno);
    if (!S_ISDIR(found.st_mode) && !S_ISLNK(found.st_mode)) return cannot(path_, here, ENOTDIR);
    if (auto failure = judge(here, found, names_.size() == 1)) return failure;
    if (S_ISLNK(found.st_mode)) return follow(next, here);
    at_ = std::move(next);
    where_ = name == ".." ? where_.substr(0, where_.rfind('/')) : here;
    return std::nullopt;
  }

  Failure follow(const OpenFile& link, const std::string& here) {
    if (++links_ > kLinksFollowed) return cannot(path_, here, ELOOP);
    char target[PATH_MAX];
    const ssize_t length = readlinkat(link.fd(), "", target, sizeof(target));
    if (length < 0 || length == sizeof(target)) return cannot(path_, here, length < 0 ? errno : ENAMETOOLONG);
    const std::string text(target, static_cast<size_t>(length));
    const std::deque<std::string> ahead = split(text);
    names_.insert(names_.begin(), ahead.begin(), ahead.end());
    if (text[0] != '/') return std::nullopt;
    at_ = OpenFile(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    where_.clear();
    return at_.fd() < 0 ? Failure(cannot(path_, "/", errno)) : std::nullopt;
  }

  PluginResult<OpenFile> last() {
    // O_NONBLOCK: a FIFO of that name must not hold us up; it is refused below.
    OpenFile file(openat(at_.fd(), names_.front().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    const int number = errno;
    const std::string here = where_ + "/" + names_.front();
    if (file.fd() < 0 && number == ELOOP)
      return PluginFailure{CS_ERR_ACCESS,
                           "plugin " + path_ + " is refused: it is a symbolic link; name the file it leads to"};
    struct stat found {};
    if (file.fd() < 0 || fstat(file.fd(), &found) != 0) return cannot(path_, here, file.fd() < 0 ? number : errno);
    if (!S_ISREG(found.st_mode))
      return PluginFailure{CS_ERR_ACCESS, "plugin " + path_ + " is refused: it is not a regular file"};
    if (auto failure = judge(here, found, true)) return *failure;
    return file;
  }

  Failure judge(const std::string& here, const struct stat& found, bool holds_the_plugin) {
    const auto fault = fault_of(here, found, holds_the_plugin);
    if (!fault) return std::nullopt;
    if (trust_ == Trust::checked)
      return PluginFailure{CS_ERR_ACCESS, "plugin " + path_ + " is refused: " + *fault + kDeveloperWayOut};
    warning_ = "plugin " + path_ + " is loaded although " + *fault + " (EVS_PLUGIN_INSECURE is set)";
    return std::nullopt;
  }

  const std::string& path_;
  const Trust trust_;
  std::string& warning_;
  OpenFile at_;
  std::string where_;  // the path of at_, without links; "" is the root
  std::deque<std::string> names_;
  int links_ = 0;
};

}  // namespace

OpenFile::~OpenFile() {
  if (fd_ >= 0) close(fd_);
}

PluginResult<OpenFile> open_plugin_file(const std::string& path, Trust trust, std::string& warning) {
  return Walk(path, trust, warning).go();
}

}  // namespace evs::runtime
