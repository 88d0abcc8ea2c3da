// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/load.cc - evs-test-load: an application of evs under load, driven by lines (load_driver.h).
//
// evs-test-load BYTES GUARANTEE SENDS(0|1) key=value ...
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "evs/evs.h"
#include "tests/e2e/buses/load_driver.h"

namespace {

constexpr evs_group kGroup = {"load"};

evs::test::LoadDriver* g_driver = nullptr;
std::atomic<uint64_t> g_members{0};
std::atomic<bool> g_joined{false};
uint32_t g_node = 0;

evs_handle_t open_bus(const std::vector<evs_parameter_t>& parameters) {
  evs_callbacks_ex_t callbacks{};
  callbacks.struct_size = sizeof callbacks;
  callbacks.deliver = [](evs_handle_t, void*, const evs_message_t* message) {
    g_driver->delivered(message->data, message->size, message->nodeid == g_node);
  };
  callbacks.configure = [](evs_handle_t, void*, const evs_configuration_t* conf) {
    if (conf->kind != EVS_CONFIGURATION_REGULAR) return;
    g_members = conf->member_entries;
    if (g_joined) g_driver->configured(g_members);
  };
  callbacks.group_changed = [](evs_handle_t, void*, const evs_group_change_t* change) {
    if (change->nodeid != g_node) return;
    g_joined = true;
    g_driver->configured(g_members);
  };
  char error[1024] = "";
  evs_options_t options{};
  options.struct_size = sizeof options;
  options.parameters = parameters.data();
  options.parameter_entries = parameters.size();
  options.callbacks_ex = &callbacks;
  options.error = error;
  options.error_size = sizeof error;
  evs_handle_t handle = 0;
  if (const cs_error_t answer = evs_initialize_ex(&handle, &options); answer != CS_OK) {
    fprintf(stderr, "load: %s: %s\n", cs_strerror(answer), error);
    _exit(2);
  }
  evs_status_t status{};
  status.struct_size = sizeof status;
  evs_status(handle, &status);
  g_node = status.nodeid;
  while (evs_join(handle, &kGroup, 1) == CS_ERR_TRY_AGAIN) poll(nullptr, 0, 1);
  return handle;
}

bool send(evs_handle_t handle, evs_guarantee_t guarantee, const std::vector<char>& message) {
  const iovec iov{const_cast<char*>(message.data()), message.size()};
  return evs_mcast_wait(handle, guarantee, &kGroup, 1, &iov, 1, 100'000'000) == CS_OK;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  evs::test::LoadDriver driver(strtoull(argv[1], nullptr, 10), atoi(argv[3]) != 0);
  g_driver = &driver;
  const auto guarantee = static_cast<evs_guarantee_t>(atoi(argv[2]));
  std::vector<std::pair<std::string, std::string>> values;
  for (int i = 4; i < argc; ++i) values.emplace_back(std::string(argv[i], strcspn(argv[i], "=")), strchr(argv[i], '=') + 1);
  std::vector<evs_parameter_t> parameters;
  for (const auto& [key, value] : values) parameters.push_back({key.c_str(), value.c_str()});
  const evs_handle_t handle = open_bus(parameters);
  std::thread reader([&] {
    for (;;) evs_dispatch(handle, CS_DISPATCH_ONE);
  });
  driver.obey([&](const std::vector<char>& message) { return send(handle, guarantee, message); }, evs::test::own_cpu_ms);
  _exit(0);
}
