# SPDX-License-Identifier: BSD-3-Clause
"""What the log says stands in docs/operations.md: of each statement that makes a line, its longest fixed words.

Who adds a line adds what it means to whoever reads it at night. The fixed words are a string of the source; numbers and names go between such strings,
and the document may show them as it likes.
"""
import pathlib
import re

import tree

DOCUMENT = "docs/operations.md"
# Where lines are made, and how a statement looks that makes one. The last two files make nothing else.
SPOKEN = re.compile(r"log(_|\(\))?(\.|->)(error|warning|info)\(|\bsay\((sealing::|EVS_HOST_LOG_)|\blog\(EVS_HOST_LOG_|\bis_so\(|push_back\(\{\s*Level::|\bgive_up\(\"|\bgive_up\(std::string\(\"|\bclose\(\"|"
                    r"notices_\.push_back\(")
PLACES = ("bus/runtime/", "plugins/udp/", "plugins/shm/", "metrics/prometheus_service.cc")
SENTENCES = ("bus/runtime/uplink/words.cc", "bus/runtime/sealing/notices.cc")
LEAST = 12
TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|\'(?:[^\'\\]|\\.)\'')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


def statements(text):
    """The text cut at each semicolon that is in no string; without comments and #include."""
    parts, last = [], 0
    text = re.sub(r"^#include.*$", "", text, flags=re.M)
    text = TOKEN.sub(lambda token: " " if token.group(0).startswith("/") else token.group(0), text)
    for token in re.finditer(TOKEN.pattern + "|;", text):
        if token.group(0) == ";":
            parts.append(text[last:token.start()])
            last = token.end()
    return parts


def fixed_words(statement):
    """The longest of its strings, those that follow each other taken as one; "" when none is a sentence's part."""
    joined = re.sub(r'"\s*\n\s*"', "", statement)
    found = [one.replace('\\"', '"').strip() for one in LITERAL.findall(joined)]
    # A key of the log's rate limit ("uplink.ring") is no word.
    return max((one for one in found if len(one) >= LEAST and " " in one), key=len, default="")


def lines_of(name, text):
    for statement in statements(text):
        if SPOKEN.search(statement) or (name in SENTENCES and re.search(r"\breturn\b", statement)):
            words = fixed_words(statement)
            if words:
                yield words


def check(root):
    told = " ".join((pathlib.Path(root) / DOCUMENT).read_text().split())
    complaints = []
    for path in tree.files(root):
        name = path.as_posix()
        if path.suffix == ".cc" and name.startswith(PLACES):
            for words in lines_of(name, (pathlib.Path(root) / path).read_text()):
                if words not in told:
                    complaints.append(f"{name}: {DOCUMENT} does not say what this means: {words}")
    return complaints


TOP = "// SPDX-License-Identifier: BSD-3-Clause\n"
DOC = "`... does not read its groups` means that.\n"
CASES = [
    ("a line that is told of", {"bus/runtime/a.cc": 'log_->warning("kind", name + " does not read"\n  " its groups");  // it\'s "so"\n', DOCUMENT: DOC}, None),
    ("one that is not", {"bus/runtime/a.cc": 'log_->warning("kind", name + " has an idea of its own");\n', DOCUMENT: DOC}, "has an idea of its own"),
    ("one of a plugin", {"plugins/udp/a.cc": 'voice_.say(EVS_HOST_LOG_WARNING, "udp.x", "all is lost here");\n', DOCUMENT: DOC}, "all is lost here"),
    ("one by way of a bout", {"bus/runtime/uplink/a.cc": 'bouts_.is_so(now, kSlow, host, "nobody is heard;" + text, "", lines);\n', DOCUMENT: DOC}, "nobody is heard;"),
    ("a comment", {"bus/runtime/a.cc": '// log_->warning("kind", "of another time");\n', DOCUMENT: DOC}, None),
    ("a string that is no line", {"bus/runtime/a.cc": 'return "a failure of some call";\n', DOCUMENT: DOC}, None),
]

if __name__ == "__main__":
    tree.run(check, CASES)
