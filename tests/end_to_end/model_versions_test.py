#!/usr/bin/python3
"""Versions of a model's weights in a running service, by `weft model` and by JSON.

  model_versions_test.py --weft build/release/weft --graph deploy/graphs/service.pbtxt

They are kept, compared, put in use and taken back while the model learns; a kill -9 changes nothing
of it, and neither does a replay of the log without a server.
Exit codes: 0 passed, 1 failed.
"""

import argparse
import json
import random
import subprocess
import sys
import urllib.error

from expectations import (
    check_schema,
    expect,
    expect_in,
    run_in_folder,
    state_hash_of_log,
)
from service import STOP_SECONDS, Service

EVENTS = 7000  # a part of them; a window of what is compared takes some 4,096


def write_events(path, seed, first):
    chance = random.Random(seed)
    rows = []
    for number in range(EVENTS):
        source = chance.randrange(50)
        target = (
            source * 3 + chance.randrange(3) if chance.random() < 0.9 else chance.randrange(150)
        )
        rows.append(f"s{source},t{target},{first + number}")
    path.write_text("\n".join(["src,dst,ts", *rows]) + "\n")


class Test:
    def __init__(self, flags, folder):
        self.weft, self.graph, self.folder = flags.weft, flags.graph, folder
        self.data = folder / "data"
        self.service = Service(self.weft, self.data)

    def ask(self, *arguments, code=0):
        """What the command says on stdout, or on stderr if it shall fail."""
        done = subprocess.run(
            [self.weft, *arguments, "--to", self.service.address],
            capture_output=True,
            text=True,
            timeout=STOP_SECONDS,
        )
        expect(f"exit code of weft {arguments} ({done.stderr.strip()})", done.returncode, code)
        return done.stdout if code == 0 else done.stderr

    def model(self, *arguments):
        """The JSON of a `weft model` command."""
        return json.loads(self.ask("model", *arguments, "--json"))

    def versions(self):
        listed = self.model("list")
        check_schema("model_versions", listed)
        return listed, {version["number"]: version for version in listed["versions"]}

    def ingest(self, name, first):
        path = self.folder / f"{name}.csv"
        write_events(path, first, first)
        self.ask("ingest", "events", str(path), "--resume", name)

    def check_first_version(self):
        expect("version that is kept first", self.model("keep", "--note", "first")["number"], "1")
        self.ingest("first", 0)
        listed, versions = self.versions()
        expect("node", (listed["node"], listed["model"]), ("weft", "weft"))
        expect("note", (versions["1"]["origin"], versions["1"]["note"]), ("kept", "first"))
        expect("events behind version 1", versions["1"]["event_count"], 0)
        expect("digest of weights that learned", len({v["digest"] for v in versions.values()}), 2)
        for figures in (listed["live"], versions["1"]["figures"]):
            expect("events that are compared", figures["events"] >= listed["window_events"], True)
        table = self.ask("model", "compare")
        for part in ("in use", "kept", "guard", "recency"):
            expect_in("weft model compare", part, table)

    def check_files(self):
        one, two = self.folder / "one.weft", self.folder / "two.weft"
        self.ask("model", "export", "1", str(one))
        number = self.model("import", str(one))["number"]
        versions = self.versions()[1]
        expect("digest of what was imported", versions[number]["digest"], versions["1"]["digest"])
        expect("note of what was imported", versions[number]["note"], str(one))
        self.ask("model", "export", number, str(two))
        expect("bytes of what was imported", two.read_bytes(), one.read_bytes())
        two.write_bytes(one.read_bytes()[:-1])
        complaint = self.ask("model", "import", str(two), code=1)
        expect_in("import of a damaged file", "damaged model file", complaint)
        self.ask("model", "drop", number)
        expect("whether a dropped version is there", number in self.versions()[1], False)

    def check_errors(self):
        complaint = self.ask("model", "promote", "999", code=1)
        expect_in("promotion of an unknown version", "got 999", complaint)
        expect_in("rollback of nothing", "no version", self.ask("model", "rollback", code=1))
        complaint = self.ask("model", "list", "--node", "recency", code=1)
        expect_in("a node without versions", '"recency" keeps no versions', complaint)
        try:
            self.service.call("AdminService/PromoteModelVersion", {"number": "999"})
            raise AssertionError("expected an error, got an answer")
        except urllib.error.HTTPError as error:
            body = json.loads(error.read())
        expect("code over JSON", body["code"], "not_found")
        expect("reason over JSON", body["details"][0]["debug"]["reason"], "UNKNOWN_MODEL_VERSION")

    def check_activation(self):
        before = self.versions()[0]
        answer = self.service.call("AdminService/PromoteModelVersion", {"number": "1"})
        expect("version in use", answer["version"]["note"], "first")
        listed, versions = self.versions()
        expect("rise of the revision", int(listed["revision"]) - int(before["revision"]), 1)
        replaced = [v for v in versions.values() if v["origin"] == "replaced"]
        expect("versions that were replaced", len(replaced), 1)
        self.ingest("second", EVENTS)
        expect("version taken back", self.model("rollback")["number"], replaced[0]["number"])
        kept = self.folder / "kept.weft"
        self.ask("model", "export", "0", str(kept))
        self.service.kill()
        self.service.start()
        again = self.folder / "again.weft"
        self.ask("model", "export", "0", str(again))
        expect("weights after a restart", again.read_bytes(), kept.read_bytes())
        self.ingest("third", 2 * EVENTS)

    def check_log(self):
        listed = self.versions()[0]
        state_hash = self.service.call("AdminService/GetStateHash")["stateHash"]
        self.service.kill()
        self.service.start()
        expect("versions after a restart", self.versions()[0], listed)
        again = self.service.call("AdminService/GetStateHash")["stateHash"]
        expect("state hash after a restart", again, state_hash)
        expect("exit code of the drain", self.service.drain(), 0)
        found = state_hash_of_log(self.weft, self.graph, self.data)
        expect("state hash of weft run --log", found, state_hash)
        log = subprocess.run(
            [self.weft, "data", "log", self.data], capture_output=True, text=True, check=True
        )
        commands = [line for line in log.stdout.splitlines() if " command " in line]
        expect("commands in the log", len(commands) >= 5, True)
        expect_in("a command in the log", "for node weft", commands[0])

    def run(self):
        self.service.start()
        self.check_first_version()
        self.check_files()
        self.check_errors()
        self.check_activation()
        self.check_log()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--graph", required=True, help="the graph that weft serve has built in")
    flags = parser.parse_args()
    return run_in_folder("weft-versions-", lambda folder: Test(flags, folder))


if __name__ == "__main__":
    sys.exit(main())
