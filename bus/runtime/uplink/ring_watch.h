// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/ring_watch.h - when rings ended and began, and why: what the protocol's counters do not tell when they are read now and then.
#pragma once

#include <array>

#include "bus/ordering/host_set.h"
#include "bus/ordering/protocol.h"

namespace evs::runtime::uplink {

// As what a host asked for another ring.
enum class Asked : uint8_t { unknown, came, began_anew, member };

class RingWatch {
 public:
  struct Counts {
    uint64_t formed = 0;
    ordering::Why ended_by = ordering::Why::started;  // the ring before the one that formed last
    ordering::Duration took = 0;                      // from its end on
    bool left = false;                                // somebody took leave meanwhile
    ordering::HostId asker = ordering::kNoHost;       // whose packet ended the ring before; kNoHost: none did
    Asked asked = Asked::unknown;
  };

  void begin(ordering::Instant now) { ended_at_ = now; }
  // After each call of the protocol; `configured`: a regular configuration came of it; `speaker`: whose packet it was about.
  void note(ordering::Instant now, const ordering::Protocol& protocol, bool configured, const ordering::Host& speaker) {
    if (!ended_ && (configured || !protocol.is_operational())) end(now, protocol, configured, speaker);
    if (configured) form(now, protocol);
  }
  const Counts& counts() const { return counts_; }
  // There is no ring, since then; kNever: there is.
  ordering::Instant ended_at() const { return ended_ ? ended_at_ : ordering::kNever; }
  ordering::Why ended_by() const { return ended_by_; }

 private:
  static constexpr size_t kWhys = static_cast<size_t>(ordering::Why::count_);

  // Of several reasons in one call the first is what began it.
  void end(ordering::Instant now, const ordering::Protocol& protocol, bool configured, const ordering::Host& speaker) {
    ended_ = true;
    asker_ = speaker.id;
    asked_ = Asked::unknown;
    // The members are those of the ring that ended until there is another one.
    if (!configured && asker_ != ordering::kNoHost)
      asked_ = contains(protocol.members(), speaker) ? Asked::member : with_id(protocol.members(), asker_) != nullptr ? Asked::began_anew : Asked::came;
    ended_at_ = now;
    for (size_t i = 0; i < kWhys; ++i) {
      if (protocol.entered_gather(static_cast<ordering::Why>(i)) == reasons_[i]) continue;
      ended_by_ = static_cast<ordering::Why>(i);
      return;
    }
  }
  void form(ordering::Instant now, const ordering::Protocol& protocol) {
    const uint64_t leavers = protocol.rare(ordering::Rare::leaver_heard);
    counts_ = {counts_.formed + 1, ended_by_, now - ended_at_, leavers != leavers_, asker_, asked_};
    leavers_ = leavers;
    for (size_t i = 0; i < kWhys; ++i) reasons_[i] = protocol.entered_gather(static_cast<ordering::Why>(i));
    ended_ = false;
  }

  Counts counts_;
  std::array<uint64_t, kWhys> reasons_{};
  uint64_t leavers_ = 0;
  ordering::Why ended_by_ = ordering::Why::started;
  ordering::HostId asker_ = ordering::kNoHost;
  Asked asked_ = Asked::unknown;
  ordering::Instant ended_at_;
  bool ended_ = true;
};

}  // namespace evs::runtime::uplink
