#!/usr/bin/python3
"""Kills the real service under load: nothing acknowledged is lost, nothing counts twice.

  kill_test.py --weft build/release/weft --graph deploy/graphs/service.pbtxt --kills 3 --seed 1

One producer: the state equals that of a service which nobody killed. Several producers, which are
killed as well: it equals that of `weft run` over the log that is left, and the log holds what every
producer sent, once and in order. Prints the seed. Exit codes: 0 passed, 1 failed.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import urllib.error

from service import STOP_SECONDS, Service

PRODUCERS = 3
NODES = 500
EVENTS_BETWEEN_KILLS = 12_000
# What a file spans of event time, and how far a producer may fall behind another before it is late.
SPAN_SECONDS = 20
LATENESS_SECONDS = 15


def write_events(path, seed, count, prefix=""):
    """Repeating pairs with some noise: enough for the model to have something to learn."""
    draw = random.Random(seed)
    with open(path, "w", encoding="ascii") as out:
        out.write("src,dst,ts,f0\n")
        for i in range(count):
            source = draw.randrange(NODES)
            target = (
                (source * 7 + draw.randrange(3)) % NODES
                if draw.random() < 0.9
                else draw.randrange(NODES)
            )
            time_text = f"{SPAN_SECONDS * i / count:.6f}"
            out.write(f"{prefix}{source},{prefix}{target},{time_text},{draw.randrange(-9, 9)}\n")


class Producer:
    """A `weft ingest` that sends a file as one producer, resumed if it ends before its time."""

    def __init__(self, weft, service, name, path):
        self.name, self.path = name, path
        self._command = [
            weft,
            "ingest",
            "events",
            str(path),
            "--to",
            service.address,
            "--resume",
            name,
            "--json",
        ]
        self._start()

    def _start(self):
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def running(self):
        """Whether it is still sending; started again if its first hello met no service."""
        code = self._process.poll()
        if code not in (None, 0):
            self._start()
        return code != 0

    def kill(self):
        self._process.kill()
        self._process.communicate()
        self._start()

    def finish(self):
        while True:
            said, complaint = self._process.communicate(timeout=10 * STOP_SECONDS)
            if self._process.returncode == 0:
                return json.loads(said)
            if self._process.returncode > 1:
                raise AssertionError(
                    f"weft ingest ended with {self._process.returncode}: {complaint}"
                )
            self._start()


def entries_of(service):
    """Durable entries of the log; None while the service does not answer."""
    try:
        return service.metric("weft_ingest_events_total")
    except (urllib.error.URLError, ConnectionError):
        return None


def kill_when_past(service, producers, entries):
    """SIGKILL as soon as so many events have come, or everybody is through."""
    while any([producer.running() for producer in producers]):
        reached = entries_of(service)
        if reached is not None and reached >= entries:
            break
    service.kill()


def draw_points(flags, draw):
    """When to kill, in events since the last start: a restarted service counts from zero."""
    return [draw.randrange(EVENTS_BETWEEN_KILLS) for _ in range(flags.kills)]


def run(weft, folder, files, kill_points, draw):
    """Sends each file as a producer of its own. Returns what they said and the state hash."""
    service = Service(
        weft,
        folder,
        "--max-replay-seconds",
        "0.5",
        "--lateness",
        str(LATENESS_SECONDS),
        "--features",
        "1",
    ).start()
    producers = [Producer(weft, service, name, path) for name, path in files.items()]
    for point in kill_points:
        kill_when_past(service, producers, point)
        if len(producers) > 1:
            draw.choice(producers).kill()
        service.start()
    said = {producer.name: producer.finish() for producer in producers}
    state_hash = service.call("AdminService/GetStateHash")["stateHash"]
    if service.drain() != 0:
        raise AssertionError("the service did not drain cleanly")
    return said, state_hash


def replay(weft, graph, folder, *flags):
    """State hash of `weft run` over the log."""
    done = subprocess.run(
        [weft, "run", graph, "--log", str(folder), "--json", *flags], capture_output=True, text=True
    )
    if done.returncode != 0:
        raise AssertionError(f"weft run --log ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stderr)["state_hash"]


def equal(what, got, expected):
    if got != expected:
        raise AssertionError(f"{what}: expected {expected}, got {got}")
    print(f"{what}: {got}")


def check_one_producer(flags, folder, draw):
    path = folder / "events.csv"
    count = EVENTS_BETWEEN_KILLS * (flags.kills + 1)
    write_events(path, flags.seed, count)
    points = draw_points(flags, draw)
    _, expected = run(flags.weft, folder / "undisturbed", {"p": path}, [], draw)
    began = time.monotonic()
    said, got = run(flags.weft, folder / "killed", {"p": path}, points, draw)
    print(
        f"one producer, killed after {points}, {time.monotonic() - began:.0f} s:",
        json.dumps(said["p"]),
    )
    equal("durable events", said["p"]["durable_seq"], count)
    equal("state hash of the killed service", got, expected)
    equal(
        "state hash of weft run --log", replay(flags.weft, flags.graph, folder / "killed"), expected
    )


def check_log(weft, graph, folder, files, count):
    """Every event of every file is in the log, or its reject is, once and in the file's order.

    Returns the state hash of `weft run` over that log.
    """
    said = subprocess.run(
        [weft, "data", "log", str(folder), "--json"], capture_output=True, text=True, check=True
    )
    records = [json.loads(line) for line in said.stdout.splitlines()]
    rejected = {name: set() for name in files}
    next_seq = dict.fromkeys(files, 0)
    for record in records:
        if record["kind"] != "events":
            continue
        name = record["producer"]
        if record["first_seq"] != next_seq[name]:
            raise AssertionError(
                f"producer {name}: expected event {next_seq[name]} next, got the record {record}"
            )
        next_seq[name] += record["seq_count"]
        rejected[name].update(reject["seq"] for reject in record["rejects"])
    equal("events in the log, by producer", next_seq, dict.fromkeys(files, count))
    print("of them not accepted:", {name: len(seqs) for name, seqs in rejected.items()})

    out = folder.parent / "predictions.jsonl"
    state_hash = replay(weft, graph, folder, "--output", f"predictions={out}")
    logged = {name: [] for name in files}
    for line in out.read_text().splitlines():
        event = json.loads(line)
        logged[event["source"].split("-")[0]].append(
            (event["source"], event["target"], event["time_us"])
        )
    for name, path in files.items():
        rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
        sent = [
            (source, target, round(float(seconds) * 1e6))
            for seq, (source, target, seconds, _) in enumerate(rows)
            if seq not in rejected[name]
        ]
        if logged[name] != sent:
            raise AssertionError(
                f"producer {name}: the {len(logged[name])} events in the log are not the"
                f" {len(sent)} sent"
            )
    return state_hash


def check_several_producers(flags, folder, draw):
    files = {}
    count = EVENTS_BETWEEN_KILLS * (flags.kills + 1) // PRODUCERS
    for number in range(PRODUCERS):
        name = f"p{number}"
        files[name] = folder / f"{name}.csv"
        write_events(files[name], flags.seed + number, count, prefix=f"{name}-")
    points = draw_points(flags, draw)
    began = time.monotonic()
    said, got = run(flags.weft, folder / "data", files, points, draw)
    print(f"{PRODUCERS} producers, killed after {points}, {time.monotonic() - began:.0f} s")
    for name, summary in said.items():
        equal(f"durable events of {name}", summary["durable_seq"], count)
    equal(
        "state hash of the killed service",
        got,
        check_log(flags.weft, flags.graph, folder / "data", files, count),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--graph", required=True, help="the graph that weft serve has built in")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    flags = parser.parse_args()
    print(f"seed {flags.seed}, {flags.kills} kills, {EVENTS_BETWEEN_KILLS} events for each")
    draw = random.Random(flags.seed)
    for check in (check_one_producer, check_several_producers):
        with tempfile.TemporaryDirectory(prefix="weft-kill-") as temporary:
            try:
                check(flags, pathlib.Path(temporary), draw)
            except AssertionError as error:
                print(f"FAILED: {error}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
