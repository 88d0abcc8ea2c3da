// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/settings.h - what an instance of the protocol is told at its birth; everything else comes as an event.
#pragma once

#include <string>

#include "bus/ordering/ids.h"

namespace evs::ordering {

// A ring has numbers for 2^31 changes (processes.h). Those that are under way when it is formed anew still have theirs: a window holds far fewer.
inline constexpr uint32_t kMostChangesPerRing = (1u << 31) - (1u << 24);

inline constexpr Duration kMillisecond = 1'000'000;

struct Settings {
  Host self;
  uint64_t ring_sequence = 0;  // the highest that any life of this host stored; 0: its first life
  uint64_t first_message = 1;  // the number of the first message: a successor's go on behind its predecessor's
  bool for_successor = false;  // store what another process of this host needs to go on (stored.h)

  Duration token_lost = 1000 * kMillisecond;   // no newer token: the ring is broken
  Duration token_resend = 200 * kMillisecond;  // a token that was passed on and did not come back is said again
  Duration token_hold = 50 * kMillisecond;     // an idle token rests with who sent last
  Duration token_linger = 0;                   // the token stays so long with who speaks alone, and what that one says needs nobody; 0: it goes on at once
  Duration join_resend = 50 * kMillisecond;
  Duration consensus = 1200 * kMillisecond;    // more than token_lost: who still waits for a token does not answer joins
  Duration merge_probe = 200 * kMillisecond;

  uint32_t frame_bytes = 1400;      // the largest packet
  uint32_t window_frames = 256;     // of all members, in one rotation
  uint32_t personal_frames = 64;    // of one member, in one visit
  uint32_t accelerated_frames = 20; // of these, sent behind the token (Accelerated Ring); 0: classic Totem
  uint32_t store_frames = 4096;     // kept a ring; a power of two
  uint32_t message_limit = 1u << 20;  // no more than what the queue holds beside the part that is kept for changes: check()
  uint32_t queue_bytes = 4u << 20;
  uint32_t cannot_receive_visits = 500;  // a line that one member holds back for so long, while others have what it lacks
  uint32_t groups_per_process = 1024;    // of a process of this host; beyond kMaxGroupsOfProcess (processes.h) no host takes them
  uint32_t changes_per_ring = kMostChangesPerRing;  // of processes; then the ring is formed anew, because its names run out
  bool exchange = false;                 // a ring begins with an opening of every host (process_level.h)
  uint32_t recovery_visits = 5000;       // a recovery that takes longer is given up; and a host that holds a barrier up for as long
  Duration stalled_host = 4000 * kMillisecond;  // deliveries wait for room, and none was made for so long: this host leaves the ring
  uint32_t delivery_overhead = 128;      // what a delivery takes of the caller's room beside its bytes (room.h)

  // Over a medium that orders by itself (ordered_path.h): of what stands above only message_limit, queue_bytes and frame_bytes are asked there.
  Duration acknowledge_after = kMillisecond;  // somebody waits for it, and we have no frame to say it in
  uint32_t own_frames = 64;                   // of ours that are under way or wait for SAFE: with all members' they bound what is kept
  bool medium_tells_stability = false;        // OrderedPath::on_stable() is called: no acknowledgements but for changes
};

// Empty, or a sentence that names the setting, what is wrong with it, and the way out. Whoever makes a Protocol or an OrderedPath asks first.
std::string check(const Settings& settings);

}  // namespace evs::ordering
