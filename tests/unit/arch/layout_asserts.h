/* SPDX-License-Identifier: BSD-3-Clause
 *
 * layout_asserts.h - the binary interface that programs linked to the old libevs.so.4 were compiled against, as compile-time
 * facts. Included by layout.c and layout.cc: C and C++ must agree on every one. CHECKED(condition) is the assertion.
 */
#include <corosync/evs.h>
#include <evs/evs.h>
#include <stddef.h>

#define SAME_VALUE(name, value) CHECKED((name) == (value))

/* Handles and groups. */
CHECKED(sizeof(evs_handle_t) == 8);
CHECKED(sizeof(hdb_handle_t) == 8);
CHECKED((evs_handle_t)-1 > 0);
CHECKED((hdb_handle_t)-1 > 0);
CHECKED(sizeof(struct evs_group) == 32);
CHECKED(sizeof(((struct evs_group *)0)->key) == 32);
CHECKED(sizeof(evs_group_t) == 32);

/* Configurations. */
CHECKED(sizeof(struct evs_ring_id) == 16);
CHECKED(offsetof(struct evs_ring_id, nodeid) == 0);
CHECKED(sizeof(((struct evs_ring_id *)0)->nodeid) == 4);
CHECKED(offsetof(struct evs_ring_id, seq) == 8);
CHECKED(sizeof(((struct evs_ring_id *)0)->seq) == 8);

/* Callbacks. */
CHECKED(sizeof(evs_callbacks_t) == 2 * sizeof(void *));
CHECKED(offsetof(evs_callbacks_t, evs_deliver_fn) == 0);
CHECKED(offsetof(evs_callbacks_t, evs_confchg_fn) == sizeof(void *));

/* Enumerations travel as int. */
CHECKED(sizeof(evs_guarantee_t) == 4);
CHECKED(sizeof(cs_error_t) == 4);
CHECKED(sizeof(cs_dispatch_flags_t) == 4);
SAME_VALUE(EVS_TYPE_UNORDERED, 0);
SAME_VALUE(EVS_TYPE_FIFO, 1);
SAME_VALUE(EVS_TYPE_AGREED, 2);
SAME_VALUE(EVS_TYPE_SAFE, 3);
SAME_VALUE(CS_DISPATCH_ONE, 1);
SAME_VALUE(CS_DISPATCH_ALL, 2);
SAME_VALUE(CS_DISPATCH_BLOCKING, 3);
SAME_VALUE(CS_DISPATCH_ONE_NONBLOCKING, 4);
SAME_VALUE(EVS_DISPATCH_ONE, CS_DISPATCH_ONE);
SAME_VALUE(EVS_DISPATCH_ALL, CS_DISPATCH_ALL);
SAME_VALUE(EVS_DISPATCH_BLOCKING, CS_DISPATCH_BLOCKING);

/* Each answer under both spellings. */
#define SAME_ANSWER(name, value) \
  CHECKED(CS_##name == (value)); \
  CHECKED(EVS_##name == CS_##name)
SAME_ANSWER(OK, 1);
SAME_ANSWER(ERR_LIBRARY, 2);
SAME_ANSWER(ERR_VERSION, 3);
SAME_ANSWER(ERR_INIT, 4);
SAME_ANSWER(ERR_TIMEOUT, 5);
SAME_ANSWER(ERR_TRY_AGAIN, 6);
SAME_ANSWER(ERR_INVALID_PARAM, 7);
SAME_ANSWER(ERR_NO_MEMORY, 8);
SAME_ANSWER(ERR_BAD_HANDLE, 9);
SAME_ANSWER(ERR_BUSY, 10);
SAME_ANSWER(ERR_ACCESS, 11);
SAME_ANSWER(ERR_NOT_EXIST, 12);
SAME_ANSWER(ERR_NAME_TOO_LONG, 13);
SAME_ANSWER(ERR_EXIST, 14);
SAME_ANSWER(ERR_NO_SPACE, 15);
SAME_ANSWER(ERR_INTERRUPT, 16);
SAME_ANSWER(ERR_NAME_NOT_FOUND, 17);
SAME_ANSWER(ERR_NO_RESOURCES, 18);
SAME_ANSWER(ERR_NOT_SUPPORTED, 19);
SAME_ANSWER(ERR_BAD_OPERATION, 20);
SAME_ANSWER(ERR_FAILED_OPERATION, 21);
SAME_ANSWER(ERR_MESSAGE_ERROR, 22);
SAME_ANSWER(ERR_QUEUE_FULL, 23);
SAME_ANSWER(ERR_QUEUE_NOT_AVAILABLE, 24);
SAME_ANSWER(ERR_BAD_FLAGS, 25);
SAME_ANSWER(ERR_TOO_BIG, 26);
SAME_ANSWER(ERR_NO_SECTIONS, 27);
SAME_ANSWER(ERR_CONTEXT_NOT_FOUND, 28);
SAME_ANSWER(ERR_TOO_MANY_GROUPS, 30);
SAME_ANSWER(ERR_SECURITY, 100);
