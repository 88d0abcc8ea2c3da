# SPDX-License-Identifier: BSD-3-Clause
"""Real hosts on a bridge, and every packet that enters the bridge in a capture.

The caller is in a network namespace of its own (`unshare -n`), which holds the bridge; each host has another, whose only name is the host's process,
so the kernel takes all of them away with the last process inside.
"""
import os
import select
import socket
import struct
import subprocess
import threading
import time

import shark

ETH_P_ALL, PACKET_OUTGOING, SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 3, 4, 263, 6, 33
PATIENCE_S = 60


def ip(arguments, inside=None):
    enter = ["nsenter", "-t", str(inside), "-n"] if inside else []
    subprocess.run([*enter, "ip", *arguments.split()], check=True, capture_output=True, timeout=PATIENCE_S)


class Host:
    """evs-test-host, which begins when its network is there."""

    def __init__(self, number, directory, key):
        self.number = number
        command = [os.environ["EVS_TEST_HOST"], os.environ["EVS_UDP_PLUGIN"], directory, str(number), "1", key, "interface=eth0"]
        # The shell has the namespace before it reads the word, and becomes the host behind it: one process id.
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", 'echo here && read -r go && exec "$@"', "host", *command],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.unread = b""
        assert self.line() == "here"
        pid = self.process.pid
        ip(f"link add port{number} type veth peer name eth0 netns {pid}")
        ip(f"link set port{number} master br0 up")
        for arguments in ("link set lo up", f"addr add 10.86.0.{number}/24 dev eth0", "link set eth0 up"):
            ip(arguments, inside=pid)
        self.say("go")

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def line(self):
        until = time.monotonic() + PATIENCE_S
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not more:
                raise AssertionError(f"host {self.number} says nothing, or is dead: {self.process.poll()}")
            self.unread += more
        line, _, self.unread = self.unread.partition(b"\n")
        return line.decode()

    def status(self):
        self.say("status")
        phase, *words = self.line().split()
        return {"phase": phase, **dict(word.split("=", 1) for word in words)}

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it was dead before it was told everything


class Tap(threading.Thread):
    """What enters the bridge, once each: not what it sends on to its other ports."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.end, self.ended = os.pipe()
        self.records = []
        self.start()

    def run(self):
        while True:
            ready, _, _ = select.select([self.socket, self.end], [], [])
            if self.socket in ready:
                frame, (interface, protocol, kind, _, _) = self.socket.recvfrom(1 << 17)
                # A port that is gone with its host has no name by the time that its last packets are read.
                if interface not in ("br0", "lo") and kind != PACKET_OUTGOING and protocol == 0x0800:
                    self.records.append(shark.record(frame, at=time.time()))
            elif self.end in ready:
                return

    def stop(self):
        """All that was captured; none was lost on the way."""
        os.write(self.ended, b"x")
        self.join()
        _, lost = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.socket.close()
        os.close(self.end)
        os.close(self.ended)
        assert lost == 0, f"the tap lost {lost} packets"
        return self.records


def bridge():
    ip("link add br0 type bridge mcast_snooping 0 forward_delay 0")
    ip("link set br0 up")


def unbridge():
    ip("link del br0")


def until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"never {what}")
        time.sleep(0.005)  # a host is asked, and answers; there is nothing to wait on
