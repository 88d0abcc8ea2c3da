/* SPDX-License-Identifier: BSD-3-Clause
 *
 * layout.c - the binary interface as C sees it, and the old program that must go on compiling: the prototypes of 1.x by
 * assignment, the spelling of 2004, entry counts that are int.
 */
#define CHECKED(condition) _Static_assert(condition, #condition)
#include "layout_asserts.h"

static cs_error_t (*const initialize)(evs_handle_t *, evs_callbacks_t *) = evs_initialize;
static cs_error_t (*const finalize)(evs_handle_t) = evs_finalize;
static cs_error_t (*const fd_get)(evs_handle_t, int *) = evs_fd_get;
static cs_error_t (*const context_get)(evs_handle_t, void **) = evs_context_get;
static cs_error_t (*const context_set)(evs_handle_t, void *) = evs_context_set;
static cs_error_t (*const dispatch)(evs_handle_t, cs_dispatch_flags_t) = evs_dispatch;
static cs_error_t (*const join)(evs_handle_t, const struct evs_group *, size_t) = evs_join;
static cs_error_t (*const leave)(evs_handle_t, const struct evs_group *, size_t) = evs_leave;
static cs_error_t (*const mcast_joined)(evs_handle_t, evs_guarantee_t, const struct iovec *, unsigned int) = evs_mcast_joined;
static cs_error_t (*const mcast_groups)(evs_handle_t, evs_guarantee_t, const struct evs_group *, size_t, const struct iovec *,
                                        unsigned int) = evs_mcast_groups;
static cs_error_t (*const membership_get)(evs_handle_t, unsigned int *, unsigned int *, size_t *) = evs_membership_get;

static void deliver(hdb_handle_t handle, unsigned int nodeid, const void *msg, size_t msg_len) {
  (void)handle, (void)nodeid, (void)msg, (void)msg_len;
}

static void confchg(hdb_handle_t handle, const unsigned int *member_list, size_t member_list_entries,
                    const unsigned int *left_list, size_t left_list_entries, const unsigned int *joined_list,
                    size_t joined_list_entries, const struct evs_ring_id *ring_id) {
  (void)handle, (void)member_list, (void)member_list_entries, (void)left_list, (void)left_list_entries;
  (void)joined_list, (void)joined_list_entries, (void)ring_id;
}

/* As programs of 2004 wrote it. Not run: with no bus there is nothing to say. */
static evs_error_t spelling_of_2004(void) {
  static evs_callbacks_t callbacks = {deliver, confchg};
  evs_handle_t handle;
  evs_group_t groups[2] = {{"key1"}, {"key2"}};
  struct iovec iov = {groups, sizeof(groups)};
  int entries = 2;
  evs_error_t result = evs_initialize(&handle, &callbacks);
  if (result != EVS_OK) return result;
  result = evs_join(handle, groups, entries);
  result = evs_mcast_joined(handle, EVS_TYPE_SAFE, &iov, 1);
  result = evs_mcast_groups(handle, EVS_TYPE_AGREED, groups, entries, &iov, 1);
  result = evs_dispatch(handle, EVS_DISPATCH_ALL);
  result = evs_leave(handle, groups, entries);
  return result == EVS_OK ? evs_finalize(handle) : EVS_ERR_LIBRARY;
}

int main(void) {
  const void *volatile used[] = {(const void *)&initialize, &finalize,     &fd_get,       &context_get, &context_set, &dispatch,
                                 &join,                     &leave,        &mcast_joined, &mcast_groups, &membership_get};
  evs_error_t (*volatile old)(void) = spelling_of_2004;
  return used[0] != NULL && old != NULL ? 0 : 1;
}
