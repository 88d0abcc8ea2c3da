# SPDX-License-Identifier: BSD-3-Clause
"""A bus over a few hosts, which are network namespaces (tools/demo.d/wire.py), each with an exporter; and what can go wrong with it.

The test moves into the namespace of the wire's switch, where Prometheus and the exporters run as well: what happens to a host's link does not hide
the host from who watches. An exporter reads files and needs no network of its host.
"""
import ctypes
import os
import signal
import subprocess
import threading

import wire
from evs_bus import EVS, PATIENCE_S
from exporter import Exporter

BUS = "fleet"


def loss_at(ports, percent):
    """Of the datagrams that come in by these ports of the switch so many are lost. By the library of nftables, as tests/support/netns.cc does."""
    library = ctypes.CDLL("libnftables.so.1")
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.nft_ctx_free.argtypes = [ctypes.c_void_p]
    rules = "table netdev loss\ndelete table netdev loss\n"
    if percent:
        chains = (f'chain {port} {{ type filter hook ingress device "{port}" priority 0; policy accept; meta l4proto udp numgen random mod 100 < {percent} drop; }}\n'
                  for port in ports)
        rules += "table netdev loss {\n" + "".join(chains) + "}\n"
    context = library.nft_ctx_new(0)
    try:
        if library.nft_run_cmd_from_buffer(context, rules.encode()) != 0:
            raise AssertionError(f"nftables refused: {rules}")
    finally:
        library.nft_ctx_free(context)


def refused():
    """Why there can be no fleet here; None when there can."""
    try:
        wire.Wire(1).close()
        ctypes.CDLL("libnftables.so.1")
    except wire.Refused as refusal:
        return str(refusal)
    except OSError:
        return "there is no libnftables.so.1: install libnftables1"
    return None


class Talker:
    """`evs cat --send-only`, fed by a thread, a line each `pause` seconds; the thread waits where the bus has no room."""

    def __init__(self, process, text, pause):
        self.process, self.text, self.pause, self.ended = process, text.encode() + b"\n", pause, threading.Event()
        self.thread = threading.Thread(target=self.talk, daemon=True)
        self.thread.start()

    def talk(self):
        try:
            while not self.ended.wait(self.pause):
                self.process.stdin.write(self.text)
                self.process.stdin.flush()
        except OSError:
            pass  # it was killed, as the test wanted

    def end(self):
        """Before anything else closes its stdin. What waits for room ends with its process."""
        self.ended.set()
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.thread.join()


class Host:
    def __init__(self, fleet, number, settings):
        self.fleet, self.number, self.processes, self.talkers = fleet, number, [], []
        self.directory = os.path.join(fleet.place, f"host-{number}")
        self.environment = {**fleet.environment, "EVS_LOCAL_DIRECTORY": self.directory, "EVS_UPLINK_HOST_ID": str(number),
                            "EVS_UPLINK_STATE_DIRECTORY": os.path.join(fleet.place, f"state-{number}"), **settings}
        for directory in self.environment["EVS_LOCAL_DIRECTORY"], self.environment["EVS_UPLINK_STATE_DIRECTORY"]:
            os.makedirs(directory, mode=0o700, exist_ok=True)

    def start(self, *arguments, **how):
        process = subprocess.Popen(self.fleet.wire.command(self.number - 1, [EVS, *arguments]), env=self.environment, stdout=subprocess.DEVNULL,
                                   stderr=self.fleet.log, **{"stdin": subprocess.DEVNULL, **how})
        self.processes.append(process)
        return process

    def gateway(self):
        return self.start("gateway")

    def listen(self, *arguments):
        return self.start("cat", "--listen", *arguments)

    def talk(self, text, pause, *arguments):
        talker = Talker(self.start("cat", "--send-only", *arguments, stdin=subprocess.PIPE), text, pause)
        self.talkers.append(talker)
        return talker

    def end(self):
        """All of its processes are killed."""
        for talker in self.talkers:
            talker.end()
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
            if process.stdin is not None:
                try:
                    process.stdin.close()
                except BrokenPipeError:
                    pass
        self.processes, self.talkers = [], []


class Fleet:
    def __init__(self, place, environment, hosts, spare, settings):
        """`spare`: ports of the wire for hosts that the test adds."""
        self.place, self.hosts, self.exporters = place, [], []
        self.wire = wire.Wire(hosts + spare)
        if ctypes.CDLL(None).setns(self.wire.switch, wire.CLONE_NEWNET) != 0:
            raise AssertionError("this process cannot enter the namespace of the switch")
        for arguments in ("link set lo up", "addr add 10.86.0.100/24 dev br0"):
            subprocess.run(["ip", *arguments.split()], check=True)
        self.log = open(os.path.join(place, "log"), "wb")
        self.environment = {**environment, "EVS_BUS_NAME": BUS, "EVS_LOG_LEVEL": "info", "EVS_UPLINK_TRANSPORT": "udp", "EVS_PLUGIN_UDP_INTERFACE": "eth0",
                            "EVS_UPLINK_KEY_FILE": self.key("key"), **settings}
        self.hosts = [Host(self, number + 1, {}) for number in range(hosts)]

    def key(self, name):
        path = os.path.join(self.place, name)
        subprocess.run([EVS, "keygen", path], check=True, stdout=subprocess.DEVNULL)
        return path

    def export(self, host):
        """An exporter for the host, at an address of its own: its address and port."""
        self.exporters.append(Exporter(["--listen", f"127.0.0.{host.number}:0", "--directory", host.directory, "--bus", BUS], self.environment, {}))
        return self.exporters[-1].url.split("/")[2]

    def words(self):
        self.log.flush()
        with open(self.log.name, errors="replace") as file:
            return file.read()

    def close(self):
        for host in self.hosts:
            host.end()
        for exporter in self.exporters:
            exporter.close()
        self.wire.close()
        self.log.close()
