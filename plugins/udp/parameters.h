// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/parameters.h - what the udp transport can be told, declared once.
//
// One table says which keys exist, what `evs plugins --params` prints and what an error cites. Interfaces are not looked up here:
// a configuration can be judged on a machine that it is not for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "evs/plugin.h"
#include "plugins/udp/address.h"
#include "plugins/udp/problem.h"

namespace evs::udp {

enum class Mode : uint8_t { multicast, unicast };
enum class Offload : uint8_t { automatic, on, off };

struct Settings {
  Mode mode = Mode::multicast;
  std::string interface;        // empty: found by the address, by the way to the peers, or the only one there is
  Address address;              // our own; empty: the interface's first
  Address group;                // multicast alone; with the port
  uint16_t port = 5410;
  std::vector<Address> peers;   // unicast alone; may hold ourselves
  uint32_t ttl = 1;             // of multicast
  size_t frame = 0;             // 0: what fits the path unfragmented
  uint64_t receive_buffer = 4u << 20, send_buffer = 1u << 20;
  Offload offload = Offload::automatic;

  bool v6() const { return mode == Mode::multicast ? group.is_v6() : peers.front().is_v6(); }
  // IP and UDP headers, and the largest frame that one datagram can be.
  size_t header_bytes() const { return v6() ? 48 : 28; }
  size_t datagram_most() const { return 65535 - header_bytes(); }
};

Trouble read_parameters(const evs_plugin_parameter* parameters, size_t count, Settings& out);
const evs_params_extension* parameter_table();

}  // namespace evs::udp
