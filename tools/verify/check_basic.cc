// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check_basic.cc - 1.2 to 1.5 and 2.2: each delivery has its sending, each message is one message, and
// everything stands in the configuration that it names.
#include <unordered_map>

#include "tools/verify/index.h"

namespace evs::verify {

namespace {

// 1.3: one sending, and one content wherever it turns up.
void check_one_message(const Index& index, const Message& m, Findings& findings) {
  const auto sendings = index.sendings(m);
  for (size_t i = 1; i < sendings.size(); ++i)
    findings.add("1.3",
                 index.message(m) + " is sent twice, by " + index.who(sendings[0].at.trace) + " and by " +
                     index.who(sendings[i].at.trace) + ".",
                 {sendings[0].at, sendings[i].at});
  const auto deliveries = index.deliveries(m);
  for (const Mention& mention : deliveries) {
    const Event& e = index.event(mention.at);
    const bool other_hash = e.hash != 0 && m.first->hash != 0 && e.hash != m.first->hash;
    if (!other_hash && e.service == m.first->service) continue;
    findings.add("1.3",
                 index.message(m) + " is not the same message everywhere: " + index.who(mention.at.trace) +
                     " delivers it with another " + (other_hash ? "hash." : "service."),
                 {index.mention(m), mention.at});
  }
}

// 1.3, the other way round: one content, one place; known by its hash, and to its sender by the number that it gave.
void check_one_place(const Index& index, Findings& findings) {
  std::unordered_map<uint64_t, uint32_t> places;
  for (uint32_t number = 0; number < index.messages().size(); ++number) {
    const Message& m = index.messages()[number];
    if (m.first->hash == 0) continue;
    const auto [place, fresh] = places.emplace(m.first->hash, number);
    if (fresh) continue;
    const Message& other = index.messages()[place->second];
    findings.add("1.3",
                 "One message has two places, " + index.message(other) + " and " + index.message(m) +
                     ": their hashes are the same.",
                 {index.mention(other), index.mention(m)});
  }
  for (uint32_t trace = 0; trace < index.trace_count(); ++trace) {
    std::unordered_map<uint64_t, uint32_t> stamped;
    const std::vector<Event>& events = index.run().traces[trace].events;
    for (uint32_t i = 0; i < events.size(); ++i) {
      if (events[i].kind != Kind::send || events[i].submission == 0) continue;
      const auto [before, fresh] = stamped.emplace(events[i].submission, i);
      if (!fresh)
        findings.add("1.3",
                     index.who(trace) + " stamps its submission " + std::to_string(events[i].submission) + " twice.",
                     {{trace, before->second}, {trace, i}});
    }
  }
}

// A process on a local ring learns what was sent by it where it reads its own record, and may die before that.
bool died_before_saying_so(const Index& index, const Message& m) {
  for (const uint32_t trace : index.incarnations(m.sender.nodeid)) {
    const bool over = index.ending(trace) != Ending::alive || !index.options().quiescent;
    if (!over || index.run().traces[trace].level != Level::process) continue;
    if (m.sender.incarnation != 0 && m.sender.incarnation != index.run().traces[trace].process.incarnation) continue;
    if (index.highest_ring_seq(trace) <= index.ring_seq(m.ring)) return true;
  }
  return false;
}

// 1.2: somebody sent it, who is the one named, and not later than we delivered it.
void check_has_sending(const Index& index, const Message& m, Findings& findings) {
  const auto sendings = index.sendings(m);
  const auto deliveries = index.deliveries(m);
  if (sendings.empty()) {
    if (index.options().partial && index.incarnations(m.sender.nodeid).empty()) return;
    if (died_before_saying_so(index, m)) return;
    findings.add("1.2",
                 index.who(deliveries[0].at.trace) + " delivers " + index.message(m) +
                     ", which no trace sends (named as sender: " + text_of(m.sender) + ").",
                 {deliveries[0].at});
    return;
  }
  const Place sent = sendings[0].at;
  for (const Mention& mention : deliveries) {
    const Process named = index.event(mention.at).sender;
    if (named.nodeid != m.sender.nodeid || (named.incarnation != 0 && named.incarnation != m.sender.incarnation))
      findings.add("1.2",
                   index.who(mention.at.trace) + " delivers " + index.message(m) + " as sent by " + text_of(named) +
                       ", but its sender is " + text_of(m.sender) + ".",
                   {sent, mention.at});
    if (mention.at.trace == sent.trace && mention.at.event < sent.event)
      findings.add("1.2", index.who(sent.trace) + " delivers " + index.message(m) + " before it sends it.",
                   {mention.at, sent});
  }
}

// 1.2: where it was sent is where it is delivered.
void check_in_its_configuration(const Index& index, const Message& m, Findings& findings) {
  for (const Mention& mention : index.deliveries(m)) {
    const uint32_t step = index.step_of(mention.at);
    if (step == kNone) continue;  // 2.2 says so
    const Step& here = index.steps(mention.at.trace)[step];
    if (here.regular == m.ring) continue;
    findings.add("1.2",
                 index.who(mention.at.trace) + " delivers " + index.message(m) + " in " + index.name(here.conf) +
                     ", where only messages of " + index.name(here.regular) + " are delivered.",
                 {{mention.at.trace, here.event}, mention.at});
  }
}

// 1.4: over all incarnations. The deliveries of a message are sorted by trace.
void check_once(const Index& index, const Message& m, Findings& findings) {
  const auto deliveries = index.deliveries(m);
  if (deliveries.size() < 2) return;
  std::unordered_map<uint32_t, Place> by;
  for (const Mention& mention : deliveries) {
    const auto [before, fresh] = by.emplace(index.run().traces[mention.at.trace].process.nodeid, mention.at);
    if (!fresh)
      findings.add("1.4", index.who(mention.at.trace) + " delivers " + index.message(m) + " twice.",
                   {before->second, mention.at});
  }
}

// 1.5
void check_member_sent(const Index& index, const Message& m, Findings& findings) {
  if (index.deliveries(m).empty() || index.installed(m.ring).shape == nullptr) return;
  if (index.is_member(m.sender.nodeid, m.ring)) return;
  const Place at = index.deliveries(m)[0].at;
  const Installation by = index.installed(m.ring).by.front();
  findings.add("1.5",
               index.who(at.trace) + " delivers " + index.message(m) + " from " + text_of(m.sender) +
                   ", who is no member of " + index.name(m.ring) + ".",
               {index.at(by.trace, by.step), at});
}

// 2.2: what names a configuration stands in it, messages are sent in regular ones alone, and after the end is nothing.
void check_places(const Index& index, uint32_t trace, Findings& findings) {
  const std::vector<Event>& events = index.run().traces[trace].events;
  for (uint32_t i = 0; i < events.size(); ++i) {
    const Event& e = events[i];
    const bool last = e.kind == Kind::fail || e.kind == Kind::end;
    if (last && i + 1 < events.size())
      findings.add("2.2", index.who(trace) + " goes on after its end.", {{trace, i}, {trace, i + 1}});
    if (e.kind != Kind::send && e.kind != Kind::deliver && e.kind != Kind::prim) continue;
    const uint32_t number = index.step_of({trace, i});
    if (number == kNone) {
      findings.add("2.2", index.who(trace) + " has an event before its first configuration.", {{trace, i}});
      continue;
    }
    const Step& step = index.steps(trace)[number];
    const std::string here = "while " + index.who(trace) + " is in " + index.name(step.conf) + ".";
    const std::vector<Place> proof = {{trace, step.event}, {trace, i}};
    if (e.kind == Kind::deliver && e.conf != step.conf)
      findings.add("2.2", "A delivery names the configuration " + index.name(e.conf) + " " + here, proof);
    if (e.kind == Kind::prim && (e.conf != step.conf || step.transitional))
      findings.add("2.2", index.name(e.conf) + " is declared primary " + here, proof);
    if (e.kind == Kind::send && (e.ring != step.conf || step.transitional))
      findings.add("2.2", "A message is sent in " + index.name(e.ring) + " " + here, proof);
  }
}

}  // namespace

void check_basic(const Index& index, Findings& findings) {
  for (const Message& m : index.messages()) {
    check_one_message(index, m, findings);
    check_has_sending(index, m, findings);
    check_in_its_configuration(index, m, findings);
    check_once(index, m, findings);
    check_member_sent(index, m, findings);
  }
  check_one_place(index, findings);
  for (uint32_t trace = 0; trace < index.trace_count(); ++trace) check_places(index, trace, findings);
}

}  // namespace evs::verify
