// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/notices.cc - when an episode begins, whom it names, and how that reads.
#include "bus/runtime/sealing/notices.h"

namespace evs::runtime::sealing {
namespace {

bool is_told(Refusal why) { return why != Refusal::none && why != Refusal::replay && why != Refusal::echo && why < Refusal::count_; }

// Else the header says nothing about whom.
bool names_a_host(Refusal why) { return why != Refusal::too_short && why != Refusal::foreign && why != Refusal::version; }

std::string whose(const Notice& notice) {
  if (notice.others) return "from further hosts, which are not named,";
  return notice.host == ordering::kNoHost ? "" : "in the name of host " + std::to_string(notice.host);
}

std::string text_of(const Notice& notice, const std::string& file) {
  const std::string packets = "packets " + whose(notice) + " ";
  const std::string key = notice.others ? "a key" : "key " + std::to_string(notice.key);
  switch (notice.why) {
    case Refusal::too_short:
      return "packets are shorter than any of evs: something else is sent to this address, or the medium cuts packets";
    case Refusal::version:
      return "packets of evs hosts of another version: hosts of one bus must all run versions that speak one";
    case Refusal::foreign:
      return "packets that are not of an evs bus: something else is sent to this address; give one of the two another";
    case Refusal::unsealed:
      return packets + "are in the clear, and this host seals: give that host the key (" + file + ") and no uplink.security = \"none\"";
    case Refusal::sealed:
      return packets + "are sealed, and this host is configured with uplink.security = \"none\": take that away here and give this host the key";
    case Refusal::unknown_key:
      return packets + "are sealed with " + key + ", which is not in " + file + ": copy the bus's key file to all its hosts";
    case Refusal::tag:
      return packets + "do not open with " + key + ": that host has another key by this id (copy the bus's key file to all its hosts), or they are forged or damaged";
    case Refusal::old_life:
      return packets + "are older than what that host said last: they are replayed, a second machine goes by that host id, or it was started with its clock set back";
    case Refusal::table_full:
      return packets + "are not taken: too many hosts have been heard in the last ten minutes (do several buses share this address and key?), or there is no memory";
    default:
      return packets + "were refused";
  }
}

}  // namespace

void Notices::saw(uint64_t now_ns, Refusal why, const Header& header) {
  if (!is_told(why)) return;
  Episode& episode = episodes_[static_cast<size_t>(why)];
  const bool over = !episode.open || now_ns - episode.began_ns > kEpisodeNs;
  if (over) episode = {.began_ns = now_ns, .named = 0, .told = 0, .open = true, .notices = {}};
  const HostId host = names_a_host(why) ? header.host : ordering::kNoHost;
  for (size_t i = 0; i < episode.named; ++i)
    if (episode.notices[i].host == host || episode.notices[i].others) return;
  episode.notices[episode.named] = {why, host, header.key, episode.named == kNamed};
  ++episode.named;
  waiting_ = true;
}

bool Notices::take(Notice& notice) {
  if (!waiting_) return false;
  for (Episode& episode : episodes_) {
    if (episode.told == episode.named) continue;
    notice = episode.notices[episode.told++];
    return true;
  }
  waiting_ = false;
  return false;
}

std::string sentence(const Notice& notice, std::string_view key_file) { return text_of(notice, std::string(key_file)); }

}  // namespace evs::runtime::sealing
