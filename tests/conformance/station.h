// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/station.h - what the stories of datagram media are told with.
//
// A Station is one transport of a datagram medium, driven through its C tables. All stations of a story are driven by the story's
// own thread; with --wire each is in a network namespace of its own, which the thread enters for every call.
#pragma once

#include <map>

#include "tests/conformance/suite.h"

namespace evs::conformance {

// A frame that was received.
struct Heard {
  uint32_t peer = 0, flags = 0;
  std::string data;
};

class Station {
 public:
  explicit Station(size_t number, const Parameters& changed = {});
  ~Station();

  const evs_datagram_ops& ops() const { return transport_->datagram(); }
  evs_transport* self() const { return transport_->self(); }
  runtime::Transport& transport() { return *transport_; }
  Host& host() { return host_; }

  size_t largest_frame() const { return ops().largest_frame(self()); }
  // One call of send().
  int32_t send(const std::vector<std::pair<uint32_t, std::string>>& frames, size_t* taken);
  // Sends them all, offering what was not taken again.
  void say(uint32_t to, const std::vector<std::string>& frames);
  // One call of receive().
  int32_t receive(size_t count, std::vector<Heard>& out, size_t room = 65536);
  // Receives until `count` frames in all are in heard(), waiting on the descriptor; fails the test after kLong.
  void until_heard(size_t count);
  std::vector<Heard>& heard() { return heard_; }
  std::vector<std::string> data() const;  // of heard(), sorted
  bool readable(int patience_ms = 0) const;
  std::string name_of(uint32_t peer) const;
  void work();  // what the service thread would do

 private:
  size_t number_;
  Host host_;
  std::optional<runtime::Transport> transport_;
  std::vector<Heard> heard_;
};

// Three stations that have heard of each other; peer(i, j): the index that i knows j by.
class Party {
 public:
  static constexpr size_t kSize = 3;
  Party();
  Station& operator[](size_t number) { return *stations_[number]; }
  uint32_t peer(size_t of, size_t whom) { return known_[of][whom]; }
  bool to_all_is_told() const { return to_all_is_told_; }

 private:
  std::vector<std::unique_ptr<Station>> stations_;
  uint32_t known_[kSize][kSize] = {};
  bool to_all_is_told_ = false;
};

// A payload that says whether it is whole and whose it is.
std::string sealed(uint64_t number, size_t size);
bool is_whole(const std::string& data);

}  // namespace evs::conformance
