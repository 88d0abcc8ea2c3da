/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tests/conformance/host_apps/dlopen_host.c - a host application that loads libevs.so.4 itself, RTLD_LOCAL, and is not
 * linked to it: what a language binding or another plugin system does. Argument: the library's path.
 *
 * RTLD_LOCAL is the hard case. Nothing of libevs is visible to the transports that libevs loads in turn, and two
 * bundled copies of a C++ library must not meet.
 */
#include <dlfcn.h>
#include <evs/evs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int delivered, configured;
static char text[32];

static void on_deliver(hdb_handle_t handle, unsigned int nodeid, const void* msg, size_t size) {
  (void)handle;
  (void)nodeid;
  memcpy(text, msg, size < sizeof(text) - 1 ? size : sizeof(text) - 1);
  delivered++;
}

static void on_configure(hdb_handle_t handle, const unsigned int* members, size_t member_entries,
                         const unsigned int* left, size_t left_entries, const unsigned int* joined,
                         size_t joined_entries, const struct evs_ring_id* id) {
  (void)handle, (void)members, (void)member_entries, (void)left, (void)left_entries, (void)joined, (void)joined_entries,
      (void)id;
  configured++;
}

static void* library;

static void* find(const char* name) {
  void* symbol = dlsym(library, name);
  if (symbol == NULL) {
    fprintf(stderr, "%s: %s\n", name, dlerror());
    exit(1);
  }
  return symbol;
}

#define CALL(name, ...) call(#name, ((__typeof__(&name))find(#name))(__VA_ARGS__))
static void call(const char* name, cs_error_t result) {
  if (result == CS_OK) return;
  fprintf(stderr, "%s answered %d\n", name, (int)result);
  exit(1);
}

int main(int argc, char** argv) {
  evs_callbacks_t callbacks = {on_deliver, on_configure};
  struct evs_group group = {"dlopen"};
  struct iovec part = {"hello", 5};
  char bus[32], error[512] = "";
  evs_options_t options;
  evs_handle_t handle;
  if (argc != 2 || dlsym(RTLD_DEFAULT, "evs_initialize") != NULL)
    return 2; /* linked after all: the test would prove nothing */
  library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  snprintf(bus, sizeof(bus), "dlopen-%d", (int)getpid());
  memset(&options, 0, sizeof(options));
  options.struct_size = sizeof(options);
  options.bus = bus;
  options.callbacks = &callbacks;
  options.error = error;
  options.error_size = sizeof(error);
  if (((__typeof__(&evs_initialize_ex))find("evs_initialize_ex"))(&handle, &options) != CS_OK) {
    fprintf(stderr, "evs_initialize_ex: %s\n", error);
    return 1;
  }
  CALL(evs_join, handle, &group, 1);
  CALL(evs_mcast_joined, handle, EVS_TYPE_AGREED, &part, 1);
  while (delivered == 0) CALL(evs_dispatch, handle, CS_DISPATCH_ONE);
  CALL(evs_finalize, handle);
  if (configured < 1 || strcmp(text, "hello") != 0) {
    fprintf(stderr, "%d configurations, message \"%s\"\n", configured, text);
    return 1;
  }
  dlclose(library);
  puts("delivered");
  return 0;
}
