# SPDX-License-Identifier: BSD-3-Clause
"""Holds the arrows of docs/architecture.md: who may include whom.

Reads every #include of the tree, names the part that each file belongs to, and compares with the table below. An
include that resolves to no file of the tree is a system or library header; only the pure parts are choosy about those:
bus/ordering and tools/verify get the C++ library without clocks, threads and I/O. Includes rather than link lines: they are what
a reader follows, and a link without an include is harmless.
"""
import pathlib
import re

import tree

# Part -> parts it may include. A part may always include itself.
ARROWS = {
    "bus/include": set(),
    "plugin.h": set(),
    "bus/ordering": set(),
    "bus/groups": {"bus/include"},
    "bus/runtime": {"bus/runtime/config", "bus/runtime/plugin", "bus/runtime/log", "bus/runtime/keys", "bus/runtime/sealing", "bus/runtime/uplink",
                    "bus/ordering", "bus/groups", "bus/include", "plugin.h", "shm"},
    # Reading configuration is a library within the runtime: it needs no bus, and `evs config` is made of it
    # (docs/decisions/tools-read-configuration.md).
    "bus/runtime/config": {"bus/include"},
    # So is finding and judging plugins, and `evs plugins` of it (docs/decisions/tools-list-plugins.md).
    "bus/runtime/plugin": {"bus/include", "plugin.h", "bus/runtime/config"},
    # Sealing knows packets of the ordering layer by their size and its names for hosts, and no bus. Keys and their file are a library within it, which
    # `evs keygen` is made of (docs/decisions/sealing.md).
    "bus/runtime/keys": {"bus/runtime/config"},
    "bus/runtime/sealing": {"bus/runtime/keys", "bus/runtime/config", "bus/ordering"},
    # A bus that spans hosts, as a transport: the ordering layer, sealing, plugins and what stands in control records; no bus. Board and window file are files of the bus directory.
    "bus/runtime/uplink": {"bus/runtime/sealing", "bus/runtime/config", "bus/runtime/plugin", "bus/runtime/log", "bus/groups", "bus/ordering", "plugin.h", "shm"},
    # Where lines go: no bus, and nothing of a medium.
    "bus/runtime/log": {"bus/runtime/config", "bus/include"},
    "bus/api": {"bus/runtime", "bus/runtime/config", "bus/runtime/plugin", "bus/runtime/log", "bus/ordering", "bus/groups", "bus/include", "plugin.h"},
    "shm": set(),
    "plugins/shm": {"plugin.h", "shm"},
    "plugins/*": {"plugin.h"},
    "metrics": {"shm", "plugin.h"},
    "tools": {"metrics", "bus/include", "plugin.h", "bus/runtime/config", "bus/runtime/plugin", "bus/runtime/keys", "tools/verify"},
    # What judges the bus shares nothing with it.
    "tools/verify": set(),
    "docs": {"bus/include", "plugin.h"},
    "tests": None,  # may include everything; nothing includes it
}

PURE = {"bus/ordering", "tools/verify"}
PURE_LIBRARY = set("""algorithm any array bit bitset cassert charconv cinttypes climits cmath compare concepts cstddef cstdint
cstring deque exception functional initializer_list iterator limits list map memory new numeric optional queue set span
stdexcept string string_view tuple type_traits typeinfo unordered_map unordered_set utility variant vector version
cstdlib iosfwd stack forward_list ratio system_error""".split())

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)
# A concrete plugin by name, in code of the bus: only configuration may say which one is meant.
CONCRETE = re.compile(r'evs-(transport|service)-[a-z]|"(transport-)?(shm|loopback|udp|cpg)"')
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/', re.S)


def part_of(path):
    text = str(path)
    if text == "bus/include/evs/plugin.h":
        return "plugin.h"
    if re.match(r"bus/runtime/config[._]", text):
        return "bus/runtime/config"
    if re.match(r"bus/runtime/(log[._]|no_cancel\.)", text):
        return "bus/runtime/log"
    if re.match(r"bus/runtime/plugin_", text):
        return "bus/runtime/plugin"
    if text.startswith("bus/runtime/sealing/"):
        return "bus/runtime/keys" if text.startswith("bus/runtime/sealing/key") else "bus/runtime/sealing"
    if text.startswith("bus/runtime/uplink/"):
        return "bus/runtime/uplink"
    pieces = path.parts
    if pieces[:2] == ("tools", "verify") or pieces[0] in ("bus", "plugins") and len(pieces) > 2:
        return "/".join(pieces[:2])
    return pieces[0]


def allowed(part):
    if part in ARROWS:
        return ARROWS[part]
    return ARROWS["plugins/*"] if part.startswith("plugins/") else set()


def resolve(name, quoted, including, known):
    """The file of the tree that an include means, or None for a header from outside."""
    candidates = [pathlib.PurePosixPath(name), pathlib.PurePosixPath("bus/include") / name]
    if quoted:
        beside = pathlib.PurePosixPath(*normal((including.parent / name).parts))
        candidates.insert(0, beside)
    return next((c for c in candidates if c in known), None)


def normal(parts):
    out = []
    for piece in parts:
        if piece == ".." and out:
            out.pop()
        elif piece != ".":
            out.append(piece)
    return out


def check(root):
    known = set(tree.sources(root))
    complaints = []
    for source in sorted(known):
        part = part_of(source)
        text = (pathlib.Path(root) / source).read_text(errors="replace")
        for bracket, name in INCLUDE.findall(text):
            target = resolve(name, bracket == '"', source, known)
            if target is None:
                if bracket == '"' and not name.startswith("evs_generated"):
                    complaints.append(f'{source}: "{name}" is no file of the tree; library headers go in <>')
                if part in PURE and name not in PURE_LIBRARY:
                    complaints.append(f"{source}: <{name}> - {part} is pure: the C++ library without clock, thread, I/O")
                continue
            to = part_of(target)
            reach = allowed(part)
            if to != part and reach is not None and to not in reach:
                complaints.append(f"{source}: includes {target}: no arrow from {part} to {to}")
        if part.startswith("bus/") and part != "bus/runtime/config":
            for hit in CONCRETE.finditer(COMMENT.sub("", text)):
                complaints.append(f"{source}: names a concrete plugin: {hit.group(0)}")
    for listing in tree.files(root):
        # The build has arrows too: nothing outside tests/ may build from it.
        if listing.name == "CMakeLists.txt" and len(listing.parts) > 1 and listing.parts[0] != "tests":
            for line in (pathlib.Path(root) / listing).read_text().splitlines():
                if re.search(r"\btests/", line.split("#")[0]):
                    complaints.append(f"{listing}: builds from tests/: {line.strip()}")
    return complaints


CASES = [
    ("a tree as drawn", {"bus/runtime/a.cc": '#include "shm/ring.h"\n#include "bus/ordering/o.h"\n', "shm/ring.h": "",
                         "bus/ordering/o.h": "#include <vector>\n", "plugins/shm/p.cc": '#include "shm/ring.h"\n'
                         "#include <evs/plugin.h>\n", "bus/include/evs/plugin.h": "",
                         "tests/unit/t.cc": '#include "shm/ring.h"\n'}, None),
    ("shm knows the bus", {"shm/a.h": '#include "bus/runtime/b.h"\n', "bus/runtime/b.h": ""}, "from shm to bus/runtime"),
    ("ordering reads a clock", {"bus/ordering/a.h": "#include <chrono>\n"}, "<chrono>"),
    ("ordering knows groups", {"bus/ordering/a.h": '#include "bus/groups/g.h"\n', "bus/groups/g.h": ""}, "no arrow"),
    ("a plugin takes the C API", {"plugins/loopback/l.cc": "#include <evs/evs.h>\n", "bus/include/evs/evs.h": ""}, "no arrow"),
    ("loopback takes shm", {"plugins/loopback/l.cc": '#include "shm/ring.h"\n', "shm/ring.h": ""}, "no arrow"),
    ("by a relative path", {"shm/a.h": '#include "../bus/api/b.h"\n', "bus/api/b.h": ""}, "from shm to bus/api"),
    ("a tool takes the runtime", {"tools/evs/a.cc": '#include "bus/runtime/b.h"\n', "bus/runtime/b.h": ""}, "no arrow"),
    ("a tool takes the configuration", {"tools/evs/a.cc": '#include "bus/runtime/config.h"\n', "bus/runtime/config.h": ""}, None),
    ("the configuration takes the bus", {"bus/runtime/config.h": '#include "bus/runtime/bus.h"\n', "bus/runtime/bus.h": ""},
     "no arrow"),
    ("a tool takes the plugin host", {"tools/evs/a.cc": '#include "bus/runtime/plugin_host.h"\n',
                                      "bus/runtime/plugin_host.h": ""}, None),
    ("the plugin host takes the bus", {"bus/runtime/plugin_host.cc": '#include "bus/runtime/bus.h"\n',
                                       "bus/runtime/bus.h": ""}, "no arrow"),
    ("a tool takes keys", {"tools/evs/a.cc": '#include "bus/runtime/sealing/key_file.h"\n', "bus/runtime/sealing/key_file.h": ""}, None),
    ("a tool seals", {"tools/evs/a.cc": '#include "bus/runtime/sealing/aead.h"\n', "bus/runtime/sealing/aead.h": ""}, "no arrow"),
    ("the link seals", {"bus/runtime/uplink/a.cc": '#include "bus/runtime/sealing/sealing.h"\n', "bus/runtime/sealing/sealing.h": ""}, None),
    ("the link takes the bus", {"bus/runtime/uplink/a.cc": '#include "bus/runtime/bus.h"\n', "bus/runtime/bus.h": ""}, "no arrow"),
    ("the link logs", {"bus/runtime/uplink/a.cc": '#include "bus/runtime/log.h"\n', "bus/runtime/log.h": ""}, None),
    ("the log takes the link", {"bus/runtime/log.cc": '#include "bus/runtime/uplink/a.h"\n', "bus/runtime/uplink/a.h": ""}, "no arrow"),
    ("sealing takes the bus", {"bus/runtime/sealing/a.cc": '#include "bus/runtime/bus.h"\n', "bus/runtime/bus.h": ""}, "no arrow"),
    ("keys know packets", {"bus/runtime/sealing/keyring.h": '#include "bus/ordering/o.h"\n', "bus/ordering/o.h": ""}, "no arrow"),
    ("a tool takes the checker", {"tools/evs/a.cc": '#include "tools/verify/check.h"\n', "tools/verify/check.h": "#include <vector>\n"}, None),
    ("the checker takes what it judges", {"tools/verify/a.cc": '#include "bus/ordering/o.h"\n', "bus/ordering/o.h": ""},
     "from tools/verify to bus/ordering"),
    ("the checker takes the API", {"tools/verify/a.cc": "#include <evs/evs.h>\n", "bus/include/evs/evs.h": ""}, "no arrow"),
    ("the checker takes a tool", {"tools/verify/a.cc": '#include "tools/evs/text.h"\n', "tools/evs/text.h": ""}, "no arrow"),
    ("the checker reads files", {"tools/verify/a.cc": "#include <fstream>\n"}, "tools/verify is pure"),
    ("code takes a test", {"bus/api/a.cc": '#include "tests/t.h"\n', "tests/t.h": ""}, "no arrow"),
    ("a file from nowhere", {"shm/a.h": '#include "gone.h"\n'}, "no file of the tree"),
    ("the bus names a plugin", {"bus/runtime/a.cc": 'open("evs-transport-shm.so");\n'}, "names a concrete plugin"),
    ("a comment may", {"bus/runtime/a.cc": "// such as evs-transport-shm.so\n"}, None),
    ("configuration may", {"bus/runtime/config.cc": 'transport = "shm";\n'}, None),
    ("the build takes a test", {"shm/CMakeLists.txt": "target_sources(x PRIVATE ../tests/t.cc)\n"}, "builds from tests/"),
]

if __name__ == "__main__":
    tree.run(check, CASES)
