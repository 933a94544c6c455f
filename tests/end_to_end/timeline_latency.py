#!/usr/bin/python3
"""How long a timeline takes over gRPC: a measurement, not a test.

  PYTHONPATH=build/release/python timeline_latency.py --weft build/release/weft
    [--snapshots 10000000] [--calls 2000]

Serves the hierarchy of as many planted snapshots and asks, one call after the other, for 1,000
items of spans of time of every length, from all of it to a thousandth. Prints the quantiles of what
a call took until its bytes were there, with this client, and of the time that the service's own
handler took.
"""

import argparse
import pathlib
import random
import re
import subprocess
import tempfile
import time
import urllib.request

import grpc
from weft.v1 import hierarchy_pb2

from service import Service

GRAPH = """
name: "timeline_latency"
input { name: "events" type: "EventBatch" }
node {
  name: "snapshots" operator: "snapshot_builder" input: "EVENTS:events"
  output: "SNAPSHOTS:snapshots"
}
node {
  name: "segmenter" operator: "episode_segmenter" input: "SNAPSHOTS:snapshots"
  output: "SEGMENTED:segmented"
}
node {
  name: "episodes" operator: "episode_tree_build" input: "SEGMENTED:segmented"
  output: "EPISODES:episodes"
  options {
    [type.googleapis.com/weft.operators.hierarchy.v1.EpisodeTreeBuild] {
      max_leaves: 262144 max_pairs: 268435456
    }
  }
}
output { name: "episodes" stream: "episodes" }
"""
SHORTEST_SHARE = 1000


def quantiles(seconds):
    ordered = sorted(seconds)
    return {
        f"p{percent}": round(1e3 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 3)
        for percent in (50, 90, 99)
    }


def handled_within(service):
    """Of the service's Timeline calls, the share that was answered within bounds, in seconds."""
    with urllib.request.urlopen(f"http://{service.http_address}/metrics") as response:
        lines = response.read().decode().splitlines()
    counts = {}
    for line in lines:
        if line.startswith("grpc_server_handling_seconds_bucket") and '"Timeline"' in line:
            counts[re.search('le="([^"]+)"', line)[1]] = float(line.rsplit(" ", 1)[1])
    shares = {bound: round(count / counts["+Inf"], 4) for bound, count in counts.items()}
    partly = [bound for bound, share in shares.items() if share < 1.0]
    return {bound: shares[bound] for bound in list(shares)[: len(partly) + 1] if shares[bound] > 0}


def measure(service, snapshots, calls):
    draw = random.Random(1)
    channel = grpc.insecure_channel(service.address, [("grpc.max_receive_message_length", -1)])
    timeline = channel.unary_unary(
        "/weft.v1.HierarchyService/Timeline",
        request_serializer=hierarchy_pb2.TimelineRequest.SerializeToString,
    )
    took, items = [], []
    for call in range(calls):
        # One in four asks for all.
        length = int(snapshots / SHORTEST_SHARE ** draw.random()) if call % 4 else snapshots
        begin = draw.randrange(snapshots - length + 1)
        request = hierarchy_pb2.TimelineRequest(
            from_us=begin * 1_000_000, to_us=(begin + length) * 1_000_000, level=1
        )
        start = time.monotonic()
        answer = timeline(request)
        took.append(time.monotonic() - start)
        items.append(len(hierarchy_pb2.TimelineResponse.FromString(answer).item))
    print(f"items of a call: {min(items)} to {max(items)}, in the mean {sum(items) / calls:.0f}")
    print(f"calls, ms: {quantiles(took)}; of those for all: {quantiles(took[::4])}")
    print(f"shares that the service itself answered within: {handled_within(service)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--snapshots", type=int, default=10_000_000)
    parser.add_argument("--interactions", type=float, default=9)
    parser.add_argument("--calls", type=int, default=2000)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weft-timeline-") as temporary:
        folder = pathlib.Path(temporary)
        (folder / "graph.pbtxt").write_text(GRAPH)
        make = [flags.weft, "data", "generate", "hierarchy", "--out", str(folder / "events.csv")]
        make += ["--snapshots", str(flags.snapshots), "--interactions", str(flags.interactions)]
        subprocess.run(make, check=True, capture_output=True)
        # The history of nodes would still be written while calls are measured.
        (folder / "config.pbtxt").write_text("history { enabled: false }\n")
        service = Service(
            flags.weft,
            folder / "data",
            *("--graph", str(folder / "graph.pbtxt")),
            *("--config", str(folder / "config.pbtxt")),
        )
        service.start()
        try:
            ingest = [flags.weft, "ingest", "events", str(folder / "events.csv")]
            subprocess.run([*ingest, "--to", service.address], check=True, capture_output=True)
            stats = service.call("HierarchyService/Stats")
            levels = [int(level["keptCount"]) for level in stats["level"]]
            print(f"snapshots: {flags.snapshots}; episodes kept, by level: {levels}")
            measure(service, flags.snapshots, flags.calls)
        finally:
            service.kill()


if __name__ == "__main__":
    main()
