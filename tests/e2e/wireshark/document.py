# SPDX-License-Identifier: BSD-3-Clause
"""docs/wire-format.md as data: its examples, and of each section the rows of its tables that have a place of their own."""
import pathlib
import re

ROW = re.compile(r"^\| (\d+) \| (\d+) \| `([a-z_.]+)` \|")


class Section:
    def __init__(self, title):
        self.title, self.rows, self.samples = title, [], []  # rows: of each table [(at, size, field)]


def sections(path):
    found, table, sample = [Section("")], None, None
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if sample is not None:
            if line.startswith("```"):
                found[-1].samples.append(bytes.fromhex("".join(sample)))
                sample = None
            else:
                sample.append(line.split("#")[0].replace(" ", ""))
        elif line.startswith("```hex"):
            sample = []
        elif line.startswith("#"):
            found.append(Section(line.lstrip("# ")))
        elif line.startswith("|"):
            row = ROW.match(line)
            if table is None:
                table = []
                found[-1].rows.append(table)
            if row:
                table.append((int(row[1]), int(row[2]), row[3]))
        if not line.startswith("|"):
            table = None
    return {section.title: section for section in found}
