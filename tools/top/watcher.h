// SPDX-License-Identifier: BSD-3-Clause
// tools/top/watcher.h - looks: takes a frame from the source, records it if that was asked for, and adds it to the model. What all of evs-top's outputs have in common.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "tools/top/model.h"
#include "tools/top/options.h"
#include "tools/top/source.h"

namespace evs::top {

class Watcher {
 public:
  explicit Watcher(const Options& options) : options_(options), model_(options.thresholds) {}

  // An exit status other than 0: error() is a sentence.
  int open(std::function<bool()> wanted_elsewhere);
  // One look. Other than a frame: error() is a sentence.
  Got look();
  // A recording tells when its frames were taken: the next one, read ahead, is due so long after the last. 0: it is not known, or this is no recording.
  uint64_t due_after_ns();

  const Model& model() const { return model_; }
  const std::string& error() const { return error_; }
  bool replays() const { return !options_.replay.empty(); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  Got take(Frame& out);
  bool record(const Frame& frame);

  const Options& options_;
  Model model_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<std::FILE, Close> recording_;
  bool read_ahead_ = false;
  Got ahead_ = Got::end;
  Frame ahead_frame_;
  std::string ahead_error_, error_;
};

int exit_status(Got got);

}  // namespace evs::top
