# SPDX-License-Identifier: BSD-3-Clause
"""evs-top --url: at a real exporter, at servers that answer something else, and at one that does not answer."""
import grp
import http.server
import socket
import threading

from evs_bus import os
from exporter import ExporterTest
from top import TopTest, unittest

NOBODY = 65534


class Remote(TopTest, ExporterTest):
    def test_a_real_exporter(self):
        ann, bob = self.cat(), self.cat()
        exporter = self.exporter()
        exporter.when(lambda s: s.value("evs_processes", state="running") == 2, "two running")
        text = self.top("--url", exporter.url, "--once", "--totals").stdout
        self.assertIn(f"bus default  {exporter.url}", text)
        self.assertRegex(text, r"\nrunning +2\n")
        ring = self.top("--url", exporter.url, "--once", "--totals", "--view", "ring").stdout
        self.assertRegex(ring, r"\norder  \S+ .* of 4\.0 MiB used")
        check = self.top("--url", exporter.url, "--check")
        self.assertEqual(check.returncode, 0, check.stdout)
        self.assertRegex(check.stdout, r"^EVS OK - bus default: 2 processes")
        self.assertEqual(self.top("--url", exporter.url.removesuffix("/metrics"), "--check").returncode, 0)
        self.talk(ann, bob, 10)
        frame, = self.frames("--url", exporter.url, "-n", "1")
        self.assertIsNone(frame["status"])
        self.assertEqual(self.top("--url", exporter.url, "--bus", "nosuch", "--once").returncode, 3)

    def refused(self, url, **environment):
        result = self.top("--url", url, "--once", env={**self.environment, **environment})
        self.assertEqual(result.returncode, 1, result)
        self.assertEqual(self.top("--url", url, "--check").returncode, 3)
        return result.stderr

    def serve(self, status, body):
        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # it did not want more

            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}/metrics"

    def test_something_else_answers(self):
        self.assertIn("it answers 404", self.refused(self.serve(404, b"")))
        self.assertIn("this is no text of a Prometheus exporter: line 1: a metric's name was expected: '<html>'", self.refused(self.serve(200, b"<html>")))
        self.assertIn("it answers more than 8.0 MiB", self.refused(self.serve(200, b"# \n" * (3 << 20))))

    def test_nobody_answers(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            self.assertIn("onnect", self.refused(f"http://127.0.0.1:{port}/metrics"))

    def test_what_is_recorded_of_it_is_shown_again(self):
        self.cat()
        exporter = self.exporter()
        exporter.when(lambda s: s.value("evs_processes", state="running") == 1, "one running")
        path = os.path.join(self.directory, "run.jsonl")
        self.frames("--url", exporter.url, "-n", "2", "-d", "50ms", "--record", path)
        text = self.top("--replay", path, "--once").stdout
        self.assertIn(exporter.url, text)
        self.assertRegex(text, r"\nrunning +1\n")


class Monitor(TopTest, ExporterTest):
    @unittest.skipUnless(os.geteuid() == 0, "gives a file to another group")
    def test_who_may_read_the_counters_alone_sees_numbers_and_why_no_more(self):
        group = grp.getgrall()[1]
        os.chmod(self.directory, 0o711)
        inner = os.path.join(self.directory, "bus")
        self.environment.update(EVS_LOCAL_DIRECTORY=inner, EVS_METRICS_GROUP=group.gr_name)
        self.cat(), self.cat()
        as_monitor = dict(user=NOBODY, group=NOBODY, extra_groups=[group.gr_gid])
        text = self.top("--once", "--totals", "--width", "200", **as_monitor).stdout
        self.assertRegex(text, r"\nrunning +2\n")
        self.assertIn("its counters alone can be read: ", text)
        self.assertEqual(self.top("--check", **as_monitor).returncode, 0)
        stranger = self.top("--check", user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertEqual(stranger.returncode, 3, stranger.stdout)


if __name__ == "__main__":
    unittest.main()
