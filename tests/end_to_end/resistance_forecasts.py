"""How well the ends of episodes are foretold in games of Resistance, one after the other as one
stream (docs/hierarchy.md). For those who want the figures; not a test.
usage: resistance_forecasts.py WEFT DATA   DATA: a folder of network*.csv.gz"""

import csv
import gzip
import pathlib
import subprocess
import sys
import tempfile

FRAMES_A_SECOND = 3


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


def main(weft, data):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "games.csv"
        with open(path, "w") as out:
            out.write("src,dst,ts\n")
            begin = 0.0
            games = pathlib.Path(data).glob("network*.csv.gz")
            for game in sorted(games, key=lambda one: int("".join(filter(str.isdigit, one.name)))):
                begin += append_game(game, begin, out) + 1.0
        options = ["--snapshot", "333333us", "--window", "24", "--quantile", "0.8"]
        subprocess.run([weft, "eval", "episodes", path, *options], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
