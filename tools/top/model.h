// SPDX-License-Identifier: BSD-3-Clause
// tools/top/model.h - all that is shown: the latest frame, what the ones before it came to, and what is wrong. Frames in, nothing asked.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/top/frame.h"
#include "tools/top/health.h"
#include "tools/top/history.h"
#include "tools/top/trend.h"

namespace evs::top {

class Model {
 public:
  explicit Model(Thresholds thresholds = {}) : thresholds_(thresholds) {}

  void add(Frame frame) {
    trend_.add(frame);
    history_.add(frame);
    findings_ = judge(frame, thresholds_);
    frame_ = std::move(frame);
    has_frame_ = true;
    trouble_.clear();
  }
  // There is no frame this time. What was known stays, and is shown as what it is.
  void fail(std::string sentence) { trouble_ = std::move(sentence); }

  bool has_frame() const { return has_frame_; }
  const Frame& frame() const { return frame_; }
  const Trend& trend() const { return trend_; }
  const History& history() const { return history_; }
  const std::vector<Finding>& findings() const { return findings_; }
  const std::string& trouble() const { return trouble_; }

 private:
  Thresholds thresholds_;
  Frame frame_;
  Trend trend_;
  History history_;
  std::vector<Finding> findings_;
  std::string trouble_;
  bool has_frame_ = false;
};

}  // namespace evs::top
