// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/state_directory.h - a directory on a disk, whose files are there wholly or not at all, whatever becomes of the machine.
//
// A file is replaced, never written to: a new one, under a name that no other write has, is filled, flushed, given the name of the old one, and the directory is flushed. Files are
// small, and belong to the process that writes them; what anybody else may write to is not believed.
//
// With a Patience the disk is not waited for beyond its end, and what was asked of it may still be under way when another process has the file. So who takes it over throws away the
// new ones of all before it, and reads then: what had its name by now is what is read, what had not finds nothing any more to give it to. What begins after that asks whether it was
// left, and takes its own away.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bus/runtime/config_descriptor.h"
#include "bus/runtime/plugin_result.h"
#include "bus/runtime/uplink/patience.h"

namespace evs::runtime::uplink {

class StateDirectory {
 public:
  enum class Missing : uint8_t { refuse, make };
  // The first of `candidates` that we may write to; one that has a file `name` already goes before one that has none. With `make`, one that has it and may not be written to
  // is refused, as far as it can be seen.
  static PluginResult<StateDirectory> open(const std::vector<std::string>& candidates, const std::string& name, Missing missing, std::shared_ptr<Patience> patience = nullptr);

  std::string path_of(const std::string& name) const { return place_->path + "/" + name; }

  // Before the first read: from here on nobody writes `name` but us, until somebody else takes it over. A failure is CS_ERR_TIMEOUT where the disk has not answered, and nothing is
  // known of what is there; otherwise CS_ERR_ACCESS. Its sentence names the file.
  std::optional<PluginFailure> take_over(const std::string& name) const;
  using Contents = std::optional<std::vector<std::byte>>;  // none: there is no such file
  PluginResult<Contents> read(const std::string& name, size_t at_most) const;
  // None when it is on the disk; else the old one is still there, or perhaps the new one.
  std::optional<PluginFailure> write(const std::string& name, std::span<const std::byte> bytes) const;

 private:
  struct Place {
    std::string path;
    Descriptor directory;
  };
  explicit StateDirectory(Place place) : place_(std::make_shared<const Place>(std::move(place))) {}
  static PluginResult<StateDirectory> open_now(const std::vector<std::string>& candidates, const std::string& name, Missing missing);
  static std::optional<PluginFailure> throw_away_new(const Place& place, const std::string& name, const Patience::Task& task);
  static PluginResult<Contents> read_now(const Place& place, const std::string& name, size_t at_most);
  static int replace(const Place& place, const std::string& name, const std::string& made, std::span<const std::byte> bytes, const Patience::Task& task);

  std::shared_ptr<const Place> place_;  // with whom asks the disk, who may be left
  std::shared_ptr<Patience> patience_;
};

}  // namespace evs::runtime::uplink
