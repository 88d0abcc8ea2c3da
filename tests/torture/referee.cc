// SPDX-License-Identifier: BSD-3-Clause
// referee.cc - from rows to readers, from readers to one history, and back.
#include "tests/torture/referee.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "evs/evs.h"
#include "tests/torture/payload.h"

namespace evs::torture {

namespace {

using Member = std::pair<uint32_t, int32_t>;  // nodeid, pid
using Members = std::vector<Member>;

struct Place {
  uint64_t ring = 0, position = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};
Place place_of(const Entry& e) { return {e.configuration >> 32, e.sequence}; }

struct Told {  // one configuration callback
  const Entry* head = nullptr;
  Members members, left, joined;  // sorted
  std::map<Member, uint32_t> reason_left;
  bool regular() const { return head->number == EVS_CONFIGURATION_REGULAR; }
  bool expelled() const { return (head->groups & EVS_CONFIGURATION_EXPELLED) != 0; }
  bool merged() const { return (head->groups & EVS_CONFIGURATION_MERGED) != 0; }
};

// From one lonely configuration to the next: within it a reader sees everything.
struct Stint {
  uint64_t first_regular = 0, last_regular = 0;
  std::vector<const Entry*> messages;
};

struct Reader {
  const Subject* subject = nullptr;
  uint32_t number = 0;
  std::vector<Stint> stints{1};
  std::string name;
};

bool is_message(uint32_t kind) {
  return kind == static_cast<uint32_t>(Row::message) || kind == static_cast<uint32_t>(Row::empty);
}

bool same_message(const Entry& a, const Entry& b) {
  return a.kind.load() == b.kind.load() && a.configuration == b.configuration && a.count == b.count && a.writer == b.writer &&
         a.thread == b.thread && a.stream == b.stream && a.mark == b.mark && a.nodeid == b.nodeid && a.pid == b.pid &&
         a.size == b.size && a.groups == b.groups && a.group == b.group && a.about == b.about && a.number == b.number;
}

std::string text_of(const Entry& e) {
  if (e.kind.load() == static_cast<uint32_t>(Row::empty))
    return "an empty message of nodeid " + std::to_string(e.nodeid) + " pid " + std::to_string(e.pid) + " at " + std::to_string(e.sequence);
  return "message " + std::to_string(e.writer) + "/" + std::to_string(e.thread) + "/" + std::to_string(e.stream) + " #" +
         std::to_string(e.count) + " (nodeid " + std::to_string(e.nodeid) + " pid " + std::to_string(e.pid) + ", " +
         std::to_string(e.size) + " bytes, mark " + std::to_string(e.mark) + ", configuration " +
         std::to_string(e.configuration >> 32) + ":" + std::to_string(e.configuration & 0xffffffffu) + ") at " + std::to_string(e.sequence);
}

std::string text_of(const Members& members) {
  std::string out = "{";
  for (const Member& m : members) out += (out.size() > 1 ? " " : "") + std::to_string(m.first) + "=" + std::to_string(m.second);
  return out + "}";
}

Members minus(const Members& a, const Members& b) {
  Members out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}
Members common(const Members& a, const Members& b) {
  Members out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

constexpr size_t kNoStretch = SIZE_MAX;

class Referee {
 public:
  Referee(const std::vector<Subject>& subjects, const Rules& rules) : subjects_(subjects), rules_(rules) {}
  Verdict run();

 private:
  void fault(const std::string& text) {
    ++verdict_.faults_total;
    if (verdict_.faults.size() < 100) verdict_.faults.push_back(text);
  }
  void read(const Subject& subject);
  void told(Reader& reader, std::vector<Told>& so_far, Told now);
  void delivered(Reader& reader, const std::vector<Told>& so_far, const Entry& e);
  void check_reasons(const Reader& reader, const Told& now);
  void merge();
  void hold_reader(const Reader& reader);
  void find_stretches();
  size_t stretch_of(const Place& place) const;
  bool was_there(size_t stretch, int32_t pid) const;
  void hold_writers();
  const Subject* subject_of(uint32_t writer) const {
    const auto found = by_writer_.find(writer);
    return found == by_writer_.end() ? nullptr : found->second;
  }
  bool was_expelled(uint32_t writer) const { return expelled_writers_.count(writer) != 0; }

  const std::vector<Subject>& subjects_;
  Rules rules_;
  Verdict verdict_;
  std::vector<Reader> readers_;
  std::vector<const Entry*> history_;
  std::vector<std::pair<Place, Place>> stretches_;
  std::map<uint64_t, Members> regulars_;
  std::map<uint32_t, const Subject*> by_writer_;
  std::map<int32_t, std::vector<const Subject*>> by_pid_;
  std::set<uint32_t> expelled_writers_;
  std::map<uint32_t, uint64_t> ring_of_writer_;  // the last one that it was told of
};

void Referee::check_reasons(const Reader& reader, const Told& now) {
  for (const auto& [member, reason] : now.reason_left) {
    const auto found = by_pid_.find(member.second);
    if (found == by_pid_.end()) {
      fault(reader.name + ": pid " + std::to_string(member.second) + " left, and never was");
      continue;
    }
    // Who was idle and comes late may find somebody else in the place of who left: nobody knows any more why.
    bool possible = reader.stints.back().messages.empty() && reason == EVS_REASON_NONE;
    for (const Subject* s : found->second) {
      possible |= reason == EVS_REASON_DIED && (s->fate == Fate::killed || s->shares_pid);
      possible |= reason == EVS_REASON_LEFT && (s->fate == Fate::quit || s->churns);
      possible |= reason == EVS_REASON_EXPELLED && rules_.expulsions;
    }
    if (!possible)
      fault(reader.name + ": pid " + std::to_string(member.second) + " left with reason " + std::to_string(reason) +
            ", which is not what became of it");
  }
}

void Referee::told(Reader& reader, std::vector<Told>& so_far, Told now) {
  ++verdict_.configurations;
  const uint64_t seq = now.head->sequence;
  const std::string where = reader.name + ", configuration " + std::to_string(seq >> 32) + ":" + std::to_string(seq & 0xffffffffu);
  if (!std::is_sorted(now.members.begin(), now.members.end())) fault(where + ": members out of order");
  const Told* last = so_far.empty() ? nullptr : &so_far.back();
  const Told* last_regular = nullptr;
  for (auto it = so_far.rbegin(); it != so_far.rend() && last_regular == nullptr; ++it)
    if (it->regular()) last_regular = &*it;

  if (now.expelled()) {
    ++verdict_.expulsions;
    expelled_writers_.insert(reader.subject->writer);
    if (!rules_.expulsions) fault(where + ": expelled, in a run where nobody may be");
    if (last_regular == nullptr || now.regular() || seq != last_regular->head->sequence + 1 || now.members.size() != 1 ||
        now.members[0].second != reader.subject->pid || now.left != minus(last_regular->members, now.members))
      fault(where + ": not the lonely configuration that follows the last one: members " + text_of(now.members) + ", left " + text_of(now.left));
    if (!reader.stints.back().messages.empty() || reader.stints.back().first_regular != 0) reader.stints.emplace_back();
  } else if (now.regular()) {
    const auto [known, fresh] = regulars_.emplace(seq, now.members);
    if (!fresh && known->second != now.members)
      fault(where + ": members " + text_of(now.members) + ", others were told " + text_of(known->second));
    if (last == nullptr) {
      if (now.joined.size() != 1 || now.joined[0].second != reader.subject->pid) fault(where + ": a first configuration in which not we have joined");
    } else if (last->expelled()) {
      if (now.joined != now.members || now.left != last->members)
        fault(where + ": after the expulsion not everybody is new: members " + text_of(now.members) + ", joined " + text_of(now.joined) + ", left " +
              text_of(now.left) + " after the lonely " + text_of(last->members));
    } else if (last->regular()) {
      fault(where + ": two regular ones without a transitional one");
    } else {
      if (last->head->sequence + 1 != seq) fault(where + ": its transitional one had another number");
      if (last_regular != nullptr && last->members != common(last_regular->members, now.members))
        fault(where + ": the transitional one had " + text_of(last->members) + " between " + text_of(last_regular->members) + " and " + text_of(now.members));
      if (last_regular != nullptr && last->left != minus(last_regular->members, now.members)) fault(where + ": the wrong ones left");
      if (last_regular != nullptr && now.joined != minus(now.members, last_regular->members)) fault(where + ": the wrong ones joined");
      if (last_regular != nullptr && now.merged() != (seq > last_regular->head->sequence + 2)) fault(where + ": merged or not?");
      if (now.merged() && !reader.stints.back().messages.empty()) fault(where + ": changes were merged for a reader that is not idle");
    }
    Stint& stint = reader.stints.back();
    if (stint.first_regular == 0) stint.first_regular = seq;
    stint.last_regular = seq;
    ring_of_writer_[reader.subject->writer] = seq >> 32;
  } else {
    if (last == nullptr || !last->regular()) fault(where + ": a transitional one where none can be");
    check_reasons(reader, now);
  }
  so_far.push_back(std::move(now));
}

void Referee::delivered(Reader& reader, const std::vector<Told>& so_far, const Entry& e) {
  ++verdict_.deliveries;
  Stint& stint = reader.stints.back();
  if (so_far.empty() || !so_far.back().regular()) {
    fault(reader.name + ": " + text_of(e) + " came outside of a regular configuration");
    return;
  }
  const Told& current = so_far.back();
  if (e.configuration != current.head->sequence) fault(reader.name + ": " + text_of(e) + " names another configuration than the last one told");
  if (!std::binary_search(current.members.begin(), current.members.end(), Member{e.nodeid, e.pid}))
    fault(reader.name + ": " + text_of(e) + ", whose sender is no member");
  if (!stint.messages.empty() && !(place_of(*stint.messages.back()) < place_of(e)))
    fault(reader.name + ": " + text_of(e) + " after " + text_of(*stint.messages.back()) + ": repeated or reordered");
  if (e.kind.load() == static_cast<uint32_t>(Row::message)) {
    const Subject* sender = subject_of(e.writer);
    if (sender == nullptr || sender->pid != e.pid) fault(reader.name + ": " + text_of(e) + ": nobody of that pid wrote it");
  }
  stint.messages.push_back(&e);
}

void Referee::read(const Subject& subject) {
  std::map<uint32_t, Reader> readers;
  std::map<uint32_t, std::vector<Told>> told_to;
  const uint64_t rows = subject.record->rows();
  for (uint64_t i = 0; i < rows; ++i) {
    const Entry& e = subject.record->row(i);
    const uint32_t kind = e.kind.load(std::memory_order_acquire);
    if (kind == static_cast<uint32_t>(Row::none) && subject.fate != Fate::killed && !subject.shares_pid)
      fault("writer " + std::to_string(subject.writer) + ": row " + std::to_string(i) + " was never finished, and nobody killed it");
    if (kind == static_cast<uint32_t>(Row::none) || kind == static_cast<uint32_t>(Row::member)) continue;
    Reader& reader = readers[e.reader];
    if (reader.subject == nullptr) {
      reader.subject = &subject;
      reader.number = e.reader;
      reader.name = "reader " + std::to_string(e.reader) + " of writer " + std::to_string(subject.writer) + " (pid " +
                    std::to_string(subject.pid) + (subject.fate == Fate::killed ? ", killed)" : ")");
    }
    if (kind == static_cast<uint32_t>(Row::torn)) {
      fault(reader.name + ": torn: " + text_of(e));
    } else if (is_message(kind)) {
      delivered(reader, told_to[e.reader], e);
    } else {
      Told now;
      now.head = &e;
      for (uint64_t m = i + 1; m <= i + e.size && m < rows; ++m) {
        const Entry& row = subject.record->row(m);
        const Member member{row.nodeid, row.pid};
        (row.mark == kStays ? now.members : row.mark == kLeft ? now.left : now.joined).push_back(member);
        if (row.mark == kLeft) now.reason_left[member] = row.size;
      }
      std::sort(now.left.begin(), now.left.end());
      std::sort(now.joined.begin(), now.joined.end());
      told(reader, told_to[e.reader], std::move(now));
    }
  }
  for (auto& [number, reader] : readers) readers_.push_back(std::move(reader));
}

void Referee::merge() {
  std::vector<std::pair<const Entry*, const Reader*>> all;
  all.reserve(verdict_.deliveries);
  for (const Reader& reader : readers_)
    for (const Stint& stint : reader.stints)
      for (const Entry* e : stint.messages) all.emplace_back(e, &reader);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return place_of(*a.first) < place_of(*b.first); });
  for (const auto& [e, reader] : all) {
    if (history_.empty() || place_of(*history_.back()) != place_of(*e)) {
      history_.push_back(e);
      verdict_.bytes += e->size;
    } else if (!same_message(*history_.back(), *e)) {
      fault(reader->name + ": " + text_of(*e) + ", where others read " + text_of(*history_.back()));
    }
  }
  verdict_.messages = history_.size();
}

void Referee::hold_reader(const Reader& reader) {
  const Subject& subject = *reader.subject;
  const bool reads_all = subject.churns || (reader.number == 0 && subject.reads_all);
  for (size_t s = 0; s < reader.stints.size(); ++s) {
    const Stint& stint = reader.stints[s];
    if (stint.first_regular == 0) continue;
    const bool to_the_end = s + 1 == reader.stints.size() && subject.fate == Fate::alive && !subject.churns;
    const uint64_t ring = stint.first_regular >> 32;
    const Place first = stint.messages.empty() ? Place{UINT64_MAX, 0} : place_of(*stint.messages.front());
    const Place last = stint.messages.empty() ? Place{} : place_of(*stint.messages.back());
    // What is certain of its groups: bits of joined ones, and of those it has certainly not joined.
    uint32_t in = 0, out = s == 0 ? ~1u : 0u;
    if (!reads_all) out |= s == 0 ? 1u : 0u;
    std::map<std::pair<uint64_t, uint32_t>, std::pair<uint64_t, uint64_t>> next_of;  // {writer, thread, stream} -> count, configuration
    size_t at = 0, last_stretch = 0;
    auto begin = std::lower_bound(history_.begin(), history_.end(), Place{ring, 0},
                                  [](const Entry* e, const Place& p) { return place_of(*e) < p; });
    if (begin != history_.end()) last_stretch = stretch_of(place_of(**begin));
    for (auto it = begin; it != history_.end() && (*it)->configuration >> 32 == ring; ++it) {
      const Entry& e = **it;
      const Place here = place_of(e);
      // Across a break of the history a mark may have been sent that nobody read: what was certain is not.
      const size_t stretch = stretch_of(here);
      if (stretch != last_stretch && e.configuration >= stint.first_regular) in &= 1, out = 0;
      last_stretch = stretch;
      const bool own = e.kind.load() == static_cast<uint32_t>(Row::message) && e.writer == subject.writer;
      if (!to_the_end && here > last && e.configuration >= stint.last_regular) break;
      if (reads_all && (here >= first || (own && e.configuration >= stint.first_regular))) in |= 1, out &= ~1u;
      const bool got = at < stint.messages.size() && place_of(*stint.messages[at]) == here;
      if (got) ++at;
      // A mark changes what is certain for what comes after it; a begin-mark already for itself.
      const uint32_t bit = 1u << (e.group % kGroups);
      const bool about_us = own && e.about == reader.number && !subject.churns && e.configuration >= stint.first_regular;
      if (about_us && (e.mark == static_cast<uint8_t>(Mark::join_begin) || e.mark == static_cast<uint8_t>(Mark::leave_begin)))
        in &= ~bit, out &= ~bit;
      if (!got && (e.groups & in) != 0) {
        fault(reader.name + ": lost: " + text_of(e) + (stint.messages.empty() ? "" : "; it read from " + std::to_string(first.position) +
              " to " + std::to_string(last.position)) + " of ring " + std::to_string(ring));
        break;  // one is enough of this kind
      }
      if (got && (e.groups & ~out) == 0) fault(reader.name + ": " + text_of(e) + " went to groups " + std::to_string(e.groups) + ", none of them joined");
      if (got && e.stream != 0 && (in >> e.stream & 1) != 0) {
        const auto key = std::make_pair(uint64_t{e.writer} << 16 | e.thread, uint32_t{e.stream});
        const auto known = next_of.find(key);
        if (known != next_of.end() && known->second.first != e.count && !(was_expelled(e.writer) && known->second.second != e.configuration))
          fault(reader.name + ": " + text_of(e) + ", but the next one to that group is #" + std::to_string(known->second.first));
        next_of[key] = {e.count + 1, e.configuration};
      }
      if (about_us && e.mark == static_cast<uint8_t>(Mark::join_done)) in |= bit;
      if (about_us && e.mark == static_cast<uint8_t>(Mark::leave_done)) {
        out |= bit;
        for (auto n = next_of.begin(); n != next_of.end();) n = n->first.second == e.group ? next_of.erase(n) : std::next(n);
      }
    }
  }
}

// Stretches of the history that somebody read without a break: who joins begins at the end of the order, and when all who were there before
// died on the way there, nobody can tell what stood between.
void Referee::find_stretches() {
  std::vector<std::pair<Place, Place>> read;
  for (const Reader& reader : readers_) {
    if (!reader.subject->churns && !(reader.number == 0 && reader.subject->reads_all)) continue;
    for (const Stint& stint : reader.stints)
      if (!stint.messages.empty()) read.emplace_back(place_of(*stint.messages.front()), place_of(*stint.messages.back()));
  }
  std::sort(read.begin(), read.end());
  for (const auto& [from, to] : read) {
    if (stretches_.empty() || from > stretches_.back().second) stretches_.emplace_back(from, to);
    else stretches_.back().second = std::max(stretches_.back().second, to);
  }
  verdict_.stretches = stretches_.size();
}

size_t Referee::stretch_of(const Place& place) const {
  const auto after = std::upper_bound(stretches_.begin(), stretches_.end(), place, [](const Place& p, const auto& s) { return p < s.first; });
  if (after == stretches_.begin() || place > std::prev(after)->second) return kNoStretch;
  return static_cast<size_t>(std::prev(after) - stretches_.begin());
}

// Was it a member when the stretch began?
bool Referee::was_there(size_t stretch, int32_t pid) const {
  const auto first = std::lower_bound(history_.begin(), history_.end(), stretches_[stretch].first,
                                      [](const Entry* e, const Place& p) { return place_of(*e) < p; });
  const auto members = regulars_.find((*first)->configuration);
  return members != regulars_.end() &&
         std::any_of(members->second.begin(), members->second.end(), [&](const Member& m) { return m.second == pid; });
}

void Referee::hold_writers() {
  struct Line {
    uint64_t next = 0, configuration = 0;
    size_t stretch = kNoStretch;
  };
  std::map<std::pair<uint32_t, uint32_t>, Line> lines;
  std::map<int32_t, uint64_t> empties;
  for (const Entry* e : history_) {
    if (e->kind.load() == static_cast<uint32_t>(Row::empty)) {
      ++empties[e->pid];
      continue;
    }
    if (e->stream != 0) continue;
    const size_t stretch = stretch_of(place_of(*e));
    if (stretch == kNoStretch) continue;
    Line& line = lines[{e->writer, e->thread}];
    // A stretch that begins in the middle of its sending, or an expulsion.
    const bool excused = e->count > line.next && ((line.stretch != stretch && was_there(stretch, e->pid)) ||
                                                  (was_expelled(e->writer) && line.configuration != e->configuration));
    if (e->count != line.next && !excused)
      fault(text_of(*e) + ", but the next one of that thread is #" + std::to_string(line.next) + ": lost, repeated or reordered");
    line = {e->count + 1, e->configuration, stretch};
  }
  if (regulars_.empty()) return;  // nobody read anything
  const uint64_t last_ring = regulars_.rbegin()->first >> 32;
  for (const Subject& subject : subjects_) {
    const auto ring = ring_of_writer_.find(subject.writer);
    if (was_expelled(subject.writer) || (ring != ring_of_writer_.end() && ring->second != last_ring)) continue;
    const uint64_t more = subject.fate == Fate::killed || subject.shares_pid ? 1 : 0;
    const Front& front = subject.record->front();
    for (uint32_t t = 0; t < kThreads; ++t) {
      const uint64_t sent = front.sent[t][0].load(), got = lines.count({subject.writer, t}) ? lines[{subject.writer, t}].next : 0;
      // Gone, and not heard of in the last stretch: its end may lie where nobody read.
      if (subject.fate != Fate::alive && stretches_.size() > 1 && (got == 0 || lines[{subject.writer, t}].stretch + 1 != stretches_.size())) continue;
      // An expelled process that was killed before it heard of it: what it sent last may have been too late.
      if (got < sent && rules_.expulsions && subject.fate == Fate::killed) continue;
      if (got < sent || got > sent + more)
        fault("writer " + std::to_string(subject.writer) + " (pid " + std::to_string(subject.pid) + "), thread " + std::to_string(t) + ": sent " +
              std::to_string(sent) + ", the history has " + std::to_string(got));
    }
    if (stretches_.size() != 1 || by_pid_[subject.pid].size() != 1 || was_there(0, subject.pid) || (rules_.expulsions && subject.fate == Fate::killed)) continue;
    const uint64_t sent = front.sent_empty.load(), got = empties[subject.pid];
    if (got < sent || got > sent + more * kThreads)
      fault("writer " + std::to_string(subject.writer) + ": sent " + std::to_string(sent) + " empty messages, the history has " + std::to_string(got));
  }
}

Verdict Referee::run() {
  for (const Subject& subject : subjects_) {
    by_writer_[subject.writer] = &subject;
    by_pid_[subject.pid].push_back(&subject);
  }
  for (const Subject& subject : subjects_) read(subject);
  merge();
  find_stretches();
  for (const Reader& reader : readers_) hold_reader(reader);
  hold_writers();
  return std::move(verdict_);
}

}  // namespace

Verdict judge(const std::vector<Subject>& subjects, const Rules& rules) { return Referee(subjects, rules).run(); }

}  // namespace evs::torture
