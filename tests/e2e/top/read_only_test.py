# SPDX-License-Identifier: BSD-3-Clause
"""Who looks with evs-top disturbs nothing: no byte of a bus changes, every file is opened for reading alone, the segment is mapped for reading, and no lock is taken."""
import glob
import hashlib
import re
import shutil

from evs_bus import os, signal, subprocess
from top import TOP, TopTest, unittest

OPEN = re.compile(r'open(?:at)?\([^"]*"([^"]+)", ([A-Z_|]+)')
MAPPED = re.compile(r"mmap\([^,]+, \d+, ([A-Z_|]+), ([A-Z_|]+), \d+<([^>]+)>")


class ReadOnly(TopTest):
    def digest(self):
        found = {}
        for path in sorted(glob.glob(self.directory + "/*")):
            # Bells are FIFOs: there is nothing in them to read.
            content = open(path, "rb").read() if os.path.isfile(path) else b""
            found[os.path.basename(path)] = hashlib.sha256(content).hexdigest()
        return found

    def test_no_byte_of_a_bus_changes_while_all_of_it_is_stopped(self):
        crew = [self.cat("-g", "chat"), self.cat("-g", "trades")]
        for process in crew:
            process.signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.process.pid, os.WSTOPPED)
        try:
            before = self.digest()
            self.assertIn("default.ring", before)
            result = self.top("--once", "--interval", "50ms")
            self.assertEqual(result.stdout.count("hung, stopped"), 2, result)
            self.assertEqual(self.top("--check").returncode, 2)
            self.assertEqual(self.digest(), before)
        finally:
            for process in crew:
                process.signal(signal.SIGCONT)

    def test_it_makes_no_file(self):
        self.cat()
        os.remove(os.path.join(self.directory, "default.lock"))
        self.assertEqual(self.top("--once", "--totals").returncode, 0)
        self.assertFalse(os.path.exists(os.path.join(self.directory, "default.lock")))

    def test_what_it_asks_of_the_kernel(self):
        log = os.path.join(self.directory, "calls")
        if shutil.which("strace") is None or subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
            self.skipTest("strace is not installed, or may not trace here")
        self.cat()
        calls = "trace=open,openat,mmap,flock,fcntl,ftruncate,unlink,unlinkat,rename,write,pwrite64,kill,futex"
        traced = subprocess.run(["strace", "-f", "-y", "-o", log, "-e", calls, TOP, "--once", "--totals"], env=self.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(traced.returncode, 0, traced.stderr)
        with open(log, encoding="utf-8") as file:
            lines = [line for line in file if self.directory in line or "default." in line]
        opened = {path: flags.split("|") for path, flags in OPEN.findall("".join(lines))}
        self.assertIn("default.ring", opened)
        self.assertIn("default.counters", opened)
        for path, flags in opened.items():
            self.assertTrue("O_RDONLY" in flags or "O_PATH" in flags, f"{path}: {flags}")
            self.assertNotIn("O_CREAT", flags)
        mapped = MAPPED.findall("".join(lines))
        self.assertTrue([path for _, kind, path in mapped if path.endswith("default.ring") and "MAP_SHARED" in kind], lines)
        self.assertEqual({protection for protection, _, _ in mapped}, {"PROT_READ"})
        others = [line for line in lines if not re.search(r"\b(open|openat|mmap|fcntl)\(", line)]
        self.assertEqual(others, [])
        self.assertEqual([line for line in lines if "F_SETLK" in line or "F_OFD_SETLK" in line], [])


if __name__ == "__main__":
    unittest.main()
