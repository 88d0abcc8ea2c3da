/* SPDX-License-Identifier: BSD-3-Clause
 *
 * demo_member.c - a member of the demonstration, written against the API that Corosync 1.x had: it streams the lines of a
 * text to two groups and writes down everything that is delivered to it, in order.
 *
 *   demo_member_c NAME TEXT RECORD RATE      lines a second; 0: as fast as the bus takes them
 *
 * Commands come on stdin (mark, start, stop, quit); what happens is told on stdout, a line each; deliveries go to the
 * file RECORD alone, so that two records that should be equal are equal byte by byte. One thread and one poll() loop:
 * the shape of a program that has an event loop already.
 */
#include <corosync/evs.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kMostLines = 4096, kBurst = 256, kReportEveryNs = 100000000 };

static struct evs_group groups[2] = {{"demo.even"}, {"demo.odd"}};
static const char *name;
static FILE *record;
static char *lines[kMostLines];
static size_t line_count;
static unsigned long long sent, delivered;
static int sending, stopping, quitting;
static uint64_t rate, started_ns, sent_at_start;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void deliver(hdb_handle_t handle, unsigned int nodeid, const void *msg, size_t msg_len) {
  const char *text = msg, *space = memchr(msg, ' ', msg_len);
  const int rest = space == NULL ? 0 : (int)(text + msg_len - space);
  (void)handle;
  ++delivered;
  fprintf(record, "%u %.*s\n", nodeid, (int)msg_len, text);
  /* "NAME mark" and "NAME end" frame the stream: the referee waits for them. */
  if (rest == 5 && memcmp(space, " mark", 5) == 0) printf("mark\n");
  if (rest == 4 && memcmp(space, " end", 4) == 0) printf("end %.*s\n", (int)(space - text), text);
}

static void confchg(hdb_handle_t handle, const unsigned int *member_list, size_t member_list_entries,
                    const unsigned int *left_list, size_t left_list_entries, const unsigned int *joined_list,
                    size_t joined_list_entries, const struct evs_ring_id *ring_id) {
  size_t i;
  (void)handle, (void)left_list, (void)joined_list, (void)ring_id;
  printf("config %" PRIu64 " members", now_ns());
  for (i = 0; i < member_list_entries; ++i) printf(" %u", member_list[i]);
  printf(" left %zu joined %zu\n", left_list_entries, joined_list_entries);
  fprintf(record, "config");
  for (i = 0; i < member_list_entries; ++i) fprintf(record, " %u", member_list[i]);
  fprintf(record, "\n");
}

static void die(const char *what, cs_error_t error) {
  fprintf(stderr, "%s: %s: %s\n", name, what, cs_strerror(error));
  exit(1);
}

static void read_text(const char *path) {
  FILE *file = fopen(path, "r");
  char buffer[512];
  if (file == NULL) {
    fprintf(stderr, "%s: %s: %s\n", name, path, strerror(errno));
    exit(1);
  }
  while (line_count < kMostLines && fgets(buffer, sizeof(buffer), file) != NULL) {
    buffer[strcspn(buffer, "\n")] = '\0';
    lines[line_count++] = strdup(buffer);
  }
  fclose(file);
}

/* 1: it is on its way. 0: the ring is full, dispatch and try again. */
static int send_text(evs_handle_t handle, const struct evs_group *group, char *text, size_t length) {
  struct iovec iov = {text, length};
  cs_error_t result = evs_mcast_groups(handle, EVS_TYPE_AGREED, group, 1, &iov, 1);
  if (result == CS_ERR_TRY_AGAIN) return 0;
  if (result != CS_OK) die("evs_mcast_groups", result);
  return 1;
}

static void send_what_is_due(evs_handle_t handle) {
  uint64_t due = rate == 0 ? UINT64_MAX : sent_at_start + (now_ns() - started_ns) * rate / 1000000000u;
  int burst = kBurst;
  char text[640];
  while (sending && burst-- > 0 && sent < due) {
    int length = snprintf(text, sizeof(text), "%s %llu %s", name, sent, lines[sent % line_count]);
    if (!send_text(handle, &groups[sent % 2], text, (size_t)length)) return;
    ++sent;
  }
  if (stopping) {
    int length = snprintf(text, sizeof(text), "%s end", name);
    if (send_text(handle, &groups[0], text, (size_t)length)) stopping = 0;
  }
}

static void obey(evs_handle_t handle, const char *command) {
  char text[128];
  if (strcmp(command, "mark") == 0) {
    int length = snprintf(text, sizeof(text), "%s mark", name);
    while (!send_text(handle, &groups[0], text, (size_t)length)) evs_dispatch(handle, CS_DISPATCH_ALL);
  } else if (strcmp(command, "start") == 0) {
    sending = 1;
    started_ns = now_ns();
    sent_at_start = sent;
  } else if (strcmp(command, "stop") == 0) {
    sending = 0;
    stopping = 1;
  } else if (strcmp(command, "quit") == 0) {
    quitting = 1;
  }
}

static void read_commands(evs_handle_t handle) {
  static char buffer[256];
  static size_t used;
  char *newline;
  ssize_t got = read(STDIN_FILENO, buffer + used, sizeof(buffer) - used - 1);
  if (got == 0) quitting = 1; /* the referee is gone: so are we */
  if (got <= 0) return;
  used += (size_t)got;
  buffer[used] = '\0';
  while ((newline = strchr(buffer, '\n')) != NULL) {
    *newline = '\0';
    obey(handle, buffer);
    used -= (size_t)(newline + 1 - buffer);
    memmove(buffer, newline + 1, used + 1);
  }
  if (used == sizeof(buffer) - 1) used = 0; /* no command is that long */
}

int main(int argc, char **argv) {
  static evs_callbacks_t callbacks = {deliver, confchg};
  struct pollfd waiting[2] = {{0, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  unsigned int nodeid = 0;
  uint64_t next_report = 0;
  evs_handle_t handle;
  cs_error_t result;

  if (argc != 5) {
    fprintf(stderr, "usage: demo_member_c NAME TEXT RECORD RATE\n");
    return 2;
  }
  name = argv[1];
  read_text(argv[2]);
  record = fopen(argv[3], "w");
  rate = strtoull(argv[4], NULL, 10);
  if (record == NULL || line_count == 0) {
    fprintf(stderr, "%s: cannot write %s, or %s is empty\n", name, argv[3], argv[2]);
    return 1;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);

  if ((result = evs_initialize(&handle, &callbacks)) != CS_OK) die("evs_initialize", result);
  if ((result = evs_fd_get(handle, &waiting[0].fd)) != CS_OK) die("evs_fd_get", result);
  /* A join takes room in the ring like a message. Others may have filled it: we read our part of it, and try again. */
  while ((result = evs_join(handle, groups, 2)) == CS_ERR_TRY_AGAIN) {
    if ((result = evs_dispatch(handle, CS_DISPATCH_ALL)) != CS_OK) die("evs_dispatch", result);
    poll(waiting, 1, 1);
  }
  if (result != CS_OK) die("evs_join", result);
  if ((result = evs_membership_get(handle, &nodeid, NULL, NULL)) != CS_OK) die("evs_membership_get", result);
  printf("ready %u\n", nodeid);

  while (!quitting) {
    /* With nothing to send only a delivery or a command wakes us; while sending, the next line is due soon. */
    poll(waiting, 2, sending ? (rate == 0 ? 0 : 1) : stopping ? 1 : 100);
    if (waiting[1].revents != 0) read_commands(handle);
    send_what_is_due(handle);
    if ((result = evs_dispatch(handle, CS_DISPATCH_ALL)) != CS_OK) die("evs_dispatch", result);
    fflush(record);
    if (now_ns() >= next_report) {
      printf("count %llu\n", delivered);
      next_report = now_ns() + kReportEveryNs;
    }
  }
  if ((result = evs_finalize(handle)) != CS_OK) die("evs_finalize", result);
  fclose(record);
  printf("done %llu %llu\n", sent, delivered);
  return 0;
}
