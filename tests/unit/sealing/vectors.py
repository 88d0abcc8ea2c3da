# SPDX-License-Identifier: BSD-3-Clause
"""Computes the sealed packet of docs/wire-format.md from the standards, without the library that seals, and looks for it there.

HKDF is RFC 5869 over hashlib's SHA-256; AES is the openssl command's, a block at a time; GCM (NIST SP 800-38D) is put together here. What comes out must
stand in the document, and sealing_test makes the same bytes.
  vectors.py DOCUMENT [--print]
"""
import base64
import hashlib
import hmac
import pathlib
import struct
import subprocess
import sys

GROUP_KEY = bytes(range(0x20))
KEY_ID, HOST, BIRTH, NONCE = 3, 7, 0x18a0b3c4d5e6f708, 0x1122334455667788
# The document's hold_cancel.
PACKET = bytes.fromhex("65767331 01 06 0000 07000000 30000000 8877665544332211 03000000 00000000 0500000000000000 a8a7a6a5a4a3a2a1")


def aes(key, blocks):
    return subprocess.run(["openssl", "enc", "-aes-256-ecb", "-nopad", "-K", key.hex()], input=blocks, capture_output=True, check=True).stdout


def product(x, y):
    """In GF(2^128), as GCM writes it: the leftmost bit is the lowest power."""
    z = 0
    for i in range(127, -1, -1):
        if x >> i & 1:
            z ^= y
        y = y >> 1 ^ (0xe1 << 120 if y & 1 else 0)
    return z


def ghash(h, data):
    y = 0
    for i in range(0, len(data), 16):
        y = product(y ^ int.from_bytes(data[i:i + 16], "big"), h)
    return y.to_bytes(16, "big")


def padded(data):
    return data + bytes(-len(data) % 16)


def xor(a, b):
    return bytes(p ^ q for p, q in zip(a, b))


def gcm(key, nonce, text, header):
    counters = b"".join(nonce + struct.pack(">I", i) for i in range(1, 2 + (len(text) + 15) // 16))
    stream = aes(key, bytes(16) + counters)
    body = xor(text, stream[32:])
    lengths = struct.pack(">QQ", 8 * len(header), 8 * len(body))
    return body + xor(ghash(int.from_bytes(stream[:16], "big"), padded(header) + padded(body) + lengths), stream[16:32])


def packet_key(group_key, host, birth, nonce, stretch):
    pseudorandom = hmac.digest(b"evs sealing 1", group_key, hashlib.sha256)
    return hmac.digest(pseudorandom, b"packet" + struct.pack("<IQQQ", host, birth, nonce, stretch) + b"\x01", hashlib.sha256)


def sealed(counter):
    header = b"evss" + struct.pack("<BBHIIQQQ", 1, 1, KEY_ID, HOST, 0, BIRTH, NONCE, counter)
    key = packet_key(GROUP_KEY, HOST, BIRTH, NONCE, counter >> 24)
    return header + gcm(key, bytes(4) + struct.pack("<Q", counter), PACKET, header)


def clear(counter):
    return b"evss" + struct.pack("<BBHIIQQQ", 1, 2, 0, HOST, 0, BIRTH, NONCE, counter) + PACKET


def known_answers():
    """Of the standards themselves: RFC 5869 A.1 (the first 32 bytes), and test case 16 of the GCM specification."""
    pseudorandom = hmac.digest(bytes(range(13)), b"\x0b" * 22, hashlib.sha256)
    okm = hmac.digest(pseudorandom, bytes(range(0xf0, 0xfa)) + b"\x01", hashlib.sha256)
    assert okm.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf", okm.hex()
    text = bytes.fromhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    out = gcm(key, bytes.fromhex("cafebabefacedbaddecaf888"), text, bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"))
    assert out[-16:].hex() == "76fc6ece0f4e1768cddf8853bb2d551b", out.hex()


def main(document, *rest):
    known_answers()
    wanted = {"sealed": sealed(1), "sealed, of the next stretch": sealed(1 << 24), "clear": clear(1),
              "key line": f"evs-key-1 {KEY_ID} {base64.b64encode(GROUP_KEY).decode()}"}
    if rest:
        for name, value in wanted.items():
            print(name, value if isinstance(value, str) else value.hex())
        return 0
    text = pathlib.Path(document).read_text()
    drawn = "".join(line.split("#")[0].replace(" ", "") for line in text.splitlines())
    missing = [name for name, value in wanted.items() if (value not in text if isinstance(value, str) else value.hex() not in drawn)]
    print("\n".join(f"{document}: the {name} packet is not what the standards give" for name in missing) or "as the standards give it")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
