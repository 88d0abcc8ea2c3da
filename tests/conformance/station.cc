// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/station.cc - stations, and how they meet.
#include "tests/conformance/station.h"

#include <poll.h>

#include <algorithm>
#include <cstring>

#include "tests/support/netns.h"

namespace evs::conformance {

namespace {

// One wire for all stories of a run.
void at(size_t number, const std::function<void()>& body) {
  if (!options().wire) return body();
  static test::Wire wire(Party::kSize);
  wire.inside(number, body);
}

std::string numbered_value(std::string value, size_t number) {
  for (size_t hit = value.find("{i}"); hit != std::string::npos; hit = value.find("{i}"))
    value.replace(hit, 3, std::to_string(number + 1));
  return value;
}

}  // namespace

Station::Station(size_t number, const Parameters& changed) : number_(number), host_(fresh_bus()) {
  std::map<std::string, std::string> all;
  for (const auto& [key, value] : options().parameters) all[key] = numbered_value(value, number);
  for (const auto& [key, value] : changed) all[key] = numbered_value(value, number);
  std::vector<evs_plugin_parameter> parameters;
  for (const auto& [key, value] : all) parameters.push_back({key.c_str(), value.c_str()});
  at(number_, [&] {
    auto created = runtime::Transport::create(plugin(), host_.table(), parameters);
    if (!created) throw std::runtime_error(created.failure().text);
    transport_.emplace(std::move(*created));
    runtime::ServiceCalls service = transport_->service();
    if (auto failure = service.begin()) throw std::runtime_error(failure->text);
    if (auto failure = transport_->start(kLong)) throw std::runtime_error(failure->text);
    service.work(now_ns());
  });
}

Station::~Station() {
  at(number_, [&] {
    transport_->stop();
    transport_->service().end();
    transport_.reset();
  });
}

void Station::work() {
  at(number_, [&] { transport_->service().work(now_ns()); });
}

int32_t Station::send(const std::vector<std::pair<uint32_t, std::string>>& frames, size_t* taken) {
  std::vector<evs_datagram> raw;
  for (const auto& [to, data] : frames) raw.push_back({to, 0, const_cast<char*>(data.data()), data.size()});
  int32_t status = EVS_P_INTERNAL;
  at(number_, [&] { status = ops().send(self(), raw.data(), raw.size(), taken); });
  return status;
}

void Station::say(uint32_t to, const std::vector<std::string>& frames) {
  std::vector<std::pair<uint32_t, std::string>> left;
  for (const std::string& data : frames) left.emplace_back(to, data);
  const uint64_t deadline = now_ns() + kLong;
  while (!left.empty()) {
    size_t taken = 0;
    const int32_t status = send(left, &taken);
    ASSERT_TRUE(status == EVS_P_OK || status == EVS_P_AGAIN) << status;
    ASSERT_LE(taken, left.size());
    ASSERT_EQ(status == EVS_P_OK, taken == left.size());
    left.erase(left.begin(), left.begin() + static_cast<ptrdiff_t>(taken));
    ASSERT_LT(now_ns(), deadline) << "there is no room for " << left.size() << " frames";
    if (!left.empty()) poll(nullptr, 0, 1);  // no bell tells of room
  }
}

int32_t Station::receive(size_t count, std::vector<Heard>& out, size_t room) {
  std::vector<std::string> rooms(count, std::string(room, '#'));
  std::vector<evs_datagram> raw;
  for (std::string& data : rooms) raw.push_back({0, 0, data.data(), data.size()});
  size_t got = 0;
  int32_t status = EVS_P_INTERNAL;
  at(number_, [&] { status = ops().receive(self(), raw.data(), count, &got); });
  EXPECT_LE(got, count);
  EXPECT_EQ(status, got > 0 ? EVS_P_OK : EVS_P_AGAIN);
  for (size_t i = 0; i < got; ++i) {
    EXPECT_EQ(raw[i].data, rooms[i].data()) << "the rooms are the host's";
    out.push_back({raw[i].peer, raw[i].flags, rooms[i].substr(0, raw[i].size)});
  }
  return status;
}

void Station::until_heard(size_t count) {
  const uint64_t deadline = now_ns() + kLong;
  while (heard_.size() < count) {
    receive(16, heard_);
    if (heard_.size() >= count) break;
    ASSERT_LT(now_ns(), deadline) << "heard " << heard_.size() << " of " << count << " frames";
    readable(100);
  }
}

std::vector<std::string> Station::data() const {
  std::vector<std::string> out;
  for (const Heard& one : heard_) out.push_back(one.data);
  std::sort(out.begin(), out.end());
  return out;
}

bool Station::readable(int patience_ms) const {
  pollfd wait{ops().receive_fd(self()), POLLIN, 0};
  return poll(&wait, 1, patience_ms) == 1;
}

std::string Station::name_of(uint32_t peer) const {
  char text[128] = "";
  const size_t length = ops().peer_name(self(), peer, text, sizeof(text));
  EXPECT_EQ(length, std::strlen(text));
  return text;
}

// Each says its number until both others have heard it: the first words on a fresh wire may be lost.
Party::Party() {
  for (size_t i = 0; i < kSize; ++i) stations_.push_back(std::make_unique<Station>(i));
  size_t met = 0;
  const uint64_t deadline = now_ns() + kLong;
  bool known[kSize][kSize] = {};
  while (met < kSize * (kSize - 1)) {
    if (now_ns() > deadline) throw std::runtime_error("the stations do not hear each other");
    for (size_t i = 0; i < kSize; ++i) stations_[i]->say(EVS_PEER_ALL, {"hello " + std::to_string(i)});
    for (size_t i = 0; i < kSize; ++i) {
      Station& station = *stations_[i];
      station.readable(20);
      while (station.receive(16, station.heard()) == EVS_P_OK) {
      }
      for (const Heard& one : station.heard()) {
        const size_t from = one.data.size() == 7 ? static_cast<size_t>(one.data[6] - '0') : kSize;
        if (from >= kSize || known[i][from]) continue;
        known[i][from] = true;
        known_[i][from] = one.peer;
        to_all_is_told_ |= (one.flags & EVS_DATAGRAM_TO_ALL) != 0;
        met += from != i;
      }
      station.heard().clear();
    }
  }
  // What is still under way must not be in a story: each says a last word, and all is read up to it.
  for (size_t i = 0; i < kSize; ++i) stations_[i]->say(EVS_PEER_ALL, {"end"});
  for (auto& station : stations_) {
    size_t ends = 0;
    while (ends < kSize - 1 && now_ns() < deadline) {
      station->readable(20);
      std::vector<Heard> batch;
      station->receive(16, batch);
      for (const Heard& one : batch) ends += one.data == "end";
    }
  }
}

std::string sealed(uint64_t number, size_t size) {
  std::string out(std::max<size_t>(size, 16), '\0');
  const uint64_t length = out.size();
  std::memcpy(out.data(), &number, 8);
  std::memcpy(out.data() + 8, &length, 8);
  for (size_t i = 16; i < out.size(); ++i) out[i] = static_cast<char>((number * 31 + i * 7) >> 3);
  return out;
}

bool is_whole(const std::string& data) {
  if (data.size() < 16) return false;
  uint64_t number = 0;
  std::memcpy(&number, data.data(), 8);
  return data == sealed(number, data.size());
}

}  // namespace evs::conformance
