// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/notices.h - refusals that a person should hear of, a line an episode.
//
// An episode is of one reason. It begins with a refusal and lasts kEpisodeNs, so that what is wrong for days is said each ten minutes. It names its first
// kNamed hosts, each once, and then says that there are more. So whatever is sent at us, the log gets no more than kNamed + 1 lines a reason in an episode;
// what was refused is counted all the same. Silence does not end one: who is silent on purpose would have the next one's lines the sooner.
//
// The header of a packet that was refused is anybody's word. The lines say so: "in the name of host 7".
//
// Replays are counted and not told: networks repeat packets.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "bus/runtime/sealing/format.h"

namespace evs::runtime::sealing {

struct Notice {
  Refusal why = Refusal::none;
  HostId host = ordering::kNoHost;  // none: of hosts that were not named, or of a packet that names nobody
  uint16_t key = 0;
  bool others = false;              // the last of its episode
};

class Notices {
 public:
  static constexpr uint64_t kEpisodeNs = 600'000'000'000;
  static constexpr size_t kNamed = 4;

  void saw(uint64_t now_ns, Refusal why, const Header& header);
  // What was not told yet; false: nothing.
  bool take(Notice& notice);

 private:
  struct Episode {
    uint64_t began_ns = 0;
    size_t named = 0, told = 0;
    bool open = false;
    std::array<Notice, kNamed + 1> notices;
  };
  std::array<Episode, kRefusals> episodes_;
  bool waiting_ = false;
};

// One line for the log, with the way out. `key_file` is where our keys are from.
std::string sentence(const Notice& notice, std::string_view key_file);

}  // namespace evs::runtime::sealing
