// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/status_file.cc - see status_file.h.
#include "bus/runtime/uplink/status_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "bus/runtime/config_descriptor.h"

namespace evs::runtime::uplink {

namespace {
constexpr size_t kMostStatusBytes = 64 << 10;  // what is longer was written by no gateway
}

StatusFile::StatusFile(const shm::Directory& directory, const std::string& bus, const std::string& group)
    : directory_(directory), name_(bus + ".uplink"), fresh_name_(name_ + ".new") {
  // Once: looking groups up may take its time. The rings have refused a group that is not there.
  if (!group.empty()) static_cast<void>(shm::find_group(group, "metrics.group", gid_));
}

StatusFile::~StatusFile() {
  if (written_ && !stays_) unlinkat(directory_.fd(), name_.c_str(), 0);
}

std::string StatusFile::read(const shm::Directory& directory, const std::string& bus) {
  const std::string name = bus + ".uplink";
  const Descriptor file(directory.open_file(name, O_RDONLY | O_NONBLOCK));
  if (file.get() < 0 || !directory.check_file(file.get(), name).ok()) return {};
  std::string text(kMostStatusBytes, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

shm::Status StatusFile::fill(int fd, const std::string& text) const {
  const std::string path = directory_.file_path(fresh_name_);
  if (gid_ != static_cast<gid_t>(-1) && fchown(fd, static_cast<uid_t>(-1), gid_) != 0) return shm::errno_status(errno, "giving " + path + " to metrics.group");
  return write_all(fd, text.data(), text.size()) ? shm::Status{} : shm::errno_status(errno, "writing " + path);
}

shm::Status StatusFile::write(const std::string& text) {
  // What a killed predecessor left half written is nobody's.
  if (unlinkat(directory_.fd(), fresh_name_.c_str(), 0) != 0 && errno != ENOENT) return shm::errno_status(errno, "removing " + directory_.file_path(fresh_name_));
  const Descriptor file(directory_.open_file(fresh_name_, O_WRONLY | O_CREAT | O_EXCL, directory_.file_mode() == 0600 ? 0640 : 0660));
  if (file.get() < 0) return shm::errno_status(errno, "making " + directory_.file_path(fresh_name_));
  shm::Status status = fill(file.get(), text);
  if (status.ok() && renameat(directory_.fd(), fresh_name_.c_str(), directory_.fd(), name_.c_str()) != 0)
    status = shm::errno_status(errno, "renaming " + directory_.file_path(fresh_name_));
  if (!status.ok()) unlinkat(directory_.fd(), fresh_name_.c_str(), 0);
  written_ |= status.ok();
  return status;
}

}  // namespace evs::runtime::uplink
