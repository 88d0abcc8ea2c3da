# SPDX-License-Identifier: BSD-3-Clause
"""A real Prometheus scrapes a real exporter beside a real bus, and is asked.

  prometheus_test.py PROMETHEUS        exit status 77: there is none (tests/e2e/metrics/fetch)
"""
import json
import re
import select
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from evs_bus import PATIENCE_S, os, unittest
from exporter import ExporterTest

PROMETHEUS = None
CONFIGURATION = """
global: {scrape_interval: 250ms, scrape_timeout: 250ms}
scrape_configs:
  - job_name: evs
    static_configs: [{targets: ["%s"]}]
"""


class Prometheus:
    def __init__(self, place, target):
        path = os.path.join(place, "prometheus.yml")
        with open(path, "w") as file:
            file.write(CONFIGURATION % target)
        self.process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={path}", "--web.listen-address=127.0.0.1:0", f"--storage.tsdb.path={place}/data", "--log.level=info"],
            cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.said, self.url = b"", None

    def until_ready(self):
        self.url = "http://" + self.until_said(rb'"?Listening on"? address=(127\.0\.0\.1:[1-9]\d*)')
        self.until_said(rb"(Server is ready)")

    def until_said(self, pattern):
        until = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.said)):
            ready, _, _ = select.select([self.process.stderr], [], [], max(0, until - time.monotonic()))
            more = os.read(self.process.stderr.fileno(), 65536) if ready else b""
            if not more:
                raise AssertionError(f"never said {pattern}: {self.said.decode()}")
            self.said += more
        return found.group(1).decode()

    def ask(self, expression):
        """[(labels, value)] of an instant query."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        query = urllib.parse.urlencode({"query": expression})
        with opener.open(f"{self.url}/api/v1/query?{query}", timeout=PATIENCE_S) as answer:
            return [(one["metric"], float(one["value"][1])) for one in json.load(answer)["data"]["result"]]

    def when(self, expression, condition, meanwhile=lambda: None):
        """The first answer that has one value for which the condition holds; asked again until it does."""
        until = time.monotonic() + PATIENCE_S
        while True:
            answer = self.ask(expression)
            if len(answer) == 1 and condition(answer[0][1]):
                return answer[0][1]
            if time.monotonic() > until:
                raise AssertionError(f"{expression} never was as wanted, but {answer}")
            meanwhile()

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stderr.close()


class Scraped(ExporterTest):
    def test_what_happens_to_a_bus_is_answered_by_queries(self):
        exporter = self.exporter()
        prometheus = Prometheus(self.directory, exporter.url.split("/")[2])
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
    PROMETHEUS = os.path.abspath(sys.argv.pop(1))
    if not os.path.exists(PROMETHEUS):
        print(f"no {PROMETHEUS}: metrics_fetch said why")
        sys.exit(77)
    unittest.main()
