// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/index.cc - see index.h.
#include "tools/verify/index.h"

#include <algorithm>
#include <tuple>

namespace evs::verify {

namespace {

uint64_t pair_key(uint32_t trace, Token conf) {
  return uint64_t{trace} << 32 | conf.value;
}

}  // namespace

Index::Index(const Run& run, const Options& options) : run_(run), options_(options) {
  const size_t traces = run.traces.size();
  steps_.resize(traces);
  step_of_.resize(traces);
  message_of_.resize(traces);
  counts_.resize(traces);
  endings_.resize(traces, Ending::cut);
  highest_ring_seq_.resize(traces, 0);
  installed_.resize(run.names.count());
  for (uint32_t trace = 0; trace < traces; ++trace) index_trace(trace);
  for (auto& [nodeid, list] : incarnations_) {
    nodeids_.push_back(nodeid);
    std::sort(list.begin(), list.end(), [&](uint32_t a, uint32_t b) {
      return std::tie(run.traces[a].process.incarnation, a) < std::tie(run.traces[b].process.incarnation, b);
    });
  }
  std::sort(nodeids_.begin(), nodeids_.end());
  index_messages();
  index_deliveries();
}

void Index::index_trace(uint32_t trace) {
  const Trace& t = run_.traces[trace];
  incarnations_[t.process.nodeid].push_back(trace);
  if (!t.events.empty() && t.events.back().kind == Kind::end) endings_[trace] = Ending::alive;
  if (!t.events.empty() && t.events.back().kind == Kind::fail) endings_[trace] = Ending::failed;
  std::vector<Step>& steps = steps_[trace];
  step_of_[trace].resize(t.events.size(), kNone);
  message_of_[trace].resize(t.events.size(), kNone);
  counts_[trace].resize(t.events.size(), false);
  uint32_t regular = kNone;
  for (uint32_t i = 0; i < t.events.size(); ++i) {
    const Event& event = t.events[i];
    if (event.kind == Kind::conf) {
      const Configuration& shape = t.configurations[event.configuration];
      const uint32_t number = static_cast<uint32_t>(steps.size());
      Step step;
      step.event = i;
      step.conf = event.conf;
      step.transitional = shape.transitional;
      step.previous_regular = regular;
      step.regular = !shape.transitional ? event.conf : regular != kNone ? steps[regular].conf : shape.regular;
      if (!shape.transitional) {
        for (uint32_t s = regular == kNone ? 0 : regular; s < number; ++s) steps[s].next_regular = number;
        regular = number;
        highest_ring_seq_[trace] = std::max(highest_ring_seq_[trace], shape.ring_seq);
      }
      steps.push_back(step);
      step_in_.emplace(pair_key(trace, event.conf), number);
      Installed& installed = installed_[event.conf.value];
      if (installed.shape == nullptr) {
        installed.shape = &shape;
        installed.members = shape.members;
        std::sort(installed.members.begin(), installed.members.end());
      }
      installed.by.push_back({trace, number});
    }
    step_of_[trace][i] = steps.empty() ? kNone : static_cast<uint32_t>(steps.size() - 1);
  }
}

void Index::index_messages() {
  struct Found {
    Token ring;
    uint64_t seq;
    Mention mention;
  };
  std::vector<Found> found;
  for (uint32_t trace = 0; trace < trace_count(); ++trace) {
    const std::vector<Event>& events = run_.traces[trace].events;
    for (uint32_t i = 0; i < events.size(); ++i)
      if (events[i].kind == Kind::send || events[i].kind == Kind::deliver)
        found.push_back({events[i].ring, events[i].seq, {{trace, i}, events[i].kind == Kind::deliver}});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::tie(a.ring, a.seq, a.mention.delivery, a.mention.at) <
           std::tie(b.ring, b.seq, b.mention.delivery, b.mention.at);
  });
  mentions_.reserve(found.size());
  for (const Found& f : found) {
    const uint32_t here = static_cast<uint32_t>(mentions_.size());
    const Event& e = event(f.mention.at);
    if (rings_.empty() || rings_.back().id != f.ring) {
      const uint32_t begin = static_cast<uint32_t>(messages_.size());
      rings_.push_back({f.ring, begin, begin});
    }
    if (rings_.back().begin == messages_.size() || messages_.back().seq != f.seq) {
      Message m;
      m.ring = f.ring;
      m.seq = f.seq;
      m.begin = m.deliveries = m.end = here;
      m.first = &e;
      m.sender = f.mention.delivery ? e.sender : run_.traces[f.mention.at.trace].process;
      messages_.push_back(m);
      rings_.back().end = static_cast<uint32_t>(messages_.size());
    }
    Message& m = messages_.back();
    message_of_[f.mention.at.trace][f.mention.at.event] = static_cast<uint32_t>(messages_.size() - 1);
    mentions_.push_back(f.mention);
    m.end = here + 1;
    if (!f.mention.delivery) m.deliveries = m.end;
  }
}

void Index::index_deliveries() {
  for (const Message& m : messages_) {
    uint32_t before = kNone;  // the trace of the delivery before this one: a trace's deliveries stand together
    for (const Mention& mention : deliveries(m)) {
      const uint32_t step = step_of(mention.at);
      const bool in_com = step != kNone && steps_[mention.at.trace][step].regular == m.ring;
      if (!in_com || mention.at.trace == before) continue;
      before = mention.at.trace;
      counts_[mention.at.trace][mention.at.event] = true;
    }
  }
}

std::span<const uint32_t> Index::incarnations(uint32_t nodeid) const {
  const auto found = incarnations_.find(nodeid);
  return found == incarnations_.end() ? std::span<const uint32_t>() : found->second;
}

uint32_t Index::step_in(uint32_t trace, Token conf) const {
  const auto found = step_in_.find(pair_key(trace, conf));
  return found == step_in_.end() ? kNone : found->second;
}

bool Index::is_member(uint32_t nodeid, Token conf) const {
  const std::vector<uint32_t>& members = installed(conf).members;
  return std::binary_search(members.begin(), members.end(), nodeid);
}

uint64_t Index::ring_seq(Token regular) const {
  const Configuration* shape = installed(regular).shape;
  return shape == nullptr ? 0 : shape->ring_seq;
}

Place Index::last(uint32_t trace) const {
  const size_t events = run_.traces[trace].events.size();
  return {trace, events == 0 ? 0 : static_cast<uint32_t>(events - 1)};
}

}  // namespace evs::verify
