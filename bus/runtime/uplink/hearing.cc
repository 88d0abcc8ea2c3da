// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/hearing.cc - see hearing.h.
#include "bus/runtime/uplink/hearing.h"

#include <algorithm>

namespace evs::runtime::uplink {

using namespace ordering;

void Hearing::begin(Instant now) {
  began_ = now;
  next_ = now;
}

// Of who began another life, or was away, the large ones of before are not missed.
void Hearing::heard(Instant now, const Host& sender, const Hello& hello) {
  if (sender.id == self_) return;
  Ear* const ear = &of(sender.id);
  if (ear->nonce_ != sender.nonce || !is_heard(*ear, now)) {
    ear->nonce_ = sender.nonce;
    ear->large_heard_.reset();
    ear->large_missed_ = 0;
    ear->large_came_ = false;
  }
  ear->heard(now, hello.to_all);
  ear->told_us_ = now;
  if (hello.large && hello.to_all) {
    ear->large_heard_ = hello.large_sent;
    ear->large_missed_ = 0;
    ear->large_came_ = true;
  } else {
    if (!ear->large_heard_) ear->large_heard_ = hello.large_sent;
    if (hello.to_all) ear->large_missed_ = hello.large_sent - std::min(hello.large_sent, *ear->large_heard_);
  }
  for (const HeardHost& host : hello.heard) {
    if (host.id == self_) {
      ear->heard_us_ = now;
      if (host.to_all) ear->heard_us_to_all_ = now;
      if (host.large) ear->heard_us_large_ = now;
    } else if (ears_.size() < kMostNamed || ears_.count(host.id) != 0) {
      Ear& named = ears_[host.id];
      named.named_ = now;
      named.named_by_ = sender.id;
    }
  }
}

Fault Hearing::looks(const Ear& ear, Instant now) const {
  const bool to_all = fresh(ear.to_all_, now), to_one = fresh(ear.to_one_, now);
  if (!to_all && to_one) return Fault::not_to_all;
  if (!to_all) return fresh(ear.named_, now, kFreshName) ? Fault::silent : Fault::none;
  if (ear.large_missed_ >= kLargeMissed) return Fault::large_lost;
  if (fresh(ear.told_us_, now) && !fresh(ear.heard_us_, now)) return Fault::deaf;
  return Fault::none;
}

void Hearing::judge(Instant now) {
  for (auto at = ears_.begin(); at != ears_.end();) {
    Ear& ear = at->second;
    if (const Fault fault = looks(ear, now); fault != ear.fault_) {
      ear.fault_ = fault;
      ear.since_ = now;
    }
    heard_any_ |= is_heard(ear, now);
    at = !ear.kept_ && !fresh(ear.named_, now) ? ears_.erase(at) : std::next(at);
  }
}

std::vector<Verdict> Hearing::faults(Instant now) const {
  std::vector<Verdict> faults;
  for (const auto& [host, ear] : ears_) {
    if (ear.fault_ == Fault::none || now - ear.since_ < period_ * (ear.fault_ == Fault::silent ? kPatienceSilent : kPatience)) continue;
    faults.push_back({host, ear.fault_, ear.fault_ == Fault::silent ? ear.named_by_ : kNoHost});
  }
  return faults;
}

bool Hearing::is_well(const Ear& ear, Instant now) const {
  return fresh(ear.to_all_, now) && ear.large_came_ && ear.large_missed_ < kLargeMissed && fresh(ear.heard_us_to_all_, now) && fresh(ear.heard_us_large_, now);
}

bool Hearing::all_is_well(Instant now) const {
  bool any = false;
  for (const auto& [unused, ear] : ears_) {
    if (!is_heard(ear, now) && !fresh(ear.named_, now, kFreshName)) continue;
    if (!is_well(ear, now)) return false;
    any = true;
  }
  return any;
}

bool Hearing::is_lonely(Instant now) const {
  return !heard_any_ && next_ != kNever && now - began_ >= (kFresh + kPatienceSilent) * period_;
}

std::vector<HostId> Hearing::heard_now(Instant now) const {
  std::vector<HostId> heard;
  for (const auto& [host, ear] : ears_)
    if (is_heard(ear, now)) heard.push_back(host);
  return heard;
}

std::vector<HostId> Hearing::to_tell_alone(Instant now) const {
  std::vector<HostId> hosts;
  for (const auto& [host, ear] : ears_) {
    const bool lives = is_heard(ear, now) || fresh(ear.named_, now, kFreshName);
    if (lives && !fresh(ear.heard_us_to_all_, now)) hosts.push_back(host);
  }
  return hosts;
}

Hello Hearing::say(Instant now, bool& large_too) {
  judge(now);
  next_ = now + period_;
  Hello hello;
  hello.to_all = true;
  bool unsure = false;
  for (const auto& [host, ear] : ears_) {
    if (!is_heard(ear, now)) continue;
    unsure |= !fresh(ear.heard_us_large_, now);
    if (hello.heard.size() < kMostInHello) hello.heard.push_back({host, fresh(ear.to_all_, now), ear.large_came_ && ear.large_missed_ == 0});
  }
  large_too = unsure || ++rested_ >= kLargeRest;
  if (large_too) rested_ = 0;
  large_sent_ += large_too;
  hello.large_sent = large_sent_ - large_too;  // a small one that goes before it
  return hello;
}

}  // namespace evs::runtime::uplink
