// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/sealing/sealed_ring_test.cc - the ordering layer over sealed packets: it neither sees the seal nor what a medium does to it.
//
// Three hosts on one ring, in one thread. The medium brings each datagram three times, once damaged, and plays old ones in between; keys are replaced under way.
#include <deque>

#include "bus/ordering/protocol.h"
#include "tests/unit/sealing/sealing_world.h"

namespace evs::runtime::sealing {
namespace {

namespace ordering = evs::ordering;

class SealedRing {
 public:
  static constexpr HostId kHosts = 3;

  SealedRing() {
    for (HostId id = 1; id <= kHosts; ++id) {
      const uint64_t nonce = 7 + id;
      ordering::Settings settings;
      settings.self = {id, nonce};
      nodes_.emplace_back(settings, Who{.host = id, .life = {1, nonce}});
      nodes_.back().protocol.start(now_, nodes_.back().out);
      carry_out(id);
    }
  }

  bool is_one_ring() const {
    for (const Node& node : nodes_)
      if (!node.protocol.is_operational() || node.protocol.members().size() != kHosts) return false;
    return true;
  }
  void submit(HostId id, const std::string& message) {
    Node& node = nodes_[id - 1];
    uint64_t number = 0;
    const Letter bytes = text(message);
    ASSERT_EQ(node.protocol.submit(now_, ordering::Service::safe, bytes, number, node.out), ordering::Submitted::ok);
    carry_out(id);
  }
  // One datagram arrives in all its forms; without one, the time comes for which somebody waits.
  void step() {
    now_ = now_ + 1000;
    if (wire_.empty()) return wait();
    const Posted posted = wire_.front();
    wire_.pop_front();
    Letter damaged = posted.datagram;
    damaged[dice_.below(damaged.size())] ^= std::byte{4};
    hear(posted.to, damaged);
    hear(posted.to, posted.datagram);
    hear(posted.to, posted.datagram);
    if (past_.size() < 500) past_.push_back(posted.datagram);
    hear(posted.to, past_[dice_.below(past_.size())]);
  }
  void reload(HostId id, const Keyring& keys) { ASSERT_TRUE(nodes_[id - 1].station.sealing->reload(keys).ok()); }
  size_t delivered(HostId id) const { return nodes_[id - 1].log.size(); }
  const std::vector<std::string>& log(HostId id) const { return nodes_[id - 1].log; }
  Station& station(HostId id) { return nodes_[id - 1].station; }
  uint64_t opened_twice_or_wrongly() const { return wrong_; }

 private:
  struct Node {
    Node(const ordering::Settings& settings, const Who& who) : protocol(settings), station(who) {}
    ordering::Protocol protocol;
    ordering::Output out;
    Station station;
    std::vector<std::string> log;
  };
  struct Posted {
    HostId to;
    Letter datagram;
  };

  void wait() {
    ordering::Instant soonest = ordering::kNever;
    for (const Node& node : nodes_) soonest = std::min(soonest, node.protocol.next_deadline());
    now_ = std::max(now_, soonest);
    for (HostId id = 1; id <= kHosts; ++id) {
      if (nodes_[id - 1].protocol.next_deadline() > now_) continue;
      nodes_[id - 1].protocol.on_deadline(now_, nodes_[id - 1].out);
      carry_out(id);
    }
  }
  void hear(HostId id, const Letter& datagram) {
    Node& node = nodes_[id - 1];
    if (node.station.hear(datagram, now_.ns) != Refusal::none) return;
    const auto sender = ordering::load_little<uint32_t>(datagram.data() + 8);
    if (node.station.sender != ordering::Host{sender, 7u + sender}) ++wrong_;
    node.protocol.on_packet(now_, node.station.last, node.out);
    carry_out(id);
  }
  void carry_out(HostId from) {
    Node& node = nodes_[from - 1];
    for (const ordering::Effect& effect : node.out.effects) {
      if (effect.kind == ordering::Effect::Kind::send_to_all || effect.kind == ordering::Effect::Kind::send_to) {
        const Bytes packet = node.out.packet(effect);
        const Letter datagram = node.station.say(Letter(packet.begin(), packet.end()));
        for (HostId to = 1; to <= kHosts; ++to)
          if (effect.to == ordering::kNoHost || effect.to == to) wire_.push_back({to, datagram});  // to ourselves, too, as multicast does
      }
      if (effect.kind != ordering::Effect::Kind::deliver) continue;
      const Bytes bytes = node.out.deliveries[effect.begin].bytes;
      node.log.push_back(words(Letter(bytes.begin(), bytes.end())));
    }
    node.out.clear();
  }

  ordering::Instant now_{1'000'000};
  std::deque<Node> nodes_;
  std::deque<Posted> wire_;
  std::vector<Letter> past_;
  test::Dice dice_{11};
  uint64_t wrong_ = 0;
};

TEST(SealedRing, DeliversWhileKeysAreReplacedAndPacketsReplayed) {
  SealedRing ring;
  for (int i = 0; i < 20'000 && !ring.is_one_ring(); ++i) ring.step();
  ASSERT_TRUE(ring.is_one_ring());
  const Keyring steps[] = {keys_of(kOld, kNew), keys_of(kNew, kOld), Keyring(kNew)};
  size_t said = 0;
  for (int round = 0; round < 9; ++round) {  // a host reads its file anew each round
    for (HostId id = 1; id <= SealedRing::kHosts; ++id) ring.submit(id, std::to_string(++said));
    ring.reload(static_cast<HostId>(round % 3 + 1), steps[round / 3]);
    for (int i = 0; i < 20'000 && (ring.delivered(1) < said || ring.delivered(2) < said || ring.delivered(3) < said); ++i) ring.step();
    ASSERT_EQ(ring.delivered(1), said);
  }
  EXPECT_TRUE(ring.is_one_ring());  // nobody fell out
  for (HostId id = 2; id <= SealedRing::kHosts; ++id) EXPECT_EQ(ring.log(id), ring.log(1));
  EXPECT_EQ(ring.opened_twice_or_wrongly(), 0u);
  for (HostId id = 1; id <= SealedRing::kHosts; ++id) {
    EXPECT_GT(ring.station(id).count(Refusal::replay), 20u);
    EXPECT_GT(ring.station(id).count(Refusal::tag), 20u);
    EXPECT_GT(ring.station(id).count(Refusal::echo), 10u);
    EXPECT_EQ(ring.station(id).sealing->senders(), 2u);
  }
}

}  // namespace
}  // namespace evs::runtime::sealing
