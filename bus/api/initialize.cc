// SPDX-License-Identifier: BSD-3-Clause
// bus/api/initialize.cc - opening a handle and closing it.
//
// The steps: what was asked (options), what was configured (Config), the bus (opened by the first handle of a process), the
// handle on it. Each failure undoes the steps before it, and says in one sentence, to options.error and to the log (but for one on stderr, where the program's own word would stand beside it),
// what failed and the way out.
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "bus/api/boundary.h"
#include "bus/runtime/bus_registry.h"
#include "bus/runtime/call.h"
#include "bus/runtime/handle_table.h"
#include "evs/evs.h"

namespace evs::api {
namespace {

using namespace evs::runtime;

struct Wish {
  HandleCallbacks callbacks;
  void* context = nullptr;
  LoadRequest load;
  LogFunction log = nullptr;
  void* log_context = nullptr;
  char* error = nullptr;
  size_t error_size = 0;
};

cs_error_t fail(const Wish& wish, cs_error_t code, std::string_view text) {
  if (wish.error != nullptr && wish.error_size > 0) {
    const size_t length = std::min(text.size(), wish.error_size - 1);
    std::memcpy(wish.error, text.data(), length);
    wish.error[length] = '\0';
  }
  return code;
}

// Before there is a bus, there is no log but this one.
cs_error_t fail_and_log(const Wish& wish, cs_error_t code, std::string_view text) {
  LogOptions options;
  options.function = wish.log;
  options.context = wish.log_context;
  for (const auto& [key, value] : wish.load.parameters)
    if (key == "bus.name" && !value.empty()) options.bus = printable(value, EVS_BUS_NAME_MAX);
  const bool is_said_twice = wish.error != nullptr && wish.error_size > 0 && options.is_stderr();  // bus.cc, Bus::open
  if (!is_said_twice) Log(options).error("open", text);
  return fail(wish, code, text);
}

// A struct of the caller's, perhaps older and shorter, or newer and longer, than ours.
template <class T>
bool copy_sized(const T& given, T& own) {
  if (given.struct_size < sizeof(uint32_t) * 2) return false;
  own = T{};
  std::memcpy(static_cast<void*>(&own), &given, std::min<size_t>(given.struct_size, sizeof own));
  return true;
}

// What this caller set itself, and so must find when the bus is open already.
ConfigPairs asked_for(const Wish& wish, const Config& config) {
  ConfigPairs asks = wish.load.parameters;
  if (wish.load.file.empty()) return asks;
  for (const Setting& setting : config.settings())
    if (setting.origin.rfind(wish.load.file, 0) == 0) asks.emplace_back(setting.key, setting.value);
  return asks;
}

int32_t attach(Bus& bus, Handle& handle) {
  if (bus.gate.load(std::memory_order_acquire) == kGateClosed) return EVS_P_CLOSED;
  for (int turn = 0;; ++turn) {
    const int32_t status = bus.attach(handle);
    if (status != EVS_P_EXPELLED || turn == 1) return status;
    const int32_t rejoined = bus.await_rejoin(kRejoinWaitNs);
    if (rejoined != EVS_P_OK) return rejoined;
  }
}

cs_error_t error_of(Cause cause) {
  switch (cause) {
    case Cause::no_descriptors: return CS_ERR_NO_RESOURCES;
    case Cause::no_memory: return CS_ERR_NO_MEMORY;
    case Cause::wrong: break;
  }
  return CS_ERR_INVALID_PARAM;
}

cs_error_t open_handle(evs_handle_t* out, const Wish& wish) {
  Result<Config> config = Config::load(wish.load);
  if (!config) return fail_and_log(wish, error_of(config.failure().cause), config.error());

  evs_handle_t id = 0;
  Handle* const handle = handle_table::take(id);
  if (handle == nullptr) {
    return fail_and_log(wish, CS_ERR_NO_RESOURCES,
                        "all " + std::to_string(EVS_MAX_HANDLES) + " handles of this process are open: finalize some");
  }
  struct GiveBack {
    ~GiveBack() {
      if (bus != nullptr) handle_table::buses().release(*bus);
      if (handle != nullptr) handle_table::give_back(*handle);
    }
    Handle* handle;
    Bus* bus = nullptr;
  } unless_open{handle};

  handle->prepare(id, wish.callbacks, wish.context);
  const ConfigPairs asks = asked_for(wish, *config);
  auto bus = handle_table::buses().acquire(BusRequest{std::move(*config), wish.log, wish.log_context, wish.error != nullptr && wish.error_size > 0}, asks);
  if (!bus) {
    const auto& [code, text] = bus.failure();
    const bool came_to_a_bus = code != CS_ERR_EXIST && code != CS_ERR_NO_MEMORY;  // which has logged it
    return came_to_a_bus ? fail(wish, code, text) : fail_and_log(wish, code, text);
  }
  unless_open.bus = *bus;
  const int32_t status = attach(**bus, *handle);
  if (status != EVS_P_OK) {
    const std::string text = std::string("cannot open a handle on the bus: ") +
                             (status == EVS_P_CLOSED ? "it is closed in this process; finalize all its handles first" : text_of_status(status));
    (*bus)->log().error("open", text);
    return fail(wish, error_of_status(status), text);
  }
  unless_open = {nullptr, nullptr};
  *out = id;
  handle_table::publish(id);
  return CS_OK;
}

cs_error_t read_options(const evs_options_t& given, Wish& wish) {
  evs_options_t options;
  if (!copy_sized(given, options)) return CS_ERR_INVALID_PARAM;
  wish.error = options.error;
  wish.error_size = options.error_size;
  wish.log = options.log;
  wish.log_context = options.log_context;
  wish.context = options.context;
  if (options.flags != 0) return fail_and_log(wish, CS_ERR_INVALID_PARAM, "evs_options.flags holds a flag that this version does not know");
  if (options.parameters == nullptr && options.parameter_entries > 0)
    return fail_and_log(wish, CS_ERR_INVALID_PARAM, "evs_options.parameters is NULL, and parameter_entries is not 0");
  if (options.callbacks != nullptr) wish.callbacks.compatible = *options.callbacks;
  if (options.callbacks_ex != nullptr && !copy_sized(*options.callbacks_ex, wish.callbacks.extended))
    return fail_and_log(wish, CS_ERR_INVALID_PARAM, "evs_callbacks_ex.struct_size is not set");
  if (options.config_file != nullptr) wish.load.file = options.config_file;
  for (size_t i = 0; i < options.parameter_entries; ++i) {
    const evs_parameter_t& parameter = options.parameters[i];
    if (parameter.key == nullptr || parameter.value == nullptr)
      return fail_and_log(wish, CS_ERR_INVALID_PARAM, "a parameter of evs_options has no key or no value");
    wish.load.parameters.emplace_back(parameter.key, parameter.value);
  }
  if (options.bus != nullptr) wish.load.parameters.emplace_back("bus.name", options.bus);
  return CS_OK;
}

}  // namespace
}  // namespace evs::api

extern "C" {

cs_error_t evs_initialize(evs_handle_t* handle, evs_callbacks_t* callbacks) {
  if (handle == nullptr) return CS_ERR_INVALID_PARAM;
  return evs::api::guarded([&] {
    evs::api::Wish wish;
    if (callbacks != nullptr) wish.callbacks.compatible = *callbacks;
    return evs::api::open_handle(handle, wish);
  });
}

cs_error_t evs_initialize_ex(evs_handle_t* handle, const evs_options_t* options) {
  if (handle == nullptr || options == nullptr) return CS_ERR_INVALID_PARAM;
  return evs::api::guarded([&] {
    evs::api::Wish wish;
    const cs_error_t read = evs::api::read_options(*options, wish);
    return read == CS_OK ? evs::api::open_handle(handle, wish) : read;
  });
}

cs_error_t evs_finalize(evs_handle_t handle) {
  using namespace evs::runtime;
  Handle* const closing = handle_table::slot_of(handle).handle.load(std::memory_order_acquire);
  if (closing == nullptr || !handle_table::withdraw(handle)) return CS_ERR_BAD_HANDLE;
  return evs::api::guarded([&] {
    Handle::finish(*closing);
    return CS_OK;
  });
}

}  // extern "C"
