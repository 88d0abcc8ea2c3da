# SPDX-License-Identifier: BSD-3-Clause
"""Judges what processes of several hosts saw, as `evs cat --json` wrote it down: the referee's own look, and traces for `evs verify`.

Knows nothing of the bus. A record is a list of events, one dict for each line. Hosts part and meet, so not everybody has to see everything: who goes
through the same configurations has to see the same in them. That is judged by `evs verify` (docs/trace-format.md), of which this file writes the
input. The look of our own is one that needs no theory: word for word what was sent, nothing twice, and one order for all.
"""
import hashlib


def identity(configuration):
    return f"{configuration['nodeid']}-{configuration['seq']}"


def is_message(event):
    return event["type"] == "message"


def is_regular(event):
    return event["type"] == "configuration" and event["kind"] == "regular"


def from_configuration(events, wanted):
    """From where the configuration begins in which all are together: there the records of all begin at one place."""
    for i, event in enumerate(events):
        if is_regular(event) and identity(event["configuration"]) == wanted:
            return events[i:]
    return []


def through_text(events, texts):
    """Up to the last of these messages: what follows are the configurations of those who left before this one."""
    missing = set(texts)
    for i, event in enumerate(events):
        if is_message(event):
            missing.discard(event["text"])
            if not missing:
                return events[: i + 1]
    return events


def digest(texts):
    return hashlib.sha256(b"".join(text.encode() + b"\n" for text in texts)).hexdigest()[:16]


def texts_in(events, configuration):
    return [e["text"] for e in events if is_message(e) and identity(e["configuration"]) == configuration]


def judge_lines(name, events, texts):
    """What came is word for word what each sender's text says, each sender's lines rise, and none comes twice."""
    last = {}
    for event in filter(is_message, events):
        words = event["text"].split(" ", 2)
        if len(words) < 2 or words[0] not in texts:
            return [f"{name}: a message of nobody: {event['text'][:60]!r}"]
        sender, lines = words[0], texts[words[0]]
        if words[1] == "end":
            continue
        n = int(words[1]) if words[1].isdigit() else -1
        if n < 0 or words[2:] != [lines[n % len(lines)]]:
            return [f"{name}: not what {sender} sent: {event['text'][:60]!r}"]
        if n <= last.get(sender, -1):
            return [f"{name}: {sender}'s line {n} comes after its line {last[sender]}"]
        last[sender] = n
    return []


def judge_order(records):
    """Whatever two of them both have, they have in the same order."""
    complaints = []
    whole = {name: [e["text"] for e in events if is_message(e)] for name, events in records.items()}
    names = list(whole)
    for i, left in enumerate(names):
        place = {text: at for at, text in enumerate(whole[left])}
        for right in names[i + 1:]:
            common = [place[text] for text in whole[right] if text in place]
            later = next((k for k in range(1, len(common)) if common[k] <= common[k - 1]), None)
            if later is not None:
                complaints.append(f"{left} and {right} have {whole[left][common[later]][:60]!r} at different places")
    return complaints


def judge(records, texts, living, ended_in):
    """`records`: name -> events, cut to one beginning and end; `living`: who was there to the end; `ended_in`: the configuration in which they
    ended. Returns complaints."""
    complaints = []
    for name, events in records.items():
        complaints += judge_lines(name, events, texts)
    complaints += judge_order(records)
    last = {name: texts_in(records[name], ended_in) for name in living}
    if len({digest(lines) for lines in last.values()}) != 1:
        complaints.append("those who live saw different messages in the last configuration")
    for name in living:
        if not any(text.startswith(name + " ") and not text.startswith(name + " end ") for lines in last.values() for text in lines):
            complaints.append(f"{name}: not one line of it was delivered in the last configuration")
    return complaints


def trace(events, nodeid, pid, died):
    """The record as a trace. A process does not see when its message was given its place: at the earliest when the configuration began in which it
    was; so that is where the sending is written, and the judge believes no causes that there may not have been."""
    me = f"{nodeid}.{pid}"
    sends = {}
    for event in events:
        if is_message(event) and (event["nodeid"], event["pid"]) == (nodeid, pid):
            sends.setdefault(identity(event["configuration"]), []).append("send " + place_of(event))
    lines, current, regular = ["evs-trace 1", f"boot process={me} level=process"], "", ""
    for event in events:
        if is_message(event):
            lines.append(f"deliver conf={current} {place_of(event)} sender={event['nodeid']}.{event['pid']}")
        elif event["type"] == "configuration":
            current = identity(event["configuration"])
            kind = "reg" if is_regular(event) else f"trans reg={regular}"
            members = ",".join(str(m["nodeid"]) for m in event["members"])
            lines.append(f"conf id={current} type={kind} ring_seq={event['configuration']['seq']} members={members}")
            if is_regular(event):
                regular = current
                lines += sends.get(regular, [])
    return "\n".join([*lines, "fail" if died else "end", ""])


def place_of(event):
    content = hashlib.blake2b(event["text"].encode(), digest_size=8).hexdigest()
    return f"ring={identity(event['configuration'])} seq={event['sequence'] + 1} service={event['guarantee']} hash={content}"
