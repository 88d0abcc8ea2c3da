# SPDX-License-Identifier: BSD-3-Clause
"""Compares the types and functions of libevs.so.4, as its debug information tells them, with those taken at a release.

libevs.symbols holds the names; this holds what stands behind them: a parameter that changed its type, a member that moved.
Additions are no complaint (a struct that begins with its size may grow, and says so by growing: renew the file).

  abi.py check LIBRARY ABI_FILE HEADERS     exit 1 with abidiff's report when something changed
  abi.py renew LIBRARY ABI_FILE HEADERS     after a change that was meant
  abi.py self-test CC                       a library that changed must be refused
"""
import pathlib
import subprocess
import sys
import tempfile
from xml.etree import ElementTree


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def renew(library, abi_file, headers):
    done = run("abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--drop-private-types",
               "--no-elf-needed", "--headers-dir", headers, "--out-file", abi_file, library)
    if done.returncode:
        return [done.stderr]
    tree = ElementTree.parse(abi_file)
    prune(tree.getroot())
    ElementTree.indent(tree)
    tree.write(abi_file)
    return []


def prune(corpus):
    """Leaves the exported functions and what their types are made of: the rest is the library's own C++."""
    kinds = {node.get("id"): node for node in corpus.iter() if node.get("id")}
    exported = [node for node in corpus.iter("function-decl") if node.get("elf-symbol-id")]
    needed, unseen = set(), list(exported)
    while unseen:
        for part in unseen.pop().iter():
            for attribute in ("type-id", "naming-typedef-id"):
                name = part.get(attribute)
                if name in kinds and name not in needed:
                    needed.add(name)
                    unseen.append(kinds[name])
    for unit in corpus.iter("abi-instr"):
        for node in list(unit):
            if node not in exported and not needed & {part.get("id") for part in node.iter()}:
                unit.remove(node)


def check(library, abi_file, headers):
    # Without types abidiff compares names alone and finds nothing; then it is this check that is broken.
    if "type-decl" not in pathlib.Path(abi_file).read_text():
        return [f"{abi_file}: no types in it: it was taken from a library without debug information"]
    if ".debug_info" not in run("readelf", "-S", library).stdout:
        return [f"{library}: no debug information: nothing to compare with {abi_file}"]
    done = run("abidiff", "--no-added-syms", "--no-show-locs", "--drop-private-types", "--headers-dir2", headers,
               abi_file, library)
    return [done.stdout + done.stderr] if done.returncode else []


def self_test(compiler):
    before = "struct s { int a; long b; }; int f(struct s *p) { return p->a; } int g(int x) { return x; }\n"
    cases = [("the same again", before, None),
             ("a function more", before + "int h(void) { return 1; }\n", None),
             ("a parameter changed", before.replace("int g(int x)", "int g(long long x)"), "parameter 1"),
             ("a member moved", before.replace("int a; long b;", "long b; int a;"), "offset changed"),
             ("a function lost", before.replace("int g(", "static inline int g("), "1 Removed function")]
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)

        def built(text):
            (base / "x.c").write_text(text)
            subprocess.run([compiler, "-g", "-shared", "-fPIC", "-o", base / "x.so", base / "x.c"], check=True)
            return base / "x.so"

        wrong += renew(built(before), base / "x.abi", folder)
        for what, text, expected in cases:
            found = "\n".join(check(built(text), base / "x.abi", folder))
            if (expected is None and found) or (expected is not None and expected not in found):
                wrong.append(f"{what}: expected {expected}, got '{found}'")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", base / "x.so", base / "x.c"], check=True)
        if not any("no debug information" in c for c in check(base / "x.so", base / "x.abi", folder)):
            wrong.append("a library without debug information passes")
    return wrong


if __name__ == "__main__":
    result = {"check": check, "renew": renew, "self-test": self_test}[sys.argv[1]](*sys.argv[2:])
    print("\n".join(result) or f"{sys.argv[1]}: as it should be")
    sys.exit(1 if result else 0)
