/* SPDX-License-Identifier: BSD-3-Clause
 *
 * plugins/loopback/control.h - "org.evs.loopback-control/1": an extension of the loopback transport for tests.
 *
 * A process alone in its medium sees no member come or go. With this extension a test plays the others: it lets members
 * join, send, announce groups, leave, die and be expelled, and expels this process itself, all at positions of the real
 * order. So what the host makes of a membership can be tested without a second process and without waiting.
 *
 * It is also the example of a third party's extension: an id of one's own domain with a revision, a struct that opens
 * with its size, and nothing in the host that knows of it.
 */
#ifndef EVS_LOOPBACK_CONTROL_H_DEFINED
#define EVS_LOOPBACK_CONTROL_H_DEFINED

#include "evs/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EVS_EXTENSION_LOOPBACK_CONTROL "org.evs.loopback-control/1"

typedef struct evs_loopback_control {
  uint32_t struct_size;
  uint32_t reserved;
  /* A member that the test plays joins; *nodeid is its identity. AGAIN: no room for the membership frame. [app] */
  int32_t (*member_join)(evs_transport* self, int32_t pid, uint32_t* nodeid);
  /* It goes: EVS_MEMBER_LEFT, _DIED or _EXPELLED. For this process's own nodeid only EVS_MEMBER_EXPELLED. [app] */
  int32_t (*member_go)(evs_transport* self, uint32_t nodeid, int32_t reason);
  /* It appends a frame. [app] */
  int32_t (*member_append)(evs_transport* self, uint32_t nodeid, const evs_append* frame, uint64_t* position);
  /* It has joined a group from a position on, and left it from `left_at` on (UINT64_MAX: not yet). [app] */
  int32_t (*member_group)(evs_transport* self, uint32_t nodeid, const evs_plugin_group* group, uint64_t joined_at,
                          uint64_t left_at);
  /* The medium fails: every call answers EVS_P_CLOSED from here on. [app] */
  void (*fail)(evs_transport* self);
} evs_loopback_control;

#ifdef __cplusplus
}
#endif

#endif /* EVS_LOOPBACK_CONTROL_H_DEFINED */
