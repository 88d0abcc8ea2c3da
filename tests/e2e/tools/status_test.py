# SPDX-License-Identifier: BSD-3-Clause
"""`evs status` from outside: who is there, who is stopped, who holds the ring; and that looking changes nothing."""
import glob
import mmap
import struct

from evs_bus import BusTest, os, signal, unittest

LINE = 64  # of a cache; the layout counts in them


class Status(BusTest):
    def test_no_bus_is_status_3(self):
        result = self.run_evs("status", "--bus", "nosuch")
        self.assertEqual(result.returncode, 3)
        self.assertIn('"nosuch"', result.stderr)
        self.assertIn(self.directory, result.stderr)

    def test_members_handles_and_groups(self):
        ann, bob = self.cat("-g", "chat"), self.cat("-g", "chat", "-g", "trades")
        seen = self.snapshot()
        members = {m["pid"]: m for m in seen["members"]}
        self.assertEqual(set(members), {ann.process.pid, bob.process.pid})
        self.assertEqual(sorted(members[bob.process.pid]["groups"]), ["chat", "trades"])
        self.assertEqual(members[ann.process.pid]["groups"], ["chat"])
        self.assertEqual(members[ann.process.pid]["nodeid"], ann.joined["nodeid"])
        for member in members.values():
            self.assertEqual(member["state"], "live")
            self.assertFalse(member["gone"])
            self.assertIsNone(member["stopped_ns"])
            self.assertEqual(len(member["handles"]), 1)
            self.assertTrue(member["handles"][0]["reading"])
            self.assertEqual(member["command"], "evs")
        text = self.run_evs("status", "--handles").stdout
        self.assertIn("members  2", text)
        self.assertRegex(text, r"chat +%d %d" % tuple(sorted((ann.joined["nodeid"], bob.joined["nodeid"]))))

    def test_looking_leaves_no_trace(self):
        ann = self.cat()
        before = self.snapshot()
        files = sorted(glob.glob(self.directory + "/**", recursive=True))
        for _ in range(5):
            self.run_evs("status")
        after = self.snapshot()
        self.assertEqual(sorted(glob.glob(self.directory + "/**", recursive=True)), files)
        self.assertEqual((before["change"], before["ring"]["tail"]), (after["change"], after["ring"]["tail"]))
        ann.say("still here")
        self.assertEqual(ann.event(type="message")["text"], "still here")

    def test_looking_makes_no_file(self):
        self.cat()
        lock = os.path.join(self.directory, "default.lock")
        os.remove(lock)
        self.assertEqual(self.run_evs("status").returncode, 0)
        self.assertFalse(os.path.exists(lock))

    def test_who_was_killed_or_left_is_told_with_how(self):
        ann, bob, carl = self.cat(), self.cat(), self.cat()
        bob.signal(signal.SIGKILL)
        carl.signal(signal.SIGTERM)
        for reason in "died", "left":
            self.snapshot_when(lambda s: reason in {one["how"] for one in s["departed"]}, reason)
        how = {one["pid"]: one["how"] for one in self.snapshot()["departed"]}
        self.assertEqual(how, {bob.process.pid: "died", carl.process.pid: "left"})
        self.assertEqual(ann.process.poll(), None)

    def test_a_stopped_one_is_named_with_what_it_holds(self):
        ann, bob = self.cat(), self.cat()
        bob.signal(signal.SIGSTOP)
        try:
            ann.say_until_heard(50, ann)
            seen = self.snapshot_when(
                lambda s: any(m["stopped_ns"] for m in s["members"] if m["pid"] == bob.process.pid), "stopped")
            self.assertEqual(seen["ring"]["holder_nodeid"], bob.joined["nodeid"])
            self.assertGreaterEqual(seen["ring"]["used_bytes"], 50 * 64)
            self.assertEqual([m["pid"] for m in seen["members"] if m["stopped_ns"] is not None], [bob.process.pid])
            text = self.run_evs("status").stdout
            self.assertRegex(text, r"stopped  %d \(pid %d, evs\) for " % (bob.joined["nodeid"], bob.process.pid))
            self.assertIn(f"held by {bob.joined['nodeid']} (pid {bob.process.pid}", text)
        finally:
            bob.signal(signal.SIGCONT)
        self.assertEqual([bob.event(type="message")["text"] for _ in range(50)], [f"line {i}" for i in range(50)])
        self.snapshot_when(lambda s: all(m["stopped_ns"] is None for m in s["members"]), "running again")

    def test_a_pin_is_named_as_what_holds_the_ring(self):
        ann, bob = self.cat(), self.cat()
        before = self.snapshot_when(lambda s: s["ring"]["used_bytes"] == 0, "read to the end")
        with open(os.path.join(self.directory, "default.ring"), "r+b") as file:
            with mmap.mmap(file.fileno(), 0) as ring:
                pin_at = self.pin(ring, bob.joined["nodeid"], before["ring"]["tail"])
                ann.say_until_heard(50, ann, bob)
                # Both have read on; what was there from the pin on is kept nevertheless.
                seen = self.snapshot()
                self.assertEqual(seen["ring"]["holder_nodeid"], bob.joined["nodeid"])
                self.assertEqual(seen["ring"]["holder_what"], "pin")
                self.assertGreaterEqual(seen["ring"]["used_bytes"], 50 * 64)
                text = self.run_evs("status").stdout
                self.assertIn(f"held by {bob.joined['nodeid']} (pid {bob.process.pid}, evs) with a pin", text)
                struct.pack_into("<Q", ring, pin_at, 0)
        self.snapshot_when(lambda s: s["ring"]["holder_what"] != "pin", "free again")

    @staticmethod
    def pin(ring, nodeid, position):
        """Pins a position for a member, as if it were stopped while it fills a hole. Returns the pin's place in the segment.

        The header says where the members stand; a slot begins with 4 lines and 64 cells of a line each, then come its
        pins. Holes are filled after a death, with pin 1; nobody dies here, so nobody takes it away.
        """
        members_at, slot_bytes = struct.unpack_from("<QQ", ring, 40)
        at = members_at + (nodeid - 1) * slot_bytes + (4 + 64 + 1) * LINE
        struct.pack_into("<Q", ring, at, position | 1)
        return at

    def test_works_while_all_members_hang(self):
        ann, bob = self.cat(), self.cat()
        for process in ann, bob:
            process.signal(signal.SIGSTOP)
        try:
            seen = self.snapshot_when(lambda s: all(m["stopped_ns"] is not None for m in s["members"]), "both stopped")
            self.assertEqual(len(seen["members"]), 2)
        finally:
            for process in ann, bob:
                process.signal(signal.SIGCONT)

    def test_a_foreign_file_is_an_error_and_no_crash(self):
        with open(os.path.join(self.directory, "default.ring"), "wb") as file:
            file.write(b"no ring at all" * 1000)
        os.chmod(file.name, 0o600)
        result = self.run_evs("status")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("default.ring", result.stderr)


if __name__ == "__main__":
    unittest.main()
