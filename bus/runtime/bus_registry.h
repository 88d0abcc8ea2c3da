// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/bus_registry.h - the buses of this process, by name: opened by the first handle, closed by the last.
//
// Opening and closing may take seconds (a lock file, a ring that forms), so they happen outside of the lock, with the name
// marked as busy; only who wants the same bus waits for it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "bus/runtime/bus.h"

namespace evs::runtime {

class BusRegistry {
 public:
  // One more handle for the bus that `request` names; opens it when nobody has it. CS_ERR_EXIST: it is open with another
  // configuration than `asks` (the keys that this caller set itself).
  PluginResult<Bus*> acquire(BusRequest request, const ConfigPairs& asks);
  // One handle less. The last one takes the bus down before it returns.
  void release(Bus& bus);

 private:
  struct Entry {
    std::string name;
    std::unique_ptr<Bus> bus;
    uint32_t handles = 0;
    uint32_t counted_slot = kNoCountedSlot;
    bool busy = false;  // being opened or closed
  };
  using Entries = std::list<Entry>;

  Entries::iterator find(const std::string& name);
  uint32_t free_slot() const;

  std::mutex mutex_;
  std::condition_variable not_busy_;
  Entries entries_;
};

}  // namespace evs::runtime
