#!/usr/bin/python3
"""Clients of a service that was killed and takes its time to recover.

  recovery_test.py --weft build/release/weft --graph deploy/graphs/service.pbtxt

While the log is replayed, probes say alive and not ready, calls are refused with a clear message,
and a `weft ingest` waits: the one that was sending when the service was killed as well as one that
is started only then. Both end with 0, and the log holds what they sent, once and in order. A
`weft watch` does not wait: it ends with 1 and says which service it has lost.
Exit codes: 0 passed, 1 failed.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.error

from expectations import events_in_log, expect, run_in_folder, state_hash_of_log
from service import STOP_SECONDS, Service

# What a restart replays: no checkpoint is cut on the way.
EVENTS = 150_000
MORE_EVENTS = 1000
SECONDS_WITHOUT_SERVICE = 1.0


def write_events(path, count):
    rows = [f"s{i * 7 % 997},t{i * 13 % 499},{i / 1000:.3f}" for i in range(count)]
    path.write_text("\n".join(["src,dst,ts", *rows]) + "\n")


class Test:
    def __init__(self, flags, folder):
        self.weft, self.graph, self.data = flags.weft, flags.graph, folder / "data"
        self.files = {"first": folder / "first.csv", "second": folder / "second.csv"}
        write_events(self.files["first"], EVENTS)
        write_events(self.files["second"], MORE_EVENTS)
        # Events of the second file are older than the first's: none of them may be late.
        self.service = Service(
            self.weft, self.data, "--max-replay-seconds", "3600", "--lateness", "1e6"
        )

    def begin(self, *arguments):
        return subprocess.Popen(
            [self.weft, *arguments, "--to", self.service.address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def begin_ingest(self, producer):
        return self.begin("ingest", "events", self.files[producer], "--resume", producer, "--json")

    def ask(self, *arguments):
        """Exit code, stdout and stderr."""
        client = self.begin(*arguments)
        said, complaint = client.communicate(timeout=STOP_SECONDS)
        return client.returncode, said, complaint

    def recovering(self):
        """Waits until the restarted service listens; it must not be ready yet."""
        until = time.monotonic() + STOP_SECONDS
        while (alive := self.service.probe("/livez")) is None and time.monotonic() < until:
            time.sleep(0.005)
        expect("/livez of a service that recovers", alive, 200)
        expect("/readyz of a service that recovers", self.service.probe("/readyz"), 503)

    def expect_refusals(self):
        for method in ("LinkService/RankTargets", "AdminService/GetStateHash"):
            try:
                self.service.call(method)
                raise AssertionError(f"{method}: expected an error, got an answer")
            except urllib.error.HTTPError as error:
                body = json.loads(error.read())
            expect(f"code of {method}", body["code"], "unavailable")
            expect(f"reason of {method}", body["details"][0]["debug"]["reason"], "RECOVERING")
            expect(f"details of {method}", body["details"][1]["type"], "google.rpc.RetryInfo")
        complaint = "weft: the server is recovering; it is worth trying again\n"
        for command in (("predict", "links", "--source", "s1"), ("watch", "predictions")):
            expect(f"what weft {command[0]} does", self.ask(*command), (1, "", complaint))

    def run(self):
        self.service.start()
        expect("/readyz of a service that serves", self.service.probe("/readyz"), 200)
        watch = self.begin("watch", "predictions", "--summary-every", str(EVENTS))
        expect(
            "what weft watch says first",
            watch.stderr.readline(),
            f"weft: watching {self.service.address}\n",
        )
        first = self.begin_ingest("first")
        while self.service.metric("weft_ingest_events_total") < EVENTS // 2:
            expect("exit code of the first client before the kill", first.poll(), None)
        self.service.kill()
        complaint = watch.communicate(timeout=STOP_SECONDS)[1]
        expect(f"exit code of weft watch ({complaint.strip()})", watch.returncode, 1)
        expect("whom weft watch has lost", complaint.split(": ")[1], self.service.address)
        time.sleep(SECONDS_WITHOUT_SERVICE)
        self.service.begin()
        self.recovering()
        second = self.begin_ingest("second")
        self.expect_refusals()
        expect("/readyz after all that was refused", self.service.probe("/readyz"), 503)
        expect("exit codes of the clients that wait", (first.poll(), second.poll()), (None, None))
        self.service.wait_ready()
        expect("/readyz of a service that has recovered", self.service.probe("/readyz"), 200)
        expect_success("the first client", first, EVENTS)
        expect_success("the second client", second, MORE_EVENTS)
        expect("exit code of weft predict", self.ask("predict", "links", "--source", "s1")[0], 0)
        self.check_log()

    def check_log(self):
        state_hash = self.service.call("AdminService/GetStateHash")["stateHash"]
        expect("exit code of the drain", self.service.drain(), 0)
        found = state_hash_of_log(self.weft, self.graph, self.data)
        expect("state hash of weft run --log", found, state_hash)
        ends = events_in_log(self.weft, self.data)
        expect("events in the log", ends, {"first": EVENTS, "second": MORE_EVENTS})


def expect_success(what, client, events):
    said, complaint = client.communicate(timeout=2 * STOP_SECONDS)
    expect(f"exit code of {what} ({complaint.strip()})", client.returncode, 0)
    summary = json.loads(said)
    progress = [summary[name] for name in ("events", "durable_seq", "applied_seq", "rejected")]
    expect(f"what {what} was told", progress, [events, events, events, 0])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--graph", required=True, help="the graph that weft serve has built in")
    flags = parser.parse_args()
    return run_in_folder("weft-recovery-", lambda folder: Test(flags, folder))


if __name__ == "__main__":
    sys.exit(main())
