#!/usr/bin/python3
"""Series that give way to others and come back, in a service that is killed twice.

  quiet_series_test.py --weft build/release/weft

Forty series, of which three are followed in memory, take turns of twenty records. Whenever it is
killed, and whatever checkpoint the service goes on from, what it knows of every series is what
`weft run` makes of the log: as if none had ever given way. Exit codes: 0 passed, 1 failed.
"""

import argparse
import json
import subprocess
import sys

from expectations import expect, run_in_folder, state_hash_of_log
from service import STOP_SECONDS, Service

SERIES, TURN, TURNS = 40, 20, 3000
RECORDS = TURN * TURNS
GRAPH = """
name: "quiet"
input { name: "events" type: "EventBatch" }
node {
  name: "model"
  operator: "sequence_model"
  input: "EVENTS:events"
  output: "SEQUENCE:sequence"
  options {
    [type.googleapis.com/weft.operators.sequence.v1.SequenceModel] { max_series: MOST }
  }
}
output { name: "sequence" stream: "sequence" }
"""


def series_of(record):
    return record // TURN * 7 % SERIES


def write_records(path, count):
    rows = [
        f"s{series_of(i)},load,{i},{10 + series_of(i) + i * 7919 % 101 / 50:.3f}"
        for i in range(count)
    ]
    path.write_text("\n".join(["src,dst,ts,f0", *rows]) + "\n")


class Test:
    def __init__(self, flags, folder):
        self.weft, self.data, self.file = flags.weft, folder / "data", folder / "records.csv"
        self.first_half = folder / "first.csv"
        self.graph, self.roomy = folder / "quiet.pbtxt", folder / "roomy.pbtxt"
        self.graph.write_text(GRAPH.replace("MOST", "3"))
        self.roomy.write_text(GRAPH.replace("MOST", str(SERIES)))
        write_records(self.file, RECORDS)
        write_records(self.first_half, RECORDS // 2)
        self.service = Service(
            self.weft,
            self.data,
            "--graph",
            str(self.graph),
            "--features",
            "1",
            "--max-replay-seconds",
            "3600",
        )

    def ingest(self, file):
        return subprocess.Popen(
            [self.weft, "ingest", "events", file, "--resume", "p", "--to", self.address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def expect_end(self, client):
        complaint = client.communicate(timeout=STOP_SECONDS)[1]
        expect(f"exit code of the client ({complaint.strip()})", client.returncode, 0)

    def run(self):
        self.address = self.service.start().address
        self.expect_end(self.ingest(self.first_half))
        self.service.call("AdminService/Checkpoint")
        client = self.ingest(self.file)
        while self.service.metric("weft_sequence_records_total") < RECORDS * 5 // 8:
            expect("exit code of the client before the kill", client.poll(), None)
        # What came since the checkpoint is replayed, over what was stored since.
        self.service.kill()
        self.service.start()
        self.expect_end(client)
        self.check_series()
        self.service.kill()
        self.service.start()
        self.check_series()
        state_hash = self.service.call("AdminService/GetStateHash")["stateHash"]
        self.service.call("AdminService/Checkpoint")
        expect("exit code of the drain", self.service.drain(), 0)
        replayed = state_hash_of_log(self.weft, str(self.graph), self.data)
        expect("state hash of weft run --log", replayed, state_hash)
        self.service.start()
        self.check_series()

    def check_series(self):
        """Every series is where it would be had it stayed."""
        listed = self.service.call("SequenceService/ListSeries")
        expect("series in memory", int(listed["seriesCount"]), 3)
        expect("series outside of it", int(listed["storedCount"]), SERIES - 3)
        said = {}
        for line in self.scores(self.roomy):
            said[line["series"]] = line
        for name, latest in said.items():
            found = self.service.call("SequenceService/Predict", {"series": name})
            expect(f"time of {name}", int(found["timeUs"]), latest["time_us"])
            expect(f"records of {name}", int(found["recordCount"]), RECORDS // SERIES)
            mean = latest["forecasts"][0]["mean"]
            expect(f"forecast of {name}", round(found["forecast"][0]["mean"], 9), round(mean, 9))

    def scores(self, graph):
        done = subprocess.run(
            [self.weft, "run", graph, "--input", f"events={self.file}", "--output", "sequence=-"],
            capture_output=True,
            text=True,
        )
        expect(f"exit code of weft run ({done.stderr.strip()})", done.returncode, 0)
        return map(json.loads, done.stdout.splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    flags = parser.parse_args()
    return run_in_folder("weft-quiet-series-", lambda folder: Test(flags, folder))


if __name__ == "__main__":
    sys.exit(main())
