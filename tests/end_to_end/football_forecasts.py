"""What comes next in simulated football matches, within 5 s: a pass, a turnover, a set piece, or
none; from what the last seconds were like, from the episodes that are open, and from both
(docs/hierarchy.md). Each match is foretold by a head that learned from the others; intervals from
drawing half minutes again and again (paired bootstrap). For those who want the figures; not a test.
usage: football_forecasts.py WEFT DATA   DATA: a folder of match_*.csv.gz"""

import bisect
import csv
import gzip
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

MAPPING = pathlib.Path(__file__).parents[2] / "deploy/mappings/football_sim.pbtxt"
GRAPH = """
name: "football"
input { name: "events" type: "EventBatch" }
node {
  name: "snapshots" operator: "snapshot_builder" input: "EVENTS:events"
  output: "SNAPSHOTS:snapshots"
  options {
    [type.googleapis.com/weft.operators.hierarchy.v1.SnapshotBuilder] { width_us: 100000 }
  }
}
node {
  name: "segmenter" operator: "episode_segmenter" input: "SNAPSHOTS:snapshots"
  output: "SEGMENTED:segmented"
  options { [type.googleapis.com/weft.operators.hierarchy.v1.EpisodeSegmenter] { quantile: 0.8 } }
}
node {
  name: "episodes" operator: "episode_tree_build" input: "SEGMENTED:segmented"
  output: "EPISODES:episodes"
}
output { name: "episodes" stream: "episodes" }
"""
WINDOW = 16  # snapshots that the segmenter compares on each side
STEPS_A_SECOND = 10
HORIZON = 5 * STEPS_A_SECOND
KINDS = ("pass", "turnover", "set piece", "none")
BLOCK = 30 * STEPS_A_SECOND
DRAWS = 1000


class Match:
    """Who has the ball at each step, and what happened when."""

    def __init__(self, weft, path, folder):
        text = gzip.open(path, "rt").read()
        self.owners, self.happened = [], []  # (step, kind)
        previous, mode = None, "0"
        for row in csv.DictReader(text.splitlines()):
            step = int(row["step"])
            owner = (row["own_team"], row["own_player"]) if row["own_team"] != "-1" else None
            if row["mode"] != mode and row["mode"] != "0":
                self.happened.append((step, 2))
            if owner and previous and owner != previous:
                self.happened.append((step, 0 if owner[0] == previous[0] else 1))
            mode, previous = row["mode"], owner or previous
            self.owners.append(owner)
        self.steps = [step for step, _ in self.happened]
        file, graph = folder / f"{path.name}.csv", folder / "graph.pbtxt"
        file.write_text(text)
        graph.write_text(GRAPH)
        run = [weft, "run", graph, "--input", f"events={file}", "--mapping", MAPPING]
        run += ["--output", "episodes=-"]
        said = subprocess.run(run, check=True, capture_output=True, text=True).stdout
        self.read_boundaries(map(json.loads, said.splitlines()))

    def read_boundaries(self, rows):
        """By level (step at which it is known, step of the boundary)."""
        self.boundaries = {1: [], 2: [], 3: []}
        known = 0
        for row in rows:
            if row["change"] != "closed" or row["level"] not in self.boundaries:
                continue
            end = row["end_us"] * STEPS_A_SECOND // 1_000_000
            if row["level"] == 1:
                known = end + 2 * WINDOW
            # What is told of higher levels follows from the leaf that was told before.
            self.boundaries[row["level"]].append((known, end))

    def begins(self, step, level):
        """Of the open episode and the one before, as known at a step."""
        known = bisect.bisect_right([at for at, _ in self.boundaries[level]], step)
        ends = [0, 0] + [end for _, end in self.boundaries[level][:known]]
        return ends[-1], ends[-2]

    def profile(self, begin, end):
        """Rates of what happened, who had the ball and how many of them, from begin to end."""
        seconds = max(1, end - begin) / STEPS_A_SECOND
        first, last = bisect.bisect_left(self.steps, begin), bisect.bisect_right(self.steps, end)
        kinds = [kind for _, kind in self.happened[first:last]]
        had = [owner for owner in self.owners[begin : end + 1] if owner]
        left = sum(owner[0] == "0" for owner in had) / max(1, len(had))
        rates = [kinds.count(kind) / seconds for kind in range(3)]
        return [*rates, left, len(had) / max(1, end - begin + 1), len(set(had)) / seconds]

    def now(self, step):
        """What every head knows."""
        since = step - self.steps[bisect.bisect_right(self.steps, step) - 1] if self.steps else 0
        owner = self.owners[step]
        return [1.0, float(owner is None), float(bool(owner) and owner[0] == "0"), since / HORIZON]

    def features(self, step, head):
        columns = self.now(step)
        if head in ("windows", "both"):
            for seconds in (5, 30, 120, 600):
                columns += self.profile(max(0, step - seconds * STEPS_A_SECOND), step)
        if head in ("hierarchy", "both"):
            for level in self.boundaries:
                begin, before = self.begins(step, level)
                columns += self.profile(begin, step)
                columns.append(math.log1p((step - begin) / STEPS_A_SECOND))
                if level == 1:
                    columns += self.profile(before, max(before, begin - 1))
        return columns

    def label(self, step):
        place = bisect.bisect_right(self.steps, step)
        if place < len(self.steps) and self.steps[place] <= step + HORIZON:
            return self.happened[place][1]
        return 3

    def moments(self):
        """Every second with as much before as the first decision needs, and all of what follows."""
        return range(4 * WINDOW, len(self.owners) - HORIZON, STEPS_A_SECOND)


def softmax(scores):
    most = max(scores)
    powers = [math.exp(score - most) for score in scores]
    return [power / sum(powers) for power in powers]


def fit(rows, labels, rounds=300, rate=0.5, decay=0.3):
    """Multinomial logistic regression over standardised columns, by gradient descent."""
    width = len(rows[0])
    mean = [sum(row[c] for row in rows) / len(rows) for c in range(width)]
    spread = [
        math.sqrt(sum((row[c] - mean[c]) ** 2 for row in rows) / len(rows)) or 1.0
        for c in range(width)
    ]

    def scale(row):
        return [1.0] + [(row[c] - mean[c]) / spread[c] for c in range(width)]

    scaled = [scale(row) for row in rows]
    weights = [[0.0] * (width + 1) for _ in KINDS]
    for _ in range(rounds):
        slope = [[decay * w for w in weight] for weight in weights]
        for row, label in zip(scaled, labels):
            said = softmax([sum(map(lambda w, x: w * x, weight, row)) for weight in weights])
            for kind, probability in enumerate(said):
                off = (probability - (kind == label)) / len(rows)
                slope[kind] = [s + off * x for s, x in zip(slope[kind], row)]
        weights = [
            [w - rate * s for w, s in zip(weight, down)] for weight, down in zip(weights, slope)
        ]
    return lambda row: softmax(
        [sum(map(lambda w, x: w * x, weight, scale(row))) for weight in weights]
    )


def evaluate(matches, head):
    """By block of half a minute: sums of right answers and of log losses, and how many."""
    blocks = {}
    for number, match in enumerate(matches):
        others = [other for other in matches if other is not match]
        rows = [other.features(step, head) for other in others for step in other.moments()]
        labels = [other.label(step) for other in others for step in other.moments()]
        foretell = fit(rows, labels)
        for step in match.moments():
            said, label = foretell(match.features(step, head)), match.label(step)
            block = blocks.setdefault((number, step // BLOCK), [0.0, 0.0, 0])
            block[0] += said.index(max(said)) == label
            block[1] -= math.log(max(said[label], 1e-6))
            block[2] += 1
    return blocks


def difference(one, other, place):
    """Mean of one less that of the other, and where 95 of 100 draws of blocks put it."""

    def mean(keys):
        count = sum(one[key][2] for key in keys)
        return sum(one[key][place] - other[key][place] for key in keys) / count

    draws, keys = random.Random(1), list(one)
    means = sorted(mean(draws.choices(keys, k=len(keys))) for _ in range(DRAWS))
    return f"{mean(keys):+.4f} [{means[DRAWS // 40]:+.4f}, {means[DRAWS - 1 - DRAWS // 40]:+.4f}]"


def main(weft, data):
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(pathlib.Path(data).glob("match_*.csv.gz"))
        matches = [Match(weft, path, pathlib.Path(folder)) for path in paths]
    labels = [match.label(step) for match in matches for step in match.moments()]
    print("moments:", {kind: labels.count(place) for place, kind in enumerate(KINDS)})
    results = {head: evaluate(matches, head) for head in ("now", "windows", "hierarchy", "both")}
    for head, blocks in results.items():
        count = sum(block[2] for block in blocks.values())
        right, loss = (sum(block[i] for block in blocks.values()) / count for i in (0, 1))
        print(f"{head}: right {right:.4f}, log loss {loss:.4f}")
    for head in ("hierarchy", "both"):
        print(
            f"{head} - windows: right {difference(results[head], results['windows'], 0)},",
            f"log loss {difference(results[head], results['windows'], 1)}",
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
