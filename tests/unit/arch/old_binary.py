# SPDX-License-Identifier: BSD-3-Clause
"""A program that was linked to the old libevs.so.4 must run against ours as it is, without relinking.

There is no old library at hand, so this makes one that looks the same to the linker: its SONAME, the version node on nine
calls, evs_context_get and evs_context_set without a version, and no code worth the name. A program is linked to that,
and then started with our library in its place, every symbol bound at once.
  old_binary.py INCLUDE_DIR LIBRARY CC
"""
import os
import pathlib
import subprocess
import sys
import tempfile

VERSIONED = ("initialize finalize fd_get dispatch join leave mcast_joined mcast_groups membership_get").split()
BARE = "context_get context_set".split()

PROGRAM = """
#include <corosync/evs.h>
#include <stdio.h>
#include <string.h>
static unsigned long delivered, configured;
static void deliver(hdb_handle_t h, unsigned int n, const void *m, size_t l) {
  (void)h, (void)n;
  if (l == 4 && memcmp(m, "lore", 4) == 0) ++delivered;
}
static void confchg(hdb_handle_t h, const unsigned int *m, size_t mc, const unsigned int *l, size_t lc,
                    const unsigned int *j, size_t jc, const struct evs_ring_id *r) {
  (void)h, (void)m, (void)l, (void)lc, (void)j, (void)r;
  if (mc == 1 && jc == 1) ++configured;
}
#define MUST(call) do { cs_error_t e = (call); if (e != CS_OK) { printf("%s: %d\\n", #call, (int)e); return 1; } } while (0)
int main(void) {
  evs_callbacks_t callbacks = {deliver, confchg};
  struct evs_group group = {"old"};
  struct iovec iov[2] = {{"lo", 2}, {"re", 2}};
  unsigned int nodeid = 0, members[32];
  size_t count = 32;
  void *context = NULL;
  evs_handle_t h;
  int fd = -1;
  MUST(evs_initialize(&h, &callbacks));
  MUST(evs_context_set(h, &group));
  MUST(evs_context_get(h, &context));
  MUST(evs_fd_get(h, &fd));
  MUST(evs_join(h, &group, 1));
  MUST(evs_mcast_joined(h, EVS_TYPE_SAFE, iov, 2));
  MUST(evs_mcast_groups(h, EVS_TYPE_AGREED, &group, 1, iov, 2));
  while (delivered < 2) MUST(evs_dispatch(h, CS_DISPATCH_ONE));
  MUST(evs_membership_get(h, &nodeid, members, &count));
  MUST(evs_leave(h, &group, 1));
  MUST(evs_finalize(h));
  if (context != &group || fd < 0 || nodeid == 0 || count != 1 || configured != 1) return 1;
  printf("as ever\\n");
  return 0;
}
"""


def main(include, library, compiler):
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        (base / "old.c").write_text("".join(f"int evs_{name}(void) {{ return 99; }}\n" for name in VERSIONED + BARE))
        (base / "old.map").write_text("COROSYNC_EVS_2.0 { global: " + " ".join(f"evs_{n};" for n in VERSIONED) + " };\n")
        (base / "program.c").write_text(PROGRAM)
        subprocess.run([compiler, "-shared", "-fPIC", "-Wl,-soname,libevs.so.4", f"-Wl,--version-script={base}/old.map",
                        "-o", base / "libevs.so.4", base / "old.c"], check=True)
        subprocess.run([compiler, "-Wall", "-Werror", f"-I{include}", "-o", base / "program", base / "program.c",
                        base / "libevs.so.4"], check=True)
        wanted = subprocess.run(["nm", "-D", "--with-symbol-versions", base / "program"], check=True, text=True,
                                capture_output=True).stdout
        if "evs_join@COROSYNC_EVS_2.0" not in wanted or "evs_context_get\n" not in wanted:
            return f"the old program does not want what old programs want:\n{wanted}"
        os.mkdir(base / "bus", 0o700)

        def run(where):
            environment = dict(os.environ, LD_LIBRARY_PATH=str(where), LD_BIND_NOW="1", EVS_LOCAL_DIRECTORY=f"{base}/bus")
            return subprocess.run([base / "program"], env=environment, text=True, capture_output=True, timeout=60)

        old = run(base)
        if old.returncode == 0:
            return "the library without code passes: this test sees nothing"
        ours = run(pathlib.Path(library).parent)
        if ours.returncode or ours.stdout != "as ever\n" or ours.stderr:
            return f"with {library}: exit {ours.returncode}, '{ours.stdout}', '{ours.stderr}'"
    return None


if __name__ == "__main__":
    fault = main(*sys.argv[1:])
    print(fault or "the old program runs on the new library")
    sys.exit(1 if fault else 0)
