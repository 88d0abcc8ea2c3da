# SPDX-License-Identifier: BSD-3-Clause
"""`evs cat` between real processes: one order for all, back-pressure, and leaving in order."""
import base64

from evs_bus import EVS, PATIENCE_S, BusTest, os, signal, subprocess, unittest


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Cat(BusTest):
    def test_two_exchange_lines_in_one_order(self):
        ann, bob = self.cat("-g", "chat"), self.cat("-g", "chat")
        for i in range(100):
            ann.say(f"ann {i}")
            bob.say(f"bob {i}")
        ann_heard = [ann.event(type="message") for _ in range(200)]
        bob_heard = [bob.event(type="message") for _ in range(200)]
        places = [(m["sequence"], m["nodeid"], m["text"]) for m in ann_heard]
        self.assertEqual(places, [(m["sequence"], m["nodeid"], m["text"]) for m in bob_heard])
        self.assertEqual(places, sorted(places))
        for who in "ann", "bob":
            self.assertEqual([text for _, _, text in places if text.startswith(who)],
                             [f"{who} {i}" for i in range(100)])

    def test_a_message_with_all_that_is_known_of_it(self):
        listener = self.cat("-g", "a", "-g", "b", "--listen")
        sender = self.cat("-g", "b", "--guarantee", "safe")
        sender.process.stdin.write("gr\u00fc\u00df\n".encode() + b"\xff\xfe\n\n")
        sender.end()
        first, second, third = (listener.event(type="message") for _ in range(3))
        self.assertEqual(first["text"], "gr\u00fc\u00df")
        self.assertEqual(first["pid"], sender.process.pid)
        self.assertEqual(first["nodeid"], sender.joined["nodeid"])
        self.assertEqual(first["groups"], ["b"])
        self.assertEqual(first["guarantee"], "safe")
        self.assertRegex(first["received"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        self.assertNotIn("text", second)
        self.assertEqual(base64.b64decode(second["base64"]), b"\xff\xfe")
        self.assertEqual(third["text"], "")
        self.assertEqual(first["configuration"], third["configuration"])

    def test_plain_text_is_the_lines_and_nothing_else(self):
        listener = self.start("cat", "-g", "chat", "--listen", "--count", "3")
        self.when_joined("chat", 1)
        sender = self.start("cat", "-g", "chat", "--name", "ann", "--send-only")
        sender.say("one", "", "three")
        sender.end()
        self.assertEqual(listener.lines(3), ["ann: one", "ann: ", "ann: three"])
        self.assertEqual(listener.status(), 0)
        self.assertIsNone(listener.line())
        self.assertEqual(sender.status(), 0)
        self.assertIsNone(sender.line())
        self.assertEqual(sender.stderr(), "")

    def test_who_was_there_before_is_told(self):
        first = self.cat("-g", "chat")
        second = self.cat("-g", "chat")
        there = second.event(type="group", reason="present")
        self.assertEqual((there["pid"], there["group"]), (first.process.pid, "chat"))

    def test_a_signal_leaves_in_order(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            stays, leaves = self.cat("-g", "chat"), self.cat("-g", "chat")
            leaves.signal(number)
            self.assertEqual(leaves.status(), 0, leaves.stderr())
            change = stays.event(type="group", pid=leaves.process.pid, reason="left")
            self.assertEqual(change["group"], "chat")
            # Who left is told by the transitional configuration; the regular one after it has the same members.
            gone = stays.event(type="configuration", kind="transitional")
            self.assertEqual([(m["pid"], m["reason"]) for m in gone["left"]], [(leaves.process.pid, "left")])
            settled = stays.event(type="configuration", kind="regular")
            self.assertEqual([m["pid"] for m in settled["members"]], [stays.process.pid])
            stays.signal(signal.SIGTERM)
            self.assertEqual(stays.status(), 0)

    def test_a_signal_ends_who_waits_for_a_gateway_that_does_not_come(self):
        uplink = [f"--set={value}" for value in ("uplink.transport=udp", "uplink.host_id=1", "uplink.security=none", "uplink.gateway=never",
                                                 "bus.initialize_timeout=10min")]
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            waits = self.start("cat", *uplink)
            self.snapshot_when(lambda s: any(m["pid"] == waits.process.pid for m in s["members"]), "waits")
            waits.signal(number)
            self.assertEqual(waits.status(), -number, waits.stderr())

    def test_a_signal_that_is_ignored_is_so_while_it_waits_for_a_gateway_as_well(self):
        uplink = [f"--set={value}" for value in ("uplink.transport=udp", "uplink.host_id=1", "uplink.security=none", "plugin.udp.interface=lo",
                                                 "bus.initialize_timeout=10min")]
        waits = self.start("cat", "--json", "-g", "chat", "--set=uplink.gateway=never", *uplink, ignored=[signal.SIGINT, signal.SIGHUP])
        self.snapshot_when(lambda s: any(m["pid"] == waits.process.pid for m in s["members"]), "waits")
        waits.signal(signal.SIGINT)
        waits.signal(signal.SIGHUP)
        self.start("gateway", *uplink)
        waits.event(type="group", pid=waits.process.pid, reason="joined")
        waits.signal(signal.SIGTERM)
        self.assertEqual(waits.status(), 0, waits.stderr())

    def test_a_killed_one_has_died(self):
        stays, dies = self.cat("-g", "chat"), self.cat("-g", "chat")
        dies.signal(signal.SIGKILL)
        dies.status()
        gone = stays.event(type="configuration", kind="transitional", left=[
            {"nodeid": dies.joined["nodeid"], "pid": dies.process.pid, "reason": "died"}])
        self.assertEqual([m["pid"] for m in gone["members"]], [stays.process.pid])
        change = stays.event(type="group", pid=dies.process.pid, reason="died")
        self.assertEqual(change["nodeid"], dies.joined["nodeid"])

    def test_a_file_of_many_laps_arrives_whole(self):
        # 16 times the ring: the sender is refused again and again, and goes on when there is room.
        self.environment["EVS_LOCAL_RING_SIZE"] = "512KiB"
        self.environment["EVS_LOCAL_MESSAGE_LIMIT"] = "4KiB"
        lines = [f"{i:06d} " + "x" * (i % 2000) for i in range(8000)]
        listener = self.start("cat", "-g", "file", "--listen", "--count", str(len(lines)))
        self.when_joined("file", 1)
        path = os.path.join(self.directory, "lines")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines))  # the last one without a newline
        with open(path, "rb") as file:
            done = subprocess.Popen([EVS, "cat", "-g", "file", "--send-only"], stdin=file, env=self.environment,
                                    stderr=subprocess.PIPE)
        self.addCleanup(done.stderr.close)
        self.assertEqual(listener.lines(len(lines)), lines)
        self.assertEqual(done.wait(PATIENCE_S), 0, done.stderr.read())
        self.assertEqual(listener.status(), 0)

    def test_without_room_it_waits_without_spinning_and_still_leaves(self):
        self.environment["EVS_LOCAL_RING_SIZE"] = "512KiB"
        self.environment["EVS_LOCAL_MESSAGE_LIMIT"] = "4KiB"
        reader = self.cat("-g", "flood", "--listen")
        reader.signal(signal.SIGSTOP)
        path = os.path.join(self.directory, "lines")
        with open(path, "w", encoding="ascii") as file:
            file.write(("z" * 1000 + "\n") * 4000)
        with open(path, "rb") as file:
            sender = subprocess.Popen([EVS, "cat", "-g", "flood", "--send-only"], stdin=file, env=self.environment)
        self.addCleanup(sender.kill)
        self.snapshot_when(lambda s: s["ring"]["used_bytes"] > s["ring"]["capacity_bytes"] // 2, "full")
        before = cpu_seconds(sender.pid)
        with self.assertRaises(subprocess.TimeoutExpired):  # the window that is looked at: it must not end by itself
            sender.wait(1)
        self.assertLess(cpu_seconds(sender.pid) - before, 0.3, "it spins while it waits for room")
        sender.send_signal(signal.SIGTERM)
        self.assertEqual(sender.wait(PATIENCE_S), 0)
        reader.signal(signal.SIGCONT)
        self.assertEqual(reader.event(type="message")["text"], "z" * 1000)

    def test_a_reader_that_does_not_read_does_not_keep_us(self):
        # Nobody takes our stdout: the pipe fills, the loop goes on, a signal is heard.
        process = self.start("cat", "-g", "chat", "--listen")
        self.when_joined("chat", 1)
        sender = self.start("cat", "-g", "chat", "--send-only")
        sender.say(*["w" * 1000] * 1000)
        sender.end()
        self.assertEqual(sender.status(), 0)
        self.snapshot_when(lambda s: s["members"][0]["handles"][0]["delivered"] > 50, "reading")
        process.signal(signal.SIGINT)
        # The leave is in the order although stdout is stuck.
        left = self.start("cat", "-g", "chat", "--json", "--listen")
        while True:
            seen = left.event(type="configuration", kind="regular")
            if [m["pid"] for m in seen["members"]] == [left.process.pid]:
                break
        self.assertEqual(process.line(), b"w" * 1000)

    def test_leaves_when_told_to(self):
        for how in (["--linger", "0"], ["--until-idle", "50ms"], ["--count", "2"]):
            process = self.start("cat", *how)
            process.say("one", "two")
            process.end()
            self.assertEqual(process.lines(2), ["one", "two"], how)
            self.assertEqual(process.status(), 0, how)

    def test_a_line_too_long_is_named(self):
        self.environment["EVS_LOCAL_MESSAGE_LIMIT"] = "4KiB"
        process = self.start("cat", "--send-only")
        process.say("short", "y" * 5000)
        process.end()
        self.assertEqual(process.status(), 1)
        self.assertIn("line 2 of stdin", process.stderr())

    def test_a_reader_of_ours_that_went_away_is_an_error(self):
        process = self.start("cat")
        process.process.stdout.close()
        process.say("into the void")
        self.assertEqual(process.status(), 1)
        self.assertIn("stdout: Broken pipe", process.stderr())

    def test_no_transport_is_a_sentence(self):
        result = self.run_evs("cat", EVS_LOCAL_TRANSPORT="nosuch")
        self.assertEqual(result.returncode, 2)
        self.assertIn("nosuch", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_a_name_that_leaves_no_room_is_said(self):
        self.environment["EVS_LOCAL_MESSAGE_LIMIT"] = "1KiB"
        result = self.run_evs("cat", "--name", "n" * 1023)
        self.assertEqual(result.returncode, 1)
        self.assertIn("--name has 1023 bytes", result.stderr)

    def test_a_bad_configuration_is_a_usage_error(self):
        for setting in "log.level=loud", "local.ring_size=5MiB":
            result = self.run_evs("cat", "--set", setting)
            self.assertEqual(result.returncode, 2, setting)
            self.assertIn(setting.split("=", maxsplit=1)[0].rsplit(".", maxsplit=1)[1], result.stderr)


if __name__ == "__main__":
    unittest.main()
