# SPDX-License-Identifier: BSD-3-Clause
"""Draws docs/evs-dashboard.svg: panels of the dashboard, with the data of a test's run. It is not a screenshot, and says so.

  picture.py [RECORDING [SVG]]

The recording, docs/evs-dashboard.json, is made by tests/e2e/metrics/alerts_test.py when EVS_RECORD_DASHBOARD names a file: what a real Prometheus answered to the
expressions of the dashboard while a bus was in trouble. A test draws it again and compares.
"""
import json
import math
import pathlib
import sys
from xml.sax.saxutils import escape

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
COLUMNS, WIDTH, HEIGHT, GAP, TOP = 3, 400, 250, 14, 64
LEFT, RIGHT, UP, PLOT = 52, 12, 30, 128  # within a panel
COLOURS = ("#2a78d6", "#eb6834", "#1baa72", "#d55181", "#8a63d2", "#a67c00")
INK, PALE, GRID, PAPER, PANEL = "#1f2328", "#6b7280", "#e5e7eb", "#f4f5f7", "#ffffff"


def in_words(value, unit):
    if unit == "s":
        for factor, word in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if value >= factor or word == "µs":
                return f"{value / factor:.3g} {word}"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    text = f"{value / 1000:.3g} k" if value >= 1000 else f"{value:.3g}"
    return text + {"ops": "/s", "pps": " p/s", "Bps": " B/s"}.get(unit, "")


class Scale:
    """From values to heights: 0 at the bottom, or the decades of a logarithm."""

    def __init__(self, values, log):
        positive = [value for value in values if value > 0]
        self.log = log and bool(positive)
        if self.log:
            self.low, self.high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
            self.high = max(self.high, self.low + 1)
            self.ticks = [10.0 ** power for power in range(self.low, self.high + 1)]
        else:
            most = max(values, default=0) or 1
            step = next(factor * 10.0 ** power for power in range(-9, 12) for factor in (1, 2, 5) if factor * 10.0 ** power * 4 >= most)
            self.low, self.high = 0, step * math.ceil(most / step)
            self.ticks = [step * i for i in range(round(self.high / step) + 1)]

    def height(self, value):
        at = math.log10(max(value, 10.0 ** self.low)) if self.log else value
        return (at - self.low) / (self.high - self.low) * PLOT


def text(x, y, words, size=11, colour=INK, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{more}>{escape(words)}</text>'


def paths(points, across, bottom, scale):
    """Where seconds are missing the line ends and begins anew."""
    out, last = "", -math.inf
    for at, value in points:
        out += f"{'L' if at - last < 2.5 else 'M'}{across(at):.1f},{bottom - scale.height(value):.1f}"
        last = at
    return out


def panel(recorded, one, x, y):
    seconds = recorded["seconds"]
    scale = Scale([value for series in one["series"] for _, value in series["points"]], one["log"])
    bottom = y + UP + PLOT

    def across(at):
        return x + LEFT + at / seconds * (WIDTH - LEFT - RIGHT)
    yield f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="3" fill="{PANEL}" stroke="{GRID}"/>'
    yield text(x + 10, y + 19, one["title"], 12, INK, ' font-weight="600"')
    for tick in scale.ticks:
        level = bottom - scale.height(tick)
        yield f'<path d="M{x + LEFT},{level:.1f}H{x + WIDTH - RIGHT}" stroke="{GRID}"/>'
        yield text(x + LEFT - 6, level + 3.5, in_words(tick, one["unit"]), 9.5, PALE, ' text-anchor="end"')
    for number, (at, _) in enumerate(recorded["faults"], 1):
        yield f'<path d="M{across(at):.1f},{y + UP}V{bottom}" stroke="{PALE}" stroke-dasharray="2 3" stroke-width="0.7"/>'
        yield text(across(at), bottom + 11, str(number), 9, PALE, ' text-anchor="middle"')
    for colour, series in zip(COLOURS, one["series"]):
        yield f'<path d="{paths(series["points"], across, bottom, scale)}" fill="none" stroke="{colour}" stroke-width="1.4" stroke-linejoin="round"/>'
    names = [series["name"] for series in one["series"]]
    for i, (colour, name) in enumerate(zip(COLOURS, names)):
        left, line = x + 12 + i % 2 * (WIDTH / 2 - 8), bottom + 30 + i // 2 * 16
        yield f'<path d="M{left:.1f},{line - 3.5:.1f}h12" stroke="{colour}" stroke-width="2.5"/>'
        yield text(left + 17, line, name, 10)
    if one["left_out"]:
        yield text(x + WIDTH - RIGHT, bottom + 82, f"and {one['left_out']} more", 10, PALE, ' text-anchor="end"')


def draw(recorded):
    rows = math.ceil(len(recorded["panels"]) / COLUMNS)
    width = COLUMNS * (WIDTH + GAP) + GAP
    foot = TOP + rows * (HEIGHT + GAP)
    faults = [f"{number}  {what}" for number, (_, what) in enumerate(recorded["faults"], 1)]
    height = foot + 22 + math.ceil(len(faults) / 4) * 18
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" role="img">',
           "<title>Panels of the dashboard over a bus in trouble</title>",
           f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
           text(GAP, 27, "evs: a bus over three hosts in trouble", 17, INK, ' font-weight="600"'),
           text(GAP, 47, f"drawn from a test run, not a screenshot: what Prometheus answered to panels of the dashboard in {recorded['seconds']} s (metrics/grafana/picture.py)", 12, PALE)]
    for i, one in enumerate(recorded["panels"]):
        out += panel(recorded, one, GAP + i % COLUMNS * (WIDTH + GAP), TOP + i // COLUMNS * (HEIGHT + GAP))
    for i, what in enumerate(faults):
        out.append(text(GAP + i % 4 * (width / 4), foot + 16 + i // 4 * 18, what, 11.5))
    return "\n".join(out) + "\n</svg>\n"


if __name__ == "__main__":
    recording = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "evs-dashboard.json"
    picture = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else DOCS / "evs-dashboard.svg"
    picture.write_text(draw(json.loads(recording.read_text())))
