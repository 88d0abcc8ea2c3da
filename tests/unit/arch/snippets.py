# SPDX-License-Identifier: BSD-3-Clause
"""Compiles, links and runs the programs that the documentation shows: what a newcomer copies must work.

Takes every fenced block of language c or cpp that has a main(). The two of the README are held to its promise of
30 lines, and each runs to its end by itself, on a bus of its own.
  snippets.py README... -- INCLUDE_DIR LIBRARY C_COMPILER CXX_COMPILER
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(c|cpp)\n(.*?)^```$", re.S | re.M)
MOST_LINES = 30


def programs(page):
    return [(language, text) for language, text in BLOCK.findall(page) if re.search(r"\bmain\s*\(", text)]


def check(pages, include, library, cc, cxx):
    complaints, counted = [], 0
    for page in pages:
        found = programs(pathlib.Path(page).read_text())
        if pathlib.Path(page).name == "README.md" and sorted(language for language, _ in found) != ["c", "cpp"]:
            complaints.append(f"{page}: wanted one program in C and one in C++, found {[l for l, _ in found]}")
        for language, text in found:
            counted += 1
            if text.count("\n") > MOST_LINES:
                complaints.append(f"{page}: the {language} program has {text.count(chr(10))} lines, not {MOST_LINES}")
            complaints += build_and_run(page, language, text, include, library, cc, cxx)
    print(f"{counted} programs")
    return complaints


def build_and_run(page, language, text, include, library, cc, cxx):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / f"snippet.{'c' if language == 'c' else 'cc'}"
        source.write_text(text)
        compiler = [cc, "-std=c11"] if language == "c" else [cxx, "-std=c++20"]
        # The directories that a program would get from pkg-config, and every warning of a careful newcomer.
        command = [*compiler, "-Wall", "-Wextra", "-Werror", *os.environ.get("EVS_SNIPPET_FLAGS", "").split(), f"-I{include}",
                   "-o", f"{folder}/snippet", source, library, f"-Wl,-rpath,{pathlib.Path(library).parent}"]
        built = subprocess.run(command, capture_output=True, text=True)
        if built.returncode:
            return [f"{page}: the {language} program does not compile:\n{built.stderr[:2000]}"]
        os.mkdir(f"{folder}/bus", 0o700)
        environment = dict(os.environ, EVS_LOCAL_DIRECTORY=f"{folder}/bus", EVS_BUS_NAME="snippet")
        try:
            done = subprocess.run([f"{folder}/snippet"], capture_output=True, text=True, timeout=30, env=environment)
        except subprocess.TimeoutExpired as late:
            return [f"{page}: the {language} program did not end in 30 s; it said {late.stdout!r} {late.stderr!r}"]
        if done.returncode or not done.stdout:
            return [f"{page}: the {language} program ended with {done.returncode}: '{done.stdout}' '{done.stderr}'"]
    return []


if __name__ == "__main__":
    split = sys.argv.index("--")
    result = check(sys.argv[1:split], *sys.argv[split + 1:])
    print("\n".join(result) or "each compiles, links, runs and ends")
    sys.exit(1 if result else 0)
