#!/usr/bin/python3
"""Another process takes the disk from the real service while it writes.

  sudden_full_disk_test.py --weft build/release/weft

RocksDB itself runs out of space then, in the middle of a record, because next to nothing is held in
reserve. Ingest waits and goes on by itself once there is space; a service that is killed meanwhile
is refused with a clear error where it has not the space that its write-ahead log needs, and loses
nothing that was acknowledged once it has. The disk is a small tmpfs of the test's own.
Exit codes: 0 passed, 1 failed, 77 skipped (with the reason).
"""

import argparse
import json
import random
import subprocess
import sys
import time

from expectations import events_in_log, expect, expect_in
from service import STOP_SECONDS, Service
from small_disk import fill, free_bytes, run_on_small_disk

DISK_MEBIBYTES = 384
# Wide events: 160 MiB of log. Those that are alike are too far apart to be compressed.
FEATURES = 1024
EVENTS = 40_000
DIFFERENT_EVENTS = 512
# What the other process leaves: too little for a group of records, enough not to count as full.
LEFT_BYTES = 64 << 10
# Enough to begin with opening, not enough to end it.
START_BYTES = 6 << 20
GRAPH = """
input { name: "events" type: "EventBatch" }
node { name: "draw" operator: "negative_sampler" input: "EVENTS:events" output: "CANDIDATES:c" }
node { name: "edgebank" operator: "edgebank" input: "CANDIDATES:c" output: "SCORES:s" }
output { name: "predictions" stream: "s" }
"""


def write_events(path):
    draw = random.Random(1)
    features = [
        ",".join(f"{draw.gauss(0, 1):.7g}" for _ in range(FEATURES))
        for _ in range(DIFFERENT_EVENTS)
    ]
    with open(path, "w", encoding="ascii") as out:
        out.write("src,dst,ts," + ",".join(f"f{i}" for i in range(FEATURES)) + "\n")
        for i in range(EVENTS):
            out.write(f"s{i % 37},t{i % 11},{i},{features[i % DIFFERENT_EVENTS]}\n")


class Test:
    def __init__(self, weft, disk, elsewhere):
        self.weft, self.data, self.filler = weft, disk / "data", disk / "filler"
        self.events, graph = elsewhere / "events.csv", elsewhere / "graph.pbtxt"
        write_events(self.events)
        graph.write_text(GRAPH)
        config = elsewhere / "weft.pbtxt"
        config.write_text("log { min_free_bytes: 1 }\n")
        # No checkpoint shortens the log.
        self.flags = ["--config", config, "--graph", graph, "--features", str(FEATURES)]
        self.flags += ["--max-replay-seconds", "3600"]
        self.service = Service(weft, self.data, *map(str, self.flags))
        self.service.log = open(elsewhere / "log", "w+", encoding="utf-8")
        self.client = None

    def durable(self):
        return int(self.service.call("AdminService/GetServerInfo")["feed"][0]["durableCount"])

    def expect_running(self):
        expect("exit code of weft serve", self.service.process.poll(), None)
        expect("exit code of weft ingest", self.client.poll(), None)

    def fill_when_past(self, durable):
        """Takes the disk once so many events are in the log, and keeps it while the log is written.

        Returns how many events are in the log.
        """
        while self.durable() < durable:
            self.expect_running()
        until = time.monotonic() + STOP_SECONDS
        while self.service.metric("weft_log_disk_full") == 0:
            self.expect_running()
            expect("that the disk is full in time", time.monotonic() < until, True)
            fill(self.filler, LEFT_BYTES)
        return self.durable()

    def expect_reads(self):
        answer = subprocess.run(
            [self.weft, "predict", "links", "--to", self.service.address, "--source", "s1"],
            capture_output=True,
            text=True,
        )
        expect(f"exit code of weft predict ({answer.stderr})", answer.returncode, 0)
        expect("/livez", self.service.probe("/livez"), 200)

    def expect_refused_start(self):
        self.filler.unlink()
        fill(self.filler, START_BYTES)
        for _ in range(2):
            refused = subprocess.run(
                [self.weft, "serve", "--data-dir", self.data, "--http-listen", "none"]
                + ["--listen", "127.0.0.1:0", *self.flags],
                capture_output=True,
                text=True,
                timeout=STOP_SECONDS,
            )
            expect(f"exit code of weft serve ({refused.stderr})", refused.returncode, 1)
            said = refused.stderr.splitlines()[-1]
            expect_in("what weft serve says", f"weft: {self.data}: the disk is full: ", said)
            expect_in("what weft serve says", " bytes free, opening needs up to ", said)
            # What a try leaves behind goes with the next one.
            expect("that the disk has space", free_bytes(self.data) > START_BYTES // 2, True)

    def run(self):
        self.service.start()
        self.client = subprocess.Popen(
            [self.weft, "ingest", "events", self.events, "--to", self.service.address]
            + ["--resume", "p", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        # The first 64 MiB are in memory and in the write-ahead log alone.
        durable = self.fill_when_past(EVENTS // 8)
        self.expect_reads()
        expect("events in the log of the full disk", self.durable(), durable)
        self.service.kill()
        self.expect_refused_start()
        self.filler.unlink()
        self.service.start()
        expect("that all events are still in the log", self.durable() >= durable, True)

        self.fill_when_past(max(durable + 1, EVENTS // 2))
        self.expect_reads()
        self.filler.unlink()

        said, complaint = self.client.communicate(timeout=2 * STOP_SECONDS)
        expect(f"exit code of the client ({complaint.strip()})", self.client.returncode, 0)
        expect("durable events that it was told", json.loads(said)["durable_seq"], EVENTS)
        expect("exit code of the drain", self.service.drain(), 0)
        self.check_log()
        # Said by RocksDB, not by the check before a write.
        self.service.log.seek(0)
        expect_in("the service's log", "No space left on device", self.service.log.read())

    def check_log(self):
        expect("events in the log", events_in_log(self.weft, self.data)["p"], EVENTS)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    flags = parser.parse_args()

    def run(disk, elsewhere):
        test = Test(flags.weft, disk, elsewhere)
        try:
            test.run()
        finally:
            test.service.kill()
            test.client.kill()

    return run_on_small_disk(DISK_MEBIBYTES, run)


if __name__ == "__main__":
    sys.exit(main())
