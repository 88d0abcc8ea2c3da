# SPDX-License-Identifier: BSD-3-Clause
"""evs-top on a terminal, which tmux is: what stands on the screen, what keys do, another size, and a process that is stopped.

Nothing sleeps for a time: the screen is read again until it shows what is waited for.
"""
import itertools
import pathlib
import shlex
import shutil
import time

from evs_bus import PATIENCE_S, os, signal, subprocess
from top import TOP, TopTest, skip_all, unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Terminal:
    """A tmux server of its own with one window of one command."""
    numbers = itertools.count()

    def __init__(self, test, columns, lines, command, **environment):
        self.socket = os.path.join(test.directory, f"tmux{next(self.numbers)}")
        self.environment = {**test.environment, **environment}
        words = ["env", f"TERM={environment.get('TERM', 'screen-256color')}", TOP, *command]
        # What stands at the end is whether it ended in order.
        shell = f"{shlex.join(words)}; echo ended with $?; sleep {2 * PATIENCE_S}"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), shell)
        test.addCleanup(self.close)

    def tmux(self, *arguments, check=True):
        return subprocess.run(["tmux", "-u", "-S", self.socket, *arguments], env=self.environment, capture_output=True, text=True, check=check, timeout=PATIENCE_S).stdout

    def close(self):
        self.tmux("kill-server", check=False)

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def when(self, condition, what, *options):
        """The first screen for which it holds."""
        until = time.monotonic() + PATIENCE_S
        while True:
            seen = self.screen(*options)
            if condition(seen):
                return seen
            if time.monotonic() > until:
                raise AssertionError(f"never {what}:\n{seen}")
            time.sleep(0.02)

    def shows(self, *words):
        return self.when(lambda screen: all(word in screen for word in words), f"shown: {words}")

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def resize(self, columns, lines):
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))


class Screen(TopTest):
    def start_top(self, *arguments, columns=80, lines=24, **environment):
        environment = {"LC_ALL": "C.UTF-8", **environment}
        return Terminal(self, columns, lines, ["--interval", "100ms", *arguments], **environment)

    def test_two_processes_keys_and_another_size(self):
        ann, bob = self.cat("-g", "chat"), self.cat("-g", "chat", "-g", "trades")
        pids = [str(ann.process.pid), str(bob.process.pid)]
        top = self.start_top()
        screen = top.shows(*pids, "PID", "all is well", "1 processes", "2 processes  configuration")
        self.assertEqual(len(screen.rstrip("\n").split("\n")), 24)
        self.assertIn("q quit", screen.rstrip("\n").split("\n")[-1])
        self.talk(ann, bob, 20)
        for key, word in ("2", "READING"), ("3", "trades"), ("4", "RECEIVED UP TO"), ("5", "CAUSE"), ("6", "heartbeat age"), ("7", "evs-transport-shm.so"):
            top.press(key)
            top.shows(word)
        top.press("Tab")
        top.shows("SENT/s")
        top.press("t")
        top.shows("SENT ")
        top.press("?")
        top.shows("evs-top only reads", "any key goes back")
        top.press("x")
        top.shows("PID")
        top.press("/", *pids[0])
        top.shows("filter: " + pids[0])
        top.press("Enter")
        top.when(lambda s: pids[0] in s and pids[1] not in s, "filtered")
        top.press("Escape")
        top.shows(*pids)
        top.press("p")
        top.shows("PAUSED")
        top.press("p", "+")
        top.shows("every 200.00 ms")
        top.resize(120, 12)
        screen = top.when(lambda s: "NODEID" in s and s.rstrip("\n").split("\n")[-1].startswith("q quit"), "wider: more columns")
        self.assertEqual(len(screen.rstrip("\n").split("\n")), 12)
        top.resize(40, 8)
        top.when(lambda s: "NODEID" not in s and all(len(line) <= 40 for line in s.split("\n")) and "evs-top" in s, "narrower")
        top.press("q")
        top.shows("ended with 0")

    def test_who_comes_and_who_is_killed_is_in_the_history(self):
        ann = self.cat()
        top = self.start_top("--view", "memberships")
        top.shows("in force when evs-top came")
        bob = self.cat()
        top.shows(f"{bob.process.pid} (evs) joined")
        bob.signal(signal.SIGKILL)
        ann.event(type="group", reason="died")
        top.shows(f"{bob.process.pid} (evs) died")
        carl = self.cat()
        top.shows(f"{carl.process.pid} (evs) joined")
        carl.signal(signal.SIGTERM)
        top.shows(f"{carl.process.pid} (evs) left")

    def test_a_stopped_process_is_shown_as_hung(self):
        self.cat()
        bob = self.cat()
        top = self.start_top()
        top.shows("all is well", str(bob.process.pid))
        bob.signal(signal.SIGSTOP)
        try:
            top.shows("hung, stopped", f"process {bob.process.pid} (evs) is hung: it is stopped")
            top.when(lambda s: any(str(bob.process.pid) in line and "hung, stopped" in line for line in s.split("\n")), "in its row")
        finally:
            bob.signal(signal.SIGCONT)
        top.shows("all is well")

    def test_a_bus_that_comes_later_and_goes(self):
        top = self.start_top()
        top.shows('cannot look: there is no bus "default"')
        ann = self.cat()
        top.shows(str(ann.process.pid), "all is well")
        top.press("C-c")
        top.shows("ended with 0")

    def test_a_crash_leaves_a_plain_terminal(self):
        self.cat()
        top = self.start_top()
        top.shows("all is well")
        pid = int(top.tmux("list-panes", "-F", "#{pane_pid}"))
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            os.kill(int(children.read().split()[0]), signal.SIGBUS)
        screen = top.shows(f"ended with {128 + signal.SIGBUS}")
        self.assertNotIn("all is well", screen, "the other screen is gone")
        self.assertEqual(top.tmux("display", "-p", "#{alternate_on} #{cursor_flag}").split(), ["0", "1"])

    def test_colours_unless_they_are_not_wanted(self):
        self.cat()
        coloured = self.start_top()
        coloured.shows("all is well")
        self.assertIn("\x1b[32m", coloured.screen("-e"))
        coloured.close()
        plain = self.start_top(NO_COLOR="1")
        plain.shows("all is well")
        self.assertNotRegex(plain.screen("-e"), r"\x1b\[[0-9;]*3[1-7]m")

    def test_a_terminal_without_utf_8_gets_ascii(self):
        self.cat()
        top = self.start_top(LC_ALL="C")
        screen = top.shows("all is well", "............")
        self.assertTrue(all(ord(c) < 128 for c in screen), screen)

    def test_a_recording_is_played_and_its_end_stays(self):
        top = self.start_top("--replay", str(ROOT / "docs/evs-top.jsonl"))
        top.shows("desk", "audit")
        top.press(".")
        top.shows("PAUSED")
        for _ in range(40):
            top.press(".")
        top.shows("hung, stopped")
        top.press("q")
        top.shows("ended with 0")

    def test_one_that_cannot_be_read_leaves_the_terminal_in_order(self):
        path = os.path.join(self.directory, "bad.jsonl")
        with open(path, "w", encoding="ascii") as file:
            file.write('{"evs_top_recording":1}\n{}\n')
        top = self.start_top("--replay", path, columns=120)
        top.shows('line 2: "unix_ns" is missing', "ended with 1")


if __name__ == "__main__":
    if shutil.which("tmux") is None:
        skip_all("tmux is not installed: tools/install-deps test")
    unittest.main()
