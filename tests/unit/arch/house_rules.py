# SPDX-License-Identifier: BSD-3-Clause
"""The house rules that a machine can hold: file sizes, unfinished work, paths of one machine, licence lines.

Every protocol engine grows one monster file unless someone says no early; a note of work to be done in the code is
work that nobody will do; a path under somebody's home breaks everywhere else.
"""
import pathlib
import re

import tree

MOST_LINES = 500
MANY_LINES = 300

# Spelled in halves: this file is looked at too.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b|\bfor n" r"ow\b|\bplace" r"holder\b", re.I)
HOME = re.compile(r"(?<![\w$}/.])/(home/[a-z]|ro" r"ot/|Us" r"ers/|wo" r"rk/)")
LICENCE = "SPDX-License-Identifier: BSD-3-Clause"
TEXT_ENDINGS = tree.SOURCE_ENDINGS | {".py", ".sh", ".md", ".cmake", ".txt", ".scd", ".toml", ".json", ".yml", ".in", ".map", ".lua"}


def is_script(path):
    with open(path, "rb") as stream:
        return stream.read(2) == b"#!"


def check(root):
    complaints = []
    for name in tree.files(root):
        path = pathlib.Path(root) / name
        script = not name.suffix and is_script(path)
        if name.suffix not in TEXT_ENDINGS and not script:
            continue
        text = path.read_text(errors="replace")
        lines = text.splitlines()
        code = name.suffix in tree.SOURCE_ENDINGS | {".py", ".sh"} or script
        if code and len(lines) > MOST_LINES:
            complaints.append(f"{name}: {len(lines)} lines, more than {MOST_LINES}: split it")
        elif code and len(lines) > MANY_LINES:
            print(f"warning: {name}: {len(lines)} lines, more than {MANY_LINES}")
        if code and LICENCE not in "\n".join(lines[:5]):
            complaints.append(f"{name}: no licence line ({LICENCE}) at its top")
        for number, line in enumerate(lines, 1):
            for what, pattern in (("unfinished work", UNFINISHED), ("a path of one machine", HOME)):
                hit = pattern.search(line)
                if hit:
                    complaints.append(f"{name}:{number}: {what}: '{hit.group(0)}'")
    return complaints


TOP = "// " + LICENCE + "\n"
CASES = [
    ("a clean file", {"shm/a.cc": TOP + "int x;  // mkdtemp wants XXXXXX\n"}, None),
    ("a long file", {"shm/a.cc": TOP + "\n" * MOST_LINES}, "split it"),
    ("long prose is prose", {"docs/a.md": "\n" * 2 * MOST_LINES}, None),
    ("a note to oneself", {"shm/a.cc": TOP + "// TO" "DO: finish\n"}, "unfinished work"),
    ("a temporary measure", {"docs/a.md": "This works for n" "ow.\n"}, "unfinished work"),
    ("somebody's home", {"tools/a.sh": "# " + LICENCE + "\ncd /ho" "me/jane/evs\n"}, "one machine"),
    ("a folder called so", {"docs/a.md": "see metrics/home/j" "ane\n"}, None),
    ("no licence", {"shm/a.cc": "int x;\n"}, "no licence line"),
    ("no licence in a script", {"tools/check": "#!/bin/sh\n"}, "no licence line"),
]

if __name__ == "__main__":
    tree.run(check, CASES)
