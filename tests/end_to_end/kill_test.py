#!/usr/bin/python3
"""Kills the real server under load. Checks that nothing acknowledged is lost, and the state.

The state has to be the undisturbed server's.

  kill_test.py --weft build/release/weft --kills 3 --seed 1

Prints the seed. Exit codes: 0 passed, 1 failed.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import urllib.error

from service import STOP_SECONDS, Service

EVENTS = 40_000
NODES = 500


def write_events(path, seed):
    """Repeating pairs with some noise: enough for the model to have something to learn."""
    draw = random.Random(seed)
    with open(path, "w", encoding="ascii") as out:
        out.write("src,dst,ts\n")
        for i in range(EVENTS):
            source = draw.randrange(NODES)
            target = (
                (source * 7 + draw.randrange(3)) % NODES
                if draw.random() < 0.9
                else draw.randrange(NODES)
            )
            out.write(f"{source},{target},{i}\n")


def ingest(weft, service, events):
    return subprocess.Popen(
        [weft, "ingest", "events", str(events), "--to", service.address, "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(client):
    said, _ = client.communicate(timeout=10 * STOP_SECONDS)
    if client.returncode != 0:
        raise AssertionError(f"weft ingest ended with {client.returncode}: {said}")
    return json.loads(said)


def kill_when_past(service, client, entries):
    """SIGKILL as soon as the log holds that many entries, or the client is through."""
    while client.poll() is None:
        try:
            if service.metric("weft_ingest_events_total") >= entries:
                break
        except (urllib.error.URLError, ConnectionError):
            continue
    service.kill()


def run(weft, folder, events, kill_points):
    service = Service(weft, folder, "--max-replay-seconds", "0.5").start()
    client = ingest(weft, service, events)
    for point in kill_points:
        kill_when_past(service, client, point)
        service.start()
    said = finish(client)
    state = service.call("AdminService/GetStateHash")
    if service.drain() != 0:
        raise AssertionError("the server did not drain cleanly")
    return said, state


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    flags = parser.parse_args()
    print(f"seed {flags.seed}, {flags.kills} kills over {EVENTS} events")
    draw = random.Random(flags.seed)
    with tempfile.TemporaryDirectory(prefix="weft-kill-") as temporary:
        folder = pathlib.Path(temporary)
        write_events(folder / "events.csv", flags.seed)
        # A restarted server counts from zero, so a point is events since its start.
        points = [draw.randrange(EVENTS // (flags.kills + 1)) for _ in range(flags.kills)]
        said, expected = run(flags.weft, folder / "undisturbed", folder / "events.csv", [])
        print(f"undisturbed: {json.dumps(said)}")
        said, got = run(flags.weft, folder / "killed", folder / "events.csv", points)
        print(f"killed after {points}: {json.dumps(said)}")
    print(f"state hash undisturbed {json.dumps(expected)}")
    print(f"state hash killed      {json.dumps(got)}")
    if expected["stateHash"] != got["stateHash"]:
        print("FAILED: the states differ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
