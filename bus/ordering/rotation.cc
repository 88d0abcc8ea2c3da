// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/rotation.cc - see rotation.h.
#include "bus/ordering/rotation.h"
#include "bus/ordering/mutant.h"

#include <algorithm>
#include <utility>

namespace evs::ordering {
namespace {

constexpr uint32_t kMaxAsked = 1024;  // frames that one member adds to a token's wishes

}  // namespace

Rotation::Rotation(const Settings& settings, const RingId& ring, const Hosts& members, FrameStore& store, RareCounts& rare)
    : settings_(settings), ring_(ring), member_count_(static_cast<uint32_t>(members.size())), store_(store), rare_(rare) {
  const auto me = std::find(members.begin(), members.end(), settings.self);
  successor_ = me + 1 == members.end() ? members.front().id : (me + 1)->id;
}

// By reference: a frame that was held or stamped in this call keeps its slot until the next one. Alone, several visits and the end of a
// recovery come in one call, and may go around the store; nobody hears what is said there, so that a copy costs nothing that counts.
void Rotation::emit(Frame& frame, Output& out) {
  wire::set_round(frame.packet.whole(), round_);
  if (is_alone()) out.send(kNoHost, frame.packet);
  else out.send_kept(kNoHost, frame.packet);
}

// What others ask for and we hold, in their order. What does not fit into the allowance stays wanted, for who comes next.
void Rotation::say_again(const Token& token, uint32_t allowance, uint32_t& said, Output& out) {
  wanted_.clear();
  for (const SeqRange& range : token.wanted) {
    const uint64_t end = range.first.value + range.count;
    for (Seq seq = std::max(range.first, next(store_.forgotten_through())); seq.value < end; seq = next(seq)) {  // before: everybody has it, an old wish
      Frame* frame = store_.find(seq);
      if (frame == nullptr || said == allowance) {
        wanted_.push_back(seq);
        continue;
      }
      emit(*frame, out);
      ++said;
      ++rare_.ring.said_again;
    }
  }
}

void Rotation::ask_for_missing(Token& token, bool accelerate) {
  Seq until = accelerate && !planted(Mutant::ask_for_the_unsent) ? std::min(token.high, high_last_round_) : token.high;
  if (planted(Mutant::ask_up_to_highest_held)) until = std::min(until, store_.high());
  until = std::min(until, Seq{store_.forgotten_through().value + store_.capacity()});  // beyond it there is no place to put it
  uint32_t asked = 0;
  for (Seq s = next(store_.received_up_to()); s <= until && asked < kMaxAsked; s = next(s)) {
    if (store_.find(s) != nullptr) continue;
    wanted_.push_back(s);
    ++asked;
  }
  rare_.ring.asked += asked;
  std::sort(wanted_.begin(), wanted_.end());
  token.wanted.clear();
  for (const Seq s : wanted_) {
    SeqRange* last = token.wanted.empty() ? nullptr : &token.wanted.back();
    if (last != nullptr && s.value < last->first.value + last->count) continue;
    if (last != nullptr && s.value == last->first.value + last->count) ++last->count;
    else if (token.wanted.size() < kMaxWanted) token.wanted.push_back({s, 1});
    else return rare_.saw(Rare::wishes_cut);
  }
}

// received_by_all is the least of what members have; the one who lowered it is the one who may raise it again.
void Rotation::move_line(Token& token) {
  // What we hold and cannot deliver takes its place in our window, while others forget it: nobody may get further ahead of our window than it is
  // long, or recovery would show us what we cannot take.
  const Seq taken = Seq{store_.forgotten_through().value + store_.capacity() / 2};
  const Seq mine = planted(Mutant::window_outrun) ? std::min(store_.received_up_to(), line_held_at_) : std::min({store_.received_up_to(), line_held_at_, taken});
  if (mine < token.received_by_all || token.lowered_by == settings_.self.id || token.lowered_by == kNoHost) {
    token.received_by_all = mine;
    token.lowered_by = mine == token.high ? kNoHost : settings_.self.id;
  }
  // On one visit the line is no promise yet: a member behind us may lower it. What it was on two visits running, every member has.
  const Seq twice = planted(Mutant::safe_on_one_visit) ? token.received_by_all : std::min(passed_on_, token.received_by_all);
  stable_ = std::max(stable_, twice);
  const bool stands = token.received_by_all == last_line_ && token.lowered_by != kNoHost && token.lowered_by == stalled_by_;
  stalled_visits_ = stands && token.held_by == kNoHost ? stalled_visits_ + 1 : 0;
  stalled_by_ = token.lowered_by;
  last_line_ = token.received_by_all;
}

void Rotation::watch_for_rest(const Token& token, bool worked) {
  const bool quiet = !worked && !stands(token.stage) && token.wanted.empty() && !token.recovering && token.high == high_last_round_ && stable_ == token.high;
  idle_visits_ = quiet ? idle_visits_ + 1 : 0;
}

// One budget for all in a rotation, so that no receiver's buffer is overrun; the token tells what the others spent.
uint32_t Rotation::allowance(const Token& token, uint32_t backlog) const {
  uint32_t allowance = std::min(settings_.personal_frames, settings_.window_frames - std::min(settings_.window_frames, token.spent));
  const uint64_t waiting = uint64_t{token.backlog} - std::min(token.backlog, backlog_last_) + backlog + spoken_in_place_;
  if (waiting != 0)
    if (const auto share = static_cast<uint32_t>(uint64_t{settings_.window_frames} * backlog_last_ / waiting); share != 0)
      allowance = std::min(allowance, share);
  return allowance - std::min(allowance, spoken_in_place_);
}

void Rotation::stamp(Token& token, Work& work, uint32_t fresh, Output& out) {
  const uint64_t end_of_store = store_.forgotten_through().value + std::min(store_.capacity() - settings_.window_frames, store_.capacity() / 2);
  const uint64_t open = end_of_store - std::min(end_of_store, token.high.value);
  if (fresh > open) {  // somebody is far behind: nobody may leave its window
    fresh = static_cast<uint32_t>(open);
    if (work.frames() != 0) rare_.saw(Rare::window_closed);
  }
  const Seq before = token.high;
  while (token.high.value - before.value < fresh) {
    const Seq seq = next(token.high);
    Frame& frame = store_.stamp(seq, previous_, settings_.self.id);
    if (!work.stamp(ring_, seq, previous_, round_, frame, out)) break;
    store_.hold_stamped(seq);
    if (frame.service == Service::safe) last_safe_ = seq;
    previous_ = token.high = seq;
  }
  work.before_sending(before, token.high, out);
}

void Rotation::speak_in_place(Token& token, Work& work, Output& out) {
  const Seq before = token.high;
  stamp(token, work, std::min(allowance(token, work.frames()), kFramesInPlace), out);
  for (Seq s = next(before); s <= token.high; s = next(s)) emit(*store_.find(s), out);
  spoken_in_place_ += static_cast<uint32_t>(token.high.value - before.value);
}

void Rotation::visit(Token& token, Work& work, bool accelerate, Output& out) {
  last_visit_ = token.visit;

  const uint32_t backlog = work.frames() + spoken_in_place_;  // as it was when the token came
  const uint32_t allowed = allowance(token, work.frames());
  // Behind the token, a frame is not there yet when the next one looks for it, and the line falls: who always has something to say when the token comes back would never find
  // that all have received it, and the token would never stay.
  const bool may_stay_next_time = settings_.token_linger != 0 && backlog <= kFramesInPlace && nobody_else_spoke(token);
  uint32_t said = 0;
  say_again(token, allowed, said, out);
  ask_for_missing(token, accelerate);
  if (said == allowed && backlog != 0 && said != 0) rare_.saw(Rare::allowance_all_repeats);

  const Seq before = token.high;
  stamp(token, work, allowed - said, out);
  const auto stamped = static_cast<uint32_t>(token.high.value - before.value);
  const uint32_t behind = accelerate && !may_stay_next_time ? std::min(stamped, settings_.accelerated_frames) : 0;
  rest_first_ = Seq{token.high.value - behind + 1};
  rest_end_ = next(token.high);
  for (Seq s = next(before); s < rest_first_; s = next(s)) emit(*store_.find(s), out);

  const uint32_t spent = said + stamped + std::exchange(spoken_in_place_, 0);
  token.spent = token.spent + spent - std::min(token.spent + spent, spent_last_);
  token.backlog = token.backlog + backlog - std::min(token.backlog + backlog, backlog_last_);
  spent_last_ = spent;
  backlog_last_ = backlog;
  move_line(token);
  watch_for_rest(token, spent != 0 || backlog != 0);
  passed_on_ = token.received_by_all;
  high_last_round_ = token.high;
}

void Rotation::pass_on(const Token& visited, Output& out) {
  Token token = visited;
  ++token.visit;
  kept_token_.clear();
  wire::encode(settings_.self, token, kept_token_);
  repeat(out);
  ++round_;
  told_stable_ = stable_;
  speakers_ = {};
  asked_for_ = false;
}

void Rotation::repeat(Output& out) const {
  if (!kept_token_.empty()) out.send(successor_, kept_token_);
}

void Rotation::send_rest(Output& out) {
  for (Seq s = rest_first_; s < rest_end_; s = next(s))
    if (Frame* frame = store_.find(s)) emit(*frame, out);
  rest_end_ = rest_first_;
}

}  // namespace evs::ordering
