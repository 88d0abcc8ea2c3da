// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/gateway_state.cc - what a gateway keeps on a disk: its host's votes, and how far rings have been numbered.
//
// The votes are written within the step that they belong to: before anything of it is told, before it counts, and before the vote is sent. A write that fails ends
// the role as death would; the next gateway finds the step not taken.
#include "bus/runtime/uplink/gateway.h"
#include "bus/runtime/uplink/moment.h"
#include "bus/runtime/uplink/uplink_settings.h"
#include "bus/runtime/uplink/words.h"

namespace evs::runtime::uplink {

using namespace ordering;

namespace {

bool votes(const Config& config) { return quorum_of(config).rule != Quorum::Rule::off; }
bool needs_state(const Config& config) { return votes(config) || !config.text("uplink.state_directory").empty(); }

}  // namespace

// With a quorum, or where a directory is named, nothing goes without. Else how far rings are numbered is kept where there happens to be a place for it.
PluginResult<std::optional<StateDirectory>> Gateway::state_directory(const Making& making) {
  const Config& config = *making.config;
  const std::string bus = config.text("bus.name");
  const bool is_needed = needs_state(config);
  auto directory = StateDirectory::open(*making.state_directories, votes(config) ? voting_file_name(bus, making.host_id) : sequence_file_name(bus, making.host_id),
                                        is_needed ? StateDirectory::Missing::make : StateDirectory::Missing::refuse, making.patience);
  if (directory) return std::optional(std::move(*directory));
  const PluginFailure& why = directory.failure();
  if (is_needed) return PluginFailure{why.code, (votes(config) ? "uplink.quorum = " + config.text("uplink.quorum") : "uplink.state_directory") + ": " + why.text};
  making.log->info("state", "rings are numbered anew when this machine has been down, for what they had come to is kept in memory alone: " + why.text);
  return std::optional<StateDirectory>();
}

std::optional<PluginFailure> Gateway::open_state() {
  const Config& config = *making_.config;
  const std::string bus = config.text("bus.name");
  needs_state_ = needs_state(config);
  auto directory = state_directory(making_);
  if (!directory) return directory.failure();
  if (!*directory) return std::nullopt;
  state_.emplace(std::move(**directory));
  auto sequences = SequenceFile::open(*state_, bus, making_.host_id);
  if (sequences) sequences_.emplace(std::move(*sequences));
  else if (needs_state_) return sequences.failure();
  else making_.log->warning("state", "rings are numbered as if this machine had never been on the bus: " + sequences.failure().text);
  return votes(config) ? open_votes(quorum_of(config)) : std::nullopt;
}

std::optional<PluginFailure> Gateway::open_votes(const Quorum& quorum) {
  const Config& config = *making_.config;
  const bool begins_here = config.text("uplink.found") == "yes";
  auto file = VotingFile::open(*state_, config.text("bus.name"), making_.host_id, quorum, begins_here);
  if (!file) return file.failure();
  votes_.emplace(std::move(*file));
  if (votes_->is_new()) making_.log->info("quorum", "this host is new: it has voted for nothing yet, and keeps its votes in " + state_->path_of(voting_file_name(config.text("bus.name"), making_.host_id)));
  if (begins_here && !votes_->has_begun() && quorum.rule == Quorum::Rule::last_primary)
    making_.log->info("quorum", "uplink.found = yes does nothing any more, this host has a voting record: take it out, or a lost disk begins the bus a second time");
  if (std::string why = check(votes_->voter(), settings_.message_limit); !why.empty())
    return PluginFailure{CS_ERR_INVALID_PARAM, "uplink.quorum = " + config.text("uplink.quorum") + ": " + why};
  return std::nullopt;
}

// Of what was digested: before any of it is told. False: it is not on the disk.
bool Gateway::write_down_votes() {
  for (const Told& told : told_) {
    if (told.kind != Told::Kind::record) continue;
    if (!votes_) return give_up("the last gateway of this host has voted, and this process is told uplink.quorum = off: tell all processes of the host the same"), false;
    evs_gateway_moment("votes-due");
    if (std::string why = votes_->store(*state_, level_->voter()); !why.empty()) return give_up(why), false;
    evs_gateway_moment("votes-kept");
    break;  // voter() is what all of them have come to
  }
  return true;
}

// Before the step that it belongs to, and so before any packet that depends on that. False: the role is over.
bool Gateway::reserve_sequences(const Effect& effect) {
  if (!sequences_ || effect.kind != Effect::Kind::store || effect.stored.kind != Stored::Kind::sequence) return true;
  const std::string why = sequences_->reserve(*state_, effect.stored.number);
  if (why.empty()) return true;
  if (needs_state_) return give_up(why), false;
  making_.log->warning("state", why + "; when this machine has been down, rings may be numbered as they were before");
  sequences_.reset();
  return true;
}

// Null: it is not decided yet. A successor knows of no exchange before its first one, and a try whose votes are under way is none yet.
const char* Gateway::verdict_text() const {
  if (level_->epoch() != 0) return text_of(ordering::Verdict::forms);
  using ordering::Verdict;  // not the plugin host's
  const Verdict verdict = level_->verdict();
  return level_->exchanged() && verdict != Verdict::off && verdict != Verdict::forms ? text_of(verdict) : nullptr;
}

// In the log when it changes.
void Gateway::say_whether_primary() {
  const char* const verdict = votes_ ? verdict_text() : nullptr;
  if (verdict == nullptr) return;
  const uint64_t epoch = level_->epoch();
  std::string now = epoch != 0 ? "primary in epoch " + std::to_string(epoch) : std::string("not primary: ") + verdict;
  if (now == said_primary_) return;
  said_primary_ = std::move(now);
  const Hosts& members = link_->protocol().members();  // by name: while rings come and go, not each is told
  making_.log->info("quorum", hosts_in_words(members) + (members.size() == 1 ? " alone is " : " are ") + said_primary_);
}

}  // namespace evs::runtime::uplink
