# SPDX-License-Identifier: BSD-3-Clause
"""Compiles the public headers the ways programs do: alone, in any order, in every language level, with each compiler,
and beside the corosync/corotypes.h that Debian ships.

  headers.py alone|order|debian INCLUDE_DIR COMPILER...      a C compiler is gcc or clang, its C++ twin is found by name
"""
import concurrent.futures
import itertools
import os
import pathlib
import re
import subprocess
import sys
import tempfile

C_HEADERS = ["corosync/corotypes.h", "corosync/hdb.h", "corosync/evs.h", "evs/evs.h", "evs/plugin.h"]
CXX_HEADERS = ["evs/evs.hpp", "evs/asio.hpp"]
C_LEVELS = ["c99", "c11"]
CXX_LEVELS = ["c++17", "c++20"]
DEBIAN = "/usr/include/corosync/corotypes.h"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def twin(compiler):
    path = pathlib.Path(compiler)
    name = re.sub(r"clang(?!\+)", "clang++", path.name)
    name = re.sub(r"gcc", "g++", name)
    if name == path.name and name in ("cc", "c99"):
        name = "c++"
    return str(path.with_name(name)) if path.parent != pathlib.Path(".") else name


class Compilers:
    def __init__(self, include, compilers):
        self.include, self.compilers, self.count, self.complaints = include, compilers, 0, []
        self.pool, self.waiting = concurrent.futures.ThreadPoolExecutor(os.cpu_count()), []

    def source(self, level, text, *flags, expect=True):
        """Every compiler must take (or, with expect=False, refuse) the text at the level."""
        cxx = level.startswith("c++")
        for compiler in self.compilers:
            command = [twin(compiler) if cxx else compiler, f"-std={level}", "-fsyntax-only", *WARNINGS, *flags,
                       f"-I{self.include}", "-x", "c++" if cxx else "c", "-"]
            self.count += 1
            self.waiting.append(self.pool.submit(self.compile, command, text, expect))

    @staticmethod
    def compile(command, text, expect):
        """A complaint, or None."""
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if (done.returncode == 0) == expect:
            return None
        why = done.stderr.strip().splitlines()[:6] or ["taken, though it should be refused"]
        return " ".join(command) + "\n  <<< " + text.replace("\n", "; ") + "\n  " + "\n  ".join(why)

    def finish(self):
        """Each compiler is a process of its own, as many at a time as there are cores."""
        self.complaints += [complaint for complaint in (done.result() for done in self.waiting) if complaint]

    def both(self, text, *flags):
        for level in C_LEVELS + CXX_LEVELS:
            self.source(level, text, *flags)


def includes(*names):
    return "".join(f"#include <{name}>\n" for name in names)


def alone(run):
    for header in C_HEADERS:
        # Twice: the guard holds. And with what a strict C program would have asked for: nothing but its level.
        run.both(includes(header, header) + "int main(void) { return 0; }\n")
    for header in CXX_HEADERS:
        if header.endswith(".hpp"):
            run.source("c++20", includes(header, header) + "int main() { return 0; }\n", "-Wno-pedantic")
    run.source("c11", "#include <evs/gone.h>\n", expect=False)
    run.source("c99", includes("evs/evs.h") + "evs_handle_t f(void) { return evs_gone(); }\n", expect=False)


def order(run):
    for pair in itertools.permutations(C_HEADERS, 2):
        run.source("c99", includes(*pair) + "int main(void) { return 0; }\n")
        run.source("c++17", includes(*pair) + "int main() { return 0; }\n")
    for names in (C_HEADERS + ["evs/evs.hpp"], ["evs/evs.hpp"] + C_HEADERS[::-1]):
        run.source("c++20", includes(*names) + "int main() { return 0; }\n", "-Wno-pedantic")


def names_and_values(text):
    """Enumerators and object-like macros of the shared header, by name."""
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    enumerators = re.findall(r"^\s*(CS_[A-Z_]+)\s*=\s*\w+", bare, re.M)
    macros = re.findall(r"^#define\s+(CS_[A-Z_]+)[ \t]+\S", bare, re.M)
    return enumerators, [m for m in macros if not m.startswith("CS_PRI_")]


def debian(run):
    if not pathlib.Path(DEBIAN).exists():
        run.complaints.append(f"{DEBIAN} is missing: install libcorosync-common-dev (tools/install-deps test)")
        return
    use = ("int f(void) { cs_error_t e = CS_ERR_TRY_AGAIN; cs_dispatch_flags_t d = CS_DISPATCH_ALL; evs_handle_t h = 0;\n"
           "  cs_name_t n; cs_version_t v; cs_time_t t = CS_TIME_END; n.length = 0; v.majorVersion = 1;\n"
           "  return (int)e + (int)d + (int)h + n.length + v.majorVersion + (t != 0) + (cs_strerror(e) != 0); }\n")
    theirs = f'#include <inttypes.h>\n#include "{DEBIAN}"\n'
    # Theirs are not pedantic about unused results or padding: the warnings that count here are errors by themselves.
    for level in ("gnu99", "gnu11", "gnu++17", "gnu++20"):
        cxx = "++" in level
        for text in (theirs + includes("evs/evs.h"), includes("evs/evs.h") + theirs, includes("corosync/evs.h") + theirs,
                     theirs + includes("corosync/evs.h", "corosync/corotypes.h", "corosync/hdb.h")):
            run.source(level.replace("gnu", "c") if cxx else level, text + use, "-D_GNU_SOURCE")
    enumerators, macros = names_and_values(pathlib.Path(DEBIAN).read_text())
    if len(enumerators) < 30 or len(macros) < 10:
        run.complaints.append(f"{DEBIAN}: found only {len(enumerators)} enumerators and {len(macros)} macros")
    ours = includes("corosync/corotypes.h")
    with tempfile.TemporaryDirectory() as folder:
        for who, text in (("theirs", theirs), ("ours", ours)):
            body = "".join(f'  printf("%s %lld\\n", "{n}", (long long)({n}));\n' for n in enumerators + macros
                           if n != "CS_MAX")
            for name in ("cs_time_t", "cs_name_t", "cs_version_t", "cs_dispatch_flags_t", "cs_error_t"):
                body += f'  printf("%s %zu\\n", "sizeof {name}", sizeof({name}));\n'
            source = pathlib.Path(folder) / f"{who}.c"
            source.write_text("#include <stdio.h>\n" + text + "int main(void) {\n" + body + "  return 0;\n}\n")
            done = subprocess.run([run.compilers[0], "-D_GNU_SOURCE", f"-I{run.include}", "-o", source.with_suffix(""), source],
                                  capture_output=True, text=True)
            if done.returncode:
                run.complaints.append(f"{who}: a name of Debian's header is missing:\n{done.stderr[:1500]}")
                return
        run.count += 2
        theirs_say, ours_say = (subprocess.run([f"{folder}/{who}"], capture_output=True, text=True, check=True).stdout
                                for who in ("theirs", "ours"))
    for left, right in zip(theirs_say.splitlines(), ours_say.splitlines()):
        if left != right:
            run.complaints.append(f"Debian's header says '{left}', ours '{right}'")


if __name__ == "__main__":
    what, include, *compilers = sys.argv[1:]
    state = Compilers(include, compilers)
    {"alone": alone, "order": order, "debian": debian}[what](state)
    state.finish()
    print("\n".join(state.complaints) or f"{what}: {state.count} compilations, {len(compilers)} compilers, as expected")
    sys.exit(1 if state.complaints else 0)
