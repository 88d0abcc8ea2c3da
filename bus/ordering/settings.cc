// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/settings.cc - settings that cannot work are refused where they are made, not found out in the middle of the night.
#include "bus/ordering/settings.h"

#include <bit>

#include "bus/ordering/processes.h"
#include "bus/ordering/send_queue.h"

namespace evs::ordering {
namespace {

constexpr uint32_t kLeastFrameBytes = 256;

std::string is(const char* field, uint64_t value, const std::string& why) {
  return std::string(field) + " is " + std::to_string(value) + ": " + why;
}
std::string out_of(const char* field, uint64_t value, uint64_t least, uint64_t most) {
  if (value >= least && value <= most) return {};
  return is(field, value, "it must be " + std::to_string(least) + " to " + std::to_string(most));
}

std::string check_sizes(const Settings& s) {
  if (std::string why = out_of("frame_bytes", s.frame_bytes, kLeastFrameBytes, wire::kMaxPacketBytes); !why.empty()) return why;
  if (!std::has_single_bit(s.store_frames)) return is("store_frames", s.store_frames, "it must be a power of two");
  if (std::string why = out_of("window_frames", s.window_frames, 1, s.store_frames / 2); !why.empty()) return why;
  if (std::string why = out_of("personal_frames", s.personal_frames, 1, UINT32_MAX); !why.empty()) return why;
  if (std::string why = out_of("own_frames", s.own_frames, 1, UINT32_MAX); !why.empty()) return why;
  if (std::string why = out_of("groups_per_process", s.groups_per_process, 1, kMaxGroupsOfProcess); !why.empty()) return why;
  if (std::string why = out_of("message_limit", s.message_limit, 1, UINT32_MAX); !why.empty()) return why;
  const size_t most = SendQueue::most_bytes(s.queue_bytes, Role::message);
  if (s.message_limit <= most) return {};
  return is("message_limit", s.message_limit,
            "a message of that size never finds room in a queue of " + std::to_string(s.queue_bytes) +
                " bytes, a part of which is kept for changes; make message_limit at most " + std::to_string(most) + ", or queue_bytes larger");
}

std::string check_times(const Settings& s) {
  if (s.token_resend >= s.token_lost)
    return is("token_resend", s.token_resend, "a token is said again before it is given up; make it less than token_lost, " + std::to_string(s.token_lost));
  if (s.consensus <= s.token_lost)
    return is("consensus", s.consensus,
              "who still waits for a token does not answer; make it more than token_lost, " + std::to_string(s.token_lost));
  if (s.token_linger > s.token_hold)
    return is("token_linger", s.token_linger, "a token does not stay longer with who speaks than with who is silent; make it no more than token_hold, " + std::to_string(s.token_hold));
  if (s.token_hold >= s.token_lost)
    return is("token_hold", s.token_hold, "an idle token that rests for as long breaks its ring; make it less than token_lost, " + std::to_string(s.token_lost));
  if (s.stalled_host == 0) return is("stalled_host", s.stalled_host, "each log is full for a moment now and then; 4 s are usual");
  if (s.join_resend >= s.consensus)
    return is("join_resend", s.join_resend, "it must be less than consensus, " + std::to_string(s.consensus));
  return {};
}

}  // namespace

std::string check(const Settings& settings) {
  if (std::string why = out_of("self.id", settings.self.id, 1, kMaxHostId); !why.empty()) return why;
  if (settings.ring_sequence > kMaxSequence - kSequencesToStart)
    return is("ring_sequence", settings.ring_sequence,
              "the sequences of rings end at " + std::to_string(kMaxSequence) + "; stop all hosts of the bus, and remove what they have stored of rings");
  if (std::string why = out_of("changes_per_ring", settings.changes_per_ring, 1, kMostChangesPerRing); !why.empty()) return why;
  std::string why = check_sizes(settings);
  return why.empty() ? check_times(settings) : why;
}

}  // namespace evs::ordering
