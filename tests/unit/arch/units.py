# SPDX-License-Identifier: BSD-3-Clause
"""What systemd says of the units in a directory: nothing. No unit is installed, and no service manager is asked.

The program of a unit need not be installed here, nor its manual page: the one is replaced by a program that is, the other left out.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def main(directory):
    tool = shutil.which("systemd-analyze")
    if tool is None:
        print("no systemd-analyze here")
        return SKIPPED
    units = sorted(pathlib.Path(directory).glob("*.service"))
    if not units:
        print(f"no unit in {directory}")
        return 1
    bad = 0
    for unit in units:
        text = unit.read_text()
        with tempfile.TemporaryDirectory() as place:
            copy = pathlib.Path(place, unit.name)
            copy.write_text(re.sub(r"^Documentation=.*\n", "", re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M), flags=re.M))
            said = subprocess.run([tool, "verify", copy], capture_output=True, text=True, check=False)
        if said.returncode != 0 or said.stderr.strip():
            print(f"{unit}: {said.stderr.strip() or said.returncode}")
            bad = 1
        if not re.search(r"^ExecStart=/\S*/evs \S", text, flags=re.M):
            print(f"{unit}: its ExecStart is no command of evs")
            bad = 1
    print(f"{len(units)} units, {'bad' if bad else 'nothing to say of them'}")
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
