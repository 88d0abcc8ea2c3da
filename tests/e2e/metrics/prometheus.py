# SPDX-License-Identifier: BSD-3-Clause
"""Debian's Prometheus, which scrapes and computes at a test's pace, and what it answers."""
import json
import os
import pathlib
import re
import select
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from evs_bus import PATIENCE_S

RULES = pathlib.Path(__file__).resolve().parents[3] / "metrics/prometheus/evs.rules.yml"
# What is said in minutes happens in seconds here. The rules have no other windows; who writes one says here how long it is in a test.
WINDOWS = {"5m": "4s", "10m": "20s", "1h": "30s"}
PATIENCE = {"15s": "250ms", "30s": "500ms", "1m": "1s", "2m": "1s", "5m": "1s", "1h": "2s"}
PACE_MS = 250


def quickened_rules():
    """Those that are shipped, with shorter windows and less patience: what they ask for and compare with is the same."""
    text = re.sub(r"\[(\w+)\]", lambda window: f"[{WINDOWS[window.group(1)]}]", RULES.read_text())
    return re.sub(r"\bfor: (\w+)", lambda wait: f"for: {PATIENCE[wait.group(1)]}", text)


class Prometheus:
    def __init__(self, program, place, jobs, rules=None):
        """jobs: {name: [address:port]}."""
        text = f"global: {{scrape_interval: {PACE_MS}ms, scrape_timeout: {PACE_MS}ms, evaluation_interval: {PACE_MS}ms}}\n"
        if rules is not None:
            pathlib.Path(place, "rules.yml").write_text(rules)
            text += "rule_files: [rules.yml]\n"
        text += "scrape_configs:\n"
        for job, targets in jobs.items():
            text += f"  - {{job_name: {job}, static_configs: [{{targets: {json.dumps(targets)}}}]}}\n"
        path = os.path.join(place, "prometheus.yml")
        pathlib.Path(path).write_text(text)
        self.process = subprocess.Popen(
            [program, f"--config.file={path}", "--web.listen-address=127.0.0.1:0", f"--storage.tsdb.path={place}/data", "--log.level=info"],
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

    def get(self, what, **parameters):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}", timeout=PATIENCE_S) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {json.load(error)['error']}") from None

    def ask(self, expression):
        """[(labels, value)] of an instant query."""
        return [(one["metric"], float(one["value"][1])) for one in self.get("query", query=expression)["result"]]

    def ask_range(self, expression, start, end, step):
        """[(labels, [(time, value)])]."""
        answer = self.get("query_range", query=expression, start=start, end=end, step=step)["result"]
        return [(one["metric"], [(at, float(value)) for at, value in one["values"]]) for one in answer]

    def when(self, expression, condition, meanwhile=lambda: None):
        """The first answer that has one value for which the condition holds; asked again until it does."""
        return self.until(expression, lambda answer: len(answer) == 1 and condition(answer[0][1]), meanwhile)[0][1]

    def until(self, expression, condition, meanwhile=lambda: None, patience=PATIENCE_S):
        """The first answer for which the condition holds. The expression may be a function that makes one, for each time anew."""
        until = time.monotonic() + patience
        while True:
            asked = expression() if callable(expression) else expression
            answer = self.ask(asked)
            if condition(answer):
                return answer
            if time.monotonic() > until:
                raise AssertionError(f"{asked} never was as wanted, but {answer}")
            meanwhile()
            time.sleep(PACE_MS / 5000)  # there is no news before the next scrape

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stderr.close()
