# SPDX-License-Identifier: BSD-3-Clause
"""A few hosts on one wire, inside this machine: network namespaces behind a bridge, which has a namespace of its own.

None of them has a name. They live as descriptors of this process and as what the processes inside them are in: when the last of
those has ended, however it ended, the kernel takes namespaces and interfaces away, and nothing is left to clear up.
"""
import ctypes
import os
import shutil
import subprocess
import threading

CLONE_NEWNET = 0x40000000


class Refused(Exception):
    """No namespaces here: the sentence says why, and what would help."""


def fresh_namespace():
    """Made in a thread that ends with it: this process stays where it is."""
    made = []

    def make():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) == 0:
            made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        else:
            made.append(OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise Refused(f"the kernel makes no network namespace here: {made[0].strerror} (in a container: run it with CAP_SYS_ADMIN and CAP_NET_ADMIN)")
    return made[0]


class Wire:
    def __init__(self, hosts):
        if os.geteuid() != 0:
            raise Refused("network namespaces take root: run it as root or with sudo")
        for tool in ("ip", "nsenter", "setpriv"):
            if shutil.which(tool) is None:
                raise Refused(f"there is no `{tool}`: install {'iproute2' if tool == 'ip' else 'util-linux'}")
        self.namespaces, self.switch = [], fresh_namespace()
        try:
            # No snooping: a bridge that waits for reports of membership swallows the first seconds of multicast.
            self.ip(self.switch, "link add br0 type bridge mcast_snooping 0 forward_delay 0")
            self.ip(self.switch, "link set br0 up")
            for host in range(hosts):
                self.add_host(host)
        except Exception:
            self.close()
            raise

    def add_host(self, host):
        namespace = fresh_namespace()
        self.namespaces.append(namespace)
        self.ip(self.switch, f"link add port{host} type veth peer name eth0 netns {self.path(namespace)}")
        self.ip(self.switch, f"link set port{host} master br0 up")
        self.ip(namespace, "link set lo up")
        self.ip(namespace, "link set eth0 up")
        self.ip(namespace, f"addr add 10.86.0.{host + 1}/24 dev eth0")

    @staticmethod
    def path(namespace):
        return f"/proc/{os.getpid()}/fd/{namespace}"

    def ip(self, namespace, arguments):
        result = subprocess.run(["nsenter", f"--net={self.path(namespace)}", "ip", *arguments.split()], capture_output=True, text=True)
        if result.returncode != 0:
            raise Refused(f"`ip {arguments}` in a namespace: {result.stderr.strip()}")

    def command(self, host, command):
        """The command line that runs `command` as a process of the host, which dies with this process."""
        return ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net={self.path(self.namespaces[host])}", *command]

    def unplug(self, host, unplugged):
        self.ip(self.switch, f"link set port{host} {'down' if unplugged else 'up'}")

    def close(self):
        for namespace in [*self.namespaces, self.switch]:
            os.close(namespace)
