# SPDX-License-Identifier: BSD-3-Clause
"""`evs bench` measures and cleans up. Nothing here judges a speed: a test machine is no place for that."""
import glob

from evs_bus import BusTest, json, signal, unittest


class Bench(BusTest):
    def measurements(self, *arguments):
        result = self.run_evs("bench", "--json", "--seconds", "0.2", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def test_latency(self):
        for wait in "busy", "block", "poll":
            probe, latency = self.measurements("latency", "--wait", wait)
            self.assertEqual(probe["measurement"], "probe")
            self.assertEqual((latency["measurement"], latency["size"], latency["wait"]), ("latency", 64, wait))
            self.assertGreater(latency["round_trips"], 0)
            figures = [latency[key] for key in ("p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns")]
            self.assertEqual(figures, sorted(figures))
            self.assertGreater(figures[0], 0)

    def test_throughput(self):
        found = self.measurements("throughput", "--size", "0,64,64KiB", "--senders", "2", "--receivers", "2")
        self.assertEqual([m["size"] for m in found], [0, 64, 65536])
        for m in found:
            self.assertEqual(len(m["received"]), 2)
            self.assertGreater(min(m["received"]), 0)
            self.assertGreater(m["sent"], 0)
            self.assertAlmostEqual(m["messages_per_second"], sum(m["received"]) / 2 / m["seconds"], delta=1)

    def test_leaves_nothing_behind(self):
        before = set(glob.glob("/dev/shm/evs-bench-*"))
        self.measurements("latency")
        interrupted = self.start("bench", "latency", "--seconds", "60", "--progress")
        # Progress appears after two seconds: by then it runs.
        self.assertTrue(interrupted.process.stderr.readline())
        interrupted.signal(signal.SIGINT)
        self.assertEqual(interrupted.status(), 1)
        self.assertLessEqual(set(glob.glob("/dev/shm/evs-bench-*")), before)

    def test_on_a_bus_that_others_use(self):
        watcher = self.cat("-g", "chat")
        self.measurements("throughput", "--bus", "default", "--size", "64")
        watcher.say("unharmed")
        self.assertEqual(watcher.event(type="message")["text"], "unharmed")

    def test_too_large_a_message_is_a_sentence(self):
        result = self.run_evs("bench", "throughput", "--size", "512MiB")
        self.assertEqual(result.returncode, 1)
        self.assertIn("local.message_limit", result.stderr)


if __name__ == "__main__":
    unittest.main()
