"""Asks a real service (WEFT, the program) about episodes."""

import unittest

import grpc

from service_case import ServiceCase
from weft.v1 import hierarchy_pb2
from weft_client import Event, WeftError

SECOND = 1_000_000


def turns(seconds):
    """Three hubs take turns, each for 200 to 300 seconds."""
    hub, left = 0, 200
    for second in range(seconds):
        for other in range(8):
            yield Event(f"hub{hub}", f"o{hub}{other}", time_us=second * SECOND)
        left -= 1
        if left == 0:
            hub = (hub + 1) % 3
            left = 200 + 50 * hub


class HierarchyTest(ServiceCase):
    ARGUMENTS = ("--lateness", "0")

    def test_questions(self):
        with self.client.ingest("events", producer="p") as feed:
            for event in turns(12000):
                feed.add(event)
            feed.wait_applied()
            position = feed.position
        tree = self.client.hierarchy()
        shown = tree.timeline(min_position=position, max_items=50)
        self.assertGreater(len(shown.item), 10)
        leaf = tree.overlaps(level=1).episode[-8]
        self.assertEqual(tree.episode(leaf.id), tree.episode(leaf.id))
        self.assertTrue(leaf.entity[0].entity.startswith("hub"))
        moment = tree.at(leaf.begin_us)
        self.assertEqual(moment.episode[0].id, leaf.id)
        parent = tree.ancestors(leaf.id).episode[0]
        self.assertEqual(parent.id, moment.episode[1].id)
        children = tree.descendants(parent.id, min_level=1).episode
        self.assertIn(leaf.id, [child.id for child in children])
        learned = tree.top(level=1, order=hierarchy_pb2.EPISODE_ORDER_LEARNED)
        scores = [one.learned_salience for one in learned.episode]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertGreater(len(tree.boundaries(level=1).boundary), 10)
        followed = tree.follow(leaf.entity[0].entity, level=1)
        self.assertIn(leaf.id, [item.episode.id for item in followed.item])
        similar = tree.similar(leaf.id, top_k=3).item
        self.assertEqual(similar[0].episode.entity[0].entity, leaf.entity[0].entity)
        compared = tree.compare(leaf.id, similar[0].episode.id)
        self.assertAlmostEqual(compared.affinity, similar[0].affinity, places=4)
        self.assertGreater(tree.predict_next(level=1).based_on, 0)
        self.assertGreater(len(tree.subgraph(max_nodes=20).nodes), 5)
        then = tree.stats(as_of_us=leaf.end_us + 300 * SECOND)
        self.assertLess(then.level[0].closed_count, tree.stats().level[0].closed_count)
        with self.assertRaises(WeftError) as raised:
            tree.episode(7)
        self.assertEqual(raised.exception.code, grpc.StatusCode.NOT_FOUND)


if __name__ == "__main__":
    unittest.main()
