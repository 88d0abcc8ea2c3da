# SPDX-License-Identifier: BSD-3-Clause
"""The dashboard that is shipped: its panels and what they ask, as Grafana would send it; and a recording of what was answered, of which a picture is drawn."""
import json
import math
import pathlib
import re

PLACE = pathlib.Path(__file__).resolve().parents[3] / "metrics/grafana"
DASHBOARD = json.loads((PLACE / "evs.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = DASHBOARD["templating"]["list"]
ALL = {"job": ".+", "bus": ".+", "host": ".+", "instance": ".+", "__rate_interval": "4s", "__interval": "1s"}


def filled(text, values=None):
    """With the variables' values, by default those of "All"; who names one that is not there fails."""
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda found: {**ALL, **(values or {})}[found.group(1) or found.group(2)], text)


def queries(panels=None):
    """(title, expression) of each query."""
    return [(panel["title"], filled(target["expr"])) for panel in (PANELS if panels is None else panels) for target in panel["targets"]]


PICTURED = ("Messages", "Sends that found no room", "How full the rings are", "From sender to reader, 99th", "Through the ring of hosts, 99th", "Rotation of the token, 99th",
            "Frames asked for again", "Token: losses", "Hosts on the ring", "Processes of the host", "Primary", "Refused, by reason")
MOST_SERIES = 6


def name_of(legend, labels):
    """A test's hosts are known by their exporters' addresses, whose ports were any that were free, and are all on one bus."""
    name = re.sub(r"\{\{(\w+)\}\}", lambda label: labels.get(label.group(1), "") if label.group(1) != "bus" else "", legend)
    return " ".join(re.sub(r"127\.0\.0\.(\d+):\d+", r"host \1", name).split())


def record(path, prometheus, faults, before=10, step=1):
    """Writes the pictured panels from shortly before the first fault until now. Of many series those that came to most; none that was 0 throughout."""
    began, end = faults[0][0] - before, faults[-1][0]
    panels = []
    for panel in (panel for title in PICTURED for panel in PANELS if panel["title"] == title):
        series = []
        for target in panel["targets"]:
            for labels, points in prometheus.ask_range(filled(target["expr"], {"job": "evs"}), began, end, step):
                values = [[round(at - began, 1), float(f"{value:.3g}")] for at, value in points if math.isfinite(value)]
                if any(value for _, value in values):
                    series.append({"name": name_of(target["legendFormat"], labels), "points": values})
        series.sort(key=lambda one: -max(value for _, value in one["points"]))
        panels.append({"title": panel["title"], "unit": panel["fieldConfig"]["defaults"]["unit"], "left_out": max(0, len(series) - MOST_SERIES),
                       "log": panel["fieldConfig"]["defaults"]["custom"]["scaleDistribution"]["type"] == "log", "series": sorted(series[:MOST_SERIES], key=lambda one: one["name"])})
    recorded = {"seconds": round(end - began), "faults": [[round(at - began, 1), what] for at, what in faults[:-1]], "panels": panels}
    pathlib.Path(path).write_text(json.dumps(recorded, separators=(",", ":")) + "\n")
