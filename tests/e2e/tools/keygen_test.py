# SPDX-License-Identifier: BSD-3-Clause
"""`evs keygen`: a key is made once, and replaced step by step; no step does harm in another's place."""
import base64
import fcntl
import resource
import signal
import stat

from evs_bus import EVS, PATIENCE_S, BusTest, os, subprocess, unittest


class Keygen(BusTest):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.directory, "key")

    def keygen(self, *options, file=None):
        return self.run_evs("keygen", *options, file or self.file)

    def keys(self):
        with open(self.file, encoding="ascii") as file:
            lines = [line.split() for line in file if not line.startswith("#")]
        for tag, _, secret in lines:
            self.assertEqual(tag, "evs-key-1")
            self.assertEqual(len(base64.b64decode(secret, validate=True)), 32)
        return [(int(number), secret) for _, number, secret in lines]

    def done(self, *options):
        before = self.keys() if os.path.exists(self.file) else []
        result = self.keygen(*options)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 1)
        status = os.stat(self.file)
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_nlink, os.listdir(self.directory)), (0o600, 1, ["key"]))
        after = self.keys()
        for _, secret in before + after:
            self.assertNotIn(secret, result.stdout)
        return before, after, result.stdout

    def refused(self, reason, *options, status=1, file=None):
        before = open(self.file, "rb").read() if os.path.exists(self.file) else None
        result = self.keygen(*options, file=file)
        self.assertEqual((result.returncode, result.stdout), (status, ""))
        self.assertIn(reason, result.stderr)
        if status == 1:
            self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertEqual(open(self.file, "rb").read() if os.path.exists(self.file) else None, before)

    def test_a_replacement_from_end_to_end(self):
        _, [first], said = self.done()
        self.assertEqual(first[0], 1)
        self.assertIn("key 1 made. Copy the file to every host", said)
        _, keys, said = self.done("--add")
        self.assertEqual((keys[0], keys[1][0]), (first, 2))
        self.assertNotEqual(keys[1][1], first[1])
        self.assertIn("--rotate", said)
        second = keys[1]
        _, keys, said = self.done("--rotate")
        self.assertEqual(keys, [second, first])
        self.assertIn("key 2 seals, key 1 still opens", said)
        self.assertIn("--retire", said)
        _, keys, _ = self.done("--retire")
        self.assertEqual(keys, [second])
        _, keys, _ = self.done("--add")
        self.assertEqual([number for number, _ in keys], [2, 3])

    def test_what_is_in_a_file(self):
        def listed():
            before = os.stat(self.file)
            result = self.keygen("--list")
            self.assertEqual((result.returncode, result.stderr), (0, ""), result.stderr)
            after = os.stat(self.file)
            self.assertEqual((after.st_ino, after.st_mtime_ns), (before.st_ino, before.st_mtime_ns))
            return result.stdout
        self.refused("No such file or directory", "--list")
        self.done()
        self.assertEqual(listed(), "key 1 seals\n")
        self.done("--add")
        self.assertEqual(listed(), "key 1 seals\nkey 2 opens\n")
        self.done("--rotate")
        self.assertEqual(listed(), "key 2 seals\nkey 1 opens\n")
        self.done("--retire")
        self.assertEqual(listed(), "key 2 seals\n")
        os.chmod(self.file, 0o640)
        self.refused("lets others at the key", "--list")

    def test_two_at_a_time(self):
        self.done()
        with open(self.file, "rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.refused("somebody else is replacing it", "--add")
            self.refused("somebody else is replacing it", "--force")
            self.refused("File exists")
            self.assertEqual(self.keygen("--list").stdout, "key 1 seals\n")  # which waits for nobody
        self.done("--add")

    def test_a_directory_that_others_may_write_to(self):
        self.done()
        os.chmod(self.directory, 0o770)
        for options in ("--list",), ("--add",):
            result = self.keygen(*options)
            self.assertEqual(result.returncode, 0)
            self.assertIn(f"warning: {self.directory}: its mode 0770 lets others than its owner and root write to it", result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1)
        os.chmod(self.directory, 0o755)
        self.done("--rotate")

    def test_a_key_that_is_there_stays(self):
        self.done()
        self.refused("File exists. Hosts that have that key would no longer understand this one")
        before, after, _ = self.done("--force")
        self.assertNotEqual(before, after)

    def test_steps_out_of_turn(self):
        for option in "--add", "--rotate", "--retire":
            self.refused("No such file or directory", option)
        self.done()
        self.refused("has one key and nothing to change to", "--rotate")
        self.refused("there is none to retire", "--retire")
        self.done("--add")
        self.refused("--rotate", "--add")
        self.done("--rotate")
        self.refused("--retire", "--add")  # another --rotate would bring the old key back

    def test_one_step_at_a_time(self):
        self.done()
        for options in (("--list", "--add"), ("--list", "--force"), ("--add", "--rotate"), ("--rotate", "--retire"), ("--add", "--retire"), ("--add", "--force"), ("--retire", "--force")):
            self.refused("excludes", *options, status=2)
        self.assertEqual(self.run_evs("keygen").returncode, 2)

    def test_what_is_no_safe_key_file(self):
        self.refused("No such file or directory", file=os.path.join(self.directory, "none", "key"))
        self.done()
        os.chmod(self.file, 0o640)
        self.refused("mode 0640 lets others at the key; chmod 0600", "--add")
        os.chmod(self.file, 0o600)
        with open(self.file, "a", encoding="ascii") as file:
            file.write("more\n")
        self.refused("key:3: no key; a line is", "--add")
        link = os.path.join(self.directory, "link")
        os.symlink(self.file, link)
        self.refused("symbolic link", "--add", file=link)
        self.refused("no regular file; it is left alone", "--force", file=link)

    def test_a_full_disk_leaves_the_old_one(self):
        self.done()
        before = self.keys()

        def no_room():  # a write beyond the limit fails with an error instead of a signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        result = subprocess.run([EVS, "keygen", "--add", self.file], capture_output=True, text=True, preexec_fn=no_room, timeout=PATIENCE_S)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("File too large", result.stderr)
        self.assertEqual((self.keys(), os.listdir(self.directory)), (before, ["key"]))


if __name__ == "__main__":
    unittest.main()
