# SPDX-License-Identifier: BSD-3-Clause
"""evs-top without a screen: --once, --json, --csv, --check, --record and --replay, and the picture in the documents."""
import csv
import io
import pathlib
import re

from evs_bus import EVS, PATIENCE_S, os, signal, subprocess
from top import TOP, TopTest, unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Once(TopTest):
    def test_processes_groups_and_their_names(self):
        ann, bob = self.cat("-g", "chat"), self.cat("-g", "chat", "-g", "trades")
        text = self.top("--once", "--totals").stdout
        for process in ann, bob:
            self.assertRegex(text, rf"\n *{process.process.pid}  evs +live ")
        self.assertIn("all is well", text)
        groups = self.top("--once", "--totals", "--view", "groups").stdout
        self.assertRegex(groups, r"\nchat +2 ")
        self.assertRegex(groups, rf"\ntrades +1  {bob.process.pid} \(evs\)\n")
        plugins = self.top("--once", "--totals", "--view", "plugins", "--width", "300").stdout
        self.assertRegex(plugins, r"\nevs-transport-shm\.so +2  loaded ")
        self.assertTrue(all(ord(c) < 128 for c in self.top("--once", "--totals", "--ascii").stdout))

    def test_rates_are_between_two_looks(self):
        self.cat()
        text = self.top("--once", "--interval", "50ms").stdout
        self.assertIn("SENT/s", text)
        self.assertNotIn("sent - ", text)

    def test_no_bus_is_status_3_and_a_usage_error_2(self):
        result = self.top("--once", "--bus", "nosuch")
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        self.assertIn('there is no bus "nosuch"', result.stderr)
        self.assertEqual(self.top("--once", "--view", "nosuch").returncode, 2)
        self.assertEqual(self.top("--once", "--set", "local.nosuch=1").returncode, 2)
        self.cat()
        wrong = self.top("--once", "--totals", "--sort", "nosuch")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("there is no column 'nosuch' in the view processes, but PID, COMMAND", wrong.stderr)

    def test_without_a_terminal_it_says_what_needs_none(self):
        result = self.top()
        self.assertEqual(result.returncode, 2)
        self.assertIn("no terminal", result.stderr)


class Machine(TopTest):
    def test_json_counts_what_is_sent(self):
        ann, bob = self.cat(), self.cat()
        before, = self.frames("-n", "1")
        self.talk(ann, bob, 50)
        after, = self.frames("-n", "1")

        def sent(frame):
            return {m["pid"]: m["sent_messages"] for m in frame["status"]["members"]}[ann.process.pid]
        self.assertEqual(sent(after) - sent(before), 50)
        self.assertEqual(after["bus"], "default")
        self.assertEqual(after["directory"], self.directory)
        self.assertGreater(after["monotonic_ns"], before["monotonic_ns"])
        self.assertIn("evs_ring_capacity_bytes", {family["name"] for family in after["metrics"]})

    def test_csv_is_the_views_table(self):
        ann = self.cat("-g", "a,b")
        rows = list(csv.DictReader(io.StringIO(self.top("--csv", "-n", "2", "-d", "50ms").stdout)))
        self.assertEqual([int(row["pid"]) for row in rows], [ann.process.pid] * 2)
        self.assertEqual((rows[0]["sent_records_per_second"], rows[1]["sent_records_per_second"]), ("", "0"))
        groups = list(csv.DictReader(io.StringIO(self.top("--csv", "-n", "1", "--view", "groups").stdout)))
        self.assertEqual(groups[0]["group"], "a,b")

    def test_a_signal_ends_it_in_order(self):
        self.cat()
        process = subprocess.Popen([TOP, "--json", "-d", "50ms"], env=self.environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        process.stdout.readline()
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0)


    def test_a_reader_that_went_away_is_no_news(self):
        self.cat()
        for program in ([TOP, "--json"], [EVS, "status", "--json"]):
            read, write = os.pipe()
            os.close(read)
            try:
                result = subprocess.run(program, env=self.environment, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S,
                                        restore_signals=False)  # SIGPIPE ignored, as Python has it
            finally:
                os.close(write)
            self.assertEqual((result.returncode, result.stderr), (1, ""), program)
        full = os.open("/dev/full", os.O_WRONLY)
        self.addCleanup(os.close, full)
        result = subprocess.run([TOP, "--json"], env=self.environment, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
        self.assertEqual((result.returncode, result.stderr), (1, "evs-top: stdout: No space left on device\n"))


class Check(TopTest):
    def test_from_ok_to_critical_and_back(self):
        self.assertEqual(self.top("--check", "--bus", "nosuch").returncode, 2)
        ann, bob = self.cat(), self.cat()
        well = self.top("--check")
        self.assertEqual(well.returncode, 0)
        self.assertRegex(well.stdout, r"^EVS OK - bus default: 2 processes, ring 0\.0 % full \| processes=2 hung=0;;0 ring=0\.0%;80;95;0;100 problems=0;0 hosts=1\n$")
        bob.signal(signal.SIGSTOP)
        try:
            self.snapshot_when(lambda s: any(m["stopped_ns"] is not None for m in s["members"]), "stopped")
            ill = self.top("--check")
            self.assertEqual(ill.returncode, 2)
            self.assertRegex(ill.stdout, rf"^EVS CRITICAL - bus default: process {bob.process.pid} \(evs\) is hung: it is stopped, .* \| processes=2 hung=1;")
        finally:
            bob.signal(signal.SIGCONT)
        self.snapshot_when(lambda s: all(m["stopped_ns"] is None for m in s["members"]), "running again")
        self.assertEqual(self.top("--check").returncode, 0)
        ann.signal(signal.SIGTERM)

    def test_what_it_cannot_tell_is_unknown(self):
        for arguments in ["--nosuch"], ["--set", "local.nosuch=1"], ["--replay", "/nosuch"]:
            result = self.top("--check", *arguments)
            self.assertEqual(result.returncode, 3, arguments)
        self.assertRegex(result.stdout, r"^EVS UNKNOWN - /nosuch: No such file")


class Recording(TopTest):
    def test_what_was_recorded_is_shown_again(self):
        ann, bob = self.cat(), self.cat()
        path = os.path.join(self.directory, "run.jsonl")
        process = subprocess.Popen([TOP, "--json", "-d", "50ms", "--record", path], env=self.environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        process.stdout.readline()
        bob.signal(signal.SIGKILL)
        ann.event(type="group", reason="died")
        seen = b""
        while b'"how":"died"' not in seen:
            seen = process.stdout.readline()
            self.assertTrue(seen)
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        text = self.top("--replay", path, "--once", "--view", "memberships").stdout
        self.assertRegex(text, rf"{bob.process.pid} \(evs\) died\n")
        self.assertIn("in force when evs-top came", text)
        again = self.top("--replay", path, "--json").stdout
        with open(path, encoding="utf-8") as file:
            self.assertEqual(len(again.splitlines()), len(file.readlines()) - 1)

    def test_what_is_none_is_refused_in_words(self):
        path = os.path.join(self.directory, "bad.jsonl")
        for text, words in ("", "it is empty"), ("hello\n", "it is no recording of evs-top"), ('{"evs_top_recording":1}\n{"unix_ns":\n', "line 2: it is no JSON"), ('{"evs_top_recording":1}\n', "the recording has no frame"):
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            result = self.top("--replay", path, "--once")
            self.assertEqual(result.returncode, 1)
            self.assertIn(words, result.stderr)


class Completions(TopTest):
    def test_bash_takes_them(self):
        script = self.top("--completion", "bash").stdout
        asked = script + "\nCOMP_WORDS=(evs-top --view m); COMP_CWORD=2; _evs_top; echo \"${COMPREPLY[@]}\""
        self.assertEqual(subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout, "memberships\n")
        for shell, word in ("zsh", "--ring-warning"), ("fish", "ring-warning"):
            self.assertIn(word, self.top("--completion", shell).stdout)


class Picture(unittest.TestCase):
    def test_the_one_in_the_documents_is_what_it_draws(self):
        script = (ROOT / "tools/top/picture").read_text()
        arguments = re.search(r'--svg (--width \d+) --label "([^"]+)"', script)
        drawn = subprocess.run([TOP, "--replay", ROOT / "docs/evs-top.jsonl", "--svg", *arguments.group(1).split(), "--label", arguments.group(2)], capture_output=True, text=True, check=True)
        self.assertEqual(drawn.stdout, (ROOT / "docs/evs-top.svg").read_text(), "tools/top/picture draws it anew")


if __name__ == "__main__":
    unittest.main()
