# SPDX-License-Identifier: BSD-3-Clause
"""Judges the records of a demonstration: what each process wrote down as it was delivered to it.

Knows nothing of the bus and trusts none of the processes: it sees records alone and compares them with each other and
with the texts that were streamed. A record is a list of lines (bytes): b"NODEID NAME SEQUENCE TEXT" for a message,
b"config NODEID..." for a configuration. Everything is compared from the mark on: a message that the first member sends
once all who are there from the start have joined, so that their records begin at one place in the order.
"""
import dataclasses
import hashlib

MARK = b" mark"
END = b" end"


@dataclasses.dataclass
class Record:
    name: str
    role: str  # "start": there from the beginning; "late": joined in mid-stream; "killed"
    lines: list
    has_configurations: bool = True
    sent: int = -1  # what the process says it sent; -1: it could not say


@dataclasses.dataclass
class Row:
    name: str
    role: str
    messages: int
    stretch: str = ""  # digest of what all survivors delivered
    whole: str = ""    # digest from the mark on, of those there from the start


def is_message(line):
    return not line.startswith(b"config")


def from_mark(lines):
    for i, line in enumerate(lines):
        # Exactly "NODEID NAME mark": a text may end with the word too.
        if line.endswith(MARK) and line.count(b" ") == 2:
            return lines[i:]
    return []


def without_leaving(lines):
    """Cut after the last message: what follows are the configurations of those who left before this one."""
    end = len(lines)
    while end and not is_message(lines[end - 1]):
        end -= 1
    return lines[:end]


def digest(lines):
    return hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()[:16]


def first_difference(left, right):
    for i, (a, b) in enumerate(zip(left, right)):
        if a != b:
            return f"at {i}: {a[:60]!r} and {b[:60]!r}"
    return f"{len(left)} and {len(right)} lines, equal as far as the shorter goes"


def judge_streams(messages, texts, records):
    """Each sender's lines: all there, once, in order, and word for word those of its text."""
    complaints, next_line, ended = [], dict.fromkeys(texts, 0), set()
    for message in messages:
        parts = message.split(b" ", 3)
        name = parts[1].decode() if len(parts) > 2 else ""
        if name not in texts:
            complaints.append(f"a message of nobody: {message[:60]!r}")
        elif len(parts) == 3 and parts[2] in (MARK.strip(), END.strip()):
            ended |= {name} if parts[2] == END.strip() else set()
        else:
            n, lines = next_line[name], texts[name]
            if message.split(b" ", 1)[1] != b"%s %d %s" % (name.encode(), n, lines[n % len(lines)]):
                complaints.append(f"{name}: its line {n} should come, {message[:60]!r} came")
                next_line[name] = int(parts[2]) if parts[2].isdigit() else n
            next_line[name] += 1
        if len(complaints) > 5:
            break
    for record in records:
        if record.role == "killed":
            if record.name in ended:
                complaints.append(f"{record.name} was killed after its end, not in mid-stream")
        elif record.name not in ended:
            complaints.append(f"{record.name}: its end was not delivered")
        if record.role != "killed" and record.sent >= 0 and record.sent != next_line[record.name]:
            complaints.append(f"{record.name}: sent {record.sent} lines, {next_line[record.name]} were delivered")
        if next_line[record.name] == 0:
            complaints.append(f"{record.name}: not one line of it was delivered")
    return complaints


def judge_death(lines, nodeid):
    """Nothing of the dead one comes after the configuration that says it is gone; and one does say so."""
    gone = False
    for line in lines:
        if not is_message(line):
            gone = gone or nodeid not in line.split()[1:]
        elif gone and line.split(b" ", 1)[0] == nodeid:
            return [f"a message of {nodeid.decode()} after the configuration without it: {line[:60]!r}"]
    return [] if gone else [f"no configuration says that {nodeid.decode()} is gone"]


def judge(records, texts, killed_nodeid):
    """Returns (complaints, rows, how many messages the common stretch has)."""
    complaints, rows = [], []
    full = {r.name: from_mark(r.lines) if r.role != "late" else r.lines for r in records}
    full |= {r.name: without_leaving(full[r.name]) for r in records if r.role != "killed"}
    plain = {name: [line for line in lines if is_message(line)] for name, lines in full.items()}
    starters = [r for r in records if r.role == "start"]
    reference = next(r for r in starters if r.has_configurations)
    whole = plain[reference.name]
    if not whole:
        return [f"{reference.name}: the mark is not in its record"], [], 0
    complaints += judge_streams(whole, texts, records)
    complaints += judge_death(full[reference.name], killed_nodeid)
    place = 0
    for record in records:
        mine, row = plain[record.name], Row(record.name, record.role, len(plain[record.name]))
        rows.append(row)
        if record.role == "start":
            # Configurations take their place in the order: for those who note them they must stand at the same places.
            left, right = (full[record.name], full[reference.name]) if record.has_configurations else (mine, whole)
            if left != right:
                complaints.append(f"{record.name} and {reference.name} differ {first_difference(left, right)}")
        elif record.role == "killed":
            if full[record.name] != full[reference.name][:len(full[record.name])]:
                complaints.append(f"{record.name}: its record is no prefix of {reference.name}'s: "
                                  + first_difference(full[record.name], full[reference.name]))
            if not 1 < len(mine) < len(whole):
                complaints.append(f"{record.name}: {len(mine)} of {len(whole)} messages: not killed in mid-stream")
        else:
            place = whole.index(mine[0]) if mine and mine[0] in whole else 0
            if place == 0:
                complaints.append(f"{record.name}: did not join in mid-stream ({len(mine)} messages)")
            else:
                # From its first message on, configurations included. It speaks after it joined: nothing of its own may be missing before.
                own = [line for line in whole[:place] if line.split(b" ", 2)[1] == record.name.encode()]
                if own:
                    complaints.append(f"{record.name}: lacks its own message {own[0][:60]!r}")
                left, right = (lines[lines.index(mine[0]):] for lines in (full[record.name], full[reference.name]))
                if left != right:
                    complaints.append(f"{record.name} and {reference.name} differ {first_difference(left, right)}")
    stretch = len(whole) - place
    for record, row in zip(records, rows):
        if record.role != "killed":
            row.stretch = digest(plain[record.name][-stretch:])
        if record.role == "start":
            row.whole = digest(plain[record.name])
    if len({row.stretch for row in rows if row.role != "killed"}) != 1:
        complaints.append("the survivors' digests differ")
    return complaints, rows, stretch
