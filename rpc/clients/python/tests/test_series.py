"""Asks a real service (WEFT, the program) about series."""

import math
import unittest

from service_case import GRAPHS, ServiceCase
from weft.v1 import sequence_pb2
from weft_client import WeftError

STEP = 300_000_000


def wave(i):
    return 10 + 4 * math.sin(i * math.pi / 144) + 0.1 * math.sin(i * i)


class SeriesTest(ServiceCase):
    ARGUMENTS = ("--graph", str(GRAPHS / "sequence.pbtxt"))

    def test_records(self):
        series = self.client.series()
        for begin in range(0, 2000, 500):
            records = ((i * STEP, wave(i)) for i in range(begin, begin + 500))
            said = series.push("web", records)
            self.assertEqual(len(said.verdict), 500)
        next_ones = series.predict("web", steps=5).forecast
        self.assertEqual([step.horizon for step in next_ones], [1, 2, 3, 4, 5])
        self.assertAlmostEqual(next_ones[4].mean, wave(2004), delta=0.7)
        alarms = series.alarms(every_record=True)
        series.push("web", [(2000 * STEP, 100.0)])
        self.assertEqual(next(alarms).alarm[0].series, "web")
        alarms.close()
        self.assertGreater(series.explain("web").field[0].score, 0.175)
        series.create_model("cold", model=sequence_pb2.SEQUENCE_MODEL_KIND_HTM, horizon=[3])
        series.push("cold", [(2000 * STEP, 1)])
        listed = {one.series: one.model for one in series.list().series}
        self.assertEqual(listed["cold"], sequence_pb2.SEQUENCE_MODEL_KIND_HTM)
        series.reset("web")
        with self.assertRaises(WeftError) as refused:
            series.predict("web")
        self.assertEqual(refused.exception.reason, "UNKNOWN_SERIES")


if __name__ == "__main__":
    unittest.main()
