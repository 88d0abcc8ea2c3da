# SPDX-License-Identifier: BSD-3-Clause
"""Runs the demonstration: starts the processes, kills one, lets one come late, and judges what they wrote down.

  referee.py --bin DIR --out DIR [--seconds S] [--rate LINES]

Four real processes join two groups of one bus and stream the lines of texts that Debian ships to each other. In
mid-stream one is killed with SIGKILL, and later a fifth joins. Each writes down what is delivered to it; verdict.py
compares. The bus is one of its own, in a directory of its own, so that a demonstration meets nobody else's processes.
"""
import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import members
import verdict

TEXTS = pathlib.Path("/usr/share/common-licenses")


class Failed(Exception):
    pass


class Referee:
    def __init__(self, options):
        self.seconds, self.rate = options.seconds, options.rate
        self.folder = pathlib.Path(options.out)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.bus = tempfile.mkdtemp(prefix="evs-demo-", dir="/dev/shm")
        self.environment = dict(os.environ, EVS_LOCAL_DIRECTORY=self.bus, EVS_BUS_NAME="demo")
        self.environment.setdefault("EVS_PLUGIN_PATH", str(pathlib.Path(options.bin).parent / "lib/evs/plugins"))
        binaries = pathlib.Path(options.bin)
        c, cc, evs = (binaries / name for name in ("demo_member_c", "demo_member_cc", "evs"))
        self.ann = members.Program("ann", "start", TEXTS / "GPL-3", self.folder, c, self.rate)
        self.bob = members.Program("bob", "start", TEXTS / "Apache-2.0", self.folder, cc, self.rate)
        self.kit = members.Cat("kit", "start", TEXTS / "MPL-2.0", self.folder, evs, self.rate)
        self.eve = members.Program("eve", "killed", TEXTS / "GPL-2", self.folder, c, self.rate)
        self.lee = members.Program("lee", "late", TEXTS / "LGPL-2.1", self.folder, cc, self.rate)
        self.all = [self.ann, self.bob, self.kit, self.eve, self.lee]
        self.running = []
        self.shown = 0.0
        self.started = time.monotonic()

    # Waiting: for a condition, showing progress, and never for longer than a minute.

    def wait_for(self, what, condition, seconds=60.0):
        deadline = time.monotonic() + seconds
        while not condition():
            for member in self.running:
                if member.died():
                    raise Failed(member.died())
            if time.monotonic() > deadline:
                raise Failed(f"waited {seconds:.0f} s in vain: {what}")
            self.show()
            time.sleep(0.002)

    def stream_for(self, seconds):
        until = time.monotonic() + seconds
        self.wait_for("the stream", lambda: time.monotonic() >= until, seconds + 60)

    def show(self, final=False):
        terminal = sys.stdout.isatty()
        now = time.monotonic()
        if not final and now - self.shown < (0.2 if terminal else 1.0):
            return
        self.shown = now
        line = f"  {now - self.started:5.1f} s  delivered: " + "  ".join(
            f"{m.name} {m.count:>7,}" + (" †" if m is self.eve and m not in self.running and m.process else "")
            for m in self.all if m.process)
        print("\r" + line if terminal else line, end="" if terminal else "\n", flush=True)

    def tell(self, text):
        if sys.stdout.isatty() and self.shown:
            print()
        print(text, flush=True)

    def start(self, member):
        member.start(self.environment)
        self.running.append(member)
        self.wait_for(f"{member.name} joins", lambda: member.nodeid)
        self.tell(f"{member.name}: {member.what}, pid {member.process.pid}, nodeid {member.nodeid.decode()}, streams {member.text.name}")

    def play(self):
        for member in (self.ann, self.bob, self.kit, self.eve):
            self.start(member)
        self.ann.command("mark")
        self.wait_for("the mark reaches all", lambda: all(m.marked for m in self.running))
        self.streaming = time.monotonic()
        for member in self.running:
            member.command("start")
        self.stream_for(self.seconds * 0.35)

        before = {m: len(m.configurations) for m in (self.ann, self.bob)}
        self.running.remove(self.eve)
        killed_at = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        self.eve.process.send_signal(signal.SIGKILL)
        self.tell(f"eve (pid {self.eve.process.pid}) is killed in mid-stream")
        self.wait_for("the survivors' configuration change", lambda: all(
            any(n == 3 for _, n in m.configurations[before[m]:]) for m in before))
        self.noticed = {m.name: next(at for at, n in m.configurations[before[m]:] if n == 3) - killed_at for m in before}
        self.eve.finish(10)
        self.tell("the others have a configuration without eve: " + ", ".join(
            f"{name} after {ns / 1e6:.2f} ms" for name, ns in self.noticed.items()))
        self.stream_for(self.seconds * 0.2)

        self.start(self.lee)
        self.lee.command("start")
        self.stream_for(self.seconds * 0.45)
        for member in self.running:
            member.command("stop")
        names = {m.name for m in self.running}
        self.wait_for("every end reaches all", lambda: all(m.ends >= names for m in self.running))
        self.streamed = time.monotonic() - self.streaming
        for member in list(self.running):
            self.running.remove(member)  # from here on its end is no news
            member.command("quit")
            status = member.finish(20)
            if status != 0:
                raise Failed(f"{member.name}: exit {status}: {member.errors_path.read_text(errors='replace')[-500:]}")
        self.show(final=True)
        self.tell("")

    def judge(self):
        records = [verdict.Record(m.name, m.role, m.record(), sent=m.sent) for m in self.all]
        texts = {m.name: m.lines for m in self.all}
        complaints, rows, stretch = verdict.judge(records, texts, self.eve.nodeid)
        print("process   program  role      messages  digest of the common stretch  digest from the start")
        for member, row in zip(self.all, rows):
            whole = row.whole or ("prefix of ann's" if row.role == "killed" else "-")
            print(f"{row.name:<9} {member.what:<8} {row.role:<8} {row.messages:>9,}  {row.stretch or '-':<28}  {whole}")
        messages = rows[0].messages if rows else 0
        print(f"common stretch: {stretch:,} messages that all survivors delivered, in one order")
        print("kill to configuration change: " + ", ".join(f"{n} {ns / 1e6:.2f} ms" for n, ns in self.noticed.items()))
        pace = "as fast as the bus takes them" if self.rate == 0 else f"{self.rate:,} lines/s a sender asked for"
        print(f"rate: {messages / self.streamed:,.0f} messages/s through one order ({pace}), each delivered to every member")
        return complaints

    def close(self):
        for member in self.all:
            member.close()
        shutil.rmtree(self.bus, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=int, default=10000, help="lines a second of each sender; 0: no limit")
    referee = Referee(parser.parse_args())
    try:
        referee.play()
        complaints = referee.judge()
    except Failed as failure:
        complaints = [str(failure)]
    finally:
        referee.close()
    for complaint in complaints:
        print(f"FAILED: {complaint}")
    if not complaints:
        print("all of it holds: one order, nothing lost or repeated, the dead one's record a prefix")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
