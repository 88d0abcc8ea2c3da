/* SPDX-License-Identifier: BSD-3-Clause
 *
 * epoll.c - evs in an event loop: lines typed here are sent to a group, what the group hears is printed.
 *
 * The bus gives one descriptor, readable while evs_dispatch() would call a callback. When a send finds no room the loop
 * stops reading its input (so the pressure reaches whoever writes to it) until the `room` callback says there is some:
 * nothing is polled, nothing is dropped.
 *
 *   epoll GROUP            run it twice, in two terminals; end with Ctrl-D
 */
#include <errno.h>
#include <evs/evs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct chat {
  evs_handle_t bus;
  int loop;
  struct evs_group group;
  char line[4096]; /* read and not yet sent */
  size_t length;
  bool waits_for_room;
  bool done;
};

/* Taken out of the loop, not only masked: a hang-up is reported whatever one asks for. */
static void watch_input(struct chat* chat, bool on) {
  struct epoll_event input = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
  epoll_ctl(chat->loop, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, STDIN_FILENO, &input);
}

static void send_line(struct chat* chat) {
  struct iovec piece = {chat->line, chat->length};
  cs_error_t error = evs_mcast_groups(chat->bus, EVS_TYPE_AGREED, &chat->group, 1, &piece, 1);
  const bool full = error == CS_ERR_TRY_AGAIN;
  if (full != chat->waits_for_room) watch_input(chat, !full);
  chat->waits_for_room = full;
  if (error != CS_OK && !full) {
    fprintf(stderr, "cannot send: %s\n", cs_strerror(error));
    chat->done = true;
  }
}

static void deliver(evs_handle_t handle, void* context, const evs_message_t* message) {
  (void)handle, (void)context;
  printf("%d: %.*s", (int)message->pid, (int)message->size, (const char*)message->data);
  fflush(stdout);
}

static void configure(evs_handle_t handle, void* context, const evs_configuration_t* configuration) {
  (void)handle, (void)context;
  if (configuration->kind == EVS_CONFIGURATION_REGULAR) printf("-- %zu here\n", configuration->member_entries);
}

static void room(evs_handle_t handle, void* context) {
  (void)handle;
  send_line(context);
}

static void read_input(struct chat* chat) {
  ssize_t got = read(STDIN_FILENO, chat->line, sizeof chat->line);
  if (got > 0) {
    chat->length = (size_t)got;
    send_line(chat);
  } else if (got == 0 || errno != EINTR) {
    chat->done = true;
  }
}

int main(int argc, char** argv) {
  struct chat chat = {.loop = epoll_create1(EPOLL_CLOEXEC)};
  char reason[256];
  evs_callbacks_ex_t callbacks = {
      .struct_size = sizeof callbacks, .deliver = deliver, .configure = configure, .room = room};
  evs_options_t options = {.struct_size = sizeof options,
                           .callbacks_ex = &callbacks,
                           .context = &chat,
                           .error = reason,
                           .error_size = sizeof reason};
  cs_error_t error;
  int bus_fd;

  if (argc != 2 || strlen(argv[1]) > sizeof chat.group.key) {
    fprintf(stderr, "usage: epoll GROUP (at most %zu bytes)\n", sizeof chat.group.key);
    return 2;
  }
  memcpy(chat.group.key, argv[1], strlen(argv[1]));
  if ((error = evs_initialize_ex(&chat.bus, &options)) != CS_OK) {
    fprintf(stderr, "%s: %s\n", cs_strerror(error), reason);
    return 1;
  }
  if ((error = evs_join(chat.bus, &chat.group, 1)) != CS_OK || (error = evs_fd_get(chat.bus, &bus_fd)) != CS_OK) {
    fprintf(stderr, "%s\n", cs_strerror(error));
    return 1;
  }
  struct epoll_event bus = {.events = EPOLLIN, .data.fd = bus_fd}, input = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
  if (epoll_ctl(chat.loop, EPOLL_CTL_ADD, bus_fd, &bus) != 0 ||
      epoll_ctl(chat.loop, EPOLL_CTL_ADD, STDIN_FILENO, &input) != 0) {
    perror("epoll_ctl (standard input must be a terminal, pipe or socket)");
    return 1;
  }
  while (!chat.done) {
    struct epoll_event ready[2];
    int count = epoll_wait(chat.loop, ready, 2, -1);
    for (int i = 0; i < count && !chat.done; i++) {
      if (ready[i].data.fd == bus_fd) {
        if ((error = evs_dispatch(chat.bus, CS_DISPATCH_ALL)) != CS_OK) {
          fprintf(stderr, "%s\n", cs_strerror(error));
          return 1;
        }
      } else if (!chat.waits_for_room) { /* else taken out a moment ago, in this same round */
        read_input(&chat);
      }
    }
  }
  error = evs_dispatch(chat.bus, CS_DISPATCH_ALL); /* our own last lines */
  if (error != CS_OK) fprintf(stderr, "%s\n", cs_strerror(error));
  return evs_finalize(chat.bus) == CS_OK && error == CS_OK ? 0 : 1;
}
