// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/parameters.cc - the table of keys, how each is read, and what must fit together.
#include "plugins/udp/parameters.h"

#include <charconv>
#include <cstdio>
#include <iterator>

namespace evs::udp {

namespace {

constexpr const char* kDefaultGroup = "239.192.54.10";
constexpr uint64_t kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB;
constexpr uint64_t kFrameLeast = 512, kFrameMost = 64 * kKiB;

// What was written, before it is known which mode it is for.
struct Written {
  Settings settings;
  std::string group, peers, address;
  bool group_given = false;
};

// Decimal digits alone: from_chars of an unsigned takes no sign, no space and no exponent.
bool parse_number(const std::string& text, uint64_t& out, std::string& rest) {
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out);
  rest.assign(result.ptr, end);
  return result.ec == std::errc{};
}

bool parse_size(const std::string& text, uint64_t& out) {
  std::string unit;
  uint64_t factor = 0;
  if (!parse_number(text, out, unit)) return false;
  if (unit == "B") factor = 1;
  if (unit == "KiB") factor = kKiB;
  if (unit == "MiB") factor = kMiB;
  if (unit == "GiB") factor = kGiB;
  return factor != 0 && !__builtin_mul_overflow(out, factor, &out);
}

bool parse_size(const std::string& text, uint64_t low, uint64_t high, uint64_t& out) {
  return parse_size(text, out) && out >= low && out <= high;
}

bool parse_integer(const std::string& text, uint64_t low, uint64_t high, uint64_t& out) {
  std::string rest;
  return parse_number(text, out, rest) && rest.empty() && out >= low && out <= high;
}

bool read_mode(const std::string& value, Written& w) {
  w.settings.mode = value == "unicast" ? Mode::unicast : Mode::multicast;
  return value == "unicast" || value == "multicast";
}
bool read_interface(const std::string& value, Written& w) {
  w.settings.interface = value;
  return value.size() < 16 && value.find('/') == std::string::npos;  // IFNAMSIZ, the NUL included
}
bool read_address(const std::string& value, Written& w) { return w.address = value, true; }
bool read_group(const std::string& value, Written& w) { return w.group = value, w.group_given = true; }
bool read_peers(const std::string& value, Written& w) { return w.peers = value, true; }
bool read_port(const std::string& value, Written& w) {
  uint64_t port = 0;
  if (!parse_integer(value, 1, 65535, port)) return false;
  w.settings.port = static_cast<uint16_t>(port);
  return true;
}
bool read_ttl(const std::string& value, Written& w) {
  uint64_t ttl = 0;
  if (!parse_integer(value, 1, 255, ttl)) return false;
  w.settings.ttl = static_cast<uint32_t>(ttl);
  return true;
}
bool read_frame(const std::string& value, Written& w) {
  uint64_t frame = 0;
  if (value != "auto" && !parse_size(value, kFrameLeast, kFrameMost, frame)) return false;
  w.settings.frame = frame;
  return true;
}
bool read_receive_buffer(const std::string& value, Written& w) { return parse_size(value, 64 * kKiB, kGiB, w.settings.receive_buffer); }
bool read_send_buffer(const std::string& value, Written& w) { return parse_size(value, 64 * kKiB, kGiB, w.settings.send_buffer); }
bool read_offload(const std::string& value, Written& w) {
  w.settings.offload = value == "on" ? Offload::on : value == "off" ? Offload::off : Offload::automatic;
  return value == "on" || value == "off" || value == "auto";
}

struct Key {
  evs_parameter_info info;
  bool (*read)(const std::string& value, Written& out);
};

constexpr Key kKeys[] = {
    {{"mode", "text", "multicast", "multicast or unicast",
      "multicast: one group, and each host's own address beside it. unicast: a list of peers, each of which gets a copy."},
     read_mode},
    {{"interface", "text", "", "the name of a network interface, or empty",
      "Where packets leave and enter, and nowhere else. Empty with multicast: the only one that is up, beside the loopback; with "
      "unicast: wherever the way to the first peer leads."},
     read_interface},
    {{"address", "text", "", "an IPv4 or IPv6 address without a port, or empty",
      "Our own address. Empty: the interface's first of the family; of IPv6 one that is not link-local, if there is one."},
     read_address},
    {{"group", "text", kDefaultGroup, "a multicast address, IPv4 or IPv6", "The multicast group that all hosts of this bus join."},
     read_group},
    {{"port", "integer", "5410", "1 to 65535", "The port of the group and of each host."}, read_port},
    {{"peers", "text", "", "addresses, each with or without :PORT, separated by commas; no names",
      "With unicast: the hosts of this bus. Our own address may be among them, so that all hosts can have one list."},
     read_peers},
    {{"ttl", "integer", "1", "1 to 255", "How many networks multicast may cross; 1: none but the first."}, read_ttl},
    {{"frame", "size", "auto", "auto, or 512B to 64KiB",
      "Largest frame. auto: what fits the path in one piece. More than that goes as fragments of IP, all of which must arrive: for "
      "networks that lose little."},
     read_frame},
    {{"receive_buffer", "size", "4MiB", "64KiB to 1GiB", "What the kernel keeps of what arrives until it is read."}, read_receive_buffer},
    {{"send_buffer", "size", "1MiB", "64KiB to 1GiB", "What the kernel keeps of what is sent until the network takes it."}, read_send_buffer},
    {{"offload", "text", "auto", "auto, on or off",
      "Segmentation offload (UDP_SEGMENT, UDP_GRO): many frames in one trip through the kernel. on: an error where the kernel has none."},
     read_offload},
};

struct Infos {
  evs_parameter_info row[std::size(kKeys)];
};
constexpr Infos kInfos = [] {
  Infos infos{};
  for (size_t i = 0; i < std::size(kKeys); ++i) infos.row[i] = kKeys[i].info;
  return infos;
}();

std::string known_keys() {
  std::string list;
  for (const Key& key : kKeys) list.append(list.empty() ? "" : ", ").append(key.info.key);
  return list;
}

Problem bad_value(const char* key, const std::string& value, const std::string& why) {
  return bad_parameter("parameter " + std::string(key) + " = \"" + value + "\": " + why);
}

Trouble read_one(const evs_plugin_parameter& parameter, Written& written) {
  const std::string name = parameter.key, value = parameter.value == nullptr ? "" : parameter.value;
  for (const Key& key : kKeys) {
    if (name != key.info.key) continue;
    if (key.read(value, written)) return {};
    return bad_value(key.info.key, value, std::string("valid is ") + key.info.range);
  }
  return bad_parameter("unknown parameter \"" + name + "\"; the udp transport takes " + known_keys());
}

Trouble read_group_address(Written& w) {
  const auto group = Address::parse(w.group.empty() ? kDefaultGroup : w.group, w.settings.port);
  if (!group || !group->is_multicast()) return bad_value("group", w.group, "it is no multicast address (224.0.0.0/4 or ff00::/8)");
  if (group->port() != w.settings.port) return bad_value("group", w.group, "the port belongs into the parameter port");
  w.settings.group = *group;
  if (!w.peers.empty()) return bad_value("peers", w.peers, "it belongs to mode = \"unicast\"");
  return {};
}

Trouble read_peer_list(Written& w) {
  if (w.group_given && !w.group.empty()) return bad_value("group", w.group, "it belongs to mode = \"multicast\"");
  for (size_t at = 0; at < w.peers.size();) {
    const size_t comma = std::min(w.peers.find(',', at), w.peers.size());
    std::string one = w.peers.substr(at, comma - at);
    one.erase(0, one.find_first_not_of(' '));
    one.erase(one.find_last_not_of(' ') + 1);
    at = comma + 1;
    const auto peer = Address::parse(one, w.settings.port);
    if (!peer || peer->is_multicast() || peer->is_wildcard())
      return bad_value("peers", one, "it is no address of a host; 10.0.0.1, 10.0.0.1:5410, fd00::1 and [fd00::1]:5410 are. Names are not looked up");
    if (!w.settings.peers.empty() && w.settings.peers.front().family() != peer->family())
      return bad_value("peers", one, "the peers are of one family, IPv4 or IPv6; " + w.settings.peers.front().host() + " is of the other");
    if (peer->is_link_local() && w.settings.interface.empty()) return bad_value("peers", one, "it is link-local: name the interface");
    w.settings.peers.push_back(*peer);
  }
  if (w.settings.peers.empty()) return bad_parameter("parameter peers is empty: with mode = \"unicast\" it lists the hosts of this bus");
  return {};
}

Trouble read_own_address(Written& w) {
  if (w.address.empty()) return {};
  const auto own = Address::parse(w.address, w.settings.port);
  if (!own || own->port() != w.settings.port || own->is_multicast() || own->is_wildcard())
    return bad_value("address", w.address, "it is no address of a host without a port");
  if (own->is_v6() != w.settings.v6())
    return bad_value("address", w.address, w.settings.v6() ? "it is IPv4, and the others are IPv6" : "it is IPv6, and the others are IPv4");
  w.settings.address = *own;
  return {};
}

int32_t check(const evs_plugin_parameter* parameters, size_t count, evs_error_text* error) {
  try {
    Settings unused;
    const Trouble trouble = read_parameters(parameters, count, unused);
    if (!trouble) return EVS_P_OK;
    std::snprintf(error->text, error->capacity, "%s", trouble->text.c_str());
  } catch (...) {
    std::snprintf(error->text, error->capacity, "out of memory");
  }
  return EVS_P_BAD_PARAMETER;
}

}  // namespace

Trouble read_parameters(const evs_plugin_parameter* parameters, size_t count, Settings& out) {
  Written written;
  for (size_t i = 0; i < count; ++i)
    if (Trouble trouble = read_one(parameters[i], written)) return trouble;
  if (Trouble trouble = written.settings.mode == Mode::multicast ? read_group_address(written) : read_peer_list(written)) return trouble;
  if (Trouble trouble = read_own_address(written)) return trouble;
  written.settings.frame = std::min(written.settings.frame, written.settings.datagram_most());
  out = std::move(written.settings);
  return {};
}

const evs_params_extension* parameter_table() {
  static constexpr evs_params_extension kExtension = {sizeof(evs_params_extension), std::size(kKeys), kInfos.row, check};
  return &kExtension;
}

}  // namespace evs::udp
