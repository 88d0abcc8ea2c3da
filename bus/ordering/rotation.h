// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/rotation.h - one visit of the token: say again what is missing, ask for what I lack, send, move the lines, pass it on.
//
// Totem's single ring (Amir et al. 1995) with the Accelerated Ring's early token (Babay, Amir 2016): the last frames of a visit go out
// behind the token, so that the next member works while we still send. The token then speaks of frames that are not on the wire yet;
// hence nobody asks for anything above what the token of the previous rotation spoke of. In recovery there is no acceleration.
//
// Used in recovery (frames of the ring before) and in operation (messages); whose frames those are is the Work's.
#pragma once

#include "bus/ordering/frame_store.h"
#include "bus/ordering/output.h"
#include "bus/ordering/rare.h"
#include "bus/ordering/settings.h"

namespace evs::ordering {

// What is waiting to be sent: frames of the send queue, or of the ring before.
class Work {
 public:
  virtual ~Work() = default;
  virtual uint32_t frames() const = 0;  // about how many
  // Encodes one frame with this place into `packet`; false: nothing left.
  virtual bool stamp(const RingId& ring, Seq seq, Seq previous, uint64_t round, Frame& frame, Output& out) = 0;
  // Frames behind `before`, up to `high`, have got their places, and neither they nor the token have left.
  virtual void before_sending(Seq before, Seq high, Output& out) = 0;
};

class Rotation {
 public:
  static constexpr uint32_t kFramesInPlace = 16;  // while the token stays with us, and of a visit of who may keep it at the next one

  Rotation(const Settings& settings, const RingId& ring, const Hosts& members, FrameStore& store, RareCounts& rare);

  bool is_stale(const Token& token) const { return token.visit <= last_visit_; }
  bool mark_fell(const Token& token) const { return std::min(passed_on_, token.received_by_all) < stable_; }

  // Who stamps stays within the window behind what it has forgotten, and that all of us have received.
  bool is_outside_window(const Token& token) const {
    return token.high > store_.received_up_to() && token.high.value - store_.received_up_to().value > store_.capacity();
  }

  // All of a visit but the passing on: the token as it is to be sent. Frames that go out before it are in `out`; those behind it are
  // sent by send_rest().
  void visit(Token& token, Work& work, bool accelerate, Output& out);
  // More of our own while the token stays with us: the same visit still, and the same allowance.
  void speak_in_place(Token& token, Work& work, Output& out);
  uint32_t spoken_in_place() const { return spoken_in_place_; }  // frames, since the token came
  void pass_on(const Token& token, Output& out);  // keeps it, so that it can be said again
  void send_rest(Output& out);
  void repeat(Output& out) const;                 // the token that was passed on last, if one was

  bool is_representative() const { return ring_.representative == settings_.self.id; }
  bool is_alone() const { return member_count_ == 1; }
  Seq stable() const { return stable_; }
  Seq high() const { return high_last_round_; }  // as the token said on its last visit
  uint32_t idle_visits() const { return idle_visits_; }
  // Somebody asks for the token.
  void wake() {
    idle_visits_ = 0;
    asked_for_ = true;
  }
  void heard(HostId sender, Seq seq, Service service) {  // a frame of somebody's that is new to us
    if (service == Service::safe) last_safe_ = std::max(last_safe_, seq);
    speakers_.several |= speakers_.one != kNoHost && speakers_.one != sender;
    speakers_.one = sender;
  }
  // In the rotation before this token nobody else had anything to say, nothing that was spoken of is missing anywhere, and what is SAFE all have delivered.
  bool is_ours_alone(const Token& token) const {
    return !asked_for_ && nobody_else_spoke(token) && token.wanted.empty() && token.received_by_all >= high_last_round_ && last_safe_ <= told_stable_;
  }
  // The token may stay with another one. Only where two others have spoken since our last visit is it on its way: it stays with nobody in that rotation.
  bool may_rest_elsewhere() const { return idle_visits_ != 0 || (settings_.token_linger != 0 && spent_last_ == 0 && !speakers_.several); }
  // The line counts nothing of what we hold beyond `seq`, until release_line(): of a ring that is not installed nothing is promised.
  void hold_line(Seq seq) { line_held_at_ = seq; }
  void release_line() { line_held_at_ = Seq{UINT64_MAX}; }
  // Who has held received_by_all back for a visit or more, although its readers keep up; kNoHost: nobody.
  HostId lagging() const { return stalled_visits_ != 0 ? stalled_by_ : kNoHost; }
  // Who has held received_by_all back for so many visits that it must be deaf; kNoHost: nobody.
  HostId deaf() const { return stalled_visits_ > settings_.cannot_receive_visits ? stalled_by_ : kNoHost; }

 private:
  void say_again(const Token& token, uint32_t allowance, uint32_t& said, Output& out);
  void ask_for_missing(Token& token, bool accelerate);
  void move_line(Token& token);
  void watch_for_rest(const Token& token, bool worked);
  void emit(Frame& frame, Output& out);
  bool nobody_else_spoke(const Token& token) const { return token.spent <= spent_last_ && token.backlog <= backlog_last_; }
  uint32_t allowance(const Token& token, uint32_t backlog) const;  // what may still be said at this visit
  void stamp(Token& token, Work& work, uint32_t frames, Output& out);

  const Settings& settings_;
  const RingId ring_;
  const uint32_t member_count_;
  HostId successor_ = kNoHost;
  FrameStore& store_;
  RareCounts& rare_;

  uint64_t last_visit_ = 0;
  uint64_t round_ = 0;        // tokens passed on
  Seq previous_;              // our last frame
  Seq high_last_round_;       // what the token that we passed on last spoke of
  Seq passed_on_;             // received_by_all as we passed it on last
  Seq stable_;
  Seq last_line_;
  Seq line_held_at_{UINT64_MAX};
  uint32_t spent_last_ = 0, backlog_last_ = 0;
  uint32_t spoken_in_place_ = 0;
  Seq last_safe_;             // the latest frame that waits, or waited, for the line
  Seq told_stable_;           // stable_ as we passed the token on last
  struct Speakers {
    HostId one = kNoHost;
    bool several = false;
  };
  Speakers speakers_;         // others, since our last visit
  bool asked_for_ = false;
  uint32_t idle_visits_ = 0;
  uint32_t stalled_visits_ = 0;
  HostId stalled_by_ = kNoHost;
  Seq rest_first_, rest_end_; // ours that go out behind the token
  std::vector<Seq> wanted_;
  std::vector<std::byte> kept_token_;
};

}  // namespace evs::ordering
