# SPDX-License-Identifier: BSD-3-Clause
"""Turns the demonstration's judge on made-up records: a good set must pass, and each planted fault must be named.

The demonstration's exit status is worth what its judge sees, and on a bus that works it never has anything to see.
"""
import copy
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools/demo.d"))
import verdict  # noqa: E402

TEXTS = {"ann": [b"one", b"", b"the end"], "bob": [b"eins"], "eve": [b"un", b"deux"], "lee": [b"uno"], "kit": [b"ichi"]}
ALL, NO_EVE, WITH_LEE = b"config 1 2 3", b"config 1 2", b"config 1 2 4"
ORDER = [b"1 ann mark", b"5 kit 0 ichi", b"1 ann 0 one", b"3 eve 0 un", b"2 bob 0 eins", b"3 eve 1 deux", b"1 ann 1 ", NO_EVE, NO_EVE,
         b"1 ann 2 the end", WITH_LEE, b"2 bob 1 eins", b"4 lee 0 uno", b"1 ann 3 one", b"1 ann end", b"2 bob end", b"4 lee end", b"5 kit end"]


def good():
    record = verdict.Record
    return [record("ann", "start", [b"config 1", ALL] + ORDER, sent=4),
            record("bob", "start", [ALL] + ORDER + [b"config 2 4"], sent=2),
            record("kit", "start", [l for l in ORDER if verdict.is_message(l)], has_configurations=False, sent=1),
            record("eve", "killed", [ALL] + ORDER[:5]),
            record("lee", "late", [WITH_LEE] + ORDER[11:], sent=1)]


def spoil(change):
    records = copy.deepcopy(good())
    change({r.name: r for r in records})
    return verdict.judge(records, TEXTS, b"3")[0]


def swap(lines, a, b):
    lines[a], lines[b] = lines[b], lines[a]


def drop(by, line):
    for record in by.values():
        if line in record.lines:
            record.lines.remove(line)


CASES = [
    ("two swapped at one", lambda by: swap(by["bob"].lines, 2, 3), "bob and ann differ"),
    ("one lost at one", lambda by: by["bob"].lines.pop(4), "bob and ann differ"),
    ("one repeated at one", lambda by: by["bob"].lines.insert(4, by["bob"].lines[4]), "bob and ann differ"),
    ("one lost at all", lambda by: drop(by, b"1 ann 1 "), "ann: its line 1 should come"),
    ("torn at all", lambda by: [r.lines.__setitem__(r.lines.index(b"2 bob 1 eins"), b"2 bob 1 ein") for r in by.values()
                                if b"2 bob 1 eins" in r.lines], "bob: its line 1 should come"),
    ("the dead one saw what nobody saw", lambda by: by["eve"].lines.append(b"3 eve 9 un"), "no prefix"),
    ("the dead one lacks one in between", lambda by: by["eve"].lines.pop(2), "no prefix"),
    ("the dead one finished first", lambda by: by["eve"].lines.__setitem__(slice(None), by["ann"].lines), "not killed in mid-stream"),
    ("one lost at one that notes no configurations", lambda by: by["kit"].lines.pop(4), "kit and ann differ"),
    ("a configuration elsewhere", lambda by: swap(by["bob"].lines, 9, 10), "bob and ann differ"),
    ("a message of the dead", lambda by: [swap(by[n].lines, i, i + 2) for n, i in (("ann", 7), ("bob", 6))],
     "after the configuration"),
    ("nobody noticed the death", lambda by: drop(by, NO_EVE) or drop(by, NO_EVE) or drop(by, WITH_LEE),
     "no configuration says"),
    ("the late one lost its last", lambda by: by["lee"].lines.pop(), "lee and ann differ"),
    ("the late one lost its first", lambda by: by["lee"].lines.__delitem__(slice(1, 3)), "lacks its own message"),
    ("the late one has a configuration elsewhere", lambda by: by["lee"].lines.insert(3, NO_EVE), "lee and ann differ"),
    ("the late one was there all the time", lambda by: by["lee"].lines.__setitem__(slice(None), ORDER), "did not join in mid-stream"),
    ("one says it sent more", lambda by: setattr(by["bob"], "sent", 3), "sent 3 lines, 2 were delivered"),
    ("a stranger speaks", lambda by: [r.lines.append(b"9 joe 0 hi") for r in by.values() if r.name != "eve"], "a message of nobody"),
    ("no mark", lambda by: drop(by, ORDER[0]), "the mark is not"),
]

if __name__ == "__main__":
    faults = []
    complaints, rows, stretch = verdict.judge(good(), TEXTS, b"3")
    if complaints or stretch != 7 or len({r.whole for r in rows[:3]}) != 1 or rows[4].stretch != rows[0].stretch:
        faults.append(f"a good set: {complaints} {rows} {stretch}")
    for what, change, expected in CASES:
        found = spoil(change)
        if not any(expected in complaint for complaint in found):
            faults.append(f"{what}: expected '{expected}', got {found}")
    print("\n".join(faults) or f"a good set passes, {len(CASES)} planted faults are named")
    sys.exit(1 if faults else 0)
