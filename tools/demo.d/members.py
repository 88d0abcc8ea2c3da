# SPDX-License-Identifier: BSD-3-Clause
"""The processes of the demonstration, as the referee holds them: commands in, reports out, a record on disk.

A Program is one of docs/examples/demo_member.*; a Cat is `evs cat --json`, which knows nothing of demonstrations: it gets
lines on stdin and prints what is delivered. Both look the same to the referee.
"""
import json
import pathlib
import re
import subprocess
import threading
import time

GROUPS = ("demo.even", "demo.odd")


class Member:
    def __init__(self, name, role, text, folder):
        self.name, self.role, self.text = name, role, pathlib.Path(text)
        self.lines = self.text.read_bytes().split(b"\n")
        if self.lines[-1] == b"":
            self.lines.pop()
        self.record_path = folder / f"{name}.record"
        self.errors_path = folder / f"{name}.stderr"
        self.nodeid, self.count, self.sent = b"", 0, -1
        self.configurations = []  # (monotonic ns, how many members)
        self.ends, self.marked = set(), False
        self.process = None

    def spawn(self, command, environment):
        with open(self.errors_path, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                            env=environment)
        self.reader = threading.Thread(target=self.read_reports, daemon=True)
        self.reader.start()

    def died(self):
        """What to say when the process ended though nobody asked it to; None while it runs."""
        status = self.process.poll()
        if status is None:
            return None
        return f"{self.name} ended with {status}: {self.errors_path.read_text(errors='replace').strip()[-500:]}"

    def say(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def finish(self, timeout):
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "no exit within its time"
        self.reader.join(timeout)
        return status

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Program(Member):
    language = {"c": "C", "cc": "C++"}

    def __init__(self, name, role, text, folder, binary, rate):
        super().__init__(name, role, text, folder)
        self.binary, self.rate = binary, rate
        self.what = self.language[binary.name.rsplit("_", 1)[1]]

    def start(self, environment):
        self.spawn([self.binary, self.name, self.text, self.record_path, str(self.rate)], environment)

    def command(self, word):
        self.say(word.encode() + b"\n")

    def read_reports(self):
        for report in self.process.stdout:
            words = report.split()
            if words[0] == b"ready":
                self.nodeid = words[1]
            elif words[0] == b"count":
                self.count = int(words[1])
            elif words[0] == b"config":
                self.configurations.append((int(words[1]), words.index(b"left") - 3))
            elif words[0] == b"mark":
                self.marked = True
            elif words[0] == b"end":
                self.ends.add(words[1].decode())
            elif words[0] == b"done":
                self.sent, self.count = int(words[1]), int(words[2])

    def record(self):
        lines = self.record_path.read_bytes().split(b"\n")
        return lines[:-1]  # what follows the last newline was not finished: its writer was killed


class Cat(Member):
    what = "evs cat"

    def __init__(self, name, role, text, folder, binary, rate):
        super().__init__(name, role, text, folder)
        self.binary, self.rate = binary, rate
        self.stopping = threading.Event()
        self.feeder = threading.Thread(target=self.feed, daemon=True)

    def start(self, environment):
        groups = [word for group in GROUPS for word in ("--group", group)]
        # On its own stdin it would end with it; --linger keeps it until the referee has seen all ends.
        self.spawn([self.binary, "cat", "--json", "--linger", "1h", *groups], environment)
        self.say(b"%s hello\n" % self.name.encode())

    def command(self, word):
        if word == "start":
            self.feeder.start()
        elif word == "stop":
            self.stopping.set()
        elif word == "quit":
            self.process.terminate()

    def feed(self):
        """Its lines at the rate of the others, in small portions."""
        name, sent, started = self.name.encode(), 0, time.monotonic()
        try:
            while not self.stopping.wait(0.005):
                due = sent + 64 if self.rate == 0 else min(int((time.monotonic() - started) * self.rate), sent + 512)
                if due > sent:
                    self.say(b"".join(b"%s %d %s\n" % (name, n, self.lines[n % len(self.lines)]) for n in range(sent, due)))
                    sent = due
            self.sent = sent
            self.say(name + b" end\n")
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it ended; the referee sees that for itself

    def read_reports(self):
        """Keeps what it prints, and reads as much of it as the referee waits for: the rest is parsed when all is over,
        for a reader that takes its time over every line holds up the bus."""
        with open(self.record_path, "wb") as record:
            rest = b""
            while portion := self.process.stdout.read1(1 << 16):
                record.write(portion)
                lines, _, rest = (rest + portion).rpartition(b"\n")
                self.count += lines.count(b'"type":"message"')
                for event in self.SIGNS.findall(lines):
                    self.note(json.loads(event))

    # A message that is one of the referee's signs; a line of a text has a number after the name.
    SIGNS = re.compile(rb'^\{"type":"message"[^\n]*"text":"[a-z]+ (?:hello|mark|end)"[^\n]*$', re.M)

    def note(self, event):
        name, _, sign = event["text"].partition(" ")
        if sign == "hello" and name == self.name:
            self.nodeid = b"%d" % event["nodeid"]
        elif sign == "mark":
            self.marked = True
        elif sign == "end":
            self.ends.add(name)

    def record(self):
        lines = []
        for report in self.record_path.read_bytes().split(b"\n")[:-1]:
            event = json.loads(report)
            if event["type"] == "message":
                lines.append(b"%d %s" % (event["nodeid"], event["text"].encode()))
            elif event["type"] == "configuration":
                lines.append(b"config " + b" ".join(b"%d" % member["nodeid"] for member in event["members"]))
        return lines
