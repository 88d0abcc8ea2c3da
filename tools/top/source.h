// SPDX-License-Identifier: BSD-3-Clause
// tools/top/source.h - where frames come from: the files of this host, an exporter, a recording.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tools/top/frame.h"

namespace evs::top {

enum class Got : uint8_t {
  frame,
  no_bus,  // there is none of that name; it may come
  failed,  // it cannot be looked at, this time
  end,     // of a recording
  broken,  // nothing will come of it any more: a recording that cannot be read on
};

class Source {
 public:
  virtual ~Source() = default;
  // Other than `frame` and `end`: `failure` is a sentence.
  virtual Got next(Frame& out, std::string& failure) = 0;
};

// Read-only, without a lock and without joining. `directory` and `group` as configured: an empty directory means the usual one.
std::unique_ptr<Source> local_source(const std::string& directory, const std::string& group, const std::string& bus);

// An exporter's text. Without a name: the one bus that it tells of. Waits so long for an answer, and no longer.
inline constexpr long kAnswerMs = 5000;
// `wanted_elsewhere`: somebody pressed a key, or wants us to end. It is asked while we wait; the frame is then given up.
std::unique_ptr<Source> url_source(const std::string& url, const std::string& bus, std::function<bool()> wanted_elsewhere);

// Null: it cannot be opened, `failure` says why.
std::unique_ptr<Source> replay_source(const std::string& path, std::string& failure);

// Pure. Of all that an exporter says, one bus: its series, without the labels that name it. False: `failure` says which buses there are.
bool pick_bus(Families all, const std::string& bus, Frame& out, std::string& failure);

}  // namespace evs::top
