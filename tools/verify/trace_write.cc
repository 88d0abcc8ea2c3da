// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/trace_write.cc - the writer of docs/trace-format.md. Its reader is trace_read.cc.
#include <charconv>
#include <iterator>

#include "tools/verify/trace_text.h"

namespace evs::verify {

namespace {

void put(std::string& out, const char* key, std::string_view value) {
  out += ' ';
  out += key;
  out += '=';
  out += value;
}

void put(std::string& out, const char* key, uint64_t value) {
  put(out, key, std::to_string(value));
}

void put_list(std::string& out, const char* key, const std::vector<uint32_t>& nodeids) {
  put(out, key, "");
  for (size_t i = 0; i < nodeids.size(); ++i) {
    if (i != 0) out += ',';
    out += std::to_string(nodeids[i]);
  }
}

void put_hash(std::string& out, uint64_t hash) {
  if (hash == 0) return;
  char digits[16];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), hash, 16).ptr;
  put(out, "hash", std::string_view(digits, static_cast<size_t>(end - digits)));
}

void put_conf(std::string& out, const Names& names, const Configuration& c) {
  put(out, "id", names.text(c.id));
  put(out, "type", c.transitional ? "trans" : "reg");
  if (c.transitional) put(out, "reg", names.text(c.regular));
  put(out, "ring_seq", c.ring_seq);
  put_list(out, "members", c.members);
  if (!c.joined.empty()) put_list(out, "joined", c.joined);
  if (!c.left.empty()) put_list(out, "left", c.left);
}

void put_stamp(std::string& out, const Names& names, const Event& event) {
  put(out, "ring", names.text(event.ring));
  put(out, "seq", event.seq);
  put(out, "service", kServiceNames[static_cast<size_t>(event.service)]);
}

}  // namespace

std::string event_text(const Run& run, const Trace& trace, const Event& event) {
  const Names& names = run.names;
  std::string out;
  switch (event.kind) {
    case Kind::conf:
      out = "conf";
      put_conf(out, names, trace.configurations[event.configuration]);
      break;
    case Kind::submit:
      out = "submit";
      put(out, "u", event.submission);
      break;
    case Kind::send:
      out = "send";
      put_stamp(out, names, event);
      if (event.submission != 0) put(out, "u", event.submission);
      put_hash(out, event.hash);
      break;
    case Kind::deliver:
      out = "deliver";
      put(out, "conf", names.text(event.conf));
      put_stamp(out, names, event);
      put(out, "sender", text_of(event.sender));
      put_hash(out, event.hash);
      break;
    case Kind::prim:
      out = "prim";
      put(out, "conf", names.text(event.conf));
      if (event.epoch() != 0) put(out, "epoch", event.epoch());
      if (event.of() != 0) put(out, "of", event.of());
      break;
    case Kind::fail:
      out = "fail";
      break;
    case Kind::end:
      out = "end";
      break;
  }
  if (event.at != kUntimed) put(out, "at", static_cast<uint64_t>(event.at));
  return out;
}

std::string trace_text(const Run& run, const Trace& trace) {
  std::string out(kTraceHead);
  out += "\nboot";
  put(out, "process", text_of(trace.process));
  put(out, "level", trace.level == Level::host ? "host" : "process");
  out += '\n';
  for (const Event& event : trace.events) out += event_text(run, trace, event) + '\n';
  return out;
}

}  // namespace evs::verify
