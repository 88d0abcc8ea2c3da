/* SPDX-License-Identifier: BSD-3-Clause
 *
 * evs/evs.h - Extended Virtual Synchrony as a C library: join 32-byte groups, multicast to them, and see the same messages
 * and membership changes in the same order as everybody else.
 *
 * Part 1 is the API of Corosync 1.x's libevs, source and binary compatible (SONAME libevs.so.4). Part 2 is what evs adds.
 * C99 and later, C++11 and later.
 *
 * Threads: every call may be made from any thread at any time, on one handle too. Callbacks run only inside evs_dispatch(),
 * in the thread that called it, one at a time a handle; every call may be made from a callback, evs_finalize() included.
 * Signals: evs_mcast_joined() and evs_mcast_groups() may be made from a signal handler; where the handler interrupted a send of
 * its own thread they answer CS_ERR_TRY_AGAIN. So may cs_strerror() and evs_version(). No other call may.
 * fork(): the child's handles are invalid (CS_ERR_BAD_HANDLE) and the parent's go on undisturbed; the child may call
 * evs_initialize() anew.
 * Memory: what a callback is given belongs to the library and is valid until the callback returns; what the caller gives
 * is read before the call returns. The semantics in full: evs_overview(8).
 * Errors: beside those named at a call, each call on a handle may answer CS_ERR_LIBRARY (the bus of this process is closed) and, where it
 * needs memory, CS_ERR_NO_MEMORY; dispatch, join and leave, when this process was expelled and cannot join again yet, CS_ERR_TIMEOUT,
 * CS_ERR_NO_RESOURCES or CS_ERR_NO_SPACE. The pages of section 3 have each with its reason.
 */
#ifndef EVS_EVS_H_DEFINED
#define EVS_EVS_H_DEFINED

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "../corosync/corotypes.h"
#include "../corosync/hdb.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Part 1: the compatible API --------------------------------------------------------------------------------- */

typedef uint64_t evs_handle_t;

/* How a message is ordered and when it is delivered (Moser et al. 1994, section 3; evs_overview(8)):
 * UNORDERED: delivered, in no promised order. FIFO: what one sender sent first is delivered first. AGREED: one order at
 * all processors. SAFE: AGREED, and every member of the configuration has it before any delivers it.
 * On a bus without an uplink each of the four gives AGREED order and the SAFE promise (evs_overview(8), "One host"). */
typedef enum {
  EVS_TYPE_UNORDERED = 0,
  EVS_TYPE_FIFO = 1,
  EVS_TYPE_AGREED = 2,
  EVS_TYPE_SAFE = 3
} evs_guarantee_t;

/* A group's name: 32 bytes, not a string, compared whole. */
struct evs_group {
  char key[32];
};
typedef struct evs_group evs_group_t;

/* A configuration's identity: the representative's nodeid and a sequence that only grows. */
struct evs_ring_id {
  unsigned int nodeid;
  unsigned long long seq;
};

/* A message arrived: `msg_len` bytes (0 to the limit) at `msg`, sent by processor `nodeid`. */
typedef void (*evs_deliver_fn_t)(hdb_handle_t handle, unsigned int nodeid, const void *msg, size_t msg_len);

/* A configuration came into force: its members, who left and who joined since the last call of this callback. Called for
 * transitional and regular configurations; the first call is the regular configuration that the handle starts in. */
typedef void (*evs_confchg_fn_t)(hdb_handle_t handle, const unsigned int *member_list, size_t member_list_entries,
                                 const unsigned int *left_list, size_t left_list_entries,
                                 const unsigned int *joined_list, size_t joined_list_entries,
                                 const struct evs_ring_id *ring_id);

typedef struct {
  evs_deliver_fn_t evs_deliver_fn;
  evs_confchg_fn_t evs_confchg_fn;
} evs_callbacks_t;

/* Opens a handle on the configured bus. `callbacks` may be NULL or hold NULL members: what is missing is not called. Blocks for
 * at most initialize_timeout, with an uplink until this process is in a configuration. Errors: INVALID_PARAM, ACCESS, LIBRARY, TIMEOUT, NO_MEMORY, NO_RESOURCES, NO_SPACE,
 * NOT_EXIST, VERSION, TRY_AGAIN (this process has other handles, was expelled and cannot join again yet); the reason in
 * words goes to the log. */
cs_error_t evs_initialize(evs_handle_t *handle, evs_callbacks_t *callbacks);

/* Closes a handle; the last one of a process leaves the configuration. A dispatch that blocks on it in another thread returns
 * CS_OK. Called from a callback of the handle it takes effect when that callback returns. Errors: BAD_HANDLE. */
cs_error_t evs_finalize(evs_handle_t handle);

/* A descriptor for poll(): readable while evs_dispatch() would call a callback. It belongs to the library: do not read, write or close
 * it; it stays valid until evs_finalize(). Errors: BAD_HANDLE, INVALID_PARAM, NO_RESOURCES, LIBRARY. */
cs_error_t evs_fd_get(evs_handle_t handle, int *fd);

/* A pointer of the application's own that travels with the handle. Errors: BAD_HANDLE, INVALID_PARAM. */
cs_error_t evs_context_get(evs_handle_t handle, void **context);
/* Sets it; any pointer, NULL included. Errors: BAD_HANDLE. */
cs_error_t evs_context_set(evs_handle_t handle, void *context);

/* Calls callbacks for what arrived. CS_DISPATCH_ONE: one, waiting for it. ALL: all that wait; does not block. BLOCKING: as they come,
 * until the handle is finalized. ONE_NONBLOCKING: at most one, CS_ERR_TRY_AGAIN when there was none.
 * Errors: BAD_HANDLE, INVALID_PARAM (flags), TRY_AGAIN, NO_MEMORY, LIBRARY. */
cs_error_t evs_dispatch(evs_handle_t handle, cs_dispatch_flags_t dispatch_types);

/* Joins 0 to 50 groups: from this call's place in the order on their messages are delivered. A group joined twice wants two leaves.
 * Errors: BAD_HANDLE, INVALID_PARAM, TOO_MANY_GROUPS, TRY_AGAIN (nothing was joined), NO_MEMORY. */
cs_error_t evs_join(evs_handle_t handle, const struct evs_group *groups, size_t group_entries);

/* Leaves groups. Errors: as evs_join(), and NOT_EXIST for a group that is not joined (those before it in the array are
 * left). */
cs_error_t evs_leave(evs_handle_t handle, const struct evs_group *groups, size_t group_entries);

/* Sends the concatenation of the iovec to all groups that this handle joined. Does not block, but for a quarter of a
 * second at most when it is the first to learn that this process was expelled. Errors: BAD_HANDLE, INVALID_PARAM, TRY_AGAIN (no room:
 * nothing was sent; dispatch and try again), TOO_BIG, TOO_MANY_GROUPS. */
cs_error_t evs_mcast_joined(evs_handle_t handle, evs_guarantee_t guarantee, const struct iovec *iovec,
                            unsigned int iov_len);

/* Sends to the groups named, joined or not. A handle that joined any of them delivers it once. Errors: as
 * evs_mcast_joined(). */
cs_error_t evs_mcast_groups(evs_handle_t handle, evs_guarantee_t guarantee, const struct evs_group *groups,
                            size_t group_entries, const struct iovec *iovec, unsigned int iov_len);

/* This processor's nodeid and the members of the current configuration. *member_list_entries holds the room on entry (in entries)
 * and the number of members on return; at most `room` entries are written. NULL pointers are skipped. Errors: BAD_HANDLE, TRY_AGAIN (with
 * an uplink, while this process joins again after an expulsion). */
cs_error_t evs_membership_get(evs_handle_t handle, unsigned int *local_nodeid, unsigned int *member_list,
                              size_t *member_list_entries);

/* The older spelling (2004). */
typedef cs_error_t evs_error_t;
typedef cs_dispatch_flags_t evs_dispatch_t;
#define EVS_DISPATCH_ONE CS_DISPATCH_ONE
#define EVS_DISPATCH_ALL CS_DISPATCH_ALL
#define EVS_DISPATCH_BLOCKING CS_DISPATCH_BLOCKING
#define EVS_OK CS_OK
#define EVS_ERR_LIBRARY CS_ERR_LIBRARY
#define EVS_ERR_VERSION CS_ERR_VERSION
#define EVS_ERR_INIT CS_ERR_INIT
#define EVS_ERR_TIMEOUT CS_ERR_TIMEOUT
#define EVS_ERR_TRY_AGAIN CS_ERR_TRY_AGAIN
#define EVS_ERR_INVALID_PARAM CS_ERR_INVALID_PARAM
#define EVS_ERR_NO_MEMORY CS_ERR_NO_MEMORY
#define EVS_ERR_BAD_HANDLE CS_ERR_BAD_HANDLE
#define EVS_ERR_BUSY CS_ERR_BUSY
#define EVS_ERR_ACCESS CS_ERR_ACCESS
#define EVS_ERR_NOT_EXIST CS_ERR_NOT_EXIST
#define EVS_ERR_NAME_TOO_LONG CS_ERR_NAME_TOO_LONG
#define EVS_ERR_EXIST CS_ERR_EXIST
#define EVS_ERR_NO_SPACE CS_ERR_NO_SPACE
#define EVS_ERR_INTERRUPT CS_ERR_INTERRUPT
#define EVS_ERR_NAME_NOT_FOUND CS_ERR_NAME_NOT_FOUND
#define EVS_ERR_NO_RESOURCES CS_ERR_NO_RESOURCES
#define EVS_ERR_NOT_SUPPORTED CS_ERR_NOT_SUPPORTED
#define EVS_ERR_BAD_OPERATION CS_ERR_BAD_OPERATION
#define EVS_ERR_FAILED_OPERATION CS_ERR_FAILED_OPERATION
#define EVS_ERR_MESSAGE_ERROR CS_ERR_MESSAGE_ERROR
#define EVS_ERR_QUEUE_FULL CS_ERR_QUEUE_FULL
#define EVS_ERR_QUEUE_NOT_AVAILABLE CS_ERR_QUEUE_NOT_AVAILABLE
#define EVS_ERR_BAD_FLAGS CS_ERR_BAD_FLAGS
#define EVS_ERR_TOO_BIG CS_ERR_TOO_BIG
#define EVS_ERR_NO_SECTIONS CS_ERR_NO_SECTIONS
#define EVS_ERR_CONTEXT_NOT_FOUND CS_ERR_CONTEXT_NOT_FOUND
#define EVS_ERR_TOO_MANY_GROUPS CS_ERR_TOO_MANY_GROUPS
#define EVS_ERR_SECURITY CS_ERR_SECURITY

/* ---- Part 2: what evs adds (symbol version EVS_1.0) -------------------------------------------------------------- */

#define EVS_MAX_HANDLES 256          /* handles a process may hold at once */
#define EVS_MAX_GROUPS_PER_CALL 50   /* groups in one evs_join() or evs_leave() */
#define EVS_MAX_GROUPS_PER_HANDLE 4096 /* groups a handle may have joined, and groups of one message */
#define EVS_BUS_NAME_MAX 32          /* bytes of a bus name, without the terminating NUL */

/* Levels of the log. */
#define EVS_LOG_TRACE 0
#define EVS_LOG_DEBUG 1
#define EVS_LOG_INFO 2
#define EVS_LOG_WARNING 3
#define EVS_LOG_ERROR 4
#define EVS_LOG_OFF 5

/* One line for the log: `length` bytes of UTF-8 at `text`, no newline. Any thread; may not call evs. */
typedef void (*evs_log_fn_t)(void *context, int level, const char *text, size_t length);

/* A message with all that is known of it. */
typedef struct evs_message {
  uint32_t struct_size;            /* sizeof(evs_message) of the library: fields past it do not exist */
  uint32_t nodeid;                 /* the sender */
  int32_t pid;                     /* its process id */
  int32_t guarantee;               /* evs_guarantee_t, as asked by the sender */
  const struct evs_group *groups;  /* the groups it was sent to */
  size_t group_entries;
  const void *data;
  size_t size;                     /* bytes at data */
  struct evs_ring_id configuration; /* the regular configuration it was stamped in */
  uint64_t sequence;               /* its place in the order: grows from message to message, with gaps. With an uplink it is its place on the ring of hosts, the same
                                      on all of them: it grows (of AGREED and SAFE messages) within one ring of hosts, and begins anew with the next */
} evs_message_t;

#define EVS_CONFIGURATION_REGULAR 0
#define EVS_CONFIGURATION_TRANSITIONAL 1

/* Why a processor is no longer (or newly) in a configuration or group. */
#define EVS_REASON_NONE 0
#define EVS_REASON_JOINED 1   /* came by evs_initialize() or evs_join() */
#define EVS_REASON_LEFT 2     /* went by evs_finalize() or evs_leave() */
#define EVS_REASON_DIED 3     /* the kernel reported its end */
#define EVS_REASON_EXPELLED 4 /* held the ring longer than slow_reader_timeout */
#define EVS_REASON_PARTED 5   /* its host and this one are on one ring no more: it may live, and come again */

#define EVS_CONFIGURATION_MERGED 1u   /* flags: several changes in one, the handle was idle in between */
#define EVS_CONFIGURATION_EXPELLED 2u /* flags: this process was expelled; unread messages are lost to it */
#define EVS_CONFIGURATION_PRIMARY 4u  /* flags: its hosts may act for all hosts of the bus (uplink.quorum); see `epoch` */

typedef struct evs_member {
  uint32_t nodeid;
  int32_t pid;
  int32_t reason; /* EVS_REASON_*; of a member that stays: EVS_REASON_NONE */
  uint32_t reserved;
} evs_member_t;

typedef struct evs_configuration {
  uint32_t struct_size; /* sizeof(evs_configuration) of the library: fields past it do not exist */
  int32_t kind;         /* EVS_CONFIGURATION_REGULAR or _TRANSITIONAL */
  uint32_t flags;       /* EVS_CONFIGURATION_MERGED, _EXPELLED, _PRIMARY */
  uint32_t reserved;
  struct evs_ring_id id;
  const evs_member_t *members;
  size_t member_entries;
  const evs_member_t *left;
  size_t left_entries;
  const evs_member_t *joined;
  size_t joined_entries;
  /* 0: it is not primary. Else a token to fence with: all processes of a primary ring of hosts have the same, no other ring has it, and each primary ring's is higher
   * than all before, also behind a reboot of all hosts (with uplink.quorum = N, as long as no disk is lost: evs.toml(5)). A host that was cut off and does not
   * know it yet goes by its old one while others may act under the next: so give the epoch to whatever there is only one of (a disk, a lock, a service) with each write, and let that refuse an epoch lower than it has seen. */
  uint64_t epoch;
} evs_configuration_t;

/* A processor joined or left a group that this handle has joined, at this place in the order. */
typedef struct evs_group_change {
  uint32_t struct_size;
  uint32_t nodeid;
  int32_t pid;
  int32_t reason; /* EVS_REASON_JOINED, _LEFT, _DIED, _EXPELLED or _PARTED */
  struct evs_group group;
} evs_group_change_t;

/* Extended callbacks; NULL members are not called. With deliver (or configure) set the handle calls it in place of the compatible
 * one. Set struct_size to sizeof(evs_callbacks_ex_t). */
typedef struct evs_callbacks_ex {
  uint32_t struct_size;
  uint32_t reserved;
  void (*deliver)(evs_handle_t handle, void *context, const evs_message_t *message);
  void (*configure)(evs_handle_t handle, void *context, const evs_configuration_t *configuration);
  void (*group_changed)(evs_handle_t handle, void *context, const evs_group_change_t *change);
  /* Once after a send answered CS_ERR_TRY_AGAIN, when a message of that size has room. */
  void (*room)(evs_handle_t handle, void *context);
} evs_callbacks_ex_t;

/* One configuration key, as in evs.toml(5): {"local.ring_size", "16MiB"}. */
typedef struct evs_parameter {
  const char *key;
  const char *value;
} evs_parameter_t;

/* For evs_initialize_ex(). Zero it, set struct_size, fill in what you want. Strings and arrays are read before the call returns. */
typedef struct evs_options {
  uint32_t struct_size; /* sizeof(evs_options_t) */
  uint32_t flags;       /* 0 */
  const char *bus;      /* bus name; NULL: as configured ("default") */
  const char *config_file; /* read in place of the usual files; NULL: the usual files */
  const evs_parameter_t *parameters;
  size_t parameter_entries;
  const evs_callbacks_ex_t *callbacks_ex; /* read before the call returns */
  const evs_callbacks_t *callbacks;       /* the compatible ones; either, both or none */
  void *context;                          /* for evs_context_get() and the extended callbacks */
  evs_log_fn_t log;   /* receives this bus's log lines in place of log.to; the first handle of a bus decides, and it must
                         stay valid until the last handle of the process on that bus is finalized */
  void *log_context;
  char *error;        /* room for a sentence about what failed; NULL: none wanted */
  size_t error_size;  /* bytes at error, the terminating NUL included */
} evs_options_t;

/* As evs_initialize(), with options. The handles of one process on one bus share its transport: what the first one configured
 * holds; a later one that asks otherwise gets CS_ERR_EXIST. Errors: as evs_initialize(), and EXIST. */
cs_error_t evs_initialize_ex(evs_handle_t *handle, const evs_options_t *options);

/* As evs_mcast_groups() (or, with groups NULL and group_entries 0, evs_mcast_joined()), waiting for room for at most timeout_ns
 * (nanoseconds; UINT64_MAX: no limit). The handle's callbacks are not called meanwhile: a process that alone reads what
 * it sends must dispatch in another thread. Errors: as there, CS_ERR_TIMEOUT for TRY_AGAIN, BUSY from a callback
 * of the same handle when it would have to wait. Not for signal handlers. */
cs_error_t evs_mcast_wait(evs_handle_t handle, evs_guarantee_t guarantee, const struct evs_group *groups,
                          size_t group_entries, const struct iovec *iovec, unsigned int iov_len, uint64_t timeout_ns);

typedef struct evs_outgoing {
  const struct evs_group *groups; /* NULL and 0: the joined groups */
  size_t group_entries;
  const struct iovec *iovec;
  unsigned int iov_len;
  int32_t guarantee; /* evs_guarantee_t */
} evs_outgoing_t;

/* Sends several messages, in this order, others' messages possibly between them. *sent is how many went out: fewer than `entries`
 * only with an error, which is that of the first that did not. Errors: as evs_mcast_groups(). */
cs_error_t evs_mcast_batch(evs_handle_t handle, const evs_outgoing_t *messages, size_t entries, size_t *sent);

/* Who has joined `group` now, which may be ahead of the callbacks. With an uplink: who is in it at the place the callbacks of this handle
 * have reached, of groups that it has joined. *entries: room on entry, number of members on return. Errors: BAD_HANDLE, INVALID_PARAM;
 * NOT_SUPPORTED (the transport keeps no groups; with an uplink, the handle has no group_changed callback); NOT_EXIST (with an uplink: the
 * callbacks have not reached a join of the group by this handle). */
cs_error_t evs_group_members(evs_handle_t handle, const struct evs_group *group, evs_member_t *members,
                             size_t *entries);

typedef struct {
  uint32_t struct_size; /* set by the caller, trimmed by the library */
  uint32_t members;          /* processors of a bus */
  uint64_t message_bytes;    /* largest message */
  uint32_t groups_per_message;
  uint32_t groups_per_handle;
  uint32_t groups_per_call;
  uint32_t handles;          /* of a process */
} evs_limits_t;

/* Fills in the limits of the handle's bus. Errors: BAD_HANDLE, INVALID_PARAM. */
cs_error_t evs_limits(evs_handle_t handle, evs_limits_t *limits);

/* A handle's and its process's figures. Counters count since the handle or the bus was opened and never fall. */
typedef struct {
  uint32_t struct_size; /* set by the caller, trimmed by the library */
  uint32_t nodeid;
  uint32_t members;
  uint32_t handles;             /* open in this process on this bus */
  uint32_t joined_groups;       /* of this handle, each counted once */
  uint32_t role;                /* 0: no uplink */
  struct evs_ring_id configuration;
  uint64_t sent_messages;       /* of this process */
  uint64_t sent_bytes;
  uint64_t delivered_messages;  /* of this handle */
  uint64_t delivered_bytes;
  uint64_t configurations;      /* configuration callbacks due to this handle */
  uint64_t try_again;           /* sends of this process refused for want of room */
  uint64_t expulsions;          /* times this process was expelled */
  uint64_t lost_messages;       /* at least so many messages were lost to this process by expulsions */
  uint64_t ring_capacity_bytes;
  uint64_t ring_used_bytes;     /* from the slowest reader to the end */
  uint64_t lag_bytes;           /* of this handle: from its cursor to the end */
  uint32_t holder_nodeid;       /* the processor whose reader holds most; 0: none */
  int32_t holder_pid;
  uint64_t outsider_messages;   /* sends of this process that ended after it had been expelled: others skip them */
  uint64_t epoch;               /* of `configuration`; 0: it is not primary */
} evs_status_t;

/* Errors: BAD_HANDLE, INVALID_PARAM. */
cs_error_t evs_status(evs_handle_t handle, evs_status_t *status);

/* Makes a transport or service that is linked into the application known under the name in its descriptor, as if it were found on the
 * plugin path. `entry` is a const evs_plugin_entry (evs/plugin.h) and must live as long as the process. Call it before
 * evs_initialize(). Errors: INVALID_PARAM, VERSION, EXIST. */
cs_error_t evs_plugin_register(const void *entry, char *error, size_t error_size);

/* "1.0.0": the library's version. Static storage. */
const char *evs_version(void);

#ifdef __cplusplus
}
#endif

#endif /* EVS_EVS_H_DEFINED */
