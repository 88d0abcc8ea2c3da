// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/voting_file.cc - see voting_file.h.
#include "bus/runtime/uplink/voting_file.h"

#include <algorithm>

#include "bus/runtime/uplink/state_file.h"
#include "bus/runtime/uplink/uplink_settings.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr uint64_t kAhead = 256 * kSequenceStep;  // some two hundred rings
constexpr size_t kMostVotingBytes = kMostAroundState + 2 * sizeof(uint32_t) + records::kMaxVoterBytes;
constexpr size_t kMostSequenceBytes = kMostAroundState + sizeof(uint64_t);

std::string name_of(const std::string& bus, HostId host, const char* ending) { return bus + "." + std::to_string(host) + ending; }

// A disk that does not answer tells nothing of what is on it: nothing there is to be removed, and room need not be made.
PluginFailure with_way_out(PluginFailure failure, const char* way_out) {
  if (failure.code != CS_ERR_TIMEOUT) failure.text += way_out;
  return failure;
}
std::string sentence(const std::optional<PluginFailure>& failure) { return failure ? failure->text : std::string(); }

}  // namespace

std::string voting_file_name(const std::string& bus, HostId host) { return name_of(bus, host, ".votes"); }
std::string sequence_file_name(const std::string& bus, HostId host) { return name_of(bus, host, ".rings"); }

PluginResult<VotingFile> VotingFile::open(const StateDirectory& directory, const std::string& bus, HostId host, const Quorum& quorum, bool begins_here) {
  constexpr char kWayOut[] = ". No other host's and no older one may take its place: remove it, and this host votes as one that is new";
  VotingFile file(voting_file_name(bus, host), {StateKind::votes, host, bus});
  file.voter_.quorum = quorum;
  if (auto failure = directory.take_over(file.name_)) return *failure;
  auto contents = directory.read(file.name_, kMostVotingBytes);
  if (!contents) return with_way_out(contents.failure(), kWayOut);
  if (*contents) {
    Bytes kept;
    std::string fault = unwrap(file.owner_, **contents, kept);
    if (fault.empty() && !stored::decode(kept, host, file.voter_)) fault = "no host can have come to what it says";
    if (!fault.empty()) return PluginFailure{CS_ERR_INVALID_PARAM, directory.path_of(file.name_) + ": " + fault + kWayOut};
  } else {
    auto disk = draw_nonce();
    if (!disk) return disk.failure();
    file.is_new_ = true;
    file.voter_.disk = *disk;
  }
  if (begins_here && quorum.rule == Quorum::Rule::last_primary && file.voter_.record == PrimaryRecord{}) {
    file.voter_.record = begun_by({host, file.voter_.disk});
    file.has_begun_ = true;
  }
  // What is there is written as well: who cannot write does not come to the ring, whose hosts would all wait for a vote of his, and part, again and again.
  if (auto failure = file.write(directory, file.voter_)) return *failure;
  return file;
}

std::string VotingFile::store(const StateDirectory& directory, const Voter& voter) const { return sentence(write(directory, voter)); }

std::optional<PluginFailure> VotingFile::write(const StateDirectory& directory, const Voter& voter) const {
  std::vector<std::byte> bytes;
  stored::encode(voter, owner_.host, bytes);
  Voter again;
  if (!stored::decode(bytes, owner_.host, again))
    return PluginFailure{CS_ERR_LIBRARY, directory.path_of(name_) + " is left as it is: what would be written is no record that a host can come to; please report it"};
  auto failure = directory.write(name_, wrap(owner_, bytes));
  if (!failure) return std::nullopt;
  return with_way_out(*failure, "; with uplink.quorum a host votes for nothing that it cannot write down: make room there, or name another directory with uplink.state_directory");
}

PluginResult<SequenceFile> SequenceFile::open(const StateDirectory& directory, const std::string& bus, HostId host) {
  constexpr char kWayOut[] = ". Remove it, and rings are numbered as if this machine had never been on the bus";
  SequenceFile file(sequence_file_name(bus, host), {StateKind::rings, host, bus});
  if (auto failure = directory.take_over(file.name_)) return *failure;
  auto contents = directory.read(file.name_, kMostSequenceBytes);
  if (!contents) return with_way_out(contents.failure(), kWayOut);
  if (*contents) {
    Bytes kept;
    std::string fault = unwrap(file.owner_, **contents, kept);
    ByteReader in(kept);
    file.reserved_ = in.take<uint64_t>();
    if (fault.empty() && (!in.ok() || !in.rest().empty() || file.reserved_ > kMaxSequence)) fault = "no host can have come to what it says";
    if (!fault.empty()) return PluginFailure{CS_ERR_INVALID_PARAM, directory.path_of(file.name_) + ": " + fault + kWayOut};
  }
  if (auto failure = file.write(directory, file.reserved_)) return *failure;
  return file;
}

std::string SequenceFile::reserve(const StateDirectory& directory, uint64_t sequence) {
  if (sequence <= reserved_) return {};
  return sentence(write(directory, std::max(sequence, std::min(sequence + kAhead, kMaxSequence))));
}

std::optional<PluginFailure> SequenceFile::write(const StateDirectory& directory, uint64_t through) {
  std::vector<std::byte> bytes;
  {
    ByteWriter to(bytes, sizeof through);
    to.put(through);
  }
  if (auto failure = directory.write(name_, wrap(owner_, bytes))) return with_way_out(*failure, "; make room there, or name another directory with uplink.state_directory");
  reserved_ = through;
  return std::nullopt;
}

}  // namespace evs::runtime::uplink
