// SPDX-License-Identifier: BSD-3-Clause
// tools/top/replay_source.cc - a recording as a source.
#include "tools/top/recording.h"
#include "tools/top/source.h"

namespace evs::top {
namespace {

class Replay : public Source {
 public:
  bool open(const std::string& path, std::string& failure) { return recording_.open(path, failure); }
  Got next(Frame& out, std::string& failure) override {
    switch (recording_.next(out, failure)) {
      case Recording::Next::frame:
        return Got::frame;
      case Recording::Next::end:
        return Got::end;
      default:
        return Got::broken;
    }
  }

 private:
  Recording recording_;
};

}  // namespace

std::unique_ptr<Source> replay_source(const std::string& path, std::string& failure) {
  auto replay = std::make_unique<Replay>();
  if (!replay->open(path, failure)) return nullptr;
  return replay;
}

}  // namespace evs::top
