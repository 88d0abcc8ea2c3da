# SPDX-License-Identifier: BSD-3-Clause
"""What the checks of the tree share: which files belong to it, and how a check reports.

A check is a function of a directory, so that each can be turned on a small tree with a planted fault: a check that
cannot fail proves nothing. run() is their common main: `--root DIR` looks at the tree, `--self-test` plants the faults.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE_ENDINGS = {".c", ".cc", ".h", ".hpp"}
SKIPPED_TOP = {"build", ".git"}


def files(root):
    """The tree's files, relative to root: what git knows or would add, else all that is not built."""
    try:
        listed = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=True).stdout.decode().split("\0")
        found = [pathlib.PurePosixPath(name) for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(root):
            inside = pathlib.PurePosixPath(os.path.relpath(folder, root))
            if str(inside) == ".":
                folders[:] = [f for f in folders if f not in SKIPPED_TOP and not f.startswith("build-")]
            found += [inside / name for name in names]
    return sorted(f for f in found if (pathlib.Path(root) / f).is_file())


def sources(root):
    return [f for f in files(root) if f.suffix in SOURCE_ENDINGS]


def plant(root, content):
    """Writes a small tree: {path: text}."""
    for name, text in content.items():
        path = pathlib.Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def self_test(check, cases):
    """cases: (what, {path: text}, expected fault or None). The fault is a part of one complaint."""
    wrong = []
    for what, content, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            plant(folder, content)
            complaints = check(folder)
        if expected is None and complaints:
            wrong.append(f"{what}: expected silence, got {complaints}")
        if expected is not None and not any(expected in c for c in complaints):
            wrong.append(f"{what}: expected '{expected}', got {complaints}")
    return wrong


def run(check, cases):
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=str(pathlib.Path(__file__).resolve().parents[3]))
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    complaints = self_test(check, cases) if arguments.self_test else check(arguments.root)
    for complaint in complaints:
        print(complaint)
    looked = f"{len(cases)} planted trees" if arguments.self_test else f"{len(files(arguments.root))} files"
    print(f"{len(complaints)} complaints, {looked}")
    sys.exit(1 if complaints else 0)
