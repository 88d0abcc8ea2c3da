# SPDX-License-Identifier: BSD-3-Clause
"""An `evs exporter` beside a test's bus, and what it says."""
import os
import re
import select
import subprocess
import time
import urllib.request

from evs_bus import EVS, PATIENCE_S, BusTest, Process

SAMPLE = re.compile(r'^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Samples:
    """What an exposition says: value() by name and some of the labels."""

    def __init__(self, text):
        self.text, self.samples = text, []
        for line in text.splitlines():
            if line.startswith("#") or not line:
                continue
            name, labels, value = SAMPLE.match(line).groups()
            self.samples.append((name, dict(LABEL.findall(labels or "")), float(value)))

    def values(self, name, **labels):
        return [value for its_name, its, value in self.samples
                if its_name == name and all(its.get(key) == wanted for key, wanted in labels.items())]

    def value(self, name, **labels):
        """The one; None when it is absent."""
        found = self.values(name, **labels)
        if len(found) > 1:
            raise AssertionError(f"{name} {labels}: {found}")
        return found[0] if found else None

    def totals(self):
        return {(name, *sorted(labels.items())): value for name, labels, value in self.samples
                if name.startswith("evs_") and name.endswith(("_total", "_bucket", "_count"))}


class ExporterTest(BusTest):
    def exporter(self, *arguments, **how):
        """One that serves at a port of its own."""
        exporter = Exporter(["--listen", "127.0.0.1:0", "--directory", self.directory, *arguments], self.environment, how)
        self.addCleanup(exporter.close)
        return exporter

    def once(self, *arguments):
        result = self.run_evs("exporter", "--once", "--directory", self.directory, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return Samples(result.stdout)

    def assert_no_total_falls(self, before, after):
        fallen = {name: (value, after.totals().get(name)) for name, value in before.totals().items()
                  if after.totals().get(name, -1) < value}
        self.assertEqual(fallen, {})


class Exporter(Process):
    def __init__(self, arguments, environment, how):
        self.process = subprocess.Popen([EVS, "exporter", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment, **how)
        self.process.stdin = open(os.devnull, "wb")
        self.said = b""
        self.url = re.search(r"serves (http://\S+)", self.until_said("serves http")).group(1)

    def until_said(self, words):
        """What stood on stderr until these words did."""
        until = time.monotonic() + PATIENCE_S
        while words.encode() not in self.said:
            ready, _, _ = select.select([self.process.stderr], [], [], max(0, until - time.monotonic()))
            more = os.read(self.process.stderr.fileno(), 65536) if ready else b""
            if not more:
                raise AssertionError(f"never said '{words}': {self.said!r}")
            self.said += more
        return self.said.decode()

    def scrape(self):
        # No proxy of the environment stands between.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url, timeout=PATIENCE_S) as answer:
            return Samples(answer.read().decode())

    def when(self, condition, what):
        """The first scrape for which the condition holds."""
        until = time.monotonic() + PATIENCE_S
        while True:
            seen = self.scrape()
            if condition(seen):
                return seen
            if time.monotonic() > until:
                raise AssertionError(f"never {what}:\n{seen.text}")
