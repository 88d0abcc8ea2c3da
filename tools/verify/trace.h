// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/trace.h - what processes saw, as a checker sees it: configurations, sendings, deliveries, ends.
//
// A run is a set of traces; a trace is one incarnation of one process, its events in the order in which they happened
// to it. Nothing in here knows how a protocol works: a simulator fills these structs while it runs, real processes
// write the same events as text (trace_text.h, docs/trace-format.md), and the predicates (check.h) cannot tell which it
// was.
//
// Configurations have names of any form, compared for equality; a run keeps each name once (Names) and hands out a
// number for it, so that an event is small and a run of a million events fits into a hundred megabytes.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace evs::verify {

// A name that Names keeps; 0 is the empty name and means none.
struct Token {
  uint32_t value = 0;
  friend auto operator<=>(Token, Token) = default;
};

class Names {
 public:
  Names() : texts_(1) {}
  Token of(std::string_view text);
  const std::string& text(Token token) const { return texts_[token.value]; }
  uint32_t count() const { return static_cast<uint32_t>(texts_.size()); }

 private:
  std::deque<std::string> texts_;
  std::map<std::string, uint32_t, std::less<>> numbers_;
};

// The same nodeid with another incarnation is the same process after a crash. 0: the incarnation is not known.
struct Process {
  uint32_t nodeid = 0;
  uint64_t incarnation = 0;
  friend auto operator<=>(const Process&, const Process&) = default;
};

std::string text_of(Process process);  // "3.1"; "3" when the incarnation is not known

enum class Kind : uint8_t { conf, submit, send, deliver, prim, fail, end };
enum class Service : uint8_t { unordered, fifo, agreed, safe };
inline constexpr const char* kServiceNames[] = {"unordered", "fifo", "agreed", "safe"};

// A host on a ring begins alone; a process on a local ring begins with all who are there.
enum class Level : uint8_t { host, process };

struct Configuration {
  Token id;
  bool transitional = false;
  Token regular;          // of a regular one itself; of a transitional one the regular one that it closes
  uint64_t ring_seq = 0;  // rises with every regular configuration that a process installs, crashes included
  std::vector<uint32_t> members, joined, left;  // nodeids
};

inline constexpr int64_t kUntimed = -1;

struct Event {
  Kind kind = Kind::end;
  Service service = Service::agreed;  // send, deliver
  uint32_t line = 0;                  // in the file that it was read from; 0: built in memory
  uint32_t configuration = 0;         // conf: its place in Trace::configurations
  Token conf;                         // conf, prim: its id; deliver: the configuration in which
  Token ring;                         // send, deliver: the regular configuration of the stamp
  uint64_t seq = 0;                   // send, deliver: the message's place in `ring`; prim: epoch()
  uint64_t hash = 0;                  // send, deliver: of the payload and of what makes it one of a kind; 0: not taken
  uint64_t submission = 0;            // submit, send: the application's number for it; 0: none; prim: of()
  Process sender;                     // deliver
  int64_t at = kUntimed;              // nanoseconds of a clock of any kind: for explanations alone

  // prim. An event has no room of its own for what few have.
  uint64_t epoch() const { return seq; }      // 0: not told
  uint64_t of() const { return submission; }  // it has more than half of so many hosts; 0: of the primary one before
};

struct Trace {
  std::string name;  // of the file; empty: the process is name enough
  Process process;
  Level level = Level::process;
  std::vector<Event> events;
  std::vector<Configuration> configurations;

  void conf(Configuration configuration, int64_t at = kUntimed);
  void submit(uint64_t submission, int64_t at = kUntimed);
  void send(Token ring, uint64_t seq, Service service, uint64_t hash, uint64_t submission, int64_t at = kUntimed);
  void deliver(Token conf, Token ring, uint64_t seq, Service service, Process sender, uint64_t hash,
               int64_t at = kUntimed);
  void prim(Token conf, uint64_t epoch = 0, uint64_t of = 0, int64_t at = kUntimed);
  void fail(int64_t at =
                kUntimed);  // it was killed, or left of its own will: the others owe it and it owes them nothing more
  void end(int64_t at = kUntimed);  // the run stopped while it was alive
};

struct Run {
  Names names;
  std::deque<Trace> traces;  // a deque: a recorder may keep a reference to its trace

  Trace& boot(Process process, Level level, std::string name = {});
};

}  // namespace evs::verify
