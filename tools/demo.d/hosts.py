# SPDX-License-Identifier: BSD-3-Clause
"""Runs the demonstration between hosts: one bus over several of them, a gateway killed, a link cut and healed.

  hosts.py --bin DIR --out DIR --hosts N [--seconds S] [--rate LINES]

Each host is a network namespace (wire.py) with two processes, `evs cat --json`, which stream the lines of texts that Debian ships. One process of each
host is its gateway; that of the second host is killed with SIGKILL, and the other process takes over. Then the last host is cut off: both sides go on, each
with those it can reach, until the link is healed. What everybody printed is judged by one_order.py and by `evs verify`.
"""
import argparse
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import members
import one_order
import wire

TEXTS = pathlib.Path("/usr/share/common-licenses")
NAMES = "ann bob cid dee eve fay gus hal ida jim kay lee mia ned oda pam".split()
FILES = "GPL-3 Apache-2.0 MPL-2.0 GPL-2 LGPL-2.1 Artistic".split()
SKIPPED = 77
GROUP = "demo"


class Failed(Exception):
    pass


class Cat(members.Member):
    """`evs cat --json` on one of the hosts: lines in at a rate, events out, kept as they came."""

    def __init__(self, name, host, text, folder):
        super().__init__(name, "start", text, folder)
        self.host, self.events, self.nodeid, self.killed = host, [], 0, False
        self.configuration, self.together = "", set()  # the regular one in force; "" while there is a transitional one
        self.ends, self.gateway_since = {}, 0.0
        self.rate, self.sending, self.to_say = 0, threading.Event(), queue.SimpleQueue()

    def start(self, command, environment, rate):
        self.rate = rate
        self.spawn(command, environment)
        threading.Thread(target=self.feed, daemon=True).start()

    def feed(self):
        """Its lines at the rate asked for, in small portions, while `sending` is set. When the bus has no room it waits here, and the referee does not."""
        sent, due, before = 0, 0.0, time.monotonic()
        try:
            while self.process.poll() is None:
                time.sleep(0.005)
                now = time.monotonic()
                due, before = due + (now - before) * self.rate * self.sending.is_set(), now
                burst = range(sent, min(int(due), sent + 256))
                lines = [f"{self.name} {n} " + self.lines[n % len(self.lines)].decode() for n in burst]
                sent = max(sent, burst.stop)
                while not self.to_say.empty():
                    lines.append(f"{self.name} {self.to_say.get()}")
                if lines:
                    self.say("".join(line + "\n" for line in lines).encode())
        except OSError:
            pass  # it ended; the referee sees that for itself

    def read_reports(self):
        for line in self.process.stdout:
            if not line.endswith(b"\n"):
                return  # it was killed within it
            event = json.loads(line)
            if one_order.is_message(event):
                self.count += 1
                name, _, rest = event["text"].partition(" ")
                if rest.startswith("end "):
                    self.ends.setdefault(rest, {})[name] = one_order.identity(event["configuration"])
            elif one_order.is_regular(event):
                self.configuration, self.together = one_order.identity(event["configuration"]), {m["nodeid"] for m in event["members"]}
            elif event["type"] == "configuration":
                self.configuration = ""
            elif event["type"] == "group" and event["pid"] == self.process.pid:
                self.nodeid = event["nodeid"]
            self.events.append(event)

    def is_gateway(self):
        if not self.gateway_since and b"this process is the gateway" in self.errors_path.read_bytes():
            self.gateway_since = time.monotonic()
        return bool(self.gateway_since)


class Referee:
    def __init__(self, options):
        self.options, self.folder = options, pathlib.Path(options.out)
        self.evs = pathlib.Path(options.bin).resolve() / "evs"
        self.net, self.bus, self.living, self.all, self.started = None, None, [], [], time.monotonic()

    def prepare(self):
        self.net = wire.Wire(self.options.hosts)
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "traces").mkdir(parents=True)
        # The shared memory of each host, and their key: a directory of ours, so that a demonstration meets nobody else's processes.
        self.bus = tempfile.mkdtemp(prefix="evs-demo-", dir="/dev/shm")
        subprocess.run([self.evs, "keygen", f"{self.bus}/key"], check=True, stdout=subprocess.DEVNULL)
        for host in range(self.options.hosts):
            os.mkdir(f"{self.bus}/{host + 1}", 0o700)

    def environment(self, host):
        """What stands in /etc/evs/evs.toml of a real host; a machine that is one host needs no host_id."""
        plugins = str(self.evs.parent.parent / "lib/evs/plugins")
        return {"EVS_PLUGIN_PATH": plugins, **os.environ, "EVS_LOCAL_DIRECTORY": f"{self.bus}/{host + 1}", "EVS_BUS_NAME": "demo", "EVS_LOG_LEVEL": "info",
                "EVS_UPLINK_TRANSPORT": "udp", "EVS_UPLINK_HOST_ID": str(host + 1), "EVS_UPLINK_KEY_FILE": f"{self.bus}/key",
                "EVS_PLUGIN_UDP_INTERFACE": "eth0"}

    def wait_for(self, what, condition, seconds=60.0):
        deadline = time.monotonic() + seconds
        while not condition():
            for member in self.living:
                if member.died():
                    raise Failed(member.died())
            if time.monotonic() > deadline:
                raise Failed(f"waited {seconds:.0f} s in vain: {what}")
            time.sleep(0.002)

    def stream_for(self, seconds):
        until = time.monotonic() + seconds
        self.wait_for("the stream", lambda: time.monotonic() >= until, seconds + 60)

    def tell(self, text):
        print(f"  {time.monotonic() - self.started:5.1f} s  {text}", flush=True)

    def start(self, host):
        name = NAMES[len(self.all)]
        member = Cat(name, host, TEXTS / FILES[len(self.all) % len(FILES)], self.folder)
        command = [str(self.evs), "cat", "--json", "--group", GROUP]
        member.start(self.net.command(host, command), self.environment(host), self.options.rate)
        self.all.append(member)
        self.living.append(member)
        self.wait_for(f"{name} joins", lambda: member.nodeid)

    @staticmethod
    def are_one(some):
        """The configuration in which these are, and nobody else; "" when there is none."""
        nodeids, found = {m.nodeid for m in some}, {m.configuration for m in some}
        return found.pop() if len(found) == 1 and all(m.together == nodeids for m in some) else ""

    def wait_until_one(self):
        found = []
        self.wait_for("all are in one configuration", lambda: found.append(self.are_one(self.living)) or found[-1])
        return found[-1]

    def gateway_of(self, host):
        return next((m for m in self.living if m.host == host and m.is_gateway()), None)

    def begin(self):
        for host in range(self.options.hosts):
            for _ in range(2):
                self.start(host)
        self.begun_in = self.wait_until_one()
        self.wait_for("each host has a gateway", lambda: all(self.gateway_of(h) for h in range(self.options.hosts)))
        for host in range(self.options.hosts):
            there = "  ".join(f"{m.name} (pid {m.process.pid}, nodeid {m.nodeid}{', gateway' if m.is_gateway() else ''})" for m in self.all if m.host == host)
            self.tell(f"host {host + 1}, 10.86.0.{host + 1}: {there}")
        self.tell(f"all {len(self.all)} are in one configuration, {self.begun_in}; each begins to stream {self.options.rate} lines/s to all")
        for member in self.all:
            member.sending.set()
        self.stream_for(self.options.seconds * 0.3)

    def kill_a_gateway(self):
        victim = self.gateway_of(1)
        heir = next(m for m in self.living if m.host == 1 and m is not victim)
        self.living.remove(victim)
        at = time.monotonic()
        victim.process.send_signal(signal.SIGKILL)
        victim.killed = True
        self.tell(f"{victim.name}, the gateway of host 2, is killed (SIGKILL)")
        self.wait_for("another process of host 2 is gateway", heir.is_gateway)
        took_over = heir.gateway_since - at
        now_in = self.wait_until_one()
        self.tell(f"{heir.name} is the gateway of host 2 after {took_over * 1e3:.0f} ms; after {(time.monotonic() - at) * 1e3:.0f} ms all {len(self.living)} are in one "
                  f"configuration, {now_in}")
        victim.finish(10)
        self.stream_for(self.options.seconds * 0.2)

    def cut_and_heal(self):
        last = self.options.hosts - 1
        apart = [m for m in self.living if m.host == last]
        others = [m for m in self.living if m.host != last]
        self.net.unplug(last, True)
        at = time.monotonic()
        self.tell(f"host {last + 1} is unplugged")
        self.wait_for("each side is in a configuration of its own", lambda: self.are_one(apart) and self.are_one(others))
        self.tell(f"after {(time.monotonic() - at) * 1e3:.0f} ms there are two: {apart[0].configuration} of {', '.join(m.name for m in apart)}; "
                  f"{others[0].configuration} of {', '.join(m.name for m in others)}; both go on")
        self.stream_for(self.options.seconds * 0.2)
        self.net.unplug(last, False)
        at = time.monotonic()
        self.tell(f"host {last + 1} is plugged in again")
        now_in = self.wait_until_one()
        self.tell(f"after {(time.monotonic() - at) * 1e3:.0f} ms all {len(self.living)} are in one configuration, {now_in}")
        self.stream_for(self.options.seconds * 0.3)

    def end(self):
        """Everybody says its end, and everybody must hear all of them in one configuration. On a machine that stood still meanwhile hosts can have parted once more: then they
        meet and say it again."""
        for member in self.living:
            member.sending.clear()
        for attempt in range(1, 6):
            self.wait_until_one()
            sign = f"end {attempt}"
            for member in self.living:
                member.to_say.put(sign)
            heard = [m.ends.setdefault(sign, {}) for m in self.living]
            until = time.monotonic() + 10
            self.wait_for("the ends", lambda: all(len(h) == len(self.living) for h in heard) or time.monotonic() > until)
            where = {one for h in heard for one in h.values()}
            if all(len(h) == len(self.living) for h in heard) and len(where) == 1:
                self.ended_in, self.end_texts = where.pop(), [f"{m.name} {sign}" for m in self.living]
                return
        raise Failed("the hosts do not stay together for long enough to end the stream")

    def leave(self):
        for member in list(self.living):
            self.living.remove(member)  # from here on its end is no news
            member.process.terminate()
            if (status := member.finish(20)) != 0:
                raise Failed(f"{member.name}: exit {status}: {member.errors_path.read_text(errors='replace')[-500:]}")

    def judge(self):
        records = {m.name: one_order.through_text(one_order.from_configuration(m.events, self.begun_in), self.end_texts) for m in self.all}
        complaints = one_order.judge(records, {m.name: [line.decode() for line in m.lines] for m in self.all},
                                     [m.name for m in self.all if not m.killed], self.ended_in)
        print("process  host  messages  configurations  digest of the last configuration")
        for member in self.all:
            events, died = records[member.name], member.killed
            last = one_order.texts_in(events, self.ended_in)
            print(f"{member.name:<8} {member.host + 1:>4}  {sum(map(one_order.is_message, events)):>8,}  {sum(map(one_order.is_regular, events)):>14}  "
                  + ("killed" if died else f"{one_order.digest(last)} of {len(last):,} messages"))
            path = self.folder / "traces" / f"{member.name}.trace"
            path.write_text(one_order.trace(events, member.nodeid, member.process.pid, died))
        verdict = subprocess.run([self.evs, "verify", "--quiescent", self.folder / "traces"], capture_output=True, text=True)
        said = (verdict.stdout + verdict.stderr).strip()
        print("evs verify: " + said.splitlines()[-1])
        if verdict.returncode != 0:
            complaints.append("it was no extended virtual synchrony:\n" + said)
        return complaints

    def close(self):
        for member in self.all:
            member.close()
        if self.net is not None:
            self.net.close()
        if self.bus is not None:
            shutil.rmtree(self.bus, ignore_errors=True)

    def play(self):
        self.prepare()
        self.begin()
        self.kill_a_gateway()
        self.cut_and_heal()
        self.end()
        self.leave()


def interrupted(number, _frame):
    sys.exit(128 + number)  # by way of close()


def host_count(text):
    if not re.fullmatch("[2-8]", text):
        raise argparse.ArgumentTypeError("from 2 to 8")
    return int(text)


def rate(text):
    if not re.fullmatch("[1-9][0-9]{0,4}", text):
        raise argparse.ArgumentTypeError("lines a second of each sender, from 1 to 99999")
    return int(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--hosts", type=host_count, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=rate, default=500)
    referee = Referee(parser.parse_args())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        referee.play()
        complaints = referee.judge()
    except wire.Refused as refusal:
        print(f"SKIPPED: {refusal}")
        sys.exit(SKIPPED)
    except Failed as failure:
        complaints = [str(failure)]
    finally:
        referee.close()
    for complaint in complaints:
        print(f"FAILED: {complaint}")
    if not complaints:
        print("all of it holds: one order on all hosts, nothing twice, and who went the same way saw the same")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
