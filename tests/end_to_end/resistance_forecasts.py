"""How well ends of episodes and the next targets of players are foretold in games of Resistance,
one after the other as one stream (docs/hierarchy.md), with intervals from drawing games again and
again (paired bootstrap). For those who want the figures; not a test.
usage: resistance_forecasts.py WEFT DATA   DATA: a folder of network*.csv.gz"""

import bisect
import csv
import gzip
import math
import pathlib
import random
import subprocess
import sys
import tempfile

FRAMES_A_SECOND = 3
DRAWS = 1000


def append_game(path, begin, out):
    """Writes who looks at whom; returns how long the game is, in seconds."""
    end = 0.0
    with gzip.open(path, "rt") as text:
        rows = csv.reader(text)
        pairs = [(i, *name.split("_TO_")) for i, name in enumerate(next(rows)) if "_TO_" in name]
        for row in rows:
            end = float(row[0]) / FRAMES_A_SECOND
            for place, source, target in pairs:
                if float(row[place]) != 0.0:
                    out.write(f"{source},{target},{begin + end:.4f}\n")
    return end


def interval(games):
    """From (sum, count) of each game: the mean, and where 95 of 100 draws of games put it."""

    def mean(drawn):
        return sum(s for s, _ in drawn) / max(1, sum(n for _, n in drawn))

    draws = random.Random(1)
    means = sorted(mean(draws.choices(games, k=len(games))) for _ in range(DRAWS))
    return mean(games), means[DRAWS // 40], means[DRAWS - 1 - DRAWS // 40]


def by_game(begins, rows, value):
    """Sum and count of a value over the rows of each game."""
    games = [[0.0, 0] for _ in begins]
    for row in rows:
        game = games[bisect.bisect_right(begins, int(row["now_us"]) / 1e6) - 1]
        summed, count = value(row)
        game[0] += summed
        game[1] += count
    return [tuple(game) for game in games]


def loss(row, head):
    probability = min(max(float(row[head]), 1e-3), 1.0 - 1e-3)
    return -math.log(probability if row["ended_within"] == "1" else 1.0 - probability)


def compare_hazards(begins, path):
    print("log loss of 'ends within 30 s', a head less a baseline, over games; under 0 is better")
    rows = list(csv.DictReader(open(path)))
    for level in ("1", "2", "3"):
        here = [row for row in rows if row["level"] == level]
        for head in ("counted", "hierarchy", "both", "relational"):
            for baseline in ("fixed", "windows"):
                mean, low, high = interval(
                    by_game(begins, here, lambda row: (loss(row, head) - loss(row, baseline), 1))
                )
                print(f"  level {level} {head} - {baseline}: {mean:+.4f} [{low:+.4f}, {high:+.4f}]")


def compare_partners(begins, path):
    print("share of right next targets, less that of the mix of windows; over 0 is better")
    rows = list(csv.DictReader(open(path)))
    for mix in ("hierarchy", "both"):
        better = lambda row: (int(row[mix]) - int(row["windows"]), int(row["nodes"]))
        mean, low, high = interval(by_game(begins, rows, better))
        print(f"  {mix} - windows: {mean:+.4f} [{low:+.4f}, {high:+.4f}]")


def main(weft, data):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "games.csv"
        begins = []
        with open(path, "w") as out:
            out.write("src,dst,ts\n")
            begin = 0.0
            games = pathlib.Path(data).glob("network*.csv.gz")
            for game in sorted(games, key=lambda one: int("".join(filter(str.isdigit, one.name)))):
                begins.append(begin)
                begin += append_game(game, begin, out) + 1.0
        options = ["--snapshot", "333333us", "--window", "24", "--quantile", "0.8"]
        forecasts, moments = f"{folder}/forecasts.csv", f"{folder}/moments.csv"
        ask = [weft, "eval", "episodes", path, *options, "--forecasts", forecasts]
        subprocess.run(ask, check=True)
        ask = [weft, "eval", "partners", path, *options, "--moments", moments]
        subprocess.run(ask, check=True)
        compare_hazards(begins, forecasts)
        compare_partners(begins, moments)


if __name__ == "__main__":
    main(*sys.argv[1:])
