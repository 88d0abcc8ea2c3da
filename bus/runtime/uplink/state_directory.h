// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/state_directory.h - a directory on a disk, whose files are there wholly or not at all, whatever becomes of the machine.
//
// A file is replaced, never written to: a new one is filled, flushed, given the name of the old one, and the directory is flushed. Files are small, and belong to
// the process that writes them; what anybody else may write to is not believed. With a Patience the disk is not waited for beyond its end, and then nothing of what was
// to be written becomes the file later.
#pragma once

#include <cstddef>
#include <memory>
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

  enum class Found : uint8_t { file, nothing, unusable };
  struct Read {
    Found found = Found::nothing;
    std::vector<std::byte> bytes;
    std::string why;  // unusable: a sentence that names the file
  };
  Read read(const std::string& name, size_t at_most) const;
  // Empty when it is on the disk; else a sentence that names the file, and the old one is still there, or perhaps the new one.
  std::string write(const std::string& name, std::span<const std::byte> bytes) const;

 private:
  struct Place {
    std::string path;
    Descriptor directory;
  };
  explicit StateDirectory(Place place) : place_(std::make_shared<const Place>(std::move(place))) {}
  static PluginResult<StateDirectory> open_now(const std::vector<std::string>& candidates, const std::string& name, Missing missing);
  static Read read_now(const Place& place, const std::string& name, size_t at_most);
  static int replace(const Place& place, const std::string& name, std::span<const std::byte> bytes, Patience::Task& task);

  std::shared_ptr<const Place> place_;  // with whom asks the disk, who may be left
  std::shared_ptr<Patience> patience_;
};

}  // namespace evs::runtime::uplink
