// SPDX-License-Identifier: BSD-3-Clause
// member.cc - loading libevs and opening handles.
#include "tests/bench/member.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "tests/bench/crew.h"

namespace evs::bench {

namespace {

template <typename Function>
void find(void* loaded, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(loaded, name));
  if (function == nullptr) throw Malfunction(std::string("libevs lacks ") + name);
}

std::string library_path() {
  const char* asked = getenv("EVS_SPEED_LIBRARY");
  return asked != nullptr && asked[0] != 0 ? asked : EVS_SPEED_LIBRARY_BUILT;
}

Library load() {
  void* loaded = dlopen(library_path().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) throw Malfunction(dlerror());
  Library out{};
  find(loaded, "evs_initialize", out.initialize);
  find(loaded, "evs_initialize_ex", out.initialize_ex);
  find(loaded, "evs_finalize", out.finalize);
  find(loaded, "evs_fd_get", out.fd_get);
  find(loaded, "evs_dispatch", out.dispatch);
  find(loaded, "evs_join", out.join);
  find(loaded, "evs_leave", out.leave);
  find(loaded, "evs_mcast_joined", out.mcast_joined);
  find(loaded, "evs_mcast_groups", out.mcast_groups);
  find(loaded, "evs_membership_get", out.membership_get);
  find(loaded, "evs_status", out.status);
  find(loaded, "evs_version", out.version);
  return out;
}

}  // namespace

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

BusPlace::BusPlace() {
  char path[] = "/dev/shm/evs-speed-XXXXXX";
  if (mkdtemp(path) == nullptr)
    throw Malfunction(std::string("cannot make a directory in /dev/shm: ") + strerror(errno));
  directory_ = path;
  // The benchmark measures the defaults, whatever the user's own files say.
  const std::string config = directory_ + "/evs.toml";
  if (FILE* file = fopen(config.c_str(), "w")) fclose(file);
  setenv("EVS_CONFIG", config.c_str(), 1);
  setenv("EVS_LOCAL_DIRECTORY", directory_.c_str(), 1);
  setenv("EVS_BUS_NAME", "speed", 1);
  setenv("EVS_PLUGIN_PATH", EVS_SPEED_PLUGINS_BUILT, 0);
}

BusPlace::~BusPlace() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

evs_group group_named(const char* name) {
  evs_group group{};
  strncpy(group.key, name, sizeof group.key - 1);
  return group;
}

Member::Member(evs_deliver_fn_t deliver, evs_confchg_fn_t configure) : library_(library()) {
  evs_callbacks_t callbacks{deliver, configure};
  char error[256] = "";
  evs_options_t options{};
  options.struct_size = sizeof options;
  options.callbacks = &callbacks;
  options.error = error;
  options.error_size = sizeof error;
  const cs_error_t answer = library_.initialize_ex(&handle_, &options);
  if (answer != CS_OK) {
    throw Malfunction("evs_initialize_ex answered " + std::to_string(static_cast<int>(answer)) + ": " + error);
  }
  open_ = true;
}

Member::~Member() {
  if (open_) library_.finalize(handle_);
}

void Member::finalize() {
  open_ = false;
  const cs_error_t answer = library_.finalize(handle_);
  if (answer != CS_OK) fail("evs_finalize", answer);
}

uint32_t Member::nodeid() const {
  unsigned int own = 0;
  const cs_error_t answer = library_.membership_get(handle_, &own, nullptr, nullptr);
  if (answer != CS_OK) fail("evs_membership_get", answer);
  return own;
}

evs_status_t Member::status() const {
  evs_status_t out{};
  out.struct_size = sizeof out;
  const cs_error_t answer = library_.status(handle_, &out);
  if (answer != CS_OK) fail("evs_status", answer);
  return out;
}

void Member::leave(const evs_group& group) {
  cs_error_t answer;
  while ((answer = library_.leave(handle_, &group, 1)) == CS_ERR_TRY_AGAIN) dispatch(CS_DISPATCH_ALL);
  if (answer != CS_OK) fail("evs_leave", answer);
}

void Member::join(const evs_group& group) {
  const cs_error_t answer = library_.join(handle_, &group, 1);
  if (answer != CS_OK) fail("evs_join", answer);
}

int Member::descriptor() const {
  int fd = -1;
  const cs_error_t answer = library_.fd_get(handle_, &fd);
  if (answer != CS_OK) fail("evs_fd_get", answer);
  return fd;
}

void Member::fail(const char* call, cs_error_t answer) {
  throw Malfunction(std::string(call) + " answered " + std::to_string(static_cast<int>(answer)));
}

}  // namespace evs::bench
