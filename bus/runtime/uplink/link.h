// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/link.h - this host on its ring: the ordering layer over a datagram medium, sealed.
//
//     medium -- datagrams --> open() --> Protocol --> effects --> what is delivered and stored: the Sink
//     medium <-- datagrams -- seal() <------------------ sends
//
// One thread, the gateway's. Nothing here waits: who drives it sleeps until fd() is readable, next() is there, or the Sink has room again, and calls turn().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bus/ordering/stored.h"
#include "bus/runtime/uplink/hearing.h"
#include "bus/runtime/uplink/outgoing.h"
#include "bus/runtime/uplink/parts.h"
#include "bus/runtime/uplink/ring_watch.h"
#include "bus/runtime/uplink/snapshot.h"
#include "bus/runtime/uplink/twins.h"

namespace evs::runtime::uplink {

// Where things go that do not leave the host.
class Sink {
 public:
  virtual ~Sink() = default;
  // What the log has room for (bus/ordering/room.h).
  virtual uint64_t room() = 0;
  // Any effect but sends and flush_receive, in their order. A `store` has reached what survives this process when it returns; `protocol` has the frames that it
  // names (bus/ordering/stored.h).
  virtual void carry_out(const ordering::Output& out, const ordering::Effect& effect, const ordering::Protocol& protocol) = 0;
  // What comes of it, such as a host's opening: true when it called the protocol, whose effects are then in `out`.
  virtual bool follow_up(ordering::Instant, ordering::Protocol&, ordering::Output&) { return false; }
  // False: an effect could not be carried out. What comes behind it may depend on it, so nothing of that happens any more, as if the process had been killed there.
  virtual bool goes_on() const { return true; }
};

class Link {
 public:
  struct Counts {
    uint64_t received = 0;      // datagrams
    uint64_t received_bytes = 0;
    uint64_t to_nobody = 0;     // packets to a host whose address is not known
    uint64_t flushed = 0;       // datagrams that had waited while we did not run
    uint64_t not_flushed = 0;   // times when more came than there was patience for
  };

  // `sealing` and `sink` must outlive it. settings.frame_bytes must leave room for the seal in the medium's largest frame: packet_bytes_for(). All hosts of a bus
  // have one hello_period.
  Link(const ordering::Settings& settings, sealing::Sealing& sealing, const Medium& medium, Sink& sink, ordering::Duration hello_period = Hearing::kPeriod);

  void start(ordering::Instant now);
  void resume(ordering::Instant now, const ordering::StoredState& stored);
  // What came, and what is due. True: more is there; come back before you wait.
  bool turn(ordering::Instant now);
  void act_on_deadlines(ordering::Instant now);  // alone, behind calls that may have made some due at once
  ordering::Instant next(ordering::Instant now) const;
  int fd() const { return medium_.fd(); }

  // Any call of the protocol: `make(protocol, out)`; its effects are carried out.
  template <class Make>
  auto call(ordering::Instant now, Make&& make) {
    protocol_.set_room(sink_.room());
    const auto result = make(protocol_, out_);
    carry_out(now);
    return result;
  }
  ordering::Submitted submit(ordering::Instant now, ordering::Service service, ordering::Bytes message, uint64_t& number) {
    return call(now, [&](ordering::Protocol& protocol, ordering::Output& out) { return protocol.submit(now, service, message, number, out); });
  }
  void leave(ordering::Instant now);
  // The key file was changed (Sealing::reload). What came of it is among the next snapshot's notices, too.
  Result<bool> reload_key();

  // What is to be told of it (episodes.h). Notices are handed out once.
  Snapshot look(ordering::Instant now);

  const ordering::Protocol& protocol() const { return protocol_; }
  ordering::Protocol& protocol() { return protocol_; }  // for what is made on top of it; its calls go through call()
  const Outgoing& outgoing() const { return outgoing_; }
  const Counts& counts() const { return counts_; }
  const RingWatch::Counts& rings() const { return rings_.counts(); }
  const Joiner& joiner() const { return joiner_; }
  // Another host goes by our id, and it is this one that must go (twins.h).
  bool must_go(ordering::Instant now) const { return twins_.must_go(now); }
  const Twins& twins() const { return twins_; }
  // Empty, or why this link is over, in words: the medium is closed, or nothing can be sealed any more. Another life may begin on another one.
  std::string failure() const;

 private:
  struct Peer {
    ordering::Host host;
    uint32_t index = 0;
    bool vouched = false;
    Hearing::Ear* ear = nullptr;
    Complaints complaints{};
  };
  bool receive(ordering::Instant now);
  void drain();
  void carry_out(ordering::Instant now);
  bool note(ordering::Instant now, const ordering::Effect& effect);
  void send(const ordering::Effect& effect);
  void say_hello(ordering::Instant now);
  void open_one(ordering::Instant now, const sealing::ToOpen& opened, const evs_datagram& datagram);
  void make_room_for_a_peer();
  void forget(std::map<ordering::HostId, Peer>::iterator peer);
  void forget_who_left(const Snapshot& seen);

  const Medium medium_;
  sealing::Sealing& sealing_;
  Sink& sink_;
  ordering::Protocol protocol_;
  ordering::Output out_;
  Outgoing outgoing_;
  std::vector<std::byte> room_;
  std::vector<evs_datagram> datagrams_;
  std::vector<sealing::ToOpen> to_open_;
  Peer& learn(ordering::Instant now, const ordering::Host& sender, uint32_t index);
  void blame(Peer& peer);
  std::map<ordering::HostId, Peer> peers_;  // of hosts that we could open packets of
  Joiner joiner_;
  Hearing hearing_;
  RingWatch rings_;
  uint64_t given_up_ = 0, not_understood_ = 0;  // of the protocol's counters: what has been laid at somebody's door
  std::optional<uint32_t> speaker_;  // whose packet is being acted on, while it is
  ordering::Host speaker_host_;
  Twins twins_;
  uint64_t pauses_ = 0;
  ordering::Duration paused_for_ = 0;
  std::vector<Notice> notices_;
  uint64_t looked_at_ring_ = 0;  // the addresses in the snapshot are for
  ordering::Hosts looked_at_;    // its members
  bool closed_ = false;
  bool drained_ = false;
  Counts counts_;
};

}  // namespace evs::runtime::uplink
