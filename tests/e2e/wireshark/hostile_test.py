# SPDX-License-Identifier: BSD-3-Clause
"""What no host writes: every fault is named by its field, and nothing whatever makes the dissector itself fail.

  EVS_DISSECTOR=tools/wireshark/evs.lua EVS_WIRE_FORMAT=docs/wire-format.md hostile_test.py
"""
import os
import pathlib
import random
import re
import unittest

import shark
from samples_test import (ACKNOWLEDGEMENT, CHANGE, COMMIT, DOCUMENT, FRAME, HELLOS, JOIN, MESSAGE, OPENING, PARTS, PIECES, PROBE, RECOVERED, SEALED, STATE, TOKEN, VOTE, VOTER,
                          around,
                          as_datagrams)

HUGE = (2 ** 64 - 1).to_bytes(8, "little")


def put(*changes):
    """Bytes written over a packet: (at, bytes) ..."""
    def broken(packet):
        packet = bytearray(packet)
        for at, value in changes:
            packet[at:at + len(value)] = value
        return bytes(packet)
    return broken


def cut(length):
    """Shorter, and its header says so."""
    return lambda packet: put((12, length.to_bytes(4, "little")))(packet[:length])


def longer(packet):
    return put((12, (len(packet) + 1).to_bytes(4, "little")))(packet + b"\0")


# (example, what is done to it, the fault's field). Places count from the packet's first byte.
PACKETS = [
    (PIECES, put((0, b"x")), "magic"), (PIECES, put((4, b"\2")), "version"), (PIECES, put((5, b"\7")), "type"), (PIECES, put((5, b"\x10")), "type"),
    (PIECES, put((6, b"\1")), "flags"), (TOKEN, put((7, b"\1")), "flags"), (PIECES, put((8, bytes(4))), "sender"), (PIECES, put((10, b"\x10")), "sender"),
    (PIECES, put((12, b"\x72")), "length"), (PIECES, longer, "trailing"), (PIECES, cut(23), "nonce"), (PIECES, cut(24), "ring.representative"),
    (PIECES, put((24, bytes(4))), "ring.representative"), (PIECES, put((32, bytes(8))), "ring.sequence"), (PIECES, put((36, b"\1")), "ring.sequence"),
    (PIECES, put((28, b"\4")), "data.service"), (PIECES, put((29, b"\2")), "data.body"), (PIECES, put((30, b"\3")), "piece"),
    (PIECES, put((30, b"\1")), "trailing"), (PIECES, put((30, b"\1\4")), "data.piece_count"), (PIECES, put((48, bytes(8)), (56, bytes(8))), "data.seq"),
    (PIECES, put((56, HUGE)), "data.previous"), (PIECES, put((72, b"\xff")), "piece.length"), (PIECES, put((76, b"\0")), "piece.flags"),
    (PIECES, put((76, b"\6")), "piece.flags"), (PIECES, put((77, b"\1")), "reserved"), (PIECES, put((85, bytes(4))), "piece.length"),
    (PIECES, put((105, b"\5\0")), "piece.total"), (PIECES, put((101, b"\xff\xff")), "piece.index"), (PIECES, put((101, b"\x82\x13")), "piece.index"),
    (PIECES, cut(113), "piece.length"),
    (RECOVERED, put((30, b"\1")), "data.piece_count"), (RECOVERED, put((32, b"\5")), "ring.sequence"), (RECOVERED, put((77, b"\2")), "type"),
    (RECOVERED, put((101, b"\1")), "data.body"), (RECOVERED, put((84, b"\x72")), "length"), (RECOVERED, cut(80), "sender"),
    (TOKEN, put((28, HUGE[:4])), "token.lowered_by"), (TOKEN, put((64, HUGE)), "token.received_by_all"), (TOKEN, put((80, b"\x41")), "token.wanted"),
    (TOKEN, put((80, b"\3")), "token.wanted.first"), (TOKEN, put((84, b"\5")), "token.stage"), (TOKEN, put((84, b"\0")), "token.stage_by"),
    (TOKEN, put((104, bytes(4))), "token.stage_by"), (TOKEN, put((85, b"\1")), "reserved"), (TOKEN, put((88, HUGE)), "token.change"),
    (TOKEN, put((96, HUGE)), "token.delivered_by_all"), (TOKEN, put((108, HUGE[:4])), "token.delayed_by"), (TOKEN, put((112, HUGE[:4])), "token.held_by"),
    (TOKEN, put((116, b"\1")), "reserved"), (TOKEN, put((120, bytes(8))), "token.wanted.first"), (TOKEN, put((120, HUGE)), "token.wanted.count"),
    (TOKEN, put((128, bytes(4))), "token.wanted.count"), (TOKEN, put((144, HUGE[:4])), "token.wanted.count"),
    (TOKEN, put((136, b"\x24\1")), "token.wanted.first"),
    (JOIN, put((24, b"\1\1")), "join.candidates"), (JOIN, put((26, b"\1\1")), "join.failed"), (JOIN, put((28, b"\x09")), "join.superseded"),
    (JOIN, put((30, b"\1")), "reserved"), (JOIN, put((36, b"\1")), "join.ring_sequence"), (JOIN, put((40, bytes(4))), "join.candidates.id"),
    (JOIN, put((40, b"\x08")), "join.candidates.id"), (JOIN, put((76, b"\1")), "reserved"), (JOIN, put((88, HUGE)), "join.superseded.nonce"),
    (JOIN, put((24, b"\3"), (26, b"\0")), None), (JOIN, put((24, b"\4")), "join.failed.id"), (JOIN, cut(100), "join.superseded.nonce"),
    (COMMIT, put((28, b"\5")), "commit.index"), (COMMIT, put((48, bytes(2))), "commit.members"), (COMMIT, put((48, b"\1\1")), "commit.members"),
    (COMMIT, put((50, b"\1\3")), "commit.obliged"), (COMMIT, put((52, b"\1")), "reserved"), (COMMIT, put((24, b"\4")), "ring.representative"),
    (COMMIT, put((56, b"\x08")), "commit.members.id"), (COMMIT, put((88, b"\x0a")), "commit.obliged.id"),
    (COMMIT, put((120, bytes(4))), "commit.entry.old_ring.representative"), (COMMIT, put((124, b"\3")), "commit.entry.flags"),
    (COMMIT, put((128, bytes(8))), "commit.entry.old_ring.sequence"), (COMMIT, put((144, HUGE)), "commit.entry.received_up_to"),
    (COMMIT, put((160, HUGE)), "commit.entry.delivered"), (COMMIT, put((168, b"\7")), "commit.entry.bits"), (COMMIT, put((168, b"\1")), "commit.obliged.id"),
    (COMMIT, put((176, b"\1")), "commit.entry.old_ring.representative"), (COMMIT, put((224, b"\1")), "commit.entry.bits"),
    (COMMIT, put((120, bytes(24))), "commit.entry.high"), (COMMIT, cut(231), "commit.entry.bits"),
    (PROBE, put((28, b"\1")), "reserved"), (PROBE, longer, "trailing"), (PROBE, cut(47), "ring.nonce"),
]
ORDERED = [
    (FRAME, put((5, b"\x13")), "type"), (FRAME, put((6, b"\2")), "flags"), (FRAME, put((29, b"\1")), "reserved"),
    (FRAME, put((30, bytes(2))), "frame.piece_count"),
    (FRAME, put((64, bytes(8))), "frame.number"), (ACKNOWLEDGEMENT, put((48, bytes(8))), "acknowledgement.acknowledged"),
    (STATE, put((48, b"\5")), "state.proposal"), (STATE, put((52, b"\1")), "state.proposal"),
]
ENVELOPES = [
    (0, put((4, b"\2")), "envelope.version"), (0, put((5, b"\3")), "envelope.form"), (0, put((6, b"\0")), "envelope.key"), (2, put((6, b"\1")), "envelope.key"),
    (0, put((8, bytes(4))), "envelope.host"), (0, put((12, b"\1")), "reserved"), (0, put((32, bytes(8))), "envelope.counter"),
    (0, lambda packet: packet[:55], "envelope.tag"), (2, lambda packet: packet[:40], "magic"), (0, lambda packet: packet[:39], "envelope.counter"),
]
# Of a part that is the first of two; places count from the datagram's first byte.
IN_PARTS = [
    (PARTS, put((48, b"\2")), "part.index"), (PARTS, put((50, bytes(2))), "part.count"), (PARTS, put((50, b"\1\2")), "part.count"),
    (PARTS, put((52, b"\1\0\1")), "part.total"), (PARTS, lambda packet: packet[:56], "part.piece"), (PARTS, lambda packet: packet[:55], "part.total"),
]
# Of a hello; places count from the packet's first byte.
IN_HELLOS = [
    (HELLOS, put((4, b"\5")), "hello.flags"), (HELLOS, put((6, b"\1")), "trailing"), (HELLOS, put((6, b"\3")), "hello.heard"), (HELLOS, put((7, b"\2")), "hello.count"),
    (HELLOS, put((12, bytes(3) + b"\0")), "hello.heard"), (HELLOS, put((14, b"\x40")), "hello.heard"), (HELLOS, put((16, b"\3")), "hello.heard"),
    (HELLOS, lambda packet: packet[:11], "hello.large"), (HELLOS, lambda packet: packet + b"\0", "trailing"), (HELLOS, put((4, b"\3")), None),
]
# What a gateway refuses, in a packet that is well formed.
RECORDS = [
    (MESSAGE, put((0, b"\5")), "record.kind"), (MESSAGE, lambda record: b"", "record.kind"), (MESSAGE, put((1, b"\1")), "reserved"),
    (MESSAGE, put((5, b"\x80")), "message.sender"), (MESSAGE, put((4, b"\0")), "message.sender"), (MESSAGE, lambda record: record[:7], "message.sender"),
    (CHANGE, put((1, b"\6")), "change.what"), (CHANGE, put((1, b"\2")), "change.groups"), (CHANGE, put((12, b"\1")), "reserved"),
    (CHANGE, put((4, b"\0")), "change.node"), (CHANGE, lambda record: record[:55], "change.group"),
    (CHANGE, put((2, b"\0")), "change.groups"), (CHANGE, put((2, b"\x41")), "change.groups"), (CHANGE, put((56, b"a")), "change.group"),
    (CHANGE, lambda record: record + bytes(4092), "change.carried"), (CHANGE, lambda record: record + bytes(4091), None),
    (OPENING, put((4, b"\3")), "opening.process.node"), (OPENING, put((4, b"\1")), "trailing"), (OPENING, put((8, b"\7")), "opening.configuration.number"),
    (OPENING, put((16, bytes(4))), "opening.configuration.representative"), (OPENING, put((20, bytes(4))), "opening.configuration_members"),
    (OPENING, put((16, b"\0\xf0")), "opening.process.node"), (OPENING, put((24, b"\1")), "opening.record"), (OPENING, put((48, b"\1\4")), "opening.process.groups"),
    (OPENING, put((52, b"\2")), "opening.process.flags"), (OPENING, put((56, b"z")), "opening.process.group"),
    (OPENING, put((120, b"\1")), "opening.process.node"),
    (VOTER, put((24, b"\1\1\0\0")), "opening.quorum"), (VOTER, put((28, b"\x8f")), "opening.record"), (VOTER, put((24, bytes(4))), "opening.record"),
    (VOTER, put((40, b"\x11")), "voter.tries"), (VOTER, put((40, b"\2")), "voter.ring.epoch"), (VOTER, put((44, b"\1")), "reserved"),
    (VOTER, put((48, b"\0")), "voter.ring.epoch"), (VOTER, put((48, b"\6")), "voter.ring.epoch"), (VOTER, put((56, b"\0")), "voter.ring.sequence"),
    (VOTER, put((72, b"\0")), "voter.ring.representative"), (VOTER, put((77, b"\2")), "voter.ring.hosts"), (VOTER, put((96, b"\3")), "voter.ring.hosts.id"),
    (VOTER, put((32, b"\x72")), "voter.ring.hosts"),
    (VOTE, put((8, b"\0")), "vote.sequence"), (VOTE, put((24, b"\0")), "vote.epoch"), (VOTE, put((4, b"\0")), "vote.representative"), (VOTE, put((1, b"\1")), "reserved"),
]


class Faults(shark.Captured):
    def ask(self, cases, faults_of):
        for (sample, number, name), packet in zip(((s, i, name) for i, (s, _, name, _) in enumerate(cases)), self.dissect([d for *_, d in cases])):
            with self.subTest(sample, number=number, field=name):
                faults = faults_of(packet)
                if name is None:
                    self.assertEqual(faults, [])
                else:
                    self.assertTrue(any(fault.startswith(f"{shark.PREFIX}{name}: ") for fault in faults), faults or "no fault")

    def test_of_packets(self):
        for table, wrap in ((PACKETS, shark.envelope), (ORDERED, bytes)):
            self.ask([(s, b, name, wrap(b(DOCUMENT[s].samples[0]))) for s, b, name in table], lambda packet: packet.faults)

    def test_of_envelopes(self):
        self.ask([(i, b, name, b(DOCUMENT[SEALED].samples[i])) for i, b, name in ENVELOPES], lambda packet: packet.faults)

    def test_of_parts(self):
        self.ask([(s, b, name, b(as_datagrams()[PARTS, 0])) for s, b, name in IN_PARTS], lambda packet: packet.faults)

    def test_of_hellos(self):
        self.ask([(s, b, name, shark.envelope(b(DOCUMENT[s].samples[0]))) for s, b, name in IN_HELLOS], lambda packet: packet.faults)

    def test_of_records_which_are_not_the_packets(self):
        def record_faults(packet):
            self.assertEqual(packet.faults, [])
            return packet.remarks
        self.ask([(s, b, name, shark.envelope(around(b(DOCUMENT[s].samples[0])))) for s, b, name in RECORDS], record_faults)

    def test_the_line_says_it(self):
        path = self.write([shark.record(shark.datagram(shark.envelope(put((84, b"\x09"))(DOCUMENT[TOKEN].samples[0]))))])
        line = self.tshark(path, "-T", "fields", "-e", "_ws.col.Info")
        self.assertIn("token visit 1000", line)
        self.assertIn("[malformed: evsbus.token.stage: not from 0 to 4]", line)


class Anything(shark.Captured):
    """Looks for errors of the dissector's own, which the helper finds in whatever tshark prints."""

    def survive(self, datagrams):
        path = self.write([shark.record(shark.datagram(d)) for d in datagrams])
        lines = self.tshark(path, "-T", "fields", "-E", "separator=|", "-e", "evsbus.malformed", "-e", "_ws.expert.message",
                            "-e", "_ws.malformed.expert", "-e", "_ws.lua.error", "-e", "_ws.col.Info").splitlines()
        self.assertEqual(len(lines), len(datagrams))
        return [line.split("|", 4) for line in lines]  # what the last one says may have the separator in it

    def known_fields(self):
        text = pathlib.Path(shark.DISSECTOR).read_text()
        return set(re.findall(r"[a-z_]+(?:\.[a-z_]+)*", " ".join(re.findall(r'define\("\w+", "([^"]+)"', text))))

    def look(self, seen, all_malformed):
        names = self.known_fields()
        self.assertGreater(len(names), 100)
        for number, (malformed, message, of_wireshark, lua, info) in enumerate(seen):
            self.assertEqual((of_wireshark, lua), ("", ""), f"datagram {number}: {message}")
            for name in re.findall(r"\[malformed: evsbus\.([a-z_.]+): ", info):
                self.assertIn(name, names)
            self.assertEqual(malformed != "", "[malformed: evsbus." in info, info)
            if all_malformed:
                self.assertNotEqual(malformed, "", f"datagram {number}: {info}")

    def test_every_length(self):
        """As it is, and with the header saying so: then a list or a piece ends early."""
        short = []
        for (title, i), datagram in as_datagrams().items():
            at = 40 if datagram[:4] == b"evss" else 0
            sealed = datagram[:4] == b"evss" and datagram[5] == 1
            # Of a sealed packet nobody sees that it is too short, but for its tag's length; nor of a part.
            for n in range(4, 56 if sealed else 57 if title == PARTS else len(datagram)):
                short.append(datagram[:n])
                if n >= at + 16 and not sealed:
                    short.append(datagram[:at + 12] + (n - at).to_bytes(4, "little") + datagram[at + 16:n])
        self.assertGreater(len(short), 3000)
        self.look(self.survive(short), all_malformed=True)

    def test_every_byte(self):
        flipped = []
        for datagram in as_datagrams().values():
            for at in range(len(datagram)):
                for mask in (0x01, 0x80, 0xff):
                    flipped.append(datagram[:at] + bytes([datagram[at] ^ mask]) + datagram[at + 1:])
        self.look(self.survive(flipped), all_malformed=False)

    def test_garbage(self):
        seed = int(os.environ.get("EVS_SEED", "1"))
        print(f"seed {seed}")
        dice, samples, garbage = random.Random(seed), list(as_datagrams().values()), []
        for _ in range(4000):
            datagram = bytearray(dice.choice(samples))
            for _ in range(dice.randint(1, 8)):
                at = dice.randrange(4, len(datagram))
                what = dice.choice((b"\0", b"\xff", b"\xff\xff\xff\xff", bytes(8), dice.randbytes(4)))
                datagram[at:at + len(what)] = what
            garbage.append(bytes(datagram) + dice.randbytes(dice.choice((0, 0, 1, 40))))
        self.look(self.survive(garbage), all_malformed=False)

    def test_a_fault_of_the_dissector_would_be_seen(self):
        text = pathlib.Path(shark.DISSECTOR).read_text()
        broken = os.path.join(self.directory, "broken.lua")
        pathlib.Path(broken).write_text(text.replace("local function token(r, tree, h)", "local function token(r, tree, h)\n  local x = nil + 1"))
        path = self.write([shark.record(shark.datagram(d)) for d in as_datagrams().values()])
        before, shark.DISSECTOR = shark.DISSECTOR, broken
        try:
            with self.assertRaises(AssertionError):
                self.tshark(path, "-V")
        finally:
            shark.DISSECTOR = before


if __name__ == "__main__":
    shark.need_tshark()
    unittest.main(verbosity=2)
