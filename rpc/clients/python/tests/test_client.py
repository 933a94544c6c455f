"""Tries the client against a real server process (WEFT_TEST_SERVER)."""

import os
import signal
import subprocess
import tempfile
import unittest

import grpc

from weft_client import Client, Event, FieldViolation, Reject, Score, WeftError


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.server = subprocess.Popen(
            [os.environ["WEFT_TEST_SERVER"], self.place.name, "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.client = Client(self.server.stdout.readline().split()[0])

    def tearDown(self):
        self.client.close()
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(timeout=30), 0)
        self.server.stdout.close()
        self.place.cleanup()

    def test_events_in_predictions_out(self):
        with self.client.ingest("events", producer="p", batch_events=3) as feed:
            for i in range(20):
                feed.add(Event(i % 2, f"t{i % 3}", time_us=i))
            feed.wait_applied()
            position = feed.position
        scores = self.client.score_links([(0, "t0"), (0, "t9"), ("x", "t0")], min_position=position)
        self.assertEqual(
            scores, (Score(4.0, True, True), Score(0.0, True, False), Score(0.0, False, True))
        )
        ranking = self.client.rank_targets(0, top_k=2)
        self.assertEqual(ranking.targets[0].target, "t0")
        self.assertEqual(ranking.model, "counting")
        self.assertFalse(ranking.cut)
        info = self.client.server_info()
        self.assertEqual(info.feed[0].durable_count, 20)
        self.assertEqual(len(self.client.state_hash()), 16)

    def test_resume(self):
        with self.client.ingest("events", producer="p") as feed:
            feed.add(Event("a", "b", time_us=100_000_000))
        with self.assertRaises(WeftError) as raised:
            self.client.ingest("events", producer="p")
        self.assertEqual(raised.exception.code, grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(raised.exception.reason, "PRODUCER_EXISTS")
        self.assertEqual(raised.exception.metadata, {"producer": "p", "nextSeq": "1"})
        self.assertIsNone(raised.exception.retry_seconds)
        with self.client.ingest("events", producer="p", resume=True) as feed:
            self.assertEqual(feed.next_seq, 1)
            feed.add(Event("a", "", time_us=100_000_000))
            feed.add(Event("a", "b", time_us=1))
            feed.add(Event("a", "b", time_us=10**18))
            feed.wait_durable()
            self.assertEqual(
                feed.rejects,
                [Reject(1, "KEY_EMPTY"), Reject(2, "LATE"), Reject(3, "TOO_FAR_AHEAD")],
            )

    def test_errors(self):
        with self.assertRaises(WeftError) as raised:
            self.client.score_links([])
        self.assertEqual(raised.exception.code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(raised.exception.reason, "INVALID_FIELD")
        self.assertEqual(
            raised.exception.violations,
            (FieldViolation("pair", "expected 1 to 4096 pairs, got 0"),),
        )
        with self.assertRaises(WeftError) as raised:
            self.client.ingest("nothing", producer="p")
        self.assertEqual(raised.exception.code, grpc.StatusCode.NOT_FOUND)
        self.assertEqual(raised.exception.reason, "UNKNOWN_FEED")
        with Client("127.0.0.1:1") as nobody, self.assertRaises(WeftError) as raised:
            nobody.state_hash()
        self.assertEqual(raised.exception.reason, "")


if __name__ == "__main__":
    unittest.main()
