"""Sends events with very many features."""

import unittest

from service_case import GRAPHS, ServiceCase
from weft_client import Event

FEATURES = 4096


class WideEventsTest(ServiceCase):
    ARGUMENTS = ("--graph", str(GRAPHS / "links.pbtxt"), "--features", str(FEATURES))

    def send(self, count, features_of):
        with self.client.ingest("events", producer="p") as feed:
            for i in range(count):
                feed.add(Event("a", f"b{i % 7}", time_us=i, features=features_of(i)))
            feed.wait_durable()
            self.assertEqual(feed.rejects, [])
        self.assertEqual(self.client.server_info().feed[0].durable_count, count)

    def test_batches_are_no_larger_than_a_message(self):
        # 1,024 of these, a batch by number, would be more than the 16 MiB of a message.
        self.send(1100, lambda i: [0.5] * FEATURES)

    def test_one_wide_event_widens_all_of_its_batch(self):
        # Those before it have few features, and its batch would have as many as it for each.
        self.send(1024, lambda i: [0.5] * (FEATURES if i == 1023 else 0))


if __name__ == "__main__":
    unittest.main()
