# SPDX-License-Identifier: BSD-3-Clause
"""The dissector against docs/wire-format.md: the document's examples go into a capture file, its tables say which field stands where.

Three questions. Does each row of each table have a field at its place that shows its number? Does each byte of each example belong to some
field? Do lists, bits and text say what the examples' comments say?
  EVS_DISSECTOR=tools/wireshark/evs.lua EVS_WIRE_FORMAT=docs/wire-format.md samples_test.py
"""
import os
import re
import struct
import unittest

import document
import shark

DOCUMENT = document.sections(os.environ["EVS_WIRE_FORMAT"])
HEADER, PIECES, RECOVERED, TOKEN = "The common header: 24 bytes", "Body 0: pieces", "Body 1: recovered", "Type 2, token: 120 bytes, and 16 a range"
DATA, JOIN = "Type 1, data: 72 bytes, and the payload", "Type 3, join: 40 bytes, two sets, and nonces"
COMMIT, PROBE = "Type 4, commit: 56 bytes, two sets, and an entry a member", "Type 5, probe, and type 6, hold_cancel: 48 bytes"
FRAME, ACKNOWLEDGEMENT, STATE = "Type 16, frame: 72 bytes, and pieces", "Type 17, acknowledgement: 56 bytes", "Type 18, state: 64 bytes"
MESSAGE, CHANGE = "Kind 1, message: 8 bytes, and the payload", "Kind 2, change: 24 bytes, its groups, and what it carries"
OPENING, SEALED, PARTS, HELLOS = "Kind 3, opening: 32 bytes, an entry a process", "Sealed packets", "Parts", "Hellos"
VOTER, VOTE = "A voting record: 16 bytes, a ring, and those that were tried", "Kind 4, vote: 32 bytes"
IN_ENVELOPE, IN_PIECE = 40, 40 + 72 + 8  # where a packet begins, and a message

# (table, its number in the section): which example, and where in the datagram the table's byte 0 stands, as often as it is there; the fields' prefix.
TABLES = {
    (HEADER, 0): ((PIECES, 0), [IN_ENVELOPE], ""),
    (HEADER, 1): ((TOKEN, 0), [IN_ENVELOPE], ""),
    (DATA, 0): ((PIECES, 0), [IN_ENVELOPE], "data."),
    (PIECES, 0): ((PIECES, 0), [112, 125], "piece."),
    (PIECES, 1): ((PIECES, 0), [125], "piece."),
    (TOKEN, 0): ((TOKEN, 0), [IN_ENVELOPE], "token."),
    (TOKEN, 1): ((TOKEN, 0), [160, 176], "token.wanted."),
    (JOIN, 0): ((JOIN, 0), [IN_ENVELOPE], "join."),
    (COMMIT, 0): ((COMMIT, 0), [IN_ENVELOPE], "commit."),
    (COMMIT, 1): ((COMMIT, 0), [160, 216], "commit.entry."),
    (FRAME, 0): ((FRAME, 0), [0], "frame."),
    (ACKNOWLEDGEMENT, 0): ((ACKNOWLEDGEMENT, 0), [0], "acknowledgement."),
    (STATE, 0): ((STATE, 0), [0], "state."),
    (MESSAGE, 0): ((MESSAGE, 0), [IN_PIECE], "message."),
    (CHANGE, 0): ((CHANGE, 0), [IN_PIECE], "change."),
    (OPENING, 0): ((OPENING, 0), [IN_PIECE], "opening."),
    (OPENING, 1): ((OPENING, 0), [IN_PIECE + 32, IN_PIECE + 120], "opening.process."),
    (VOTER, 0): ((VOTER, 0), [IN_PIECE + 32], "voter."),
    (VOTER, 1): ((VOTER, 0), [IN_PIECE + 48, IN_PIECE + 112], "voter.ring."),
    (VOTE, 0): ((VOTE, 0), [IN_PIECE], "vote."),
    (SEALED, 0): ((SEALED, 0), [0], "envelope."),
    (PARTS, 0): ((PARTS, 0), [IN_ENVELOPE], "part."),
    (HELLOS, 0): ((HELLOS, 0), [IN_ENVELOPE], "hello."),
}

# What is not a number of a row: lists, bits and groups, as the comments of the examples say it.
SHOWN = {
    (PIECES, 0): {"piece.fragment": ["0", "1"], "piece.last": ["1", "0"], "piece.bytes": ["68:65:6c:6c:6f", "77:6f:72:6c:64:21"]},
    (RECOVERED, 0): {"data.body": ["1", "0"], "data.seq": ["2", "300"], "data.round": ["12", "41"], "ring.sequence": ["6", "5"]},
    (TOKEN, 0): {"token.recovering": ["1"], "token.wanted.first": ["291", "295"], "token.wanted.count": ["2", "1"]},
    (JOIN, 0): {"join.leaving": ["1"], "join.candidates.id": ["3", "7"], "join.candidates.nonce": ["0xa1a2a3a4a5a6a7a8", "0x1122334455667788"],
                "join.failed.id": ["9"], "join.failed.nonce": ["0x0000000000000099"],
                "join.superseded.nonce": ["0x0000000000000077", "0x1122334455667787"]},
    (COMMIT, 0): {"commit.members.id": ["3", "7"], "commit.members.nonce": ["0xa1a2a3a4a5a6a7a8", "0x1122334455667788"],
                  "commit.obliged.id": ["3", "9"], "commit.obliged.nonce": ["0xa1a2a3a4a5a6a7a8", "0x0000000000000099"],
                  "commit.entry.filled": ["1", "0"], "commit.entry.bits": ["0x0000000000000003", "0x0000000000000000"], "commit.entry.obliged": ["3", "9"]},
    (PROBE, 0): {"type": ["5"]}, (PROBE, 1): {"type": ["6"]},
    (FRAME, 0): {"frame.change": ["1"], "piece.length": ["5", "6"]},
    (MESSAGE, 0): {"node.host": ["7"], "node.slot": ["2"], "message.payload": ["68:65:6c:6c:6f"]},
    (CHANGE, 0): {"change.group": ["orders", "trades"], "change.groups": ["2"], "node.host": ["7"], "node.slot": ["1"]},
    (CHANGE, 1): {"change.what": ["2"], "change.group": [], "change.pid": ["4343"]},
    (OPENING, 0): {"opening.process.group": ["orders", "trades"], "opening.process.in_configuration": ["1", "0"], "node.slot": ["1", "1", "2"]},
    (VOTER, 0): {"opening.quorum": ["4294967295"], "voter.ring.hosts.id": ["3", "7", "7", "9"],
                 "voter.ring.hosts.nonce": ["0x0000000000000033", "0x0000000000000071", "0x0000000000000071", "0x0000000000000099"]},
    (VOTE, 0): {"vote.epoch": ["6"]},
    (SEALED, 0): {"envelope.form": ["1"], "type": [], "envelope.tag": ["cd:d8:db:7c:11:f4:23:6c:9d:81:24:f0:43:18:e3:f8"]},
    (SEALED, 1): {"envelope.counter": [str(2 ** 24)], "type": []},
    (SEALED, 2): {"envelope.form": ["2"], "type": ["6"], "length": ["48"]},
    (PARTS, 0): {"part.index": ["0"], "part.count": ["2"], "part.total": ["152"], "type": []},
    (HELLOS, 0): {"hello.heard.host": ["3", "7"], "hello.heard.to_all": ["1", "0"], "hello.heard.large": ["1", "0"], "hello.to_all": ["1"], "hello.is_large": ["0"]},
    (PARTS, 1): {"part.index": ["1"], "type": ["2"], "token.wanted.first": ["291", "295"]},
}

# The column of one line a packet.
LINES = {
    (PIECES, 0): "data seq 300 from 7 ring 5.3 safe 2 pieces 11 bytes",
    (RECOVERED, 0): "data seq 2 from 7 ring 6.3 agreed recovered: data seq 300 from 7 ring 5.3 safe 2 pieces 11 bytes",
    (TOKEN, 0): "token visit 1000 high 400 all 290 from 7 to 239.192.54.10 ring 5.3 stage joining wanted 2 held by 2 lowered by 4",
    (JOIN, 0): "join from 7 candidates 3,7 sequence 5 failed 9 leaving",
    (COMMIT, 0): "commit from 7 ring 6.3 index 1 members 3,7",
    (PROBE, 0): "probe from 7 ring 5.3", (PROBE, 1): "hold_cancel from 7 ring 5.3",
    (FRAME, 0): "frame 40 from 7 ring 5.3 safe 2 pieces 11 bytes",
    (ACKNOWLEDGEMENT, 0): "acknowledgement 290 from 7 ring 5.3",
    (STATE, 0): "state proposal 9 delivered 290 from 7 ring 5.3",
    (MESSAGE, 0): "data seq 300 from 7 ring 5.3 safe 1 piece 13 bytes",
    (CHANGE, 0): "data seq 300 from 7 ring 5.3 safe 1 piece 93 bytes (join_group 7.1 orders, trades)",
    (CHANGE, 1): "data seq 300 from 7 ring 5.3 safe 1 piece 24 bytes (leave 7.2)",
    (OPENING, 0): "data seq 300 from 7 ring 5.3 safe 1 piece 144 bytes (opening of 2)",
    (VOTER, 0): "data seq 300 from 7 ring 5.3 safe 1 piece 176 bytes (opening of 0)",
    (VOTE, 0): "data seq 300 from 7 ring 5.3 safe 1 piece 32 bytes (vote for epoch 6)",
    (SEALED, 0): "sealed from 7 key 3 counter 1 48 bytes", (SEALED, 1): "sealed from 7 key 3 counter 16777216 48 bytes",
    (SEALED, 2): "hold_cancel from 7 ring 5.3",
    (PARTS, 0): "part 1 of 2 of packet 9 from 7",
    (HELLOS, 0): "hello from 7 to all, 5 large hears 3, 7 (alone) (no large)",
    (PARTS, 1): "part 2 of 2 of packet 9 from 7 ends it: token visit 1000 high 400 all 290 from 7 to 239.192.54.10 ring 5.3 stage joining wanted 2 "
                "held by 2 lowered by 4",
}


def around(record):
    """The data packet that has the record as its one message."""
    front = bytearray(DOCUMENT[PIECES].samples[0][:72])
    front[30] = 1
    front[12:16] = (80 + len(record)).to_bytes(4, "little")
    return bytes(front) + len(record).to_bytes(4, "little") + bytes([2, 0, 0, 0]) + record


def part(index, count, packet, piece):
    return b"evsp" + struct.pack("<IHHI", 9, index, count, len(packet)) + piece


def as_datagrams():
    """Each example as it would be on the wire; those of an ordered medium, which has no envelope, bare."""
    found = {}
    for section in DOCUMENT.values():
        for i, sample in enumerate(section.samples):
            packet = sample if sample[:3] == b"evs" else around(sample)
            bare = packet[:4] == b"evss" or packet[5] >= 16
            found[section.title, i] = packet if bare else shark.envelope(packet)
    # The document draws parts and has no example: the token, cut in two.
    whole = DOCUMENT[TOKEN].samples[0]
    for index, piece in enumerate((whole[:100], whole[100:])):
        found[PARTS, index] = shark.envelope(part(index, 2, whole, piece), counter=2 + index)
    return found


class Samples(shark.Captured):
    def setUp(self):
        super().setUp()
        self.datagrams = as_datagrams()
        self.seen = dict(zip(self.datagrams, self.dissect(self.datagrams.values())))

    def test_the_document_is_read_as_it_is_meant(self):
        self.assertEqual(len(self.datagrams), 22)
        with_rows = {(s.title, i) for s in DOCUMENT.values() for i, rows in enumerate(r for r in s.rows if r) if rows}
        self.assertEqual(with_rows, set(TABLES), "a table of the document that nobody compares")
        self.assertEqual(set(self.datagrams), set(SHOWN) | {(ACKNOWLEDGEMENT, 0), (STATE, 0)})

    def test_nothing_is_malformed(self):
        for sample, packet in self.seen.items():
            with self.subTest(sample):
                self.assertEqual((packet.protocols, packet.faults), (1, []))
                # "hello" is no record of processes.
                expected = [shark.PREFIX + "record.kind: not from 1 to 4"] if sample[0] in (PIECES, RECOVERED, FRAME) else []
                self.assertEqual([r for r in packet.remarks if "record" in r], expected)

    def test_every_row_has_its_field(self):
        rows = 0
        for (title, number), (sample, places, prefix) in TABLES.items():
            table = [rows for rows in DOCUMENT[title].rows if rows][number]
            for at, size, name in table:
                # Of the ring header and the record's kind there is one set of fields for all.
                full = name if name.startswith("ring.") else "record.kind" if name == "kind" else prefix + name
                for base in places:
                    with self.subTest(full, at=base + at):
                        self.compare(self.seen[sample], self.datagrams[sample], full, base + at, size)
                        rows += 1
        self.assertGreater(rows, 90)

    def compare(self, packet, datagram, name, at, size):
        found = [field for field in packet.fields if (field.name, field.at, field.size) == (name, at, size)]
        self.assertEqual(len(found), 1, [(f.name, f.at, f.size) for f in packet.fields if f.name == name])
        raw = datagram[at:at + size]
        self.assertEqual(found[0].raw, raw)
        if name.endswith("magic"):
            self.assertEqual(found[0].show, raw.decode())
        elif name == "change.group":
            self.assertEqual(found[0].show, raw.decode().rstrip("\0"))
        else:
            self.assertEqual(int(found[0].show, 0), int.from_bytes(raw, "little"))

    def test_every_byte_belongs_to_a_field(self):
        for sample, packet in self.seen.items():
            covered = bytearray(len(self.datagrams[sample]))
            for field in packet.fields:
                if field.leaf and field.at >= 0:  # those of a packet that was put together have places of their own
                    covered[field.at:field.at + field.size] = bytes([1]) * field.size
            self.assertEqual(covered.find(0), -1, f"{sample}: the first byte that no field has")

    def test_lists_and_bits(self):
        for sample, expected in SHOWN.items():
            for name, values in expected.items():
                with self.subTest(sample, name=name):
                    self.assertEqual(self.seen[sample].shown(name), values)

    def test_lines(self):
        path = self.write([shark.record(shark.datagram(d)) for d in self.datagrams.values()])
        lines = self.tshark(path, "-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info").splitlines()
        self.assertEqual(lines, ["evs\t" + LINES[sample] for sample in self.datagrams])

    def test_fields_filter(self):
        path = self.write([shark.record(shark.datagram(d)) for d in self.datagrams.values()])
        for wanted, packets in (("token.visit == 1000", 2), ("type == 1", 8), ("ring.sequence == 5", 16), ("envelope.form == 1", 2),
                                ("change.group == \"orders\"", 1), ("join.failed.id == 9", 1), ("malformed", 0), ("bare", 3)):
            with self.subTest(wanted):
                self.assertEqual(len(self.tshark(path, "-Y", shark.PREFIX + wanted).splitlines()), packets)

    def test_other_ports(self):
        sample = self.datagrams[TOKEN, 0]
        path = self.write([shark.record(shark.datagram(sample, port=7000)), shark.record(shark.datagram(sample))])

        def seen(*options):
            return self.tshark(path, "-Y", "evsbus", "-T", "fields", "-e", "udp.dstport", *options).split()
        self.assertEqual(seen(), ["7000", "5410"])  # by its first bytes
        self.assertEqual(seen("--disable-heuristic", "evsbus_udp"), ["5410"])
        self.assertEqual(seen("--disable-heuristic", "evsbus_udp", "-o", "evsbus.ports:6000-7000"), ["7000"])

    def test_others_are_left_alone(self):
        path = self.write([shark.record(shark.datagram(payload)) for payload in (b"", b"ev", b"evs", b"evsx" * 20, bytes(100))])
        self.assertEqual(self.tshark(path, "-Y", "evsbus"), "")

    def test_datagrams_before_segmentation(self):
        """A capture on the sending host holds a run of datagrams as one."""
        token, other = (shark.envelope(DOCUMENT[s].samples[0], counter=c) for s, c in ((TOKEN, 5), (PIECES, 6)))
        sealed = DOCUMENT[SEALED].samples[0]
        again = sealed[:32] + (2).to_bytes(8, "little") + sealed[40:]
        for run, info in ((token + other, [LINES[TOKEN, 0], LINES[PIECES, 0]]),
                          (sealed + again, [LINES[SEALED, 0], LINES[SEALED, 0].replace("counter 1", "counter 2")])):
            packet, = self.dissect([run])
            self.assertEqual((packet.protocols, packet.faults), (2, []))
            self.assertTrue(any(re.match("2 datagrams in one", r) for r in packet.remarks), packet.remarks)
            path = self.write([shark.record(shark.datagram(run))])
            self.assertEqual(self.tshark(path, "-T", "fields", "-e", "_ws.col.Info").strip(), " | ".join(info))

    def test_parts_that_do_not_follow(self):
        whole = DOCUMENT[TOKEN].samples[0]
        first, second, third = (part(i, 3, whole, whole[50 * i:50 * i + 50 if i < 2 else None]) for i in range(3))
        for order, ends in (((first, second, third), [0, 0, 1]), ((first, third, second), [0, 0, 0]), ((second, third), [0, 0]),
                            ((first, second, first, second, third), [0, 0, 0, 0, 1]), ((first, second, third, third), [0, 0, 1, 0])):
            seen = self.dissect([shark.envelope(one, counter=1 + i) for i, one in enumerate(order)])
            self.assertEqual([len(packet.shown("type")) for packet in seen], ends)
            broken = sum(any(r.startswith("A part that does not follow") for r in packet.remarks) for packet in seen)
            self.assertEqual(broken > 0, order not in ((first, second, third), (first, second, first, second, third)))
        # Another host's part between them is none of theirs.
        seen = self.dissect([shark.envelope(first), shark.envelope(first, host=8), shark.envelope(second), shark.envelope(third)])
        self.assertEqual([len(packet.shown("type")) for packet in seen], [0, 0, 0, 1])

    def test_a_hello_that_is_filled_up(self):
        """To the sender's largest frame, with zeros; and one of many hosts in parts."""
        sample = DOCUMENT[HELLOS].samples[0]
        large = sample[:4] + b"\3" + sample[5:] + bytes(1000)
        seen, other = self.dissect([shark.envelope(large), shark.envelope(large[:-1] + b"\1")])
        self.assertEqual((seen.faults, seen.shown("hello.is_large")), ([], ["1"]))
        self.assertTrue(any("hello.zeros" in fault for fault in other.faults), other.faults)
        _, last = self.dissect([shark.envelope(part(i, 2, large, piece), counter=1 + i) for i, piece in enumerate((large[:500], large[500:]))])
        self.assertEqual((last.faults, last.shown("hello.heard.host")), ([], ["3", "7"]))

    def test_what_the_capture_cut_is_not_the_hosts_fault(self):
        wholes = [shark.datagram(d) for d in self.datagrams.values()]
        cuts = [shark.record(whole[:n], len(whole)) for whole in wholes for n in range(28 + 4, len(whole))]
        path = self.write(cuts)
        self.assertEqual(self.tshark(path, "-Y", "evsbus.malformed"), "")
        self.assertEqual(len(self.tshark(path, "-Y", "evsbus.cut").splitlines()), len(cuts))


if __name__ == "__main__":
    shark.need_tshark()
    unittest.main(verbosity=2)
