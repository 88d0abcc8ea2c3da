#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Instructions an operation of the ordering core takes, by callgrind, against golden figures.

    instructions.py --count build/release/bin/evs-ordering-count --golden instructions.golden [--renew]

Time says more about the machine than about the code; instructions of one compiler's release build are the same on a busy machine as on an
idle one. The golden file names the compiler that its figures are of: with another one, in another build, without valgrind, or on a
processor whose memcpy is another one there is nothing to compare, and the answer is 77, skipped. Fewer instructions than golden fail like
more: the figures are to be renewed, so that what was won is not lost again unseen.
"""
import argparse
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
# What is counted -> the work of evs-ordering-count, and its function that is measured.
ROWS = {
    "visit, a frame of 1400 B": ("visit", "evs::bench::token_visit*"),
    "receive, a frame of 1400 B": ("receive", "evs::bench::receive_frames*"),
    "pack and unpack, a message of 64 B": ("pack", "evs::bench::pack_and_unpack*"),
}


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True)


def about(count):
    lines = output_of(count, "about").stdout.splitlines()
    told = dict(line.split(" ", 1) for line in lines)
    flags = pathlib.Path("/proc/cpuinfo").read_text() if pathlib.Path("/proc/cpuinfo").exists() else ""
    told["processor"] = platform.machine() + (" avx2" if " avx2" in flags else "")
    return told


def measure(count, work, function):
    with tempfile.TemporaryDirectory() as directory:
        ran = output_of("valgrind", "--tool=callgrind", f"--toggle-collect={function}", f"--callgrind-out-file={directory}/out", count, work)
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    operations = re.search(r"(\d+) operations", ran.stdout)
    instructions = int(collected.group(1)) / int(operations.group(1))
    if instructions < 10:
        raise SystemExit(f"{work}: callgrind collected nothing in {function}")
    return instructions


def read(golden):
    head, rows = {}, {}
    for line in golden.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, value = line.rsplit(": ", 1)
        if name in ROWS:
            rows[name] = float(value)
        else:
            head[name] = value
    return head, rows


def renew(golden, told, tolerance, figures):
    comment = [line for line in golden.read_text().splitlines() if line.startswith("#")]
    head = [f"{name}: {told[name]}" for name in ("compiler", "build", "processor")] + [f"tolerance in percent: {tolerance}"]
    golden.write_text("\n".join(comment + head + [f"{name}: {value:.0f}" for name, value in figures.items()]) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", required=True)
    parser.add_argument("--golden", required=True, type=pathlib.Path)
    parser.add_argument("--renew", action="store_true")
    wishes = parser.parse_args()
    if not shutil.which("valgrind"):
        print("skipped: no valgrind here (tools/install-deps test)")
        return SKIPPED
    told = about(wishes.count)
    head, golden = read(wishes.golden)
    if told["build"] != "release":
        print(f"skipped: a {told['build']} build; figures are of a release build")
        return SKIPPED
    for name in ("compiler", "processor"):
        if not wishes.renew and told[name] != head[name]:
            print(f"skipped: the golden figures are of {name} {head[name]}, this is {told[name]}")
            return SKIPPED
    tolerance = float(head["tolerance in percent"])
    figures = {name: measure(wishes.count, *row) for name, row in ROWS.items()}
    if wishes.renew:
        renew(wishes.golden, told, head["tolerance in percent"], figures)
    bad = 0
    for name, value in figures.items():
        was = value if wishes.renew else golden[name]
        outside = abs(value - was) > was * tolerance / 100
        bad += outside
        print(f"{name}: {value:.0f} instructions, golden {was:.0f}" + (f": more than {tolerance:g} % apart" if outside else ""))
    if bad:
        print("If that is as it should be: cmake --build build/release --target ordering-instructions-renew, and say why in the commit.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
