#!/usr/bin/python3
"""Answers as of a past time, beside what the service answered then.

  as_of_test.py --weft build/release/weft [--file graphs/uci_collegemsg.csv] [--questions 300]

Sends the events of a file (src,dst,ts in seconds), or made-up ones, to a service whose weights
stand still. On the way, right before events of the last 15 %, it scores the target that comes and
one drawn at random; at the end, after a checkpoint, it asks the same as of then. Prints average
precision of both, how much scores differ, and how long an answer takes. Exit codes: 0 passed, 1
failed.
"""

import argparse
import csv
import pathlib
import random
import statistics
import sys
import time

from expectations import expect, run_in_folder
from service import Service

GRAPH = """
name: "as_of"
input { name: "events" type: "EventBatch" }
node { name: "weft" operator: "weft" input: "EVENTS:events" output: "SCORES:scores" }
output { name: "predictions" stream: "scores" }
"""
TEST_SHARE = 0.15
BATCH_EVENTS = 8192
# How far the two may be apart.
PRECISION_LOSS = 0.02


def made_up_events(count):
    """More than are looked at of the whole stream, between sources that keep to some targets."""
    draw = random.Random(3)
    for i in range(count):
        source = draw.randrange(300)
        repeats = draw.random() < 0.8
        target = (source * 7 + draw.randrange(4)) % 300 if repeats else draw.randrange(300)
        yield f"s{source}", f"t{target}", i * 250_000


def file_events(path):
    with open(path, newline="", encoding="utf-8") as lines:
        events = [
            (row["src"], row["dst"], round(float(row["ts"]) * 1e6)) for row in csv.DictReader(lines)
        ]
    return sorted(events, key=lambda event: event[2])


def average_precision(came, others):
    """Ties count as one threshold."""
    scored = sorted([(score, 1) for score in came] + [(score, 0) for score in others])
    precision_sum = seen = hits = 0
    while scored:
        score = scored[-1][0]
        group = []
        while scored and scored[-1][0] == score:
            group.append(scored.pop()[1])
        seen += len(group)
        hits += sum(group)
        precision_sum += sum(group) * hits / seen
    return precision_sum / len(came)


class Test:
    def __init__(self, flags, folder):
        self.events = list(file_events(flags.file) if flags.file else made_up_events(40_000))
        graph = folder / "graph.pbtxt"
        graph.write_text(GRAPH)
        self.service = Service(
            flags.weft, folder / "data", "--graph", str(graph), "--max-replay-seconds", "1"
        )
        self.questions = self.choose_questions(flags.questions)

    def choose_questions(self, count):
        """(number of the event, target that does not come), by rising number."""
        draw = random.Random(1)
        begin = int(len(self.events) * (1 - TEST_SHARE))
        times = [event[2] for event in self.events]
        first_of_time = [i for i in range(begin, len(times)) if times[i] > times[i - 1]]
        chosen = sorted(draw.sample(first_of_time, min(count, len(first_of_time))))
        targets = sorted({event[1] for event in self.events})
        return [(i, draw.choice(targets)) for i in chosen]

    def ingest(self, begin, end):
        for at in range(begin, end, BATCH_EVENTS):
            events = self.events[at : min(end, at + BATCH_EVENTS)]
            keys = {}
            for source, target, _ in events:
                keys.setdefault(source, len(keys))
                keys.setdefault(target, len(keys))
            batch = {
                "key": list(keys),
                "source": [keys[event[0]] for event in events],
                "target": [keys[event[1]] for event in events],
                "timeUs": [str(event[2]) for event in events],
            }
            request = {"feed": "events", "producer": "p", "append": True, "batch": batch}
            self.position = self.service.call("IngestService/IngestBatch", request)["position"]

    def ask(self, question, as_of):
        """Scores of the target that comes and of the other one."""
        event, other = question
        source, target, time_us = self.events[event]
        request = {
            "pair": [{"source": source, "target": target}, {"source": source, "target": other}]
        }
        if as_of:
            request["asOfUs"] = str(time_us)
        else:
            request["minPosition"] = self.position
        scores = self.service.call("LinkService/ScoreLinks", request)["score"]
        return [score.get("score", 0.0) for score in scores]

    def run(self):
        self.service.start()
        live = []
        sent = 0
        for question in self.questions:
            self.ingest(sent, question[0])
            sent = question[0]
            live.append(self.ask(question, as_of=False))
        self.ingest(sent, len(self.events))
        self.service.call("AdminService/Checkpoint")
        past = []
        seconds = []
        for question in self.questions:
            start = time.monotonic()
            past.append(self.ask(question, as_of=True))
            seconds.append(time.monotonic() - start)
        self.compare(live, past, seconds)
        self.check_history()

    def compare(self, live, past, seconds):
        precision = [average_precision(*zip(*scores)) for scores in (live, past)]
        pairs = [pair for two in zip(live, past) for pair in zip(*two)]
        differences = [abs(one - other) for one, other in pairs]
        print(
            f"{len(self.events)} events, {len(live)} questions: average precision"
            f" {precision[0]:.4f} live, {precision[1]:.4f} as of then; scores differ by"
            f" {statistics.mean(differences):.4f} on average, {max(differences):.3f} at most;"
            f" {1000 * statistics.median(seconds):.1f} ms an answer, {1000 * max(seconds):.1f} ms"
            " at most"
        )
        if precision[1] < precision[0] - PRECISION_LOSS:
            raise AssertionError(f"average precision: expected about {precision[0]}")

    def check_history(self):
        """Of the source of the last question, against the file."""
        event = self.questions[-1][0]
        node, _, time_us = self.events[event]
        reply = self.service.call(
            "LinkService/GetHistory", {"node": node, "beforeUs": str(time_us), "limit": 50}
        )
        expected = [
            (target if source == node else source, str(at_us))
            for source, target, at_us in reversed(self.events[:event])
            if node in (source, target)
        ]
        got = [(entry["peer"], entry["timeUs"]) for entry in reply.get("entry", [])]
        expect(f"history of {node}", got, expected[:50])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--file", type=pathlib.Path)
    parser.add_argument("--questions", type=int, default=300)
    flags = parser.parse_args()
    return run_in_folder("weft-as-of-", lambda folder: Test(flags, folder))


if __name__ == "__main__":
    sys.exit(main())
