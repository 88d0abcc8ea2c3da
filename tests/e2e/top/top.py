# SPDX-License-Identifier: BSD-3-Clause
"""evs-top beside a test's bus."""
import os
import subprocess
import sys
import unittest

from evs_bus import PATIENCE_S, BusTest, json

TOP = os.environ["EVS_TOP"]


class TopTest(BusTest):
    def setUp(self):
        super().setUp()
        # No proxy of the environment stands between evs-top and an exporter of this host.
        self.environment["no_proxy"] = "*"

    def top(self, *arguments, **how):
        how.setdefault("env", self.environment)
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([TOP, *arguments], capture_output=True, text=True, timeout=PATIENCE_S * 2, **how)

    def frames(self, *arguments):
        result = self.top("--json", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def talk(self, sender, reader, lines):
        sender.say(*(f"line {i}" for i in range(lines)))
        for _ in range(lines):
            reader.event(type="message")


def skip_all(reason):
    """Of a whole file of tests, for ctest."""
    print(f"skipped: {reason}")
    sys.exit(77)


__all__ = ["TOP", "TopTest", "skip_all", "unittest"]
