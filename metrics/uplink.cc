// SPDX-License-Identifier: BSD-3-Clause
// metrics/uplink.cc - see uplink.h.
#include "metrics/uplink.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "shm/clock.h"
#include "shm/death.h"
#include "shm/directory.h"

namespace evs::metrics {
namespace {

constexpr std::string_view kPrefix = "evs_uplink_";
constexpr uint64_t kSilentNs = 1'000'000'000;  // four times the gateway's period
constexpr size_t kMostBytes = 64 << 10;        // what is longer was written by no gateway
constexpr size_t kMostValues = 256;            // some forty are told

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

std::string read_all(int fd) {
  std::string text(kMostBytes, '\0');
  size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < text.size();) {
    got = read(fd, text.data() + size, text.size() - size);
    if (got > 0) size += static_cast<size_t>(got);
  }
  text.resize(size);
  return text;
}

}  // namespace

std::string_view name_of(GatewayState state) {
  constexpr std::string_view kNames[] = {"none", "there", "silent", "gone"};
  return kNames[static_cast<size_t>(state)];
}

const std::string* Uplink::value(std::string_view name) const {
  for (const auto& [known, value] : values)
    if (known == name) return &value;
  return nullptr;
}

uint64_t Uplink::number(std::string_view name) const {
  const std::string* text = value(name);
  uint64_t number = 0;
  if (text == nullptr) return 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc{} && end == text->data() + text->size() ? number : 0;
}

Uplink parse_uplink(std::string_view text) {
  Uplink uplink;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t space = line.find(' ');
    if (!line.starts_with(kPrefix) || space == std::string_view::npos) continue;
    const std::string_view name = line.substr(kPrefix.size(), space - kPrefix.size());
    if (is_name(name) && uplink.value(name) == nullptr) uplink.values.emplace_back(name, line.substr(space + 1));
    if (uplink.values.size() == kMostValues) break;
  }
  return uplink;
}

void judge_uplink(Uplink& uplink, bool process_is_there, uint64_t now_ns) {
  const uint64_t written = uplink.number("written_ns");
  uplink.age_ns = now_ns - std::min(now_ns, written);
  // Later than now: it was told before this host was started anew.
  if (!process_is_there || written > now_ns) uplink.gateway = GatewayState::gone;
  else uplink.gateway = uplink.age_ns >= kSilentNs ? GatewayState::silent : GatewayState::there;
}

// Another user's process cannot be signalled, and is there. Who has a pid that a killed gateway had is another process (0: not to be told).
bool process_is_there(uint64_t pid, uint64_t start_time) {
  if (pid == 0 || pid > INT32_MAX || (kill(static_cast<pid_t>(pid), 0) != 0 && errno != EPERM)) return false;
  const uint64_t started = shm::process_start_time(static_cast<pid_t>(pid));
  return started == 0 || start_time == 0 || started == start_time;
}

Uplink read_uplink(int fd) {
  Uplink uplink = parse_uplink(read_all(fd));
  judge_uplink(uplink, process_is_there(uplink.number("gateway_pid"), uplink.number("gateway_start_time")), shm::monotonic_ns());
  return uplink;
}

bool read_uplink(const std::string& path, const std::string& group, const std::string& bus, Uplink& out, std::string& failure) {
  out = Uplink{};
  shm::Directory directory;
  const std::string where = path.empty() ? shm::default_directory(group) : path, name = bus + ".uplink";
  if (access(where.c_str(), F_OK) != 0 && errno == ENOENT) return true;
  if (const shm::Status status = directory.open(where, group, false); !status.ok()) return failure = status.text, false;
  const int fd = directory.open_file(name, O_RDONLY | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT) return true;
  if (fd < 0) return failure = directory.file_path(name) + ": " + std::strerror(errno), false;
  const shm::Status trust = directory.check_file(fd, name);
  if (trust.ok()) out = read_uplink(fd);
  close(fd);
  return trust.ok() || (failure = trust.text, false);
}

}  // namespace evs::metrics
