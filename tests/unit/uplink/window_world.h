// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_world.h - hosts on a network of chance, each with a window file and, beside it, the stored state that it must be equal to.
//
// Messages of all services and sizes, some in many fragments; packets are lost, hosts fall apart and meet again, logs are full for a while, processes are killed
// between two effects and go on from their files.
#pragma once

#include <functional>
#include <map>

#include "tests/support/dice.h"
#include "tests/unit/uplink/window_ground.h"

namespace evs::runtime::uplink {

using ordering::Effect;
using ordering::HostId;
using ordering::Instant;

class WindowWorld {
 public:
  static constexpr uint32_t kHosts = 3;

  explicit WindowWorld(uint64_t seed) : dice_(seed) {
    for (HostId id = 1; id <= kHosts; ++id) {
      Seat& seat = seats_[id - 1];
      ordering::Settings& s = seat.settings;
      s.self = {id, 100 * id};
      s.for_successor = true;
      s.token_lost = 50 * ordering::kMillisecond;
      s.token_resend = 10 * ordering::kMillisecond;
      s.token_hold = 5 * ordering::kMillisecond;
      s.join_resend = 10 * ordering::kMillisecond;
      s.consensus = 60 * ordering::kMillisecond;
      s.merge_probe = 20 * ordering::kMillisecond;
      s.stalled_host = 100 * ordering::kMillisecond;
      s.frame_bytes = id == 1 ? 300 : 600;
      s.store_frames = kStoreFrames;
      s.window_frames = 32;
      s.personal_frames = 12;
      s.accelerated_frames = static_cast<uint32_t>(dice_.below(8));
      s.message_limit = kMessageLimit;
      s.queue_bytes = 1u << 16;
      seat.file = ground_.open(name_of(id), shape());
      seat.core = std::make_unique<ordering::Protocol>(s);
      seat.core->start(now_, seat.out);
      carry_out(seat);
    }
  }

  // Slots for the frames of host 1: those of the others take several.
  static constexpr uint32_t kStoreFrames = 64, kMessageLimit = 6000;
  static WindowFile::Shape shape_of_all() { return {kStoreFrames, 228, kMessageLimit, 4096}; }
  WindowFile::Shape shape() const { return shape_of_all(); }

  void run(uint32_t turns) {
    for (uint32_t i = 0; i < turns && !testing::Test::HasFailure(); ++i) turn();
  }

  // How a step is taken. What is in `file` afterwards is gone on with.
  using File = std::unique_ptr<WindowFile>;
  std::function<shm::Status(File& file, const std::string& name, const Effect&, const ordering::Output&, const ordering::Protocol&)> take =
      [](File& file, const std::string&, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
        return file->take(effect, out, protocol);
      };
  // Who is killed before this effect has got so far with it. Its answer: what it prepared, if anything, has its record.
  std::function<std::optional<bool>(WindowFile&, const Effect&, const ordering::Output&, const ordering::Protocol&)> dying =
      [](WindowFile&, const Effect&, const ordering::Output&, const ordering::Protocol&) { return std::nullopt; };
  std::function<void(WindowFile&, const std::string& name)> reopened = [](WindowFile&, const std::string&) {};
  bool dies_in_appends = false;
  bool compared = true;  // with the reference, after each step
  const WindowGround& ground() const { return ground_; }

  // What came to pass, so that a test can say that it did.
  struct Seen {
    uint64_t windows = 0, deliveries = 0, configurations = 0, endings = 0, obligations = 0, kills = 0, finished = 0, voided = 0, begun = 0, transitional = 0, chains = 0;
  } seen;

 private:
  struct Seat {
    ordering::Settings settings;
    std::unique_ptr<ordering::Protocol> core;
    ordering::StoredState reference;
    std::unique_ptr<WindowFile> file;
    ordering::Output out;
    uint64_t kill_after = UINT64_MAX;
  };
  static std::string name_of(HostId id) { return "bus" + std::to_string(id) + ".window"; }

  void turn() {
    if (dice_.one_in(400)) cut_ = dice_.one_in(2) ? kHosts + 1 : static_cast<HostId>(dice_.between(1, kHosts));
    if (dice_.one_in(300)) lossy_ = !lossy_;
    Seat& seat = seats_[dice_.below(kHosts)];
    if (dice_.one_in(500)) seat.kill_after = dice_.below(12);
    if (dice_.one_in(8)) submit(seat);
    if (dice_.one_in(200)) room_ = dice_.one_in(3) ? 8000 : 1u << 30;
    step();
  }

  void submit(Seat& seat) {
    static constexpr size_t kSizes[] = {0, 20, 100, 600, 2500, 6000};
    const std::vector<std::byte> message(kSizes[dice_.below(6)], static_cast<std::byte>(dice_.below(256)));
    uint64_t number = 0;
    seat.core->set_room(room_);
    seat.core->submit(now_, static_cast<ordering::Service>(dice_.below(4)), message, number, seat.out);
    carry_out(seat);
  }

  void step() {
    Instant at = flying_.empty() ? ordering::kNever : flying_.begin()->first.first;
    Seat* due = nullptr;
    for (Seat& each : seats_)
      if (each.core->next_deadline() < at) {
        at = each.core->next_deadline();
        due = &each;
      }
    now_ = std::max(now_, at);
    if (due == nullptr) {
      const auto packet = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      due = &seats_[packet.first - 1];
      due->core->set_room(room_);
      due->core->on_packet(now_, packet.second, due->out);
    } else {
      due->core->set_room(room_);
      due->core->on_deadline(now_, due->out);
    }
    carry_out(*due);
    due->core->on_room(now_, room_, due->out);
    carry_out(*due);
  }

  void carry_out(Seat& seat) {
    for (const Effect& effect : seat.out.effects) {
      if (seat.kill_after == 0 && (!dies_in_appends || appends(effect))) {
        seat.kill_after = UINT64_MAX;
        die(seat, effect);
        seat.out.clear();
        return follow(seat);
      }
      if (seat.kill_after != UINT64_MAX && seat.kill_after != 0) --seat.kill_after;
      if (effect.kind == Effect::Kind::send_to_all || effect.kind == Effect::Kind::send_to) send(seat, effect);
      else store(seat, effect);
      if (testing::Test::HasFailure()) return;
    }
    seat.out.clear();
  }

  void store(Seat& seat, const Effect& effect) {
    apply(seat.reference, effect, seat.out, *seat.core);
    const shm::Status taken = take(seat.file, name_of(seat.settings.self.id), effect, seat.out, *seat.core);
    ASSERT_TRUE(taken.ok()) << taken.text;
    count(effect, seat.out);
    if (effect.kind == Effect::Kind::stamped) return;
    if (!compared) return;
    const ordering::StoredState loaded = seat.file->load();
    ASSERT_EQ(difference(loaded, seat.reference), "") << "after an effect of kind " << static_cast<int>(effect.kind) << ", store "
                                                      << static_cast<int>(effect.stored.kind) << " at host " << seat.settings.self.id;
    seen.begun += !loaded.beginnings.empty();
    for (const auto& [seq, packet] : loaded.frames) seen.chains += packet.size() > 300;
    if (dice_.one_in(50)) open_again(seat);
  }
  void open_again(Seat& seat) {
    seat.file.reset();
    seat.file = ground_.open(name_of(seat.settings.self.id), shape());
    reopened(*seat.file, name_of(seat.settings.self.id));
    ASSERT_EQ(difference(seat.file->load(), seat.reference), "") << "opened again";
  }
  void count(const Effect& effect, const ordering::Output& out) {
    using Kind = ordering::Stored::Kind;
    seen.deliveries += effect.kind == Effect::Kind::deliver;
    seen.configurations += effect.kind == Effect::Kind::configuration && out.configurations[effect.begin].regular;
    seen.transitional += effect.kind == Effect::Kind::deliver && out.deliveries[effect.begin].transitional;
    if (effect.kind != Effect::Kind::store) return;
    seen.windows += effect.stored.kind == Kind::window;
    seen.endings += effect.stored.kind == Kind::ending;
    seen.obligations += effect.stored.kind == Kind::obligations;
  }

  void die(Seat& seat, const Effect& effect) {
    const std::optional<bool> has_record = dying(*seat.file, effect, seat.out, *seat.core);
    if (!has_record) return;
    seat.file.reset();
    seat.file = ground_.open(name_of(seat.settings.self.id), shape());
    ASSERT_TRUE(seat.file->under_way());
    ASSERT_EQ(difference(seat.file->load(), seat.reference), "") << "what is under way does not count";
    const shm::Status finished = WindowFile::finish_under_way(seat.file, *has_record);
    ASSERT_TRUE(finished.ok()) << finished.text;
    if (*has_record) apply(seat.reference, effect, seat.out, *seat.core);
    ASSERT_EQ(difference(seat.file->load(), seat.reference), "") << (*has_record ? "what has its record counts" : "what has none does not count");
    ++(*has_record ? seen.finished : seen.voided);
    finished_ = dice_.one_in(2);
  }

  // The process is dead, and another one goes on from its file, or from what is at hand of it.
  void follow(Seat& seat) {
    ++seen.kills;
    if (!finished_) open_again(seat);
    finished_ = false;
    ++seat.settings.self.nonce;
    seat.reference.transmitted.clear();
    seat.core = std::make_unique<ordering::Protocol>(seat.settings);
    seat.core->set_room(room_);
    seat.core->resume(now_, seat.file->load(), seat.out);
    carry_out(seat);
  }

  void send(Seat& seat, const Effect& effect) {
    const ordering::Bytes packet = seat.out.packet(effect);
    const HostId self = seat.settings.self.id;
    for (HostId to = 1; to <= kHosts; ++to) {
      const bool meant = to != self && (effect.kind == Effect::Kind::send_to_all || effect.to == to);
      const bool apart = (to == cut_) != (self == cut_);
      if (!meant || apart || (lossy_ && dice_.one_in(20))) continue;
      flying_[{now_ + (100'000 + dice_.below(50'000)), order_++}] = {to, {packet.begin(), packet.end()}};
    }
  }

  test::Dice dice_;
  WindowGround ground_;
  std::array<Seat, kHosts> seats_;
  std::map<std::pair<Instant, uint64_t>, std::pair<HostId, std::vector<std::byte>>> flying_;
  uint64_t order_ = 0;
  uint64_t room_ = 1u << 30;
  HostId cut_ = kHosts + 1;  // nobody
  bool lossy_ = false;
  bool finished_ = false;  // the successor goes on with what finish_under_way() made
  Instant now_{ordering::kMillisecond};
};

}  // namespace evs::runtime::uplink
