# SPDX-License-Identifier: BSD-3-Clause
"""Looks at what was built with nm: what the library and the plugins export, and what must not be in a release.

Old programs find their symbols by name and version node, so a symbol that moves breaks them at start; a symbol that
leaks can be bound by somebody else's module in the same process. Crash points exist for the torture tests alone.

  exports.py library FILE LIST     exactly the symbols of LIST, the SONAME, no crash point, no library that a host application need not have
  exports.py plugin FILE...        the entry symbol alone, no crash point
  exports.py clean FILE...         no crash point
  exports.py self-test CC          each of the above must refuse what it is there to refuse
"""
import pathlib
import subprocess
import sys
import tempfile

CRASH_POINT = "crash_point"
ENTRY = "evs_plugin_entry_v1"
SONAME = "libevs.so.4"
# What comes with every C++ program, and what seals packets. No HTTP, no prometheus-cpp, no log library: those are plugins' and the tools' (docs/decisions/private-libraries.md).
NEEDED = {"libcrypto", "libstdc++", "libgcc_s", "libc", "libm", "ld-linux-x86-64"}


def output(*command):
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def exported(path):
    """Dynamic symbols that the file defines, with versions; the version nodes themselves (A) left out."""
    lines = [line.split() for line in output("nm", "-D", "--defined-only", "--with-symbol-versions", path).splitlines()]
    return {pieces[-1] for pieces in lines if pieces[-2] != "A"}


def crash_points(path):
    # The names alone: a function inlined to nothing leaves none, which is the point. Strings are looked at too, for a
    # point that is looked up by its name at run time.
    names = [line.split()[-1] for line in output("nm", "-C", path).splitlines() if line.split()]
    found = [name for name in names if CRASH_POINT in name.lower()]
    if b"EVS_CRASH_AT" in pathlib.Path(path).read_bytes():
        found.append("the string EVS_CRASH_AT")
    return [f"{path}: holds a crash point: {name}" for name in found]


def needed(path):
    names = [line.split("[")[1].split("]")[0] for line in output("readelf", "-d", path).splitlines() if "(NEEDED)" in line]
    return [f"{path}: needs {name}, which is not for a host application to have" for name in names if name.split(".so")[0] not in NEEDED]


def library(path, listing):
    wanted = {line for line in pathlib.Path(listing).read_text().split("\n") if line and not line.startswith("#")}
    found = exported(path)
    complaints = [f"{path}: {name} is exported but not in {listing}" for name in sorted(found - wanted)]
    complaints += [f"{path}: {name} is in {listing} but not exported" for name in sorted(wanted - found)]
    if f"[{SONAME}]" not in output("readelf", "-d", path):
        complaints.append(f"{path}: its SONAME is not {SONAME}")
    return complaints + needed(path)


def plugin(path):
    names = {name.split("@")[0] for name in exported(path)}
    return [] if names == {ENTRY} else [f"{path}: exports {', '.join(sorted(names)) or 'nothing'}; wanted {ENTRY} alone"]


def refuses(what, complaints, part):
    return [] if any(part in c for c in complaints) else [f"{what}: expected '{part}', got {complaints}"]


def self_test(compiler):
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        (base / "list").write_text("# none\nevs_gone@@EVS_1.0\n")

        def built(name, text, *flags):
            (base / "x.c").write_text(text)
            subprocess.run([compiler, "-shared", "-fPIC", *flags, "-o", base / name, base / "x.c"], check=True)
            return str(base / name)

        leaky = built("leaky.so", "int evs_leak; int evs_plugin_entry_v1; static int evs_crash_point_hit;\n"
                      "int *f(void) { return &evs_crash_point_hit; }\n")
        named = built("named.so", 'const char *evs_plugin_entry_v1 = "EVS_CRASH_AT";\n')
        using = built("using.so", "extern int evs_leak; int *g(void) { return &evs_leak; }\n", "-Wl,--no-as-needed", leaky)
        wrong = refuses("another library", library(using, base / "list"), "leaky.so, which is not for a host")
        wrong += refuses("a leak", library(leaky, base / "list"), "evs_leak is exported but not in")
        wrong += refuses("a loss", library(leaky, base / "list"), "evs_gone@@EVS_1.0 is in")
        wrong += refuses("no SONAME", library(leaky, base / "list"), "its SONAME is not")
        wrong += refuses("a leaking plugin", plugin(leaky), "wanted " + ENTRY)
        wrong += refuses("a crash point", crash_points(leaky), "evs_crash_point_hit")
        wrong += refuses("a crash point by name", crash_points(named), "EVS_CRASH_AT")
        if plugin(named):
            wrong.append(f"a good plugin is refused: {plugin(named)}")
        return wrong


def main(what, *rest):
    if what == "self-test":
        return self_test(rest[0])
    if what == "library":
        return library(*rest) + crash_points(rest[0])
    if what == "plugin":
        return [c for path in rest for c in plugin(path) + crash_points(path)]
    return [c for path in rest for c in crash_points(path)]


if __name__ == "__main__":
    result = main(*sys.argv[1:])
    print("\n".join(result) or f"{sys.argv[1]}: as it should be")
    sys.exit(1 if result else 0)
