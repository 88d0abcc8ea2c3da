# SPDX-License-Identifier: BSD-3-Clause
"""Holds the promise of tools/install-deps: what it installs brings no service, so none can be started or enabled.

Takes the script's own list, follows Depends through dpkg's database, leaves out what every Debian has anyway
(Essential, or Priority required or important), and asks the script's own services_of for units and init scripts.
  packages.py INSTALL_DEPS [--self-test]
"""
import re
import subprocess
import sys

FIELDS = "${Package}\t${db:Status-Status}\t${Essential}\t${Priority}\t${Depends}, ${Pre-Depends}\t${Provides}\n"


def database():
    packages, provided = {}, {}
    for line in subprocess.run(["dpkg-query", "-W", "-f", FIELDS], capture_output=True, check=True,
                               text=True).stdout.splitlines():
        name, status, essential, priority, depends, provides = line.split("\t")
        if status != "installed":
            continue
        base = essential == "yes" or priority in ("required", "important")
        wanted = [[re.sub(r"[:(\s].*", "", choice.strip()) for choice in clause.split("|")]
                  for clause in depends.split(",") if clause.strip()]
        packages[name] = (base, wanted)
        for virtual in provides.split(","):
            provided.setdefault(re.sub(r"[:(\s].*", "", virtual.strip()), []).append(name)
    return packages, provided


def closure(names):
    packages, provided = database()
    missing = [name for name in names if name not in packages]
    open_names, seen = [name for name in names if name in packages], set()
    while open_names:
        name = open_names.pop()
        if name in seen or packages[name][0]:
            continue
        seen.add(name)
        for choices in packages[name][1]:
            for choice in choices:
                # Any installed alternative may be the one that apt took: follow all.
                open_names += [c for c in [choice, *provided.get(choice, [])] if c in packages]
    return sorted(seen), missing


def check(script, names):
    found, missing = closure(names)
    complaints = [f"{name} is not installed: tools/install-deps test" for name in missing]
    services = subprocess.run(["bash", script, "--services", *found], capture_output=True, text=True, check=True).stdout
    complaints += [f"among the dependencies: {line}" for line in services.splitlines()]
    print(f"{len(names)} packages, {len(found)} with what they need")
    return complaints


if __name__ == "__main__":
    install_deps = sys.argv[1]
    if "--self-test" in sys.argv:
        # init-system-helpers' and util-linux's own units are on every Debian: services_of must see those.
        seen = subprocess.run(["bash", install_deps, "--services", "util-linux"], capture_output=True, text=True).stdout
        faults = [] if "unit fstrim.timer" in seen else [f"services_of overlooks fstrim.timer of util-linux: '{seen}'"]
    else:
        listed = subprocess.run(["bash", install_deps, "--list", "test"], capture_output=True, text=True, check=True)
        faults = check(install_deps, listed.stdout.split())
    print("\n".join(faults) or "no service among them")
    sys.exit(1 if faults else 0)
