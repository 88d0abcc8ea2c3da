# SPDX-License-Identifier: BSD-3-Clause
"""`evs exporter` beside real processes: counts rise, no total falls whoever dies, and what cannot be read is said."""
import grp
import stat

from exporter import EVS, ExporterTest
from evs_bus import PATIENCE_S, os, signal, subprocess, unittest

NOBODY = 65534
SENT = dict(name="evs_ring_appended_records_total", ring="order")
TAKEN = dict(name="evs_ring_delivered_records_total", ring="order")


class Counting(ExporterTest):
    def test_what_is_sent_and_delivered_is_counted(self):
        ann, bob = self.cat(), self.cat()
        exporter = self.exporter()
        before = exporter.when(lambda s: s.value("evs_members") == 2, "two members")
        ann.say_until_heard(50, ann, bob)
        seen = exporter.when(lambda s: s.value(**SENT) >= before.value(**SENT) + 50 and s.value(**TAKEN) >= before.value(**TAKEN) + 100, "all counted")
        self.assertEqual(seen.value("evs_up"), 1)
        self.assertEqual(seen.value("evs_processes", state="running"), 2)
        self.assertEqual(seen.value("evs_handles", state="reading"), 2)
        self.assertEqual(seen.value("evs_joined_groups"), 2)
        self.assertEqual(seen.value("evs_ring_capacity_bytes", ring="order"), self.snapshot()["ring"]["capacity_bytes"])
        self.assertIsNone(seen.value("evs_gateway_up"), "this bus has no uplink")
        self.assertEqual(sum(seen.values("evs_exporter_unreadable_files")), 0)

    def test_messages_are_counted_by_guarantee(self):
        count = {"unordered": 1, "fifo": 2, "agreed": 3, "safe": 4}
        for guarantee, lines in count.items():
            sender = self.cat("--guarantee", guarantee)
            sender.say(*(f"line {i}" for i in range(lines)))
            for _ in range(lines):
                sender.event(type="message")
        exporter = self.exporter()
        exporter.when(lambda s: {g: s.value("evs_ring_messages_total", ring="order", guarantee=g) for g in count} == count, "each as often as it was sent")
        last = exporter.when(lambda s: [s.value("evs_delivered_messages_total", guarantee=g) for g in count] == [1, 4, 9, 16], "each by who was there")
        for guarantee in count:  # a thread's first message is measured
            self.assertEqual(last.value("evs_ring_delivery_seconds_count", ring="order", guarantee=guarantee),
                             last.value("evs_ring_delivery_seconds_bucket", ring="order", guarantee=guarantee, le="+Inf"))
            self.assertGreaterEqual(last.value("evs_ring_delivery_seconds_count", ring="order", guarantee=guarantee), 1)
        self.assertGreater(last.value("evs_dispatch_callback_seconds_sum"), 0)

    def test_no_total_falls_when_processes_are_killed_leave_and_come_again(self):
        exporter = self.exporter()
        self.assertEqual(exporter.scrape().value("evs_exporter_buses"), 0)
        ann, bob = self.cat(), self.cat()
        for i in range(200):
            bob.say(f"line {i}")
        for _ in range(200):
            ann.event(type="message")
        before = exporter.when(lambda s: (s.value(**SENT) or 0) >= 200, "bob's counted")
        bob.signal(signal.SIGKILL)
        ann.event(type="group", reason="died")
        killed = exporter.when(lambda s: s.value("evs_members_proved_dead_total", ring="order") == 1 and s.value("evs_processes", state="running") == 1, "bob's death")
        self.assert_no_total_falls(before, killed)
        exporter.when(lambda s: s.value("evs_member_leave_seconds_count", ring="order") == 1, "how long it took to tell of it")
        ann.signal(signal.SIGTERM)
        self.assertEqual(ann.status(), 0)
        gone = exporter.when(lambda s: s.value("evs_up") == 0, "nobody there")
        self.assert_no_total_falls(killed, gone)
        self.assertIsNone(gone.value("evs_members"))
        self.cat()
        anew = exporter.when(lambda s: s.value("evs_members") == 1, "a bus anew")
        self.assert_no_total_falls(gone, anew)
        self.assertGreater(anew.value(**SENT), gone.value(**SENT), "a join")

    def test_all_are_killed_at_once_more_than_once(self):
        exporter = self.exporter()
        last = exporter.scrape()
        for _ in range(3):
            crew = [self.cat(), self.cat()]
            crew[0].say("a line")
            crew[1].event(type="message")
            seen = exporter.when(lambda s: s.value("evs_processes", state="running") == 2, "two there")
            self.assert_no_total_falls(last, seen)
            for process in crew:
                process.signal(signal.SIGKILL)
            for process in crew:
                process.status()
            last = exporter.when(lambda s: s.value("evs_up") == 0, "all gone")
            self.assert_no_total_falls(seen, last)

    def test_what_a_killed_one_sent_last_is_counted_to_the_record(self):
        ann, bob = self.cat(), self.cat()
        before = self.once().value(**SENT)
        bob.say(*(f"line {i}" for i in range(500)))
        for _ in range(500):
            ann.event(type="message")
        bob.signal(signal.SIGKILL)
        ann.event(type="group", reason="died")
        # Bob's lines, his death's membership; ann's service thread tells its own at its next turn.
        exporter = self.exporter()
        exporter.when(lambda s: s.value(**SENT) >= before + 501, "every line of bob's")

    def test_what_an_expelled_one_had_taken_is_told_once(self):
        settings = ("--set", "local.ring_size=512KiB", "--set", "local.message_limit=16KiB", "--set", "local.slow_reader_timeout=200ms")
        ann, bob = self.cat(*settings), self.cat(*settings)
        exporter = self.exporter()
        for i in range(200):
            ann.say(f"line {i}")
        for process in ann, bob:
            for _ in range(200):
                process.event(type="message")
        before = exporter.when(lambda s: s.value("evs_delivered_messages_total", guarantee="agreed") == 400, "both have them")
        bob.signal(signal.SIGSTOP)
        for i in range(100):
            ann.say("x" * 8000)
            ann.event(type="message")
        bob.signal(signal.SIGCONT)
        after = exporter.when(lambda s: s.value("evs_rejoins_total", ring="order") == 1 and s.value("evs_delivered_messages_total", guarantee="agreed") >= 500, "bob is back")
        self.assert_no_total_falls(before, after)
        # What bob has not read is lost to him.
        self.assertLess(after.value("evs_delivered_messages_total", guarantee="agreed"), 600)
        self.assertLess(after.value(**TAKEN) - before.value(**TAKEN), 150)

    def test_a_stopped_one_is_a_state_and_a_lag(self):
        ann, bob = self.cat(), self.cat()
        exporter = self.exporter()
        bob.signal(signal.SIGSTOP)
        try:
            ann.say_until_heard(50, ann)
            seen = exporter.when(lambda s: s.value("evs_processes", state="stopped") == 1 and s.value("evs_ring_used_bytes", ring="order") >= 50 * 64, "bob stopped")
            self.assertEqual(seen.value("evs_processes", state="running"), 1)
            exporter.when(lambda s: s.value("evs_heartbeat_age_seconds") > 1, "its age")
        finally:
            bob.signal(signal.SIGCONT)
        exporter.when(lambda s: s.value("evs_processes", state="running") == 2, "running again")


class Uplink(ExporterTest):
    def test_a_host_alone_on_its_ring(self):
        settings = {"uplink.transport": "udp", "uplink.host_id": "77", "uplink.security": "none", "plugin.udp.mode": "unicast",
                    "plugin.udp.address": "127.0.0.78", "plugin.udp.peers": "127.0.0.78:15478", "plugin.udp.port": "15478"}
        ann = self.cat(*(word for key, value in settings.items() for word in ("--set", f"{key}={value}")))
        exporter = self.exporter()
        seen = exporter.when(lambda s: s.value("evs_gateway_up") == 1 and s.value("evs_uplink_state", state="operational") == 1, "a gateway")
        self.assertEqual(seen.value("evs_uplink_hosts"), 1)
        self.assertEqual(seen.value("evs_uplink_processes"), 1)
        self.assertIsNone(seen.value("evs_token_age_seconds"), "it has none")
        self.assertIsNone(seen.value("evs_quorate"), "no quorum is configured")
        self.assertIsNotNone(seen.value("evs_ring_used_bytes", ring="outbox"))
        for i in range(20):
            ann.say(f"line {i}")
            ann.event(type="message")
        exporter.when(lambda s: s.value("evs_ring_appended_records_total", ring="outbox") >= 20, "the outbox counted")
        exporter.when(lambda s: s.value("evs_ordering_seconds_count", guarantee="agreed") >= 1 and s.value("evs_ring_change_seconds_count") >= 1, "its way through the ring of hosts")
        self.assertEqual(seen.value("evs_rings_formed_total"), 1)
        self.assertEqual(seen.value("evs_ring_reformations_total", reason="token_lost"), 0)
        ann.signal(signal.SIGSTOP)
        try:
            exporter.when(lambda s: s.value("evs_gateway_up") == 0 and s.value("evs_gateway_told_age_seconds") > 1, "a silent gateway")
        finally:
            ann.signal(signal.SIGCONT)
        last = exporter.when(lambda s: s.value("evs_gateway_up") == 1, "told again")
        ann.signal(signal.SIGTERM)
        self.assertEqual(ann.status(), 0)
        self.assert_no_total_falls(last, exporter.when(lambda s: s.value("evs_up") == 0, "gone"))


    def test_two_hosts_and_the_token_between_them(self):
        hosts = {}
        for number in 1, 2:
            directory = os.path.join(self.directory, f"host-{number}")
            settings = {"local.directory": directory, "uplink.transport": "udp", "uplink.host_id": str(number), "uplink.security": "none", "plugin.udp.mode": "unicast",
                        "plugin.udp.address": f"127.0.0.{80 + number}", "plugin.udp.peers": "127.0.0.81:15481,127.0.0.82:15481", "plugin.udp.port": "15481"}
            hosts[directory] = self.cat("--guarantee", "safe", *(word for key, value in settings.items() for word in ("--set", f"{key}={value}")))
        exporter = self.exporter(*(word for directory in hosts for word in ("--directory", directory)))
        ann = next(iter(hosts.values()))
        exporter.when(lambda s: s.values("evs_uplink_hosts") == [2, 2], "one ring of two")
        for i in range(20):
            ann.say(f"line {i}")
            for process in hosts.values():
                process.event(type="message")

        def all_told(seen):
            return all(seen.value(name, directory=directory) or 0 for directory in hosts
                       for name in ("evs_token_rotations_total", "evs_token_rotation_seconds_count", "evs_ring_change_seconds_count", "evs_received_bytes_total", "evs_rings_formed_total"))
        seen = exporter.when(all_told, "the token told")
        exporter.when(lambda s: s.value("evs_ordering_seconds_count", directory=next(iter(hosts)), guarantee="safe") >= 1, "a message's way through the ring")
        self.assertEqual(sum(seen.values("evs_ignored_packets_total", reason="malformed")), 0)
        exporter.when(lambda s: s.values("evs_delivered_messages_total", guarantee="safe") == [20, 20], "each delivered at both")


class Rights(ExporterTest):
    def test_a_damaged_file_is_a_metric_and_a_line(self):
        path = os.path.join(self.directory, "old.counters")
        with open(path, "wb") as file:
            file.write(b"no counters" * 1000)
        os.chmod(path, 0o600)
        self.cat()
        exporter = self.exporter()
        exporter.until_said("old.counters")
        seen = exporter.scrape()
        self.assertEqual(seen.value("evs_exporter_unreadable_files", reason="damaged"), 1)
        self.assertGreaterEqual(seen.value("evs_exporter_read_failures_total"), 1)
        self.assertEqual(seen.value("evs_exporter_buses"), 1, "the other one is read")
        os.remove(path)
        self.assertEqual(exporter.scrape().value("evs_exporter_unreadable_files", reason="damaged"), 0)
        exporter.signal(signal.SIGTERM)
        self.assertEqual(exporter.status(), 0)
        self.assertEqual((exporter.said.decode() + exporter.stderr()).count("old.counters"), 1, "said once")

    def test_what_it_may_not_read_is_a_metric_and_a_line(self):
        self.cat()
        how = dict(user=NOBODY, group=NOBODY, extra_groups=[]) if os.geteuid() == 0 else {}
        if not how:
            os.chmod(os.path.join(self.directory, "default.counters"), 0)
        exporter = self.exporter(**how)
        self.assertIn("Permission denied", exporter.until_said("metrics.group"))
        seen = exporter.scrape()
        self.assertEqual(seen.value("evs_exporter_unreadable_files", reason="access"), 1)
        self.assertEqual(seen.value("evs_exporter_buses"), 0)

    @unittest.skipUnless(os.geteuid() == 0, "gives a file to another group")
    def test_the_group_of_metrics_group_sees_numbers_and_no_message(self):
        group = grp.getgrall()[1]
        os.chmod(self.directory, 0o711)
        inner = os.path.join(self.directory, "bus")
        self.environment.update(EVS_LOCAL_DIRECTORY=inner, EVS_METRICS_GROUP=group.gr_name)
        self.cat(), self.cat()
        self.directory = inner
        exporter = self.exporter("--bus", "default", user=NOBODY, group=NOBODY, extra_groups=[group.gr_gid])
        seen = exporter.when(lambda s: s.value("evs_members") == 2, "two members")
        self.assertEqual(seen.value("evs_processes", state="running"), 2)
        self.assertEqual(sum(seen.values("evs_exporter_unreadable_files")), 0)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(inner, "default.ring")).st_mode), 0o600)


class CommandLine(ExporterTest):
    def test_a_textfile_is_whole_readable_and_alone(self):
        self.cat()
        place = os.path.join(self.directory, "textfiles")
        os.mkdir(place)
        path = os.path.join(place, "evs.prom")
        for _ in range(2):
            result = self.run_evs("exporter", "--once", "--textfile", path, "--directory", self.directory)
            self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        self.assertEqual(os.listdir(place), ["evs.prom"])
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o400, 0o400)
        with open(path) as file:
            self.assertIn("\nevs_up{", file.read())

    def test_a_textfile_that_stays_is_renewed_until_it_is_told_to_end(self):
        path = os.path.join(self.directory, "evs.prom")
        exporter = self.start("exporter", "--textfile", path, "--interval", "100ms", "--directory", self.directory)
        self.cat()

        def written(_):
            if not os.path.exists(path):
                return False
            with open(path) as file:
                return "\nevs_up{" in file.read()
        self.snapshot_when(written, "written anew")
        exporter.signal(signal.SIGTERM)
        self.assertEqual(exporter.status(), 0)

    def test_a_host_without_a_bus_is_none_of_its_failures(self):
        seen = self.once()
        self.assertEqual(seen.value("evs_exporter_buses"), 0)
        self.assertEqual(seen.value("evs_exporter_info"), 1)

    def test_refusals(self):
        for arguments, status, words in [
                (("--listen", "nowhere"), 2, "ADDRESS:PORT"), (("--listen", "127.0.0.1:70000"), 2, "ADDRESS:PORT"), (("--listen", "[::1]:80"), 2, "IPv4"),
                (("--once", "--listen", "127.0.0.1:0"), 2, "--listen"), (("--set", "no.such=1"), 2, "no.such"),
                (("--textfile", os.path.join(self.directory, "no", "such"), "--once"), 1, "No such file")]:
            result = self.run_evs("exporter", "--directory", self.directory, *arguments)
            self.assertEqual(result.returncode, status, (arguments, result.stderr))
            self.assertIn(words, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_an_address_that_is_taken_ends_it(self):
        first = self.exporter()
        second = subprocess.run([EVS, "exporter", "--listen", first.url.split("/")[2], "--directory", self.directory], env=self.environment,
                                capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
        self.assertEqual(second.returncode, 1, second.stderr)
        self.assertIn("cannot listen on 127.0.0.1", second.stderr)


if __name__ == "__main__":
    unittest.main()
