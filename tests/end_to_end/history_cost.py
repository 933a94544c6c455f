#!/usr/bin/python3
"""What the history of nodes costs a service: a measurement, not a test.

  history_cost.py --weft build/release/weft [--events 1000000] [--nodes 10000] [--model edgebank]

Sends the same events, between nodes drawn uniformly, to services with and without history in turn,
twice each. Prints how long they took, how many checkpoints were cut in how many seconds, how many
seconds history took after these, the CPU time of the service and the size of its data directory.
"""

import argparse
import os
import pathlib
import random
import subprocess
import tempfile
import time

from service import Service

GRAPH = """
name: "history_cost"
input { name: "events" type: "EventBatch" }
node { name: "model" operator: "MODEL" input: "EVENTS:events" output: "SCORES:scores" }
output { name: "predictions" stream: "scores" }
"""


def write_events(path, count, nodes):
    draw = random.Random(1)
    with open(path, "w", encoding="ascii") as out:
        out.write("src,dst,ts\n")
        for i in range(count):
            out.write(f"{draw.randrange(nodes)},{draw.randrange(nodes)},{i * 0.005:.3f}\n")


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()
    return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def megabytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def measure(weft, folder, enabled, flags):
    config = folder / "config.pbtxt"
    config.write_text(f"history {{ enabled: {'true' if enabled else 'false'} }}\n")
    data = folder / f"data-{time.monotonic_ns()}"
    service = Service(
        weft,
        data,
        *("--graph", str(folder / "graph.pbtxt"), "--config", str(config)),
        *("--max-replay-seconds", str(flags.max_replay_seconds)),
    ).start()
    start = time.monotonic()
    ingest = [weft, "ingest", "events", str(folder / "events.csv"), "--to", service.address]
    subprocess.run(ingest, check=True, capture_output=True)
    seconds = time.monotonic() - start
    service.call("AdminService/Checkpoint")
    checkpoints = service.metric("weft_checkpoint_duration_seconds_count")
    checkpoint_seconds = service.metric("weft_checkpoint_duration_seconds_sum")
    history_seconds = service.metric("weft_history_duration_seconds_sum")
    cpu = cpu_seconds(service.process)
    service.drain()
    print(
        f"history {'on' if enabled else 'off'}: applied in {seconds:.1f} s,"
        f" {checkpoints:.0f} checkpoints in {checkpoint_seconds:.2f} s,"
        f" history in {history_seconds:.2f} s, CPU {cpu:.2f} s, {megabytes(data):.0f} MB"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--model", default="edgebank", help="operator that takes the events in")
    parser.add_argument("--max-replay-seconds", type=float, default=0.3)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weft-history-") as temporary:
        folder = pathlib.Path(temporary)
        (folder / "graph.pbtxt").write_text(GRAPH.replace("MODEL", flags.model))
        write_events(folder / "events.csv", flags.events, flags.nodes)
        for _ in range(2):
            for enabled in (False, True):
                measure(flags.weft, folder, enabled, flags)


if __name__ == "__main__":
    main()
