# SPDX-License-Identifier: BSD-3-Clause
"""The dashboard that is shipped: its panels and what they ask, as Grafana would send it."""
import json
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
