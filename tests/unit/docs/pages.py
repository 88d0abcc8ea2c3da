# SPDX-License-Identifier: BSD-3-Clause
"""Holds the manual pages to the headers.

  pages.py calls INCLUDE_DIR MAN_DIR                 each call has a page with every section; each error that the comment
                                                     above a call names stands in the page's ERRORS; each page that
                                                     another refers to is there; evs_cpp(3) names each member and
                                                     each enumerator of the C++ values
  pages.py examples INCLUDE_DIR MAN_DIR CC CXX       every SYNOPSIS and every EXAMPLE compiles, without a warning
  pages.py warnings MAN_DIR SCDOC                    scdoc takes each page, and so do man --warnings and mandoc where they are
  pages.py self-test                                 planted faults are found
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "RETURN VALUE", "ERRORS", "THREADS AND SIGNALS", "EXAMPLE", "COMPATIBILITY",
            "SEE ALSO"]
# Pages of evs itself that others write, and those of the system.
ELSEWHERE = re.compile(r"^(evs(-[a-z]+)?\((1|5|7|8)\)|evs\.toml\(5\)|(?!evs|cs_).*)$")

CALL = re.compile(r"(?:/\*((?:[^*]|\*(?!/))*)\*/\s*)?^(?:cs_error_t|const char \*)\s*((?:evs|cs)_\w+)\(", re.M)
ERROR = re.compile(r"\b(?:CS_ERR_)?([A-Z]{3,}(?:_[A-Z]+)*)\b")


def codes(header):
    """The names of cs_error_t without CS_ERR_."""
    return set(re.findall(r"^\s*CS_ERR_([A-Z_]+) = ", header, re.M))


def calls(header, known):
    """{call: errors that the comment above it names}, what it says "as" another call resolved."""
    said, of = {}, {}
    for comment, name in CALL.findall(header):
        said[name] = re.sub(r"\s*\n \* ?", " ", comment or "")
    for name, comment in said.items():
        found = {error for error in ERROR.findall(comment) if error in known}
        # "Errors: as evs_join(), and ..." or "as there", which is the call that the comment began with.
        tail = comment.partition("Errors:")[2]
        for other in re.findall(r"as (evs_\w+)\(\)", tail):
            found |= of.get(other, set())
        if re.search(r"\bas there\b", tail):
            for other in re.findall(r"(evs_mcast_\w+)\(\)", comment.partition("Errors:")[0]):
                found |= of.get(other, set())
        of[name] = found
    return of


def sections(page):
    parts = re.split(r"^# (.+)$", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def blocks(text):
    """The programs, as a reader of the page sees them: scdoc takes a backslash away from whatever follows it."""
    return [re.sub(r"\\(.)", r"\1", block, flags=re.S) for block in re.findall(r"^```\n(.*?)^```$", text, re.S | re.M)]


def lost(text):
    """What scdoc takes away without a word: a backslash of a program, and an underscore between two names of which one stands in <>."""
    for block in re.findall(r"^```\n(.*?)^```$", text, re.S | re.M):
        yield from (line.strip() for line in block.splitlines() if "\\" in line.replace("\\\\", ""))
    yield from re.findall(r"\w+_<\w+>_\w*", re.sub(r"^```\n(.*?)^```$", "", text, flags=re.S | re.M))


def values(header):
    """{type: its data members or enumerators} of the structs and enums that the C++ headers declare."""
    header = re.sub(r"//.*", "", header)
    found = {}
    for name, body in re.findall(r"enum class (\w+)[^{;]*\{(.*?)\}", header, re.S):
        found["enum class " + name] = re.findall(r"(\w+)\s*=\s*(?:EVS|CS)_", body)
    for indent, name, body in re.findall(r"^( *)struct (\w+) \{\n(.*?)^\1\};", header, re.S | re.M):
        members = re.findall(rf"^{indent}  [\w:<>, ]*[\w>] ((?:\w+, )*\w+)(?:\{{\}}| = [^;(]*)?;", body, re.M)
        found["struct " + name] = [member for several in members for member in several.split(", ")]
    return found


def check_values(include, man):
    page = man / "evs_cpp.3.scd"
    headers = [include / "evs" / name for name in ("evs.hpp", "evs_values.hpp")]
    if not page.exists():
        return []
    text, complaints = page.read_text(), []
    of = values("".join(header.read_text() for header in headers))
    for what, names in sorted(of.items()):
        entry = re.search(rf"^\*{what.rpartition(' ')[0]} evs::(\w+::)?{what.rpartition(' ')[2]}\*\n((?:\t.*\n)+)", text, re.M)
        if not entry:
            complaints.append(f"{page.name}: no entry for {what}")
            continue
        complaints += [f"{page.name}: {what} has {name}, which its entry does not name" for name in names
                       if not re.search(rf"_{name}_(?!\w)", entry[2])]
    print(f"{len(of)} values, {sum(map(len, of.values()))} members and enumerators")
    return complaints


def check_calls(include, man):
    include, man = pathlib.Path(include), pathlib.Path(man)
    shared = (include / "corosync/corotypes.h").read_text()
    header = (include / "evs/evs.h").read_text()
    known = codes(shared)
    of = {**calls(shared, known), **calls(header, known)}
    complaints = check_values(include, man)
    for name, errors in sorted(of.items()):
        path = man / f"{name}.3.scd"
        if not path.exists():
            complaints.append(f"{name}() has no page {path.name}")
            continue
        page = path.read_text()
        parts = sections(page)
        complaints += [f"{path.name}: no section {wanted}" for wanted in SECTIONS if not parts.get(wanted, "").strip()]
        documented = set(re.findall(r"^\*CS_ERR_([A-Z_]+)\*$", parts.get("ERRORS", ""), re.M))
        complaints += [f"{path.name}: CS_ERR_{error}, which the header names, is not under ERRORS" for error in errors - documented]
        complaints += [f"{path.name}: CS_ERR_{error} is no error" for error in documented - known]
        if not re.search(rf"\b{name}\(", parts.get("SYNOPSIS", "")):
            complaints.append(f"{path.name}: its SYNOPSIS does not show {name}()")
    there = {path.name[:-len(".scd")] for path in man.glob("*.scd")}
    for path in sorted(man.glob("*.3.scd")):
        if path.name[:-len(".3.scd")] not in set(of) | {"evs_cpp"}:
            complaints.append(f"{path.name}: a page for a call that no header has")
    for path in sorted(man.glob("*.scd")):
        text = path.read_text()
        if not re.match(rf"{re.escape(path.name.split('.scd')[0].rsplit('.', 1)[0])}\(\d\)", text):
            complaints.append(f"{path.name}: its first line names another page")
        complaints += [f"{path.name}: scdoc loses a backslash or an underscore of: {what}" for what in lost(text)]
        for name, section in re.findall(r"\*([\w.-]+)\*\((\d)\)", text):
            if f"{name}.{section}" not in there and not ELSEWHERE.match(f"{name}({section})"):
                complaints.append(f"{path.name}: refers to {name}({section}), which is not there")
    print(f"{len(of)} calls, {sum(map(len, of.values()))} errors named by the headers")
    if len(of) < 20 and header.count("evs_") > 100:
        complaints.append(f"only {len(of)} calls found in evs.h: this test reads it wrongly")
    return complaints


def check_examples(include, man, cc, cxx):
    complaints, compilations = [], []

    def compile_one(path, where, block):
        cpp = ".hpp>" in block
        compiler = [cxx, "-std=c++20", "-x", "c++"] if cpp else [cc, "-std=gnu11", "-x", "c"]
        command = [*compiler, "-Wall", "-Wextra", "-Werror", f"-I{include}", "-c", "-o", "/dev/null", "-"]
        done = subprocess.run(command, input=block, capture_output=True, text=True)
        return [f"{path.name}: {where} does not compile:\n{done.stderr[:1500]}"] if done.returncode else []

    for path in sorted(pathlib.Path(man).glob("*.3.scd")):
        parts = sections(path.read_text())
        if not blocks(parts.get("EXAMPLE", "")):
            complaints.append(f"{path.name}: no program under EXAMPLE")
        for where in ("SYNOPSIS", "EXAMPLE"):
            compilations += [(path, where, block) for block in blocks(parts.get(where, ""))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for complaint in pool.map(lambda one: compile_one(*one), compilations):
            complaints += complaint
    print(f"{len(compilations)} programs and synopses")
    return complaints


def check_warnings(man, scdoc):
    complaints, readers = [], []
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(pathlib.Path(man).glob("*.scd")):
            done = subprocess.run([scdoc], stdin=path.open(), capture_output=True, text=True)
            if done.returncode or done.stderr:
                complaints.append(f"{path.name}: scdoc: {done.stderr.strip()}")
                continue
            page = pathlib.Path(folder) / path.name[:-len(".scd")]
            page.write_text(done.stdout)
            readers = []
            if shutil.which("man") and shutil.which("groff"):
                readers.append(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(page)])
            if shutil.which("mandoc"):  # errors: its warnings are about paragraphs that scdoc writes, not we
                readers.append(["mandoc", "-Tlint", "-Werror", str(page)])
            for reader in readers:
                told = subprocess.run(reader, stdout=subprocess.DEVNULL if reader[0] == "man" else subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
                if told.returncode or told.stderr or told.stdout:
                    complaints.append(f"{path.name}: {reader[0]}: {(told.stderr or told.stdout)[:600]}")
    print("read by scdoc" + "".join(f", {reader[0]}" for reader in readers))
    return complaints


HPP = ("enum class E : int32_t {\n  one = EVS_ONE,\n  two = EVS_TWO  // last\n};\n"
       "struct S {\n  std::vector<int> a, b;  // c\n  E d = E::one;\n  S() = default;\n  int f() const { return 1; }\n};\n")
CPP = "\n*enum class evs::E*\n\t_one_, _two_.\n\n*struct evs::S*\n\t_a_, _b_,\n\t_d_.\n"


def self_test():
    shared = "typedef enum {\n  CS_OK = 1,\n  CS_ERR_BUSY = 10,\n  CS_ERR_TIMEOUT = 5\n} cs_error_t;\n"
    header = ("/* Waits. Errors: BUSY. */\ncs_error_t evs_a(int x);\n\n"
              "/* As evs_a(). Errors: as evs_a(), and\n * CS_ERR_TIMEOUT. */\ncs_error_t evs_b(int x);\n")
    def page(name, errors, extra=""):
        return f'{name}(3) "x" "y"\n' + "".join(
            f"\n# {s}\n\n" + {"SYNOPSIS": f"```\ncs_error_t {name}(int x);\n```\n",
                              "EXAMPLE": "```\nint main(void) { return 0; }\n```\n",
                              "ERRORS": "".join(f"*CS_ERR_{e}*\n\twhy\n\n" for e in errors)}.get(s, "text\n")
            for s in SECTIONS) + extra
    good = {"evs_a": page("evs_a", ["BUSY"]), "evs_b": page("evs_b", ["BUSY", "TIMEOUT"])}
    cases = [
        ("all is well", good, None),
        ("a page is missing", {"evs_a": good["evs_a"]}, "evs_b() has no page"),
        ("an error is missing", {**good, "evs_a": page("evs_a", ["TIMEOUT"])}, "CS_ERR_BUSY, which the header names"),
        ("an inherited error is missing", {**good, "evs_b": page("evs_b", ["TIMEOUT"])}, "evs_b.3.scd: CS_ERR_BUSY"),
        ("an error that is none", {**good, "evs_a": page("evs_a", ["BUSY", "BUZY"])}, "CS_ERR_BUZY is no error"),
        ("a section is missing", {**good, "evs_a": good["evs_a"].replace("# COMPATIBILITY", "text")}, "no section COMPATIBILITY"),
        ("a dead reference", {**good, "evs_a": good["evs_a"] + "*evs_c*(3)\n"}, "refers to evs_c(3)"),
        ("a page too many", {**good, "evs_z": page("evs_z", ["BUSY"])}, "no header has"),
        ("a member is missing", {**good, "evs_cpp": page("evs_cpp", []) + CPP.replace(" _b_,", "")}, "struct S has b"),
        ("an enumerator is missing", {**good, "evs_cpp": page("evs_cpp", []) + CPP.replace("_two_", "two")}, "enum class E has two"),
        ("a value is missing", {**good, "evs_cpp": page("evs_cpp", []) + CPP.replace("evs::S", "evs::T")}, "no entry for struct S"),
        ("all values are there", {**good, "evs_cpp": page("evs_cpp", []) + CPP}, None),
        ("a backslash that is lost", {**good, "evs_a": good["evs_a"] + '```\nputs("a\\n");\n```\n'}, "loses a backslash"),
        ("a backslash that stays", {**good, "evs_a": good["evs_a"] + '```\nputs("a\\\\n");\n```\n'}, None),
        ("an underscore that is lost", {**good, "evs_a": good["evs_a"] + "_EVS_<SECTION>_<KEY>_ sets\n"}, "EVS_<SECTION>_"),
        ("an underscore that stays", {**good, "evs_a": good["evs_a"] + "_EVS\\_<SECTION>\\_<KEY>_ sets\n"}, None),
        ("another page's name", {**good, "evs_a": good["evs_a"].replace("evs_a(3)", "evs_q(3)", 1)}, "names another page"),
    ]
    wrong = []
    for what, pages, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in ("corosync", "evs", "man"):
                (root / name).mkdir()
            (root / "corosync/corotypes.h").write_text(shared)
            (root / "evs/evs.h").write_text(header)
            (root / "evs/evs.hpp").write_text(HPP)
            (root / "evs/evs_values.hpp").write_text("")
            for name, text in pages.items():
                (root / f"man/{name}.3.scd").write_text(text)
            complaints = check_calls(root, root / "man")
            if expected is None and complaints or expected and not any(expected in c for c in complaints):
                wrong.append(f"{what}: expected {expected!r}, got {complaints}")
            if expected is None and "evs_cpp" not in pages:
                broken = good["evs_a"].replace("return 0;", "return zero;")
                (root / "man/evs_a.3.scd").write_text(broken)
                if not any("does not compile" in c for c in check_examples(root, root / "man", "cc", "c++")):
                    wrong.append("an EXAMPLE that does not compile was taken")
    return wrong


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    result = {"calls": check_calls, "examples": check_examples, "warnings": check_warnings,
              "self-test": self_test}[what](*arguments)
    print("\n".join(result) or "as it should be")
    sys.exit(1 if result else 0)
