// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/voice.cc - kinds of errors, and when to speak.
#include "plugins/udp/voice.h"

#include <time.h>

#include <cerrno>
#include <system_error>

namespace evs::udp {

uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

Count kind_of(int error) {
  switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
    case EADDRNOTAVAIL:
    case EINVAL:  // the routes say so when our own address is gone
      return Count::unreachable;
    case ECONNREFUSED:
      return Count::refused;
    case EPERM:
    case EACCES:
      return Count::denied;
    case EMSGSIZE:
      return Count::too_big;
    default:
      return Count::other_errors;
  }
}

bool Voice::begins_at(uint64_t at_ns, Count what, uint64_t n) {
  counters_.add(what, n);
  uint64_t& last = last_ns_[static_cast<size_t>(what)];
  const uint64_t before = last;
  last = at_ns;
  return before == 0 || last - before > kEpisodeNs;
}

// True: it has been going on for long enough, and was not said in this episode.
bool Voice::is_refused_for_long(uint64_t at_ns, bool begins) {
  if (begins) {
    refused_since_ns_ = at_ns;
    refused_said_ = false;
  }
  if (refused_said_ || at_ns - refused_since_ns_ < kRefusedPatienceNs) return false;
  return refused_said_ = true;
}

void Voice::went(const std::string& whom) {
  constexpr size_t kMost = 1024;  // as many as there are places for peers, about; whom is forgotten here may be said once
  if (gone_.size() >= kMost) gone_.clear();
  gone_.insert(whom);
}

void Voice::failed_at(uint64_t at_ns, int error, const std::string& whom) {
  const Count kind = kind_of(error);
  if (kind == Count::refused && gone_.count(whom) != 0) return counters_.add(kind);
  const bool begins = begins_at(at_ns, kind, 1);
  if (kind == Count::refused ? !is_refused_for_long(at_ns, begins) : !begins) return;
  const std::string reason = std::generic_category().message(error);
  switch (kind) {
    case Count::unreachable:
      say(EVS_HOST_LOG_WARNING, "udp.unreachable", "no way to " + whom + " (" + reason + "); what is sent there is lost");
      break;
    case Count::refused:
      say(EVS_HOST_LOG_WARNING, "udp.refused", "nobody listens at " + whom + ": no bus runs there, or with another port");
      break;
    case Count::denied:
      say(EVS_HOST_LOG_WARNING, "udp.denied", "this machine's packet filter refuses what is sent to " + whom + " (" + reason + ")");
      break;
    case Count::too_big:
      break;  // who learns of the smaller path says it
    default:
      say(EVS_HOST_LOG_WARNING, "udp.error", "the socket to " + whom + " failed: " + reason);
  }
}

}  // namespace evs::udp
