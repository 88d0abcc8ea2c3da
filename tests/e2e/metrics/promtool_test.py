# SPDX-License-Identifier: BSD-3-Clause
"""What promtool says of the exporter's words: nothing.

  promtool_test.py PROMTOOL        exit status 77: there is none (tests/e2e/metrics/fetch)
"""
import subprocess
import sys

from evs_bus import unittest
from exporter import ExporterTest
from fetched import fetched

PROMTOOL = None


class Promtool(ExporterTest):
    def assert_clean(self, text):
        result = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))

    def test_it_sees_a_fault(self):
        result = subprocess.run([PROMTOOL, "check", "metrics"], input="# TYPE evs_thingTotal counter\nevs_thingTotal 1\n", capture_output=True, text=True)
        self.assertNotEqual(result.returncode, 0)

    def test_what_is_served_and_what_is_printed(self):
        self.cat("--set", "uplink.transport=udp", "--set", "uplink.host_id=77", "--set", "uplink.security=none", "--set", "plugin.udp.mode=unicast",
                       "--set", "plugin.udp.address=127.0.0.79", "--set", "plugin.udp.peers=127.0.0.79:15479", "--set", "plugin.udp.port=15479")
        exporter = self.exporter()
        exporter.when(lambda s: s.value("evs_gateway_up") == 1 and s.value("evs_uplink_hosts") == 1, "a gateway")
        self.assert_clean(exporter.scrape().text)
        self.assert_clean(self.once().text)


if __name__ == "__main__":
    PROMTOOL = fetched(sys.argv.pop(1))
    unittest.main()
