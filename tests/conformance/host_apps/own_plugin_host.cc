// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/host_apps/own_plugin_host.cc - an application that brings a transport of its own.
//
//   own_plugin_host NAME               found on EVS_PLUGIN_PATH, or wherever the environment says
//   own_plugin_host --register NAME    linked in, and registered before the first evs_initialize()
//
// It runs a bus on it as any application does: join, send, deliver, finalize. Success is the line "delivered over
// NAME".
#include <evs/evs.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#ifdef OWN_PLUGIN_LINKED
#include <evs/plugin.h>
extern "C" const evs_plugin_entry evs_plugin_entry_v1;
#endif

namespace {

std::string delivered;

void on_deliver(hdb_handle_t, unsigned int, const void* message, size_t size) {
  delivered.assign(static_cast<const char*>(message), size);
}

int fail(const char* what, cs_error_t error, const char* text = "") {
  std::fprintf(stderr, "%s: %d %s\n", what, static_cast<int>(error), text);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[argc - 1] : "";
  char error[512] = "";
#ifdef OWN_PLUGIN_LINKED
  if (const cs_error_t status = evs_plugin_register(&evs_plugin_entry_v1, error, sizeof(error)); status != CS_OK)
    return fail("evs_plugin_register", status, error);
#endif
  const std::string bus = "own-" + std::to_string(getpid());
  const evs_parameter_t parameter = {"local.transport", name.c_str()};
  evs_callbacks_t callbacks = {on_deliver, nullptr};
  evs_options_t options{};
  options.struct_size = sizeof(options);
  options.bus = bus.c_str();
  options.parameters = &parameter;
  options.parameter_entries = 1;
  options.callbacks = &callbacks;
  options.error = error;
  options.error_size = sizeof(error);
  evs_handle_t handle = 0;
  if (const cs_error_t status = evs_initialize_ex(&handle, &options); status != CS_OK)
    return fail("evs_initialize_ex", status, error);
  evs_group group{};
  std::strcpy(group.key, "own");
  char text[] = "by a plugin of my own";
  const iovec part = {text, sizeof(text) - 1};
  if (const cs_error_t status = evs_join(handle, &group, 1); status != CS_OK) return fail("evs_join", status);
  if (const cs_error_t status = evs_mcast_joined(handle, EVS_TYPE_SAFE, &part, 1); status != CS_OK)
    return fail("evs_mcast_joined", status);
  while (delivered.empty())
    if (const cs_error_t status = evs_dispatch(handle, CS_DISPATCH_ONE); status != CS_OK)
      return fail("evs_dispatch", status);
  if (const cs_error_t status = evs_finalize(handle); status != CS_OK) return fail("evs_finalize", status);
  if (delivered != text) return fail("another text came", CS_OK, delivered.c_str());
  std::printf("delivered over %s\n", name.c_str());
  return 0;
}
