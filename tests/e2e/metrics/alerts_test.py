# SPDX-License-Identifier: BSD-3-Clause
"""A bus over three hosts in trouble, a real Prometheus with the rules that are shipped, and each alert, which its own fault makes fire.

  alerts_test.py PROMETHEUS        exit status 77: there is none (tests/e2e/metrics/fetch), or there can be no hosts here

One story: making three hosts and letting them find each other takes longer than most of what happens to them. At first nothing fires.
"""
import http.server
import math
import re
import signal
import subprocess
import sys
import threading
import time

import dashboard_file
import fleet
from evs_bus import PATIENCE_S, BusTest, os, unittest
from fetched import fetched
from prometheus import RULES, Prometheus, quickened_rules

PROMETHEUS = None
RECORD = os.environ.get("EVS_RECORD_DASHBOARD")  # a file for metrics/grafana/picture.py; then each fault is over before the next one
SETTINGS = {"EVS_LOCAL_RING_SIZE": "1MiB", "EVS_LOCAL_MESSAGE_LIMIT": "16KiB", "EVS_LOCAL_SLOW_READER_TIMEOUT": "8s", "EVS_UPLINK_QUORUM": "3", "EVS_METRICS_SAMPLE": "0"}
ALL_ALERTS = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
ALL_RECORDED = re.findall(r"- record: (\S+)", RULES.read_text())


class Versions(http.server.ThreadingHTTPServer):
    """What two exporters say of their version: there is one version of evs in a build."""

    def __init__(self):
        super().__init__(("127.0.0.9", 0), Versions.Answer)
        self.version = "1.0"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            try:
                self.wfile.write(f'evs_exporter_info{{version="{self.server.version}"}} 1\n'.encode())
            except ConnectionError:
                pass  # it came too late

        def log_message(self, *_):
            pass


class Alerts(BusTest):
    def setUp(self):
        super().setUp()
        self.began, self.fired, self.faults = time.monotonic(), set(), []
        self.fleet = fleet.Fleet(self.directory, self.environment, hosts=3, spare=1, settings=SETTINGS)
        self.addCleanup(self.fleet.close)
        self.ann, self.bob, self.cid = self.fleet.hosts
        for host in self.ann, self.bob:
            host.gateway()
        self.reader = self.bob.listen()
        self.ann.talk("a quote", 0.01, "--guarantee", "agreed")
        self.bob.talk("an order " * 20, 0.02, "--guarantee", "safe")
        self.people_come_to_cid()
        self.ann.listen()
        self.versions, other = Versions(), Versions()
        for server in self.versions, other:
            self.addCleanup(server.server_close)
            self.addCleanup(server.shutdown)
        jobs = {"evs": [self.fleet.export(host) for host in self.fleet.hosts], "evs-applications": ["10.86.0.3:9464"],
                "evs-versions": ["%s:%d" % server.server_address for server in (self.versions, other)]}
        self.prometheus = Prometheus(PROMETHEUS, self.directory, jobs, quickened_rules())
        self.addCleanup(self.prometheus.close)
        self.prometheus.until_ready()

    def people_come_to_cid(self):
        self.cid.gateway()
        self.cid.listen("--set", "metrics.listen=10.86.0.3:9464")

    def tell(self, what):
        print(f"  {time.monotonic() - self.began:5.1f} s  {what}", flush=True)

    def until(self, expression, condition, meanwhile=lambda: None):
        try:
            self.prometheus.until(expression, condition, meanwhile, patience=60)
        except AssertionError as error:
            alerts = sorted({labels["alertname"] for labels, _ in self.prometheus.ask('ALERTS{alertstate="firing"}')})
            self.fail(f"{error}\nfiring: {alerts}\n{self.fleet.words()[-6000:]}")

    def seconds_of_fault(self):
        """What fired and is over while another one was waited for has fired."""
        return max(1, int(time.time() - self.faults[-1][0]))

    def until_fire(self, *alerts, meanwhile=lambda: None, **labels):
        where = "".join(f',{key}="{value}"' for key, value in labels.items())
        for alert in alerts:
            self.until(lambda: f'present_over_time(ALERTS{{alertname="{alert}",alertstate="firing"{where}}}[{self.seconds_of_fault()}s])', bool, meanwhile)
            self.tell(f"{alert} fires")
        self.fired.update(alerts)

    def until_quiet(self, *alerts):
        names = "|".join(alerts) or ".*"
        self.until(f'ALERTS{{alertname=~"{names}",alertstate="firing"}}', lambda firing: not firing)

    def until_together(self):
        self.until('evs_uplink_hosts{job="evs"} == 3', lambda answer: len(answer) == 3)

    def test_each_fault_is_told_of(self):
        self.until_together()
        self.until("up == 1", lambda answer: len(answer) == 6)
        for job in "evs", "evs-applications":
            self.until(f'instance_bus:evs_ring_messages:rate5m{{job="{job}"}} > 0', bool)
        self.until_quiet()
        self.tell("three hosts are together, and nothing fires")
        for fault in (self.a_reader_stops, self.packets_are_lost, self.a_link_is_cut, self.a_gateway_stops, self.a_stranger_comes, self.a_clone_comes, self.processes_flap,
                      self.a_bus_is_left, self.a_path_becomes_narrow, self.files_are_open_to_all, self.a_version_is_left_behind):
            self.faults.append((time.time(), fault.__name__.replace("_", " ")))
            self.tell(self.faults[-1][1])
            fault()
            if RECORD:
                self.until_quiet()
        self.assertEqual(self.fired, ALL_ALERTS)
        self.nothing_is_empty()
        if RECORD:
            dashboard_file.record(RECORD, self.prometheus, self.faults)
        self.assertNotIn("error expanding template", str(self.prometheus.get("rules")))

    def nothing_is_empty(self):
        """What rules record and panels ask had a value in the course of it all."""
        end = time.time()
        began = end - (time.monotonic() - self.began)
        asked = [(name, name) for name in ALL_RECORDED] + dashboard_file.queries()
        empty = [title for title, expression in asked
                 if not any(math.isfinite(value) for _, points in self.prometheus.ask_range(expression, began, end, 1) for _, value in points)]
        self.assertEqual(empty, [])

    def a_reader_stops(self):
        flood = self.ann.talk("x" * 8000, 0.001)
        self.reader.send_signal(signal.SIGSTOP)
        self.until_fire("EvsProcessStands", "EvsSlowReader", instance=self.instance(2))
        self.until_fire("EvsHeldUp", reason="readers")
        self.until_fire("EvsSendsRefused", "EvsProcessExpelled")
        self.reader.send_signal(signal.SIGCONT)
        flood.end()

    def instance(self, number):
        return self.fleet.exporters[number - 1].url.split("/")[2]

    def packets_are_lost(self):
        self.until_together()
        fleet.loss_at(["port0", "port1"], 10)
        self.until_fire("EvsRetransmitStorm")
        fleet.loss_at([], 0)

    def a_link_is_cut(self):
        self.until_together()
        self.until_quiet("EvsTokenLost")
        self.fleet.wire.unplug(2, True)
        self.until_fire("EvsTokenLost", "EvsHostsApart", "EvsTargetDown")
        self.until_fire("EvsNotQuorate", instance=self.instance(3))

        def flap():
            self.fleet.wire.unplug(2, False)
            self.until_together()
            self.fleet.wire.unplug(2, True)
            self.until('evs_uplink_hosts{job="evs"} == 1', bool)
        self.until_fire("EvsRingFlapping", "EvsRingUnstable", meanwhile=flap)
        self.fleet.wire.unplug(2, False)
        self.until_together()

    def a_gateway_stops(self):
        gateway = self.ann.processes[0]
        gateway.send_signal(signal.SIGSTOP)
        self.until_fire("EvsGatewayDown", instance=self.instance(1))
        gateway.send_signal(signal.SIGCONT)
        self.until_together()

    def newcomer(self, number, **settings):
        host = fleet.Host(self.fleet, 4, {"EVS_UPLINK_HOST_ID": str(number), "EVS_UPLINK_QUORUM": "off", **settings})
        self.addCleanup(host.end)
        host.gateway()
        return host

    def a_stranger_comes(self):
        stranger = self.newcomer(4, EVS_UPLINK_KEY_FILE=self.fleet.key("another-key"))
        self.until_fire("EvsAuthFailures")
        stranger.end()

    def a_clone_comes(self):
        clone = self.newcomer(2, EVS_UPLINK_QUORUM="3")
        self.until_fire("EvsDuplicateHost")
        clone.end()

    def processes_flap(self):
        def come_and_go():
            for _ in range(4):
                subprocess.run(self.fleet.wire.command(0, [fleet.EVS, "cat", "--send-only"]), env=self.ann.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=self.fleet.log, check=True, timeout=PATIENCE_S)
        self.until_fire("EvsMembersFlapping", meanwhile=come_and_go, instance=self.instance(1))

    def a_bus_is_left(self):
        self.cid.end()
        self.until_fire("EvsBusEmpty", instance=self.instance(3))
        self.until_quiet("EvsHostsApart")  # a host that nobody is on is not apart from the others
        self.people_come_to_cid()
        self.until_together()

    def a_path_becomes_narrow(self):
        large = self.bob.talk("y" * 8000, 0.01)
        self.fleet.wire.ip(self.fleet.wire.namespaces[1], "link set eth0 mtu 600")
        self.until_fire("EvsPacketsLostHere", instance=self.instance(2))
        self.fleet.wire.ip(self.fleet.wire.namespaces[1], "link set eth0 mtu 1500")
        large.end()

    def files_are_open_to_all(self):
        os.chmod(self.bob.directory, 0o777)
        self.until_fire("EvsFilesUnreadable", instance=self.instance(2))
        os.chmod(self.bob.directory, 0o700)

    def a_version_is_left_behind(self):
        self.versions.version = "1.1"
        self.until_fire("EvsVersionSkew")
        self.versions.version = "1.0"


if __name__ == "__main__":
    PROMETHEUS = fetched(sys.argv.pop(1))
    if reason := fleet.refused():
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()
