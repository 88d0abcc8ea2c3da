# SPDX-License-Identifier: BSD-3-Clause
"""`evs plugins`, `evs config`, `--version` and the completions, as a user meets them."""
import shutil

from evs_bus import EVS, BusTest, json, os, subprocess, unittest


class Plugins(BusTest):
    def test_lists_what_the_build_made(self):
        result = self.run_evs("plugins", "--json")
        found = {p["name"]: p for p in json.loads(result.stdout)["plugins"]}
        for name in "shm", "loopback":
            self.assertEqual(found[name]["kind"], "transport")
            self.assertEqual(found[name]["medium"], "ordered")
            self.assertTrue(found[name]["file"].endswith(f"/evs-transport-{name}.so"))
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_parameters(self):
        text = self.run_evs("plugins", "shm", "--params").stdout
        self.assertIn("PARAMETER", text)
        self.assertNotIn("loopback", text)

    def test_a_refused_one_is_named_with_the_reason(self):
        good = os.path.join(os.environ["EVS_PLUGIN_PATH"], "evs-transport-shm.so")
        bad = shutil.copy(good, os.path.join(self.directory, "evs-transport-shm.so"))
        os.chmod(bad, 0o666)
        result = self.run_evs("plugins", EVS_PLUGIN_PATH=self.directory)
        self.assertEqual(result.returncode, 1)
        self.assertIn("refused  " + bad, result.stdout)
        self.assertIn("writ", result.stdout)

    def test_not_found(self):
        result = self.run_evs("plugins", "nosuch")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no plugin 'nosuch'", result.stderr)


class Config(BusTest):
    def test_each_value_says_who_said_it(self):
        path = os.path.join(self.directory, "mine.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write('[log]\nlevel = "info"\n[local]\nring_size = "8MiB"\n')
        result = self.run_evs("config", "--json", "--config", path, "--set", "bus.name=special",
                              EVS_LOCAL_RING_SIZE="16MiB")
        self.assertEqual(result.returncode, 0, result.stderr)
        config = json.loads(result.stdout)
        self.assertEqual(config["log.level"], {"value": "info", "origin": f"{path}:2"})
        self.assertEqual(config["local.ring_size"], {"value": "16MiB", "origin": "environment EVS_LOCAL_RING_SIZE"})
        self.assertEqual(config["bus.name"], {"value": "special", "origin": "parameter"})
        self.assertEqual(config["local.transport"]["origin"], "default")
        text = self.run_evs("config", "log.level", "--config", path).stdout
        self.assertRegex(text, rf"log\.level +info +{path}:2")
        self.assertEqual(len(text.splitlines()), 2)

    def test_check_names_file_line_and_choices(self):
        path = os.path.join(self.directory, "bad.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write('[log]\nlevel = "loud"\n')
        result = self.run_evs("config", "--check", "--config", path)
        self.assertEqual(result.returncode, 2)
        self.assertIn(f"{path}:2", result.stderr)
        self.assertIn("warning", result.stderr)
        good = self.run_evs("config", "--check")
        self.assertEqual((good.returncode, good.stdout, good.stderr), (0, "", ""))

    def test_check_asks_the_plugins_for_their_keys(self):
        path = os.path.join(self.directory, "plugins.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write('[plugin.shm]\nring_size = "8MiB"\nspinn = "5us"\n')
        bad = self.run_evs("config", "--check", "--config", path)
        self.assertEqual(bad.returncode, 2)
        self.assertIn(f"{path}:3: plugin.shm.spinn", bad.stderr)
        self.assertIn("spin", bad.stderr.split("it takes", 1)[1])
        self.assertNotIn("ring_size:", bad.stderr)
        ours = self.run_evs("config", "--check", "--set", "plugin.smh.spin=5us")
        self.assertEqual(ours.returncode, 0, "an application may bring it")
        self.assertIn("no plugin 'smh'", ours.stderr)
        self.assertIn("shm", ours.stderr.split("which has", 1)[1])

    def test_check_finds_the_transport_as_the_library_does(self):
        shm = os.path.join(os.environ["EVS_PLUGIN_PATH"], "evs-transport-shm.so")
        for status, word, *settings in ((0, "nosuch", "local.transport=nosuch"),
                                        (2, "evs-transport-foo.so", "local.transport=/nonexist/evs-transport-foo.so"),
                                        (2, "spin", f"local.transport={shm}", "plugin.shm.spin=junk"),
                                        (2, "directory", "plugin.shm.directory=relative")):
            options = [part for setting in settings for part in ("--set", setting)]
            result = self.run_evs("config", "--check", *options)
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertIn(word, result.stderr)
        bad = os.path.join(self.directory, "evs-transport-shm.so")
        with open(bad, "w", encoding="ascii") as file:
            file.write("junk")
        result = self.run_evs("config", "--check", EVS_PLUGIN_PATH=self.directory + ":" + os.environ["EVS_PLUGIN_PATH"])
        self.assertEqual(result.returncode, 2)
        self.assertIn(bad, result.stderr)

    def test_check_asks_the_transport_what_it_would_refuse(self):
        for settings, word in ((["local.ring_size=1MiB"], "too small for message_limit"),
                               (["plugin.shm.spin=2ms"], "spin"),
                               (["local.transport=loopback", "local.ring_size=1MiB"], "must hold two messages")):
            options = [part for setting in settings for part in ("--set", setting)]
            result = self.run_evs("config", "--check", *options)
            self.assertEqual(result.returncode, 2, settings)
            self.assertIn("refuses", result.stderr)
            self.assertIn(word, result.stderr)

    def test_a_key_that_is_none(self):
        result = self.run_evs("config", "log.levle")
        self.assertEqual(result.returncode, 2)
        self.assertIn("log.level", result.stderr)


class Front(BusTest):
    def test_version_shows_the_plugin_abi(self):
        result = self.run_evs("--version")
        self.assertRegex(result.stdout, r"^evs \d+\.\d+\.\d+\nlibevs \d+\.\d+\.\d+\nplugin ABI \d+\.\d+\n$")

    def run_shell(self, script):
        return subprocess.run(["sh", "-c", script, "sh", EVS], env=self.environment, capture_output=True, text=True, timeout=60)

    def test_what_cannot_be_printed_is_a_failure(self):
        for command in "config", "plugins", "--version":
            result = self.run_shell(f'"$1" {command} >/dev/full')
            self.assertEqual(result.returncode, 1, command)
            self.assertIn("stdout: No space left on device", result.stderr)

    def test_a_closed_stdin_is_not_taken_for_another_file(self):
        result = self.run_shell('"$1" cat --send-only <&-')
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("Bad file descriptor", result.stderr)

    def test_seconds_are_a_number(self):
        for seconds in "nan", "-nan", "0.01", "inf", "1x", "":
            result = self.run_evs("bench", "--seconds", seconds)
            self.assertEqual(result.returncode, 2, seconds)

    def test_no_command_is_a_usage_error(self):
        result = self.run_evs()
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("status", result.stderr)

    def test_bash_takes_the_completion_and_completes(self):
        script = self.run_evs("--completion", "bash").stdout
        asked = (script + '\nfor words in "evs st" "evs cat --guarantee s" "evs bench --wa" "evs --ver"; do'
                 ' COMP_WORDS=($words); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _evs; echo "${COMPREPLY[*]}"; done')
        result = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
        self.assertEqual(result.stdout.splitlines(), ["status", "safe", "--wait", "--version"])

    def test_other_shells_take_theirs(self):
        for shell in "zsh", "fish":
            script = self.run_evs("--completion", shell)
            self.assertEqual(script.returncode, 0)
            self.assertIn("guarantee", script.stdout)
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=script.stdout, text=True, check=True)

    def test_no_colour_where_it_is_not_wanted(self):
        self.cat()
        self.assertNotIn("\x1b", self.run_evs("status", TERM="xterm").stdout)
        # On a terminal it is coloured, unless NO_COLOR says otherwise.
        for no_color, coloured in (("", True), ("1", False)):
            leader, follower = os.openpty()
            environment = {**self.environment, "TERM": "xterm", "NO_COLOR": no_color}
            done = subprocess.run([EVS, "config"], stdout=follower, env=environment, timeout=60, check=True)
            os.close(follower)
            self.assertEqual(b"\x1b[" in os.read(leader, 65536), coloured, done)
            os.close(leader)


class Uplink(BusTest):
    def test_a_transport_that_there_is_not_is_refused_in_one_line(self):
        for command in "gateway", "cat":
            result = self.run_evs(command, "--set=uplink.transport=nosuch", "--set=uplink.security=none", "--set=uplink.host_id=1")
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertTrue(result.stderr.startswith(f'evs {command}: there is no transport "nosuch": '), result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_in_a_build_tree_the_plugins_are_named(self):
        beside = os.environ["EVS_PLUGIN_PATH"]
        for command in ("cat",), ("gateway", "--set=uplink.transport=shm", "--set=uplink.security=none", "--set=uplink.host_id=1"):
            result = self.run_evs(*command, EVS_PLUGIN_PATH="")
            self.assertIn(f"say EVS_PLUGIN_PATH={beside}, or plugins.path", result.stderr)
            self.assertEqual(result.returncode, 2, result.stderr)

    def test_without_a_key_the_command_that_makes_one_is_named(self):
        key = os.path.join(self.directory, "key")
        for command in "gateway", "cat":
            result = self.run_evs(command, "--set=uplink.transport=udp", "--set=uplink.host_id=1", f"--set=uplink.key_file={key}")
            self.assertIn(f"make one with 'evs keygen {key}' and copy it to every host of the bus", result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_what_is_wrong_goes_to_the_log_as_well_where_that_is_elsewhere(self):
        log = os.path.join(self.directory, "log")
        result = self.run_evs("cat", "--set=local.transport=nosuch", f"--set=log.to=file:{log}")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        with open(log, encoding="utf-8") as lines:
            self.assertIn('there is no transport "nosuch"', lines.read())


if __name__ == "__main__":
    unittest.main()
