// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/story.h - a run told by hand, a line an event: who installs, sends, delivers.
//
// What a delivery says of its message is what the sending said, and it names the configuration that its process is in;
// a story that wants it otherwise changes the event afterwards (last()).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/verify/check.h"
#include "tools/verify/trace.h"

namespace evs::verify {

using Nodeids = std::vector<uint32_t>;

class Story {
 public:
  Run run;

  explicit Story(Level level = Level::host) : level_(level) {}

  void boot(uint32_t p, uint64_t incarnation = 1) {
    who_[p] = {p, incarnation};
    trace_[p] = run.traces.size();
    run.boot({p, incarnation}, level_);
  }

  void reg(const Nodeids& processes, const char* id, uint64_t ring_seq, const Nodeids& members) {
    for (const uint32_t p : processes)
      install(p, {run.names.of(id), false, run.names.of(id), ring_seq, members, {}, {}});
  }
  void reg(const char* id, uint64_t ring_seq, const Nodeids& members) { reg(members, id, ring_seq, members); }

  // The regular configuration that it closes is the one that the process is in.
  void trans(const Nodeids& processes, const char* id, const Nodeids& members) {
    for (const uint32_t p : processes) install(p, {run.names.of(id), true, regular_[p], 0, members, {}, {}});
  }
  void trans(const char* id, const Nodeids& members) { trans(members, id, members); }

  void send(uint32_t p, uint64_t seq, Service service = Service::agreed, uint64_t submission = 0) {
    const Token ring = regular_[p];
    sent_[{ring, seq}] = {who_[p], service, ++hashes_};
    of(p).send(ring, seq, service, hashes_, submission);
  }

  void deliver(uint32_t p, const char* ring, uint64_t seq) {
    const Token token = run.names.of(ring);
    const Sent& sent = sent_[{token, seq}];
    of(p).deliver(current_[p], token, seq, sent.service, sent.sender, sent.hash);
  }
  void deliver(const Nodeids& processes, const char* ring, const std::vector<uint64_t>& seqs) {
    for (const uint32_t p : processes)
      for (const uint64_t seq : seqs) deliver(p, ring, seq);
  }

  void end(const Nodeids& processes) {
    for (const uint32_t p : processes) of(p).end();
  }

  Trace& of(uint32_t p) { return run.traces[trace_[p]]; }
  Event& last(uint32_t p) { return of(p).events.back(); }
  Token name(const char* text) { return run.names.of(text); }

 private:
  struct Sent {
    Process sender;
    Service service = Service::agreed;
    uint64_t hash = 0;
  };

  void install(uint32_t p, Configuration c) {
    current_[p] = c.id;
    if (!c.transitional) regular_[p] = c.id;
    of(p).conf(std::move(c));
  }

  Level level_;
  uint64_t hashes_ = 0;
  std::map<uint32_t, Process> who_;
  std::map<uint32_t, size_t> trace_;
  std::map<uint32_t, Token> current_, regular_;
  std::map<std::pair<Token, uint64_t>, Sent> sent_;
};

// The names of the predicates that are broken, each once, in order: "1.3 4"; empty for a clean run.
inline std::string broken(const std::vector<Violation>& violations) {
  std::map<std::string, int> names;
  for (const Violation& v : violations) ++names[v.predicate];
  std::string out;
  for (const auto& [name, count] : names) out += (out.empty() ? "" : " ") + name;
  return out;
}

inline std::string told(const std::vector<Violation>& violations) {
  std::string out;
  for (const Violation& v : violations) out += to_text(v);
  return out;
}

inline std::string broken(const Story& story, const Options& options = {}) {
  return broken(check(story.run, options));
}

// Hosts 1, 2 and 3, each alone at first ("a", "b", "c"), then together in "R" with ring sequence 5.
inline Story three_hosts() {
  Story s;
  for (const uint32_t p : {1u, 2u, 3u}) s.boot(p);
  s.reg("a", 1, {1});
  s.reg("b", 1, {2});
  s.reg("c", 1, {3});
  s.trans("ta", {1});
  s.trans("tb", {2});
  s.trans("tc", {3});
  s.reg("R", 5, {1, 2, 3});
  return s;
}

// From "R" on: 3 is cut off, 1 and 2 go on to "S" (9), 3 to "Q" (8).
inline void part(Story& s) {
  s.trans("T", {1, 2});
  s.trans("U", {3});
}
inline void settle(Story& s) {
  s.reg("S", 9, {1, 2});
  s.reg("Q", 8, {3});
  s.end({1, 2, 3});
}

}  // namespace evs::verify
