#!/usr/bin/python3
"""Fills the disk beneath the real service.

  full_disk_test.py --weft build/release/weft --graph deploy/graphs/service.pbtxt

Ingest is refused with a clear error, reads go on, nothing durable is lost, and ingest goes on by
itself once there is space. The disk is a small tmpfs in a mount namespace of the test's own.
Exit codes: 0 passed, 1 failed, 77 skipped (with the reason).
"""

import argparse
import json
import subprocess
import sys
import urllib.error

from expectations import events_in_log, expect, expect_in
from service import STOP_SECONDS, Service
from small_disk import fill, run_on_small_disk

DISK_MEBIBYTES = 256
RESERVE_BYTES = 16 << 20
EVENTS = 5000


def write_events(path, count):
    rows = [f"s{i % 37},t{i % 11},{i}" for i in range(count)]
    path.write_text("\n".join(["src,dst,ts", *rows]) + "\n")


class Test:
    def __init__(self, flags, disk, elsewhere):
        self.weft, self.graph = flags.weft, flags.graph
        self.data, self.filler = disk / "data", disk / "filler"
        self.first, self.more = elsewhere / "first.csv", elsewhere / "more.csv"
        write_events(self.first, EVENTS)
        write_events(self.more, 2 * EVENTS)
        config = elsewhere / "weft.pbtxt"
        config.write_text(f"log {{ min_free_bytes: {RESERVE_BYTES} }}\n")
        self.service = Service(self.weft, self.data, "--config", str(config))

    def weft_run(self, *arguments):
        return subprocess.run(
            [self.weft, *arguments], capture_output=True, text=True, timeout=2 * STOP_SECONDS
        )

    def ingest(self, path, *flags):
        """As the producer p, which goes on where it was."""
        return [
            "ingest",
            "events",
            str(path),
            "--to",
            self.service.address,
            "--resume",
            "p",
            "--json",
            *flags,
        ]

    def durable(self):
        return int(self.service.call("AdminService/GetServerInfo")["feed"][0]["durableCount"])

    def expect_refusals(self):
        refused = self.weft_run(*self.ingest(self.more, "--retry-seconds", "0"))
        expect("exit code of weft ingest", refused.returncode, 1)
        expect_in("what weft ingest says", "the disk is full: ", refused.stderr)
        expect_in("what weft ingest says", f"at least {RESERVE_BYTES} must be", refused.stderr)
        expect_in("what weft ingest says", "worth trying again", refused.stderr)
        batch = {"key": ["a", "b"], "source": [0], "target": [1], "timeUs": ["1"]}
        self.expect_full(
            "IngestService/IngestBatch", {"feed": "events", "producer": "q", "batch": batch}
        )
        self.expect_full("AdminService/Checkpoint", {})

    def expect_full(self, method, request):
        try:
            self.service.call(method, request)
            raise AssertionError(f"{method}: expected an error, got an answer")
        except urllib.error.HTTPError as error:
            body = json.loads(error.read())
        expect(f"code of {method}", body["code"], "resource_exhausted")
        expect(f"reason of {method}", body["details"][0]["debug"]["reason"], "DISK_FULL")
        expect(f"details of {method}", body["details"][1]["type"], "google.rpc.RetryInfo")

    def expect_reads(self):
        answer = self.weft_run(
            "predict",
            "links",
            "--to",
            self.service.address,
            "--source",
            "s1",
            "--top",
            "3",
            "--json",
        )
        expect("exit code of weft predict", answer.returncode, 0)
        expect("targets of weft predict", len(json.loads(answer.stdout)["targets"]), 3)

    def start_full(self):
        self.service.start()
        self.weft_run(*self.ingest(self.first)).check_returncode()
        expect("durable events before", self.durable(), EVENTS)
        self.state_hash = self.service.call("AdminService/GetStateHash")["stateHash"]
        fill(self.filler)
        self.expect_refusals()
        self.expect_reads()
        expect("durable events on the full disk", self.durable(), EVENTS)

    def goes_on_after_a_kill(self):
        """What was acknowledged is there, what was not can be sent again."""
        self.service.kill()
        refused = self.weft_run(
            "serve",
            "--data-dir",
            str(self.data),
            "--listen",
            "127.0.0.1:0",
            "--http-listen",
            "none",
        )
        expect("exit code of weft serve without a free byte", refused.returncode, 1)
        expect_in("what weft serve says", "the disk is full: 0 bytes free", refused.stderr)
        self.filler.unlink()
        self.service.start()
        expect("durable events after the kill", self.durable(), EVENTS)
        expect(
            "state hash after the kill",
            self.service.call("AdminService/GetStateHash")["stateHash"],
            self.state_hash,
        )

    def goes_on_by_itself(self):
        """A client that waits while the disk is full gets through once it is not."""
        fill(self.filler)
        self.expect_refusals()
        waiting = subprocess.Popen(
            [self.weft, *self.ingest(self.more)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.filler.unlink()
        said, complaint = waiting.communicate(timeout=2 * STOP_SECONDS)
        expect(f"exit code of the client that waited ({complaint.strip()})", waiting.returncode, 0)
        expect("durable events that it was told", json.loads(said)["durable_seq"], 2 * EVENTS)
        state_hash = self.service.call("AdminService/GetStateHash")["stateHash"]
        expect("exit code of the drain", self.service.drain(), 0)
        replayed = self.weft_run("run", self.graph, "--log", str(self.data), "--json")
        expect(
            "state hash of weft run --log", json.loads(replayed.stderr)["state_hash"], state_hash
        )
        expect("events in the log", events_in_log(self.weft, self.data)["p"], 2 * EVENTS)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--graph", required=True, help="the graph that weft serve has built in")
    flags = parser.parse_args()

    def run(disk, elsewhere):
        test = Test(flags, disk, elsewhere)
        try:
            test.start_full()
            test.goes_on_after_a_kill()
            test.goes_on_by_itself()
        finally:
            test.service.kill()

    return run_on_small_disk(DISK_MEBIBYTES, run)


if __name__ == "__main__":
    sys.exit(main())
