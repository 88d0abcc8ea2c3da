# SPDX-License-Identifier: BSD-3-Clause
"""A real Prometheus scrapes a real exporter beside a real bus, and is asked.

  prometheus_test.py PROMETHEUS        exit status 77: there is none (tests/e2e/metrics/fetch)
"""
import signal
import sys

from evs_bus import unittest
from exporter import ExporterTest
from fetched import fetched
from prometheus import Prometheus

PROMETHEUS = None


class Scraped(ExporterTest):
    def test_what_happens_to_a_bus_is_answered_by_queries(self):
        exporter = self.exporter()
        prometheus = Prometheus(PROMETHEUS, self.directory, {"evs": [exporter.url.split("/")[2]]})
        self.addCleanup(prometheus.close)
        prometheus.until_ready()
        self.assertEqual(prometheus.when("evs_exporter_buses", lambda v: v == 0), 0)

        ann, bob = self.cat(), self.cat()
        prometheus.when('evs_processes{state="running"}', lambda v: v == 2)

        def talk():
            ann.say("a line")
            for process in ann, bob:
                process.event(type="message")
        prometheus.when('rate(evs_ring_messages_total{ring="order",guarantee="agreed"}[2s])', lambda v: v > 0, talk)
        sent = prometheus.when('evs_ring_messages_total{ring="order",guarantee="agreed"}', lambda v: v > 0)

        self.assertLess(0, prometheus.when('histogram_quantile(0.99, evs_ring_delivery_seconds_bucket{ring="order",guarantee="agreed"})', lambda v: 0 < v < 20))

        # One is stopped and then killed, and the other leaves: seen each, and no counter was reset in all that.
        bob.signal(signal.SIGSTOP)
        prometheus.when('evs_processes{state="stopped"}', lambda v: v == 1)
        bob.signal(signal.SIGKILL)
        prometheus.when("evs_members_proved_dead_total", lambda v: v == 1)
        ann.signal(signal.SIGTERM)
        prometheus.when("evs_up", lambda v: v == 0)
        self.cat()
        prometheus.when("evs_up", lambda v: v == 1)
        self.assertGreaterEqual(prometheus.when('evs_ring_messages_total{guarantee="agreed"}', lambda v: True), sent)
        names = {labels["__name__"] for labels, _ in prometheus.ask('{__name__=~"evs_.*_total"}')}
        self.assertGreater(len(names), 15)
        for name in sorted(names):
            self.assertEqual([labels for labels, value in prometheus.ask(f"resets({name}[10m])") if value != 0], [], name)


if __name__ == "__main__":
    PROMETHEUS = fetched(sys.argv.pop(1))
    unittest.main()
