// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/trace.cc - see trace.h.
#include "tools/verify/trace.h"

#include <utility>

namespace evs::verify {

Token Names::of(std::string_view text) {
  if (text.empty()) return {};
  if (const auto known = numbers_.find(text); known != numbers_.end()) return {known->second};
  const uint32_t number = count();
  texts_.emplace_back(text);
  numbers_.emplace(text, number);
  return {number};
}

std::string text_of(Process process) {
  std::string text = std::to_string(process.nodeid);
  if (process.incarnation != 0) (text += '.') += std::to_string(process.incarnation);
  return text;
}

void Trace::conf(Configuration configuration, int64_t at) {
  Event event;
  event.kind = Kind::conf;
  event.conf = configuration.id;
  event.configuration = static_cast<uint32_t>(configurations.size());
  event.at = at;
  configurations.push_back(std::move(configuration));
  events.push_back(event);
}

void Trace::submit(uint64_t submission, int64_t at) {
  Event event;
  event.kind = Kind::submit;
  event.submission = submission;
  event.at = at;
  events.push_back(event);
}

void Trace::send(Token ring, uint64_t seq, Service service, uint64_t hash, uint64_t submission, int64_t at) {
  Event event;
  event.kind = Kind::send;
  event.ring = ring;
  event.seq = seq;
  event.service = service;
  event.hash = hash;
  event.submission = submission;
  event.at = at;
  events.push_back(event);
}

void Trace::deliver(Token conf, Token ring, uint64_t seq, Service service, Process sender, uint64_t hash, int64_t at) {
  Event event;
  event.kind = Kind::deliver;
  event.conf = conf;
  event.ring = ring;
  event.seq = seq;
  event.service = service;
  event.sender = sender;
  event.hash = hash;
  event.at = at;
  events.push_back(event);
}

void Trace::prim(Token conf, uint64_t epoch, uint64_t of, int64_t at) {
  Event event;
  event.kind = Kind::prim;
  event.conf = conf;
  event.seq = epoch;
  event.submission = of;
  event.at = at;
  events.push_back(event);
}

void Trace::fail(int64_t at) {
  Event event;
  event.kind = Kind::fail;
  event.at = at;
  events.push_back(event);
}

void Trace::end(int64_t at) {
  Event event;
  event.kind = Kind::end;
  event.at = at;
  events.push_back(event);
}

Trace& Run::boot(Process process, Level level, std::string name) {
  Trace& trace = traces.emplace_back();
  trace.name = std::move(name);
  trace.process = process;
  trace.level = level;
  return trace;
}

}  // namespace evs::verify
