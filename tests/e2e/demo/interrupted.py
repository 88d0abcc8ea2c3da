# SPDX-License-Identifier: BSD-3-Clause
"""The demonstration between hosts leaves nothing behind when it is interrupted in the midst: no process, no shared memory, no namespace.

  interrupted.py COMMAND...      the demonstration's command line, for longer than this takes
"""
import os
import pathlib
import signal
import subprocess
import sys
import time

SKIPPED = 77


def processes_with(text):
    """Those whose environment has it: the members, wherever they are in the process table."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and text.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass  # it ended
    return found


def namespaces():
    """Network namespaces that a process is in: one that nobody is in is gone with its last descriptor."""
    found = set()
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                found.add(os.readlink(entry / "ns/net"))
        except OSError:
            pass
    return found


def interrupt(command, number):
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    members, where = [], set()
    for line in demo.stdout:
        if line.startswith("SKIPPED"):
            print(line)
            sys.exit(SKIPPED)
        if "begins to stream" in line:
            break
    for child in pathlib.Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split():
        environment = pathlib.Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        members.append(int(child))
        where |= {os.readlink(f"/proc/{child}/ns/net")}
        directory = next(e for e in environment if e.startswith(b"EVS_LOCAL_DIRECTORY=")).split(b"=")[1].decode()
    bus = str(pathlib.Path(directory).parent)
    complaints = [] if len(members) == 4 and len(where) == 2 and os.path.exists(bus) else [f"{len(members)} members in {len(where)} namespaces, {bus}"]
    demo.send_signal(number)
    demo.stdout.read()
    if demo.wait(30) not in (128 + number, -number):
        complaints.append(f"signal {number}: exit status {demo.returncode}")
    deadline = time.monotonic() + 10
    while (processes_with(bus) or where & namespaces()) and time.monotonic() < deadline:
        time.sleep(0.01)
    complaints += [f"signal {number}: process {pid} still runs" for pid in processes_with(bus)]
    complaints += [f"signal {number}: {left} is left" for left in where & namespaces()]
    # Killed outright it cannot remove its directory; whatever else it had the kernel takes.
    if number == signal.SIGKILL:
        subprocess.run(["rm", "-rf", bus], check=True)
    elif os.path.exists(bus):
        complaints.append(f"signal {number}: {bus} is left")
    return complaints


if __name__ == "__main__":
    complaints = [c for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL) for c in interrupt(sys.argv[1:], number)]
    print("\n".join(complaints) or "interrupted, terminated and killed: nothing is left")
    sys.exit(1 if complaints else 0)
