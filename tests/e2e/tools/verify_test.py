# SPDX-License-Identifier: BSD-3-Clause
"""`evs verify` over files: what is well, what is not, and what is no trace."""
from evs_bus import BusTest, json, os, unittest

HEAD = "evs-trace 1\nboot process={p}.1 level=process\nconf id=R type=reg ring_seq=1 members=1,2\n"
SEND = "send ring=R seq=1 service=safe u=1 hash=a1\n"
DELIVER = "deliver conf=R ring=R seq=1 service=safe sender=1.1 hash=a1\n"


class Verify(BusTest):
    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def two(self, of_two):
        return [self.write("1.trace", HEAD.format(p=1) + SEND + DELIVER + "end\n"),
                self.write("2.trace", HEAD.format(p=2) + of_two + "end\n")]

    def test_a_clean_run(self):
        files = self.two(DELIVER)
        for arguments in (files, [self.directory], ["--quiescent", self.directory]):
            result = self.run_evs("verify", *arguments)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "2 traces, 7 events: no violation\n", ""))

    def test_a_violation_names_file_and_line(self):
        _, second = self.two(DELIVER + DELIVER)
        result = self.run_evs("verify", self.directory)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.splitlines(), [
            "1.4: 2.1 delivers R/1 twice.",
            f"    {second}:4  {DELIVER.strip()}",
            f"    {second}:5  {DELIVER.strip()}",
            "",
            "2 traces, 8 events: 1 violation"])

    def test_rest_is_said_by_the_caller(self):
        self.two("")
        self.assertEqual(self.run_evs("verify", self.directory).returncode, 0)
        result = self.run_evs("verify", "--quiescent", "--json", self.directory)
        self.assertEqual(result.returncode, 1)
        verdict = json.loads(result.stdout)
        self.assertEqual((verdict["clean"], verdict["traces"], verdict["events"]), (False, 2, 6))
        self.assertEqual([v["predicate"] for v in verdict["violations"]], ["7.1"])
        self.assertTrue(verdict["violations"][0]["evidence"][0]["where"].endswith("1.trace:5"))

    def test_a_missing_trace(self):
        first, _ = self.two(DELIVER)
        self.assertEqual(self.run_evs("verify", first).returncode, 1)
        self.assertEqual(self.run_evs("verify", "--partial", first).returncode, 0)

    def test_the_limit_is_told(self):
        self.two(DELIVER * 5)
        result = self.run_evs("verify", "--limit", "2", self.directory)
        self.assertIn("2 violations shown, there may be more", result.stdout)

    def test_what_cannot_be_read(self):
        first, second = self.two("deliver conf=R\n")
        empty = os.path.join(self.directory, "empty")
        os.mkdir(empty)
        again = self.write("again", HEAD.format(p=1))
        for arguments, reason in (([first, second], "2.trace:4: deliver without ring="),
                                  ([os.path.join(self.directory, "none")], "none: No such file or directory"),
                                  ([empty], "empty: no file in it ends in .trace"),
                                  (["/dev/null"], "/dev/null:1: no trace"),
                                  ([first, again], "again: a second trace of 1.1")):
            result = self.run_evs("verify", *arguments)
            self.assertEqual((result.returncode, result.stdout), (1, ""), reason)
            self.assertIn(reason, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_no_file_is_a_usage_error(self):
        self.assertEqual(self.run_evs("verify").returncode, 2)


if __name__ == "__main__":
    unittest.main()
