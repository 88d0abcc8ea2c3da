# SPDX-License-Identifier: BSD-3-Clause
"""Turns the judge of the demonstration between hosts on made-up records: a good set must pass, and each planted fault must be named, by its own look or by
`evs verify`, whose input it writes.

  demo_one_order.py EVS
"""
import copy
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools/demo.d"))
import one_order  # noqa: E402

TEXTS = {"ann": ["one", "", "end"], "bob": ["eins"], "cid": ["un"]}
NODES = {"ann": 11, "bob": 21, "cid": 31}  # each on a host of its own


def message(text, configuration, sequence):
    node = NODES[text.split(" ")[0]]
    return {"type": "message", "nodeid": node, "pid": node * 10, "text": text, "guarantee": "agreed", "sequence": sequence,
            "configuration": {"nodeid": 11, "seq": configuration}}


def configuration(kind, seq, *names):
    return {"type": "configuration", "kind": kind, "configuration": {"nodeid": 11, "seq": seq}, "members": [{"nodeid": NODES[name]} for name in names]}


ALL = [configuration("regular", 2, "ann"), configuration("regular", 4, "ann", "bob", "cid")]
FIRST = [message("ann 0 one", 4, 7), message("cid 0 un", 4, 9), message("bob 0 eins", 4, 12)]
APART = [configuration("transitional", 5, "ann", "bob"), configuration("regular", 6, "ann", "bob")]
LAST = [message("bob 1 eins", 6, 3), message("ann 1 ", 6, 4), message("ann 2 end", 6, 5), message("ann end 1", 6, 6), message("bob end 1", 6, 8)]
LEAVES = [configuration("transitional", 7, "bob"), configuration("regular", 8, "bob")]
ENDS = ["ann end 1", "bob end 1"]


def good():
    return {"ann": ALL + FIRST + APART + LAST, "bob": ALL + FIRST + APART + LAST + LEAVES, "cid": ALL + FIRST[:2]}


def complaints_of(evs, records):
    cut = {name: one_order.through_text(one_order.from_configuration(events, "11-4"), ENDS) for name, events in records.items()}
    found = one_order.judge(cut, TEXTS, ["ann", "bob"], "11-6")
    with tempfile.TemporaryDirectory() as folder:
        for name, events in cut.items():
            pathlib.Path(folder, f"{name}.trace").write_text(one_order.trace(events, NODES[name], NODES[name] * 10, name == "cid"))
        verdict = subprocess.run([evs, "verify", "--quiescent", folder], capture_output=True, text=True)
    return found + ([verdict.stdout + verdict.stderr] if verdict.returncode != 0 else [])


def swap(events, a, b):
    events[a], events[b] = events[b], events[a]


def everywhere(records, old, new):
    for event in (e for events in records.values() for e in events if e.get("text") == old):
        event["text"] = new


# FIRST begins at 2, APART at 5, LAST at 7.
CASES = [
    ("two swapped at one", lambda by: swap(by["bob"], 2, 3), "at different places"),
    ("one lost at one, at the end", lambda by: by["bob"].pop(8), "saw different messages in the last"),
    ("one lost at one, before hosts part", lambda by: by["bob"].pop(3), "go on from 11-4 to 11-5 together"),
    ("one repeated at one", lambda by: by["bob"].insert(4, by["bob"][2]), "bob: ann's line 0 comes after its line 0"),
    ("torn at all", lambda by: everywhere(by, "bob 1 eins", "bob 1 ein"), "not what bob sent"),
    ("a stranger speaks", lambda by: everywhere(by, "cid 0 un", "joe 0 un"), "a message of nobody"),
    ("one is heard by nobody", lambda by: [events.pop(7) for n, events in by.items() if n != "cid"], "bob: not one line"),
    ("the dead one saw what nobody saw", lambda by: by["cid"].append(message("ann 1 ", 4, 11)), "1.3"),
    ("delivered in a configuration that it was not sent in", lambda by: [e["configuration"].update(seq=6) for e in by["bob"][2:3]], "1.2"),
    ("one sees other members", lambda by: by["bob"][6]["members"].pop(), "W"),
]

if __name__ == "__main__":
    evs, faults = sys.argv[1], []
    if complaints := complaints_of(evs, good()):
        faults.append(f"a good set: {complaints}")
    for what, change, expected in CASES:
        records = copy.deepcopy(good())
        change(records)
        found = complaints_of(evs, records)
        if not any(expected in complaint for complaint in found):
            faults.append(f"{what}: expected '{expected}', got {found}")
    print("\n".join(faults) or f"a good set passes, {len(CASES)} planted faults are named")
    sys.exit(1 if faults else 0)
