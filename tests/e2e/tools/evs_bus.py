# SPDX-License-Identifier: BSD-3-Clause
"""A bus of a test's own, and `evs` processes on it.

Nothing here sleeps: what a process prints is waited for, with a limit that is only reached when something is broken.
The limits are generous because a test machine may be busy; a passing run never gets near them.
"""
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

EVS = os.environ["EVS_COMMAND"]
PATIENCE_S = 30


class Process:
    """An `evs` command with its stdin and stdout as pipes, and with signals as we want them, however the tests are run."""

    def __init__(self, arguments, environment, ignored=()):
        def signals():
            for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
                signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
        self.process = subprocess.Popen([EVS, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment, preexec_fn=signals)
        self.buffer = b""

    def say(self, *lines):
        for line in lines:
            self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def say_until_heard(self, count, *by):
        """So many lines, each delivered to those."""
        self.say(*(f"line {i}" for i in range(count)))
        for process in by:
            for _ in range(count):
                process.event(type="message")

    def end(self):
        self.process.stdin.close()

    def line(self):
        """The next line of stdout, without its newline; None at its end."""
        until = time.monotonic() + PATIENCE_S
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise AssertionError(f"nothing on stdout within {PATIENCE_S} s; so far {self.buffer!r}")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                return None
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def lines(self, count):
        return [self.line().decode() for _ in range(count)]

    def event(self, **wanted):
        """The next JSON object whose members are as wanted."""
        while True:
            line = self.line()
            if line is None:
                raise AssertionError(f"stdout ended before {wanted}; stderr: {self.process.stderr.read()}")
            found = json.loads(line)
            if all(found.get(key) == value for key, value in wanted.items()):
                return found

    def signal(self, number):
        self.process.send_signal(number)

    def status(self):
        """The exit status."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"pid {self.process.pid} does not end") from None

    def stderr(self):
        return self.process.stderr.read().decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass


class BusTest(unittest.TestCase):
    """Each test has a directory, a home without configuration, and a bus that nobody else knows."""

    def setUp(self):
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.directory = tempfile.mkdtemp(prefix="evs-test-", dir=place)
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("EVS_")}
        self.environment.update(EVS_LOCAL_DIRECTORY=self.directory, EVS_PLUGIN_PATH=os.environ["EVS_PLUGIN_PATH"],
                                HOME=self.directory, XDG_CONFIG_HOME=self.directory)

    def start(self, *arguments, ignored=()):
        process = Process(arguments, self.environment, ignored)
        self.addCleanup(process.close)
        return process

    def run_evs(self, *arguments, **environment):
        return subprocess.run([EVS, *arguments], env={**self.environment, **environment}, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE_S * 2)

    def cat(self, *arguments):
        """An `evs cat` whose join is in the order: it is known by its own group change."""
        process = self.start("cat", "--json", *arguments)
        process.joined = process.event(type="group", reason="joined", pid=process.process.pid)
        return process

    def snapshot(self):
        """What `evs status --json` says; None when there is no bus."""
        result = self.run_evs("status", "--json")
        if result.returncode == 3:
            return None
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def snapshot_when(self, condition, what):
        """The first snapshot for which the condition holds: asked again until it does."""
        until = time.monotonic() + PATIENCE_S
        while True:
            seen = self.snapshot()
            if seen is not None and condition(seen):
                return seen
            if time.monotonic() > until:
                self.fail(f"never {what}: {seen}")

    def when_joined(self, group, members):
        return self.snapshot_when(lambda s: sum(group in m["groups"] for m in s["members"]) >= members,
                                  f"{members} in {group}")


__all__ = ["BusTest", "EVS", "PATIENCE_S", "Process", "json", "os", "signal", "subprocess", "unittest"]
