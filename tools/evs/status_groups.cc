// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_groups.cc - see status_groups.h.
#include "tools/evs/status_groups.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "tools/evs/json.h"

namespace evs::tools {

using metrics::Member;
using metrics::Snapshot;
using metrics::Uplink;

namespace {

template <class Number>
bool read(std::string_view text, Number& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size();
}

// "666f6f00... 4097:811 8193:902". What a gateway does not write is left out.
bool read_group(const std::string& told, std::string& group, std::vector<GroupMember>& members) {
  std::istringstream words(told);
  std::string word;
  words >> word;
  metrics::GroupKey key{};
  if (word.size() != 2 * key.size()) return false;
  for (size_t i = 0; i < key.size(); ++i) {
    uint8_t byte = 0;
    if (!read(std::string_view(word).substr(2 * i, 2), byte, 16)) return false;
    key[i] = static_cast<char>(byte);
  }
  group = show_group(key.data());
  while (words >> word) {
    const size_t colon = std::min(word.find(':'), word.size());
    GroupMember member;
    if (read(std::string_view(word).substr(0, colon), member.nodeid) && read(std::string_view(word).substr(std::min(colon + 1, word.size())), member.pid) && member.pid >= 0)
      members.push_back(member);
  }
  return true;
}

Groups told_by(const Uplink& uplink) {
  Groups groups;
  size_t told = 0;
  while (const std::string* text = uplink.value("group_" + std::to_string(told + 1))) {
    ++told;
    std::string group;
    std::vector<GroupMember> members;
    if (read_group(*text, group, members)) groups.members[group] = std::move(members);
  }
  groups.more = uplink.number("group_count") - std::min<uint64_t>(uplink.number("group_count"), told);
  return groups;
}

}  // namespace

Groups groups_of(const Snapshot& snapshot) {
  if (snapshot.outbox) return told_by(snapshot.uplink);
  Groups groups;
  for (const Member& member : snapshot.members)
    for (const auto& key : member.groups) {
      auto& members = groups.members[show_group(key.data())];
      if (members.empty() || members.back().nodeid != member.nodeid) members.push_back({member.nodeid, member.pid});
    }
  return groups;
}

size_t groups_with(const Snapshot& snapshot, const Groups& groups, const Member& member) {
  if (!snapshot.outbox) return member.groups.size();
  const uint64_t nodeid = snapshot.uplink.number("host_id") << kSlotBits | member.nodeid;
  return static_cast<size_t>(std::count_if(groups.members.begin(), groups.members.end(), [&](const auto& group) {
    return std::any_of(group.second.begin(), group.second.end(), [&](const GroupMember& one) { return one.nodeid == nodeid && one.pid == member.pid; });
  }));
}

std::string group_table(const Groups& groups, const Palette& paint) {
  if (groups.members.empty()) return {};
  Table table({{"GROUP"}, {"MEMBERS"}});
  for (const auto& [group, members] : groups.members) {
    std::string list;
    for (const GroupMember& member : members) {
      if (!list.empty()) list += " ";
      list += std::to_string(member.nodeid);
    }
    table.row({group, list});
  }
  return table.render(paint, "  ") + (groups.more == 0 ? "" : "  and " + std::to_string(groups.more) + " more\n");
}

Json groups_json(const Groups& groups) {
  Json all = Json::array();
  for (const auto& [group, members] : groups.members) {
    Json list = Json::array();
    for (const GroupMember& member : members) list.push_back({{"nodeid", member.nodeid}, {"pid", member.pid}});
    all.push_back({{"group", group}, {"members", std::move(list)}});
  }
  return all;
}

}  // namespace evs::tools
