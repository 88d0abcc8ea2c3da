// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/primary.cc - see primary.h.
#include "bus/ordering/primary.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "bus/ordering/host_set.h"
#include "bus/ordering/mutant.h"

namespace evs::ordering {
namespace {

bool has_majority(const Hosts& here, const Hosts& of) {
  Hosts both;
  std::set_intersection(here.begin(), here.end(), of.begin(), of.end(), std::back_inserter(both));
  return 2 * both.size() > of.size();
}

bool remembers(const PrimaryRecord& record, const Attempt& attempt) {
  return std::find(record.attempts.begin(), record.attempts.end(), attempt) != record.attempts.end();
}

// No member of it can have formed it, nor ever will: all have left its ring. Either one is here and did not vote, or all are here and none did.
bool has_failed(const Attempt& attempt, const PrimaryRecords& said) {
  bool all_here = true;
  for (const Host& host : attempt.hosts) {
    const auto member = said.find(host);
    all_here &= member != said.end();
    if (member != said.end() && !remembers(member->second, attempt)) return true;
  }
  return all_here;
}

std::vector<Attempt> tries_since(uint64_t epoch, const PrimaryRecords& said) {
  std::vector<Attempt> tries;
  for (const auto& [host, record] : said)
    for (const Attempt& attempt : record.attempts)
      if (attempt.epoch > epoch && std::find(tries.begin(), tries.end(), attempt) == tries.end()) tries.push_back(attempt);
  std::sort(tries.begin(), tries.end(), [](const Attempt& a, const Attempt& b) { return std::tie(a.epoch, a.ring) < std::tie(b.epoch, b.ring); });
  return tries;
}

Hosts names_of(const PrimaryRecords& said) {
  Hosts hosts;
  for (const auto& [host, record] : said) hosts.push_back(host);
  return hosts;
}

bool is_enough(const Quorum& quorum, const Hosts& here, const Attempt& formed) {
  return quorum.rule == Quorum::Rule::fixed ? 2 * here.size() > quorum.hosts : has_majority(here, formed.hosts);
}

}  // namespace

const char* text_of(Verdict verdict) {
  constexpr const char* kTexts[] = {"primary", "no host here knows of a primary ring", "more hosts than the bus is said to have", "no majority of the last primary ring",
                                    "an interrupted try may have succeeded, and has no majority here", "too many interrupted tries",
                                    "two chains of primary rings were begun", "no epochs are left", "the hosts go by different rules: quorum", "a host did not vote for it",
                                    "quorum is off"};
  static_assert(std::size(kTexts) == static_cast<size_t>(Verdict::off) + 1);
  return kTexts[static_cast<size_t>(verdict)];
}

Decision decide(const RingId& ring, const Voters& said) {
  Decision decision;
  decision.verdict = Verdict::rules_differ;
  if (said.empty()) return decision;
  const Quorum& quorum = said.begin()->second.quorum;
  PrimaryRecords records;
  for (const auto& [id, voter] : said) {
    if (voter.quorum != quorum) return decision;
    records[{id, voter.disk}] = voter.record;
  }
  if (quorum.rule != Quorum::Rule::off) return decide(quorum, ring, records);
  decision.verdict = Verdict::off;
  return decision;
}

Decision decide(const Quorum& quorum, const RingId& ring, const PrimaryRecords& said) {
  Decision decision;
  const auto refuse = [&decision](Verdict why) {
    decision.verdict = why;
    return decision;
  };
  for (const auto& [host, record] : said)
    if (record.formed.epoch > decision.formed.epoch) decision.formed = record.formed;
  for (const auto& [host, record] : said)
    if (record.formed.epoch == decision.formed.epoch && record.formed != decision.formed) return refuse(Verdict::two_histories);
  uint64_t epoch = decision.formed.epoch;
  for (Attempt& attempt : tries_since(decision.formed.epoch, said)) {
    if (!planted(Mutant::epoch_reused)) epoch = std::max(epoch, attempt.epoch);  // of those that failed, too: their voters have seen it
    if (!has_failed(attempt, said)) decision.unsettled.push_back(std::move(attempt));
  }
  const bool fixed = quorum.rule == Quorum::Rule::fixed;
  const Hosts here = names_of(said);
  if (decision.formed.epoch == 0 && !fixed) return refuse(Verdict::nobody_knows);
  if (fixed && here.size() > quorum.hosts) return refuse(Verdict::too_many_hosts);
  if (!is_enough(quorum, here, decision.formed)) return refuse(Verdict::no_majority);
  if (epoch == UINT64_MAX) return refuse(Verdict::out_of_epochs);
  if (decision.unsettled.size() >= kMaxAttempts) return refuse(Verdict::too_many_tries);
  for (const Attempt& attempt : decision.unsettled)
    if (!fixed && !planted(Mutant::tries_ignored) && !has_majority(here, attempt.hosts)) return refuse(Verdict::may_have_formed);
  decision.verdict = Verdict::forms;
  decision.attempt = {epoch + 1, ring, here};
  return decision;
}

PrimaryRecord with_attempt(const PrimaryRecord& own, const Decision& decision) {
  if (own.formed.epoch >= decision.attempt.epoch) return own;  // a successor: its disk is ahead of it
  PrimaryRecord next;
  next.formed = own.formed.epoch < decision.formed.epoch ? decision.formed : own.formed;
  // What is settled, one way or the other, is forgotten; who meets us without it knows that it failed.
  for (const Attempt& attempt : own.attempts)
    if (std::find(decision.unsettled.begin(), decision.unsettled.end(), attempt) != decision.unsettled.end()) next.attempts.push_back(attempt);
  if (!planted(Mutant::try_not_stored)) next.attempts.push_back(decision.attempt);
  return next;
}

PrimaryRecord with_formed(const PrimaryRecord& own, const Attempt& attempt) {
  if (own.formed.epoch >= attempt.epoch) return own;
  PrimaryRecord next{attempt, own.attempts};
  std::erase_if(next.attempts, [&attempt](const Attempt& each) { return each.epoch <= attempt.epoch; });
  return next;
}

PrimaryRecord begun_by(const Host& host) { return {{1, RingId{0, host.id, host.nonce}, Hosts{host}}, {}}; }

}  // namespace evs::ordering
