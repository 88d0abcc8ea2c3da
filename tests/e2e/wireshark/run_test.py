# SPDX-License-Identifier: BSD-3-Clause
"""The dissector on what real hosts say: they form a ring, talk, and one leaves; every packet is captured, and none may look malformed.

What was dissected is held to what must have been said: each ring's places without a gap, each message of each host, once.
  EVS_DISSECTOR=... EVS_TEST_HOST=... EVS_UDP_PLUGIN=... run_test.py
"""
import base64
import collections
import os
import shutil
import subprocess
import sys
import unittest

import shark
import wire

HOSTS, MESSAGES = 3, 300
ENTERED = "EVS_WIRESHARK_IN_NAMESPACE"


class Run(shark.Captured):
    def run_hosts(self, key):
        wire.bridge()
        self.addCleanup(wire.unbridge)
        tap = wire.Tap()
        hosts = []
        try:
            for number in range(1, HOSTS + 1):
                hosts.append(wire.Host(number, self.directory, key))
            wire.until(lambda: self.one_ring(hosts), "one ring of all")
            for host in hosts:
                host.say(f"say {MESSAGES}")
            wire.until(lambda: all(h.status()["delivered"] == str(HOSTS * MESSAGES) for h in hosts), "everything delivered")
            hosts[-1].say("leave")
            wire.until(lambda: self.one_ring(hosts[:-1]), "one ring of those who stay")
        finally:
            for host in hosts:
                host.close()
        return self.write(tap.stop(), shark.LINK_ETHERNET)

    @staticmethod
    def one_ring(hosts):
        all_of_them = ",".join(str(host.number) for host in hosts)
        said = [host.status() for host in hosts]
        return all(s["phase"] == "operational" and s["members"] == all_of_them for s in said) and len({s["ring"] for s in said}) == 1

    def fields(self, path, condition, *names):
        """Of each packet the values of each field: of each datagram's, when the capture holds a run of them as one."""
        arguments = [word for name in names for word in ("-e", shark.PREFIX + name)]
        lines = self.tshark(path, "-Y", condition, "-T", "fields", "-E", "aggregator=,", *arguments).splitlines()
        return [[column.split(",") if column else [] for column in line.split("\t")] for line in lines]

    def count(self, path, condition):
        return len(self.tshark(path, "-Y", condition, "-T", "fields", "-e", "frame.number").splitlines())

    def test_in_the_clear(self):
        path = self.run_hosts("none")
        self.assertEqual(self.tshark(path, "-Y", "evsbus.malformed || evsbus.bare || evsbus.cut || _ws.malformed"), "")
        self.assertEqual(self.count(path, "udp.port == 5410"), self.count(path, "evsbus"))
        types = collections.Counter(kind for packet in self.fields(path, "evsbus", "type") for kind in packet[0])
        print(self.count(path, "evsbus.offloaded"), "runs of datagrams in one; packets:", ", ".join(f"{types[str(n)]} {name}" for n, name in enumerate(("data", "token", "join", "commit", "probe", "hold_cancel"), 1)))
        for kind, least in (("1", 10), ("2", 20), ("3", HOSTS), ("4", HOSTS)):
            self.assertGreaterEqual(types[kind], least, f"type {kind}")
        self.assertGreater(self.count(path, "evsbus.join.leaving == 1 && evsbus.sender == 3"), 0)
        self.check_places(path)
        self.check_messages(path)

    def check_places(self, path):
        """In each ring the places of frames have no gap, and no token speaks of more than were seen."""
        places, high = collections.defaultdict(set), collections.defaultdict(int)
        for rings, seqs in self.fields(path, "evsbus.type == 1", "ring.sequence", "data.seq"):
            for ring, seq in zip(rings, seqs):
                places[ring].add(int(seq))
        for rings, highs in self.fields(path, "evsbus.type == 2 && !(evsbus.type == 1)", "ring.sequence", "token.high"):
            for ring, seq in zip(rings, highs):
                high[ring] = max(high[ring], int(seq))
        self.assertGreater(max(len(seqs) for seqs in places.values()), 10)
        for ring, seqs in places.items():
            self.assertEqual(seqs, set(range(1, len(seqs) + 1)), f"ring {ring}")
            self.assertLessEqual(high[ring], len(seqs), f"ring {ring}")

    def check_messages(self, path):
        """The last pieces of the frames, each frame once, are the messages."""
        frames = {}
        for senders, rings, seqs, bodies, counts, last in self.fields(path, "evsbus.type == 1", "sender", "ring.sequence", "data.seq", "data.body",
                                                                       "data.piece_count", "piece.last"):
            if len(set(map(len, (rings, seqs, bodies, counts)))) != 1:
                raise AssertionError("fields of a frame are missing")
            for i, count in enumerate(map(int, counts)):
                frames[rings[i], seqs[i]] = sum(value == "1" for value in last[:count])
                last = last[count:]
            self.assertEqual(last, [])
        self.assertEqual(sum(frames.values()), HOSTS * MESSAGES)

    def test_sealed(self):
        """Of a sealed packet the envelope is to be seen, and nothing else."""
        key = os.path.join(self.directory, "key")
        with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(f"evs-key-1 3 {base64.b64encode(bytes(range(32))).decode()}\n")
        path = self.run_hosts(key)
        self.assertEqual(self.tshark(path, "-Y", "evsbus.malformed || evsbus.type || _ws.malformed"), "")
        self.assertEqual(self.count(path, "udp.port == 5410"), self.count(path, "evsbus.envelope.form == 1 && evsbus.envelope.key == 3"))
        counters = collections.defaultdict(list)
        for hosts, numbers in self.fields(path, "evsbus", "envelope.host", "envelope.counter"):
            for host, number in zip(hosts, numbers):
                counters[host].append(int(number))
        self.assertEqual(sorted(counters), ["1", "2", "3"])
        for host, numbers in counters.items():
            self.assertEqual(sorted(set(numbers)), list(range(1, max(numbers) + 1)), f"host {host}")


def in_a_namespace():
    """Once more, where a bridge bothers nobody."""
    for need, why in ((os.geteuid() == 0, "network namespaces take root"), (shutil.which("ip"), "there is no `ip`: install iproute2"),
                      (subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0, "no network namespaces here")):
        if not need:
            shark.skip(why)
    os.environ[ENTERED] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, "-B", *sys.argv])


if __name__ == "__main__":
    shark.need_tshark()
    if ENTERED not in os.environ:
        in_a_namespace()
    unittest.main(verbosity=2)
