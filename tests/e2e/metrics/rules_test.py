# SPDX-License-Identifier: BSD-3-Clause
"""The rules that are shipped, by promtool: they are understood, and fire over series that are made up when they should, and then alone.

  rules_test.py PROMTOOL        exit status 77: there is none (tests/e2e/metrics/fetch)
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from fetched import fetched

PROMTOOL = None
HERE = pathlib.Path(__file__).resolve().parent
SHIPPED = HERE.parents[2] / "metrics/prometheus"
RULES, STORIES = SHIPPED / "evs.rules.yml", HERE / "rules_test.yml"


class Rules(unittest.TestCase):
    def promtool(self, *arguments):
        return subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True)

    def play(self, rules):
        with tempfile.TemporaryDirectory() as place:
            stories = pathlib.Path(place, "stories.yml")
            pathlib.Path(place, "rules.yml").write_text(rules)
            stories.write_text(STORIES.read_text().replace("@RULES@", "rules.yml"))
            return self.promtool("test", "rules", str(stories))

    def test_they_are_understood(self):
        result = self.promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_example_of_a_configuration_is_one(self):
        text = (SHIPPED / "prometheus.yml").read_text()
        self.assertIn("/usr/share/evs/prometheus/evs.rules.yml", text)
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place, "prometheus.yml")
            path.write_text(text.replace("/usr/share/evs/prometheus", str(SHIPPED)))
            result = self.promtool("check", "config", str(path))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_they_fire_when_they_should(self):
        result = self.play(RULES.read_text())
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_each_alert_has_a_story(self):
        alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
        told = set(re.findall(r'alertname="(\w+)"', STORIES.read_text()))
        self.assertEqual(alerts, told)

    def test_a_fault_in_a_rule_is_seen(self):
        text = RULES.read_text()
        for right, wrong in (("avg_over_time(evs_held_up[5m])", "min_over_time(evs_held_up[5m])"), ('reason="duplicate_host"', 'reason="duplicate-host"'), ("(:[0-9]+)?", "(:1)?")):
            self.assertIn(right, text)
            self.assertNotEqual(self.play(text.replace(right, wrong)).returncode, 0, wrong)


if __name__ == "__main__":
    PROMTOOL = fetched(sys.argv.pop(1))
    unittest.main()
