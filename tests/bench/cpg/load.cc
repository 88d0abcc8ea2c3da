// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/load.cc - evs-cpg-load: an application of Corosync's CPG under load, and its daemon; what evs-test-load is for evs, driven by the same lines (load_driver.h).
//
// evs-cpg-load BYTES SENDS(0|1) DIRECTORY CONFIGURATION      DIRECTORY: of tests/bench/cpg/fetch
#include <corosync/cpg.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>

#include "tests/bench/cpg/daemon.h"
#include "tests/e2e/buses/load_driver.h"

namespace {

constexpr int kPatienceMs = 20'000;  // with a daemon that starts
constexpr timespec kFull{0, 50'000};  // between two tries while the daemon takes no more: it says no by flow control, and offers nothing to wait for

evs::test::LoadDriver* g_driver = nullptr;
uint32_t g_node = 0;

cpg_name group() {
  cpg_name name{};
  name.length = 4;
  std::memcpy(name.value, "load", 4);
  return name;
}

cpg_handle_t open_group() {
  cpg_model_v1_data_t model{};
  model.cpg_deliver_fn = [](cpg_handle_t, const cpg_name*, uint32_t node, uint32_t, void* data, size_t size) { g_driver->delivered(data, size, node == g_node); };
  model.cpg_confchg_fn = [](cpg_handle_t, const cpg_name*, const cpg_address*, size_t members, const cpg_address*, size_t, const cpg_address*, size_t) {
    g_driver->configured(members);
  };
  cpg_handle_t handle = 0;
  const cpg_name name = group();
  cs_error_t answer = CS_OK;
  for (int ms = 0; ms < kPatienceMs; ms += 10, poll(nullptr, 0, 10))
    if ((answer = cpg_model_initialize(&handle, CPG_MODEL_V1, reinterpret_cast<cpg_model_data_t*>(&model), nullptr)) == CS_OK) break;
  if (answer == CS_OK) answer = cpg_local_get(handle, &g_node);
  if (answer == CS_OK)
    while ((answer = cpg_join(handle, &name)) == CS_ERR_TRY_AGAIN) poll(nullptr, 0, 10);
  if (answer == CS_OK) return handle;
  fprintf(stderr, "cpg-load: no group: error %d\n", answer);
  _exit(2);
}

// As evs_mcast_wait does it: true when it was taken within 100 ms.
bool send(cpg_handle_t handle, const std::vector<char>& message) {
  const iovec iov{const_cast<char*>(message.data()), message.size()};
  for (long waited = 0; waited < 100'000'000; waited += kFull.tv_nsec) {
    const cs_error_t answer = cpg_mcast_joined(handle, CPG_TYPE_AGREED, &iov, 1);
    if (answer != CS_ERR_TRY_AGAIN) return answer == CS_OK;
    nanosleep(&kFull, nullptr);
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    evs::test::LoadDriver driver(strtoull(argv[1], nullptr, 10), atoi(argv[2]) != 0);
    g_driver = &driver;
    const evs::bench::CorosyncDaemon daemon(argv[3], argv[4]);
    const cpg_handle_t handle = open_group();
    std::thread([handle] { cpg_dispatch(handle, CS_DISPATCH_BLOCKING); }).detach();
    driver.obey([handle](const std::vector<char>& message) { return send(handle, message); }, [&] { return evs::test::own_cpu_ms() + daemon.cpu_ms(); });
  } catch (const std::exception& problem) {
    fprintf(stderr, "cpg-load: %s\n", problem.what());
    return 1;
  }
  _exit(0);
}
