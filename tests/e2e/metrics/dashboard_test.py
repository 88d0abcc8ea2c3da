# SPDX-License-Identifier: BSD-3-Clause
"""The dashboard keeps what Grafana asks of one, and names nothing that evs does not count.

  dashboard_test.py PROMTOOL       without it (tests/e2e/metrics/fetch) the expressions' grammar is not looked at

The conventions are those of Grafana's dashboard-linter, by its names in brackets; it is a program of its own that Debian does not have. That each expression finds data is
shown by alerts_test.py.
"""
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from dashboard_file import DASHBOARD, PANELS, PICTURED, PLACE, VARIABLES, filled, queries

PROMTOOL = None
ROOT = PLACE.parents[1]
RULES = (ROOT / "metrics/prometheus/evs.rules.yml").read_text()
UNITS = {"short", "s", "ops", "pps", "Bps", "bytes", "percentunit"}
KINDS = {"timeseries", "stat", "heatmap"}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def manual():
    """{name: kind} of what evs-metrics(7) tells of."""
    text = (ROOT / "docs/man/evs-metrics.7.scd").read_text().replace("\\_", "_")
    return dict(re.findall(r"^\*(evs_\w+)\*[^\n]*\n\t(Gauge|Counter|Histogram)", text, re.M))


def named(expression):
    """The metrics of an expression; a histogram's by its own name. What rules record has a colon in it."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"(?<![\w:])evs_\w+(?![\w:])", bare)}


class Dashboard(unittest.TestCase):
    def each(self, condition, panels=None):
        self.assertEqual([panel["title"] for panel in panels or PANELS if not condition(panel)], [])

    @staticmethod
    def program(name):
        specification = importlib.util.spec_from_file_location(name, PLACE / f"{name}.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module

    def test_it_is_what_its_source_makes(self):
        self.assertEqual(self.program("dashboard").dashboard(), DASHBOARD, "write it anew: metrics/grafana/dashboard.py")

    def test_the_picture_is_what_the_recording_makes(self):
        recorded = json.loads((ROOT / "docs/evs-dashboard.json").read_text())
        self.assertEqual(self.program("picture").draw(recorded), (ROOT / "docs/evs-dashboard.svg").read_text(), "draw it anew: metrics/grafana/picture.py")
        self.assertEqual([panel["title"] for panel in recorded["panels"]], list(PICTURED))
        for panel in recorded["panels"]:
            self.assertTrue(panel["series"], panel["title"])

    def test_each_alert_is_explained(self):
        told = (ROOT / "docs/operations.md").read_text()
        alerts = re.findall(r"- alert: (\w+)(?:(?!- alert)[\s\S])*?severity: (\w+)(?:(?!- alert)[\s\S])*?runbook: \"operations.md#(\w+)\"", RULES)
        self.assertEqual(len(alerts), RULES.count("- alert:"))
        for alert, severity, anchor in alerts:
            self.assertEqual(anchor, alert.lower())
            self.assertIn(f"### {alert}\n\n{severity}, ", told)
        self.assertEqual(re.findall(r"^### (Evs\w+)$", told, re.M), [alert for alert, _, _ in alerts])

    def test_it_can_be_provisioned(self):
        self.assertRegex(DASHBOARD["uid"], r"^[\w-]{8,40}$")
        self.assertNotIn("id", DASHBOARD)
        self.assertNotIn("__inputs", DASHBOARD)
        self.assertIs(type(DASHBOARD["schemaVersion"]), int)
        self.assertIn(DASHBOARD["schemaVersion"], range(36, 43))
        self.assertIs(DASHBOARD["editable"], False)  # [uneditable-dashboard]
        self.assertEqual((DASHBOARD["graphTooltip"], DASHBOARD["timezone"], DASHBOARD["refresh"]), (1, "browser", "10s"))
        self.assertIn("evs", DASHBOARD["tags"])

    def test_variables(self):  # [template-datasource-rule, template-job-rule, template-instance-rule, template-on-time-change-reload-rule]
        self.assertEqual([one["name"] for one in VARIABLES], ["datasource", "job", "bus", "host", "instance"])
        self.assertEqual((VARIABLES[0]["type"], VARIABLES[0]["query"], VARIABLES[0]["label"]), ("datasource", "prometheus", "Data Source"))
        for one in VARIABLES[1:]:
            self.assertEqual((one["type"], one["datasource"], one["multi"], one["includeAll"], one["allValue"], one["refresh"]), ("query", SOURCE, True, True, ".+", 2))
            self.assertEqual(one["label"], one["name"].capitalize())
        told = json.dumps(DASHBOARD["panels"])
        for one in VARIABLES:
            self.assertTrue(f"${one['name']}" in told or f"${{{one['name']}}}" in told, one["name"])

    def test_a_host_is_what_stands_before_the_port(self):
        regex = re.compile(next(one["regex"] for one in VARIABLES if one["name"] == "host").strip("/"))
        for instance, host in (("10.0.0.1:10387", "10.0.0.1"), ("ann.example.org:9464", "ann.example.org"), ("ann", "ann"), ("[fd00::1]:9464", "[fd00::1]")):
            self.assertEqual(regex.match(instance).group(1), host)

    def test_panels(self):  # [panel-datasource-rule, panel-title-description-rule, panel-units-rule, panel-no-targets-rule]
        ids = [panel["id"] for panel in DASHBOARD["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        titles = [panel["title"] for panel in DASHBOARD["panels"]]
        self.assertEqual(len(titles), len(set(titles)))
        self.each(lambda panel: panel["type"] in KINDS)
        self.each(lambda panel: panel["datasource"] == SOURCE and all(target["datasource"] == SOURCE for target in panel["targets"]))
        self.each(lambda panel: panel["title"] and len(panel["description"]) > 15 and panel["description"].endswith("."))
        self.each(lambda panel: panel["fieldConfig"]["defaults"]["unit"] in UNITS)
        self.each(lambda panel: panel["targets"] and len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]))
        self.each(lambda panel: panel["options"]["yAxis"]["unit"] == panel["fieldConfig"]["defaults"]["unit"] and panel["targets"][0]["format"] == "heatmap",
                  [panel for panel in PANELS if panel["type"] == "heatmap"])

    def test_rows(self):
        self.assertEqual([panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"], ["Overview", "Latency", "Ring and order", "Membership", "Shared memory", "Security"])
        taken = set()
        for panel in DASHBOARD["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells

    def test_expressions(self):  # [target-job-rule, target-instance-rule, target-rate-interval-rule, target-counter-agg-rule]
        kinds = manual()
        for panel in PANELS:
            for expression in (target["expr"] for target in panel["targets"]):
                selectors = re.findall(r"(\w+)\{([^}]*)\}", expression)
                self.assertTrue(selectors, expression)
                for name, labels in selectors:
                    self.assertIn('job=~"$job"', labels, expression)
                    if name != "ALERTS":
                        self.assertIn('instance=~"$instance"', labels, expression)
                        self.assertIn('instance=~"$host(:[0-9]+)?"', labels, expression)
                    if name in kinds and "bus" in panel["targets"][0]["legendFormat"]:
                        self.assertIn('bus=~"$bus"', labels, expression)
                    changing = kinds.get(re.sub("_bucket$", "", name)) in ("Counter", "Histogram")
                    self.assertEqual(changing, bool(re.search(rf"(rate|increase)\({name}\{{[^}}]*\}}\[\$__rate_interval\]\)", expression)), expression)
                self.assertEqual(set(re.findall(r"\}(\[[^\]]*\])", expression)) - {"[$__rate_interval]"}, set())

    def test_it_names_what_evs_counts(self):
        kinds = manual()
        self.assertGreater(len(kinds), 60)
        asked = [expression for _, expression in queries()] + [filled(one["query"]["query"]) for one in VARIABLES[1:]] + [DASHBOARD["annotations"]["list"][0]["expr"]]
        asked += re.findall(r"expr: (.*)", RULES)
        unknown = {name for expression in asked for name in named(expression)} - set(kinds)
        self.assertEqual(unknown, set())
        self.assertEqual(named("rate(evs_nosuch_seconds_bucket[5m]) + instance_bus:evs_ring_used:ratio"), {"evs_nosuch_seconds"})

    def test_rules_name_rules_that_there_are(self):
        recorded = set(re.findall(r"record: (\S+)", RULES))
        used = {name for expression in re.findall(r"expr: (.*)", RULES) for name in re.findall(r"\b(?:instance_)?bus:[\w:]+", expression)}
        self.assertEqual(used - recorded, set())

    def test_promtool_reads_every_expression(self):
        if not os.path.exists(PROMTOOL):
            self.skipTest(f"no {PROMTOOL}: metrics_fetch said why")

        def check(expressions):
            with tempfile.TemporaryDirectory() as place:
                path = pathlib.Path(place, "rules.yml")
                path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [{"record": f"a:b:c{i}", "expr": one} for i, one in enumerate(expressions)]}]}))
                return subprocess.run([PROMTOOL, "check", "rules", str(path)], capture_output=True, text=True)
        result = check([expression for _, expression in queries()])
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertNotEqual(check(["sum by (le (evs_up)"]).returncode, 0)

    def test_provisioning(self):
        """YAML without a reader of it: what the two must say stands in them, and the paths are those that are installed to."""
        provider, source = (PLACE / "provisioning/dashboards/evs.yml").read_text(), (PLACE / "provisioning/datasources/evs.yml").read_text()
        installed = (ROOT / "metrics/CMakeLists.txt").read_text()
        self.assertIn("path: /usr/share/evs/grafana/dashboards", provider)
        self.assertIn("grafana/evs.json DESTINATION ${CMAKE_INSTALL_DATADIR}/evs/grafana/dashboards", installed)
        self.assertIn("type: prometheus", source)
        for text in provider, source:
            self.assertIn("apiVersion: 1\n", text)


if __name__ == "__main__":
    PROMTOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
