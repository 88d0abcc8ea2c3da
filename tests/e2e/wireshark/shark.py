# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the dissector share: a capture file made by hand, and tshark asked about it."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

DISSECTOR = os.environ["EVS_DISSECTOR"]
PORT = 5410
PREFIX = "evsbus."
LINK_IPV4, LINK_ETHERNET = 228, 1
SKIPPED = 77  # ctest shows it as skipped
PATIENCE_S = 100


def skip(why):
    print(f"SKIPPED, nothing of the dissector was tested: {why}")
    sys.exit(SKIPPED)


def need_tshark():
    if shutil.which("tshark") is None:
        skip("tshark is not installed; tools/install-deps test brings it")


def datagram(payload, port=PORT):
    """The IPv4 packet around it, from 10.0.0.7 to the group."""
    udp = struct.pack(">HHHH", 40000 if port != PORT else PORT, port, 8 + len(payload), 0) + payload
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 1, 17, 0) + bytes([10, 0, 0, 7, 239, 192, 54, 10]) + udp


def record(packet, length=None, at=0.0):
    """A packet as a capture file holds it; `length`: what it had on the wire, if not all was captured."""
    return struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(packet), length or len(packet)) + packet


def capture(records, link=LINK_IPV4):
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link) + b"".join(records)


def envelope(packet, host=7, counter=1, form=2, key=0):
    return b"evss" + struct.pack("<BBHIIQQQ", 1, form, key, host, 0, 0x18a0b3c4d5e6f708, 0x1122334455667788, counter) + packet


class Field:
    """One field of one packet: its name without the protocol's, its bytes' place in the datagram, and what is shown."""

    def __init__(self, element, base):
        self.name = element.get("name").removeprefix(PREFIX)
        self.at, self.size = int(element.get("pos", 0)) - base, int(element.get("size", 0))
        self.show, self.raw = element.get("show"), bytes.fromhex(element.get("unmaskedvalue") or element.get("value") or "")
        self.leaf = not any(child.get("name", "").startswith(PREFIX) for child in element)


class Packet:
    """What the dissector made of one datagram."""

    def __init__(self, element, base):
        mine = [proto for proto in element.findall("proto") if proto.get("name") == "evsbus"]
        self.protocols = len(mine)
        every = [e for proto in mine for e in proto.iter("field")]
        self.fields = [Field(e, base) for e in every if e.get("name", "").startswith(PREFIX)]
        self.text = mine[0].get("showname") if mine else ""
        # The text of a remark is a field of Wireshark's own beside the dissector's.
        self.remarks = [e.get("show") for e in every if e.get("name") == "_ws.expert.message"]
        self.faults = [e.find("field[@name='_ws.expert.message']").get("show") for e in every
                       if e.find(f"field[@name='{PREFIX}malformed']") is not None]

    def shown(self, name):
        return [field.show for field in self.fields if field.name == name]


class Captured(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="evs-shark-")
        if os.environ.get("EVS_KEEP_TRACES"):
            print("kept:", self.directory)
        else:
            self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def write(self, records, link=LINK_IPV4):
        path = os.path.join(self.directory, "packets.pcap")
        with open(path, "wb") as file:
            file.write(capture(records, link))
        return path

    def tshark(self, path, *arguments):
        """Its standard output. A Lua error may stand in either of the two."""
        home = {**os.environ, "HOME": self.directory, "XDG_CONFIG_HOME": self.directory, "LC_ALL": "C.UTF-8"}
        said = subprocess.run(["tshark", "-n", "-X", "lua_script:" + DISSECTOR, "-r", path, *arguments], env=home, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False)
        out, err = said.stdout.decode(errors="replace"), said.stderr.decode(errors="replace")
        lua = [line for line in (out + err).splitlines() if "lua" in line.lower() and "error" in line.lower()]
        self.assertEqual(lua[:5], [])
        self.assertEqual(said.returncode, 0, err)
        return out

    def dissect(self, payloads, *arguments):
        """Each payload in a datagram of its own, and what was made of it."""
        path = self.write([record(datagram(payload)) for payload in payloads])
        packets = [Packet(element, 28) for element in xml.etree.ElementTree.fromstring(self.tshark(path, "-T", "pdml", *arguments)).findall("packet")]
        self.assertEqual(len(packets), len(payloads))
        return packets
