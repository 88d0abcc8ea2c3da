// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/transport.h - one udp transport: settings, sockets, and what passes through them.
//
// All of it belongs to the service thread once start() returned, as evs/plugin.h says; so there is no lock but the one around the
// text that any thread may ask for.
#pragma once

#include <mutex>
#include <new>
#include <string>

#include "plugins/udp/link_watch.h"
#include "plugins/udp/receiver.h"
#include "plugins/udp/sender.h"

struct evs_transport {
  evs_transport(const evs_host* host, evs::udp::Settings given, uint64_t seed);

  evs::udp::Trouble open();
  int32_t send(const evs_datagram* frames, size_t count, size_t* taken);
  int32_t receive(evs_datagram* frames, size_t count, size_t* got);
  // The service thread's turn: is the interface still what it was?
  uint64_t work(uint64_t now);

  evs::udp::Counters counters;
  evs::udp::Voice voice;
  const evs::udp::Settings settings;
  evs::udp::Peers peers;
  evs::udp::Sender sender;
  evs::udp::Receiver receiver;
  evs::udp::LinkWatch links;
  std::string description() const;

 private:
  int32_t send_fitting(const evs_datagram* frames, size_t count, size_t* taken);
  evs::udp::Trouble open_at(const evs::udp::Place& place);
  evs::udp::Trouble configure_peers();
  void say_buffers();
  evs::udp::Trouble find_place(evs::udp::Place& out) const;
  void look_at_interface();
  void go_on_at(const evs::udp::Place& place);
  void describe();

  evs::udp::Place place_;
  evs::udp::Sockets sockets_;
  bool absent_ = false;      // the interface or our address is not there
  bool blind_ = false;       // the last look saw nothing: what was there before holds
  bool replaced_ = false;    // the interface was removed since the last look that saw something
  bool offload_said_ = true;  // what describe() last told of it
  uint64_t look_at_ns_ = 0, looked_at_ns_ = 0;
  mutable std::mutex text_mutex_;
  std::string text_;
};

namespace evs::udp {

// Runs `body` and turns whatever it throws into a status: no exception may reach the host.
template <class Body>
int32_t guarded(Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return EVS_P_NO_MEMORY;
  } catch (...) {
    return EVS_P_INTERNAL;
  }
}

}  // namespace evs::udp
