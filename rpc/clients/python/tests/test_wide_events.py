"""Sends events with very many features to a real service (WEFT, the program)."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from weft_client import Client, Event

ROOT = pathlib.Path(__file__).resolve().parents[4]
GRAPH = str(ROOT / "deploy" / "graphs" / "links.pbtxt")
FEATURES = 4096


class WideEventsTest(unittest.TestCase):
    def test_batches_are_no_larger_than_a_message(self):
        with tempfile.TemporaryDirectory() as place:
            server = subprocess.Popen(
                [os.environ["WEFT"], "serve", "--graph", GRAPH, "--data-dir", place, "--json"]
                + ["--features", str(FEATURES)]
                + ["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            with Client(json.loads(server.stdout.readline())["address"], 30.0) as client:
                # 1,024 of these, a batch by number, would be more than the 16 MiB of a message.
                features = [0.5] * FEATURES
                with client.ingest("events", producer="p") as feed:
                    for i in range(1100):
                        feed.add(Event("a", f"b{i % 7}", time_us=i, features=features))
                    feed.wait_durable()
                    self.assertEqual(feed.rejects, [])
                self.assertEqual(client.server_info().feed[0].durable_count, 1100)
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(timeout=60), 0)
            server.stdout.close()


if __name__ == "__main__":
    unittest.main()
