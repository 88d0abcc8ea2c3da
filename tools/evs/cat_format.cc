// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/cat_format.cc - see cat_format.h.
#include "tools/evs/cat_format.h"

#include "tools/evs/guarantee.h"
#include "tools/evs/json.h"
#include "tools/evs/text.h"

namespace evs::tools {

namespace {

Json ring_id_json(const evs_ring_id& id) {
  return {{"nodeid", id.nodeid}, {"seq", id.seq}};
}

Json members_json(const evs_member_t* members, size_t count) {
  Json list = Json::array();
  for (size_t i = 0; i < count; ++i) {
    Json member{{"nodeid", members[i].nodeid}, {"pid", members[i].pid}};
    if (members[i].reason != EVS_REASON_NONE) member["reason"] = reason_name(members[i].reason);
    list.push_back(std::move(member));
  }
  return list;
}

std::string ring_id_text(const evs_ring_id& id) {
  return std::to_string(id.nodeid) + ":" + std::to_string(id.seq);
}

std::string member_text(const evs_member_t& member) {
  std::string text = std::to_string(member.nodeid) + " (pid " + std::to_string(member.pid);
  if (member.reason != EVS_REASON_NONE) text += std::string(", ") + reason_name(member.reason);
  return text + ")";
}

std::string member_list(const char* title, const evs_member_t* members, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += (i == 0 ? title : ", ") + member_text(members[i]);
  return text;
}

// Who has not changed was there.
const char* change_name(const evs_group_change_t& change) { return change.reason == EVS_REASON_NONE ? "present" : reason_name(change.reason); }

}  // namespace

const char* reason_name(int reason) {
  switch (reason) {
    case EVS_REASON_NONE:
      return "none";
    case EVS_REASON_JOINED:
      return "joined";
    case EVS_REASON_LEFT:
      return "left";
    case EVS_REASON_DIED:
      return "died";
    case EVS_REASON_EXPELLED:
      return "expelled";
    case EVS_REASON_PARTED:
      return "parted";
    default:
      return "unknown";
  }
}

std::string message_json(const evs_message_t& message, uint64_t received_unix_ns) {
  const std::string_view data(static_cast<const char*>(message.data), message.size);
  Json groups = Json::array();
  for (size_t i = 0; i < message.group_entries; ++i) groups.push_back(show_group(message.groups[i].key));
  Json out{{"type", "message"}, {"nodeid", message.nodeid}, {"pid", message.pid}};
  if (is_utf8(data)) {
    out["text"] = data;
  } else {
    out["base64"] = base64(data);
  }
  out["groups"] = std::move(groups);
  out["guarantee"] = guarantee_name(message.guarantee);
  out["sequence"] = message.sequence;
  out["configuration"] = ring_id_json(message.configuration);
  out["received"] = show_time(received_unix_ns);
  return json_line(out);
}

std::string configuration_json(const evs_configuration_t& configuration, uint64_t received_unix_ns) {
  Json out{{"type", "configuration"},
           {"kind", configuration.kind == EVS_CONFIGURATION_TRANSITIONAL ? "transitional" : "regular"},
           {"configuration", ring_id_json(configuration.id)},
           {"members", members_json(configuration.members, configuration.member_entries)},
           {"left", members_json(configuration.left, configuration.left_entries)},
           {"joined", members_json(configuration.joined, configuration.joined_entries)},
           {"merged", (configuration.flags & EVS_CONFIGURATION_MERGED) != 0},
           {"expelled", (configuration.flags & EVS_CONFIGURATION_EXPELLED) != 0},
           {"received", show_time(received_unix_ns)}};
  return json_line(out);
}

std::string group_json(const evs_group_change_t& change, uint64_t received_unix_ns) {
  return json_line({{"type", "group"},
                    {"group", show_group(change.group.key)},
                    {"nodeid", change.nodeid},
                    {"pid", change.pid},
                    {"reason", change_name(change)},
                    {"received", show_time(received_unix_ns)}});
}

std::string configuration_text(const evs_configuration_t& configuration) {
  std::string text =
      configuration.kind == EVS_CONFIGURATION_TRANSITIONAL ? "transitional configuration " : "configuration ";
  text += ring_id_text(configuration.id) + ", " + std::to_string(configuration.member_entries) +
          (configuration.member_entries == 1 ? " member" : " members");
  text += member_list("; gone: ", configuration.left, configuration.left_entries);
  text += member_list("; new: ", configuration.joined, configuration.joined_entries);
  if ((configuration.flags & EVS_CONFIGURATION_EXPELLED) != 0)
    text += "; this process was expelled: it read too slowly, and what it had not read is lost to it";
  return text;
}

std::string group_text(const evs_group_change_t& change) {
  return "group " + show_group(change.group.key) + ": " + std::to_string(change.nodeid) + " (pid " +
         std::to_string(change.pid) + ") " + change_name(change);
}

}  // namespace evs::tools
