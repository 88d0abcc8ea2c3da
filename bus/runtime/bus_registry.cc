// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/bus_registry.cc - acquire and release.
#include "bus/runtime/bus_registry.h"

#include <algorithm>
#include <utility>

namespace evs::runtime {
namespace {

// What the caller asks for and the open bus does not have: a sentence, or empty.
std::string differs(const Config& open, const Config& asked, const ConfigPairs& asks) {
  const std::vector<Setting> have = open.settings(), want = asked.settings();
  for (const auto& [key, unused] : asks) {
    const auto named = [&key = key](const Setting& setting) { return setting.key == key; };
    const auto is = std::find_if(have.begin(), have.end(), named), shall = std::find_if(want.begin(), want.end(), named);
    if (shall == want.end() || (is != have.end() && is->value == shall->value)) continue;
    return "bus " + open.text("bus.name") + " is open in this process with " + key + " = \"" +
           (is == have.end() ? "" : is->value) + "\", not \"" + shall->value +
           "\": the first handle of a bus configures it; finalize its handles first, or ask for the same";
  }
  return {};
}

}  // namespace

BusRegistry::Entries::iterator BusRegistry::find(const std::string& name) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
}

uint32_t BusRegistry::free_slot() const {
  for (uint32_t slot = 0; slot < kCountedBuses; ++slot) {
    const auto uses = [slot](const Entry& entry) { return entry.counted_slot == slot; };
    if (std::none_of(entries_.begin(), entries_.end(), uses)) return slot;
  }
  return kNoCountedSlot;
}

PluginResult<Bus*> BusRegistry::acquire(BusRequest request, const ConfigPairs& asks) {
  const std::string name = request.config.text("bus.name");
  std::unique_lock lock(mutex_);
  auto entry = find(name);
  while (entry != entries_.end() && entry->busy) {
    not_busy_.wait(lock);
    entry = find(name);
  }
  if (entry != entries_.end()) {
    std::string difference = differs(entry->bus->config(), request.config, asks);
    if (!difference.empty()) return PluginFailure{CS_ERR_EXIST, std::move(difference)};
    ++entry->handles;
    return entry->bus.get();
  }
  entries_.push_back(Entry{name, nullptr, 0, free_slot(), true});
  entry = std::prev(entries_.end());
  lock.unlock();

  PluginResult<std::unique_ptr<Bus>> opened = PluginFailure{CS_ERR_NO_MEMORY, "out of memory"};
  try {
    opened = Bus::open(std::move(request), entry->counted_slot);
  } catch (const std::bad_alloc&) {
  } catch (...) {
    opened = PluginFailure{CS_ERR_LIBRARY, "an exception came out of the transport"};
  }
  lock.lock();
  not_busy_.notify_all();
  if (!opened) {
    entries_.erase(entry);
    return opened.failure();
  }
  entry->bus = std::move(*opened);
  entry->handles = 1;
  entry->busy = false;
  return entry->bus.get();
}

void BusRegistry::release(Bus& bus) {
  std::unique_lock lock(mutex_);
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.bus.get() == &bus; });
  if (--entry->handles > 0) return;
  entry->busy = true;
  lock.unlock();
  entry->bus.reset();
  lock.lock();
  entries_.erase(entry);
  not_busy_.notify_all();
}

}  // namespace evs::runtime
