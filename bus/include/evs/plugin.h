/* SPDX-License-Identifier: BSD-3-Clause
 *
 * evs/plugin.h - the ABI between the bus and what is loaded into it: transports (how messages travel) and services (what
 * else runs beside a bus, such as a metrics endpoint). Plain C, nothing of C++ crosses, no exception does.
 *
 * A plugin is one loadable module, evs-transport-NAME.so or evs-service-NAME.so, that exports one data symbol,
 * evs_plugin_entry_v1. Data, not a function: the host reads magic, version and sizes before any plugin function runs.
 *
 * Versions: the major number stands in the symbol's name; a new major is a new symbol. A minor only adds at the end of structs.
 * Every struct opens with struct_size, sizeof in the build that filled it; fields past it do not exist for the reader
 * (EVS_HAS tells); a word that was reserved and now says something is zero from a plugin of an older minor. Integers are of fixed width; no enum, bool, bit field or long double crosses.
 *
 * Who may call what, in brackets behind each function:
 *   [app]      any application thread, several at once unless said otherwise, never after destroy() began
 *   [cursor]   as [app], but the host holds the cursor's lock: one thread at a time for one cursor
 *   [service]  the bus's one service thread
 *   [any]      any of them
 *   [nonblock] must not block; [signal] must be async-signal-safe
 * The host calls with thread cancellation disabled, except append(), read() and pending(), which are the hot path: these three make no call
 * that is a cancellation point.
 * Statuses are EVS_P_*. A function that fails has done nothing and owns nothing. The guide with the template: docs/plugin-guide.md.
 */
#ifndef EVS_PLUGIN_H_DEFINED
#define EVS_PLUGIN_H_DEFINED

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif
#define EVS_PLUGIN_MAGIC 0x31505356u /* "VSP1" in memory */
#define EVS_PLUGIN_ABI_MAJOR 1u
#define EVS_PLUGIN_ABI_MINOR 3u /* 1: evs_datagram.flags, evs.peers/1; 2: evs.role/1, EVS_FRAME_GROUPS, transitional memberships, evs_membership.epoch; 3: evs.stats/1, EVS_MEMBER_PARTED */
#define EVS_PLUGIN_ENTRY_SYMBOL "evs_plugin_entry_v1"

/* Is `field` there, in the struct that `p` points to? */
#define EVS_HAS(p, type, field) ((p)->struct_size >= offsetof(type, field) + sizeof((p)->field))

/* Statuses. */
#define EVS_P_OK 0
#define EVS_P_AGAIN 1         /* nothing there, or no room; nothing was done */
#define EVS_P_TOO_BIG 2       /* the message exceeds the limit; the buffer is too small for the next frame */
#define EVS_P_BAD_PARAMETER 3 /* unknown or bad parameter; the error text names it */
#define EVS_P_NO_MEMORY 4
#define EVS_P_NO_SPACE 5      /* disk or /dev/shm full */
#define EVS_P_NO_RESOURCES 6  /* descriptors, slots, cursors */
#define EVS_P_ACCESS 7        /* permission, foreign owner, another pid namespace */
#define EVS_P_VERSION 8       /* a format of another version */
#define EVS_P_CORRUPT 9       /* what stands there is not ours or is damaged */
#define EVS_P_TIMEOUT 10
#define EVS_P_NOT_SUPPORTED 11
#define EVS_P_EXPELLED 12     /* this process is no longer a member: call rejoin() */
#define EVS_P_CLOSED 13       /* the medium failed and stays so */
#define EVS_P_INTERRUPTED 14  /* wake() was called */
#define EVS_P_NESTED 15       /* a signal handler interrupted this thread's own append() */
#define EVS_P_INTERNAL 16     /* the plugin's own failure, an exception included */

typedef struct evs_transport evs_transport; /* the plugin's, opaque to the host */
typedef struct evs_cursor evs_cursor;       /* the plugin's, opaque to the host */
typedef struct evs_service evs_service;     /* the plugin's, opaque to the host */
typedef struct evs_host evs_host;

/* 32 bytes that name a group; the same layout as struct evs_group of evs.h. */
typedef struct evs_plugin_group {
  char key[32];
} evs_plugin_group;

/* Room for a sentence: what failed, on which thing, and the way out. */
typedef struct evs_error_text {
  char *text;      /* filled with a NUL-terminated sentence on failure */
  size_t capacity; /* bytes at text, the NUL included */
} evs_error_text;

typedef struct evs_plugin_parameter {
  const char *key;
  const char *value;
} evs_plugin_parameter;

/* ---- What the host hands in ---------------------------------------------------------------------------------------- */

#define EVS_HOST_LOG_TRACE 0
#define EVS_HOST_LOG_DEBUG 1
#define EVS_HOST_LOG_INFO 2
#define EVS_HOST_LOG_WARNING 3
#define EVS_HOST_LOG_ERROR 4

struct evs_host {
  uint32_t struct_size;
  uint32_t abi_minor; /* the host's */
  void *context;      /* pass it back */
  const char *bus;    /* the bus's name */
  /* One line, rate-limited by `kind`, a static string such as "ring.full". [any] Never from append() or read(). */
  void (*log)(void *context, int32_t level, const char *kind, const char *text, size_t length);
  /* A 64-bit counter or gauge of the plugin's own, named evs_..._total or with its unit, as in shm/counters.h; zeroed, valid until destroy() returned. The plugin is its
   * only writer, with relaxed stores. NULL: no more room. [app] during create() only. */
  uint64_t *(*counter)(void *context, const char *name, const char *help);
  /* Makes the service thread call service_work() soon. [any] [signal] */
  void (*wake)(void *context);
  /* Host interfaces by "evs.NAME/REVISION"; NULL when unknown. [any] */
  const void *(*get_extension)(void *context, const char *id);
};

/* ---- Datagram media ------------------------------------------------------------------------------------------------ */

typedef struct evs_datagram {
  uint32_t peer;       /* receive: the sender's address index; send: EVS_PEER_ALL or an index */
  uint32_t flags;      /* receive: EVS_DATAGRAM_* on return, zero on entry; send: zero. Since minor 1, before it reserved */
  void *data;
  size_t size;         /* bytes at data; receive: room on entry, length on return */
} evs_datagram;
#define EVS_PEER_ALL 0xffffffffu
/* It came by the medium's own send-to-all, such as multicast: whoever never sees it from a peer cannot hear that peer's send-to-all. A medium
 * that sends to all by sending to each never sets it. */
#define EVS_DATAGRAM_TO_ALL 1u

/* May lose, repeat and reorder frames; what arrives is what was sent. The ring above it makes order of that. */
typedef struct evs_datagram_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* Largest frame in bytes; may shrink while open. [service] [nonblock] */
  size_t (*largest_frame)(evs_transport *self);
  /* Hands `count` frames to the medium, in order; *taken of them were. data belongs to the host again on return.
   * EVS_P_AGAIN: the first not taken has no room now, and the host's next call begins with it, the same bytes to the same peer, perhaps
   * elsewhere in memory; so a medium that sends to all by sending to each may go on where it stopped. Should the host give it up and offer
   * something else, some peers may have had it. EVS_P_TOO_BIG: it exceeds largest_frame(). A failure of the way, such as a network that
   * is down or a peer that refuses, is loss: the frames are taken. [service] [nonblock] */
  int32_t (*send)(evs_transport *self, const evs_datagram *frames, size_t count, size_t *taken);
  /* Fills up to `count` frames; *got of them. EVS_P_AGAIN: none there. A frame that exceeds its room is counted and lost. An index of a peer
   * holds at least until the next call of receive(), and stays that address's for as long as the medium knows it; a frame to an index that
   * it knows no more is counted and lost. [service] [nonblock] */
  int32_t (*receive)(evs_transport *self, evs_datagram *frames, size_t count, size_t *got);
  /* The peer's address in words, for logs. Returns its length, 0 for an unknown peer. [service] */
  size_t (*peer_name)(evs_transport *self, uint32_t peer, char *text, size_t capacity);
  /* Readable when receive() has something. [service] */
  int32_t (*receive_fd)(evs_transport *self);
} evs_datagram_ops;

/* ---- Ordered media ------------------------------------------------------------------------------------------------- */

#define EVS_FRAME_MESSAGE 0u    /* an application's message */
#define EVS_FRAME_CONTROL 1u    /* the host's own, ordered with the messages; the medium does not look inside */
#define EVS_FRAME_MEMBERSHIP 2u /* data is an evs_membership */
#define EVS_FRAME_GROUPS 3u     /* data is an array of evs_plugin_group_change. Since minor 2 */

#define EVS_MEMBER_STAYS 0
#define EVS_MEMBER_JOINED 1
#define EVS_MEMBER_LEFT 2
#define EVS_MEMBER_DIED 3
#define EVS_MEMBER_EXPELLED 4
#define EVS_MEMBER_PARTED 5 /* since minor 3: of a medium that spans hosts; its host and this one are on one ring no more */

typedef struct evs_ordered_member {
  uint32_t nodeid;      /* host id << 12 | slot + 1, never 0 */
  int32_t pid;
  uint64_t incarnation; /* tells two lives of one nodeid apart */
  int32_t reason;       /* EVS_MEMBER_*: why it is in this list */
  uint32_t reserved;
} evs_ordered_member;

/* A membership change at its position, or the membership in force. Where it stands in memory the members follow the struct, then
 * those who left. */
typedef struct evs_membership {
  uint32_t struct_size;
  uint32_t member_count;
  uint32_t left_count;     /* who was in the previous one and is not in this */
  uint32_t reserved;
  uint64_t change;         /* rises from one to the next; even. The transitional one before it is change - 1; a medium that has frames between the two
                            * tells the transitional one as a membership of its own, with the odd number (since minor 2) */
  uint64_t ring_sequence;  /* of this life of the medium; configuration id = ring_sequence << 32 | change */
  uint64_t position;       /* where it stands in the order */
  const evs_ordered_member *members; /* sorted by nodeid; reason JOINED for who is new */
  const evs_ordered_member *left;
  /* since minor 2 */
  uint64_t epoch; /* of the primary ring of hosts that it belongs to, rising from one to the next; 0: it belongs to none */
} evs_membership;

/* A process joined a group or left it (reason EVS_MEMBER_JOINED or _LEFT of `who`) that does not say so itself with a control frame: a medium that spans
 * hosts tells what processes elsewhere did. */
typedef struct evs_plugin_group_change {
  evs_plugin_group group;
  evs_ordered_member who;
} evs_plugin_group_change;

/* One frame at its position. */
typedef struct evs_frame {
  uint32_t kind;           /* EVS_FRAME_* */
  uint32_t nodeid;         /* sender; 0 for membership */
  uint64_t position;       /* grows from frame to frame; all readers agree on it */
  uint64_t incarnation;    /* the sender's */
  const evs_plugin_group *groups;
  const void *data;
  size_t size;             /* bytes at data */
  uint32_t group_count;
  uint32_t guarantee;      /* 0 to 3, as the sender asked */
} evs_frame;

#define EVS_WANT_SKIP 0
#define EVS_WANT_TAKE 1
#define EVS_WANT_STOP 2 /* take nothing more in this call, this frame included */

/* One call of read(): the caller fills in all but count and needed. */
typedef struct evs_read {
  uint32_t struct_size;
  uint32_t frame_room;  /* entries at frames */
  evs_frame *frames;    /* filled with the frames taken; their pointers point into buffer */
  void *buffer;         /* 64-byte aligned */
  size_t buffer_size;   /* at least 64 KiB */
  /* Asked for each frame in order; groups and data point into the medium and may be torn when this process is being expelled: judge, do
   * not act on data. When read() answers OK or AGAIN, every answer given in the call counts, once a frame. When it answers EXPELLED,
   * none does. Not asked for a frame that finds no room behind others already taken; when the first frame of a call is
   * too big for the buffer, read() answers TOO_BIG and asks again next time: TAKE must do nothing else. */
  int32_t (*want)(void *context, const evs_frame *frame);
  void *context;
  uint32_t count;       /* out: frames taken */
  uint32_t reserved;
  size_t needed;        /* out with TOO_BIG: the buffer size that will do */
} evs_read;

typedef struct evs_append {
  uint32_t struct_size;
  uint32_t kind;        /* EVS_FRAME_MESSAGE or EVS_FRAME_CONTROL */
  uint32_t guarantee;
  uint32_t group_count;
  const evs_plugin_group *groups;
  const struct iovec *iov;
  uint32_t iov_count;
  uint32_t reserved;
  size_t size;          /* the sum of the iovec's lengths, at most the limit */
} evs_append;

typedef struct evs_ordered_limits {
  uint32_t struct_size;
  uint32_t members;
  uint64_t message_bytes;
  uint32_t groups_per_message;
  uint32_t cursors;     /* of one process */
} evs_ordered_limits;

typedef struct evs_ordered_usage {
  uint32_t struct_size;
  uint32_t holder_nodeid; /* whose reader is furthest behind; 0: none is behind, or what evs.role/1 keeps is furthest */
  int32_t holder_pid;
  uint32_t reserved;
  uint64_t capacity_bytes;
  uint64_t used_bytes;    /* from the furthest reader to the end */
} evs_ordered_usage;

/* Puts every frame at one position that all readers agree on.
 *
 * Cursors: one per handle. A cursor starts *parked*: it holds no room, and read() answers AGAIN. watch() puts it at the end of the
 * order; from there on every frame that concerns it is kept until it was read. park() takes it out again. */
typedef struct evs_ordered_ops {
  uint32_t struct_size;
  uint32_t reserved;

  void (*limits)(evs_transport *self, evs_ordered_limits *out);                       /* [any] */
  /* This process as a member. Changes with rejoin(). [any] [nonblock] */
  void (*self)(evs_transport *self, evs_ordered_member *out);
  /* Appends one frame. *position is set before the frame can be read by anybody, so that what `before_commit` stores is seen by
   * whoever sees the frame; before_commit (may be NULL) runs between the claim and the commit and must be short.
   * AGAIN: no room now. NESTED: called from a signal handler inside this thread's append(). EXPELLED, TOO_BIG, CLOSED.
   * [app] [nonblock] [signal] */
  int32_t (*append)(evs_transport *self, const evs_append *frame, uint64_t *position,
                    void (*before_commit)(void *context, uint64_t position), void *context);
  /* Is there room for a message of `size` bytes with `group_count` groups? OK or AGAIN. AGAIN also asks the medium to ring the cursor (wait()
   * returns, the descriptor becomes readable) when there is; cursor may be NULL. Who holds up what was asked for in vain is judged as if an append had been
   * refused. [any] [nonblock] */
  int32_t (*room)(evs_transport *self, evs_cursor *cursor, size_t size, uint32_t group_count);
  /* Waits for the same, at most timeout_ns: OK, TIMEOUT, EXPELLED, CLOSED. [app] */
  int32_t (*wait_room)(evs_transport *self, size_t size, uint32_t group_count, uint64_t timeout_ns);
  /* The membership in force, as far as this process has read. It is written to `buffer` (members behind the struct); TOO_BIG with
   * *needed. [any] [nonblock] */
  int32_t (*membership)(evs_transport *self, void *buffer, size_t buffer_size, size_t *needed);

  int32_t (*cursor_open)(evs_transport *self, evs_cursor **out);                       /* [app] */
  void (*cursor_close)(evs_cursor *cursor);                                            /* [cursor] */
  /* Puts a parked cursor at the end of the order and writes the membership in force there. Frames after that position will be read.
   * No effect on a cursor that watches already, except that the membership at its place is written. [cursor] */
  int32_t (*watch)(evs_cursor *cursor, void *buffer, size_t buffer_size, size_t *needed);
  void (*park)(evs_cursor *cursor);                                                    /* [cursor] [nonblock] */
  /* Frames to these groups concern the cursor (ring its bell, keep room), or no longer do. Counted: as many removals as additions. MEMBERSHIP
   * frames concern every watching cursor; CONTROL frames concern those with one of their groups. [app]: guarded by the plugin */
  int32_t (*interest_add)(evs_cursor *cursor, const evs_plugin_group *groups, uint32_t count);
  void (*interest_remove)(evs_cursor *cursor, const evs_plugin_group *groups, uint32_t count);
  /* Reads what is there: OK (perhaps with count 0 when all was skipped), AGAIN (nothing there), TOO_BIG, EXPELLED, CLOSED.
   * [cursor] [nonblock] */
  int32_t (*read)(evs_cursor *cursor, evs_read *request);
  /* A hint, without any lock: 0 when read() would surely answer AGAIN. [app] [nonblock] */
  int32_t (*pending)(evs_cursor *cursor);
  /* Waits until there may be something to read: OK, TIMEOUT, INTERRUPTED (by wake()), EXPELLED, CLOSED. One thread a cursor; the host
   * does not hold the cursor's lock. [app] */
  int32_t (*wait)(evs_cursor *cursor, uint64_t timeout_ns);
  /* Ends a wait() with INTERRUPTED, the present one or the next. [any] [nonblock] */
  void (*wake)(evs_cursor *cursor);
  /* A descriptor that is readable when a frame that concerns the cursor has come since arm(), or ring() was called. The same for the cursor's
   * life, rejoin() included. -1: out of descriptors. [app] */
  int32_t (*fd)(evs_cursor *cursor);
  /* After a read() that answered AGAIN: makes the descriptor not readable and asks for its bell. AGAIN: armed; OK: something came
   * meanwhile, the descriptor is (again) readable. [cursor] [nonblock] */
  int32_t (*arm)(evs_cursor *cursor);
  void (*ring)(evs_cursor *cursor);                                                    /* [any] [nonblock] makes the descriptor readable */
  /* From the cursor to the end, in bytes or the medium's own unit. [any] [nonblock] */
  uint64_t (*lag)(evs_cursor *cursor);
  void (*usage)(evs_transport *self, evs_ordered_usage *out);                          /* [any] [nonblock] */

  /* After EXPELLED: joins anew under a new identity; of a member it changes nothing. Cursors are parked by it and keep their descriptors and interests; the host watches
   * them again. The host guarantees that no thread is inside any other function of this transport but wait().
   * *lost: at least so many frames that concerned this process's cursors were lost. [app] */
  int32_t (*rejoin)(evs_transport *self, uint64_t *lost, evs_error_text *error);
} evs_ordered_ops;

/* ---- Extensions of a transport -------------------------------------------------------------------------------------- */

/* "evs.groups/1": the medium keeps, per member, the groups it joined and the positions at which it did, so that a reader can know the
 * members of a group at any position without having read all of the past. */
#define EVS_EXTENSION_GROUPS "evs.groups/1"
typedef struct evs_groups_extension {
  uint32_t struct_size;
  uint32_t reserved;
  /* Announces this process's first join of a group, before its record is appended; the token is to be stamped with the record's
   * position from before_commit. [app] */
  int32_t (*announce)(evs_transport *self, const evs_plugin_group *group, uint64_t *token);
  void (*stamp_join)(evs_transport *self, uint64_t token, uint64_t position);          /* [app] [nonblock] */
  void (*stamp_leave)(evs_transport *self, uint64_t token, uint64_t position);         /* [app] [nonblock] last leave */
  void (*retract)(evs_transport *self, uint64_t token);                                /* [app] the append failed */
  /* Calls visit() for each member that had joined the group at `position` (UINT64_MAX: now; EVS_P_NOT_SUPPORTED where only the position of a join
   * of this process can be told). Also answers for members that died or left, as long as a cursor of this process has not passed their going. [app] */
  int32_t (*members)(evs_transport *self, const evs_plugin_group *group, uint64_t position,
                     void (*visit)(void *context, const evs_ordered_member *member), void *context);
} evs_groups_extension;

/* "evs.role/1" (ordered media, since minor 2): one reader of the order that outlives its process. Whoever has a certain role among the members, which is
 * decided elsewhere and is one at a time, reads on from where the last one left it, also when that one was killed in the middle. The host guarantees
 * that nobody else's call of these functions on the same medium is under way, or will come. One service thread may serve several transports, and
 * then calls start() and stop() of one with this extension itself. */
#define EVS_EXTENSION_ROLE "evs.role/1"
#define EVS_ROLE_ALL_READ UINT64_MAX /* to keep(): the place where the open reader's next read() begins */
typedef struct evs_role_extension {
  uint32_t struct_size;
  uint32_t reserved;
  /* Opens the role's reader at the position up to which was kept, *position; when nothing is kept, at the end of the order, which is kept from then on.
   * EVS_P_NO_RESOURCES: this transport has it open already. EVS_P_EXPELLED. EVS_P_CLOSED: what is kept is an impossible position. [service]
   *
   * It is a cursor for read(), pending(), wait(), wake(), fd(), arm(), ring(), lag(), room(), the interests (which say when its bell rings and nothing
   * else) and cursor_close(), which ends no keeping; park() stops it until begin_at(), watch() is refused. What it holds is not what it has not read but what is
   * kept, and nobody is expelled for that. read() offers MESSAGE and CONTROL frames of everybody, also of who is no member at that position or has never
   * been: the caller judges by nodeid and incarnation. It offers no MEMBERSHIP frames: membership() tells, in a process without any cursor as
   * well, and once the reader is past an evs_membership's position all frames of who has left by then were offered. read() answers
   * EVS_P_BAD_PARAMETER while its place is before what is kept. After rejoin() it begins where it is kept. */
  int32_t (*open)(evs_transport *self, evs_cursor **out, uint64_t *position);
  /* Everything from `position` on is kept, for this process and whoever comes after it; what is before may be overwritten. Only forward: a lower position
   * changes nothing. A frame's position, the end, or EVS_ROLE_ALL_READ. EVS_P_BAD_PARAMETER: it is behind the end, or nothing was ever kept. EVS_P_EXPELLED. [service] [nonblock] */
  int32_t (*keep)(evs_transport *self, uint64_t position);
  /* The reader's next read() begins there: a frame's position that is kept, or the end. EVS_P_BAD_PARAMETER: it cannot be one; that a frame
   * begins there is the caller's to know. [service] [nonblock] */
  int32_t (*begin_at)(evs_cursor *role_cursor, uint64_t position);
  /* append() was under way in a member that has died, and told its before_commit `position`: does the frame stand there? OK: *committed is 1, and every
   * reader finds it; or 0, and none ever will. AGAIN: its death, or that of somebody whose append stands before it, is not proved yet; ask again.
   * Whoever keeps the position, or one before it, gets an answer in the end. EVS_P_TIMEOUT: it is before what is kept, so that others may stand in its place by now:
   * nobody can tell any more. EVS_P_BAD_PARAMETER: nothing was claimed there, or it is within another frame. EVS_P_EXPELLED, EVS_P_CLOSED.
   * [service] [nonblock] */
  int32_t (*settle)(evs_transport *self, uint64_t position, uint32_t *committed);
} evs_role_extension;

/* "evs.peers/1" (datagram media, since minor 1): a medium that learns addresses from what arrives keeps few of those that nobody vouched for, and
 * forgets the one not heard for longest when it needs room. The host vouches for a peer whose frames it could authenticate. */
#define EVS_EXTENSION_PEERS "evs.peers/1"
typedef struct evs_peers_extension {
  uint32_t struct_size;
  uint32_t reserved;
  /* Keeps the peer until forget(), whatever else arrives; where send-to-all is sent to each, it gets it from here on. EVS_P_BAD_PARAMETER:
   * no such peer (any more). EVS_P_NO_RESOURCES: too many are kept. [service] [nonblock] */
  int32_t (*mark)(evs_transport *self, uint32_t peer);
  /* It may be forgotten from here on. Without effect on unknown peers and on those of the configuration. [service] [nonblock] */
  void (*forget)(evs_transport *self, uint32_t peer);
} evs_peers_extension;

/* "evs.stats/1" (ordered media, since minor 3): words beside the medium that monitors outside of this process read, also when it hangs or was killed. Some of
 * them are the host's, to count in; which means what is written where the medium's files are described (docs/shm-layout.md). */
#define EVS_EXTENSION_STATS "evs.stats/1"
typedef struct evs_stats_extension {
  uint32_t struct_size;
  uint32_t words; /* there are */
  /* Adds to one, from start() to stop(). EVS_P_EXPELLED: nothing was added, and may be after rejoin(). EVS_P_BAD_PARAMETER: no such word. [any] [nonblock] */
  int32_t (*add)(evs_transport *self, uint32_t word, uint64_t n);
} evs_stats_extension;

/* "evs.introspect/1": what an operator may want to know beyond the counters, as text, a "name value" pair a line. */
#define EVS_EXTENSION_INTROSPECT "evs.introspect/1"
typedef struct evs_introspect_extension {
  uint32_t struct_size;
  uint32_t reserved;
  size_t (*dump)(evs_transport *self, char *text, size_t capacity); /* returns the full length [any] */
} evs_introspect_extension;

/* "evs.params/1" (of the plugin: get_extension with self NULL): the parameters it takes. */
#define EVS_EXTENSION_PARAMS "evs.params/1"
typedef struct evs_parameter_info {
  const char *key;
  const char *type;     /* "size", "duration", "integer", "text" */
  const char *fallback; /* the default, as text */
  const char *range;    /* valid values, in words */
  const char *help;
} evs_parameter_info;
typedef struct evs_params_extension {
  uint32_t struct_size;
  uint32_t count;
  const evs_parameter_info *parameters;
  /* What create() would say of these, by themselves and together, as far as it can tell without touching the medium (users, groups and
   * files are not looked up): EVS_P_OK, or EVS_P_BAD_PARAMETER and a sentence. May be NULL, must not throw. For whoever judges a
   * configuration before it is used. [any] */
  int32_t (*check)(const evs_plugin_parameter *parameters, size_t count, evs_error_text *error);
} evs_params_extension;

/* ---- Descriptors ------------------------------------------------------------------------------------------------- */

#define EVS_KIND_TRANSPORT 1u
#define EVS_KIND_SERVICE 2u
#define EVS_MEDIUM_DATAGRAM 1u
#define EVS_MEDIUM_ORDERED 2u

#define EVS_CAP_TELLS_STABILITY 1ull /* a frame that was read is held by all members (ordered media) */
#define EVS_CAP_SAME_HOST 2ull       /* reaches processes of this host only */

/* What the bus asks of its service thread on behalf of a transport or service. All optional. */
typedef struct evs_service_ops {
  uint32_t struct_size;
  int32_t reserved;
  int32_t (*begin)(void *self);  /* first call on the service thread. [service] */
  /* Does what is due, never blocking for long. *next_ns: monotonic time of the next wish, UINT64_MAX for none. [service] */
  void (*work)(void *self, uint64_t now_ns, uint64_t *next_ns);
  int32_t (*fd)(void *self);     /* readable: call work(). -1: none. [service] */
  void (*end)(void *self);       /* last call on the service thread. [service] */
} evs_service_ops;

typedef struct evs_transport_ops {
  uint32_t struct_size;
  uint32_t medium;       /* EVS_MEDIUM_* */
  uint64_t capabilities; /* EVS_CAP_* */
  /* Opens the medium. Parameters are complete (defaults filled in by the configuration where it knows them); an unknown key is an
   * error that names it. May block up to its own attach timeout. May start no thread that outlives destroy(). On failure the
   * sentence in error names what failed. [app] */
  int32_t (*create)(const evs_host *host, const evs_plugin_parameter *parameters, size_t count, evs_transport **out,
                    evs_error_text *error);
  /* Attaches: from its return on this process is a member. Called after the service thread ran begin(). [app] */
  int32_t (*start)(evs_transport *self, uint64_t timeout_ns, evs_error_text *error);
  /* Leaves in order; the service thread still runs. [app] */
  void (*stop)(evs_transport *self);
  void (*destroy)(evs_transport *self); /* after stop() and end(). [app] */
  const evs_service_ops *service;
  const evs_datagram_ops *datagram; /* when the medium is one */
  const evs_ordered_ops *ordered;   /* when the medium is one */
  const void *(*get_extension)(evs_transport *self, const char *id); /* self NULL: of the plugin. [any] */
} evs_transport_ops;

typedef struct evs_service_plugin_ops {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*create)(const evs_host *host, const evs_plugin_parameter *parameters, size_t count, evs_service **out,
                    evs_error_text *error);
  void (*destroy)(evs_service *self);
  const evs_service_ops *service;
  const void *(*get_extension)(evs_service *self, const char *id);
} evs_service_plugin_ops;

typedef struct evs_plugin_descriptor {
  uint32_t struct_size;
  uint32_t kind;           /* EVS_KIND_* */
  const char *name;        /* "shm": [a-z0-9-]{1,32} */
  const char *version;     /* the plugin's own */
  const char *description; /* one sentence */
  const evs_transport_ops *transport;      /* when kind is transport */
  const evs_service_plugin_ops *service;   /* when kind is service */
} evs_plugin_descriptor;

typedef struct evs_plugin_entry {
  uint32_t magic; /* EVS_PLUGIN_MAGIC */
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t struct_size;
  uint32_t descriptor_count;
  uint32_t reserved;
  const evs_plugin_descriptor *descriptors;
} evs_plugin_entry;

#if defined(__GNUC__)
#define EVS_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define EVS_PLUGIN_EXPORT
#endif
/* Use as: EVS_PLUGIN_EXPORT extern const evs_plugin_entry evs_plugin_entry_v1; then define it. */

#ifdef __cplusplus
}
#endif

#endif /* EVS_PLUGIN_H_DEFINED */
