// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/transport.cc - opening, and going on when the interface goes and comes back.
//
// An interface that is unplugged, renewed by its manager or recreated by a container's runtime is no end of the medium: until it is
// back everything sent is lost, as with any other break of the network, and then the sockets are opened anew on whatever now
// bears the name. receive_fd() is an epoll descriptor of ours, so the host keeps it throughout.
#include "plugins/udp/transport.h"

#include <algorithm>
#include <utility>

namespace evs::udp {

namespace {

constexpr uint64_t kLookAgainNs = 1'000'000'000;  // while the interface is absent, or nobody tells us of changes
constexpr uint64_t kLooksApartNs = 100'000'000;  // a look lists all interfaces, and changes come in swarms

}  // namespace

}  // namespace evs::udp

using namespace evs::udp;

evs_transport::evs_transport(const evs_host* host, Settings given, uint64_t seed)
    : counters(host),
      voice(host, counters),
      settings(std::move(given)),
      peers(seed),
      sender(settings, counters, voice, peers),
      receiver(counters, voice, peers) {}

Trouble evs_transport::open() {
  links.open();  // before the first look, so that no change falls between
  Place place;
  if (Trouble trouble = find_place(place)) return trouble;
  if (Trouble trouble = receiver.open()) return trouble;
  if (Trouble trouble = open_at(place)) return trouble;
  say_buffers();
  return configure_peers();
}

Trouble evs_transport::find_place(Place& out) const {
  std::vector<Interface> all;
  if (Trouble trouble = list_interfaces(all)) return trouble;
  return choose_place(settings, all, out);
}

Trouble evs_transport::open_at(const Place& place) {
  sockets_ = Sockets{};  // the old ones first: they hold the port
  Sockets fresh;
  if (Trouble trouble = open_sockets(settings, place, fresh)) return trouble;
  sockets_ = std::move(fresh);
  place_ = place;
  sender.limit_path(place.interface.mtu);
  receiver.set_own(place.own, place.interface.loopback);
  if (Trouble trouble = receiver.watch(sockets_)) {
    sockets_ = Sockets{};  // who hears nothing says nothing
    return trouble;
  }
  describe();
  return {};
}

// All of the list but ourselves, whoever that is today.
Trouble evs_transport::configure_peers() {
  peers.release(place_.own);
  for (const Address& peer : settings.peers) {
    if (peer == place_.own) continue;
    if (peers.configure(peer) == kNoPeer)
      return bad_parameter("parameter peers names more hosts than the " + std::to_string(kPlaces - kStrangers) + " that fit");
  }
  return {};
}

void evs_transport::say_buffers() {
  for (const std::string& text : {buffer_warning("receive_buffer", "net.core.rmem_max", settings.receive_buffer, sockets_.receive_buffer),
                                  buffer_warning("send_buffer", "net.core.wmem_max", settings.send_buffer, sockets_.send_buffer)})
    if (!text.empty()) voice.say(EVS_HOST_LOG_WARNING, "udp.buffer", text);
}

int32_t evs_transport::send(const evs_datagram* frames, size_t count, size_t* taken) {
  if (!sockets_.open()) {  // as on a network that loses all
    *taken = count;
    counters.add(Count::unreachable, count);
    return EVS_P_OK;
  }
  for (size_t i = 0; i < count; ++i) {
    if (frames[i].size <= sender.largest_frame()) continue;
    const int32_t before = send_fitting(frames, i, taken);
    return before == EVS_P_OK && *taken == i ? EVS_P_TOO_BIG : before;
  }
  return send_fitting(frames, count, taken);
}

int32_t evs_transport::send_fitting(const evs_datagram* frames, size_t count, size_t* taken) {
  const int32_t status = sender.send(sockets_, frames, count, taken);
  if (sender.suspects() && look_at_ns_ == UINT64_MAX) {
    look_at_ns_ = looked_at_ns_ + kLookAgainNs;  // an unreachable peer is a suspicion a frame
    voice.wake_service();
  }
  return status;
}

int32_t evs_transport::receive(evs_datagram* frames, size_t count, size_t* got) {
  const int32_t status = receiver.receive(frames, count, got);
  sender.limit_path(receiver.path_told());
  return status;
}

uint64_t evs_transport::work(uint64_t now) {
  const LinkWatch::News news = links.take(place_.interface.index);
  replaced_ |= news.gone;
  if (news.ours || (news.any && absent_)) look_at_ns_ = std::min(look_at_ns_, looked_at_ns_ + kLooksApartNs);
  if (now >= look_at_ns_) {
    look_at_interface();
    looked_at_ns_ = now;
    look_at_ns_ = absent_ || blind_ || links.fd() < 0 ? now + kLookAgainNs : UINT64_MAX;
  }
  counters.set(Count::strangers_pushed_out, peers.pushed_out());
  if (offload_said_ != sockets_.cuts) describe();
  return look_at_ns_;
}

void evs_transport::look_at_interface() {
  Place now;
  Trouble trouble = find_place(now);
  if (trouble && trouble->blind) {
    if (!std::exchange(blind_, true)) voice.say(EVS_HOST_LOG_WARNING, "udp.blind", trouble->text + "; going on as before");
    return;
  }
  blind_ = false;
  const bool changed = std::exchange(replaced_, false) || absent_ || !sockets_.open() || !now.same_as(place_);
  if (!trouble && !changed) return sender.limit_path(now.interface.mtu);
  if (!trouble) trouble = open_at(now);
  if (!trouble) return go_on_at(now);
  if (!absent_) voice.say(EVS_HOST_LOG_WARNING, "udp.absent", trouble->text + "; all that is sent is lost until it is back");
  absent_ = true;
}

void evs_transport::go_on_at(const Place& place) {
  absent_ = false;
  counters.add(Count::reopened);
  voice.say(EVS_HOST_LOG_INFO, "udp.reopened", "sockets opened anew on " + place.interface.name + ", address " + place.own.text());
  if (Trouble trouble = configure_peers()) voice.say(EVS_HOST_LOG_WARNING, "udp.peers", trouble->text);
}

void evs_transport::describe() {
  offload_said_ = sockets_.cuts;
  std::string text = "mode " + std::string(settings.mode == Mode::multicast ? "multicast" : "unicast") + "\ninterface " +
                     place_.interface.name + "\naddress " + place_.own.text();
  if (settings.mode == Mode::multicast) text += "\ngroup " + settings.group.text();
  text += "\nmtu_bytes " + std::to_string(place_.interface.mtu) + "\nframe_bytes " + std::to_string(sender.largest_frame()) +
          "\nreceive_buffer_bytes " + std::to_string(sockets_.receive_buffer) + "\nsend_buffer_bytes " +
          std::to_string(sockets_.send_buffer) + "\nsend_offload " + (sockets_.cuts ? "on" : "off") + "\nreceive_offload " +
          (sockets_.joins ? "on" : "off") + "\n";
  const std::lock_guard guard(text_mutex_);
  text_ = std::move(text);
}

std::string evs_transport::description() const {
  const std::lock_guard guard(text_mutex_);
  return text_;
}
